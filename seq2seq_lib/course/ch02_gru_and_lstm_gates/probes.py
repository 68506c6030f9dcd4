"""What this chapter's checks share: steps, sizes, words for what was fed."""

from numbers import Real
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.steps import Problem

FIXED = 2  # probes whose numbers are the same at each check; a message shows one of them


def is_number(value: Any, expected: Any) -> Problem | None:
    """A step: one real number of Python came back."""
    if value is None:
        return "no_return", {}
    if isinstance(value, bool) or not isinstance(value, Real):
        return "not_a_number", {}
    return None


def sizes(*named: tuple[str, int]) -> str:
    """``B = 2, H = 3``."""
    return ", ".join(f"{name} = {size}" for name, size in named)


def shown(**tensors: Tensor) -> str:
    """The tensors, as far as they are small."""
    return "".join(f"\n{name} = {describe.value(tensor)}" for name, tensor in tensors.items())


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Random numbers: no two weights are alike, or a swap of blocks would go unseen."""
    return torch.randn(*shape, generator=generator)
