"""What the checks of chapter 9 look at before they compare: is it the kind of thing asked for?"""

from numbers import Real
from typing import Any

from seq2seq_lib.course.judging.steps import Problem


def _type(value: Any) -> str:
    return type(value).__name__


def is_pieces(value: Any, expected: Any) -> Problem | None:
    """A step: a list (or tuple) of strings."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        return "not_pieces", {"type": _type(value)}
    return None


def is_two_counts(value: Any, expected: Any) -> Problem | None:
    """A step: two whole numbers."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or len(value) != 2:
        return "not_two", {"type": _type(value)}
    return None


def is_number(value: Any, expected: Any) -> Problem | None:
    """A step: one number."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, Real) and getattr(value, "ndim", None) != 0:
        return "not_a_number", {"type": _type(value)}
    return None
