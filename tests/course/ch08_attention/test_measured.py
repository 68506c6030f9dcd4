"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path
from statistics import mean

import pytest

from benchmarks import attention
from seq2seq_lib.course import ch08_attention as chapter

ROOT = Path(__file__).resolve().parents[3]
KEPT = json.loads(attention.RESULT.read_text(encoding="utf-8"))


def chapter_text():
    source = ROOT / "chapters" / "_src" / "ch08_attention.py"
    return " ".join(source.read_text(encoding="utf-8").replace("\n# ", " ").split())


def test_the_curves_and_the_rows_are_those_of_the_kept_result():
    assert tuple(map(str, attention.LENGTHS)) == chapter.LENGTHS
    for name, curves in (("none", chapter.WITHOUT_ATTENTION), ("general", chapter.WITH_ATTENTION)):
        assert [list(curve) for curve in curves] == [
            row[name]["by_length"] for row in KEPT["bottleneck"]
        ]
    for row, told in zip(KEPT["unmasked"], chapter.WITHOUT_A_MASK, strict=True):
        assert told == (row["seed"], row["alone"], row["more_pads"])
    kept = {
        (row["attention"], row["seed"]): (
            row["weight"][0],
            row["largest"][0],
            row["right"],
            row["right_without_end"],
        )
        for row in KEPT["sink"]
    }
    assert kept == {(kind, seed): tuple(numbers) for kind, seed, *numbers in chapter.SINK}
    for part in ("bottleneck", "board"):
        assert [row["seed"] for row in KEPT[part]] == list(range(5))


def test_the_curves_fall_as_the_text_says():
    ends = (
        [curve[-1] for curve in chapter.WITHOUT_ATTENTION],
        [curve[-1] for curve in chapter.WITH_ATTENTION],
    )
    told = re.search(
        r"at 11 digits (\d+) to (\d+) % are right without attention, and (\d+) to (\d+) % with",
        chapter_text(),
    )
    measured = [round(100 * share) for group in ends for share in (min(group), max(group))]
    assert [int(number) for number in told.groups()] == measured


@pytest.mark.parametrize(
    ("part", "model", "row"),
    [
        ("bottleneck", "none", "| `reverse` | GRU, context at every step |"),
        ("bottleneck", "general", "| | GRU with general attention |"),
        ("board", "none", "| `dates` | GRU, context at every step |"),
        ("board", "general", "| | GRU with general attention |"),
    ],
)
def test_the_scoreboard_is_what_was_measured(part, model, row):
    rows = [kept[model] for kept in KEPT[part]]
    means = [mean(r[name] for r in rows) for name in ("exact_match", "nll", "seconds")]
    size = round(rows[0]["parameters"] / 1000)
    numbers = f"{means[0]:.2f} | {means[1]:.2f} | {size} k | {round(means[2])} |"
    assert f"{row} {numbers}" in chapter_text()


def test_what_the_text_says_of_the_sink_was_measured():
    assert "The sink comes and goes with the seed, and nothing is lost" in chapter_text()
    largest = [row["largest"][0] for row in KEPT["sink"]]
    assert min(largest) < 0.05 and max(largest) > 0.5
    assert all(row["right"] == row["right_without_end"] for row in KEPT["sink"])


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


def test_three_other_models_did_the_same_with_the_column_of_the():
    assert "Three models with general attention did the same" in chapter_text()
    assert len(KEPT["wording"]) == 3
    for row in KEPT["wording"]:
        assert row["own"] == "le petit chat rouge" and row["donor"] == "la petite maison rouge"
        assert row["column_of_the"] == "la petit chat rouge"


def test_the_date_is_told():
    year, month, day = KEPT["date"].split("-")
    assert f"{int(day)} November {year}" in chapter_text() and month == "11"


def test_what_a_model_without_a_mask_loses_is_told_as_measured():
    lost = [1 - row["more_pads"] for row in KEPT["unmasked"]]
    told = re.search(r"one of the three loses (\d+) % of its dates", chapter_text()).group(1)
    assert round(100 * max(lost)) == int(told)
    assert min(lost) < 0.01, "nearly none"


def test_the_script_runs():
    row = attention.bottleneck(0, steps=2)
    assert len(row["none"]["by_length"]) == len(row["general"]["by_length"]) == 9
    assert attention.board(0, steps=2)["general"]["exact_match"] == 0
    rows = attention.sink(0, num_train=64, num_test=10, epochs=1)
    assert [row["attention"] for row in rows] == ["dot", "additive"]
    assert all(0 < share < 1 for row in rows for share in row["weight"])
    models = [row["model"] for row in attention.order(0, num_train=64, num_test=10, epochs=1)]
    assert models == list(attention.ORDERS)
    assert attention.unmasked(0, num_train=64, num_test=5, epochs=1)["seed"] == 0
    row = attention.wording(0, num_train=64, num_test=20, epochs=1)
    assert row["num_crossing"] > 0
