"""What a masked loss should be, on purpose and under the options that honest losses differ in."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.vocab import PAD_ID

Example = tuple[Tensor, Tensor, Tensor]  # logits [B, T, V], targets [B, T], mask [B, T]

PER = ("token", "sentence", "sentence_mean")
PER_WORDS = {
    "token": "a mean over tokens",
    "sentence": "a sum over tokens, divided by the sentences (per='sentence')",
    "sentence_mean": "a mean over sentences of their means over tokens (per='sentence_mean')",
}


def pad_of(targets: Tensor, mask: Tensor) -> int:
    """The id that stands at pads; the usual one if there are none."""
    pads = targets[~mask]
    return int(pads[0]) if pads.numel() else PAD_ID


def four_ways(logits: Tensor, targets: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The mean NLL of the real tokens, written down in four ways that must agree."""
    log_probs = logits.log_softmax(-1)  # [B, T, V]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]  # [B, T]
    ignored = targets.masked_fill(~mask, -100)
    tokens = [(b, t) for b, t in mask.nonzero().tolist()]
    return {
        "mask x NLL": (nll * mask).sum() / mask.sum(),
        "masked_select": nll.masked_select(mask).mean(),
        "ignore_index": F.cross_entropy(logits.flatten(0, 1), ignored.flatten(), ignore_index=-100),
        "NLL of log-softmax, token by token": sum(
            -log_probs[b, t, targets[b, t]] for b, t in tokens
        )
        / len(tokens),
    }


def _nll(logits: Tensor, targets: Tensor) -> Tensor:
    return -logits.log_softmax(-1).gather(-1, targets[..., None])[..., 0]


def _over_all(logits: Tensor, targets: Tensor, smoothing: float, pad: int = PAD_ID) -> Tensor:
    every = -logits.log_softmax(-1).mean(-1)
    return (1 - smoothing) * _nll(logits, targets) + smoothing * every


def _over_others(logits: Tensor, targets: Tensor, smoothing: float, pad: int = PAD_ID) -> Tensor:
    log_probs, V = logits.log_softmax(-1), logits.size(-1)
    nll = _nll(logits, targets)
    others = -log_probs.sum(-1) - nll
    return (1 - smoothing) * nll + smoothing / (V - 1) * others


def _without_pad(logits: Tensor, targets: Tensor, smoothing: float, pad: int = PAD_ID) -> Tensor:
    log_probs, V = logits.log_softmax(-1), logits.size(-1)
    nll = _nll(logits, targets)
    others = -log_probs.sum(-1) - nll  # PAD is no target
    if pad < V:
        others = others + log_probs[..., pad]
    return (1 - smoothing) * nll + smoothing / (V - 2) * others


def _divergence(logits: Tensor, targets: Tensor, smoothing: float, pad: int = PAD_ID) -> Tensor:
    V = logits.size(-1)
    share = torch.tensor([1 - smoothing] + [smoothing / (V - 2)] * (V - 2), dtype=torch.float64)
    return _without_pad(logits, targets, smoothing, pad) + float((share * share.log()).sum())


# https://arxiv.org/abs/1512.00567; the share of the other words is defined in four ways
SMOOTHINGS = {
    "ε/V on every word (torch)": _over_all,
    "ε/(V − 1) on every other word (fairseq)": _over_others,
    "ε/(V − 2) on every other word but PAD": _without_pad,
    "ε/(V − 2) on every other word but PAD, as a KL divergence (Annotated Transformer, JoeyNMT)": (
        _divergence
    ),
}


@dataclass(frozen=True)
class Reference:
    """The loss that is expected.

    Attributes:
        per: what the sum is divided by, see ``PER_WORDS``.
        each: ``(logits, targets) -> [B, T]``, the loss of each token; the NLL if left out.
        name: of ``each``, in words.
    """

    per: str = "token"
    each: Callable[[Tensor, Tensor], Tensor] | None = None
    name: str = "NLL"

    @property
    def plain(self) -> bool:
        """Whether it is the mean NLL of the real tokens."""
        return self.each is None and self.per == "token"

    def units(self, example: Example) -> int:
        """How many tokens, or sentences, the sum is divided by; at least 1."""
        mask = example[2]
        return max(1, int(mask.sum()) if self.per == "token" else int(mask.any(1).sum()))

    def value(self, example: Example) -> Tensor:
        """The loss."""
        logits, targets, mask = example
        each = (self.each or _nll)(logits, targets).masked_fill(~mask, 0)  # [B, T]
        if self.per == "sentence_mean":
            each = each / mask.sum(1, keepdim=True).clamp(min=1)
        return each.sum() / self.units(example)

    def ways(self, example: Example) -> dict[str, Tensor]:
        """The loss, in as many ways as it can be written down."""
        if self.plain:
            return four_ways(*example)
        return {f"{self.name}, {PER_WORDS[self.per]}": self.value(example)}

    def gradient(self, example: Example) -> Tensor:
        """With respect to the logits, ``[B, T, V]``."""
        logits = example[0].clone().requires_grad_()
        return torch.autograd.grad(self.value((logits, *example[1:])), logits)[0]

    def said(self) -> tuple[str, ...]:
        """What is assumed, in words."""
        return () if self.plain else (f"the loss is {self.name}, {PER_WORDS[self.per]}",)


def smoothed(
    smoothing: float, per: str, measure: Callable[[Example], float], example: Example
) -> Reference:
    """The reference whose formula of smoothing gives what was measured; torch's if none does."""
    pad = pad_of(*example[1:])
    found = [
        Reference(
            per,
            lambda z, y, formula=formula: formula(z, y, smoothing, pad),
            f"NLL smoothed by {smoothing}, {name}",
        )
        for name, formula in SMOOTHINGS.items()
    ]
    try:
        measured = measure(example)
    except Exception:
        return found[0]
    gaps = [abs(float(reference.value(example)) - measured) for reference in found]
    best = min(range(len(found)), key=gaps.__getitem__)
    return found[best] if gaps[best] < 1e-4 else found[0]
