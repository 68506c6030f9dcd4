"""Fitting a model: steps, epochs, evaluation; interrupted runs go on as if nothing had happened.

The gradient of a step is the gradient of (summed loss) / (summed tokens) over all micro-batches of
the step, of all processes that train together. Sums are differentiated and divided once, so one
large batch, several small ones and several machines give the same gradient, whatever their lengths.
"""

import contextlib
import math
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from seq2seq_lib import distributed
from seq2seq_lib._arguments import check_number, check_positive, kind_of
from seq2seq_lib.batching import Batch
from seq2seq_lib.checkpoints import (
    Checkpoint,
    CheckpointError,
    EpochRecord,
    History,
    TrainingState,
    check_folder,
    check_storable,
    fingerprint,
    kept_rng,
    load_checkpoint,
    save_checkpoint,
)
from seq2seq_lib.decoding import evaluation_mode
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

WHOLE_LOADER = "fit shares the rows of each batch, so give all the same whole loader and seed"


@dataclass(frozen=True)
class TrainConfig:
    """How to fit. Learning rate at step s: linear warm-up, then constant or half a cosine to 0."""

    epochs: int = 10
    learning_rate: float = 2e-3  # of AdamW, after the warm-up
    warmup_steps: int = 0
    cosine_decay: bool = False  # to 0 at the end of the last epoch
    weight_decay: float = 0.0
    clip_norm: float | None = 1.0  # of the whole gradient; None: no clipping
    label_smoothing: float = 0.0  # in training only
    accumulate: int = 1  # micro-batches a step
    patience: int | None = None  # stop after so many epochs without a better validation loss
    keep_best: bool = False  # end with the weights of the best epoch; patience implies it
    average_from: float | None = None  # after this share of all steps, average the weights (SWA)
    checkpoint_every: int | None = None  # steps; a checkpoint is written after each epoch anyway

    def __post_init__(self) -> None:
        check_positive(self.epochs, "epochs")
        check_positive(self.accumulate, "accumulate")
        for name in ("patience", "checkpoint_every"):
            if getattr(self, name) is not None:
                check_positive(getattr(self, name), name)
        check_number(self.learning_rate, "learning_rate", "> 0", low=0, open_low=True)
        if self.clip_norm is not None:
            check_number(self.clip_norm, "clip_norm", "> 0 or None", low=0, open_low=True)
        if not isinstance(self.warmup_steps, int) or self.warmup_steps < 0:
            raise ValueError(f"warmup_steps must be an integer ≥ 0, not {self.warmup_steps!r}.")
        check_number(self.weight_decay, "weight_decay", "≥ 0", low=0)
        check_number(self.label_smoothing, "label_smoothing", "in [0, 1)", low=0, high=1)
        if self.average_from is not None:
            check_number(self.average_from, "average_from", "in [0, 1) or None", low=0, high=1)

    @property
    def keeps_best(self) -> bool:
        """Whether training ends with the weights of the best epoch: ``patience`` implies it."""
        return self.keep_best or self.patience is not None


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
    division, and all make the same update. See ``distributed`` for why not DDP.

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
    """
    together = distributed.world_size() > 1
    if len(batches) == 0 and not together:
        raise ValueError("train_step got no batches.")
    model.train()
    optimizer.zero_grad(set_to_none=True)
    losses = []
    for batch in batches:
        loss = _checked(loss_function(model, batch, step))
        loss.total.backward()  # sums add up; the division comes once, below
        losses.append(loss.detach())
    if together:
        window = distributed.sum_losses(losses, next(model.parameters()).device)
        distributed.sum_gradients(model.parameters())
    else:
        window = sum(losses)
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
    return loss


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
            _checked(loss_function(model, batch.to(device), step)).detach() for batch in loader
        ]
    if not losses:
        raise ValueError(
            "evaluate got an empty loader, or one that was read before and can be read only once."
        )
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
    extra: dict[str, Any] | None = None,
    after_epoch: Callable[[nn.Module, EpochRecord], None] | None = None,
    progress: bool = True,
) -> History:
    """Train for some epochs with AdamW.

    The model ends in evaluation mode, with its last weights; with ``average_from`` with the equal
    average of those of the steps from there on (Izmailov et al. 2018); with ``keep_best`` or
    ``patience`` with those that had the best validation loss. The last checkpoint's ``weights``
    are the same.

    In a process group (``torchrun``; see ``distributed.joined``) every process calls ``fit`` with
    the same arguments, weights and seed, and gets the same model and history. They share the rows
    of each batch, so the batches, steps and losses are those of one process, up to the rounding of
    sums; only what is drawn inside the model (dropout, teacher forcing) differs. The validation
    batches are dealt out. Process 0 alone writes checkpoints, shows the bar, calls ``after_epoch``.

    Args:
        model: moved to ``device``; called by ``loss_function``.
        train_loader: from ``batching.make_loader``; anything that gives batches and has a length
            will do, but only a batch sampler with ``set_epoch`` resumes in the middle of an epoch.
        valid_loader: measured after each epoch, on the averaged weights once there are some.
        config: see ``TrainConfig``.
        loss_function: ``(model, batch, step) -> LossSum`` for training (``model.training``) and
            validation; ``teacher_forced_loss`` when left out.
        checkpoint_path: written after each epoch, and every ``checkpoint_every`` steps. A file is
            replaced only when the new one is complete, so an interruption (Ctrl-C, power) leaves
            the last checkpoint whole.
        resume: go on from this checkpoint; on a CPU the result is bit for bit that of a run that
            was never interrupted (with as many processes).
        src_vocab, tgt_vocab, extra: stored in the checkpoint; those of ``resume`` when left out.
        after_epoch: called with the model that was validated and the record, for example to print
            translations. The checkpoint of the epoch is already written.
        progress: show a bar, if tqdm is there, which is an extra.

    Raises:
        FloatingPointError: the training loss or its gradient became infinite or NaN.
        ValueError: the processes do not agree on settings, weights, random state or batches.
        CheckpointError: the checkpoint cannot be written, or ``resume`` is not of such a run: other
            weights, or in the middle of an epoch other batches than those it was trained on.
        TypeError: a loader that can be read only once, a loss that is no ``LossSum``.

    Warns:
        UserWarning: a cosine decay is resumed with another number of epochs, so the learning rate
            jumps.
    """
    config = config or TrainConfig()
    _check_readable("train_loader", train_loader)
    _check_readable("valid_loader", valid_loader)
    if checkpoint_path is not None:
        check_storable(model, extra)
    if loss_function is not None and config.label_smoothing:
        raise ValueError(
            "config.label_smoothing has no effect on your own loss_function: set it 0."
        )
    train_loss = loss_function or teacher_forced_loss(config.label_smoothing)
    speaks = distributed.rank() == 0  # of several processes only one writes and prints
    if checkpoint_path is not None and speaks:
        check_folder(checkpoint_path)
    state = _begin(model.to(device), config)
    if resume is not None:
        state.restore(resume)
        _keep_best_or_not(state, config)
        _tell_of_a_jump(state, resume, config)
        src_vocab = _same_vocab("src_vocab", src_vocab, resume.src_vocab)
        tgt_vocab = _same_vocab("tgt_vocab", tgt_vocab, resume.tgt_vocab)
        extra = resume.extra if extra is None else extra
    _check_same_start(state, config, device)

    def save() -> None:
        if checkpoint_path is not None and speaks:
            state.save(checkpoint_path, src_vocab, tgt_vocab, extra)

    history = state.history
    while state.epoch < config.epochs and not history.has_run_out(config.patience):
        started = time.perf_counter()
        _begin_epoch(state, train_loader, device)
        total_steps = math.ceil(state.batches / config.accumulate) * config.epochs
        state.planned = total_steps
        title = f"epoch {state.epoch + 1}"
        # Some twenty refreshes an epoch, not ten a second: every one is a few messages to the
        # notebook, and more than a thousand in one cell are dropped while nobody reads them.
        with _bar(
            total=state.batches,
            initial=state.batch,
            desc=title,
            disable=not (progress and speaks),
            miniters=max(1, state.batches // 20),
        ) as bar:
            for window in _windows(train_loader, state, config.accumulate):
                _update(state, window, train_loss, config, total_steps, device)
                bar.update(len(window))
                if state.step % 20 == 0:
                    bar.set_postfix(loss=f"{state.loss.mean:.3f}", refresh=False)
                if config.checkpoint_every and state.step % config.checkpoint_every == 0:
                    save()
        if state.loss is None:
            raise ValueError(
                f"train_loader has a length of {state.batches} batches, but gave none in epoch "
                f"{state.epoch + 1}: can it be read more than once?"
            )
        valid_loss = None
        if valid_loader is not None:
            valid_loss = _validate(state, valid_loader, loss_function, device)
        _end_epoch(state, config, valid_loss, time.perf_counter() - started)
        save()
        if after_epoch is not None and speaks:
            with kept_rng():  # whatever it draws, the training stays the same
                after_epoch(state.current, history.records[-1])
    history.stopped_early = state.epoch < config.epochs
    model.load_state_dict(state.weights())
    model.eval()
    return history


class _NoBar(contextlib.nullcontext):
    """What is used of tqdm's bar, and shows nothing."""

    def __enter__(self) -> "_NoBar":
        return self

    def update(self, done: int) -> None:
        pass

    def set_postfix(self, **shown: object) -> None:
        pass


