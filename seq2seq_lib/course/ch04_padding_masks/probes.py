"""What the checks of chapter 4 feed to an answer: asymmetric batches, drawn anew at each call.

The first two batches are fixed and small, so that a message can show them and reads the same each
time; the others come from the generator. Lengths are unsorted, B, T and V differ where they can,
and one batch is square (B = T), where a transposed mask has the right shape and only values give it
away. The last four are edges: a single sentence, a single position, no pads at all, one cell.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.laws import Verdict, loss_ledger
from seq2seq_lib.masks import sequence_mask

HUGE = 1e4  # nats at pads: one leak and the loss is off by hundreds
FIXED = 2  # so many batches are the same at each call
TOO_MUCH = 100.0  # nats: no real token of a probe costs as much


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


def batches(generator: torch.Generator) -> list[tuple[Tensor, int]]:
    """``(lengths, T)`` of nine batches."""
    B = int(torch.randint(4, 6, (), generator=generator))
    T = int(torch.randint(7, 10, (), generator=generator))
    return [
        (torch.tensor([3, 1, 2]), 4),  # one column of pads alone
        (torch.tensor([3, 1, 2]), 3),  # square
        (draw_lengths(B, T, generator), T),
        (draw_lengths(B + 1, T - 3, generator), T),
        (draw_lengths(2, 5, generator), 5),
        (torch.tensor([2]), 4),
        (torch.tensor([1, 1, 1]), 1),
        (torch.tensor([3, 3]), 3),
        (torch.tensor([1]), 1),
    ]


def fed(lengths: Tensor, T: int, more: str = "") -> str:
    """A batch in words."""
    return f"lengths = {lengths.tolist()}, T = {T}{more}"


def shown_losses(nll: Tensor, mask: Tensor) -> str:
    """Losses a token, a row in brackets each; pads in parentheses. Empty if they are too many."""
    if nll.numel() > describe.MANY:
        return ""
    rows = [
        "[" + " ".join(f"{x:.3g}" if on else f"({x:.3g})" for x, on in zip(*row, strict=True)) + "]"
        for row in zip(nll.tolist(), mask.tolist(), strict=True)
    ]
    return f"; the losses, pads in parentheses: {' '.join(rows)}"


def log_prob_probes(generator: torch.Generator) -> list[Probe]:
    """``(log_probs, targets, lengths)``; log_probs are normalised at real tokens, huge at pads.

    Targets are ids of words, at the pads too, and 0 may be a real word.
    """
    fixed = torch.Generator().manual_seed(4)
    probes = []
    for number, (lengths, T) in enumerate(batches(generator)):
        drawn = fixed if number < FIXED else generator
        B, V = len(lengths), 2 if T == 1 else 6
        mask = sequence_mask(lengths, T)
        scores = torch.randn(B, T, V, generator=drawn) * 2
        huge = -HUGE * torch.rand(B, T, V, generator=drawn)
        log_probs = torch.where(mask[..., None], scores.log_softmax(-1), huge)
        targets = torch.randint(0, V, (B, T), generator=drawn)
        nll = -log_probs.gather(-1, targets[..., None])[..., 0]
        words = fed(lengths, T, f", V = {V}" + shown_losses(nll, mask))
        probes.append(
            Probe({"log_probs": log_probs, "targets": targets, "lengths": lengths}, words)
        )
    return probes


def pad_counted(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """A number that no mean of real tokens can reach: something huge from a pad is in it."""
    return ("pad_counted", {"yours": describe.number(value)}) if value.abs() > TOO_MUCH else None


def law_3(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Verdict:
    """Law 3 for a loss of logits, targets and mask that may be undefined without a real token."""

    def defined(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        return loss(logits, targets, mask) if mask.any() else logits.sum() * 0

    return loss_ledger(defined)
