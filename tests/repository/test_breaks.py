"""Promises of tests/support/breaks.py: its red is nbval's red, and a break that proves nothing is
told why."""

import shutil
from pathlib import Path

import build_notebooks
import nbformat
import pytest

from tests.support.breaks import BadBreak, Break, read, run_nbval, try_all, write_broken

ROOT = Path(__file__).resolve().parents[2]
STEM = "ch11_tiny"

LIBRARY = """
import functools
import random

SCALE = 10


def double(x):
    return x + x


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


class Counter:
    total = 0

    @property
    def double(self):
        return self.total * 2

    @logged
    def add(self, x):
        self.total += x
        return self.total


@functools.cache
def square(x):
    return x * x


def draw():
    return random.random() < 2


def unused():
    return 1
"""

SOURCE = """\
# %%
import random
import subprocess
import sys

from seq2seq_lib.tiny import SCALE, Counter, double, draw, square

random.seed(0)
print(SCALE)

# %%
print(double(3))

# %%
counter = Counter()
counter.add(5)

# %%
print(counter.double)

# %%
print(square(7), draw(), f"{random.random():.3f}")

# %%
print(square(7))

# %%
program = "from seq2seq_lib.tiny import double; print(double(4))"
print(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout)

# %%
print(counter.add(1))

# %%
raise SystemExit("what stands behind the last named cell is not run")
"""


def broken(what, right, wrong, cell, since=""):
    return Break(what, "tiny.py", right, wrong, cell, since)


RED = (
    broken("imported before", "return x + x", "return x", "print(double(3))"),
    broken("a property", "self.total * 2", "self.total * 3", "print(counter.double)"),
    broken(
        "wrapped, and since", "self.total += x", "self.total -= x", "counter.double", "Counter()"
    ),
    broken("remembered", "return x * x", "return -x", "print(square(7), "),
    broken("another process", "return x + x", "return x", "subprocess.run"),
)
SENTENCES = {
    "a constant": (
        broken("a constant", "SCALE = 10", "SCALE = 11", "print(double(3))"),
        "no function that exists runs it",
    ),
    "the same": (
        broken("the same", "return x + x", "return (x + x)", "print(double(3))"),
        "the broken code does the same",
    ),
    "not noticed": (
        broken("not noticed", "return 1", "return 2", "print(double(3))"),
        "the cell stays green:\nprint(double(3))",
    ),
    "an import": (
        broken("an import", "return x + x", "import nowhere", "print(double(3))"),
        "red because of an import",
    ),
    "run twice": (
        broken("run twice", "self.total += x", "self.total -= x", "print(counter.add(1))"),
        "red although the library was mended",
    ),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A course of one chapter and a library of one module."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("chapters/_src", "seq2seq_lib"):
        (root / folder).mkdir(parents=True)
    (root / "seq2seq_lib" / "__init__.py").touch()
    (root / "seq2seq_lib" / "tiny.py").write_text(LIBRARY, encoding="utf-8")
    (root / "chapters" / "_src" / f"{STEM}.py").write_text(
        SOURCE.rpartition("# %%\n")[0], encoding="utf-8"
    )
    shutil.copy(ROOT / "nbval_sanitize.cfg", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(root))
        assert build_notebooks.main(["build"], root) == 0
    return root


def last_cell_added(course: Path, tmp_path: Path) -> Path:
    """A copy of the course whose notebook ends in a cell that fails."""
    copy = Path(shutil.copytree(course, tmp_path / "course"))
    path = copy / "chapters" / f"{STEM}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    source = SOURCE.rpartition("# %%\n")[2]
    notebook.cells.append(nbformat.v4.new_code_cell(source, execution_count=9))
    nbformat.write(notebook, path)
    return copy


def test_breaks_that_matter_turn_their_cells_red(course, tmp_path):
    """However a notebook got hold of a function; and what is behind the last one does not run."""
    found = try_all(last_cell_added(course, tmp_path), STEM, RED)
    assert found == {b.what: "" for b in RED}


def test_breaks_that_prove_nothing_are_told_why(course):
    found = try_all(course, STEM, tuple(b for b, _ in SENTENCES.values()))
    for what, (_, sentence) in SENTENCES.items():
        assert sentence in found[what], (what, found[what])


def test_a_notebook_that_is_red_anyway_proves_nothing(course, tmp_path):
    copy = Path(shutil.copytree(course, tmp_path / "course"))
    library = copy / "seq2seq_lib" / "tiny.py"
    library.write_text(LIBRARY.replace("SCALE = 10", "SCALE = 11"), encoding="utf-8")
    (found,) = try_all(copy, STEM, RED[:1]).values()
    assert "red without a break" in found


def test_its_red_is_the_red_of_nbval(course, tmp_path):
    """nbval alone, with the library really broken, finds the same cells red, and none unbroken."""
    notebook = Path(shutil.copy(course / "chapters" / f"{STEM}.ipynb", tmp_path))
    assert run_nbval(notebook, course) == {}
    root = write_broken(course, tmp_path / "broken", RED[0])  # `double` stands in two of RED
    shutil.copy(course / "nbval_sanitize.cfg", root)
    red = run_nbval(notebook, root)
    cells = [c for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "code"]
    named = [n for n, c in enumerate(cells) if RED[0].cell in c.source or RED[4].cell in c.source]
    assert list(red) == named and len(named) == 2
    assert all("Cell outputs differ" in why for why in red.values())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cell": "print("}, "'print(' stands in 7 code cells"),
        ({"cell": "nowhere"}, "'nowhere' stands in 0 code cells"),
        ({"since": "subprocess.run"}, "'subprocess.run' stands after 'print(double(3))'"),
        ({"right": "return"}, "stands 8 times in seq2seq_lib/tiny.py"),
        ({"file": "huge.py"}, "stands 0 times in seq2seq_lib/huge.py"),
    ],
)
def test_an_entry_that_fits_nothing_is_refused(course, change, sentence):
    with pytest.raises(BadBreak) as refused:
        try_all(course, STEM, (Break(**{**vars(RED[0]), **change}),))
    assert sentence in str(refused.value)


def test_an_entry_with_a_misspelt_key_is_refused(tmp_path):
    file = tmp_path / "breaks.toml"
    file.write_text('[[breaks]]\nwhat = "x"\npath = "masks.py"\n', encoding="utf-8")
    with pytest.raises(BadBreak, match="path"):
        read(file)
