"""Write constraints.txt, the exact versions that CI runs: `make constraints`.

Versions that are pinned and still fit the ranges of pyproject.toml stay as they are, so that adding
one package does not move all the others. `make constraints ARGS=--upgrade` takes the newest of
everything, `ARGS="--upgrade-package torch"` of one.

pip-compile does the solving. Three repairs make its answer fit every machine:

- a local version such as `torch==2.13.0+cpu` exists on no public index: the suffix goes;
- the `dev` extra names this project itself, and pip-compile pins it to a folder: the line goes;
- comments that describe the machine it ran on go.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "seq2seq-lib"
HEADER = """\
# The exact versions that CI runs. Made by `make constraints`; edit pyproject.toml instead.
# Install with: pip install -c constraints.txt -e ".[dev]"
"""


def repair(compiled: str) -> str:
    """Turn pip-compile's output into lines `name==public.version`, one per package, sorted."""
    pins = []
    for line in compiled.splitlines():
        line = line.split("#")[0].strip()
        if not line or line.startswith("-") or re.match(rf"{PROJECT}\b", line):
            continue
        pins.append(re.sub(r"(==[^+;\s]+)\+[\w.]+", r"\1", line))
    return HEADER + "\n".join(sorted(pins)) + "\n"


def main() -> None:
    pinned = ROOT / "constraints.txt"
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "compiled.txt"
        if pinned.exists():  # pip-compile keeps what its output file already holds
            compiled.write_text(pinned.read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--all-extras"]
        command += ["--strip-extras", "--no-annotate", "--no-header", "--no-emit-index-url"]
        command += ["--no-emit-find-links", f"--output-file={compiled}", "pyproject.toml"]
        command += sys.argv[1:]
        subprocess.run(command, cwd=ROOT, check=True)
        text = repair(compiled.read_text(encoding="utf-8"))
    pinned.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
