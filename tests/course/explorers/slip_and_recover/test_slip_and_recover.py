"""The slip explorer: what is counted, its verdict, its picture as XML."""

import time

import pytest
import torch

from seq2seq_lib.course.explorers.kit.table import packed, table
from seq2seq_lib.course.explorers.slip_and_recover import ANSWERS, EXPLORER, compute, draw
from seq2seq_lib.course.explorers.slip_and_recover.compute import (
    DATES,
    LATEST,
    NUMBERS,
    WRONG,
    _compute,
)
from seq2seq_lib.course.explorers.slip_and_recover.models import DECODERS, FOLDER, SHIPPED, load
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.vocab import EOS_ID
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

SENTENCES = {"dates": ("date", DATES), "numbers": ("number", NUMBERS)}
SETTINGS = [
    {"task": task, "decoder": decoder, SENTENCES[task][0]: sentence, "slip": slip, "wrong": wrong}
    for task in SHIPPED
    for decoder in DECODERS
    for sentence in list(SENTENCES[task][1])[:2]
    for slip in range(LATEST + 1)
    for wrong in WRONG
]


# ---------------------------------------------------------------- compute


def test_the_hook_is_a_whole_date_one_place_late():
    result = compute()
    assert result.written == "51984-02-11" and "".join(result.gold) == "1984-02-11•"
    assert "".join(result.gold_lane.says) == "1184-02-11•"
    assert (result.after, result.gold_wrong, result.own_wrong, result.edits) == (10, 1, 9, 1)
    assert result.gold_lane.reads[:3] == ("<", "5", "9")
    assert result.own_lane.reads[:3] == ("<", "5", "1")


@pytest.mark.parametrize("params", [s for s in SETTINGS if s["wrong"] == WRONG[0]], ids=str)
def test_lanes_are_the_loops_of_the_library(params):
    """The gold lane is one parallel pass, the own lane greedy search with a forced prefix."""
    result = compute(**params)
    made, k = load(result.task, result.decoder), result.slip
    source = list(result.sentence) if result.task == "dates" else result.sentence.split()
    src = torch.tensor([[*made.src_vocab.encode(source), EOS_ID]])
    lengths = torch.tensor([src.size(1)])
    gold = made.tgt_vocab.encode(result.gold[:-1])
    (wrong,) = made.tgt_vocab.encode([result.wrong])
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

    prefix = []
    if k:  # what it says before the slip, and then the wrong token
        cap = k if k > 1 else 1
        first = greedy_search(made.model, src, lengths, max_new_tokens=cap)[0][0].tokens
        prefix = [*first[: k - 1], wrong]
    room = len(result.gold) + 4 - len(prefix)
    (best,) = greedy_search(made.model, src, lengths, max_new_tokens=room, prefix=prefix)[0]
    assert "".join(made.tgt_vocab.decode(best.tokens)) == result.written


@pytest.mark.parametrize("params", [s for s in SETTINGS if s["slip"] == 0], ids=str)
def test_without_a_slip_a_right_row_is_right_in_both_lanes_or_in_none(params):
    """The theorem of the chapter, on four models that ship."""
    result = compute(**params)
    assert (result.gold_lane.says == result.gold) == (result.own_lane.says == result.gold)
    if result.gold_lane.says == result.gold:
        assert result.own_lane == result.gold_lane


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_numbers_are_counted_from_what_is_shown(params):
    result = compute(**params)
    n, k = len(result.gold), result.slip
    assert result.after == n - k == len(result.gold_lane.says[k:])
    assert result.gold_wrong == sum(
        said != gold for said, gold in zip(result.gold_lane.says[k:], result.gold[k:], strict=True)
    )
    own = result.own_lane.says + (None,) * n
    assert result.own_wrong == sum(own[t] != result.gold[t] for t in range(k, n))
    assert all(0 <= p <= 1 for lane in (result.gold_lane, result.own_lane) for p in lane.prob)
    assert all(result.own_lane.says[t] == result.gold[t - 1] for t in result.late)
    assert (result.edits == 0) == (result.written == "".join(result.gold[:-1]))


def test_the_models_that_ship_are_small_and_good_enough():
    for task in SHIPPED:
        for decoder in DECODERS:
            assert (FOLDER / f"{task}_{decoder}.pt").stat().st_size < 300_000
            name, sentences = SENTENCES[task]
            right = [
                compute(task=task, decoder=decoder, **{name: s}, slip=0).own_wrong == 0
                for s in sentences
            ]
            if (task, decoder) != ("dates", "plain"):
                assert all(right)


# ---------------------------------------------------------------- verdict and picture


@pytest.mark.parametrize("state", EXPLORER.states)
def test_the_verdict_is_what_was_counted(state):
    result = compute(**EXPLORER.params(state))
    verdict = EXPLORER.judge(result)
    own, gold = result.own_wrong, result.gold_wrong
    assert verdict.answer == ("own" if own > gold else "gold" if gold > own else "same")
    assert verdict.answer in ANSWERS.values()
    assert f"gold prefix {gold}, own prefix {own}." in verdict.why


@pytest.mark.parametrize("params", SETTINGS, ids=str)
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
    for wrong in ({"slip": 9}, {"wrong": "x"}, {"date": "tomorrow"}, {"task": "letters"}):
        (name,) = wrong
        with pytest.raises(ValueError, match=name):
            EXPLORER.view({**EXPLORER.defaults(), **wrong})


def test_a_page_without_a_kernel_gets_every_setting_in_a_small_table():
    whole = table(EXPLORER)
    assert len(whole["views"]) == 2 * 2 * 4 * (1 + LATEST * len(WRONG)) == 112
    assert len(packed(whole)) < 300_000


def test_a_picture_is_quick():
    _compute.cache_clear()
    seconds = []
    for params in SETTINGS:
        start = time.process_time()
        draw(compute(**params))
        seconds.append(time.process_time() - start)
    assert sorted(seconds)[int(0.95 * len(seconds))] < 0.05
