"""Going on from a checkpoint: a run that was stopped, and what it must agree with."""

import math
import warnings

from seq2seq_lib.training.checkpoints import Checkpoint, CheckpointError
from seq2seq_lib.training.config import TrainConfig, learning_rate
from seq2seq_lib.training.state import TrainingState
from seq2seq_lib.vocab import Vocab


def go_on(state: TrainingState, checkpoint: Checkpoint, config: TrainConfig) -> None:
    """Restore the state; what the run ends with, and its learning rates, are what config says.

    Raises:
        CheckpointError: the checkpoint is not of such a run.

    Warns:
        UserWarning: the learning rate jumps.
    """
    state.restore(checkpoint)
    _keep_best_or_not(state, config)
    _tell_of_a_jump(state, checkpoint, config)


def same_vocab(name: str, given: Vocab | None, stored: Vocab | None) -> Vocab | None:
    """The stored vocabulary, or the given one where there is none, which may not differ from it."""
    if given is not None and stored is not None and given != stored:
        raise CheckpointError(
            f"{name} is not that of the checkpoint: the same ids would mean other words."
        )
    return stored if given is None else given


def _keep_best_or_not(state: TrainingState, config: TrainConfig) -> None:
    """What a resumed run ends with is what *its* config says."""
    if not config.keeps_best:
        state.best = None
    elif state.best is None and state.history.records:
        raise CheckpointError(
            "The run of this checkpoint did not keep its best weights, and they are gone: leave "
            "out keep_best and patience, or begin anew with one of them."
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
            stacklevel=4,
        )
