"""The search tree: against the library's searches, rows of the state, question, picture."""

import itertools
import math

import pytest

from seq2seq_lib import decoding
from seq2seq_lib.course.explorers.search_tree import (
    EXPLORER,
    OUTPUTS,
    PENALTIES,
    SEARCHES,
    STATES,
    WIDTHS,
)
from seq2seq_lib.course.explorers.search_tree.compute import EVERYTHING, STEPS, compute, run
from seq2seq_lib.course.explorers.search_tree.picture import draw
from seq2seq_lib.course.letter_cards import NO_SOURCE, MemoryCard, spelt
from seq2seq_lib.laws import four_letters
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

SETTINGS = [
    *({"width": k, "length_penalty": alpha} for k in range(1, 5) for alpha in PENALTIES),
    {"search": "everything"},
    *({"search": "memory", "width": k, "moved": m} for k in (2, 3) for m in (True, False)),
]
ALL = [{**params, "step": step} for params in SETTINGS for step in range(STEPS + 1)]


def texts(result):
    return [spelt(output.tokens) for output in result.ranked]


def description(picture):
    return parsed(picture).find(f"{SVG}desc").text


def test_a_page_without_a_kernel_offers_125_views():
    assert len(ALL) == 125


# ---------------------------------------------------------------- by value


@pytest.mark.parametrize(
    ("params", "output", "prob"),
    [
        ({"width": 1}, "acb•", 0.40 * 0.36 * 0.35 * 0.45),
        ({"width": 2}, "ab•", 0.40 * 0.34 * 0.45),
        ({"width": 3}, "b•", 0.25 * 0.45),
        ({"width": 4}, "b•", 0.25 * 0.45),
        ({"search": "everything"}, "b•", 0.25 * 0.45),
        # a letter is written once: what was read is 0, the rest is divided by its sum
        ({"search": "memory", "width": 2}, "ab•", 0.40 * (0.34 / 0.85) * (0.45 / 0.55)),
    ],
)
def test_each_search_finds_what_a_pencil_finds(params, output, prob):
    result = compute(**params)
    assert texts(result)[0] == output == EXPLORER.judge(result).answer
    assert result.best.log_prob == pytest.approx(math.log(prob), rel=1e-12)


@pytest.mark.parametrize(
    ("penalty", "output"), [(0.0, "b•"), (0.6, "b•"), (0.7, "ab•"), (1.0, "ab•"), (1.5, "acb•")]
)
def test_the_length_penalty_ranks_the_same_list_anew(penalty, output):
    plain, result = compute(width=3), compute(width=3, length_penalty=penalty)
    assert texts(result)[0] == output and set(texts(result)) == set(texts(plain))
    assert result.whole is plain.whole


def test_rows_that_stay_read_another_memory():
    stranger, right = (compute(search="memory", width=2, moved=m) for m in (False, True))
    returned = [(spelt(o.tokens), *(round(math.exp(p), 4) for p in (o.log_prob, o.true)))
                for o in stranger.ranked]  # fmt: skip
    assert returned == [("acb•", 0.1078, 0.1078), ("ab•", 0.1029, 0.1309), ("aba•", 0.0571, 0.0)]
    rows = [[(spelt(r.tokens), spelt(sorted(r.memory)), r.strange) for r in step]
            for step in stranger.whole.rows]  # fmt: skip
    assert rows[0] == [("a", "", False), ("c", "", False)]  # the last letter is not read yet
    assert rows[1] == [("ac", "a", False), ("ab", "c", True)]
    assert rows[2] == [("acb", "ac", False), ("aba", "bc", True)]
    assert not any(row.strange for step in right.whole.rows for row in step)
    assert all(o.log_prob == pytest.approx(o.true) for o in right.whole.outputs)


def test_captions_say_what_is_found():
    for name in ("greedy", "two", "three"):
        best = compute(**EXPLORER.params(name)).best
        assert STATES[name].caption.endswith(
            f"{spelt(best.tokens)}, p = {math.exp(best.log_prob):.4f}"
        )


# ---------------------------------------------------------------- against the library


@pytest.mark.parametrize("model", [four_letters(), MemoryCard()], ids=["card", "memory"])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_a_beam_is_the_librarys(model, width):
    whole = run(isinstance(model, MemoryCard), width, True)
    (hyps,) = decoding.beam_search(
        model, *NO_SOURCE, num_beams=width, n_best=width, max_new_tokens=STEPS
    )
    assert [o.tokens for o in whole.outputs[: len(hyps)]] == [tuple(h.tokens) for h in hyps]
    for output, hyp in zip(whole.outputs, hyps, strict=False):
        assert output.log_prob == pytest.approx(hyp.log_prob) == pytest.approx(output.true)


