"""Looks at what came back that several exercises of this chapter share."""

from numbers import Integral
from typing import Any

from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.steps import Problem, plain


def is_text(value: Any, expected: Any) -> Problem | None:
    """A step: one text."""
    if value is None:
        return "no_return", {}
    return None if isinstance(value, str) else ("not_a_text", {"kind_of_value": _kind(value)})


def is_list_of_texts(value: Any, expected: Any) -> Problem | None:
    """A step: a list of pieces."""
    if value is None:
        return "no_return", {}
    if isinstance(value, str) or not isinstance(value, list | tuple):
        return "not_a_list", {"kind_of_value": _kind(value)}
    odd = next((piece for piece in value if not isinstance(piece, str)), None)
    return None if odd is None else ("not_texts", {"piece": describe.value(odd)})


def is_list_of_batches(value: Any, expected: Any) -> Problem | None:
    """A step: a list of lists of integers."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple):
        return "not_a_list", {"kind_of_value": _kind(value)}
    for batch in map(plain, value):
        if not isinstance(batch, list | tuple) or any(
            not isinstance(i, Integral) or isinstance(i, bool) for i in map(plain, batch)
        ):
            return "not_batches", {"batch": describe.value(batch)}
    return None


def _kind(value: Any) -> str:
    return "tensor" if isinstance(value, Tensor) else type(value).__name__
