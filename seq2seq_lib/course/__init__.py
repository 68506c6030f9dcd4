"""Feedback on exercises: at once in a notebook, and as points in nbgrader.

``check("4.2", length_mask)`` says what is right or wrong with an answer, and why;
``hint("4.2", level=1)`` asks, ``solution("4.2")`` shows. Under nbgrader ``check`` raises unless the
answer earns points; ``grade`` always does. ``exercises("4")`` and ``points("4.2")`` tell what there
is, ``progress("4")`` what a learner did. Nothing is trained, sent or downloaded.

The chapters are the packages ``chNN_name`` beside this file. They are found by their names, and one
is loaded when it is first asked for.
"""

from seq2seq_lib.course.catalogue import Course

__all__ = [
    "chapters",
    "check",
    "exercises",
    "find",
    "grade",
    "hint",
    "points",
    "progress",
    "solution",
]

_course = Course(__name__)
chapters = _course.chapters
check = _course.check
exercises = _course.exercises
find = _course.find
grade = _course.grade
hint = _course.hint
points = _course.points
progress = _course.progress
solution = _course.solution
