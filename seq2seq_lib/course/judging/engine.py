"""``check``, ``grade``, ``hint``, ``solution``: what a notebook calls."""

import inspect
import os
from typing import Any

from seq2seq_lib.course.judging import notes, sandbox, texts
from seq2seq_lib.course.judging.exercise import CORRECT, NOT_ATTEMPTED, Exercise, Finding, find
from seq2seq_lib.course.judging.probes import fresh_generator
from seq2seq_lib.course.judging.report import Report

# nbgrader sets it to "autograde" or "validate" while it runs a submission
GRADING = "NBGRADER_EXECUTION"


def check(id: str, answer: Any) -> None:
    """Judge an answer and say what was found. Returns nothing, so a cell may end with it.

    Shows one message: correct, wrong with the reason, error, or not attempted. Under nbgrader
    (``NBGRADER_EXECUTION`` is set) it is ``grade``.

    Args:
        id: the exercise, ``"4.2"``.
        answer: the learner's function, uncalled; or a letter.

    Raises:
        ValueError: no exercise has this id.
        AssertionError: under nbgrader, unless the answer is correct.
    """
    if os.environ.get(GRADING):
        grade(id, answer)
        return
    report, finding = judge(id, answer)
    notes.record(id, finding.state)
    report.show()


def grade(id: str, answer: Any) -> None:
    """``check`` for hidden tests: anything but a correct answer raises, with the same text.

    A correct answer prints its message to stdout. Nothing is ever written to stderr: one line there
    costs all points.
    """
    report, finding = judge(id, answer)
    if finding.state != CORRECT:
        raise AssertionError(report.text)
    report.print()


def hint(id: str, level: int = 1) -> None:
    """Level 1 asks about shapes, 2 names the call, 3 shows a skeleton with blanks."""
    exercise = find(id)
    hints = texts.of(id)["hints"]
    if not isinstance(level, int) or level not in range(1, len(hints) + 1):
        raise ValueError(f"level must be 1 to {len(hints)}, but it is {level!r}.")
    more = texts.say("more_hints", id=id, level=level + 1) if level < len(hints) else ""
    text, _, code = hints[level - 1].partition("\n\n")
    lines = tuple(("", line) for line in (text, more) if line)
    heading = texts.say("hint", id=id, title=exercise.title, level=level, levels=len(hints))
    Report("", heading, lines, code).show()


def solution(id: str) -> None:
    """Show the reference's source and why it is right; noted as assisted in the progress file."""
    exercise = find(id)
    if not os.environ.get(GRADING):
        notes.record(id, assisted=True)
    code = inspect.getsource(exercise.reference) if callable(exercise.reference) else ""
    heading = texts.say("solution", id=id, title=exercise.title)
    letter = "" if code else texts.say("letter", letter=exercise.reference)
    lines = tuple(("", line) for line in (texts.of(id)["solution"], letter) if line)
    Report("", heading, lines, code).show()


def judge(id: str, answer: Any, seed: int | None = None) -> tuple[Report, Finding]:
    """What ``check`` finds, and how it says so.

    Args:
        seed: of the probes; drawn anew at each call when left out.
    """
    exercise = find(id)
    with sandbox.no_trace(answer):
        finding = exercise.task.judge(answer, fresh_generator(seed))
    return _report(exercise, finding), finding


def _report(exercise: Exercise, finding: Finding) -> Report:
    state = texts.say(finding.state)
    heading = texts.say("heading", id=exercise.id, title=exercise.title, state=state)
    facts = finding.facts or {}
    if finding.state == CORRECT:
        lines = [("", texts.of(exercise.id)["correct"].format(**facts))]
    elif finding.state == NOT_ATTEMPTED:
        lines = [("", texts.say(f"{finding.name}_left", **facts))] if finding.name else []
        lines.append(("", texts.say("what_now", id=exercise.id, minutes=exercise.minutes)))
    else:
        meaning, question = texts.finding(exercise.id, finding.name, facts.get("kind", ""))
        lines = [
            (texts.say("fed"), finding.fed),
            (texts.say("raised" if finding.state == "error" else "came_back"), finding.came_back),
            (texts.say("printed"), _first_lines(finding.printed)),
            (texts.say("meaning"), meaning.format(**facts)),
            (texts.say("question"), question.format(**facts)),
        ]
    return Report(finding.state, heading, tuple((a, b) for a, b in lines if b))


def _first_lines(printed: str, count: int = 4) -> str:
    lines = printed.strip().splitlines()
    return "\n".join(lines[:count] + ["..."] * (len(lines) > count))