def _bar(**options: Any) -> Any:
    try:
        from tqdm.auto import tqdm
    except ModuleNotFoundError:
        return _NoBar()
    return tqdm(**options)


# The steps of fit. Each changes the state, and nothing else does.


def _begin(model: nn.Module, config: TrainConfig) -> TrainingState:
    optimizer = torch.optim.AdamW(model.parameters())  # _update sets what config says
    average = None if config.average_from is None else AveragedModel(model)  # of equal weights
    return TrainingState(model, optimizer, average)


def _check_readable(name: str, loader: Any) -> None:
    """A generator or iterator is empty after one epoch."""
    if isinstance(loader, Iterator):
        raise TypeError(
            f"{name} must be read once an epoch, but a {type(loader).__name__} can be read only "
            f"once: give a list of batches or a DataLoader."
        )


def _tell_of_a_jump(state: TrainingState, old: Checkpoint, config: TrainConfig) -> None:
    """Half a cosine is a function of all steps: with more epochs it is another curve."""
    planned = old.progress.get("planned")
    if not config.cosine_decay or planned is None or state.batches == 0:
        return
    steps = math.ceil(state.batches / config.accumulate) * config.epochs
    before, now = (learning_rate(state.step, config, total) for total in (planned, steps))
    if state.step < steps and abs(now - before) > 0.1 * before:
        warnings.warn(
            f"The cosine decay was planned for {planned:,} steps and now is for {steps:,}: the "
            f"learning rate jumps from {before:.2g} to {now:.2g}. Train anew with all epochs, or "
            f"take it as a warm restart.",
            stacklevel=3,
        )


