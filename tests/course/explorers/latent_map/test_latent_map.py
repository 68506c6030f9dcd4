"""The latent map: what it reads from its record, its verdict, its picture as XML."""

import itertools
import json

import pytest

from seq2seq_lib.course.explorers.kit import table
from seq2seq_lib.course.explorers.latent_map import EXPLORER, PREDICTIONS, compute, draw
from seq2seq_lib.course.explorers.latent_map.compute import GRID, RECORD, STEPS, TRAININGS, VIEWS
from seq2seq_lib.course.explorers.latent_map.picture import SCALE
from tests.support.covering import covering
from tests.support.pictures import SVG, of_class, parsed, unreadable, words

ALL = [
    {"training": training, "step": step, "view": view}
    for training, step, view in itertools.product(TRAININGS, STEPS, VIEWS)
]


# ---------------------------------------------------------------- compute


def test_the_record_holds_each_training_at_each_step():
    kept = json.loads(RECORD.read_text(encoding="utf-8"))
    assert set(kept) == set(TRAININGS)
    for steps in kept.values():
        assert list(steps) == [str(step) for step in STEPS]


def test_equal_sentences_have_equal_numbers_and_others_have_not():
    for params in ALL:
        result, is_map = compute(**params), params["view"] == "map"
        assert len(result.sentences) == len(result.numbers) == (25 if is_map else 7)
        pairs = set(zip(result.sentences, result.numbers, strict=True))
        assert len(pairs) == len(set(result.sentences)) == max(result.numbers)
        if is_map:
            assert result.different == max(result.numbers)


def test_the_bound_is_the_sum_of_its_terms_and_never_below_the_entropy():
    for training, step in itertools.product(TRAININGS, STEPS):
        result = compute(training=training, step=step)
        assert result.bound == pytest.approx(result.reconstruction + sum(result.kl))
        assert result.bound > result.floor == pytest.approx(8.137, abs=1e-3)


def test_the_axes_are_the_two_dimensions_of_largest_kl():
    for training in TRAININGS:
        result = compute(training=training)
        first, second = sorted(result.kl, reverse=True)[:2]
        across, up = result.axes
        # the record keeps three digits, so that equal ones may stand in either order
        assert (result.kl[across], result.kl[up]) == (first, second)


def test_the_collapsed_model_writes_few_sentences_and_the_others_many():
    constant, linear = compute(), compute(training="linear")
    assert sum(constant.kl) < 0.01 < 0.5 < sum(linear.kl)
    assert constant.different <= 9 and linear.different >= 19
    assert constant.copies == 1 < linear.copies


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"training": "magic"}, "training must be one of 'constant'"),
        ({"step": 7}, "step must be one of 50"),
        ({"step": float("nan")}, "not nan"),
        ({"view": None}, "view must be one of 'map'"),
    ],
)
def test_a_setting_that_was_not_recorded_is_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        compute(**setting)


# ---------------------------------------------------------------- question and verdict


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("step", STEPS)
def test_the_verdict_is_what_is_counted(training, step):
    result = compute(training=training, step=step)
    verdict = EXPLORER.judge(result)
    words_of = {name: text for text, name in PREDICTIONS.items()}[verdict.answer]
    low, high = {"at most 9": (1, 9), "10 to 18": (10, 18), "19 or more": (19, 25)}[words_of]
    assert low <= result.different <= high
    assert verdict.why.startswith(f"{result.different} different, at a KL of")


def test_a_path_asks_the_same_question_as_its_map():
    about = [
        EXPLORER.question(dict(EXPLORER.defaults(), view=view)).about for view in ("map", "path 1")
    ]
    assert about[0] == about[1]


# ---------------------------------------------------------------- draw


@pytest.mark.parametrize("params", covering(ALL), ids=str)
def test_every_sentence_is_drawn_and_nothing_is_cut_off(params):
    result = compute(**params)
    root = parsed(draw(result))
    assert unreadable(root) == []
    shown = words(root)
    assert set(result.sentences) <= set(shown)
    cells = of_class(root, "cell")
    if params["view"] == "map":
        assert len(cells) == 25
        tips = [cell.find(f"{SVG}title").text for cell in cells]
        for cell, (tip, sentence) in enumerate(zip(tips, result.sentences, strict=True)):
            assert tip.endswith(f": {sentence}")
            assert tip.startswith(f"z[{result.axes[0]}] = {GRID[cell % 5]:g}, ")
    description = root.find(f"{SVG}desc").text
    assert result.sentences[len(result.sentences) // 2] in description
    assert f"{result.bound:.2f} nats" in description


def test_a_changed_word_of_a_path_is_underlined():
    result = compute(training="free bits 3", view="path 1")
    rows = [sentence.split() for sentence in result.sentences]
    changed = sum(
        a != b for one, two in itertools.pairwise(rows) for a, b in zip(one, two, strict=True)
    )
    assert len(of_class(parsed(draw(result)), "new")) == changed > 0


def test_the_bar_of_each_dimension_is_as_high_as_its_kl():
    result = compute(training="linear")
    bars = of_class(parsed(draw(result)), "kl")
    for bar, value in zip(bars, result.kl, strict=True):
        assert float(bar.get("height")) == pytest.approx(
            30 * value / max(0.5, *result.kl), abs=0.06
        )


def test_a_bar_of_the_bound_is_as_long_as_its_term_or_said_to_be_cut():
    cut = 0
    for params in ALL:
        root = parsed(draw(result := compute(**params)))
        long = [float(bar.get("width")) for bar in of_class(root, "term")]
        asked = [SCALE * result.reconstruction, SCALE * sum(result.kl)]
        assert long[0] == pytest.approx(asked[0], abs=0.06)
        whole = long[1] == pytest.approx(asked[1], abs=0.06)
        assert ("(bar cut)" in " ".join(words(root))) == (not whole), params
        assert whole or sum(long) == pytest.approx(215, abs=0.06)
        cut += not whole
    assert 0 < cut < len(ALL)


def test_before_the_prediction_nothing_gives_the_answer_away():
    for name in EXPLORER.states:
        result = compute(**EXPLORER.params(name))
        veiled = parsed(draw(result, veiled=True))
        assert len(of_class(veiled, "veil")) == 1
        text = " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])
        assert " and " not in text and "different" not in text and "KL 0" not in text
        assert veiled.get("height") == parsed(draw(result)).get("height")


def test_every_control_moves_and_the_page_without_a_kernel_is_small():
    start = EXPLORER.params("constant")
    for key, value in (("training", "linear"), ("step", 50), ("view", "path 2")):
        moved = EXPLORER.move(start, key, value)
        assert moved[key] == value and EXPLORER.view(moved)["open"]
    made = table.table(EXPLORER)
    assert len(made["views"]) == 90
    assert len(table.packed(made)) < 100_000
