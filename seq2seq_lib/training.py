"""Fitting a model: steps, epochs, evaluation, and checkpoints that survive an interruption.

The gradient of a step is the gradient of (summed loss) / (summed tokens) over all micro-batches of
the step. Sums are differentiated and divided once, so one large batch and several small ones give
the same gradient, whatever their lengths.
"""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import nn

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.batching import Batch
from seq2seq_lib.checkpoints import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    set_rng,
)
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.vocab import Vocab

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "EpochRecord",
    "History",
    "LossFunction",
    "TrainConfig",
    "evaluate",
    "fit",
    "learning_rate",
    "load_checkpoint",
    "save_checkpoint",
    "teacher_forced_loss",
    "train_step",
]

LossFunction = Callable[[nn.Module, Batch, int], LossSum]  # model, batch, step


@dataclass(frozen=True)
class TrainConfig:
    """How to fit. Learning rate at step s: linear warm-up, then constant or half a cosine to 0."""

    epochs: int = 10
    learning_rate: float = 2e-3  # of AdamW, after the warm-up
    warmup_steps: int = 0
    cosine_decay: bool = False  # to 0 at the last step of the last epoch
    weight_decay: float = 0.0
    clip_norm: float | None = 1.0  # of the whole gradient; None: no clipping
    label_smoothing: float = 0.0  # in training only
    accumulate: int = 1  # micro-batches a step
    patience: int | None = None  # stop after so many epochs without a better validation loss
    checkpoint_every: int | None = None  # steps; a checkpoint is written after each epoch anyway

    def __post_init__(self) -> None:
        check_positive(self.epochs, "epochs")
        check_positive(self.accumulate, "accumulate")
        for name in ("patience", "checkpoint_every"):
            if getattr(self, name) is not None:
                check_positive(getattr(self, name), name)
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be > 0, but it is {self.learning_rate}.")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ValueError(f"clip_norm must be > 0 or None, but it is {self.clip_norm}.")
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps must be ≥ 0, but it is {self.warmup_steps}.")


@dataclass(frozen=True)
class EpochRecord:
    """One line of the history. Losses in nats a token, teacher forced; valid may be None."""

    epoch: int
    step: int
    train_loss: float
    valid_loss: float | None
    tokens: int
    seconds: float


