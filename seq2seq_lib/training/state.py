"""What changes while ``fit`` runs, and the history that it leaves."""

import math
import operator
import os
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from seq2seq_lib.losses import LossSum
from seq2seq_lib.runtime import set_rng
from seq2seq_lib.training.checkpoints import Checkpoint, CheckpointError, on_cpu, save_checkpoint
from seq2seq_lib.vocab import Vocab


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

        def loss(record: EpochRecord) -> float:
            value = record.train_loss if record.valid_loss is None else record.valid_loss
            return math.inf if math.isnan(value) else value

        return min(self.records, key=loss)

    def has_run_out(self, patience: int | None) -> bool:
        """Whether the last ``patience`` epochs were no better than one before them."""
        if patience is None or not self.records:
            return False
        return self.records[-1].epoch - self.best.epoch >= patience


class TrainingState:
    """All that changes during training, so all that a checkpoint must hold to go on from it."""

    def __init__(
        self, model: Any, optimizer: torch.optim.Optimizer, average: AveragedModel | None = None
    ) -> None:
        self.model, self.optimizer, self.average = model, optimizer, average
        self.best: dict[str, Tensor] | None = None  # weights of the best epoch, if they are kept
        self.epoch = self.step = 0  # how many are done
        self.batch = self.batches = 0  # how many are done in this epoch, and how many it has
        self.loss: LossSum | None = None  # of this epoch so far
        self.seen: str | None = ""  # fingerprint of this epoch's batches; None: nobody knows
        self.planned: int | None = None  # steps of the whole run, for schedules
        self.history = History()

    @property
    def current(self) -> nn.Module:
        """The model to measure: the average once it has begun."""
        begun = self.average is not None and self.average.n_averaged > 0
        return self.average.module if begun else self.model

    def weights(self) -> dict[str, Tensor]:
        """The weights to use, on the CPU: the best ones if they are kept."""
        return on_cpu(self.current.state_dict()) if self.best is None else self.best

    def save(
        self,
        path: str | os.PathLike[str],
        src_vocab: Vocab | None,
        tgt_vocab: Vocab | None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Write a checkpoint that ``restore`` goes on from."""
        progress = {
            "epoch": self.epoch,
            "step": self.step,
            "batch": self.batch,
            "batches": self.batches,
            "seen": self.seen,
            "planned": self.planned,
            "parameters": [name for name, _ in self.model.named_parameters()],
            "loss": None if self.loss is None else [self.loss.total, self.loss.tokens],
            "history": [asdict(record) for record in self.history.records],
            "last": on_cpu(self.model.state_dict()),  # torch stores tensors that are shared once
            "average": None if self.average is None else on_cpu(self.average.state_dict()),
            "best": self.best,
        }
        save_checkpoint(
            path,
            self.model,
            src_vocab=src_vocab,
            tgt_vocab=tgt_vocab,
            optimizer=self.optimizer,
            progress=progress,
            extra=extra,
            weights=self.weights(),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, its random numbers included."""
        done = checkpoint.progress
        if checkpoint.optimizer is None or "last" not in done:
            raise CheckpointError(
                "This checkpoint holds a model but no training state: it was not written by fit."
            )
        checkpoint.check_fits(self.model)
        for name, weight in self.model.state_dict().items():
            stored = checkpoint.weights[name].dtype
            if stored != weight.dtype:
                raise CheckpointError(
                    f"The run was in {stored}, but this model's {name} is {weight.dtype}, so its "
                    f"steps would be others: call model.to({stored})."
                )
        names = [name for name, _ in self.model.named_parameters()]
        if done.get("parameters", names) != names:
            raise CheckpointError(
                "This model registers its parameters in another order than the one that was "
                "trained, and the optimiser knows them by their order alone: each would go on with "
                "the moments of another. Register them in the old order."
            )
        if (self.average is None) != (done.get("average") is None):
            raise CheckpointError(
                "average_from must be set in both runs or in none: the average is a part of the "
                "training state."
            )
        device = next(self.model.parameters()).device
        try:
            self.model.load_state_dict(done["last"])
            if self.average is not None:
                self.average.load_state_dict(done["average"])
            self.optimizer.load_state_dict(checkpoint.optimizer)
            self.best = done["best"]
            self.epoch, self.step, self.batch, self.batches = (
                operator.index(done[name]) for name in ("epoch", "step", "batch", "batches")
            )
            self.seen, self.planned = done.get("seen"), done.get("planned")
            if done["loss"] is not None:
                self.loss = LossSum(*(part.to(device) for part in done["loss"]))
            self.history = History([EpochRecord(**record) for record in done["history"]])
            set_rng(checkpoint.rng)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"The checkpoint's training state is damaged: {type(error).__name__}: {error}"
            ) from error
