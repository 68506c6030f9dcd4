"""How large a chapter is, and what in its text renders or reads otherwise than it was meant.

The limits are those of docs/authoring.md, "What a chapter measures".
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from nbformat import NotebookNode

WORDS_A_MINUTE, CODE_LINES_A_MINUTE, PREDICTIONS_A_MINUTE = 150, 12, 2
FIRST_SCREEN = 6  # cells
LAST_SECTIONS = (
    "Summary",
    "In Transformers and LLMs",
    "Further reading",
    "What this chapter asserts",
)
DRAFT = "**Draft**"
SHORT = "**short chapter**"
# What a chapter may measure, from and to; a short one where it differs. "minutes stated" is worked
# out of the minutes to read.
LIMITS: dict[str, tuple[float, float]] = {
    "cells": (60, 80),
    "words": (0, 2500),
    "lines of visible code": (0, 250),
    "numbered sections": (1, 6),
    "predictions": (0, 8),
    "asserts in the lesson": (0, 6),
    "cell of the first picture": (1, FIRST_SCREEN),
    "minutes to read": (30, 40),
    "lines of the longest output": (0, 30),
    "lines of the longest code cell": (0, 30),
}
LIMITS_OF_SHORT: dict[str, tuple[float, float]] = LIMITS | {
    "cells": (25, 30),
    "words": (0, 900),
    "lines of visible code": (0, 90),
    "numbered sections": (1, 4),
    "predictions": (0, 4),
    "asserts in the lesson": (0, 3),
    "minutes to read": (12, 18),
}
PREDICTION = re.compile(r"\*\*predict\w*\*\*", re.IGNORECASE)
EXPLORER = re.compile(r"\b(explore\w*|box)\(")
COMES_WITH_TIME = ("cells", "minutes to read", "minutes stated")
PICTURE = re.compile(r"<(svg|img)\b")
FENCE = re.compile(r"^(`{3,})([^\n]*)\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
# What begins a list, a heading, or makes a heading of the line above, although no empty line is
# before it; of the numbers only 1 can.
BEGINS_A_BLOCK = re.compile(r"(1[.)]|[-+*]|#{1,6}) |(=+|-+)\s*$")
NO_PARAGRAPH = re.compile(r"\s*$|\s|[-+*] |\d+[.)] |#{1,6} |[|>]")


@dataclass(frozen=True)
class Measure:
    """One number of a chapter, and what it may be."""

    name: str
    value: float
    low: float
    high: float
    details: tuple[str, ...] = ()

    @property
    def excess(self) -> float:
        """How far it is outside its limits; 0 inside."""
        return max(self.low - self.value, self.value - self.high, 0)

    def __str__(self) -> str:
        value = f"{self.value:.1f}".removesuffix(".0")
        limits = f"at most {self.high}" if self.low == 0 else f"{self.low} to {self.high}"
        return f"{self.name}: {value}, allowed {limits}" + "".join(
            f"\n    {d}" for d in self.details
        )


def measures(notebook: NotebookNode) -> dict[str, Measure]:
    """Everything that is measured about a built chapter, by name.

    A chapter whose first cell says "**short chapter**" has the limits of one; a chapter whose first
    cell says "**Draft**" may be shorter than its limits. All else holds for them, too.
    """
    cells = notebook.cells
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    text = "\n\n".join(prose)
    count = sum(map(words, prose))
    lines = sum(map(code_lines, shown_code(cells)))
    predictions = len(PREDICTION.findall(text))
    minutes = reading_minutes(count, lines, predictions)
    stated = stated_minutes(prose[0] if prose else "", text)
    pictures = [n for n, cell in enumerate(cells, start=1) if has_picture(cell)]
    asserts = [line for source in lesson_code(cells) for line in asserted(source)]
    longest = max((output_lines(cell) for cell in cells), default=0)
    cell = max((len(source.splitlines()) for source in shown_code(cells)), default=0)
    values: dict[str, float] = {
        "cells": len(cells),
        "words": count,
        "lines of visible code": lines,
        "numbered sections": len(re.findall(r"^## \d", text, re.MULTILINE)),
        "predictions": predictions,
        "asserts in the lesson": len(asserts),
        "cell of the first picture": pictures[0] if pictures else 999,
        "minutes to read": minutes,
        "minutes stated": stated,
        "lines of the longest output": longest,
        "lines of the longest code cell": cell,
    }
    limits = LIMITS_OF_SHORT if SHORT in (prose[0] if prose else "") else LIMITS
    limits = limits | {"minutes stated": (round(0.8 * minutes), round(1.2 * minutes))}
    found = [Measure(name, value, *limits[name]) for name, value in values.items()]
    if prose and DRAFT in prose[0]:
        found = [replace(m, low=0) if m.name in COMES_WITH_TIME else m for m in found]
    for name, faults in FAULTS.items():
        details = tuple(faults(cells))
        found.append(Measure(name, len(details), 0, 0, details))
    return {measure.name: measure for measure in found}


# Counting


def words(markdown: str) -> int:
    """The words of a markdown text that somebody reads.

    Code blocks and displayed formulas are no words, a formula inside a line is one, a link is its
    text, and signs that stand alone (list marks, table rules, dashes) are none. Words of a table
    and pieces of `inline code` between spaces count.
    """
    text = FENCE.sub(" ", markdown)
    text = re.sub(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\$[^$\n]+\$", " formula ", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"</?[a-zA-Z][^>]*>", " ", text)
    return sum(any(map(str.isalnum, word)) for word in text.split())


def code_lines(source: str) -> int:
    """Lines that are not empty; a comment is read like code."""
    return sum(bool(line.strip()) for line in source.splitlines())


def reading_minutes(words: int, code_lines: int, predictions: int) -> float:
    """The time that a chapter takes: 150 words or 12 lines a minute, half a minute a prediction."""
    return (
        words / WORDS_A_MINUTE
        + code_lines / CODE_LINES_A_MINUTE
        + predictions / PREDICTIONS_A_MINUTE
    )


def stated_minutes(*texts: str) -> int:
    """What "**Time**: about 35 minutes" says; 0 if nothing does."""
    for text in texts:
        if found := re.search(r"\*\*Time\*\*: (?:about )?(\d+) minutes", text):
            return int(found[1])
    return 0


def is_folded(cell: NotebookNode, setting: str) -> bool:
    """Whether ``outputs_hidden`` or ``source_hidden`` is set."""
    return bool(cell.metadata.get("jupyter", {}).get(setting))


def shown_code(cells: list[NotebookNode]) -> list[str]:
    """The code that a reader sees without unfolding."""
    return [c.source for c in cells if c.cell_type == "code" and not is_folded(c, "source_hidden")]


def lesson_code(cells: list[NotebookNode]) -> list[str]:
    """The code above the last section, which holds what guards against regressions."""
    above = []
    for cell in cells:
        if cell.cell_type == "markdown" and LAST_SECTIONS[-1] in headings(cell.source):
            break
        above.append(cell)
    return shown_code(above)


def asserted(source: str) -> list[str]:
    """The lines of a cell that assert."""
    return re.findall(r"^\s*assert\b.*", source, flags=re.MULTILINE)


def headings(markdown: str) -> list[str]:
    """The titles of second order."""
    return re.findall(r"^## (.+?)\s*$", FENCE.sub("", markdown), flags=re.MULTILINE)


def has_picture(cell: NotebookNode) -> bool:
    """Whether a cell shows a figure or an explorer, also without a kernel."""
    for output in cell.get("outputs", []):
        for mime, value in output.get("data", {}).items():
            if mime.startswith("image/") or PICTURE.search(str(value)):
                return True
    return False


def output_lines(cell: NotebookNode) -> int:
    """The lines of text below a cell."""
    total = 0
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        text = output.get("text", "") or (data.get("text/plain", "") if len(data) == 1 else "")
        total += len(text.splitlines())
    return total


# Faults: each function yields a sentence a fault


def at(number: int, text: str) -> str:
    """Where, and what stands there."""
    return f"cell {number}: {text.strip()[:80]}"


def missing_endings(cells: list[NotebookNode]) -> Iterator[str]:
    """The last sections, in their order; the last of all is folded; law and misconception."""
    found = [h for c in cells if c.cell_type == "markdown" for h in headings(c.source)]
    if tuple(found[-len(LAST_SECTIONS) :]) != LAST_SECTIONS:
        yield f"the last sections are {found[-len(LAST_SECTIONS) :]}, not {list(LAST_SECTIONS)}"
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    summary = text.partition("\n## Summary")[2].partition("\n## ")[0]
    if "**Law" not in summary:
        yield "the summary names no **Law**"
    if "**Common misconception**" not in summary:
        yield "the summary names no **Common misconception**"
    behind = False
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type == "markdown":
            behind = behind or LAST_SECTIONS[-1] in headings(cell.source)
        elif behind and not is_folded(cell, "source_hidden"):
            yield at(number, f"is not folded, but stands in the last section: {cell.source}")


def spoilers(cells: list[NotebookNode]) -> Iterator[str]:
    """A prediction is asked for, and its answer can be seen: the next code cell is neither folded
    nor an explorer."""
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "markdown" or not PREDICTION.search(cell.source):
            continue
        answer = next((c for c in cells[number:] if c.cell_type == "code"), None)
        if answer is None or not (
            is_folded(answer, "outputs_hidden") or EXPLORER.search(answer.source)
        ):
            asking = (line for line in cell.source.splitlines() if PREDICTION.search(line))
            yield at(number, next(asking))


def accidental_blocks(cells: list[NotebookNode]) -> Iterator[str]:
    """A wrapped line of a paragraph that begins like a list or a heading, and becomes one."""
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "markdown":
            continue
        before = ""
        for line in FENCE.sub("", cell.source).splitlines():
            if not NO_PARAGRAPH.match(before) and BEGINS_A_BLOCK.match(line):
                yield at(number, line)
            before = line


def linter_comments(cells: list[NotebookNode]) -> Iterator[str]:
    """A learner sees a comment to a linter."""
    for number, cell in enumerate(cells, start=1):
        for line in cell.source.splitlines():
            if cell.cell_type == "code" and re.search(r"# (noqa|fmt:|type: ignore)", line):
                yield at(number, line)


def false_python(cells: list[NotebookNode]) -> Iterator[str]:
    """A block that is marked as Python and is none: pseudocode takes a fence without a name."""
    for number, cell in enumerate(cells, start=1):
        if cell.cell_type != "markdown":
            continue
        for _, language, code in FENCE.findall(cell.source):
            try:
                if language.strip() == "python":
                    ast.parse(code)
            except SyntaxError:
                yield at(number, code)


FAULTS: dict[str, Callable[[list[NotebookNode]], Iterator[str]]] = {
    "missing endings": missing_endings,
    "answers in sight of their question": spoilers,
    "lists and headings by accident": accidental_blocks,
    "comments to a linter": linter_comments,
    "pseudocode marked as python": false_python,
}