@dataclass
class History:
    """What ``fit`` did: a record an epoch, and how it ended."""

    records: list[EpochRecord] = field(default_factory=list)
    stopped_early: bool = False

    @property
    def best(self) -> EpochRecord:
        """The epoch with the lowest validation loss (training loss if there is none)."""
        if not self.records:
            raise ValueError("The history is empty: no epoch has been finished.")
        return min(
            self.records, key=lambda r: r.train_loss if r.valid_loss is None else r.valid_loss
        )


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

    Returns:
        The loss over all of them. If they hold no real token, nothing is updated.

    Raises:
        FloatingPointError: the gradient is infinite or NaN; the weights are left as they were.
    """
    if len(batches) == 0:
        raise ValueError("train_step got no batches.")
    model.train()
    optimizer.zero_grad(set_to_none=True)
    losses = []
    for batch in batches:
        loss = loss_function(model, batch, step)
        loss.total.backward()  # sums add up; the division comes once, below
        losses.append(loss.detach())
    window = sum(losses)
    if window.tokens == 0:
        return window
    parameters = [p for p in model.parameters() if p.grad is not None]
    for parameter in parameters:
        parameter.grad.div_(window.tokens)
    norm = nn.utils.clip_grad_norm_(parameters, math.inf if clip_norm is None else clip_norm)
    if not torch.isfinite(norm):
        raise FloatingPointError(
            f"The gradient's norm at step {step} is {norm.item()} and the loss {window.mean:.4g}: "
            f"nothing was updated. Lower the learning rate, or look for a NaN in the data."
        )
    optimizer.step()
    return window


def teacher_forced_loss(
    label_smoothing: float = 0.0, teacher_forcing: Callable[[int], float] | None = None
) -> LossFunction:
    """The loss function of ``fit``: cross-entropy of ``tgt_out``; pads count nothing.

    Args:
        label_smoothing: see ``losses.sequence_loss``.
        teacher_forcing: step to ratio, for example from ``schedules``; always 1 when left out.
    """

    def loss(model: nn.Module, batch: Batch, step: int) -> LossSum:
        ratio = 1.0 if teacher_forcing is None else teacher_forcing(step)
        logits = model(batch, teacher_forcing_ratio=ratio)
        return sequence_loss(logits, batch.tgt_out, batch.tgt_mask, label_smoothing=label_smoothing)

    return loss


def evaluate(
    model: nn.Module,
    loader: Iterable[Batch],
    *,
    device: torch.device | str = "cpu",
    loss_function: LossFunction | None = None,
) -> LossSum:
    """The loss over a whole loader: summed NLL over summed tokens, without dropout or gradient.

    Teacher forced, so it is a likelihood: ``exp(mean)`` is the perplexity.
    """
    loss_function = loss_function or teacher_forced_loss()
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            losses = [loss_function(model, batch.to(device), 0).detach() for batch in loader]
    finally:
        model.train(training)
    if not losses:
        raise ValueError("evaluate got an empty loader.")
    return sum(losses[1:], losses[0])


def learning_rate(step: int, config: TrainConfig, total_steps: int) -> float:
    """The learning rate of step 0, 1, …: a function of the step alone, so a resumed run agrees."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if not config.cosine_decay:
        return config.learning_rate
    done = (step - config.warmup_steps) / max(1, total_steps - config.warmup_steps)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def fit(
    model: nn.Module,
    train_loader: Any,
    valid_loader: Iterable[Batch] | None = None,
    config: TrainConfig | None = None,
    *,
    device: torch.device | str = "cpu",
    loss_function: LossFunction | None = None,
    checkpoint_path: str | os.PathLike[str] | None = None,
    resume: Checkpoint | None = None,
    src_vocab: Vocab | None = None,
    tgt_vocab: Vocab | None = None,
    after_epoch: Callable[[nn.Module, EpochRecord], None] | None = None,
    progress: bool = True,
) -> History:
    """Train for some epochs with AdamW.

    Args:
        model: moved to ``device``; called by ``loss_function``.
        train_loader: from ``batching.make_loader``; anything that gives batches and has a length
            will do, but only a batch sampler with ``set_epoch`` resumes in the middle of an epoch.
        valid_loader: measured after each epoch.
        config: see ``TrainConfig``.
        loss_function: ``(model, batch, step) -> LossSum``; cross-entropy when left out.
        checkpoint_path: written after each epoch, and every ``checkpoint_every`` steps. A file is
            replaced only when the new one is complete, so an interruption (Ctrl-C, power) leaves
            the last checkpoint whole.
        resume: go on from this checkpoint; on a CPU the result is bit for bit that of a run that
            was never interrupted.
        src_vocab, tgt_vocab: stored in the checkpoint.
        after_epoch: called with the model and the record, for example to print translations.
        progress: show a bar.
    """
    from tqdm.auto import tqdm

    config = config or TrainConfig()
    train_loss = loss_function or teacher_forced_loss(config.label_smoothing)
    model.to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    history, epoch, skip, running = History(), 0, 0, None
    if resume is not None:
        epoch, skip, running = _resume(model, optimizer, history, resume)
    sampler = getattr(train_loader, "batch_sampler", None)

    def save(next_epoch: int, next_batch: int, step: int) -> None:
        if checkpoint_path is not None:
            save_checkpoint(
                checkpoint_path,
                model,
                src_vocab=src_vocab,
                tgt_vocab=tgt_vocab,
                optimizer=optimizer,
                progress={
                    "epoch": next_epoch,
                    "batch": next_batch,
                    "step": step,
                    "running": None
                    if not next_batch
                    else [float(running.total), int(running.tokens)],
                    "history": [asdict(record) for record in history.records],
                },
            )

    step = resume.progress["step"] if resume is not None else 0
    while epoch < config.epochs:
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(epoch)
        batches = len(train_loader)
        steps = math.ceil(batches / config.accumulate)
        started = time.perf_counter()
        bar = tqdm(total=batches, initial=skip, desc=f"epoch {epoch + 1}", disable=not progress)
        with bar:
            for window in _windows(_iterate(train_loader, skip), config.accumulate):
                for group in optimizer.param_groups:
                    group["lr"] = learning_rate(step, config, steps * config.epochs)
                window = [batch.to(device) for batch in window]
                loss = train_step(
                    model,
                    window,
                    optimizer,
                    loss_function=train_loss,
                    step=step,
                    clip_norm=config.clip_norm,
                )
                running = loss if running is None else running + loss
                step += 1
                skip += len(window)
                bar.update(len(window))
                if step % 20 == 0:
                    bar.set_postfix(loss=f"{running.mean:.3f}")
                if config.checkpoint_every and step % config.checkpoint_every == 0:
                    save(epoch, skip, step)
        valid = None
        if valid_loader is not None:
            valid = float(
                evaluate(model, valid_loader, device=device, loss_function=loss_function).mean
            )
        record = EpochRecord(
            epoch=epoch + 1,
            step=step,
            train_loss=float(running.mean),
            valid_loss=valid,
            tokens=int(running.tokens),
            seconds=time.perf_counter() - started,
        )
        history.records.append(record)
        epoch, skip, running = epoch + 1, 0, None
        save(epoch, 0, step)
        if after_epoch is not None:
            after_epoch(model, record)
        if config.patience and epoch - history.best.epoch >= config.patience:
            history.stopped_early = True
            break
    return history


def _resume(
    model: nn.Module, optimizer: torch.optim.Optimizer, history: History, checkpoint: Checkpoint
) -> tuple[int, int, LossSum | None]:
    if checkpoint.optimizer is None or "step" not in checkpoint.progress:
        raise CheckpointError(
            "This checkpoint holds a model but no training state: it was not written by fit."
        )
    try:
        model.load_state_dict(checkpoint.weights)
        optimizer.load_state_dict(checkpoint.optimizer)
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"The checkpoint does not fit this model: {error}") from error
    done = checkpoint.progress
    history.records = [EpochRecord(**record) for record in done["history"]]
    running = None
    if done["running"] is not None:
        total, tokens = done["running"]
        device = next(model.parameters()).device
        running = LossSum(torch.tensor(total, device=device), torch.tensor(tokens, device=device))
    set_rng(checkpoint.rng)
    return done["epoch"], done["batch"], running


def _iterate(loader: Any, skip: int) -> Iterator[Batch]:
    # A DataLoader draws from the global generator when it is iterated. That draw is undone, so
    # that a run which starts here has the random numbers of one that came here.
    state = torch.get_rng_state()
    batches = iter(loader)
    for _ in islice(batches, skip):
        pass
    torch.set_rng_state(state)
    return batches


def _windows(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while window := list(islice(batches, size)):
        yield window
