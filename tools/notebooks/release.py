"""Release exercises/ from solutions/."""

import subprocess
import sys
from pathlib import Path

from notebooks.paths import NotebookError


def release(root: Path, stem: str = "ch*") -> None:
    """Write exercises/STEM/ with nbgrader; of every chapter that has solutions, if none is named.

    Raises:
        NotebookError: there are no such solutions, or nbgrader failed.
    """
    if not list(root.glob(f"solutions/{stem}/*.ipynb")):
        raise NotebookError(f"solutions/{stem}/ holds no notebook: build it, then release it")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", f"--assignment={stem}"]
    command += ["--no-db", "--force", "--log-level=ERROR"]
    if subprocess.run(command, cwd=root).returncode:
        raise NotebookError(f"nbgrader did not release {stem}: its own message stands above")
