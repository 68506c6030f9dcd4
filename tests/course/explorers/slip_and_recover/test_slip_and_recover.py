"""The slip explorer: what is counted, its verdict, its picture as XML."""

import copy
import datetime
import importlib
import time

import pytest
import torch

from seq2seq_lib.corpora.date_task import DATE_FORMS, date_pair
from seq2seq_lib.corpora.number_task import number_pair
from seq2seq_lib.course.explorers.kit.table import packed, table
from seq2seq_lib.course.explorers.slip_and_recover import EXPLORER, compute, draw
from seq2seq_lib.course.explorers.slip_and_recover.compute import (
    DATES,
    EXTRA,
    LATEST,
    LONGEST,
    NUMBERS,
    SHARES,
    _compute,
    _gold,
)
from seq2seq_lib.course.explorers.slip_and_recover.models import DECODERS, FOLDER, SHIPPED, load
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.vocab import EOS_ID
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

SENTENCES = {"dates": ("date", DATES), "numbers": ("number", NUMBERS)}
SETTINGS = [
    {"task": task, "decoder": decoder, SENTENCES[task][0]: sentence, "slip": slip, "wrong": wrong}
    for task in SHIPPED
    for decoder in DECODERS
    for sentence in list(SENTENCES[task][1])[:2]
    for slip in range(len(SENTENCES[task][1][sentence]) + 1)
    for wrong in ("5", "7")
]


# ---------------------------------------------------------------- compute


def test_the_hook_is_a_whole_date_one_place_late():
    result = compute()
    assert result.written == "51984-02-11" and "".join(result.gold) == "1984-02-11•"
    assert "".join(result.gold_lane.says) == "1184-02-11•"
    assert (result.after, result.edits) == (10, 1)
    assert (result.gold_lane.wrong, result.own_lane.wrong) == (1, 9)
    assert result.gold_lane.reads[:3] == ("<", "5", "9")
    assert result.own_lane.reads[:3] == ("<", "5", "1")


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_lanes_are_the_loops_of_the_library(params):
    """The gold lane is one parallel pass, the own lane greedy search with a forced prefix."""
    result = compute(**params)
    made, k = load(result.task, result.decoder), result.slip
    source = list(result.sentence) if result.task == "dates" else result.sentence.split()
    src = torch.tensor([[*made.src_vocab.encode(source), EOS_ID]])
    lengths = torch.tensor([src.size(1)])
    gold = made.tgt_vocab.encode(result.gold[:-1])
    (wrong,) = made.tgt_vocab.encode([result.replaced])
    tgt_in = torch.tensor([[1, *gold]])
    if k:
        tgt_in[0, k] = wrong
    with torch.no_grad():
        logits = made.model.decoder(tgt_in, made.model.start(src, lengths)).logits[0]
    logits[:, :2] = -torch.inf
    said = [
        "•" if t == EOS_ID else made.tgt_vocab.decode([t])[0] for t in logits.argmax(-1).tolist()
    ]
    assert tuple(said) == result.gold_lane.says

    prefix = [*gold[: k - 1], wrong] if k else []
    room = len(result.gold) + EXTRA - len(prefix)
    (best,) = greedy_search(made.model, src, lengths, max_new_tokens=room, prefix=prefix)[0]
    assert "".join(made.tgt_vocab.decode(best.tokens)) == result.written
    assert result.mixed_lane is None


def test_an_own_lane_that_never_ends_is_cut_four_behind_gold(monkeypatch):
    endless = copy.deepcopy(load("dates", "attention"))
    with torch.no_grad():
        endless.model.decoder.output.bias[EOS_ID] = -1e9
    module = importlib.import_module(compute.__module__)
    monkeypatch.setattr(module, "load", lambda task, decoder: endless)
    _compute.cache_clear()
    result = compute()
    _compute.cache_clear()
    assert len(result.gold_lane.says) == 11 and len(result.own_lane.says) == 15
    _gold.cache_clear()
    taken = compute(date="no day at all")  # what the model writes stands for gold
    _compute.cache_clear(), _gold.cache_clear()
    assert len(taken.gold) == LATEST + 1 and not taken.known, "as far as an output can be replaced"


@pytest.mark.parametrize("params", [s for s in SETTINGS if s["slip"] == 0], ids=str)
def test_without_a_slip_a_right_row_is_right_in_both_lanes_or_in_none(params):
    """The theorem of the chapter, on four models that ship."""
    result = compute(**params)
    assert (result.gold_lane.says == result.gold) == (result.own_lane.says == result.gold)
    if result.gold_lane.says == result.gold:
        assert result.own_lane == result.gold_lane


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_numbers_are_counted_from_what_is_shown(params):
    result = compute(**params)
    n, k = len(result.gold), result.slip
    assert result.after == n - k == len(result.gold_lane.says[k:])
    assert result.gold_lane.wrong == sum(
        said != gold for said, gold in zip(result.gold_lane.says[k:], result.gold[k:], strict=True)
    )
    own = result.own_lane.says + (None,) * n
    assert result.own_lane.wrong == sum(own[t] != result.gold[t] for t in range(k, n))
    assert all(0 <= p <= 1 for lane in (result.gold_lane, result.own_lane) for p in lane.prob)
    assert all(result.own_lane.says[t] == result.gold[t - 1] for t in result.late)
    assert (result.edits == 0) == (result.written == "".join(result.gold[:-1]))


