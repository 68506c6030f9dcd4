"""A notebook that passes with a broken library tests nothing: break it, and nbval must go red.

``tests/course/chNN_name/breaks.toml`` says how:

    [[breaks]]
    what = "sequence_mask is inverted"
    file = "masks.py"                                   # in seq2seq_lib/
    right = "positions[None, :] < lengths[:, None]"     # stands there once
    wrong = "positions[None, :] >= lengths[:, None]"
    cell = "print(sequence_mask("                       # stands in one code cell: that goes red
    since = "lengths = "                                # optional: broken from this cell on

All breaks of a chapter share one kernel. nbval runs a copy of the notebook with some cells more:

    ... break  cells since..cell  mend  cells since..cell  break  ...

The named cell must be red where the library is broken, and not because of an import; and green
where it was mended, so the break alone made it red. The copy ends with the last cell that is named.
As the cells since..cell are run twice, choose quick ones that do not change what they find.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


class BadBreak(Exception):
    """An entry of breaks.toml that cannot be tried; the message says what to change."""


@dataclass(frozen=True)
class Break:
    """One way to break the library, as breaks.toml describes it. Without ``since`` the library is
    broken in ``cell`` alone."""

    what: str
    file: str
    right: str
    wrong: str
    cell: str
    since: str = ""


def read(path: Path) -> list[Break]:
    """The breaks of a chapter."""
    try:
        return [Break(**entry) for entry in tomllib.loads(path.read_text("utf-8"))["breaks"]]
    except (TypeError, KeyError) as error:
        raise BadBreak(f"{path.name}: an entry [[breaks]] has what, file, right, wrong, cell and "
                       f"perhaps since, but: {error}") from error  # fmt: skip


def turns_red(test_file: str) -> Callable:
    """The test of a chapter's breaks, for tests/course/chNN_name/test_breaks.py."""
    folder = Path(test_file).parent
    breaks = read(folder / "breaks.toml")
    run = functools.cache(functools.partial(try_all, ROOT, folder.name, tuple(breaks)))

    @pytest.mark.parametrize("what", [b.what for b in breaks])
    def test(what: str) -> None:
        assert not (wrong := run()[what]), wrong

    return test


def try_all(root: Path, stem: str, breaks: tuple[Break, ...]) -> dict[str, str]:
    """Run nbval once; by break, a sentence that says what is wrong, or nothing."""
    notebook = nbformat.read(root / "chapters" / f"{stem}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        steps = with_breaks(notebook, breaks, root, Path(folder))
        cells = [nbformat.from_dict({**s.cell, "id": f"step-{n}"}) for n, s in enumerate(steps)]
        copy = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
        path = Path(folder) / f"{stem}.ipynb"
        nbformat.write(copy, path)
        failures = run_nbval(path, root)
    return {b.what: verdict(b, steps, failures) for b in breaks}


@dataclass(frozen=True)
class Step:
    """A code cell of the copy. ``role`` is what it does for ``of``: break, broken, named, mend,
    again; or nothing, where it only leads up to what follows."""

    cell: nbformat.NotebookNode
    of: Break | None = None
    role: str = ""


def with_breaks(
    notebook: nbformat.NotebookNode, breaks: tuple[Break, ...], root: Path, folder: Path
) -> list[Step]:
    """The code cells of the copy, in order; broken libraries are written to ``folder``."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    spans = []
    for b in breaks:
        last = find(code, b.cell, b)
        first = find(code, b.since, b) if b.since else last
        if first > last:
            raise BadBreak(f"{b.what!r}: the cell {b.since!r} stands after {b.cell!r}")
        spans.append((last, first, b))

    steps, done = [], 0
    for number, (last, first, b) in enumerate(sorted(spans, key=lambda span: span[:2])):
        broken = write_broken(root, folder / f"broken{number}", b)
        steps += [Step(cell) for cell in code[done:first]]
        steps.append(Step(added(f"break_library({str(broken)!r}, {b.file!r})"), b, "break"))
        steps += [Step(cell, b, "broken") for cell in code[first:last]]
        steps.append(Step(code[last], b, "named"))
        steps.append(Step(added("mend_library()"), b, "mend"))
        steps += [Step(cell, b, "again") for cell in code[first : last + 1]]
        done = last + 1
    return steps


def find(code: list, text: str, b: Break) -> int:
    """The one code cell that holds ``text``."""
    found = [number for number, cell in enumerate(code) if text in cell.source]
    if len(found) != 1:
        raise BadBreak(
            f"{b.what!r}: {text!r} stands in {len(found)} code cells: "
            "choose a text that stands in one"
        )
    return found[0]


def write_broken(root: Path, folder: Path, b: Break) -> Path:
    """Write a copy of the library with the break in it; returns the folder that holds it."""
    library = folder / "seq2seq_lib"
    shutil.copytree(root / "seq2seq_lib", library, ignore=shutil.ignore_patterns("__pycache__"))
    file = library / b.file
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    if text.count(b.right) != 1:
        raise BadBreak(
            f"{b.what!r}: {b.right!r} stands {text.count(b.right)} times in seq2seq_lib/{b.file}, "
            "but must stand there once"
        )
    file.write_text(text.replace(b.right, b.wrong), encoding="utf-8")
    return folder


def added(call: str) -> nbformat.NotebookNode:
    """A cell of the copy that no notebook has. It prints nothing, and nbval checks that."""
    name = call.partition("(")[0]
    source = f"from tests.support.broken_library import {name}\n\n{call}"
    return nbformat.v4.new_code_cell(source, execution_count=1)


def run_nbval(notebook: Path, root: Path) -> dict[int, str]:
    """Run a notebook as ``make test`` does; code cells that are red, with what nbval says."""
    report = notebook.with_suffix(".xml")
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
            "--color=no", "--rootdir", str(notebook.parent), "-c", os.devnull,
            f"--junitxml={report}", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300",
            f"--nbval-sanitize-with={root / 'nbval_sanitize.cfg'}", notebook,
        ],
        cwd=notebook.parent,
        # the library of `root`; the last one is for what the added cells import
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, dict.fromkeys((root, ROOT))))},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert run.returncode in (0, 1), run.stdout[-3000:] + run.stderr[-1000:]
    failures = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        for failure in (*case.iter("failure"), *case.iter("error"), *case.iter("skipped")):
            number = int(re.fullmatch(r".*Cell (\d+)", case.get("name"))[1])
            failures[number] = f"{failure.get('message', '')}\n{failure.text or ''}"
    return failures


def verdict(b: Break, steps: list[Step], failures: dict[int, str]) -> str:
    """What is wrong with a break, in a sentence; empty if the notebook went red as it should."""
    numbers = range(len(steps))
    own = {role: [n for n in numbers if steps[n].of is b and steps[n].role == role]
           for role in ("break", "named", "mend", "again")}  # fmt: skip
    before = [n for n in numbers if not steps[n].role and n < own["break"][0] and n in failures]
    if before:
        return f"the notebook is red without a break: {failures[before[0]]}"
    for role in ("break", "mend"):
        if own[role][0] in failures:
            return f"could not {role} the library: {failures[own[role][0]]}"
    again = [n for n in own["again"] if n in failures]
    if again:
        return (
            "red although the library was mended: a cell that is run twice must leave what it "
            f"finds as it was, so choose other cells. {failures[again[0]]}"
        )
    (named,) = own["named"]
    if named not in failures:
        return f"{b.what}, and the cell stays green:\n{steps[named].cell.source}"
    if re.search("ImportError|ModuleNotFoundError", failures[named]):
        return f"red because of an import, not of what it computes: {failures[named]}"
    return ""
