"""Losses of ``logits [N, V]`` and ``targets [N]``, right and wrong, for the clinic of chapter 5."""

import torch
import torch.nn.functional as F
from torch import Tensor


def picked(numbers: Tensor, targets: Tensor) -> Tensor:
    """Minus the entry of each target, ``[N]``."""
    return -numbers.gather(-1, targets[:, None])[:, 0]


# ---------------------------------------------------------------- right


def loss_spec(logits: Tensor, targets: Tensor) -> Tensor:
    losses = []
    for row, target in zip(logits, targets.tolist(), strict=True):
        shifted = row - row.max()
        losses.append(shifted.exp().sum().log() - shifted[target])
    return torch.stack(losses).mean()


def of_logits(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits, targets)


def normalised_twice(logits: Tensor, targets: Tensor) -> Tensor:
    return F.nll_loss(logits.log_softmax(-1).log_softmax(-1), targets)


def log_shares_as_logits(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(F.log_softmax(logits, dim=-1), targets)


def lse_minus_target(logits: Tensor, targets: Tensor) -> Tensor:
    return (logits.logsumexp(-1) + picked(logits, targets)).mean()


def one_hot_product(logits: Tensor, targets: Tensor) -> Tensor:
    wanted = F.one_hot(targets, logits.size(-1)).to(logits)
    return -(wanted * logits.log_softmax(-1)).sum() / len(targets)


# ---------------------------------------------------------------- wrong


def shares_to_nll(logits: Tensor, targets: Tensor) -> Tensor:
    return picked(logits.softmax(-1), targets).mean()


def logits_to_nll(logits: Tensor, targets: Tensor) -> Tensor:
    return picked(logits, targets).mean()


def turned_round(logits: Tensor, targets: Tensor) -> Tensor:
    return -of_logits(logits, targets)


def shares_to_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.softmax(-1), targets)


def over_tokens(logits: Tensor, targets: Tensor) -> Tensor:
    return F.nll_loss(logits.log_softmax(0), targets)


def log_of_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    return picked(logits.softmax(-1).log(), targets).mean()


def with_epsilon(logits: Tensor, targets: Tensor) -> Tensor:
    return picked((logits.softmax(-1) + 1e-9).log(), targets).mean()


def one_minus_share(logits: Tensor, targets: Tensor) -> Tensor:
    return 1 + shares_to_nll(logits, targets)


def summed(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits, targets, reduction="sum")


def log_once_more(logits: Tensor, targets: Tensor) -> Tensor:
    return picked(logits.softmax(-1).log_softmax(-1), targets).mean()


def best_not_target(logits: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits, logits.argmax(-1))
