"""Feedback on exercises: at once in a notebook, and as points in nbgrader.

``check("4.2", length_mask)`` says what is right or wrong with an answer, and why;
``hint("4.2", level=1)`` asks, ``solution("4.2")`` shows. Under nbgrader ``check`` raises unless the
answer is correct; ``grade`` always does. ``exercises("4")`` and ``points("4.2")`` tell what there
is, ``progress("4")`` what a learner did. Nothing is trained, sent or downloaded.
"""

from seq2seq_lib.checks import chapter04, chapter07  # noqa: F401  they fill the register
from seq2seq_lib.checks.engine import check, grade, hint, solution
from seq2seq_lib.checks.exercise import Exercise, exercises, points
from seq2seq_lib.checks.notes import progress

__all__ = ["Exercise", "check", "exercises", "grade", "hint", "points", "progress", "solution"]
