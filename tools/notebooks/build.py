"""Execute a source and write its notebook; check, without executing, that it was done."""

import json
import time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from notebooks.cells import KERNEL, cell_content, read_source
from notebooks.normalise import as_text, normalise
from notebooks.paths import (
    NotebookError,
    course_of,
    notebook_of,
    shown,
    sources,
    write_atomically,
)

TIMINGS = "chapters/timings.json"


def execute(source: Path) -> NotebookNode:
    """Run a source from top to bottom in a fresh kernel; an error names the cell."""
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
        client.execute()
    except Exception as error:  # the cell's own error, a dead kernel, a timeout
        cell = notebook.cells[running["cell"]]
        stored = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        reason = f"{stored[-1].ename}: {stored[-1].evalue}" if stored else repr(error)
        raise NotebookError(
            f"{shown(source)}: cell {running['cell'] + 1} failed with {reason}\n"
            f"    {cell.source.strip().splitlines()[0]}\n"
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
    normalise(notebook, course_of(source))
    nbformat.validate(notebook)
    write_atomically(target, as_text(notebook))
    record_seconds(source, seconds)
    return seconds


def record_seconds(source: Path, seconds: float) -> None:
    """Keep the measured seconds for README's table. A difference under a fifth, or under three
    seconds, is the machine's mood and not worth a changed file."""
    path = course_of(source) / TIMINGS
    timings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    name = shown(notebook_of(source))
    known = timings.get(name)
    if known is not None and abs(seconds - known) <= max(3, 0.2 * known):
        return
    timings[name] = max(1, round(seconds))
    write_atomically(path, json.dumps(timings, indent=1, sort_keys=True) + "\n")


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
    if notebook.metadata != expected.metadata:
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
