"""Outputs that do not wander: two builds on one machine store the same bytes."""

import os
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode, from_dict

SANITIZER = "nbval_sanitize.cfg"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
BAR = re.compile(r"\d+%\|.*\| \d+/\d+ ")  # what is left of a tqdm widget: how it began
LIBRARY_FRAME = re.compile(r"(\x1b\[[\d;]*m)*File ")  # a traceback's frame outside the notebook


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


def behind_a_blank(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Put an output without data before the others. In place of outputs that are folded JupyterLab
    shows the first one's first line, which may be the answer; nbval compares data, so not this."""
    blank = nbformat.v4.new_output("display_data")
    rest = [output for output in outputs if output != blank]
    return [blank, *rest] if rest else []


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
        if "not-stored" in cell.metadata.get("tags", []):  # texts that are not ours to pass on
            cell.outputs = []
        if cell.metadata.get("jupyter", {}).get("outputs_hidden"):
            cell.outputs = behind_a_blank(cell.outputs)
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
