"""Checks on numbers, also for modules that load without torch; others import ``_arguments``."""

import math
import numbers
import operator
from typing import SupportsIndex


def is_integer(value: object) -> bool:
    """Whether it is a Python integer; True and False are none here."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a real number of Python or NumPy; True and False are none here."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_integer(value: int, name: str, low: int, high: int | None = None, why: str = "") -> None:
    """Refuse anything but an integer ``low .. high``, both included.

    Args:
        why: for the message, after a colon: a reason or a way out.
    """
    if not is_integer(value):
        other = hasattr(value, "__index__") and not isinstance(value, bool)
        advice = f": give int({name})" if other else ""  # NumPy's small ones overflow unseen
        raise TypeError(f"{name} must be an integer, but it is {value!r}{advice}.")
    if value < low or (high is not None and value > high):
        allowed = f"≥ {low}" if high is None else f"in {low} .. {high}"
        reason = f": {why}" if why else ""
        raise ValueError(f"{name} must be {allowed}, but it is {value}{reason}.")


def check_positive(value: int, name: str, why: str = "") -> None:
    """Refuse anything but an integer ≥ 1."""
    check_integer(value, name, 1, why=why)


def check_flag(value: bool, name: str) -> None:
    """Refuse anything but True and False: the text "no" of an option or a file is true."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, but it is {value!r}.")


def as_id(value: SupportsIndex, name: str) -> int:
    """A token id of any kind of integer, also NumPy's and a tensor's, as Python's."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must hold integer ids, but one is {value!r}.")
    return operator.index(value)


def check_number(
    value: float,
    name: str,
    what: str,
    *,
    low: float,
    high: float = math.inf,
    open_low: bool = False,
    open_high: bool = True,
    why: str = "",
) -> None:
    """Refuse what is no number in ``[low, high)``; the flags open and close the two ends.

    Args:
        what: the allowed values in words, for the message.
        why: for the message too, after a colon: a reason or a way out.

    Raises:
        TypeError: no number; a YAML file, for example, reads 1e-3 as text.
        ValueError: outside, or NaN.
    """
    if not is_number(value):
        raise TypeError(f"{name} must be a number, but it is {value!r} ({type(value).__name__}).")
    inside = (low < value or not open_low and value == low) and (
        value < high or not open_high and value == high
    )
    if not inside:  # NaN is nowhere
        raise ValueError(f"{name} must be {what}, but it is {value}{': ' * bool(why)}{why}.")
