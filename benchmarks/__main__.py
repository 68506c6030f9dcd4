"""One table of all that is timed: what, measured, target, met.

python -m benchmarks                     # some 20 minutes; SEQ2SEQ_DEVICE=cuda for a GPU
python -m benchmarks --quick             # tiny sizes, to see that everything runs
python -m benchmarks --only loss search
python -m benchmarks --write             # also into benchmarks/README.md

Training a translation model is timed apart: python -m benchmarks.translation
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

import torch

from benchmarks import batching, cells, decoder, latency, loss, report, search, suite, timing
from benchmarks.report import Row
from seq2seq_lib.runtime import get_device, seed_everything

BENCHMARKS = {
    "loss": loss.rows,
    "decoder": decoder.rows,
    "search": search.rows,
    "batching": batching.rows,
    "cells": cells.rows,
    "latency": latency.rows,
    "suite": suite.rows,
}


def measure(names: Sequence[str], device: torch.device, quick: bool) -> Iterator[Row]:
    """The rows of the named benchmarks, one after the other."""
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        seed_everything(0)
        yield from BENCHMARKS[name](device, quick)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 if everything ran, whether or not the targets were met."""
    options = _parser().parse_args(arguments)
    if options.write and (options.quick or options.only):
        print("error: --write needs the whole table: no --quick, no --only", file=sys.stderr)
        return 2
    timing.keep_memory()
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.allow_tf32 = False  # what is compared must be equal, to 5 digits and more
    device = get_device()
    table = report.table(list(measure(options.only or BENCHMARKS, device, options.quick)))
    where = f"{report.machine(device)}; {report.versions('torch')}."
    print(f"{table}\n\n{where}")
    if options.write:
        report.write_section("table", f"{where}\n\n{table}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes: its times say nothing")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help="some of it")
    parser.add_argument("--write", action="store_true", help="write the table into README.md")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; default: 1")
    return parser


if __name__ == "__main__":
    sys.exit(main())
