"""The attention lens: its numbers by value and by property, its verdicts, its pictures as XML."""

import itertools
import math
import statistics
import time

import pytest
import torch

from seq2seq_lib.attention import DotAttention
from seq2seq_lib.corpora.date_task import normalise_date_text
from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.course.explorers.attention_lens import (
    ABOUT_DATE,
    ABOUT_TOKENS,
    EXPLORER,
    STATES,
    compute,
    draw,
)
from seq2seq_lib.course.explorers.attention_lens.compute import (
    CHANGES,
    MASK,
    MEMORY,
    QUERIES,
    SOURCES,
    _read,
)
from seq2seq_lib.course.explorers.attention_lens.picture import AXES, MASKS, SCALES
from seq2seq_lib.course.explorers.kit import svg
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

RAW = (-4.0, 8.0, "nan")
SETTINGS = list(itertools.product(range(3), SCALES, MASKS, AXES, (True, False)))


def tokens(**changes):
    return compute(scene="tokens", **changes)


# ---------------------------------------------------------------- three tokens


def test_the_right_setting_is_the_library_s_attention():
    context, weights = DotAttention()(QUERIES, MEMORY, MEMORY, MASK)
    for step, beside in itertools.product(range(3), (True, False)):
        result = tokens(step=step, beside=beside)
        torch.testing.assert_close(torch.tensor(result.weights), weights[1])
        torch.testing.assert_close(torch.tensor(result.context), context[1, step])


@pytest.mark.parametrize(
    ("changes", "weights"),
    [
        ({}, [0.665, 0.245, 0.090, 0, 0]),
        ({"mask": "none"}, [0.144, 0.053, 0.020, 0.392, 0.392]),
        ({"mask": "after"}, [0.144, 0.053, 0.020, 0, 0]),
        ({"mask": "zero"}, [0.564, 0.207, 0.076, 0.076, 0.076]),
        ({"scale": "none"}, [0.867, 0.117, 0.016, 0, 0]),
        ({"scale": "d"}, [0.506, 0.307, 0.186, 0, 0]),
        ({"axis": "batch"}, [0.818, 0.500, 0.269, 0, 0]),
        ({"axis": "batch", "mask": "none", "beside": False}, [1, 1, 1, 1, 1]),
        ({"axis": "target"}, [0.665, 0.231, 0.107, math.nan, math.nan]),
    ],
)
def test_step_0_by_pencil(changes, weights):
    assert tokens(**changes).weights[0] == pytest.approx(weights, abs=6e-4, nan_ok=True)


@pytest.mark.parametrize(
    ("scale", "mask", "step"), list(itertools.product(SCALES, MASKS, range(3)))
)
def test_a_neighbour_changes_nothing_unless_the_softmax_runs_over_the_batch(scale, mask, step):
    settings = {"scale": scale, "mask": mask, "step": step}
    for axis in AXES:
        alone, beside = (tokens(**settings, axis=axis, beside=b) for b in (False, True))
        same = torch.allclose(
            torch.tensor(alone.weights), torch.tensor(beside.weights), equal_nan=True
        )
        assert same == (axis != "batch")


def test_the_sum_of_the_softmax_s_own_axis_is_one():
    for scale, mask in itertools.product(SCALES, ("none", "zero")):
        over = {axis: tokens(scale=scale, mask=mask, axis=axis) for axis in AXES}
        source, target = (torch.tensor(over[a].weights) for a in ("source", "target"))
        torch.testing.assert_close(source.sum(1), torch.ones(3))
        torch.testing.assert_close(target.sum(0), torch.ones(5))
        both = torch.tensor(over["batch"].weights) + torch.tensor(over["batch"].neighbour)
        torch.testing.assert_close(both, torch.ones(3, 5))


@pytest.mark.parametrize("position", range(3))
def test_an_edited_score_moves_the_weights_of_its_own_step_as_the_softmax_says(position):
    plain = tokens(step=1, beside=False)
    edited = tokens(step=1, beside=False, edited=position, raw=4.0)
    scores = torch.tensor(plain.scores[1])
    scores[position] = 4.0 / 2
    torch.testing.assert_close(torch.tensor(edited.weights[1]), scores.softmax(0))
    assert edited.weights[0] == plain.weights[0] and edited.weights[2] == plain.weights[2]
    assert edited.raw == (plain.scores[1][position] * 2, 4.0)
    assert edited.unedited == plain.weights[1][position]
    torch.testing.assert_close(
        torch.tensor(edited.context), torch.tensor(edited.weights[1]) @ MEMORY[1]
    )


