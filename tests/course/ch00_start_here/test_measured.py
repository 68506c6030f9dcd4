"""What the chapter says was measured once is what the script found, and the script still runs."""

import json

import torch

from benchmarks import neighbours
from seq2seq_lib.course.ch00_start_here import measured

KEPT = json.loads(neighbours.RESULT.read_text(encoding="utf-8"))


def test_the_chapter_s_numbers_are_those_of_the_kept_result():
    assert KEPT["date"] == measured.DATE
    for name, runs in (("careless", measured.CARELESS), ("ours", measured.OURS)):
        assert len(runs) == len(KEPT[name]) == len(neighbours.SEEDS)
        for seed, run in enumerate(runs):
            kept = KEPT[name][str(seed)]
            assert (run.alone, run.together) == (kept["alone"], kept["together"])
            assert run.changed == {pads: kept["changed"][str(pads)] for pads in measured.PADS}


def test_what_the_text_says_of_them():
    assert all(run.alone > 0.99 and run.together < run.alone - 0.2 for run in measured.CARELESS)
    assert all(set(run.changed.values()) == {0.0} for run in measured.OURS)
    assert max(row["valid_loss"] for row in KEPT["careless"].values()) < 0.01, "no alarm"


def test_the_script_measures(monkeypatch):
    """With models that were hardly trained: shares are shares, and pads move nothing of ours."""
    monkeypatch.setattr(neighbours, "PADS", (0, 2))
    monkeypatch.setitem(neighbours.TRAINING, "epochs", 1)
    monkeypatch.setattr(neighbours, "dates", lambda *_, seed: _few(seed))
    row = neighbours.measure("careless", 0)
    assert 0 <= row["together"] <= 1 and 0 <= row["changed"]["2"] <= 1 and row["valid_loss"] > 0
    assert neighbours.measure("ours", 0)["changed"] == {"2": 0.0}
    assert torch.is_grad_enabled()


def _few(seed):
    from seq2seq_lib.corpora import dates

    return dates(200, 0, 12, seed=seed)
