"""Run tests with other versions than the pinned ones: python tools/try_versions.py WHICH [TESTS]

lowest   the lowest versions that pyproject.toml allows, with the extra dev: all of `make test`
newest   the newest ones there are, with the same extra
base     what `pip install seq2seq-lib` brings, torch and numpy, and no extra: tests of the library

Each makes an environment in build/versions/, prints what is in it, and runs pytest on what is said
(tests/laws, chapters, ...) or on all of it. --python 3.13 names another Python. It needs uv, which
can choose the lowest versions: pip install uv. An environment takes some GB, for PyPI's torch
brings CUDA.

A warning of deprecation is no failure here: old packages meet new ones that they do not know.
docs/versions.md tells what was tried.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    *("torch", "numpy", "matplotlib", "sentencepiece", "sacrebleu", "anywidget", "resvg-py"),
    *("jupyterlab", "nbgrader", "pytest"),
)
NOTEBOOKS = [name for name in ("chapters", "solutions", "exercises") if (ROOT / name).exists()]
NBVAL = "--nbval --nbval-current-env --nbval-cell-timeout=300 "  # as in the Makefile
NBVAL += "--nbval-sanitize-with=nbval_sanitize.cfg"
WHICH = {  # how uv resolves, what is installed, what is tested
    "lowest": ("lowest-direct", [".[dev]"], ["tests", *NOTEBOOKS]),
    "newest": ("highest", [".[dev]"], ["tests", *NOTEBOOKS]),
    "base": (
        "highest",
        [".", "pytest>=8.2", "hypothesis>=6.100"],
        [
            "tests/laws",
            "tests/library/decoding",
            "tests/library/training",
            *(
                f"tests/library/test_{subject}.py"
                for subject in "attention batching cells decoder encoder filters losses masks "
                "schedules seq2seq vocab".split()
            ),
        ],
    ),
}
SHOW = """
import importlib.metadata, platform, sys
found = [f"Python {platform.python_version()}"]
for name in sys.argv[1:]:
    try:
        found.append(f"{name} {importlib.metadata.version(name)}")
    except importlib.metadata.PackageNotFoundError:
        found.append(f"no {name}")
print(", ".join(found), flush=True)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", choices=WHICH)
    parser.add_argument("--python", default=f"{sys.version_info[0]}.{sys.version_info[1]}")
    options, tests = parser.parse_known_args(arguments)
    resolution, packages, own = WHICH[options.which]
    folder = environment_of(options.which, options.python)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = [sys.executable, "-m", "uv"]
    if not python.exists():
        _run([*uv, "venv", "--python", options.python, str(folder)])
    _run([*uv, "pip", "install", "--python", str(python), "--resolution", resolution, *packages])
    _run([str(python), "-c", SHOW, *PACKAGES])
    # not from the environment: this tree comes first, and its kernels are those of the environment
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", "")]),
        "OMP_NUM_THREADS": "1",
        "SEQ2SEQ_DEVICE": "cpu",
        "SEQ2SEQ_PROGRESS": "off",
    }
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning"]
    stored = [] if options.which == "base" else NBVAL.split()
    command = [str(python), "-m", "pytest", *quiet, *stored, *(tests or own)]
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


def environment_of(which: str, python: str) -> Path:
    """Its folder: a version, or a path whose every part counts, for many end in bin/python."""
    return ROOT / "build" / "versions" / "-".join([which, *re.findall(r"[\w.]+", python)])


def _run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