def test_an_edited_pad_counts_only_without_a_mask():
    for mask, moved in (("none", True), ("after", True), ("before", False), ("zero", False)):
        edited = tokens(mask=mask, edited=3, raw=0.0)
        assert (edited.weights != tokens(mask=mask).weights) == moved, mask


def test_a_row_of_pads_alone_is_nan_and_so_is_a_row_with_a_nan_score():
    empty = tokens(real=0)
    assert all(math.isnan(w) for row in empty.weights for w in row)
    assert sum(map(sum, tokens(real=0, mask="after").weights)) == 0
    told = words(parsed(draw(empty)))
    assert any("No real score is left" in word for word in told) and told.count("PAD") == 10
    spoiled = tokens(edited=1, raw="nan")
    assert all(map(math.isnan, spoiled.weights[0])) and not any(map(math.isnan, spoiled.weights[1]))
    assert any("takes its whole row along" in word for word in words(parsed(draw(spoiled))))


def inside(one, other):
    """Whether a rectangle lies in another."""
    return all(
        float(other.get(at)) <= float(one.get(at))
        and float(one.get(at)) + float(one.get(size))
        <= float(other.get(at)) + float(other.get(size))
        for at, size in (("x", "width"), ("y", "height"))
    )


def test_the_edited_score_is_framed_and_told():
    result = tokens(edited=1, raw=8.0)
    root = parsed(draw(result))
    (frame,) = of_class(root, "edited")
    (cell,) = [score for score in of_class(root, "score") if inside(frame, score)]
    assert cell.find(f"{SVG}title").text.startswith(f"step {result.step}, position 1: ")
    assert not of_class(parsed(draw(tokens())), "edited")
    told = "edited, raw score of “cat”: 2.00 → 8.00; its weight: 0.24 → 0.87"
    assert told in words(root) and told in root.find(f"{SVG}desc").text


# ---------------------------------------------------------------- the date model


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_source_and_donor_are_as_long_as_each_other_and_known_to_the_model(source):
    reader = date_reader()
    for text in (source.text, source.donor):
        assert "".join(normalise_date_text(text)) == text and len(text) == len(source.text)
        assert reader.src_vocab.decode(reader.src_vocab.encode(list(text))) == list(text)
    assert ["".join(s.text[c] for c in s.month) for s in SOURCES.values()] == [
        "aug",
        "october",
        "08",
    ]


@pytest.mark.parametrize(
    ("name", "answer"), [("short", "1999-08-14"), ("long", "1999-10-14"), ("digits", "1999-08-14")]
)
def test_the_untouched_answer_and_its_weights_are_the_translator_s(name, answer):
    reader, result = date_reader(), compute(source=name)
    (translation,) = reader([SOURCES[name].text])
    assert result.answer == result.before == translation.text == answer
    shown = torch.tensor(result.weights)[: len(translation.target)]
    torch.testing.assert_close(shown, translation.attention[: len(shown)], atol=1e-4, rtol=0)


def test_what_each_vector_decides():
    found = {s: compute(change="column", column=s).answer for s in range(12)}
    quiet = {s for s, answer in found.items() if answer == "1999-08-14"}
    assert {2, 3, 4, 6, 8, 11} <= quiet, "dark or not, they change nothing"
    assert found[9] == "1959-08-14" and found[0] == "1999-08-24" and found[7] == "2999-08-14"
    assert compute(change="letters").answer == "1999-03-14"
    assert compute(change="rest").answer == "2051-08-27"


@pytest.mark.parametrize(
    ("name", "month", "rest"),
    [("long", "1999-01-14", "2051-10-27"), ("digits", "1999-03-14", "2051-08-27")],
)
def test_the_month_and_the_rest_come_apart_in_other_forms_too(name, month, rest):
    assert compute(source=name, change="letters").answer == month
    assert compute(source=name, change="rest").answer == rest


def test_other_weights_are_used_and_the_model_is_put_back():
    own = compute()
    for change in ("uniform", "largest", "shuffled"):
        rows = torch.tensor(_read("short", change, 9).weights)
        torch.testing.assert_close(rows.sum(1), torch.ones(len(rows)))
    assert compute(change="uniform").answer != own.answer
    assert torch.tensor(compute(change="largest").weights).amax(1).min() == 1
    _read.cache_clear()
    assert compute() == own


# ---------------------------------------------------------------- verdicts


