"""What the checks of chapter 12 feed to an answer: shares of very unequal sizes, drawn anew."""

import torch
from torch import Tensor

FIXED = 2  # so many probes are the same at each call


def cuts(generator: torch.Generator) -> list[Tensor]:
    """Tokens of the shares, int64 ``[R]`` each; R differs, shares may be empty, but not all are."""
    R = int(torch.randint(4, 7, (), generator=generator))
    drawn = torch.randint(1, 40, (R,), generator=generator)
    with_empty = torch.cat([drawn + 1, torch.zeros(2, dtype=torch.int64)])
    shuffled = with_empty[torch.randperm(R + 2, generator=generator)]
    rows = [[30, 3], [10, 0, 5], [7], [4, 4, 4], [1, 0], [1]]
    return [*map(torch.tensor, rows), drawn, shuffled]
