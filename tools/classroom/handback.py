"""What goes back: a page for each learner, and one table for the teacher.

The page has the words of the checks, the learner's own answers as text, points by exercise, and
the teacher's comments. Nothing in it runs, and nothing of a hidden cell or of a path is in it.
"""

import csv
import html
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbgrader.preprocessors import NbGraderPreprocessor

from classroom.collect import safe
from classroom.mend import id_of, settings
from seq2seq_lib._files import write_whole

PATHS = re.compile(r"(?P<link>https?://\S+)|(?<![\w.])(?:/[\w.+-]+){2,}/?|[A-Z]:\\[\w\\. -]+")
COLOURS = re.compile(r"\x1b\[[\d;]*m")
SHOWN = ("text/plain", "image/png", "image/jpeg")  # of outputs; all else could be live
STYLE = """body{font:16px/1.5 sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.2rem .8rem;border-bottom:1px solid #ccc;
text-align:left}td:last-child{text-align:right}pre{background:#f5f5f5;padding:.6rem;
overflow-x:auto;white-space:pre-wrap}.note{border-left:4px solid #0072b2;padding-left:.8rem}"""


@dataclass(frozen=True)
class Part:
    """One graded cell: an exercise, or the part of one that a person grades.

    Attributes:
        cell: its grade_id.
        id, title: of the exercise.
        points: at most.
        bonus: whether all points of the course can be had without it.
    """

    cell: str
    id: str
    title: str
    points: float
    bonus: bool


def parts_of(nb: Any) -> list[Part]:
    """The graded cells of a notebook that have points, in order."""
    found = []
    for cell in nb.cells:
        flags = settings(cell)
        if flags.get("grade") and flags.get("points"):
            id = exercise_id(flags["grade_id"])
            manual = bool(flags.get("solution"))
            found.append(Part(id_of(cell), id, _title(id), float(flags["points"]), manual))
    return found


def exercise_id(cell: str) -> str:
    """``"4.5a"`` of ``"check-4-5a"``."""
    return ".".join(cell.split("-")[1:3]) or cell


def _title(id: str) -> str:
    from seq2seq_lib.course import find

    try:
        return find(id).title
    except ValueError:
        return ""


def harmless(nb: Any) -> Any:
    """The notebook with outputs and texts that run nothing, in place: for a teacher's browser."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                if "data" in output:
                    data = {kind: output.data[kind] for kind in SHOWN if kind in output.data}
                    output.data = type(output.data)(data or {"text/plain": "(not shown)"})
                    output.metadata = type(output.data)()
        elif not settings(cell).get("locked"):
            cell.source = _no_tags(cell.source)
            cell.pop("attachments", None)
    return nb


class Harmless(NbGraderPreprocessor):
    """``harmless`` as a step of nbgrader's autograde."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        return harmless(nb), resources


def _no_tags(text: str) -> str:
    pieces = re.split(r"(```.*?```|`[^`\n]*`)", text, flags=re.DOTALL)
    pieces[::2] = [re.sub(r"<(?=[A-Za-z/!?])", "&lt;", piece) for piece in pieces[::2]]
    return re.sub(r"(?i)(java|vb)script:", r"\1script :", "".join(pieces))


def page(nb: Any, score_of: dict[str, float | None], comments: dict[str, str]) -> str:
    """The feedback on one notebook.

    Args:
        nb: as autograded.
        score_of: points by grade_id; None where a person has not graded yet.
        comments: of the teacher, by grade_id.
    """
    parts = parts_of(nb)
    said = {id_of(cell): _said(cell) for cell in nb.cells if settings(cell).get("grade")}
    regular = [part for part in parts if not part.bonus]
    total = sum(score_of.get(part.cell) or 0 for part in regular)
    most = sum(part.points for part in regular)
    bonus = [part for part in parts if part.bonus]
    rows = "".join(
        f"<tr><td>{part.id}</td><td>{html.escape(part.title)}{' (bonus)' * part.bonus}</td>"
        f"<td>{_points(score_of.get(part.cell))} of {part.points:g}</td></tr>"
        for part in parts
    )
    lines = [f"<p><b>{total:g} of {most:g} points</b>"]
    if bonus:
        given = [score_of.get(part.cell) for part in bonus]
        lines.append(
            ", and bonus: " + (_points(None) if None in given else f"{sum(filter(None, given)):g}")
        )
    body = [f"<table>{rows}</table>", "".join(lines) + "</p>"]
    answers = _answers(nb)
    for part in parts:
        body.append(f"<h2 id='{part.cell}'>{part.id} {html.escape(part.title)}</h2>")
        body.append(f"<p>{_points(score_of.get(part.cell))} of {part.points:g} points</p>")
        words = said.get(f"check-{part.id.replace('.', '-')}" if part.bonus else part.cell, "")
        body.append(f"<pre>{html.escape(words)}</pre>" if words else "")
        for id, source in answers.get(part.cell, ()):
            body.append(f"<p>Your answer:</p><pre>{html.escape(source)}</pre>")
            if comments.get(id):
                body.append(f"<p class='note'>{html.escape(comments[id])}</p>")
    heading = html.escape(_heading(nb))
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{heading}</title>"
        f"<style>{STYLE}</style></head><body><h1>{heading}</h1>{''.join(body)}</body></html>\n"
    )


def _points(score: float | None) -> str:
    return "not graded yet" if score is None else f"{score:g}"


def _heading(nb: Any) -> str:
    for cell in nb.cells:
        if found := re.match(r"# (.+)", cell.source):
            return found[1]
    return "Feedback"


