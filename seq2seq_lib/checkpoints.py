"""Checkpoints: one file with a model and all that its training needs to go on.

``Checkpoint`` is what a file holds; ``TrainingState`` is what changes while ``training.fit`` runs.
A file is written completely or not at all, and it is read as data: no code in it is ever run.
"""

import contextlib
import hashlib
import json
import math
import operator
import os
import random
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from seq2seq_lib._files import part_beside
from seq2seq_lib.losses import LossSum
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.vocab import Vocab

FORMAT = 1  # of checkpoint files

# What a file must hold, and as what; weights_only=True lets nothing but such data in.
CONTENT = {
    "format": int,
    "model_class": str,
    "config": dict,
    "weights": dict,
    "src_vocab": (list, type(None)),
    "tgt_vocab": (list, type(None)),
    "optimizer": (dict, type(None)),
    "rng": dict,
    "progress": dict,
    "extra": dict,
}


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


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, read, or used for this model."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds, read without running any code from it.

    Attributes:
        model_class: name of the class that ``build`` needs.
        config: what the class's ``from_dict`` takes.
        weights: the weights to use; in training with averages or ``keep_best`` not the last ones.
        src_vocab, tgt_vocab: None if none were saved.
        optimizer, rng, progress: what ``training.fit`` needs to go on.
        extra: numbers, strings and tensors of the caller's, such as a model of subwords.
    """

    model_class: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    src_vocab: Vocab | None
    tgt_vocab: Vocab | None
    optimizer: dict[str, Any] | None
    rng: dict[str, Any]
    progress: dict[str, Any]
    extra: dict[str, Any]

    def build(self, model_class: Any = Seq2Seq) -> Any:
        """The model with its weights, on the CPU, in evaluation mode."""
        if model_class.__name__ != self.model_class:
            raise CheckpointError(
                f"This checkpoint holds a {self.model_class}, not a {model_class.__name__}: "
                f"call build({self.model_class})."
            )
        try:
            model = model_class.from_dict(self.config)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"The checkpoint's configuration is none of {model_class.__name__}: {error}"
            ) from error
        self.check_fits(model)
        model.load_state_dict(self.weights)
        return model.eval()

    def check_fits(self, model: nn.Module) -> None:
        """Refuse a model of another class or with weights of other names or shapes."""
        if type(model).__name__ != self.model_class:
            raise CheckpointError(
                f"This checkpoint holds a {self.model_class}, not a {type(model).__name__}."
            )
        theirs = {name: list(weight.shape) for name, weight in self.weights.items()}
        ours = {name: list(weight.shape) for name, weight in model.state_dict().items()}
        for name in sorted(theirs.keys() | ours.keys()):
            if theirs.get(name) != ours.get(name):
                raise CheckpointError(
                    f"The checkpoint does not fit this {self.model_class}: {name} has shape "
                    f"{theirs.get(name)} in the file and {ours.get(name)} in the model (None: "
                    f"there is no such weight)."
                )


def save_checkpoint(
    path: str | os.PathLike[str],
    model: Any,
    *,
    src_vocab: Vocab | None = None,
    tgt_vocab: Vocab | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    progress: dict[str, Any] | None = None,
    extra: dict[str, Any] | None = None,
    weights: dict[str, Tensor] | None = None,
) -> None:
    """Write weights, configuration, vocabularies, optimiser and random state into one file.

    The file is written beside ``path`` and renamed when it is complete: an interruption leaves the
    old checkpoint as it was.

    Args:
        model: has ``to_dict()``, from which its class's ``from_dict`` makes such a model again.
        weights: instead of the model's own, for example an average of them.

    Raises:
        CheckpointError: the folder is missing or cannot be written; the model is wrapped; ``extra``
            or the configuration holds what no file of data can hold.
    """
    path = Path(path)
    check_folder(path)
    check_storable(model, extra)
    part = part_beside(path)
    content = {
        "format": FORMAT,
        "model_class": type(model).__name__,
        "config": as_plain(model.to_dict(), "config"),
        "weights": on_cpu(model.state_dict()) if weights is None else weights,
        "src_vocab": list(src_vocab.tokens) if src_vocab is not None else None,
        "tgt_vocab": list(tgt_vocab.tokens) if tgt_vocab is not None else None,
        "optimizer": optimizer.state_dict() if optimizer is not None else None,
        "rng": get_rng(),
        "progress": as_plain(progress or {}, "progress"),
        "extra": as_plain(extra or {}, "extra"),
    }
    try:
        with open(part, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch turns some failed writes into RuntimeError
        raise CheckpointError(
            f"The checkpoint {path} cannot be written: {error}. Choose a folder that has room and "
            f"that you may write to."
        ) from error
    finally:
        part.unlink(missing_ok=True)  # after an interruption; already renamed otherwise


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint as data: pickled code in a file is refused, never run.

    Raises:
        CheckpointError: no such file, or it is truncated, damaged, foreign or holds more than data.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch itself does not look at the check sums
        if damaged is not None:
            raise zipfile.BadZipFile(f"the check sum of {damaged} is wrong")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint {path}.") from None
    except Exception as error:  # torch raises many kinds for files that are not its own
        reason = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"{path} is not a whole checkpoint of this library (truncated, foreign, or holding "
            f"code, which is refused): {type(error).__name__}: {reason}"
        ) from error
    if not isinstance(content, dict) or not content.keys() >= CONTENT.keys():
        raise CheckpointError(f"{path} is a PyTorch file, but not a checkpoint of this library.")
    if not isinstance(content["format"], int) or content["format"] != FORMAT:
        raise CheckpointError(
            f"{path} has format {content['format']}, but this library reads format {FORMAT}."
        )
    for name, kind in CONTENT.items():
        if not isinstance(content[name], kind):
            raise CheckpointError(
                f"{path} is damaged: its {name} is a {type(content[name]).__name__}."
            )
    for name, weight in content["weights"].items():
        if not isinstance(name, str) or not isinstance(weight, Tensor):
            raise CheckpointError(f"{path} is damaged: its weights hold {name!r}, not a tensor.")
    vocabs = []
    for name in ("src_vocab", "tgt_vocab"):
        try:
            tokens = content[name]
            vocabs.append(None if tokens is None else Vocab.from_tokens(tokens, origin=name))
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"{path} is damaged: {error}") from error
    return Checkpoint(
        model_class=content["model_class"],
        config=content["config"],
        weights=content["weights"],
        src_vocab=vocabs[0],
        tgt_vocab=vocabs[1],
        optimizer=content["optimizer"],
        rng=content["rng"],
        progress=content["progress"],
        extra=content["extra"],
    )


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


def check_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a path where no file can be written; ``fit`` asks before hours of training."""
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder: give the path of a file.")
    if not path.parent.is_dir():
        raise CheckpointError(f"There is no folder {path.parent}: make it, or choose another one.")
    if not os.access(path.parent, os.W_OK):
        raise CheckpointError(f"The folder {path.parent} cannot be written: choose another one.")


