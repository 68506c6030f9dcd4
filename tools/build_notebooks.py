"""Use: python tools/build_notebooks.py build | check | back   (chapters/01_x.ipynb, or its source)

A notebook is written as a py:percent file, which diffs, lints and merges like code, and shipped as
an executed .ipynb, which a reader without a kernel can see:

    chapters/_src/01_x.py    ->  chapters/01_x.ipynb
    solutions/_src/ch01_x.py ->  solutions/ch01_x/ch01_x.ipynb

build [FILES]   execute the sources, or all of them, and write the notebooks. Two builds on one
                machine write the same bytes. If a cell fails, the old notebook stays.
check [FILES]   without executing: every notebook is what `build` writes from its source, run once
                from top to bottom. Prints what is not and exits with 1.
back NOTEBOOK   carry edits that were made in Jupyter into the source. Unchanged cells keep their
                source text to the letter. Refuses what it cannot carry over, cells that would
                vanish, and sources that were edited too (--force: take the notebook's cells).

A cell's header takes tags and nbgrader's settings: `# %% tags=["nbval-ignore-output"]`.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode, from_dict

ROOT = Path(__file__).resolve().parents[1]
SANITIZER = "nbval_sanitize.cfg"
TIMINGS = "chapters/timings.json"

HEADER = re.compile(r"^# %%(?!\S)", re.MULTILINE)  # not the magic `# %%time`
KEPT_METADATA = ("jupyter", "nbgrader", "tags")  # everything else on a cell is an editor's business
RECORD = "seq2seq_course"  # notebook metadata: which source, and its fingerprint
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
BAR = re.compile(r"\d+%\|.*\| \d+/\d+ ")  # what is left of a tqdm widget: how it began
LIBRARY_FRAME = re.compile(r"(\x1b\[[\d;]*m)*File ")  # a traceback's frame outside the notebook
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class NotebookError(Exception):
    """Something a maintainer has to look at; the message names the file and says what to do."""


# ---------------------------------------------------------------- where things are


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
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


# ---------------------------------------------------------------- source -> cells


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
    return notebook


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


# ---------------------------------------------------------------- outputs that do not wander


def sanitizer(root: Path) -> list[tuple[str, str]]:
    """The replacements that nbval makes before it compares, from the same file."""
    config = root / SANITIZER
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    return re.findall(r"^regex: (.*)\nreplace: (.*)$", text, flags=re.MULTILINE)


def merge_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what arrived in pieces: how many pieces, and which of stdout and stderr came first,
    is chance. Pictures and results keep their place."""
    merged: list[NotebookNode] = []
    run: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            merged += [run[name] for name in sorted(run, reverse=True)]  # stdout, then stderr
            merged.append(output)
            run = {}
        elif output.name in run:
            run[output.name].text += output.text
        else:
            run[output.name] = output
    merged += [run[name] for name in sorted(run, reverse=True)]
    for output in merged:
        if output.output_type == "stream":  # what a terminal still shows after carriage returns
            output.text = re.sub(r"^.*\r(?=[^\n])", "", output.text, flags=re.MULTILINE)
    return merged


def without_bars(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Leave out progress bars: live they move, stored they would stand at 0 % for ever."""
    return [
        output
        for output in outputs
        if output.output_type != "display_data"
        or not BAR.search(output.get("data", {}).get("text/plain", ""))
    ]


def replace_texts(output: NotebookNode, change) -> None:
    """Apply `change` to each text of an output, in place; pictures are left alone."""
    for key in ("text", "evalue"):
        if key in output:
            output[key] = change(output[key])
    if "traceback" in output:
        output.traceback = [change(line) for line in output.traceback]
    for mime, value in output.get("data", {}).items():
        if mime.startswith("text/") and isinstance(value, str):
            output.data[mime] = change(value)


def normalise(notebook: NotebookNode, root: Path) -> NotebookNode:
    """Take out, in place, what differs between two runs although nothing changed."""
    replacements = sanitizer(root)
    folders = [str(root) + os.sep]
    if root.is_relative_to(Path.home()):  # tracebacks shorten the home folder
        folders.append(os.path.join("~", root.relative_to(Path.home()), ""))

    def without_folders(text: str) -> str:
        for folder in folders:
            text = text.replace(folder, "")
        return text

    def sanitised(text: str) -> str:
        for regex, replacement in replacements:
            text = re.sub(regex, replacement, text)
        return text

    # Widgets: their ids are random, and without a kernel they are dead. Their picture stays.
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = from_dict({"name": "python"})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the clock
        if cell.cell_type != "code":
            continue
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
        if ignored:  # elsewhere nbval would miss them
            cell.outputs = without_bars(cell.outputs)
        cell.outputs = merge_streams(cell.outputs)
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if "traceback" in output:  # the library's line numbers would go stale: keep the cell's
                output.traceback = [t for t in output.traceback if not LIBRARY_FRAME.match(t)]
            replace_texts(output, without_folders)
            if not ignored:
                replace_texts(output, sanitised)  # nbval compares it: store it as nbval sees it
    return notebook


def as_text(notebook: NotebookNode) -> str:
    """The bytes of a notebook file."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


# ---------------------------------------------------------------- build


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


# ---------------------------------------------------------------- check


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


# ---------------------------------------------------------------- back


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


# ---------------------------------------------------------------- command line


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["build", "check", "back"])
    parser.add_argument("files", nargs="*", type=Path, help="notebooks or sources; default: all")
    parser.add_argument("--force", action="store_true", help="back: the notebook's cells win")
    options = parser.parse_intermixed_args(arguments)
    # Outputs must not depend on this machine's cores and accelerator.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("SEQ2SEQ_DEVICE", "cpu")

    chosen = [source_of(file.resolve()) for file in options.files] or sources(root)
    if options.command == "back" and not options.files:
        parser.error("back needs the notebook that you edited")
    failed = 0
    for source in chosen:
        try:
            if options.command == "build":
                print(f"{shown(notebook_of(source))} ...", end=" ", flush=True)
                print(f"{build(source):.0f} s")
            elif options.command == "back":
                changed = back(source, options.force)
                print(shown(source), "written: now build it" if changed else "has these cells")
            else:
                wrong = problems(source)
                failed += bool(wrong)
                print(*wrong, sep="\n", end="\n" if wrong else "")
        except (NotebookError, FileNotFoundError) as error:
            failed += 1
            print(f"\n{error}", file=sys.stderr)
    if options.command == "check" and not options.files:
        wrong = orphans(root)
        failed += len(wrong)
        print(*wrong, sep="\n", end="\n" if wrong else "")
    if options.command == "check" and failed:
        print("Repair: python tools/build_notebooks.py build FILE (or back, if you edited in Lab)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
