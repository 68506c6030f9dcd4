"""``make lint`` passes: style, layout, spelling."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LINT = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[1]
COMMANDS = re.findall(r"\$\(BIN\)/(.+)", LINT)

# What else a learner keeps in the folder may look as it likes.
pytestmark = pytest.mark.skipif("CI" not in os.environ, reason="CI is not set")


def test_make_lint_has_commands():
    assert COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_make_lint_passes(command):
    name, *arguments = command.split()
    module = {"codespell": "codespell_lib"}.get(name, name)
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{name} is not installed: the extra authoring")
    run = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
