"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path

import pytest

from benchmarks import attention
from seq2seq_lib.course import ch08_attention as chapter

ROOT = Path(__file__).resolve().parents[3]
KEPT = json.loads(attention.RESULT.read_text(encoding="utf-8"))


def chapter_text():
    source = ROOT / "chapters" / "_src" / "ch08_attention.py"
    return " ".join(source.read_text(encoding="utf-8").replace("\n# ", " ").split())


def test_the_curves_and_the_rows_are_those_of_the_kept_result():
    bands = tuple(f"{low}-{high}" for low, high in attention.BANDS)
    assert bands == chapter.LENGTHS
    for name, curves in (("none", chapter.WITHOUT_ATTENTION), ("general", chapter.WITH_ATTENTION)):
        assert [list(curve) for curve in curves] == [row[name] for row in KEPT["bottleneck"]]
    for row, told in zip(KEPT["unmasked"], chapter.WITHOUT_A_MASK, strict=True):
        assert told == (row["seed"], row["alone"], row["more_pads"])
    for row, told in zip(KEPT["wording"], chapter.COLUMN_OF_THE, strict=True):
        assert told == (row["seed"], row["own"], row["column_of_the"])
        assert row["donor"] == "la petite maison rouge"
    assert [row["seed"] for row in KEPT["bottleneck"]] == [0, 1, 2]


def test_the_curves_fall_as_the_text_says():
    assert "The cliff is gone, the slope is not" in chapter_text()
    without, with_attention = chapter.WITHOUT_ATTENTION, chapter.WITH_ATTENTION
    assert all(curve[0] > 0.95 and max(curve[3:]) < 0.05 for curve in without)
    assert all(min(curve[:2]) > 0.9 and curve[-1] < 0.8 for curve in with_attention)


@pytest.mark.parametrize(
    ("model", "pattern"),
    [
        (
            "additive, after",
            r"right on (\d+) to (\d+) % of 300 unseen dates and took ([\d.]+) to ([\d.]+) CPU",
        ),
        ("additive, before", r"before the step (\d+) to (\d+) % in ([\d.]+) to ([\d.]+) seconds"),
    ],
)
def test_the_two_orders_are_told_as_measured(model, pattern):
    rows = [row for row in KEPT["order"] if row["model"] == model]
    assert len(rows) == 3
    right = [round(100 * row["exact_match"]) for row in rows]
    seconds = [row["seconds"] for row in rows]
    told = [float(number) for number in re.search(pattern, chapter_text()).groups()]
    assert told == [min(right), max(right), min(seconds), max(seconds)]


def test_crossing_links_and_the_date_are_told_as_measured():
    low, high = re.search(r"on the right word in (\d+) to (\d+) %", chapter_text()).groups()
    crossing = [round(100 * row["crossing"]) for row in KEPT["wording"]]
    assert (min(crossing), max(crossing)) == (int(low), int(high))
    year, month, day = KEPT["date"].split("-")
    assert f"{int(day)} November {year}" in chapter_text() and month == "11"


def test_what_a_model_without_a_mask_loses_is_told_as_measured():
    lost = [1 - row["more_pads"] for row in KEPT["unmasked"]]
    told = re.search(r"one of the three loses (\d+) % of its dates", chapter_text()).group(1)
    assert round(100 * max(lost)) == int(told)
    assert min(lost) < 0.01, "nearly none"


def test_the_script_runs():
    row = attention.bottleneck(0, num_train=64, num_test=200, epochs=1)
    assert len(row["none"]) == len(row["general"]) == len(attention.BANDS)
    models = [row["model"] for row in attention.order(0, num_train=64, num_test=10, epochs=1)]
    assert models == list(attention.ORDERS)
    assert attention.unmasked(0, num_train=64, num_test=5, epochs=1)["seed"] == 0
    row = attention.wording(0, num_train=64, num_test=20, epochs=1)
    assert row["num_crossing"] > 0