def _keep_best_or_not(state: TrainingState, config: TrainConfig) -> None:
    """What a resumed run ends with is what *its* config says."""
    if not config.keeps_best:
        state.best = None
    elif state.best is None and state.history.records:
        raise CheckpointError(
            "The run of this checkpoint did not keep its best weights, and they are gone: leave "
            "out keep_best and patience, or begin anew with one of them."
        )


def _check_same_start(state: TrainingState, config: TrainConfig, device: Any) -> None:
    """Processes that begin differently would train on, each a little wrong: refuse it at once."""
    place = (state.epoch, state.step, state.batch)
    weights = state.model.state_dict().values()
    random_state = [torch.get_rng_state()]
    seeds = "call runtime.seed_everything with the same seed in all, before the model is made"
    distributed.check_same("settings", [config], "give all the same config", device)
    distributed.check_same("starting points", [place], "resume all or none of them", device)
    distributed.check_same("weights at the start", weights, seeds, device)
    distributed.check_same("random states at the start", random_state, seeds, device)


def _begin_epoch(state: TrainingState, loader: Any, device: Any) -> None:
    sampler = getattr(loader, "batch_sampler", None)
    if hasattr(sampler, "set_epoch"):
        sampler.set_epoch(state.epoch)
    if len(loader) == 0:
        raise ValueError("train_loader gives no batches: there is nothing to train on.")
    distributed.check_same("numbers of batches", [len(loader)], WHOLE_LOADER, device)
    if state.batch > 0 and state.batches != len(loader):
        raise CheckpointError(
            f"The checkpoint was written after {state.batch} of {state.batches} batches of an "
            f"epoch, but this train_loader gives {len(loader)}: it is not the same one."
        )
    state.batches = len(loader)


