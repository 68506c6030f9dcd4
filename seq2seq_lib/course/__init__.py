"""Feedback on exercises: at once in a notebook, and as points in nbgrader.

``check("4.2", length_mask)`` says what is right or wrong with an answer, and why;
``hint("4.2", level=1)`` asks, ``solution("4.2")`` shows. Under nbgrader ``check`` raises unless the
answer is correct; ``grade`` always does. ``exercises("4")`` and ``points("4.2")`` tell what there
is, ``progress("4")`` what a learner did. Nothing is trained, sent or downloaded.
"""

from seq2seq_lib.course import ch04_padding_masks, ch07_search  # noqa: F401  they fill the register
from seq2seq_lib.course.judging.engine import check, grade, hint, solution
from seq2seq_lib.course.judging.exercise import Exercise, exercises, points
from seq2seq_lib.course.judging.notes import progress

__all__ = ["Exercise", "check", "exercises", "grade", "hint", "points", "progress", "solution"]
