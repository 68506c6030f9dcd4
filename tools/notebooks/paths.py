"""Where sources and notebooks are, and how files are written."""

import os
from pathlib import Path

from seq2seq_lib._files import part_beside

ROOT = Path(__file__).resolve().parents[2]


class NotebookError(Exception):
    """Something a maintainer has to look at; the message names the file and says what to do."""


def sources(root: Path = ROOT) -> list[Path]:
    """Every source of the course, chapters first."""
    return sorted(root.glob("chapters/_src/*.py")) + sorted(root.glob("solutions/_src/*.py"))


def notebook_of(source: Path) -> Path:
    """The notebook that is built from `source`. nbgrader wants a folder per assignment."""
    top = source.parents[1]
    if top.name == "solutions":
        return top / source.stem / f"{source.stem}.ipynb"
    return top / f"{source.stem}.ipynb"


def source_of(path: Path) -> Path:
    """The source of a notebook; a source is its own."""
    if path.suffix == ".py":
        return path
    top = path.parents[1] if path.parents[1].name == "solutions" else path.parent
    return top / "_src" / f"{path.stem}.py"


def course_of(source: Path) -> Path:
    """The folder that holds chapters/ and solutions/."""
    return source.parents[2]


def shown(path: Path) -> str:
    """A path as messages print it: from the course's folder."""
    source = source_of(path)
    return path.relative_to(course_of(source)).as_posix()


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` by `text` at once: a reader sees the old file or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = part_beside(path)
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
