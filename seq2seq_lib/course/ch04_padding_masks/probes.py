"""What the checks of chapter 4 feed to an answer: asymmetric batches, drawn anew at each call.

The first two probes of a kind are fixed and small, so that a message can show them and reads the
same each time; the others come from the generator. In all of them B ≥ 2, lengths are unsorted, one
sentence has length 1 and one is longer than all others. B, T and V differ, but for one square probe
(B = T), where a transposed mask has the right shape and only values give it away.
"""

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.masks import sequence_mask

ZERO_IS_REAL = "two real tokens have id 0"
WORDS_AT_PADS = "the targets at the pads are ids of words"
HUGE = 1e4  # nats at pads: one leak and the loss is off by hundreds


def draw_lengths(B: int, longest: int, generator: torch.Generator) -> Tensor:
    """int64 ``[B]``, unsorted: one is 1, one is ``longest``, the others lie between."""
    while True:
        lengths = torch.randint(1, longest, (B,), generator=generator)
        one, full = torch.randperm(B, generator=generator)[:2]
        lengths[one], lengths[full] = 1, longest
        ascending = lengths.sort().values
        if B == 2 or not (
            torch.equal(lengths, ascending) or torch.equal(lengths, ascending.flip(0))
        ):
            return lengths


def mask_probes(generator: torch.Generator) -> list[Probe]:
    """``(lengths, max_len)``."""
    B = int(torch.randint(4, 6, (), generator=generator))
    T = int(torch.randint(7, 10, (), generator=generator))
    cases = [
        (torch.tensor([3, 1, 2]), 4),  # one column of pads alone
        (torch.tensor([3, 1, 2]), 3),  # square
        (draw_lengths(B, T, generator), T),
        (draw_lengths(B + 1, T - 3, generator), T),
        (draw_lengths(2, 5, generator), 5),
    ]
    return [
        Probe(
            {"lengths": lengths, "max_len": max_len},
            f"lengths = {lengths.tolist()}, max_len = {max_len}",
        )
        for lengths, max_len in cases
    ]


def log_prob_probes(generator: torch.Generator) -> list[Probe]:
    """``(log_probs, targets, lengths)``; log_probs are normalised at real tokens, huge at pads."""
    return [_loss_probe(*case, logits=False) for case in _loss_cases(generator)]


def nan_probes(generator: torch.Generator) -> list[Probe]:
    """``log_prob_probes``, and one with NaN at the pads: only what is never read cannot leak."""
    planted = _loss_probe(*_loss_cases(generator)[2], logits=False)
    log_probs, lengths = planted.args["log_probs"].clone(), planted.args["lengths"]
    log_probs[~sequence_mask(lengths, log_probs.size(1))] = float("nan")
    planted = Probe(
        {**planted.args, "log_probs": log_probs},
        f"lengths = {lengths.tolist()}, log_probs {list(log_probs.shape)} with NaN at the pads",
        gradient=False,
    )
    return [*log_prob_probes(generator), planted]


def logit_probes(generator: torch.Generator) -> list[Probe]:
    """``(logits, targets, lengths)``; huge logits at pads."""
    return [_loss_probe(*case, logits=True) for case in _loss_cases(generator)]


def _loss_cases(generator: torch.Generator) -> list[tuple]:
    fixed = torch.Generator().manual_seed(4)
    B = int(torch.randint(4, 6, (), generator=generator))
    T = int(torch.randint(7, 9, (), generator=generator))
    # V, T, lengths, special, generator
    return [
        (5, 4, torch.tensor([2, 4, 1]), "", fixed),
        (5, 3, torch.tensor([2, 3, 1]), "", fixed),  # square
        (6, T, draw_lengths(B, T, generator), ZERO_IS_REAL, generator),
        (6, T, draw_lengths(B, T - 3, generator), WORDS_AT_PADS, generator),  # and wide
        (6, 3, torch.tensor([3, 1]), "", generator),  # V = B * T: a flat mask fits log_probs
    ]


def _loss_probe(
    V: int, T: int, lengths: Tensor, special: str, generator: torch.Generator, logits: bool
) -> Probe:
    B = len(lengths)
    mask = sequence_mask(lengths, T)
    scores = torch.randn(B, T, V, generator=generator) * 2
    huge = -HUGE * torch.rand(B, T, V, generator=generator)
    scores = scores if logits else scores.log_softmax(-1)
    scores = torch.where(mask[..., None], scores, huge)  # [B, T, V]
    targets = torch.randint(1, V, (B, T), generator=generator)
    if special == ZERO_IS_REAL:
        targets[lengths.argmax(), :2] = 0
    if special != WORDS_AT_PADS:
        targets = targets.masked_fill(~mask, 0)
    nll = -scores.log_softmax(-1) if logits else -scores
    nll = nll.gather(-1, targets[..., None])[..., 0]
    fed = f"lengths = {lengths.tolist()}, T = {T}, V = {V}"
    if special:
        fed += f", {special}"
    if nll.numel() <= describe.MANY:
        fed += f"; the targets' losses, pads in parentheses: {shown_losses(nll, lengths)}"
    name = "logits" if logits else "log_probs"
    return Probe({name: scores, "targets": targets, "lengths": lengths}, fed)


def shown_losses(nll: Tensor, lengths: Tensor) -> str:
    """Losses a token, a row in brackets each; pads in parentheses."""
    text = []
    for row, length in zip(nll.tolist(), lengths.tolist(), strict=True):
        cells = [f"{x:.3g}" if t < length else f"({x:.3g})" for t, x in enumerate(row)]
        text.append("[" + " ".join(cells) + "]")
    return " ".join(text)
