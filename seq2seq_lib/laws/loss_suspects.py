"""Which wrong loss is it? The published mistakes, each computed on the same example.

Law 3 compares with these when a loss is not the mean NLL of the real tokens.
"""

import math
from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.laws.loss_reference import (
    PER_WORDS,
    SMOOTHINGS,
    Example,
    Reference,
    pad_of,
)

UNKNOWN = (
    "each factor alone: which positions count, what is divided by what, which axis the softmax "
    "runs over. It is none of the mistakes known here"
)


def name_suspect(value: float, logits: Tensor, targets: Tensor, mask: Tensor) -> str:
    """Which known mistake gives ``value`` on this example."""
    logits = logits.detach().double()
    for text, suspect in suspects(logits, targets, mask):
        if math.isclose(value, float(suspect), rel_tol=1e-4, abs_tol=1e-5):
            return f"your number is {text}"
    for smoothing in (0.05, 0.1, 0.15, 0.2):
        for name, formula in SMOOTHINGS.items():
            each = formula(logits, targets, smoothing, pad_of(targets, mask))
            if math.isclose(value, float(each[mask].mean()), rel_tol=1e-4, abs_tol=1e-5):
                return (
                    f"your number is smoothed by {smoothing}, {name}: if that is meant, pass "
                    f"label_smoothing={smoothing}"
                )
    return UNKNOWN


def why_not(reference: Reference, value: float, example: Example) -> str:
    """A hint where the loss is not the reference that was asked for."""
    for per, words in PER_WORDS.items():
        other = Reference(per, reference.each, reference.name)
        if per != reference.per and math.isclose(value, float(other.value(example)), rel_tol=1e-4):
            return f"your number is {words}, and per={reference.per!r} was asked for"
    return (
        f"the options: expected was {reference.name}, {PER_WORDS[reference.per]}. label_smoothing= "
        f"knows {'; '.join(SMOOTHINGS)}; another formula goes into expected="
    )


def suspects(logits: Tensor, targets: Tensor, mask: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Wrong losses of ``logits [B, T, V]``, ``targets``, ``mask [B, T]``, with their story."""
    B, T, V = logits.shape
    index = targets[..., None]
    nll = -logits.log_softmax(-1).gather(-1, index)[..., 0]  # [B, T]
    real, count = nll * mask, mask.sum()
    lengths = mask.sum(1)
    yield (
        "the mean over all positions, pads included: the mask had no effect. Was it applied after "
        "the reduction (mean * mask / mask), or was a [B, 1] broadcast against a [B]?",
        nll.mean(),
    )
    yield (
        "the sum over real tokens divided by B * T: divide by mask.sum(), the real tokens",
        real.sum() / (B * T),
    )
    yield (
        "the sum over real tokens, not divided: return (total, tokens) or divide by mask.sum()",
        real.sum(),
    )
    yield (
        "the sum over real tokens divided by the B sentences, not by the tokens (if that is meant, "
        "pass per='sentence' to loss_ledger)",
        real.sum() / B,
    )
    yield (
        "the mean of the sentences' own means: it weighs a token in a short sentence more (if that "
        "is meant, pass per='sentence_mean' to loss_ledger)",
        (real.sum(1) / lengths.clamp(min=1)).mean(),
    )
    per_step = real.sum(0) / mask.sum(0).clamp(min=1)  # [T]
    yield (
        "the sum over steps of each step's mean: late tokens weigh more, the loss grows with T",
        per_step.sum(),
    )
    yield (
        "the mean over steps of each step's mean: late tokens weigh more than early ones",
        per_step[mask.any(0)].mean(),
    )
    yield (
        "the mean over the pads: the mask is inverted",
        (nll * ~mask).sum() / (~mask).sum().clamp(min=1),
    )
    survivors = mask.sum(0)  # [T]
    yield (
        "a [B, 1] loss under a [B] mask, step by step: masked_select broadcasts to [B, B] and "
        "counts every loss, pads included, once for each True; squeeze the loss to [B]",
        (nll.sum(0) * survivors).sum() / (B * survivors.sum()),
    )
    yield (
        "the sum over steps of means over all rows: the mask had no effect within a "
        "step; was a [B, 1] loss broadcast against a [B] mask?",
        nll.mean(0).sum(),
    )
    probs = logits.softmax(-1)
    yield (
        f"cross-entropy of probabilities: softmax was taken twice, and the loss cannot fall below "
        f"log(e + V - 1) - 1 = {math.log(math.e + V - 1) - 1:.3f}",
        (-probs.log_softmax(-1).gather(-1, index)[..., 0] * mask).sum() / count,
    )
    yield (
        "NLL of probabilities: it is negative; log_softmax is missing",
        (-probs.gather(-1, index)[..., 0] * mask).sum() / count,
    )
    yield (
        "NLL of raw logits: log_softmax is missing",
        (-logits.gather(-1, index)[..., 0] * mask).sum() / count,
    )
    for axis, name in ((0, "batch"), (1, "time")):
        wrong = -logits.log_softmax(axis).gather(-1, index)[..., 0]
        yield (
            f"the loss with a softmax over the {name} axis: dim must be -1, the vocabulary",
            (wrong * mask).sum() / count,
        )
    over_tokens = -logits[mask].log_softmax(0).gather(-1, targets[mask][:, None])  # [N, 1]
    yield (
        "the loss with a softmax over the tokens, axis 0 of [N, V]: dim must be -1, the vocabulary",
        over_tokens.sum() / count,
    )
    ignored = targets.masked_fill(~mask, -100)
    yield (
        "what reshape(B, V, T) gives: it deals the numbers out anew; use transpose(1, 2)",
        F.cross_entropy(logits.reshape(B, V, T), ignored),
    )
    yield "right in size but negative: a minus sign is missing", -real.sum() / count
    without_last = mask.clone()
    without_last[range(B), lengths.clamp(min=1) - 1] = False
    yield (
        "the mean without the last real token of each row: EOS must be scored, or nothing learns "
        "to stop",
        (nll * without_last).sum() / without_last.sum().clamp(min=1),
    )
    ahead = -logits[:, :-1].log_softmax(-1).gather(-1, index[:, 1:])[..., 0]  # [B, T - 1]
    behind = -logits[:, 1:].log_softmax(-1).gather(-1, index[:, :-1])[..., 0]
    later = mask[:, 1:]
    yield (
        "that of logits[:, :-1] at targets[:, 1:]: these labels are shifted already, so shift them "
        "no more",
        (ahead * later).sum() / later.sum().clamp(min=1),
    )
    yield (
        "that of logits[:, 1:] at targets[:, :-1]: labels not shifted, so each position is asked "
        "for the token that it reads, and the model learns to copy",
        (behind * later).sum() / later.sum().clamp(min=1),
    )
    if B == T:
        yield (
            "the mean under the transposed mask: lengths were compared along the wrong axis",
            (nll * mask.T).sum() / count,
        )
