"""How to fit: every setting of a run, and the learning rate that they make of a step."""

import math
from dataclasses import dataclass

from seq2seq_lib._arguments import check_flag, check_integer, check_number, check_positive


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
        check_clip_norm(self.clip_norm)
        check_integer(self.warmup_steps, "warmup_steps", 0)
        for name in ("cosine_decay", "keep_best"):
            check_flag(getattr(self, name), name)
        check_number(self.weight_decay, "weight_decay", "≥ 0", low=0)
        check_number(self.label_smoothing, "label_smoothing", "in [0, 1)", low=0, high=1)
        if self.average_from is not None:
            check_number(self.average_from, "average_from", "in [0, 1) or None", low=0, high=1)

    @property
    def keeps_best(self) -> bool:
        """Whether training ends with the weights of the best epoch: ``patience`` implies it."""
        return self.keep_best or self.patience is not None


def check_clip_norm(value: float | None) -> None:
    """Refuse a norm that would stop the training (0), turn it round (-1) or spoil it (NaN)."""
    if value is not None:
        check_number(value, "clip_norm", "> 0 or None", low=0, open_low=True)


def learning_rate(step: int, config: TrainConfig, total_steps: int) -> float:
    """The learning rate of step 0, 1, …: a function of the step alone, so a resumed run agrees."""
    rate = float(config.learning_rate)
    if step < config.warmup_steps:
        return rate * (step + 1) / config.warmup_steps
    if not config.cosine_decay:
        return rate
    done = (step - config.warmup_steps) / max(1, total_steps - config.warmup_steps)
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
