"""Carry edits that were made in Jupyter into the source."""

import re
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from notebooks.cells import (
    HEADER,
    RECORD,
    cell_content,
    fingerprint,
    folded_by_tag,
    parse,
    read_source,
)
from notebooks.paths import NotebookError, notebook_of, shown, source_of, write_atomically


def chunks(text: str) -> list[str]:
    """Cut a source into the texts of its cells, blank lines at the end included."""
    return re.split(f"(?={HEADER.pattern})", text, flags=re.MULTILINE)[1:]


def cell_text(cell: NotebookNode) -> str:
    """One cell as py:percent, with one empty line after it."""
    kind, source, metadata = cell_content(cell)
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    alone = nbformat.v4.new_notebook(cells=[make(source, metadata=metadata)])
    alone.metadata["jupytext"] = {"notebook_metadata_filter": "-all"}  # no header in our sources
    return jupytext.writes(alone, fmt="py:percent").strip("\n") + "\n\n"


def back(path: Path, force: bool = False) -> bool:
    """Carry a notebook's cells into its source; True if the source changed."""
    source, target = source_of(path), notebook_of(source_of(path))
    edited = nbformat.reads(target.read_text(encoding="utf-8"), as_version=4)
    # Who opens a folded output in Jupyter reads, and edits nothing: the tag decides.
    edited.cells = [folded_by_tag(cell) for cell in edited.cells]
    for position, cell in enumerate(edited.cells, start=1):
        cell.source = cell.source.strip("\n")  # empty lines at a cell's ends separate cells here
        if cell.cell_type == "raw" or cell.get("attachments") or not cell.source.strip():
            raise NotebookError(
                f"{shown(target)}: cell {position} is raw, empty or holds a pasted picture, which "
                "a source cannot hold: change or delete it"
            )

    text, old = "", []
    if source.exists():
        text, old = source.read_text(encoding="utf-8"), read_source(source).cells
    if [cell_content(c) for c in old] == [cell_content(c) for c in edited.cells]:
        return False
    built_from = edited.metadata.get(RECORD, {}).get("cells")
    if old and fingerprint(old) != built_from and not force:
        raise NotebookError(
            f"{shown(source)} was edited after {shown(target)} was built from it: going back would "
            "undo that. Merge by hand and build, or use --force to take the notebook's cells"
        )
    here = {cell.get("id") for cell in edited.cells}
    lost = [cell for cell in old if cell.id not in here]
    if lost and not force:
        firsts = "\n".join(f"    {cell.source.splitlines()[0]}" for cell in lost)
        raise NotebookError(
            f"{shown(target)}: {len(lost)} cells of {shown(source)} are missing here. If you "
            f"deleted them on purpose, use --force:\n{firsts}"
        )

    known = {cell.id: (cell_content(cell), t) for cell, t in zip(old, chunks(text), strict=True)}
    new = ""
    for cell in edited.cells:
        content, written = known.get(cell.get("id"), (None, ""))
        piece = written if content == cell_content(cell) else cell_text(cell)
        new += piece if piece.endswith("\n") else piece + "\n"  # a last line without its end
    new = new.rstrip("\n") + "\n"

    # Believe the text only if it reads back as the same cells.
    again = parse(new, f"{shown(target)} as a source").cells
    if [cell_content(c) for c in again] != [cell_content(c) for c in edited.cells]:
        raise NotebookError(f"{shown(target)}: would read back differently; nothing was written")
    write_atomically(source, new)
    return True
