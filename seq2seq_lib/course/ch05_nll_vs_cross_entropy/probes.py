"""What the checks of chapter 5 feed to an answer.

Small probes are shown with their numbers; ids are drawn anew at each call, and the sizes B, T, V
differ where they can. Edges: one row, one position, a vocabulary as large as the batch.
"""

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe


def shown(logits: Tensor, name: str = "logits") -> str:
    """A tensor in words: its numbers where they are few, else its shape."""
    if logits.numel() <= describe.MANY:
        rows = logits.tolist()
        return f"{name} = {_rounded(rows)}"
    return f"{name} {list(logits.shape)}"


def _rounded(numbers: list | float) -> str:
    if isinstance(numbers, list):
        return f"[{', '.join(map(_rounded, numbers))}]"
    return f"{numbers:.4g}"


def sizes(generator: torch.Generator) -> list[tuple[int, int]]:
    """``(N, V)`` of the batches of rows: one small, one drawn, one square, edges."""
    N, V = (int(torch.randint(low, low + 3, (), generator=generator)) for low in (3, 7))
    return [(2, 3), (N, V), (4, 4), (1, 5), (3, 1), (1, 1)]


def targets_of(N: int, V: int, generator: torch.Generator) -> Tensor:
    """int64 ``[N]``; where there is room, not all the same, and not all the largest logit."""
    return torch.randint(0, V, (N,), generator=generator)
