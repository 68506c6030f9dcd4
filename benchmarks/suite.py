"""How long ``make test`` takes: on the clock on the wall, all its processes together."""

import re
import subprocess
import time
from pathlib import Path

import torch

from benchmarks.report import Row

ROOT = Path(__file__).parents[1]
MINUTES = 20


def rows(device: torch.device, quick: bool) -> list[Row]:
    what = "make test, every test and notebook, two processes"
    if quick:
        return [Row(what, "skipped: not a quick one")]
    start = time.perf_counter()
    run = subprocess.run(["make", "test"], cwd=ROOT, capture_output=True, text=True)
    minutes = (time.perf_counter() - start) / 60
    summary = re.sub(r"=+| in [\d.]+s.*", "", run.stdout.rstrip().rpartition("\n")[2]).strip()
    if run.returncode != 0:
        raise ValueError(f"make test did not pass, so its time means nothing: {summary}")
    measured = f"{minutes:.1f} min ({summary})"
    return [Row(what, measured, f"≤ {MINUTES} min", minutes <= MINUTES)]
