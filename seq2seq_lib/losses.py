"""Losses over padded batches that cannot be averaged wrongly.

A loss is kept as what it is, a sum and a count (``LossSum``), and divided once, at the end. Means
of means weigh a token in a short batch more than one in a long batch.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib._arguments import check_choice, check_number, kind_of

FEW_PADS = 0.4  # of all rows: to leave out more is worth a copy, see benchmarks/loss.py


@dataclass(frozen=True)
class LossSum:
    """A summed loss and what it was summed over.

    Attributes:
        total: the sum of the negative log-likelihoods, nats; 0-dim, keeps its graph.
        tokens: 0-dim. The number of real tokens; with class weights the sum of the weights used,
            because that is what torch divides by.

    ``a + b`` adds batches, micro-batches or ranks; ``.mean`` divides once, and is 0 for a batch of
    pads alone (torch gives NaN: https://github.com/pytorch/pytorch/issues/116349).
    """

    total: Tensor
    tokens: Tensor

    @property
    def mean(self) -> Tensor:
        """Nats a token; 0 when there are no tokens."""
        nothing = self.tokens == 0
        return self.total / torch.where(nothing, torch.ones_like(self.tokens), self.tokens)

    def __add__(self, other: "LossSum") -> "LossSum":
        if not isinstance(other, LossSum):
            return NotImplemented
        return LossSum(self.total + other.total, self.tokens + other.tokens)

    def __radd__(self, other: int) -> "LossSum":
        # sum() starts from 0
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def detach(self) -> "LossSum":
        """The same numbers without the graph, for logging."""
        return LossSum(self.total.detach(), self.tokens.detach())

    def all_reduce(self) -> "LossSum":
        """The sum over all ranks of ``torch.distributed``, without the graph."""
        total, tokens = self.total.detach().clone(), self.tokens.detach().clone()
        torch.distributed.all_reduce(total)
        torch.distributed.all_reduce(tokens)
        return LossSum(total, tokens)


def sequence_loss(
    logits: Tensor,
    targets: Tensor,
    mask: Tensor,
    *,
    label_smoothing: float = 0.0,
    weight: Tensor | None = None,
) -> LossSum:
    """Cross-entropy of the real positions, summed.

    total = Σ over real (b, t) of  −log softmax(logits[b, t])[targets[b, t]]

    Args:
        logits: floats ``[B, T, V]``, not normalised.
        targets: int64 ``[B, T]``; what stands at pads does not matter.
        mask: bool ``[B, T]``, True = real token.
        label_smoothing: ε of Szegedy et al. 2016, as torch defines it: (1−ε) on the target and
            ε/V on every class.
        weight: floats ``[V]``, one a class, as in ``nn.CrossEntropyLoss``.

    Returns:
        ``LossSum(total, tokens)``; the gradient at pads is exactly 0, whatever the logits there
        (also NaN). Half precision, also of weights, is summed in float32.

    Raises:
        TypeError, ValueError: ranks, shapes, dtypes, target ids or smoothing out of range.
    """
    losses, count = _cross_entropy(logits, targets, mask, weight, label_smoothing)
    return LossSum(losses.sum(), count)


def masked_nll_loss(
    log_probs: Tensor,
    targets: Tensor,
    mask: Tensor,
    *,
    weight: Tensor | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``nn.NLLLoss`` over the real positions: minus the log-probability of each target.

    The mean is Σ w·nll / Σ w over real tokens. Like ``nn.NLLLoss`` this is arithmetic and believes
    its caller: given logits or probabilities instead of log-probabilities, it returns a number.
    The symptom is a negative loss; the cure is ``masked_cross_entropy``, which takes logits.

    Args:
        log_probs: floats ``[B, T, V]``, the output of ``log_softmax`` over V.
        targets: int64 ``[B, T]``; what stands at pads does not matter.
        mask: bool ``[B, T]``, True = real token.
        weight: floats ``[V]``, one a class.
        reduction: ``"mean"``, ``"sum"`` (0-dim) or ``"none"`` (``[B, T]``, 0 at pads).

    Returns:
        nats; half precision comes back as float32. The gradient at pads is exactly 0.

    Raises:
        TypeError, ValueError: ranks, shapes, dtypes or target ids; an unknown reduction.
    """
    index = _readable(log_probs, targets, mask, weight, "log_probs")  # [B, T]
    nll = -log_probs.gather(-1, index.unsqueeze(-1)).squeeze(-1)  # [B, T, V] -> [B, T]
    nll = nll.to(_precise(nll.dtype)).masked_fill(~mask, 0.0)
    if weight is None:
        return _reduce(nll, mask.sum(), reduction)
    used = _used(weight, index, mask)
    return _reduce(nll * used, used.sum(), reduction)


def masked_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    mask: Tensor,
    *,
    weight: Tensor | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """``nn.CrossEntropyLoss`` over the real positions: ``masked_nll_loss`` of the log-softmax.

    The other arguments are those of ``sequence_loss``, ``reduction`` and result those of
    ``masked_nll_loss``.
    """
    losses, count = _cross_entropy(logits, targets, mask, weight, label_smoothing)
    return _reduce(losses, count, reduction)


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL( N(mu, diag exp(logvar)) ‖ N(0, I) ), summed over the latent dimensions.

    ½ Σ_d (mu² + exp(logvar) − 1 − logvar): Kingma & Welling 2014, appendix B.

    Args:
        mu, logvar: floats ``[B, Z]``.

    Returns:
        nats a sentence, ``[B]``; half precision comes back as float32. A mean over dimensions would
        weigh the KL by 1/Z, silently.

    Raises:
        ValueError: the two differ in shape, or are not ``[B, Z]``.
    """
    if mu.shape != logvar.shape or mu.dim() != 2:
        raise ValueError(
            f"mu and logvar must both be [B, Z], but they are {list(mu.shape)} and "
            f"{list(logvar.shape)}."
        )
    mu, logvar = (x.to(_precise(x.dtype)) for x in (mu, logvar))
    return 0.5 * (mu.square() + logvar.expm1() - logvar).sum(-1)  # [B, Z] -> [B]


def _cross_entropy(
    logits: Tensor, targets: Tensor, mask: Tensor, weight: Tensor | None, label_smoothing: float
) -> tuple[Tensor, Tensor]:
    """The losses ``[B, T]``, 0 at pads and so is their gradient; what a mean divides them by."""
    index = _readable(logits, targets, mask, weight, "logits")
    check_number(label_smoothing, "label_smoothing", "in [0, 1)", low=0, high=1)
    tokens, precise = mask.sum(), _precise(logits.dtype)
    count = tokens if weight is None else _used(weight, index, mask).sum()
    options = {
        "reduction": "none",
        "weight": None if weight is None else weight.to(precise),
        "label_smoothing": label_smoothing,
    }
    # [B, T, V] -> [R, V] with R = B * T: rows stay tokens, unlike in reshape(B, V, T)
    rows, index, real = logits.flatten(0, 1), index.flatten(), mask.flatten()
    if tokens >= (1 - FEW_PADS) * len(real):
        losses = F.cross_entropy(rows.to(precise), index, **options)  # [R]
        # 0 times a loss has the gradient 0, but 0 times NaN or infinity NaN: then no pad comes in.
        if losses.detach().sum().isfinite():
            return losses.view_as(mask).masked_fill(~mask, 0), count
    places = real.nonzero().squeeze(1)  # [N], of the real tokens
    losses = F.cross_entropy(rows.index_select(0, places).to(precise), index[places], **options)
    return losses.new_zeros(len(real)).index_copy(0, places, losses).view_as(mask), count


def _precise(dtype: torch.dtype) -> torch.dtype:
    # a sum over a batch in float16 overflows beyond 65504 nats, and rounds long before
    return torch.promote_types(dtype, torch.float32)


def _used(weight: Tensor, index: Tensor, mask: Tensor) -> Tensor:
    # the weight of each target [B, T], 0 at pads; torch divides by their sum
    return weight.to(_precise(weight.dtype))[index].masked_fill(~mask, 0.0)


def _reduce(losses: Tensor, count: Tensor, reduction: str) -> Tensor:
    check_choice(reduction, ("mean", "sum", "none"), "reduction")
    if reduction == "none":
        return losses
    loss = LossSum(losses.sum(), count)
    return loss.mean if reduction == "mean" else loss.total


def _readable(
    scores: Tensor, targets: Tensor, mask: Tensor, weight: Tensor | None, name: str
) -> Tensor:
    """The targets ``[B, T]`` with id 0 at pads, after all arguments were checked."""
    if scores.dim() != 3 or not scores.is_floating_point() or scores.size(-1) == 0:
        raise ValueError(
            f"{name} must be floats [B, T, V] with V ≥ 1, but they are {scores.dtype} "
            f"{list(scores.shape)}."
        )
    if kind_of(targets) != "torch.int64":
        raise TypeError(f"targets must be int64 token ids, but they are {kind_of(targets)}.")
    if kind_of(mask) != "torch.bool":
        raise TypeError(f"mask must be bool (True = real token), but it is {kind_of(mask)}.")
    if not targets.shape == mask.shape == scores.shape[:2]:
        raise ValueError(
            f"targets and mask must be [B, T] = {list(scores.shape[:2])}, but they are "
            f"{list(targets.shape)} and {list(mask.shape)}: nothing is broadcast here."
        )
    V = scores.size(-1)
    if weight is not None:
        if not isinstance(weight, Tensor) or not weight.is_floating_point():
            raise TypeError(f"weight must be a tensor of floats, but it is {kind_of(weight)}.")
        if weight.shape != (V,):
            raise ValueError(
                f"weight must be [V] = [{V}], one number a class, but it is {list(weight.shape)}."
            )
    index = targets.masked_fill(~mask, 0)
    lowest, highest = index.aminmax() if index.numel() else (0, 0)
    if lowest < 0 or highest >= V:
        row, t = ((index < 0) | (index >= V)).nonzero()[0].tolist()
        raise ValueError(
            f"targets must be ids in 0 .. {V - 1} where the mask is True, but "
            f"targets[{row}, {t}] is {targets[row, t]}."
        )
    return index
