"""Checks on arguments that several modules share: what came, what was expected, what to do."""

import argparse
import math
import numbers
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def check_lengths(lengths: Tensor, max_len: int | None, name: str, minimum: int = 1) -> None:
    """Refuse lengths that are not integers ``[B]`` in ``minimum .. max_len``."""
    if not isinstance(lengths, Tensor) or lengths.dtype not in INTEGERS:
        raise TypeError(f"{name} must be an integer tensor [B], but it is {kind_of(lengths)}.")
    if lengths.dim() != 1 or lengths.numel() == 0:
        raise ValueError(
            f"{name} must have shape [B] with B ≥ 1, but its shape is {list(lengths.shape)}."
        )
    lengths = lengths.cpu()  # one copy, where each comparison would wait for the GPU
    smallest, largest = int(lengths.min()), int(lengths.max())
    if smallest < minimum:
        row = int(lengths.argmin())
        hint = ": an empty sentence still needs its EOS (see batching.collate)" if minimum else ""
        raise ValueError(f"{name} must be ≥ {minimum}, but row {row} is {smallest}{hint}.")
    if max_len is not None and largest > max_len:
        row = int(lengths.argmax())
        raise ValueError(
            f"{name} must be ≤ {max_len}, the width of the padded tensor, but row {row} is "
            f"{largest}: it points past the end."
        )


def check_ids(ids: Tensor, vocab_size: int, name: str) -> None:
    """Refuse token ids that are not int64 or int32 ``[B, T]`` in ``0 .. vocab_size - 1``.

    On a GPU an id out of range would end the whole process with a device-side assertion.
    """
    if not isinstance(ids, Tensor) or ids.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"{name} must be an int64 tensor of token ids, but it is {kind_of(ids)}.")
    if ids.dim() != 2 or ids.numel() == 0:
        raise ValueError(
            f"{name} must have shape [B, T] with no empty dimension, but its shape is "
            f"{list(ids.shape)}."
        )
    ids = ids.cpu()  # one copy, where each comparison would wait for the GPU
    wrong = (ids < 0) | (ids >= vocab_size)
    if wrong.any():
        place = tuple(wrong.nonzero()[0].tolist())
        raise ValueError(
            f"{name} must hold ids in 0 .. {vocab_size - 1}, but {name}{list(place)} is "
            f"{ids[place]}: was it encoded with another vocabulary?"
        )


def check_choice(value: str, choices: Iterable[str], name: str) -> None:
    """Refuse a name that is not one of ``choices``, and list them."""
    if value not in choices:
        valid = ", ".join(repr(c) for c in choices)
        raise ValueError(f"Unknown {name}: {value!r}. Valid: {valid}.")


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
        raise TypeError(f"{name} must be an integer, but it is {value!r}.")
    if value < low or (high is not None and value > high):
        allowed = f"≥ {low}" if high is None else f"in {low} .. {high}"
        reason = f": {why}" if why else ""
        raise ValueError(f"{name} must be {allowed}, but it is {value}{reason}.")


def check_positive(value: int, name: str, why: str = "") -> None:
    """Refuse anything but an integer ≥ 1."""
    check_integer(value, name, 1, why=why)


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


def at_least(smallest: float, kind: type = int) -> Callable[[str], float]:
    """A ``type`` for ``argparse``: a finite number of this kind, ``smallest`` or more."""

    def number(text: str) -> float:
        value = kind(text)
        if not smallest <= value < math.inf:  # NaN compares with nothing
            raise argparse.ArgumentTypeError(f"must be ≥ {smallest} and finite, but it is {text}")
        return value

    return number


def kind_of(value: object) -> str:
    """What came, for a message: the dtype of a tensor, else the name of the class."""
    return str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
