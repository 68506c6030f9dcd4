"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path

import pytest
import torch

from benchmarks import slip
from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.corpora import numbers
from seq2seq_lib.course.ch06_teacher_forcing import measured
from seq2seq_lib.course.explorers.slip_and_recover.models import Task, load, train

KEPT = json.loads(slip.RESULT.read_text(encoding="utf-8"))


def test_the_chapter_s_numbers_are_those_of_the_kept_result():
    assert KEPT["date"] == measured.DATE and slip.SEEDS == measured.SEEDS
    assert len(KEPT["slips"]) == 5 * len(measured.SLIPS) == 30
    assert len(KEPT["schedules"]) == 5 * len(measured.SCHEDULES) == 60
    for row in KEPT["slips"]:
        shown = measured.SLIPS[row["task"], row["decoder"]]
        for name, values in shown._asdict().items():
            assert values[row["seed"]] == row["slip_1"][name]
    for row in KEPT["schedules"]:
        shown = measured.SCHEDULES[row["training"], row["decoder"]]
        for name, values in shown._asdict().items():
            assert values[row["seed"]] == row[name]


def chapter_text():
    path = Path(__file__).parents[3] / "chapters" / "_src" / "ch06_teacher_forcing.py"
    return " ".join(path.read_text(encoding="utf-8").replace("\n# ", " ").split())


def test_the_scoreboard_is_the_kept_result():
    shown = {
        ("teacher forcing", "plain"): "GRU 48, plain | teacher forcing",
        ("exponential", "plain"): "| | | exponential",
        ("teacher forcing", "attention"): "GRU 48, attention | teacher forcing",
        ("half", "attention"): "| | | ε = ½",
    }
    for (training, decoder), row in shown.items():
        rows = [
            r for r in KEPT["schedules"] if (r["training"], r["decoder"]) == (training, decoder)
        ]
        assert [r["seed"] for r in rows] == list(range(5))
        em, recovery = (sum(r[name] for r in rows) / 5 for name in ("exact_match", "recovery"))
        (seconds,) = (
            r["seconds"]
            for r in KEPT["cpu_seconds"]
            if (r["training"], r["decoder"], r["seed"]) == (training, decoder, 0)
        )
        numbers = f"{em:.2f} | {recovery:.2f} |".replace("0.", ".")
        assert f"{row} | {numbers} {seconds:.0f} |" in chapter_text()


def test_what_the_text_says_of_schedules():
    """Per seed, against teacher forcing with the same decoder."""
    text = chapter_text()

    def gains(name, decoder, number):
        row, forced = (
            getattr(measured.SCHEDULES[which, decoder], number)
            for which in (name, "teacher forcing")
        )
        return [a - b for a, b in zip(row, forced, strict=True)]

    names = [name for name, decoder in measured.SCHEDULES if decoder == "plain"][1:]
    assert len(names) == 5
    for name in names:
        assert min(gains(name, "plain", "recovery")) > 0 > max(gains(name, "plain", "exact_match"))
        assert min(gains(name, "plain", "perplexity")) > 0
    halves = [name for name in names if name.startswith("half")]
    recovery = [gain for name in halves for gain in gains(name, "attention", "recovery")]
    match = [gain for name in halves for gain in gains(name, "attention", "exact_match")]
    assert f"recovery by {min(recovery):.2f} to {max(recovery):.2f}".replace("0.", ".") in text
    low, high = f"{min(match):.3f}".replace("-0.", "−."), f"{max(match):+.3f}".replace("0.", ".", 1)
    assert f"exact match changes by {low} to {high}" in text
    for name in set(names) - set(halves):
        assert max(map(abs, gains(name, "attention", "recovery"))) < 0.11
    token, batch = (measured.SCHEDULES[name, "plain"] for name in halves)
    assert measured.mean(batch.exact_match) > measured.mean(token.exact_match), "it costs less"
    assert measured.mean(batch.recovery) < measured.mean(token.recovery), "and buys less"


def test_what_the_text_says_of_slips():
    text = chapter_text()
    low, high = map(
        int, re.search(r"With attention, (\d+) to (\d+) % of the outputs", text).groups()
    )
    shares = [round(100 * measured.mean(row.one_edit)) for (_, d), row in measured.SLIPS.items()
              if d == "attention"]  # fmt: skip
    assert (min(shares), max(shares)) == (low, high)
    reverse = measured.SLIPS["reverse", "plain"]
    assert max(reverse.gold) < min(reverse.own), "the gold prefix does worse"
    for name in (("dates", "plain"), ("dates", "attention"), ("reverse", "attention")):
        row = measured.SLIPS[name]
        assert all(gold > own for gold, own in zip(row.gold, row.own, strict=True)), name


def test_the_script_runs():
    row = slip.measure_schedule(0, "plain", slip.ONE_COIN, steps=8)
    assert row.keys() == KEPT["schedules"][0].keys()
    assert 0 < slip.cpu_seconds(0, "plain", slip.ONE_COIN, steps=8) < 60


def test_a_slip_is_counted_as_it_is_defined():
    """Row by row and step by step, on a model that ships."""
    made = load("numbers", "plain")
    pairs = numbers(num_train=10, num_valid=0, num_test=12).test
    batch = collate(encode_pairs(pairs, made.src_vocab, made.tgt_vocab))
    generator = torch.Generator().manual_seed(3)
    wrong = slip.wrong_tokens(batch.tgt_out[:, 1], len(made.tgt_vocab), generator)
    assert (wrong != batch.tgt_out[:, 1]).all() and wrong.min() > 3
    hits = {"gold": [], "own": []}
    for b, length in enumerate(batch.tgt_lengths.tolist()):
        if length <= 2:
            continue
        for lane, counted in hits.items():
            source = batch.src[b : b + 1, : batch.src_lengths[b]]
            state, said = made.model.start(source, batch.src_lengths[b : b + 1]), None
            for t in range(length):
                gold = int(batch.tgt_in[b, t])
                read = int(wrong[b]) if t == 2 else gold if t < 2 or lane == "gold" else said
                scores, state = made.model.step(torch.tensor([read]), state)
                said = int(scores.argmax())
                counted += [said == int(batch.tgt_out[b, t])] if t >= 2 else []
    found = slip.slip(made, batch, 2, seed=3)
    for lane, counted in hits.items():
        assert found[lane] == pytest.approx(sum(counted) / len(counted), abs=6e-4)


@pytest.mark.parametrize(
    ("one", "two", "distance"),
    [([1, 2, 3], [1, 2, 3], 0), ([9, 1, 2, 3], [1, 2, 3], 1), ([1, 3], [1, 2, 3], 1), ([], [4], 1),
     ([1, 2, 3, 4], [4, 3, 2, 1], 4), ([5, 2, 9], [1, 2], 2)],
)  # fmt: skip
def test_edit_distance(one, two, distance):
    assert slip.edit_distance(one, two) == slip.edit_distance(two, one) == distance


def test_the_recipe_learns_something():
    made = train(Task(numbers, epochs=1, num_train=640, num_test=1).pairs(), "none", epochs=1)
    assert not made.model.training and made.model.config.attention == "none"