def _said(cell: Any) -> str:
    """What a check wrote, without colours and paths."""
    pieces = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and output.name == "stdout":
            pieces.append(_only_the_check(output.text))
        elif output.output_type == "error":
            pieces.append(output.evalue)
    text = COLOURS.sub("", "\n".join(pieces))
    return PATHS.sub(lambda found: found["link"] or "(a file)", text).strip()


def _only_the_check(text: str) -> str:
    """The message: what hidden lines print after it is for the teacher."""
    kept: list[str] = []
    for line in text.splitlines():
        if kept and not line.startswith("  "):
            break
        kept.append(line)
    return "\n".join(kept)


def _answers(nb: Any) -> dict[str, list[tuple[str, str]]]:
    """By graded cell: the answer cells since the graded cell before it."""
    found: dict[str, list[tuple[str, str]]] = {}
    since: list[tuple[str, str]] = []
    for cell in nb.cells:
        flags = settings(cell)
        if flags.get("solution") or re.match(r"letter_\w+ = ", cell.source):
            since.append((id_of(cell) or "", cell.source))
        if flags.get("grade"):
            found[id_of(cell)] = since
            since = []
    return found


class FeedbackPage(HTMLExporter):
    """nbgrader's feedback, with this page in place of its own."""

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        from nbgrader.api import Gradebook

        resources = self._init_resources(resources)
        of = resources["nbgrader"]
        with Gradebook(of["db_url"]) as gradebook:
            given = gradebook.find_submission_notebook(
                of["notebook"], of["assignment"], of["student"]
            )
            scores = {
                grade.cell.name: None if waits(grade) else grade.score for grade in given.grades
            }
            # nbgrader's own "No response." would stand there as if a teacher had written it
            comments = {c.cell.name: c.manual_comment or "" for c in given.comments}
        resources["output_extension"] = ".html"
        return page(nb, scores, comments), resources


def waits(grade: Any) -> bool:
    """Whether a person has to give these points first."""
    return grade.manual_score is None and (grade.needs_manual_grade or grade.auto_score is None)


# ---------------------------------------------------------------- the table

NOTHING, FAILED, EMPTY, WAITS, GRADED = (
    "nothing handed in",
    "could not be graded",
    "handed in without an answer",
    "not graded yet",
    "graded",
)


@dataclass
class Row:
    """One learner, one chapter."""

    student: str
    assignment: str
    state: str
    points: float | None = None
    of: float = 0
    bonus: float | None = None
    bonus_of: float = 0
    look: list[str] = field(default_factory=list)

    @property
    def percent(self) -> str:
        """Without the bonus; with it 100 can be passed, and the teacher says what that means."""
        return "" if self.points is None or not self.of else f"{100 * self.points / self.of:.1f}"


def rows(gradebook: Any, notes: dict[str, dict], roster: list[str]) -> list[Row]:
    """Every learner with every released chapter.

    Args:
        notes: by assignment, by student: what ``grade`` noted.
        roster: learners who must stand in the table, whether they handed in or not; names as
            people write them.
    """
    found = []
    known = {student.id for student in gradebook.students} | {safe(name) for name in roster}
    for assignment in sorted(gradebook.assignments, key=lambda a: a.name):
        given = {s.student.id: s for s in gradebook.assignment_submissions(assignment.name)}
        noted = notes.get(assignment.name, {})
        for student in sorted(known | noted.keys()):
            note = noted.get(student, {})
            row = Row(student, assignment.name, NOTHING, look=note.get("look", []))
            if note.get("failed"):
                row.state, row.look = FAILED, [note["failed"], *row.look]
            elif student in given:
                _fill(row, given[student], note)
            found.append(row)
    return found


def _fill(row: Row, submission: Any, note: dict) -> None:
    grades = [grade for book in submission.notebooks for grade in book.grades]
    if not grades:
        return
    by_hand = {g.cell.name for g in grades if g.cell.cell_type == "markdown"}
    regular = [g for g in grades if g.cell.name not in by_hand]
    bonus = [g for g in grades if g.cell.name in by_hand]
    row.points, row.of = sum(g.score for g in regular), sum(g.max_score for g in regular)
    row.bonus_of = sum(g.max_score for g in bonus)
    waiting = any(waits(g) for g in bonus)
    row.bonus = None if waiting else sum(g.score for g in bonus)
    row.state = EMPTY if note.get("empty") else WAITS if waiting else GRADED


UTF8_MARK = "\ufeff"
COLUMNS = ("student", "chapter", "state", "points", "of", "percent", "bonus", "bonus_of", "look")


def write_table(rows: list[Row], path: Path) -> None:
    """As CSV; a cell that a spreadsheet would take for a formula is quoted as text.

    It starts with a mark that it is UTF-8, without which Excel garbles names.
    """
    table = io.StringIO(newline="")
    out = csv.writer(table)
    out.writerow(COLUMNS)
    for row in rows:
        numbers = [_number(row.points), _number(row.of), row.percent]
        numbers += ["not graded yet" if row.state == WAITS else _number(row.bonus)]
        cells = [row.student, row.assignment, row.state, *numbers, _number(row.bonus_of)]
        out.writerow([_as_text(str(cell)) for cell in [*cells, " | ".join(row.look)]])
    write_whole(path, UTF8_MARK + table.getvalue())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t") else cell


def notes_in(folder: Path) -> dict[str, dict]:
    """What ``grade`` noted, by assignment and student."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
    return found
