"""Over how many steps do an RNN, a GRU and an LSTM carry one fact? Measured, for chapter 2.

    python -m benchmarks.gate_memory            # seeds 0 to 4; some five minutes on one core
    python -m benchmarks.gate_memory --write    # and keep it: results/gate_memory.json

The flag task of ``seq2seq_lib.course.ch02_gru_and_lstm_gates.given``: name the first symbol after
k symbols that mean nothing. Two things are measured. Before training, k = 40: the gradient of the
loss at the first symbol over that at the last, and its factor a step between steps 10 and 30. After
it: accuracy on 512 new rows, where guessing gives 0.25, and the step at which the loss fell below
0.1.
"""

import argparse
import datetime
import json
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.report import write_whole
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import gradient_by_step, train_on_flags

RESULT = Path(__file__).parent / "results" / "gate_memory.json"
SEEDS = range(5)
CELLS = (("RNN", None), ("LSTM", None), ("GRU", None), ("LSTM", 1), ("GRU", 3), ("LSTM", 3),
         ("LSTM", 5))  # fmt: skip
RUNS = ((10, 300), (30, 200), (40, 300))  # k, steps
PATIENT = (("LSTM", None), ("GRU", None), ("LSTM", 1))  # for k = 30 and 1,200 steps


def flow(kind: str, bias: float | None, seed: int) -> dict[str, Any]:
    """The gradient at the start of 41 symbols."""
    norms = gradient_by_step(kind, bias, 40, seed)
    factor = (norms[9] / norms[29]) ** (1 / 20)
    ratio = norms[0] / norms[40]
    return {"cell": kind, "bias": bias, "seed": seed, "first_over_last": ratio, "factor": factor}


def run(kind: str, bias: float | None, k: int, steps: int, seed: int) -> dict[str, Any]:
    """One training run."""
    start = time.process_time()
    accuracy, solved = train_on_flags(kind, bias, k, steps, seed)
    return {
        "cell": kind,
        "bias": bias,
        "k": k,
        "steps": steps,
        "seed": seed,
        "accuracy": round(accuracy, 4),
        "solved_at": solved,
        "cpu_seconds": round(time.process_time() - start, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep it in {RESULT.name}")
    arguments = parser.parse_args()
    flows, runs = [], []
    for cell in CELLS:
        for seed in SEEDS:
            flows.append(flow(*cell, seed))
            print(*flows[-1].values(), flush=True)
    plan = [(cell, k, steps) for k, steps in RUNS for cell in CELLS]
    plan += [(cell, 30, 1200) for cell in PATIENT]
    for cell, k, steps in plan:
        for seed in SEEDS:
            runs.append(run(*cell, k, steps, seed))
            print(*runs[-1].values(), flush=True)
    if arguments.write:
        kept = {
            "date": str(datetime.date.today()),
            "torch": torch.__version__,
            "gradient": flows,
            "training": runs,
        }
        write_whole(RESULT, json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
