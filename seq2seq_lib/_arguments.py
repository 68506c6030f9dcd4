"""Checks on arguments that several modules share: what came, what was expected, what to do."""

import argparse
import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from seq2seq_lib._numbers import (
    check_flag,
    check_integer,
    check_number,
    check_positive,
    is_integer,
    is_number,
)

__all__ = [
    "INTEGERS",
    "at_least",
    "check_choice",
    "check_flag",
    "check_ids",
    "check_integer",
    "check_lengths",
    "check_number",
    "check_positive",
    "is_integer",
    "is_number",
    "kind_of",
]

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


def at_least(
    smallest: float, kind: type = int, *, most: float = math.inf
) -> Callable[[str], float]:
    """A ``type`` for ``argparse``: a finite number of this kind, ``smallest`` .. ``most``."""

    def number(text: str) -> float:
        value = kind(text)
        if not smallest <= value < math.inf:  # NaN compares with nothing
            raise argparse.ArgumentTypeError(f"must be ≥ {smallest} and finite, but it is {text}")
        if value > most:
            raise argparse.ArgumentTypeError(f"must be ≤ {most}, but it is {text}")
        return value

    return number


def kind_of(value: object) -> str:
    """What came, for a message: the dtype of a tensor, else the name of the class."""
    return str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
