"""A table of what is timed, subject by subject: what, measured, target, met.

python -m benchmarks                     # some 30 minutes; SEQ2SEQ_DEVICE=cuda for a GPU
python -m benchmarks --quick             # tiny sizes, to see that everything runs
python -m benchmarks --only loss search
python -m benchmarks --write             # also into benchmarks/README.md, each to its own table

Training a translation model is timed apart: python -m benchmarks.translation
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import chain

import torch

from benchmarks import (
    batching,
    cells,
    decoder,
    latency,
    loss,
    memory_peers,
    proportion,
    report,
    search,
    search_peers,
    suite,
    timing,
    training_step,
)
from benchmarks.report import Row
from seq2seq_lib.runtime import get_device, seed_everything

BENCHMARKS = {
    "loss": loss.rows,
    "decoder": decoder.rows,
    "search": search.rows,
    "search_peers": search_peers.rows,
    "memory_peers": memory_peers.rows,
    "batching": batching.rows,
    "cells": cells.rows,
    "training_step": training_step.rows,
    "latency": latency.rows,
    "proportion": proportion.rows,
    "suite": suite.rows,
}


def measure(
    names: Sequence[str], device: torch.device, quick: bool
) -> tuple[dict[str, list[Row]], dict[str, Exception]]:
    """The rows of the named benchmarks, one after the other; and those that failed, with why."""
    rows, failed = {}, {}
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        seed_everything(0)
        try:
            rows[name] = BENCHMARKS[name](device, quick)
        except Exception as error:  # the others are worth having
            failed[name] = error
    return rows, failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 if everything ran, whether or not the targets were met."""
    options = _parser().parse_args(arguments)
    if options.write and options.quick:
        print("error: --write needs the full sizes: no --quick", file=sys.stderr)
        return 2
    timing.keep_memory()
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.allow_tf32 = False  # what is compared must be equal, to 5 digits and more
    device = get_device()
    rows, failed = measure(options.only or BENCHMARKS, device, options.quick)
    where = f"{report.machine(device)}; {report.versions('torch')}."
    print(f"{report.table(list(chain(*rows.values())))}\n\n{where}")
    for name, error in failed.items():
        print(f"error: {name}: {type(error).__name__}: {error}", file=sys.stderr)
    if options.write:
        for name, of_one in rows.items():
            if not all(row.skipped for row in of_one):  # or an old measurement would be lost
                report.write_section(name, f"{where}\n\n{report.table(of_one)}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: its times say nothing")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help="some of it")
    parser.add_argument("--write", action="store_true", help="write the tables into README.md")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; default: 1")
    return parser


if __name__ == "__main__":
    sys.exit(main())
