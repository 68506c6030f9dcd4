"""Sources in py:percent format, and the cells that they make."""

import hashlib
import json
import re
from pathlib import Path

import jupytext
from nbformat import NotebookNode, from_dict

from notebooks.paths import NotebookError, course_of, shown

HEADER = re.compile(r"^# %%(?!\S)", re.MULTILINE)  # not the magic `# %%time`
KEPT_METADATA = ("jupyter", "nbgrader", "tags")  # everything else on a cell is an editor's business
# A folded cell: JupyterLab folds by the settings, the site by the tag. nbval compares all the same.
FOLDS = {
    "hide-output": {"outputs_hidden"},
    "hide-input": {"source_hidden"},
    "hide-cell": {"outputs_hidden", "source_hidden"},
}
RECORD = "seq2seq_course"  # notebook metadata: which source, and its fingerprint
SECONDS = "seq2seq_seconds"  # likewise: what a chapter takes to run, measured by its last builds
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def cell_content(cell: NotebookNode) -> list:
    """What a person writes in a cell: its type, its text, its tags and grading settings."""
    metadata = {key: cell.metadata[key] for key in KEPT_METADATA if key in cell.metadata}
    return [cell.cell_type, cell.source, metadata]


def fingerprint(cells: list[NotebookNode]) -> str:
    """Changes when, and only when, the content or the order of the cells changes."""
    content = json.dumps([cell_content(cell) for cell in cells], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def parse(text: str, name: str) -> NotebookNode:
    """Turn py:percent text into cells, and refuse what would not come back from a notebook."""
    notebook = jupytext.reads(text, fmt="py:percent")
    headers = len(HEADER.findall(text))
    if not text.startswith("# %%") or headers != len(notebook.cells):
        raise NotebookError(
            f"{name}: every cell starts with its own line '# %%', the first one on line 1, and no "
            f"other line starts so, but {headers} such lines make {len(notebook.cells)} cells"
        )
    for position, cell in enumerate(notebook.cells, start=1):
        editor_only = {"cell_marker", "lines_to_next_cell", "title"}  # jupytext's own notes
        unknown = set(cell.metadata) - set(KEPT_METADATA) - editor_only
        if unknown or not cell.source.strip() or cell.cell_type not in ("code", "markdown"):
            what = f"unknown settings {sorted(unknown)}" if unknown else "empty, or of another type"
            raise NotebookError(
                f"{name}: cell {position} is {what}; cells are code or '[markdown]', not empty, "
                f"with settings among {list(KEPT_METADATA)}"
            )
        cell.metadata = from_dict(cell_content(cell)[2])
        if cell.metadata != folded_by_tag(cell).metadata:
            raise NotebookError(
                f"{name}: cell {position} is folded by its tag or by its settings alone, and takes "
                'both: # %% tags=["hide-output"] jupyter={"outputs_hidden": true}. Likewise '
                "hide-input with source_hidden, and hide-cell with both settings"
            )
    return notebook


def folded_by_tag(cell: NotebookNode) -> NotebookNode:
    """A copy of a cell whose settings fold what its tags ask for, and nothing else."""
    tags = cell.metadata.get("tags", [])
    wanted = set().union(*(FOLDS.get(tag, set()) for tag in tags))
    settings = {
        key: value
        for key, value in cell.metadata.get("jupyter", {}).items()
        if key not in FOLDS["hide-cell"]
    } | dict.fromkeys(sorted(wanted), True)
    copy = from_dict(cell)
    copy.metadata.pop("jupyter", None)
    if settings:
        copy.metadata["jupyter"] = from_dict(settings)
    return copy


def read_source(source: Path) -> NotebookNode:
    """The notebook of a source, without outputs."""
    notebook = parse(source.read_text(encoding="utf-8"), shown(source))
    # At most 64 letters, digits, - and _. From name and position: the same in every build.
    name = re.sub(r"[^\w-]", "-", source.stem, flags=re.ASCII)[:60]
    for position, cell in enumerate(notebook.cells):
        cell["id"] = f"{name}-{position:02d}"
    notebook.metadata = from_dict(
        {
            "kernelspec": KERNEL,
            "language_info": {"name": "python"},
            RECORD: {
                "source": source.relative_to(course_of(source)).as_posix(),
                "cells": fingerprint(notebook.cells),
            },
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook
