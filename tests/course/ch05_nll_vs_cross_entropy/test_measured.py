"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path

from benchmarks import which_loss
from seq2seq_lib.course.ch05_nll_vs_cross_entropy import given

ROOT = Path(__file__).resolve().parents[3]
KEPT = json.loads(which_loss.RESULT.read_text(encoding="utf-8"))


def chapter_text():
    source = ROOT / "chapters" / "_src" / "ch05_nll_vs_cross_entropy.py"
    return " ".join(source.read_text(encoding="utf-8").replace("\n# ", " ").split())


def of_losses(name, key):
    values = [row[key] for row in KEPT["losses"] if row["loss"] == f"{name}_loss"]
    assert len(values) == len(which_loss.SEEDS)
    return values


def of_task(name, key):
    return [row[key] for row in KEPT["calibration"] if row["task"] == name]


def said(pattern):
    """The two numbers that the chapter gives as a range."""
    return tuple(map(float, re.search(pattern, chapter_text()).groups()))


def ends(values, digits):
    return round(min(values), digits), round(max(values), digits)


def percents(name):
    return ends([100 * share for share in of_losses(name, "exact_match")], 1)


def test_accuracies_are_those_of_the_kept_result():
    N = r"([\d.]+)"
    assert percents("cross_entropy") == said(f"with logits {N} to {N} % of the numbers")
    assert percents("softmax_first") == said(f"are right, with shares {N} to {N} %")
    assert percents("shares_to_nll") == said(f"down to −.85, {N} to {N} %")
    assert percents("over_tokens") == said(f"with five seeds {N} to {N} %")
    match = said(r"\| logits \| (\.\d+)–(\.\d+) \|")
    assert ends(of_losses("cross_entropy", "exact_match"), 3) == match
    match = said(r"\| shares → cross_entropy \| (\.\d+)–(\.\d+) \|")
    assert ends(of_losses("softmax_first", "exact_match"), 3) == match
    for name, row in (
        ("cross_entropy", "| logits |"),
        ("softmax_first", "| shares → cross_entropy |"),
    ):
        seconds = of_losses(name, "cpu_seconds")
        assert re.search(rf"{re.escape(row)} \S+ \| {sum(seconds) / 5:.0f} \|", chapter_text())


def test_the_negative_loss_goes_where_the_chapter_says():
    assert {round(before, 2) for before in of_losses("shares_to_nll", "before")} == {-0.07}
    last = [epochs[-1] for epochs in of_losses("shares_to_nll", "epochs")]
    assert round(min(last), 2) == -0.85 and "goes from −.07 down to −.85" in chapter_text()


def test_the_floor_holds_for_all_seeds():
    assert all(epochs[-1] > 1.7548 for epochs in of_losses("softmax_first", "epochs"))


def test_temperatures_are_those_of_the_kept_result():
    N = r"(\d?\.\d+)"
    assert ends(of_task("numbers", "temperature"), 2) == said(f"fitted τ {N} to {N} for numbers")
    assert ends(of_task("letters", "temperature"), 2) == said(f"but {N} to {N} for a task")
    confidence = said(f"mean confidence, the share of the favourite, is {N} to {N}")
    assert ends(of_task("letters", "confidence"), 2) == confidence
    assert ends(of_task("letters", "token_accuracy"), 2) == said(f"an accuracy of {N} to {N}")
    assert min(of_task("numbers", "token_accuracy")) > 0.99
    before, after = f"error .* from {N} to {N} down", f"down to {N} to {N}, and leaves"
    assert ends(of_task("letters", "ece"), 2) == said(before)
    assert ends(of_task("letters", "ece_fitted"), 2) == said(after)
    assert set(of_task("letters", "tokens")) == {9445} and "9,445 tokens" in chapter_text()
    assert KEPT["date"] == "2026-11-28" and chapter_text().count("28 November 2026") == 1


def test_training_at_a_temperature_is_what_the_kept_result_says():
    def of(at, key):
        return [row[key] for row in KEPT["tempered"] if row["trained_at"] == at]

    N = r"(\.\d+)"
    assert [row["seed"] for row in KEPT["tempered"]] == sorted([0, 1, 2, 3, 4] * 2)
    assert ends(of(0.6, "temperature"), 2) == said(f"model has a fitted τ of {N} to {N}\\.")
    assert ends(of(0.6, "ece"), 3) == said(f"Read at 1, its calibration error is {N} to {N}")
    assert ends(of(0.6, "nll"), 3) == said(f"and its loss {N} to {N};")
    assert ends(of(0.6, "ece_at_0.6"), 3) == said(f"read at .6 they are {N} to {N}")
    assert ends(of(0.6, "nll_at_0.6"), 3) == said(f"they are .* and {N} to {N}\\. Exact match")
    assert ends(of(0.6, "exact_match"), 3) == said(f"Exact match hardly moves: {N} to {N}\\.")
    changes = [a - b for a, b in zip(of(0.6, "exact_match"), of(1.0, "exact_match"), strict=True)]
    assert max(map(abs, changes)) < 0.01
    plain = [r for r in KEPT["calibration"] if r["task"] == "numbers"]
    assert of(1.0, "nll") == [row["nll"] for row in plain], "the same runs"


def test_the_script_runs():
    task = given.numbers_task(60, 10)
    rows = which_loss.measure_losses(task, 0, epochs=1)
    assert [row["loss"] for row in rows] == [loss.__name__ for loss in which_loss.LOSSES]
    assert rows[0]["test_cross_entropy"] != rows[1]["test_cross_entropy"], "two models"
    one, cooled = which_loss.measure_tempered(task, 0, epochs=1)
    assert one["nll"] == rows[0]["test_cross_entropy"] and one["nll"] != cooled["nll"]
    row = which_loss.measure_calibration(task, 0, epochs=1)
    assert row["nll_fitted"] <= row["nll"] + 0.05 and 0 <= row["ece"] <= 1
