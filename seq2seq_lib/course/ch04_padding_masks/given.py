"""The hand batch of chapter 4: small enough for pencil and paper."""

import torch
from torch import Tensor

from seq2seq_lib.masks import sequence_mask

HAND_LOSSES = torch.tensor(
    [
        [2.0, 1.0, 3.0, 40.0, 70.0],
        [6.0, 90.0, 50.0, 80.0, 30.0],
        [1.0, 4.0, 2.0, 1.0, 60.0],
    ]
)  # [B, T]; what stands at the pads means nothing
HAND_LENGTHS = torch.tensor([3, 1, 4])  # [B]


def hand_batch() -> tuple[Tensor, Tensor]:
    """Losses ``[3, 5]`` and lengths ``[3]``: fresh copies, so that a cell may write into them."""
    return HAND_LOSSES.clone(), HAND_LENGTHS.clone()


def options_4_1() -> dict[str, float]:
    """Six numbers that are all called the loss of the hand batch somewhere, the smallest first."""
    losses, lengths = hand_batch()
    mask = sequence_mask(lengths, losses.size(1))
    real = losses * mask
    numbers = [
        losses.mean(),
        real.mean(),
        real.sum(),
        real.sum() / mask.sum(),
        (real.sum(1) / lengths).mean(),
        real.mean(1).sum(),
    ]
    return dict(zip("ABCDEF", sorted(round(n.item(), 3) for n in numbers), strict=True))