def test_the_models_that_ship_are_small_and_good_enough():
    for task in SHIPPED:
        for decoder in DECODERS:
            assert (FOLDER / f"{task}_{decoder}.pt").stat().st_size < 300_000
            name, sentences = SENTENCES[task]
            right = [
                compute(task=task, decoder=decoder, **{name: s}, slip=0).own_lane.wrong == 0
                for s in sentences
            ]
            if (task, decoder) != ("dates", "plain"):
                assert all(right)


# ---------------------------------------------------------------- verdict and picture


@pytest.mark.parametrize("params", SETTINGS[:30:3] + SETTINGS[88:108], ids=str)
def test_the_verdict_is_the_pair_of_counts_and_stands_among_likely_ones(params):
    params = {**EXPLORER.defaults(), **params}
    result = compute(**params)
    gold, own, n = result.gold_lane.wrong, result.own_lane.wrong, result.after
    verdict, question = EXPLORER.judge(result), EXPLORER.question(params)
    text = f"gold prefix {gold}, own prefix {own}"
    assert question.answers[text] == verdict.answer and f"{text}." in verdict.why
    pairs = [tuple(map(int, value.split())) for value in question.answers.values()]
    assert pairs == sorted(pairs) and {(0, 0), (0, n), (n, n)} <= set(pairs)
    assert all(0 <= count <= n for pair in pairs for count in pair)


@pytest.mark.parametrize("params", covering(SETTINGS), ids=str)
def test_every_output_is_drawn_and_marked_and_nothing_is_cut_off(params):
    result = compute(**params)
    root = parsed(draw(result))
    lanes = (result.gold_lane, result.own_lane)
    marked = {kind: len(of_class(root, kind)) for kind in ("right", "wrong", "late")}
    assert sum(marked.values()) == sum(len(lane.says) for lane in lanes)
    right = sum(
        said == gold for lane in lanes for said, gold in zip(lane.says, result.gold, strict=False)
    )
    assert marked["right"] == right and marked["late"] == len(result.late)
    assert len(of_class(root, "bar")) == sum(min(len(x.says), len(result.gold)) for x in lanes)
    forced = sum(result.slip > 0 and len(lane.reads) > result.slip for lane in lanes)
    assert len(of_class(root, "forced")) == words(root).count("forced") == forced
    width, height = float(root.get("width")), float(root.get("height"))
    for rect in root.iter(f"{SVG}rect"):
        if rect.get("x"):
            assert 0 <= float(rect.get("x")) <= width - float(rect.get("width"))
            assert 0 <= float(rect.get("y")) <= height - float(rect.get("height"))
    assert unreadable(root) == []


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name in EXPLORER.states:
        result = compute(**EXPLORER.params(name))
        veiled = parsed(draw(result, veiled=True))
        assert len(of_class(veiled, "veil")) == 1 and of_class(veiled, "right") == []
        shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert "own prefix" not in shown and "".join(result.own_lane.says) not in shown.replace(
            "".join(result.gold), ""
        )
        assert veiled.get("height") == parsed(draw(result)).get("height")


def test_bad_parameters_are_refused_by_name():
    for wrong in ({"slip": 11}, {"slip": -1}, {"wrong": "x"}, {"share": 10}, {"task": "letters"}):
        (name,) = wrong
        with pytest.raises(ValueError, match=name):
            EXPLORER.view({**EXPLORER.defaults(), **wrong})
    for wrong in ({"slip": 11}, {"wrong": "x"}, {"share": -1}, {"share": 101}, {"decoder": "x"}):
        (name,) = wrong
        with pytest.raises(ValueError, match=name):
            compute(**wrong)
    for seed in (-1, 100):
        with pytest.raises(ValueError, match="seed"):
            EXPLORER.view({**EXPLORER.defaults(), "share": 50, "seed": seed})


# ---------------------------------------------------------------- a text of the reader's


@pytest.mark.parametrize("form", DATE_FORMS)
def test_a_typed_date_has_the_calendar_s_answer_in_each_form(form):
    for day in (datetime.date(2031, 1, 9), datetime.date(2000, 2, 29), datetime.date.max):
        typed = "".join(date_pair(day, form).source)
        result = compute(date=f"  {typed.upper()} ", slip=0)
        assert result.known and "".join(result.gold) == f"{day.isoformat()}•"


@pytest.mark.parametrize(
    ("number", "settings"), [(0, (True, True)), (42, (True, False)), (6905, (False, True))]
)
def test_a_typed_number_has_its_digits(number, settings):
    typed = " ".join(number_pair(number, *settings).source).replace(" - ", "-").title()
    result = compute(task="numbers", number=typed, slip=0)
    assert result.known and "".join(result.gold) == f"{number}•"


