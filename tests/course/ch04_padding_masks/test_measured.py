"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path

from benchmarks import padding_accuracy

ROOT = Path(__file__).resolve().parents[3]


def chapter_text():
    source = ROOT / "chapters" / "_src" / "ch04_padding_masks.py"
    return " ".join(source.read_text(encoding="utf-8").replace("\n# ", " ").split())


def test_the_chapter_s_numbers_are_those_of_the_kept_result():
    kept = json.loads(padding_accuracy.RESULT.read_text(encoding="utf-8"))
    rows, text = kept["rows"], chapter_text()
    assert {row["seed"] for row in rows} == {0, 1, 2} and len(rows) == 9
    low, high = re.search(r"right on ([\d.]+) to ([\d.]+) % of unseen strings", text).groups()
    accuracy = [round(100 * row["exact_match"], 1) for row in rows]
    assert (min(accuracy), max(accuracy)) == (float(low), float(high))

    low, high = re.search(r"report (\d+) to (\d+) % less", text).groups()
    smaller = {True: [], False: []}
    for row in rows:
        share = 1 - row["own_loss_in_batches"] / row["own_loss_one_by_one"]
        smaller[row["loss"] == "right"].append(100 * share)
    assert len(smaller[True]) == 3 and max(map(abs, smaller[True])) < 0.1
    assert (round(min(smaller[False])), round(max(smaller[False]))) == (int(low), int(high))
    day, month, year = re.search(r"Measured once, on (\d+) (\w+) (\d+)", text).groups()
    assert kept["date"] == f"{year}-11-{day}" and month == "November"


def test_the_script_runs():
    rows = padding_accuracy.measure(0, num_train=20, num_test=5, epochs=1)
    assert [row["loss"] for row in rows] == [loss.__name__ for loss in padding_accuracy.LOSSES]
    right, counted, padded = rows
    assert right["own_loss_one_by_one"] != counted["own_loss_one_by_one"], "two models"
    assert padded["own_loss_in_batches"] < padded["own_loss_one_by_one"], "two divisors"
