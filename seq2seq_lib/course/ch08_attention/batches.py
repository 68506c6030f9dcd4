"""What the checks of chapter 8 draw: sizes that differ, with edges where an axis has size 1."""

import torch
from torch import Tensor


def sizes(generator: torch.Generator) -> list[tuple[list[int], int, int]]:
    """``(lengths, S, T)`` of seven batches: two fixed, two drawn, three edges."""
    longest = int(torch.randint(6, 9, (), generator=generator))
    lengths = torch.randint(1, longest, (4,), generator=generator).tolist()
    return [
        ([3, 1], 4, 3),
        ([2, 3, 1], 3, 3),  # B = S = T
        ([longest, *lengths, 1], longest, 4),
        ([1, *(min(n, 4) for n in lengths[:2]), 5], 5, 7),
        ([2], 3, 4),
        ([1, 1], 1, 1),
        ([1], 1, 1),
    ]


def normal(*shape: int, generator: torch.Generator) -> Tensor:
    """Numbers with a spread of 1.5, rounded to tenths so that a message can show them."""
    return (torch.randn(shape, generator=generator) * 1.5).round(decimals=1)


def fed(**values: object) -> str:
    """The sizes, in words."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())
