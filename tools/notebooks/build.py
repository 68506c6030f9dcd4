"""Execute a source and write its notebook; check, without executing, that it was done."""

import json
import os
import re
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.cells import KERNEL, SECONDS, cell_content, read_source
from notebooks.normalise import as_text, normalise
from notebooks.paths import (
    NotebookError,
    course_of,
    notebook_of,
    shown,
    sources,
    write_atomically,
)


def execute(source: Path) -> NotebookNode:
    """Run a source from top to bottom in a fresh kernel; an error names the cell.

    What is stored is the same on each machine, so the kernel is told of no folder with corpora.
    """
    from nbclient import NotebookClient

    notebook = read_source(source)
    running = {"cell": 0}
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name=KERNEL["name"],
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],  # not one line about TCP for every kernel
        resources={"metadata": {"path": str(notebook_of(source).parent)}},
        on_cell_start=lambda cell, cell_index: running.update(cell=cell_index),
    )
    try:
        client.execute(env={k: v for k, v in os.environ.items() if k != "SEQ2SEQ_DATA_DIR"})
    except Exception as error:  # the cell's own error, a dead kernel, a timeout
        cell = notebook.cells[running["cell"]]
        stored = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        reason = f"{stored[-1].ename}: {stored[-1].evalue}" if stored else repr(error)
        number = failing_line(stored[-1].traceback) if stored else 1
        line = [*cell.source.splitlines(), ""][number - 1].strip()
        raise NotebookError(
            f"{shown(source)}: cell {running['cell'] + 1}, line {number} failed with {reason}\n"
            f"    {line}\n"
            f"    {shown(notebook_of(source))} was left as it was"
        ) from error
    return notebook


def build(source: Path) -> float:
    """Execute a source and write its notebook; returns the seconds it took."""
    target = notebook_of(source)
    target.parent.mkdir(parents=True, exist_ok=True)  # the kernel runs in this folder
    started = time.perf_counter()
    notebook = execute(source)
    seconds = time.perf_counter() - started
    if target.parent.name == "chapters":  # README's table shows how long they run
        notebook.metadata[SECONDS] = seconds_to_keep(seconds, recorded_seconds(target))
    normalise(notebook, course_of(source))
    nbformat.validate(notebook)
    write_atomically(target, as_text(notebook))
    return seconds


def failing_line(traceback: list[str]) -> int:
    """The line of the cell at which an error began; 1 if the traceback does not say."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(traceback))
    found = re.search(r"^\s*(?:File )?Cell In\[\d+\], line (\d+)", plain, flags=re.MULTILINE)
    return int(found[1]) if found else 1


def recorded_seconds(notebook: Path) -> int | None:
    """What the last build of a notebook took; None if there was none."""
    if not notebook.exists():
        return None
    return json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get(SECONDS)


def seconds_to_keep(seconds: float, known: int | None) -> int:
    """The seconds that a build writes down. A difference under a fifth, or under three seconds, is
    the machine's mood and not worth a changed file."""
    if known is not None and abs(seconds - known) <= max(3, 0.2 * known):
        return known
    return max(1, round(seconds))


def problems(source: Path) -> list[str]:
    """Everything in which a notebook is not what `build` would write; empty when all is well."""
    target = notebook_of(source)
    try:
        expected = read_source(source)
    except NotebookError as error:
        return [str(error)]
    if not target.exists():
        return [f"{shown(target)}: not built yet"]
    text = target.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)

    found = []
    if [cell_content(c) for c in notebook.cells] != [cell_content(c) for c in expected.cells]:
        found.append("its cells are not those of its source")
    if [c.get("id") for c in notebook.cells] != [c.id for c in expected.cells]:
        found.append("its cell ids are not those that build gives")
    written = {key: value for key, value in notebook.metadata.items() if key != SECONDS}
    if written != expected.metadata:
        found.append("its metadata is not what build writes")

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    runs = [cell.execution_count for cell in code]
    if runs != list(range(1, len(code) + 1)):
        found.append(f"its execution counts are {runs}: not run once from top to bottom")
    for number, cell in enumerate(code, start=1):
        results = [o.execution_count for o in cell.outputs if "execution_count" in o]
        if any(count != cell.execution_count for count in results):
            found.append(f"code cell {number} is run {cell.execution_count}, its output {results}")
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised and "raises-exception" not in cell.metadata.get("tags", []):
            found.append(f"code cell {number} stores an error but has no tag raises-exception")
    if not found and as_text(normalise(notebook, course_of(source))) != text:
        found.append("saved by something else than build: widgets, clocks or another layout")
    return [f"{shown(target)}: {what}" for what in found]


def orphans(root: Path) -> list[str]:
    """Notebooks that no source makes."""
    notebooks = sorted(root.glob("chapters/*.ipynb")) + sorted(root.glob("solutions/*/*.ipynb"))
    made = {notebook_of(source) for source in sources(root)}
    return [f"{shown(n)}: no source makes this notebook" for n in notebooks if n not in made]
