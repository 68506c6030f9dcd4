"""`pip install seq2seq-lib` alone: torch, numpy and what they need are enough for the library."""

import importlib.metadata
import json
import re
import subprocess
import sys

from packaging.requirements import Requirement

from tests.repository.test_layers import PACKAGE, modules

BARE = ["torch", "numpy"]
# Before anything else: no module may be found that comes from another distribution.
IMPORT_ALL = """
import importlib, json, sys
blocked, names = json.loads(sys.argv[1])

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r} (not installed without extras)")

sys.meta_path.insert(0, Blocked())
for name in names:
    importlib.import_module(name)
from seq2seq_lib import laws, losses
assert laws.loss_ledger(losses.sequence_loss)
print(len(names), "modules")
"""


def closure(names: list[str]) -> set[str]:
    """These distributions and what they require, by their normal names."""
    found, todo = set(), list(names)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        found.add(name)
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        wanted = (Requirement(line) for line in lines)
        todo += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def test_every_module_but_the_course_imports_without_the_extras():
    allowed = closure(BARE)
    blocked = sorted(
        name
        for name, owners in importlib.metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", o).lower() for o in owners} & {*allowed, "seq2seq-lib"}
    )
    assert {"matplotlib", "tqdm", "IPython", "sacrebleu", "pytest"} <= set(blocked)
    names = [f"seq2seq_lib.{name}" for name, _ in modules() if name.split(".")[0] != "course"]
    names = [name for name in names if not name.endswith("__main__")]
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, json.dumps([blocked, names])],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f"{len(names)} modules"