@pytest.mark.parametrize(
    "params",
    [{"date": "hello"}, {"date": "30 feb 1999"}, {"date": "30 feb 9999"},
     {"date": "שלום <b> & 日"}, {"date": "x" * 40},
     {"task": "numbers", "number": "eleventy"}, {"task": "numbers", "number": "ten million"}],
    ids=str,
)  # fmt: skip
def test_a_text_without_an_answer_is_compared_with_what_the_model_writes(params):
    still = compute(**params, slip=0)
    assert not still.known and still.edits == 0 and still.own_lane == still.gold_lane
    slipped = compute(**params, slip=1)
    assert slipped.gold == still.gold and slipped.written[0] == "5"
    root = parsed(draw(slipped))
    assert "no slip" in words(root) and "stands in for gold" in " ".join(words(root))
    assert "gold" not in words(root) and unreadable(root) == []


@pytest.mark.parametrize(
    ("params", "says"),
    [({"date": ""}, "visible"), ({"date": " \n\u200b"}, "visible"),
     ({"date": "1" * (LONGEST["dates"] + 1)}, "41 characters, and 40"),
     ({"task": "numbers", "number": " "}, "at least one word"),
     ({"task": "numbers", "number": "one " * 17}, "17 words, and 16")],
    ids=str,
)  # fmt: skip
def test_a_text_that_cannot_be_answered_says_why(params, says):
    with pytest.raises(ValueError, match=says):
        compute(**params)
    panel = {**EXPLORER.defaults(), "task": params.get("task", "dates")}
    key = "number" if "number" in params else "date"
    with pytest.raises(ValueError, match=says):
        EXPLORER.view(EXPLORER.move(panel, key, params[key]))


def test_a_slip_moves_into_a_shorter_output():
    late = EXPLORER.move(EXPLORER.defaults(), "slip", 10)
    assert compute(**late).after == 1
    moved = EXPLORER.move(late, "task", "numbers")
    assert moved["slip"] == 4
    assert EXPLORER.move(moved, "number", "seven")["slip"] == 1
    with pytest.raises(ValueError, match="slip must be 0 to 1"):
        compute(task="numbers", number="seven", slip=2)


# ---------------------------------------------------------------- the lane of coins


@pytest.mark.parametrize("share", SHARES[1:])
def test_the_third_lane_reads_its_own_token_where_its_coin_says_so(share):
    for slip in (0, 1, 6):
        result = compute(slip=slip, share=share, seed=4)
        lane, gold = result.mixed_lane, result.gold
        assert len(lane.says) == len(gold), "as long as in training"
        for t in range(1, len(gold)):
            due = lane.says[t - 1] if t in lane.own else gold[t - 1]
            assert lane.reads[t] == (result.replaced if t == slip else due)
        assert all(t > slip for t in lane.own)
        assert [result.gold_lane, result.own_lane] == [
            (plain := compute(slip=slip)).gold_lane,
            plain.own_lane,
        ]
        assert f"{share} % own tokens {lane.wrong}." in " ".join(words(parsed(draw(result))))


def test_the_third_lane_s_steps_are_the_model_s():
    result = compute(share=50, seed=1)
    made = load("dates", "attention")
    src = torch.tensor([[*made.src_vocab.encode(list(result.sentence)), EOS_ID]])
    reads = [1, *made.tgt_vocab.encode(list(result.mixed_lane.reads[1:]))]
    with torch.no_grad():
        start = made.model.start(src, torch.tensor([src.size(1)]))
        logits = made.model.decoder(torch.tensor([reads]), start).logits[0]
    said = ["•" if i == EOS_ID else made.tgt_vocab.decode([i])[0] for i in logits.argmax(-1)]
    assert tuple(said) == result.mixed_lane.says


def test_coins_follow_the_seed_and_the_share():
    owns = {seed: compute(share=50, seed=seed).mixed_lane.own for seed in range(20)}
    assert owns[3] == compute(share=50, seed=3).mixed_lane.own and len(set(owns.values())) > 10
    sizes = [
        sum(len(compute(share=share, seed=seed).mixed_lane.own) for seed in range(60)) / (60 * 9)
        for share in SHARES[1:]
    ]  # nine places have a choice
    assert sizes == pytest.approx([0.25, 0.5, 0.75], abs=0.07)  # 3 standard deviations of 540 coins
    assert compute(share=100).mixed_lane == compute().own_lane


# ---------------------------------------------------------------- without a kernel


def test_a_page_without_a_kernel_gets_every_place_in_a_small_table():
    whole = table(EXPLORER)
    places = 2 * 4 * (1 + 10 * 2) + 2 * 4 * (1 + 4 * 2)  # decoders, sentences, slips, two tokens
    assert len(whole["views"]) == 2 * places == 480  # without coins, and with one half
    assert len(packed(whole)) < 300_000


def test_a_picture_is_quick():
    _compute.cache_clear()
    seconds = []
    for params in SETTINGS:
        start = time.process_time()
        draw(compute(**params))
        seconds.append(time.process_time() - start)
    assert sorted(seconds)[int(0.95 * len(seconds))] < 0.05
