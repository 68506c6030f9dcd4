"""The numbers of the mask and loss calculator: a small batch, masks right and wrong, divisors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq_lib.vocab import PAD_ID

# Three sentences, and the negative log-likelihoods of their tokens, nats. "danke" is hard for this
# model, and it never learned to say PAD, so that a pad costs more than any word.
HAND_LENGTHS = (4, 2, 5)  # their last token is EOS
WORDS = (
    ("ich", "liebe", "dich", "so"),
    ("danke", "für", "den", "Rat"),
    ("ich", "weiß", "es", "nicht"),
)
REAL = ((1.0, 2.0, 1.0, 2.0, 3.0), (4.0, 5.0, 2.0, 1.0, 3.0), (1.0, 2.0, 1.0, 2.0, 1.0))
AT_PAD = 8.0
NAMES = ("A", "B", "C")
MAX_LENGTH, MAX_WIDTH, MAX_EXTRA = 5, 6, 10

RIGHT = ("mask = torch.arange(T)[None, :] < lengths[:, None]",)
MASKS = {
    "none": (),
    "right": (*RIGHT, "kept = losses * mask"),
    "transposed": (
        "mask = torch.arange(T)[:, None] < lengths[None, :]",
        "kept = losses * mask",
    ),
    "positions": (
        "pads = torch.ones(T) * PAD_ID",
        "mask = pads[None, :] != torch.arange(T)[:, None]",
        "kept = losses.mean() * mask",
    ),
    "broadcast": (*RIGHT, "kept = losses.view(-1, 1).masked_select(mask.view(-1))"),
}
DIVISORS = {
    "tokens": "loss = kept.sum() / mask.sum()",
    "cells": "loss = kept.sum() / losses.numel()",
    "sentences": "loss = (kept.sum(1) / mask.sum(1)).mean()",
    "sum": "loss = kept.sum()",
}
DIVISORS_OF_ALL = {  # without a mask every cell counts as a token
    "tokens": "loss = losses.mean()",
    "cells": "loss = losses.mean()",
    "sentences": "loss = losses.mean(1).mean()",
    "sum": "loss = losses.sum()",
}
DIVISORS_OF_SELECTED = {  # masked_select returns the kept values alone, without rows
    **DIVISORS,
    "tokens": "loss = kept.mean()",
    "sentences": "loss = kept.view(B, -1).mean(1).mean()",
}


@dataclass(frozen=True)
class Result:
    """What the calculator shows.

    Attributes:
        lengths, width, extra_pads: of the batch; ``width`` counts the extra columns too.
        mask, divisor: as in ``compute``.
        code: lines of PyTorch; with ``losses``, ``lengths``, ``B``, ``T`` and ``PAD_ID`` they
            compute ``value``.
        losses: nats, ``[B, T]``.
        mask_shape: of the mask; () where there is none.
        terms: what is summed: the kept losses, or one mean per sentence.
        divided_by: what the sum is divided by.
        value: the loss, maybe NaN; None if PyTorch raises.
        error: PyTorch's message, or "".
        gradient: of the loss by each entry of ``losses``, ``[B, T]``; None if PyTorch raises.
        curve: the loss with 0 .. 10 extra columns; None where PyTorch raises.
        target: the loss with the right mask and an honest divisor, whatever the number of columns.
    """

    lengths: tuple[int, ...]
    width: int
    extra_pads: int
    mask: str
    divisor: str
    code: tuple[str, ...]
    losses: tuple[tuple[float, ...], ...]
    mask_shape: tuple[int, ...]
    terms: tuple[float, ...]
    divided_by: int
    value: float | None
    error: str
    gradient: tuple[tuple[float, ...], ...] | None
    curve: tuple[float | None, ...]
    target: float

    def word(self, b: int, t: int) -> str:
        """The token of a cell."""
        last = self.lengths[b] - 1
        return "PAD" if t > last else "EOS" if t == last else WORDS[b][t]

    @property
    def outcome(self) -> str:
        """What 10 extra columns do: ``"same"``, ``"smaller"``, ``"larger"`` or ``"nothing"``.

        Nothing is compared where one of the two losses is NaN or an error.
        """
        before, after = self.curve[0], self.curve[-1]
        if after is None or math.isnan(after) or before is None or math.isnan(before):
            return "nothing"
        if math.isclose(before, after, rel_tol=1e-5):
            return "same"
        return "smaller" if after < before else "larger"


def compute(
    *,
    mask: str = "none",
    divisor: str = "cells",
    lengths: tuple[int, ...] = HAND_LENGTHS,
    width: int = 5,
    extra_pads: int = 0,
) -> Result:
    """Mask and average the losses of a small batch.

    Args:
        mask: ``"none"``; ``"right"``; ``"transposed"``: lengths along the wrong axis;
            ``"positions"``: the pad id compared with positions, over a loss that is already a mean;
            ``"broadcast"``: ``[B·T, 1]`` against ``[B·T]``, all steps at once.
        divisor: divide by ``"tokens"``, by all ``"cells"``, per sentence and then by
            ``"sentences"``, or keep the ``"sum"``.
        lengths: of the three sentences, each in 1 .. 5.
        width: T, from the longest length to 6.
        extra_pads: PAD columns after that, 0 .. 10.
    """
    curve = []
    for extra in range(MAX_EXTRA + 1):
        try:
            curve.append(_loss(_losses(lengths, width + extra), lengths, mask, divisor).value())
        except RuntimeError:
            curve.append(None)
    losses = _losses(lengths, width + extra_pads).requires_grad_()  # [B, T]
    found, gradient, error = None, None, ""
    try:
        found = _loss(losses, lengths, mask, divisor)
        (gradient,) = torch.autograd.grad(found.loss, losses)
    except RuntimeError as problem:
        error = str(problem)
    last_line = {"none": DIVISORS_OF_ALL, "broadcast": DIVISORS_OF_SELECTED}.get(mask, DIVISORS)
    honest = "tokens" if divisor == "cells" else divisor
    shape = () if mask == "none" else tuple(_mask(lengths, width + extra_pads, mask).shape)
    return Result(
        lengths=tuple(lengths),
        width=width + extra_pads,
        extra_pads=extra_pads,
        mask=mask,
        divisor=divisor,
        code=(*MASKS[mask], last_line[divisor]),
        losses=_rows(losses),
        mask_shape=shape,
        terms=tuple(found.terms.tolist()) if found else (),
        divided_by=found.divided_by if found else 0,
        value=found.value() if found else None,
        error=error,
        gradient=_rows(gradient) if gradient is not None else None,
        curve=tuple(curve),
        target=_loss(_losses(lengths, width), lengths, "right", honest).value(),
    )


@dataclass(frozen=True)
class _Loss:
    loss: Tensor
    terms: Tensor
    divided_by: int

    def value(self) -> float:
        return self.loss.item()


def _loss(losses: Tensor, lengths: tuple[int, ...], kind: str, divisor: str) -> _Loss:
    """What the code that is shown computes; RuntimeError where it raises."""
    if kind == "none":
        mask = torch.ones_like(losses, dtype=torch.bool)
    else:
        mask = _mask(lengths, losses.size(1), kind)
    if kind == "broadcast":  # [B*T, 1] against [B*T]: every loss, once for each real token
        kept = losses.view(-1, 1).masked_select(mask.view(-1)).view(len(losses), -1)
        mask = torch.ones_like(kept, dtype=torch.bool)
    else:
        kept = (losses.mean() if kind == "positions" else losses) * mask  # raises unless they fit
    if divisor == "sentences":
        terms = kept.sum(1) / mask.sum(1)
        divided_by = len(terms)
    else:
        terms = kept[mask.expand_as(kept)]
        divided_by = {"tokens": int(mask.sum()), "cells": losses.numel(), "sum": 1}[divisor]
    return _Loss(terms.sum() / divided_by, terms.detach(), divided_by)


def _mask(lengths: tuple[int, ...], width: int, kind: str) -> Tensor:
    positions, ends = torch.arange(width), torch.tensor(lengths)
    if kind == "transposed":
        return positions[:, None] < ends[None, :]  # [T, 1], [1, B] -> [T, B]
    if kind == "positions":
        pads = torch.ones(width) * PAD_ID
        return pads[None, :] != positions[:, None]  # [1, T], [T, 1] -> [T, T]
    return positions[None, :] < ends[:, None]  # [1, T], [B, 1] -> [B, T]


def transposed_hits(lengths: tuple[int, ...]) -> int:
    """How many real tokens a transposed mask counts where B = T."""
    right = _mask(lengths, len(lengths), "right")  # [B, B]
    return int((right & right.T).sum())


def _losses(lengths: tuple[int, ...], width: int) -> Tensor:
    """``[B, T]``: the losses of the real tokens, then those at the pads."""
    rows = [
        [REAL[b][t] if t < length else AT_PAD for t in range(width)]
        for b, length in enumerate(lengths)
    ]
    return torch.tensor(rows, dtype=torch.float64)


def _rows(values: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())
