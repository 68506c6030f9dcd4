"""Training: steps, epochs, evaluation, checkpoints, several processes.

``step`` holds one update and the loss of a loader, ``fit`` the loop around them and ``state`` what
changes in it, ``checkpoints`` the file, ``processes`` what several processes send to each other.
"""

from seq2seq_lib.training.checkpoints import (
    Checkpoint,
    CheckpointError,
    check_folder,
    load_checkpoint,
    save_checkpoint,
)
from seq2seq_lib.training.config import TrainConfig, learning_rate
from seq2seq_lib.training.fit import fit
from seq2seq_lib.training.processes import Processes, joined
from seq2seq_lib.training.state import EpochRecord, History
from seq2seq_lib.training.step import LossFunction, evaluate, teacher_forced_loss, train_step

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "EpochRecord",
    "History",
    "LossFunction",
    "Processes",
    "TrainConfig",
    "check_folder",
    "evaluate",
    "fit",
    "joined",
    "learning_rate",
    "load_checkpoint",
    "save_checkpoint",
    "teacher_forced_loss",
    "train_step",
]