@pytest.mark.parametrize("model", [four_letters(), MemoryCard()], ids=["card", "memory"])
def test_enough_beams_find_everything(model):
    whole = run(isinstance(model, MemoryCard), EVERYTHING, True)
    (every,) = decoding.exhaustive_search(model, *NO_SOURCE, n_best=None, max_new_tokens=STEPS)
    assert {o.tokens for o in whole.outputs} == {tuple(h.tokens) for h in every}
    assert not any(node.fate == "pruned" for level in whole.levels for node in level)


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_the_tree_tells_what_became_of_each_continuation(params):
    result = compute(**params)
    outputs = {output.tokens: output for output in result.whole.outputs}
    open_before = {()}
    width = EVERYTHING if result.search == "everything" else result.width
    for step, level in enumerate(result.whole.levels, start=1):
        assert {node.tokens[:-1] for node in level} == open_before
        ranked = sorted(level, key=lambda node: -node.log_prob)
        open_before = {n.tokens for n in [n for n in ranked if n.tokens[-1] != 2][:width]}
        ended = {node.tokens for node in ranked[:width] if node.tokens[-1] == 2}
        kept = "cut" if step == STEPS else "kept"
        for node in level:
            fate = "finished" if node.tokens in ended else "pruned"
            assert node.fate == (kept if node.tokens in open_before else fate)
            assert (node.fate in ("finished", "cut")) == (node.tokens in outputs)
        siblings = itertools.groupby(level, key=lambda node: node.tokens[:-1])
        assert all(sum(n.prob for n in some) == pytest.approx(1) for _, some in siblings)


# ---------------------------------------------------------------- the question and the controls


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_the_answer_is_offered_and_the_why_names_it(params):
    full = {**EXPLORER.params("greedy"), **params}
    verdict = EXPLORER.judge(compute(**full))
    assert verdict.answer in EXPLORER.question(full).answers.values()
    assert verdict.answer in verdict.why and "-" not in verdict.why
    assert set(EXPLORER.question(full).answers) == set(OUTPUTS)


def test_each_search_is_a_question_of_its_own_and_the_step_asks_nothing_new():
    asked = {EXPLORER.question({**EXPLORER.params("greedy"), **p}).about for p in SETTINGS}
    assert len(asked) == len(SETTINGS)
    full = EXPLORER.params("three")
    assert EXPLORER.question(full) == EXPLORER.question({**full, "step": 1})


def test_a_memory_has_two_widths_and_the_other_searches_four():
    for start, width in ((1, 2), (2, 2), (4, 3)):
        params = {**EXPLORER.params("greedy"), "width": start}
        assert EXPLORER.move(params, "search", "memory")["width"] == width
    assert set(SEARCHES.values()) == set(WIDTHS)
    assert len(EXPLORER.controls) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 5}, "width must be an integer in 1 .. 4, but it is 5"),
        ({"search": "memory", "width": 1}, "width must be an integer in 2 .. 3, but it is 1"),
        ({"search": "sampling"}, "search must be one of"),
        ({"length_penalty": 0.5}, "length_penalty must be one of"),
        ({"step": 5}, "step must be an integer in 0 .. 4, but it is 5"),
    ],
)
def test_values_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        EXPLORER.validate({**EXPLORER.params("greedy"), **changes})


# ---------------------------------------------------------------- the picture


@pytest.mark.parametrize("params", covering(ALL), ids=str)
def test_every_view_can_be_read_and_keeps_its_height(params):
    result = compute(**params)
    shown = parsed(draw(result))
    assert unreadable(shown) == []
    assert shown.get("height") == parsed(draw(compute(**{**params, "step": 0}))).get("height")
    drawn = {fate: len(of_class(shown, "node", fate)) for fate in ("kept", "pruned", "finished")}
    levels = result.whole.levels[: result.step]
    for fate, count in drawn.items():
        assert count == sum(node.fate == fate for level in levels for node in level)


def test_the_text_alternative_tells_the_search():
    told = description(draw(compute(width=1)))
    assert "Greedy search writes acb•: p = 0.0227." in told
    assert "Step 1: kept a 0.4000; pruned c 0.3000, b 0.2500, • 0.0500." in told
    assert "finished acb• 0.0227" in told.partition("Step 4: ")[2]
    stranger = description(draw(compute(search="memory", width=2, moved=False, step=2)))
    assert "row 0: ac, has read a; row 1: ab, has read c, another's memory." in stranger


def test_a_strange_row_is_hatched():
    wrong, right = (
        parsed(draw(compute(search="memory", width=2, moved=m, step=2))) for m in (False, True)
    )
    assert len(of_class(wrong, "strange")) == 1 and of_class(right, "strange") == []
    assert any("another's memory" in text for text in words(wrong))


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_the_truth_waits_for_the_last_step(params):
    for step in range(STEPS):
        picture = draw(compute(**params, step=step))
        assert "truth" not in " ".join(words(parsed(picture))) + description(picture)
    assert "truth" in " ".join(words(parsed(draw(compute(**params)))))


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_the_veil_hides_every_output(params):
    veiled = draw(compute(**params), veiled=True)
    told = " ".join([*words(parsed(veiled)), description(veiled)])
    assert not [output for output in OUTPUTS[1:] if output in told]
