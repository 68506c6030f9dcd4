"""Fitting a model: epochs, validation, checkpoints; an interrupted run goes on as if never stopped.

``fit`` is a loop over ``step.train_step``; what it changes stands in one ``state.TrainingState``.
"""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from seq2seq_lib.batching import Batch
from seq2seq_lib.runtime import kept_rng
from seq2seq_lib.training.bar import bar_of
from seq2seq_lib.training.checkpoints import (
    Checkpoint,
    CheckpointError,
    check_folder,
    check_storable,
)
from seq2seq_lib.training.config import TrainConfig, learning_rate
from seq2seq_lib.training.processes import Processes
from seq2seq_lib.training.resume import go_on, same_vocab
from seq2seq_lib.training.state import EpochRecord, History, TrainingState
from seq2seq_lib.training.step import (
    LossFunction,
    evaluate,
    on_device,
    teacher_forced_loss,
    train_step,
)
from seq2seq_lib.training.windows import fingerprint, windows
from seq2seq_lib.vocab import Vocab

WHOLE_LOADER = "fit shares the rows of each batch, so give all the same whole loader and seed"


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

    In a process group (``torchrun``; see ``joined``) every process calls ``fit`` with
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
        ValueError: a loader gives no batches; a loss without a gradient; the processes do not agree
            on settings, weights, random state or batches.
        CheckpointError: the checkpoint cannot be written, or ``resume`` is not of such a run: other
            weights, or in the middle of an epoch other batches than those it was trained on.
        TypeError: a loader that can be read only once, a batch without ``to(device)``, a loss that
            is no ``LossSum``, a ``resume`` that is no ``Checkpoint``.

    Warns:
        UserWarning: a cosine decay is resumed with another number of epochs, so the learning rate
            jumps.
    """
    config = config or TrainConfig()
    _check_readable("train_loader", train_loader)
    _check_readable("valid_loader", valid_loader)
    if not isinstance(resume, Checkpoint | None):
        raise TypeError(
            f"resume must be a Checkpoint, but it is {resume!r}: resume=load_checkpoint(path)."
        )
    if checkpoint_path is not None:
        check_storable(model, extra, src_vocab, tgt_vocab)
    if loss_function is not None and config.label_smoothing:
        raise ValueError(
            "config.label_smoothing has no effect on your own loss_function: set it 0."
        )
    train_loss = loss_function or teacher_forced_loss(config.label_smoothing)
    processes = Processes(device)
    if checkpoint_path is not None and processes.speaks:
        check_folder(checkpoint_path)
    state = _begin(model.to(device), config)
    if resume is not None:
        go_on(state, resume, config)
        src_vocab = same_vocab("src_vocab", src_vocab, resume.src_vocab)
        tgt_vocab = same_vocab("tgt_vocab", tgt_vocab, resume.tgt_vocab)
        extra = resume.extra if extra is None else extra
    _check_same_start(state, config, processes)

    def save() -> None:
        if checkpoint_path is not None and processes.speaks:
            state.save(checkpoint_path, src_vocab, tgt_vocab, extra)

    history = state.history
    while state.epoch < config.epochs and not history.has_run_out(config.patience):
        started = time.perf_counter()
        _begin_epoch(state, train_loader, config, processes)
        with bar_of(state, progress and processes.speaks) as bar:
            for window in windows(train_loader, state, config.accumulate):
                _update(state, window, train_loss, config, processes)
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
            valid_loss = _validate(state, valid_loader, loss_function, processes)
        _end_epoch(state, config, valid_loss, time.perf_counter() - started)
        save()
        if after_epoch is not None and processes.speaks:
            with kept_rng():  # whatever it draws, the training stays the same
                after_epoch(state.current, history.records[-1])
    history.stopped_early = state.epoch < config.epochs
    model.load_state_dict(state.weights())
    model.eval()
    return history


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
    with contextlib.suppress(TypeError):  # of a loader that does not know its length
        if loader is not None and len(loader) == 0:
            raise ValueError(f"{name} gives no batches: leave out what is empty.")


def _check_same_start(state: TrainingState, config: TrainConfig, processes: Processes) -> None:
    """Processes that begin differently would train on, each a little wrong: refuse it at once."""
    place = (state.epoch, state.step, state.batch)
    weights = state.model.state_dict().values()
    random_state = [torch.get_rng_state()]
    seeds = "call runtime.seed_everything with the same seed in all, before the model is made"
    processes.check_same("settings", [config], "give all the same config")
    processes.check_same("starting points", [place], "resume all or none of them")
    processes.check_same("weights at the start", weights, seeds)
    processes.check_same("random states at the start", random_state, seeds)


def _begin_epoch(
    state: TrainingState, loader: Any, config: TrainConfig, processes: Processes
) -> None:
    sampler = getattr(loader, "batch_sampler", None)
    if hasattr(sampler, "set_epoch"):
        sampler.set_epoch(state.epoch)
    processes.check_same("numbers of batches", [len(loader)], WHOLE_LOADER)
    if state.batch > 0 and state.batches != len(loader):
        raise CheckpointError(
            f"The checkpoint was written after {state.batch} of {state.batches} batches of an "
            f"epoch, but this train_loader gives {len(loader)}: it is not the same one."
        )
    state.batches = len(loader)
    state.planned = math.ceil(state.batches / config.accumulate) * config.epochs


def _update(
    state: TrainingState,
    window: list[Batch],
    loss_function: LossFunction,
    config: TrainConfig,
    processes: Processes,
) -> None:
    _check_same_batches("batches", window, processes)
    own = [on_device(batch, processes.device) for batch in processes.share(window)]
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate(state.step, config, state.planned)
        group["weight_decay"] = float(config.weight_decay)
    with processes.own_noise():
        loss = train_step(
            state.model,
            own,
            state.optimizer,
            loss_function=loss_function,
            step=state.step,
            clip_norm=config.clip_norm,
        )
    if state.average is not None:
        if state.step >= config.average_from * state.planned:
            state.average.update_parameters(state.model)
        else:  # a run that was resumed with more epochs begins to average later
            state.average.n_averaged.zero_()
    state.loss = loss if state.loss is None else state.loss + loss
    state.step += 1
    state.batch += len(window)
    if state.seen is not None:
        state.seen = fingerprint(window, state.seen)


def _check_same_batches(what: str, batches: list[Batch], processes: Processes) -> None:
    tensors = (tensor for batch in batches for tensor in vars(batch).values())
    processes.check_same(what, tensors, WHOLE_LOADER)


def _validate(
    state: TrainingState,
    loader: Iterable[Batch],
    loss_function: LossFunction | None,
    processes: Processes,
) -> float:
    """The loss a token. Of several processes each measures some batches."""
    options = {"device": processes.device, "loss_function": loss_function, "step": state.step}
    if processes.size == 1:  # the loader is read once, and never held as a whole
        return float(evaluate(state.current, loader, **options).mean)
    with kept_rng():
        batches = list(loader)
    _check_same_batches("validation batches", batches, processes)
    own = batches[processes.rank :: processes.size]
    losses = [evaluate(state.current, own, **options)] if own or not batches else []
    return float(processes.sum_losses(losses).mean)


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