def check_storable(model: Any, extra: dict[str, Any] | None = None) -> None:
    """Refuse a model and extras that could be written but not read; ``fit`` asks before training.

    Raises:
        CheckpointError: a model inside a wrapper, without ``to_dict``, or extras that are no data.
    """
    kind = type(model).__name__
    if hasattr(model, "_orig_mod"):  # compiled, with other names of weights
        raise CheckpointError(
            f"A checkpoint of {kind} could not be read again: call model.compile(), which compiles "
            f"in place, and give the model."
        )
    if not hasattr(model, "to_dict"):
        inside = " Give the model inside, .module." if hasattr(model, "module") else ""
        raise CheckpointError(
            f"{kind} has no to_dict(), from which its class could make such a model again.{inside}"
        )
    as_plain(extra or {}, "extra")


def as_plain(value: Any, where: str) -> Any:
    """The same value in the types that are read with ``weights_only=True``.

    NumPy's numbers and strings become Python's, its arrays tensors; lists, tuples and dicts are
    copied.

    Raises:
        CheckpointError: anything else; ``where`` says in which place it stands.
    """
    if value is None or type(value) in (bool, int, float, str) or isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        return {
            as_plain(k, f"a key of {where}"): as_plain(v, f"{where}[{k!r}]")
            for k, v in value.items()
        }
    if type(value) in (list, tuple):
        return type(value)(as_plain(item, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(value, numpy.generic):
        return as_plain(value.item(), where)
    if isinstance(value, numpy.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    if isinstance(value, str):
        return str(value)
    raise CheckpointError(
        f"{where} is a {type(value).__name__}, which no checkpoint can hold: it is read as data, "
        f"that is numbers, strings, tensors, and lists and dicts of them. Give str({where}), or "
        f"leave it out."
    )


def fingerprint(batches: Sequence[Any], before: str = "") -> str:
    """A hash of all tensors of some batches, and of what came before them, in hexadecimal."""
    digest = hashlib.blake2b(before.encode(), digest_size=16)
    for batch in batches:
        for tensor in vars(batch).values():
            digest.update(str((tuple(tensor.shape), tensor.dtype)).encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def on_cpu(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights on the CPU: not copied if they are there already."""
    return {name: weight.detach().cpu() for name, weight in weights.items()}


def get_rng() -> dict[str, Any]:
    """The state of the random numbers of torch (CPU and CUDA), NumPy and Python, as plain data."""
    kind, keys, *rest = numpy.random.get_state()
    rng = {
        "torch": torch.get_rng_state(),
        "python": json.dumps(random.getstate()),
        "numpy": json.dumps([kind, keys.tolist(), *rest]),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # else no number was drawn there
        rng["cuda"] = torch.cuda.get_rng_state_all()
    return rng


def set_rng(rng: dict[str, Any]) -> None:
    """Put back what ``get_rng`` gave; CUDA's only on a machine with as many GPUs."""
    torch.set_rng_state(rng["torch"])
    version, numbers, gauss = json.loads(rng["python"])
    random.setstate((version, tuple(numbers), gauss))
    if "numpy" in rng:
        kind, keys, *rest = json.loads(rng["numpy"])
        numpy.random.set_state((kind, numpy.array(keys, dtype=numpy.uint32), *rest))
    if torch.cuda.is_available() and len(rng.get("cuda", ())) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(rng["cuda"])


@contextlib.contextmanager
def kept_rng() -> Iterator[None]:
    """Random numbers drawn inside do not change those that come after."""
    rng = get_rng()
    try:
        yield
    finally:
        set_rng(rng)
