"""What several exercises of this chapter share: probes of codes, looks at what came back."""

from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.steps import Problem, plain

# B and Z of a check's batches. The last three are edges: one sentence, one dimension, one number.
SIZES = ((2, 3), (4, 5), (3, 3), (1, 4), (5, 1), (1, 1))

MU = [[1.0, 0.0, -0.5], [0.0, 2.0, 0.0]]
VARIANCE = [[1.0, 0.25, 4.0], [1.0, 1.0, 0.5]]


def code(B: int, Z: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """mu and logvar ``[B, Z]``: no variance near 1, where several mistakes do not show."""
    mu = torch.randn(B, Z, generator=generator) * 1.5
    logvar = 0.5 + torch.rand(B, Z, generator=generator)
    sign = torch.where(torch.rand(B, Z, generator=generator) < 0.5, -1.0, 1.0)
    return mu, logvar * sign


def codes(generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """The chapter's example, then one code of each of ``SIZES``."""
    example = torch.tensor(MU), torch.tensor(VARIANCE).log()
    return [example, *(code(B, Z, generator) for B, Z in SIZES)]


def is_list_of_lists(value: Any, expected: Any) -> Problem | None:
    """A step: a list of lists of integers."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple):
        return "not_a_list", {"kind_of_value": type(value).__name__}
    for row in map(plain, value):
        if not isinstance(row, list | tuple) or any(
            not isinstance(i, Integral) or isinstance(i, bool) for i in map(plain, row)
        ):
            return "not_a_list", {"kind_of_value": f"list of {describe.value(row)}"}
    return None
