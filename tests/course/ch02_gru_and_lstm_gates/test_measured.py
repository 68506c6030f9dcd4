"""What the chapter says was measured once is what benchmarks/gate_memory.py kept."""

import json
import math
import re
from pathlib import Path

import pytest

from benchmarks import gate_memory

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "chapters" / "_src" / "ch02_gru_and_lstm_gates.py").read_text("utf-8")
PROSE = " ".join(TEXT.replace("\n# ", " ").split())  # whatever the lines end at
KEPT = json.loads((ROOT / "benchmarks" / "results" / "gate_memory.json").read_text("utf-8"))
RUNS = ((10, 300), (30, 200), (40, 300))
CELLS = {"RNN": None, "LSTM": None, "GRU": None, "LSTM +1": 1, "GRU +3": 3, "LSTM +3": 3,
         "LSTM +5": 5}  # fmt: skip


def table() -> dict[str, list[str]]:
    rows = re.findall(r"^# \| (RNN|LSTM|GRU)( \+\d)? \|(.+)\|$", TEXT, re.MULTILINE)
    return {kind + bias: [c.strip() for c in cells.split("|")] for kind, bias, cells in rows}


def of(cell: str, kind: str) -> list[dict]:
    """What was kept of a cell: its gradients, or its training."""
    name = cell.split()[0]
    return [row for row in KEPT[kind] if (row["cell"], row["bias"]) == (name, CELLS[cell])]


def solved(cell: str, k: int, steps: int) -> list[int]:
    runs = [row for row in of(cell, "training") if (row["k"], row["steps"]) == (k, steps)]
    assert sorted(row["seed"] for row in runs) == [0, 1, 2, 3, 4]
    return sorted(row["solved_at"] for row in runs if row["solved_at"] is not None)


def test_the_table_has_a_row_for_each_cell_and_the_date_is_that_of_the_run():
    assert table().keys() == CELLS.keys()
    assert KEPT["date"] == "2026-11-28" and "on 28 November 2026, with seeds 0 to 4" in PROSE


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_within_the_range_that_is_printed(cell):
    low, high = map(float, table()[cell][0].split(" … "))
    found = [row["first_over_last"] for row in of(cell, "gradient")]
    assert len(found) == 5
    # two digits are printed
    assert [min(found), max(found)] == [pytest.approx(end, rel=0.05) for end in (low, high)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("column", "run"), list(enumerate(RUNS, start=1)))
def test_so_many_of_five_learned_and_at_these_steps(cell, column, run):
    steps = solved(cell, *run)
    due = f"{len(steps)}, at {steps[0]}-{steps[-1]}" if steps else "0"
    assert table()[cell][column] == due


def test_patience_helps_the_gru_and_not_the_lstm():
    assert "default GRU learns k = 30 in three of five runs" in PROSE
    assert [len(solved(cell, 30, 1200)) for cell in ("GRU", "LSTM", "LSTM +1")] == [3, 0, 0]


def test_a_half_life_of_14_steps_was_enough_in_nine_of_ten_runs():
    half_life = math.log(2) / math.log1p(math.exp(-3))
    assert round(half_life) == 14
    assert sum(len(solved(cell, 40, 300)) for cell in ("GRU +3", "LSTM +3")) == 9
    assert "With bias 3 it is 14 steps, enough for k = 40 in nine of ten runs" in PROSE


def test_the_share_of_the_lstm_s_gradient_that_is_left():
    left = [row["first_over_last"] for row in of("LSTM +3", "gradient")]
    assert [round(min(left), 1), round(max(left), 1)] == [0.4, 1.2]
    assert "0.4 to 1.2 of the LSTM's gradient is left" in PROSE


def test_the_script_runs():
    assert gate_memory.flow("LSTM", 1, 0)["factor"] < 1
    run = gate_memory.run("GRU", 3, k=2, steps=3, seed=0)
    assert run["solved_at"] is None and 0 <= run["accuracy"] <= 1
