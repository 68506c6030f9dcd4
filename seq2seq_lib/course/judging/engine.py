"""``check``, ``grade``, ``hint``, ``solution`` of one exercise."""

import os
from typing import Any

from seq2seq_lib.course.judging import (
    attempts,
    edition,
    error_kinds,
    limits,
    own_work,
    progress_file,
    sandbox,
)
from seq2seq_lib.course.judging.exercise import (
    CORRECT,
    ERROR,
    NOT_ATTEMPTED,
    PARTLY,
    Exercise,
    Finding,
)
from seq2seq_lib.course.judging.probes import fresh_generator
from seq2seq_lib.course.judging.report import Report
from seq2seq_lib.course.judging.source import to_paste
from seq2seq_lib.course.judging.words import prose, say

# nbgrader sets it to "autograde" or "validate" while it runs a submission
GRADING = "NBGRADER_EXECUTION"


class NotCorrect(AssertionError):
    """An answer that earns nothing. Where a notebook shows it, it is the message alone."""

    def _render_traceback_(self) -> list[str]:  # asked for by IPython
        return str(self).splitlines()


def check(exercise: Exercise, answer: Any) -> float | None:
    """Judge an answer and show one message; under nbgrader it is ``grade``.

    Returns:
        None in a notebook, so that a cell may end with it; under nbgrader what ``grade`` does.

    Raises:
        NotCorrect: under nbgrader, if the answer earns nothing.
    """
    if os.environ.get(GRADING):
        return grade(exercise, answer)
    report, finding = judge_submission(exercise, answer)
    progress_file.record(exercise.id, finding.state)
    report.show()
    return None


def grade(exercise: Exercise, answer: Any) -> float | None:
    """Judge an answer for points, with the same message.

    nbgrader reads a cell like this: an error is no points, a number as the cell's value is so many,
    anything else is all. Nothing is ever written to stderr: one line there costs all points.

    Returns:
        None for a correct answer, the points for one that is correct in part.

    Raises:
        NotCorrect: the answer earns nothing. It holds the message; else stdout does.
    """
    report, finding = judge_submission(exercise, answer)
    if finding.state not in (CORRECT, PARTLY):
        raise NotCorrect(report.text)
    report.print()
    return finding.earned if finding.state == PARTLY else None


def hint(exercise: Exercise, level: int) -> None:
    """Level 1 asks about shapes, 2 names the call, 3 shows a skeleton with blanks."""
    hints = exercise.words.hints
    if not isinstance(level, int) or level not in range(1, len(hints) + 1):
        raise ValueError(f"level must be 1 to {len(hints)}, but it is {level!r}.")
    chosen = hints[level - 1]
    more = say("more_hints", id=exercise.id, level=level + 1) if level < len(hints) else ""
    lines = tuple(("", line) for line in (chosen.words, more) if line)
    heading = say("hint", id=exercise.id, title=exercise.title, level=level, levels=len(hints))
    Report("", heading, lines, chosen.code).show()


def solution(exercise: Exercise) -> None:
    """Show the reference's source and why it is right; noted as assisted in the progress file."""
    heading = say("solution", id=exercise.id, title=exercise.title)
    if why := edition.closed(exercise.points):
        Report("", heading, (("", why),)).show()
        return
    edition.open_sources()
    if not os.environ.get(GRADING):
        progress_file.record(exercise.id, assisted=True)
    code = to_paste(exercise.reference) if callable(exercise.reference) else ""
    words = prose(edition.unpack(exercise.words.solution))
    letter = "" if code else say("letter", letter=exercise.reference)
    lines = tuple(("", line) for line in (words, letter) if line)
    Report("", heading, lines, code).show()


def judge(exercise: Exercise, answer: Any, seed: int | None = None) -> tuple[Report, Finding]:
    """What ``check`` finds, and how it says so.

    Args:
        seed: of the probes; drawn anew at each call when left out.
    """
    seconds = limits.seconds()
    try:
        with sandbox.no_trace(answer), limits.within(seconds):
            finding = exercise.task.judge(answer, fresh_generator(seed))
    except Exception:
        raise  # the engine's own fault: what the answer raises does not come so far
    except BaseException as error:  # the stop button; an exit() inside a law
        names = {KeyboardInterrupt: "stopped", limits.OutOfTime: "out_of_time"}
        name = names.get(type(error), "raised")
        facts = {"kind": error_kinds.kind(error), "seconds": f"{seconds:g}"}
        finding = Finding(ERROR, name, came_back=sandbox.last_line(error), facts=facts)
    return _report(exercise, finding), finding


def judge_submission(exercise: Exercise, answer: Any) -> tuple[Report, Finding]:
    """``judge`` for what a learner hands in: neither the library's functions nor the answers."""
    if none := attempts.of_the_library(answer):
        return _report(exercise, none.finding), none.finding
    with own_work.watching(exercise, answer) as called:
        report, finding = judge(exercise, answer)
    if called:
        finding = attempts.Unattempted("borrowed", called[0]).finding
        report = _report(exercise, finding)
    return report, finding


def _report(exercise: Exercise, finding: Finding) -> Report:
    facts = finding.facts or {}
    heading = say(
        "heading",
        id=exercise.id,
        title=exercise.title,
        state=say(finding.state, **facts),
    )
    if finding.state == CORRECT:
        lines = [("", exercise.words.correct.format(**facts))]
    elif finding.state == NOT_ATTEMPTED:
        lines = [("", say(f"{finding.name}_left", **facts))] if finding.name else []
        lines.append(("", say("what_now", id=exercise.id, minutes=exercise.minutes)))
    else:
        message = exercise.words.message(finding.name, facts)
        lines = [
            (say("fed"), finding.fed),
            (say("raised" if finding.state == ERROR else "came_back"), finding.came_back),
            (say("printed"), _first_lines(finding.printed)),
            (say("points"), _points(facts)),
            (say("meaning"), message.means.format(**facts)),
            (say("question"), message.asks.format(**facts)),
        ]
    return Report(finding.state, heading, tuple((a, b) for a, b in lines if b))


def _points(facts: dict[str, str]) -> str:
    if "earned" not in facts:  # all or nothing
        return ""
    return say("points_none" if facts["earned"] == "0" else "points_so_far", **facts)


def _first_lines(printed: str, count: int = 4) -> str:
    lines = printed.strip().splitlines()
    return "\n".join(lines[:count] + ["..."] * (len(lines) > count))
