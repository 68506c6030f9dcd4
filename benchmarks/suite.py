"""How long ``make test`` takes: on the clock on the wall, all its processes together."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import torch

from benchmarks.report import Row

ROOT = Path(__file__).parents[1]
MINUTES = 20
OURS = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS")  # of a make around this one


def rows(device: torch.device, quick: bool) -> list[Row]:
    what, target = "make test, every test and notebook, two processes", f"≤ {MINUTES} min"
    if quick or shutil.which("make") is None:
        return [Row(what, "skipped: not a quick one" if quick else "skipped: no make", target)]
    # on the CPU, whatever else is timed: stored outputs are those of a CPU
    env = {name: value for name, value in os.environ.items() if name not in OURS}
    env |= {"SEQ2SEQ_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    run = subprocess.run(["make", "test"], cwd=ROOT, env=env, capture_output=True, text=True)
    minutes = (time.perf_counter() - start) / 60
    summary = re.sub(r"=+| in [\d.]+s.*", "", run.stdout.rstrip().rpartition("\n")[2]).strip()
    if run.returncode != 0:
        return [Row(what, f"did not pass: {summary}", target, False)]
    return [Row(what, f"{minutes:.1f} min ({summary})", target, minutes <= MINUTES)]
