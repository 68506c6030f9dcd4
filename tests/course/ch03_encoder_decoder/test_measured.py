"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import math
import re
from pathlib import Path
from statistics import mean

import pytest

from benchmarks import bottleneck
from seq2seq_lib.course.ch03_encoder_decoder import given

ROOT = Path(__file__).resolve().parents[3]
KEPT = json.loads(bottleneck.RESULT.read_text(encoding="utf-8"))
NAMES = {
    ("gru", False): "GRU, state only",
    ("gru", True): "GRU, context",
    ("lstm", True): "LSTM, context",
}


def chapter_text():
    source = ROOT / "chapters" / "_src" / "ch03_encoder_decoder.py"
    return " ".join(source.read_text(encoding="utf-8").replace("\n# ", " ").split())


def groups(task):
    found = {}
    for row in KEPT[task]:
        name = f"{task}: {NAMES[row['cell'], row['context']]}" + ", backwards" * row["backwards"]
        found.setdefault(name, []).append(row)
    return found


def test_the_scoreboard_holds_five_seeds_of_each_model():
    expected = {}
    for task in ("reverse", "dates"):
        for name, rows in groups(task).items():
            assert [row["seed"] for row in rows] == list(range(5))
            right = [row["exact_match"] for row in rows]
            expected[name] = tuple(round(n, 2) for n in (min(right), mean(right), max(right)))
    assert expected == given.SCOREBOARD


def test_the_table_of_the_chapter_is_the_scoreboard():
    text, rows = chapter_text(), [
        (0.53, "reverse: GRU, state only"), (0.60, "reverse: GRU, context"),
        (0.80, "reverse: LSTM, context"), (0.91, "dates: GRU, context"),
        (0.93, "dates: LSTM, context"),
    ]  # fmt: skip
    for right, name in rows:
        found = {**groups("reverse"), **groups("dates")}[name]
        loss = mean(row["nll"] for row in found)
        size = round(found[0]["parameters"] / 1000)
        seconds = round(mean(row["cpu_seconds"] for row in found))
        assert round(mean(row["exact_match"] for row in found), 2) == right
        assert f"| {right:.2f} | {loss:.2f} | {size} k | {seconds} |" in text, name


def test_the_curves_are_those_of_seed_0():
    first = {
        NAMES[row["cell"], row["context"]]: row
        for row in KEPT["reverse"]
        if row["seed"] == 0 and not row["backwards"]
    }
    for name, row in first.items():
        lengths = {int(n): entry for n, entry in row["by_length"].items()}
        assert given.RIGHT_BY_LENGTH[name] == {n: e["exact_match"] for n, e in lengths.items()}
        assert given.MISSING_NATS[name] == {n: e["missing_nats"] for n, e in lengths.items()}
    assert given.RIGHT_BY_PLACE == {
        name: first[name]["right_by_place_of_11"] for name in ("GRU, context", "LSTM, context")
    }
    lstm, gru, text = first["LSTM, context"], first["GRU, context"], chapter_text()
    assert lstm["same_length"] == 1.0 and f"{100 * lstm['same_digits']:.0f} % hold" in text
    length, digits = (round(100 * gru[f"same_{what}"]) for what in ("length", "digits"))
    assert f"{length} % of its wrong answers have the right length, {digits} % the right" in text


def test_the_words_on_lengths_are_true():
    right, words = given.RIGHT_BY_LENGTH, given.RIGHT_BY_LENGTH_IN_WORDS
    assert min(points[3] for points in right.values()) > 0.99
    assert max(right["GRU, state only"][11], right["GRU, context"][11]) < 0.05
    arrived = [1 - nats[11] / (11 * math.log(10)) for nats in given.MISSING_NATS.values()]
    for share in (right["LSTM, context"][11], *arrived):
        assert f"{share:.2f}" in words, share


def test_the_words_on_places_are_true_and_not_to_be_read_below_the_question():
    words = given.RIGHT_BY_PLACE_IN_WORDS
    gru, lstm = given.RIGHT_BY_PLACE["GRU, context"], given.RIGHT_BY_PLACE["LSTM, context"]
    for shares, points in ((gru, (1, 6, 11)), (lstm, (1, 7, 11))):
        for place in points:
            assert f"{shares[place - 1]:.2f}" in words
    assert min(lstm) == lstm[7 - 1] < lstm[-1] and min(gru) == gru[-1]
    assert words[:40] not in chapter_text(), "the code stands open below the question"


def test_the_sentences_on_padding_and_on_the_detached_encoder():
    text = chapter_text()
    for batches, pattern in (
        ("buckets", r"gets ([\d.]+) of 300 strings right one by one, and ([\d.]+) in one padded"),
        ("shuffled", r"other way round: ([\d.]+) in a batch, ([\d.]+) alone \(seeds 0 to 2\)"),
    ):
        rows = [r for r in KEPT["padding"] if r["batches"] == batches and not r["packed"]]
        assert [row["seed"] for row in rows] == [0, 1, 2]
        alone = mean(row["alone"] for row in rows)
        together = mean(row["in_batch_of_300"] for row in rows)
        said = [float(n) for n in re.search(pattern, text).groups()]
        first, second = (alone, together) if batches == "buckets" else (together, alone)
        assert said == [round(first, 2), round(second, 2)]
    for row in KEPT["padding"]:
        if row["packed"]:
            assert row["alone"] == row["in_batch_of_300"], "packed: the same in any batch"
    said = float(re.search(r"Trained as in 3.5, it gets ([\d.]+) right", text).group(1))
    assert said == round(mean(row["exact_match"] for row in KEPT["detached"]), 2)
    day, month, year = re.search(r"Measured once, on (\d+) (\w+) (\d+)", text).groups()
    assert KEPT["date"] == f"{year}-11-{day}" and month == "November"


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_script_runs(cell):
    examples, tests, vocabs = bottleneck.reverse_task()
    model = bottleneck.make_model(vocabs, 8, cell=cell)
    run = bottleneck.train(model, examples[:128], 3, 1e-2, 0, buckets=True)
    assert run["norm_largest"] > 0 and 0 <= run["clipped"] <= 1
    found = bottleneck.test(model, tests[:20]) | bottleneck.by_length(model, tests[:60])
    assert found["exact_match"] == 0 and found["nll"] > 1
    assert bottleneck.backwards(tests[:1])[0][0] == tests[0][0][::-1]
