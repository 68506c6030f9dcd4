"""What the notebooks of chapter 4 are given: small batches for pencil and paper."""

import torch
import torch.nn.functional as F
from torch import Tensor


def logits_with(nll: Tensor, targets: Tensor, vocab_size: int) -> Tensor:
    """Logits under which each target costs what one wants.

    The target gets the probability exp(-nll), the other words share the rest.

    Args:
        nll: floats ``[B, T]``, above 0, nats.
        targets: int64 ``[B, T]``.
        vocab_size: V, at least 2.

    Returns:
        floats ``[B, T, V]``, already normalised: their log-softmax is they themselves.
    """
    rest = torch.log1p(-torch.exp(-nll)) - torch.log(torch.tensor(vocab_size - 1.0))  # [B, T]
    chosen = F.one_hot(targets, vocab_size).bool()  # [B, T, V]
    return torch.where(chosen, -nll[..., None], rest[..., None])


def chat_batch() -> tuple[Tensor, Tensor, Tensor]:
    """Losses ``[3, 6]``, the lengths of the prompts ``[3]``, and those of the rows ``[3]``."""
    losses = torch.tensor(
        [
            [4.0, 6.0, 1.0, 1.0, 30.0, 30.0],
            [5.0, 3.0, 4.0, 6.0, 4.0, 2.0],
            [7.0, 6.0, 1.0, 30.0, 30.0, 30.0],
        ]
    )
    return losses, torch.tensor([2, 3, 1]), torch.tensor([4, 6, 3])


def chat_options() -> dict[str, float]:
    """Six numbers that are all called the loss of the chat batch somewhere, the largest first."""
    losses, prompts, lengths = chat_batch()
    positions = torch.arange(losses.size(1))[None, :]
    real = positions < lengths[:, None]  # [B, T]
    answer = real & (positions >= prompts[:, None])  # [B, T]
    kept = losses * answer
    numbers = [
        kept.sum() / answer.sum(),
        (kept.sum(1) / answer.sum(1)).mean(),
        (losses * real).sum() / real.sum(),
        kept.sum() / real.sum(),
        kept.mean(),
        losses.mean(),
    ]
    largest_first = sorted((round(n.item(), 2) for n in numbers), reverse=True)
    return dict(zip("ABCDEF", largest_first, strict=True))