def _update(
    state: TrainingState,
    window: list[Batch],
    loss_function: LossFunction,
    config: TrainConfig,
    total_steps: int,
    device: Any,
) -> None:
    _check_same_batches("batches", window, device)
    own = [batch.to(device) for batch in distributed.share(window)]
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(state.step, config, total_steps)
        group["weight_decay"] = config.weight_decay
    with distributed.own_noise():
        loss = train_step(
            state.model,
            own,
            state.optimizer,
            loss_function=loss_function,
            step=state.step,
            clip_norm=config.clip_norm,
        )
    if state.average is not None:
        if state.step >= config.average_from * total_steps:
            state.average.update_parameters(state.model)
        else:  # a run that was resumed with more epochs begins to average later
            state.average.n_averaged.zero_()
    state.loss = loss if state.loss is None else state.loss + loss
    state.step += 1
    state.batch += len(window)
    if state.seen is not None:
        state.seen = fingerprint(window, state.seen)


def _check_same_batches(what: str, batches: list[Batch], device: Any) -> None:
    tensors = (tensor for batch in batches for tensor in vars(batch).values())
    distributed.check_same(what, tensors, WHOLE_LOADER, device)


def _validate(
    state: TrainingState, loader: Iterable[Batch], loss_function: LossFunction | None, device: Any
) -> float:
    """The loss a token. Of several processes each measures some batches."""
    options = {"device": device, "loss_function": loss_function, "step": state.step}
    if distributed.world_size() == 1:
        return float(evaluate(state.current, loader, **options).mean)
    with kept_rng():
        batches = list(loader)
    _check_same_batches("validation batches", batches, device)
    own = batches[distributed.rank() :: distributed.world_size()]
    losses = [evaluate(state.current, own, **options)] if own or not batches else []
    return float(distributed.sum_losses(losses, device).mean)


def _end_epoch(
    state: TrainingState, config: TrainConfig, valid_loss: float | None, seconds: float
) -> None:
    record = EpochRecord(
        epoch=state.epoch + 1,
        step=state.step,
        train_loss=float(state.loss.mean),
        valid_loss=valid_loss,
        tokens=int(state.loss.tokens),
        seconds=seconds,
    )
    state.history.records.append(record)
    if config.keeps_best and state.history.best is record:
        weights = state.current.state_dict()
        state.best = {name: weight.detach().cpu().clone() for name, weight in weights.items()}
    state.epoch, state.batch, state.loss, state.seen = state.epoch + 1, 0, None, ""


def _same_vocab(name: str, given: Vocab | None, stored: Vocab | None) -> Vocab | None:
    if given is not None and stored is not None and given != stored:
        raise CheckpointError(
            f"{name} is not that of the checkpoint: the same ids would mean other words."
        )
    return stored if given is None else given


def _windows(loader: Any, state: TrainingState, size: int) -> Iterator[list[Batch]]:
    """Lists of ``size`` batches, without those that the run has seen in this epoch.

    Raises:
        CheckpointError: the loader gives other batches than the ones seen, so some sentences would
            be trained on twice and others not at all.
    """
    # A DataLoader draws from the global generator when it is iterated. That draw is undone, so
    # that a run which starts here has the random numbers of one that came here.
    with kept_rng():
        batches = iter(loader)
        seen = ""
        for window in _of_size(islice(batches, state.batch), size):
            seen = fingerprint(window, seen)
        if state.seen is not None and seen != state.seen:
            raise CheckpointError(
                f"The first {state.batch} batches of this train_loader are not those that the run "
                f"has seen: some sentences would come twice and others never. Use make_loader with "
                f"the same examples and seed, or go on from the end of an epoch."
            )
    yield from _of_size(batches, size)


def _of_size(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while window := list(islice(batches, size)):
        yield window
