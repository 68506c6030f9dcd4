"""What the chapter says was measured once is what the script found, and the script still runs."""

import json
import re
from pathlib import Path

import pytest
import torch

from benchmarks import latent_schedules, latent_tatoeba
from seq2seq_lib.corpora.echo_task import ECHO_ENTROPY
from seq2seq_lib.course.ch10_latent_seq2seq import given
from seq2seq_lib.latent import evaluate_elbo

ROOT = Path(__file__).resolve().parents[3]
KEPT = json.loads(latent_schedules.RESULT.read_text(encoding="utf-8"))
REAL = json.loads(latent_tatoeba.RESULT.read_text(encoding="utf-8"))
COLUMNS = ("reconstruction", "kl", "negative_elbo", "active", "different_copies")


def source():
    return (ROOT / "chapters" / "_src" / "ch10_latent_seq2seq.py").read_text(encoding="utf-8")


def column(training, name):
    """One number a seed."""
    return [row[name] for row in KEPT["rows"] if row["training"] == training]


def test_the_table_holds_the_ranges_over_five_seeds():
    lines = {
        cells[0]: cells[1:]
        for line in source().splitlines()
        if line.startswith("# | ")
        and (cells := [cell.strip() for cell in line[3:].strip("| ").split("|")])
    }
    assert KEPT["date"] == "2026-11-28" and "28 November 2026" in source()
    for training in latent_schedules.TRAININGS:
        assert len(column(training, "seed")) == 5
        for cell, name in zip(lines[training], COLUMNS, strict=True):
            low, high = (float(number) for number in cell.split(" – "))
            values = column(training, name)
            digits = 0 if isinstance(values[0], int) else 2
            assert (low, high) == (round(min(values), digits), round(max(values), digits))


def test_what_is_said_to_hold_on_each_seed_does():
    five = ("constant", "linear", "logistic", "cyclical", "free bits 3")
    kl, copies, bound = (
        [
            dict(zip(five, row, strict=True))
            for row in zip(*(column(t, n) for t in five), strict=True)
        ]
        for n in ("kl", "different_copies", "negative_elbo")
    )
    for name in five[1:]:
        assert all(row["constant"] < row[name] for row in kl)
        assert all(row["constant"] < row[name] for row in copies)
    assert all(max(row, key=row.get) == "free bits 3" for row in kl)
    assert sum(max(row, key=row.get) == "free bits 3" for row in copies) == 5
    better = {name: sum(row[name] < row["constant"] for row in bound) for name in five[1:]}
    assert better == {"linear": 4, "logistic": 4, "cyclical": 3, "free bits 3": 4}
    pairs = zip(
        column("word dropout", "negative_elbo"), column("constant", "negative_elbo"), strict=True
    )
    assert all(dropped - plain > 2 for dropped, plain in pairs)
    more = zip(
        column("word dropout", "different_copies"),
        column("constant", "different_copies"),
        strict=True,
    )
    assert all(dropped > plain for dropped, plain in more)
    assert min(column("weight 0", "negative_elbo")) > 39


@pytest.mark.parametrize(
    ("training", "low", "high"), [("linear", 0.1, 0.4), ("free bits 3", 0.4, 0.7)]
)
def test_importance_weights_gain_what_is_said(training, low, high):
    gains = [
        one - many
        for one, many in zip(
            column(training, "bound_1"), column(training, "bound_100"), strict=True
        )
    ]
    assert (round(min(gains), 1), round(max(gains), 1)) == (low, high)
    assert re.search(
        f"by {low} to {high} nats with linear|by {low} to {high}\\n# with free", source()
    )


def test_no_bound_is_below_the_entropy():
    assert all(row["negative_elbo"] > ECHO_ENTROPY for row in KEPT["rows"])


@pytest.mark.parametrize("training", latent_schedules.KEPT)
def test_the_shipped_models_are_those_of_the_rows(training):
    terms = evaluate_elbo(given.trained(training), [given.held_out()])
    row = next(r for r in KEPT["rows"] if r["training"] == training and r["seed"] == 0)
    assert terms.kl.mean().item() == pytest.approx(row["kl"], abs=1e-3)
    assert terms.reconstruction.mean().item() == pytest.approx(row["reconstruction"], abs=1e-3)


def test_the_script_trains_measures_and_draws():
    model = latent_schedules.train("cyclical", 0, steps=2)
    assert 0 < latent_schedules.cpu_seconds("cyclical", 0, steps=2) < 60
    row = latent_schedules.measure(model)
    assert row["negative_elbo"] == pytest.approx(row["reconstruction"] + row["kl"], abs=2e-4)
    picture = latent_schedules.picture(model)
    assert len(picture["map"]) == 25 and [len(path) for path in picture["paths"]] == [7, 7]


def test_the_scoreboard_holds_the_exact_copies():
    form = r"^# \| echo \| ([^|]+) \| (\d+) – (\d+) of 400 \| (\d+) \|$"
    rows = re.findall(form, source(), re.M)
    assert tuple(training for training, *_ in rows) == latent_schedules.BOARD
    for training, *ends, seconds in rows:
        assert int(seconds) == round(KEPT["cpu_seconds"][training])
        exact = column(training, "exact_copies")
        assert [int(end) for end in ends] == [min(exact), max(exact)], training


def test_what_is_said_of_real_sentences_was_measured():
    def real(training, name):
        return [row[name] for row in REAL["rows"] if row["training"] == training]

    said = " ".join(source().replace("\n#", "").split())
    assert REAL["date"] == "2026-11-28" and "1,874 sentences, ten epochs" in said
    assert {row["sentences"] for row in REAL["rows"]} == {1874} and latent_tatoeba.EPOCHS == 10
    assert {row["held_out"] for row in REAL["rows"]} == {208}
    assert set(real("constant", "different_copies") + real("linear", "different_copies")) == {1}
    free = "free bits 3"
    for name, form in (
        ("different_copies", "3 free nats give {} to {}, and"),
        ("different_from_prior", "of 200 draws from the prior {} to {} differ"),
        ("from_prior_in_training", "but {} to {} are sentences of the training set"),
    ):
        assert form.format(min(real(free, name)), max(real(free, name))) in said
    assert all(2.9 < kl < 3.1 for kl in real(free, "kl"))
    assert all(round(nats) == 1 for nats in real(free, "mutual_information"))


def test_the_script_of_real_sentences_trains_and_measures():
    """On sentences of the echo language, so that it needs no corpus."""
    sentences = latent_schedules.echo_sentences(60, torch.Generator().manual_seed(0))
    row = latent_tatoeba.run("linear", 0, sentences, epochs=1)
    assert row["sentences"] == 54 and row["held_out"] == 6
    assert row["negative_elbo"] == pytest.approx(row["reconstruction"] + row["kl"], abs=2e-3)
    assert 1 <= row["different_copies"] <= 6
