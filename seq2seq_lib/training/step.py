"""One step of training, and the loss of a whole loader.

The gradient of a step is the gradient of (summed loss) / (summed tokens) over all micro-batches of
the step, of all processes that train together. Sums are differentiated and divided once, so one
large batch, several small ones and several machines give the same gradient, whatever their lengths.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq_lib._arguments import kind_of
from seq2seq_lib.batching import Batch
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.runtime import evaluation_mode, kept_rng
from seq2seq_lib.training.config import check_clip_norm
from seq2seq_lib.training.processes import Processes

LossFunction = Callable[[nn.Module, Batch, int], LossSum]  # model, batch, step


def train_step(
    model: nn.Module,
    batches: Sequence[Batch],
    optimizer: torch.optim.Optimizer,
    *,
    loss_function: LossFunction,
    step: int = 0,
    clip_norm: float | None = 1.0,
) -> LossSum:
    """One update from one or several micro-batches, as if they were one batch.

    In a process group (``torch.distributed``) the micro-batches of all processes count as one
    batch: each process brings its own, gradients and tokens are summed over all before the one
    division, and all make the same update. See ``Processes`` for why not DDP.

    Args:
        batches: the micro-batches, on the model's device; in a process group there may be none.
        loss_function: ``(model, batch, step) -> LossSum``.
        step: handed to it, for schedules.
        clip_norm: the gradient's largest norm, over all parameters together; None: no clipping.

    Returns:
        The loss over all of them. If they hold no real token, nothing is updated.

    Raises:
        FloatingPointError: the loss or the gradient is infinite or NaN; the weights are left as
            they were.
        ValueError: no batches; a loss without a gradient; an optimiser of other weights.
        TypeError: a batch in place of a list, a batch without ``to``, a loss that is no ``LossSum``
            of two tensors.
    """
    processes = Processes(next(model.parameters()).device)
    if isinstance(batches, Batch):
        raise TypeError("batches must be a list of batches, but it is one: train_step(model, [b]).")
    if len(batches) == 0 and processes.size == 1:
        raise ValueError("train_step got no batches.")
    check_clip_norm(clip_norm)
    _check_updates(optimizer, model)
    model.train()
    optimizer.zero_grad(set_to_none=True)
    losses = []
    for batch in batches:
        loss = _checked(loss_function(model, batch, step))
        if not loss.total.requires_grad:
            raise ValueError(
                "The loss has no gradient: it was detached, or computed under torch.no_grad(), or "
                "no weight of the model requires a gradient."
            )
        loss.total.backward()  # sums add up; the division comes once, below
        losses.append(loss.detach())
    window = processes.sum_losses(losses)
    processes.sum_gradients(model.parameters())
    if window.tokens == 0:
        return window
    parameters = [p for p in model.parameters() if p.grad is not None]
    for parameter in parameters:
        parameter.grad.div_(window.tokens)
    norm = nn.utils.clip_grad_norm_(parameters, math.inf if clip_norm is None else clip_norm)
    if not (norm.isfinite() and window.total.isfinite()):
        raise FloatingPointError(
            f"The gradient's norm at step {step} is {norm.item()} and the loss {window.mean:.4g}: "
            f"nothing was updated. Lower the learning rate, or look for a NaN in the data."
        )
    optimizer.step()
    return window


def _checked(loss: LossSum) -> LossSum:
    """What a loss function of the caller's returned."""
    if not isinstance(loss, LossSum):
        raise TypeError(
            f"loss_function must return a LossSum, the summed loss and its number of tokens, but "
            f"it returned {kind_of(loss)}: see losses.sequence_loss."
        )
    for name, value in vars(loss).items():
        if not isinstance(value, Tensor) or value.dim() != 0:
            came = list(value.shape) if isinstance(value, Tensor) else repr(value)
            raise TypeError(
                f"The {name} of the loss must be a tensor without dimensions, but it is {came}: "
                f"sum over the batch, and make a number a tensor."
            )
    return loss


def _check_updates(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """Refuse an optimiser of other weights: it would change nothing, and the loss never fall."""
    updated = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    if updated.isdisjoint(map(id, model.parameters())):
        raise ValueError(
            "The optimiser holds none of the model's weights: make it after the model has been "
            "built, loaded or copied."
        )


def on_device(batch: Any, device: torch.device | str) -> Batch:
    """A batch of a loader, where the model is; a ``TypeError`` for what is none."""
    if not hasattr(batch, "to"):
        raise TypeError(
            f"A loader must give batches that have to(device), but one is a {kind_of(batch)}: use "
            f"batching.make_loader, or DataLoader(..., collate_fn=batching.collate)."
        )
    return batch.to(device)


def teacher_forced_loss(
    label_smoothing: float = 0.0, teacher_forcing: Callable[[int], float] | None = None
) -> LossFunction:
    """The loss function of ``fit``: cross-entropy of ``tgt_out``; pads count nothing.

    In evaluation mode it is the plain one, teacher forced and without smoothing, so that validation
    losses of all epochs and of all settings compare.

    Args:
        label_smoothing: see ``losses.sequence_loss``.
        teacher_forcing: step to ratio, for example ``functools.partial(schedules.linear, start=1,
            end=0, num_steps=1000)``; always 1 when left out.
    """

    def loss(model: nn.Module, batch: Batch, step: int) -> LossSum:
        ratio, smoothing = 1.0, 0.0
        if model.training:
            smoothing = label_smoothing
            ratio = 1.0 if teacher_forcing is None else teacher_forcing(step)
        logits = model(batch, teacher_forcing_ratio=ratio)
        return sequence_loss(logits, batch.tgt_out, batch.tgt_mask, label_smoothing=smoothing)

    return loss


def evaluate(
    model: nn.Module,
    loader: Iterable[Batch],
    *,
    device: torch.device | str = "cpu",
    loss_function: LossFunction | None = None,
    step: int = 0,
) -> LossSum:
    """The loss over a whole loader: summed NLL over summed tokens, without dropout or gradient.

    Teacher forced, so it is a likelihood: ``exp(mean)`` is the perplexity. The result does not
    depend on how the sentences are batched, and measuring changes nothing: neither the model's mode
    nor the random numbers that come next.

    Args:
        loss_function: ``(model, batch, step) -> LossSum``; sees the model in evaluation mode.
        step: handed to it.
    """
    loss_function = loss_function or teacher_forced_loss()
    with evaluation_mode(model), kept_rng():
        losses = [
            _checked(loss_function(model, on_device(batch, device), step)).detach()
            for batch in loader
        ]
    if not losses:
        raise ValueError(
            "evaluate got an empty loader, or one that was read before and can be read only once."
        )
    return sum(losses[1:], losses[0])