def test_the_answers_to_both_questions_are_what_is_measured():
    for name in STATES:
        params = EXPLORER.params(name)
        view = EXPLORER.view(params)
        date = params["scene"] == "date"
        assert view["answer"] == ("month" if date else "half")
        assert view["answer"] in (ABOUT_DATE if date else ABOUT_TOKENS).values()
        new = "1999-01-14" if params["source"] == "long" else "1999-03-14"
        assert (new if date else "78%") in view["why"]


# ---------------------------------------------------------------- pictures


def results():
    yield from (tokens(step=s, scale=c, mask=m, axis=a, beside=b) for s, c, m, a, b in SETTINGS)
    yield from (tokens(real=r, mask=m, beside=b) for r in (0, 1) for m in MASKS for b in (0, 1))
    yield from (tokens(edited=p, raw=raw, axis=a) for p in range(4) for raw in RAW for a in AXES)
    yield from (compute(source=name, change=change) for name in SOURCES for change in CHANGES)
    yield from (compute(change="column", column=s) for s in range(12))


def test_every_setting_has_a_picture_that_can_be_read():
    for result in results():
        picture = draw(result)
        root = parsed(picture)
        assert not unreadable(root), result
        assert root[0].tag == f"{SVG}title" and len(root[1].text) > 40
        assert "nan" not in picture and "inf" not in picture, "NaN and infinity are written out"


def test_pads_are_hatched_and_nan_is_written():
    root = parsed(draw(tokens(axis="target")))
    assert len(of_class(root, "pad")) == 12, "2 pads, 3 steps, scores and weights"
    assert words(root).count("NaN") >= 6
    assert "−∞" in words(root)


def test_a_weight_of_1_is_as_dark_as_ink_allows_and_others_in_proportion():
    read, scores = compute(), tokens(mask="none")
    for result, weights in ((read, read.weights), (scores, scores.weights)):
        rects = parsed(draw(result)).iter(f"{SVG}rect")
        shades = [rect.get("fill-opacity") for rect in rects if rect.get("fill-opacity")]
        for value in itertools.chain(*weights):
            assert svg.DARKEST * value < 0.005 or f"{svg.DARKEST * value:.2f}" in shades


def test_the_foreign_columns_and_the_changed_rows_are_framed():
    root = parsed(draw(compute(change="letters")))
    assert len(of_class(root, "foreign")) == 3 and len(of_class(root, "moved")) == 1
    assert len(of_class(parsed(draw(compute())), "foreign")) == 0


def test_before_the_prediction_nothing_gives_the_answer_away():
    for result in results():
        veiled = parsed(draw(result, veiled=True))
        shown = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert len(of_class(veiled, "veil")) == 1
        assert not of_class(veiled, "weight") and not of_class(veiled, "cell")
        assert "1999-" not in shown and "%" not in shown and "0.39" not in shown
        assert veiled.get("height") == parsed(draw(result)).get("height")


def shapes(picture):
    """What is drawn below the caption: pads, numbers, boxes from the first one down."""
    root = parsed(picture)
    boxes = [box for box in root.iter(f"{SVG}rect") if box.get("y")]
    top = min(float(box.get("y")) for box in boxes)
    pads = len(of_class(root, "pad"))
    numbers = [text.text for text in root.iter(f"{SVG}text") if text.get("font-size") == "12"]
    return pads, numbers, [{**box.attrib, "y": float(box.get("y")) - top} for box in boxes]


def test_every_control_moves_something():
    """In the picture, whatever its caption says."""
    for name in STATES:
        params = EXPLORER.params(name)
        for control in EXPLORER.all_controls():
            if control.matters(params):
                drawn = shapes(EXPLORER.view(params)["open"])
                for value in control.values(params):
                    moved = EXPLORER.view(EXPLORER.move(params, control.key, value))["open"]
                    same = value == control.get(params)
                    assert (shapes(moved) == drawn) == same, (name, control.key, value)


def test_a_shorter_source_takes_a_column_that_it_has():
    last = {**EXPLORER.params("column9"), "source": "long", "column": 16}
    assert EXPLORER.move(last, "source", "short")["column"] == 11
    assert EXPLORER.move(last, "source", "digits")["column"] == 10


def test_an_unknown_setting_is_refused_in_words():
    with pytest.raises(ValueError, match="column must be an integer in 0 .. 11, but it is 12"):
        EXPLORER.validate({**EXPLORER.params("column9"), "column": 12})


def test_an_answer_comes_at_once():
    seconds = []
    for column in range(12):
        _read.cache_clear()
        began = time.perf_counter()
        draw(compute(change="column", column=column))
        seconds.append(time.perf_counter() - began)
    assert statistics.median(seconds) < 0.25, "50 ms on a quiet machine"
