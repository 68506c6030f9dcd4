"""Checkpoints: one file with a model and all that its training needs to go on.

A file is written completely or not at all, and it is read as data: no code in it is ever run.
"""

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy
import torch
from torch import Tensor, nn

from seq2seq_lib._files import check_writable, written_whole
from seq2seq_lib.runtime import get_rng
from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.vocab import Vocab

FORMAT = 1  # of checkpoint files


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, read, or used for this model."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds, read without running any code from it.

    In a file stand the same fields and ``format``, a vocabulary as the list of its tokens.

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
        """The model with its weights, on the CPU, in evaluation mode.

        In double precision if they are, else in single, also if a file holds them in half.
        """
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
        for weight in self.weights.values():
            if weight.dtype == torch.float64:  # load_state_dict would round it
                model.double()
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


def _kinds(hint: Any) -> tuple[type, ...]:
    """The classes a field may have in a file: of ``Vocab | None`` a list or None."""
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return tuple(list if kind is Vocab else get_origin(kind) or kind for kind in kinds)


_HINTS = get_type_hints(Checkpoint)
# What a file must hold, and as what; weights_only=True lets nothing but such data in.
CONTENT = {"format": (int,)} | {name: _kinds(hint) for name, hint in _HINTS.items()}
VOCABULARIES = [name for name, hint in _HINTS.items() if Vocab in get_args(hint)]


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
        CheckpointError: the folder is missing or cannot be written; the model is wrapped; its
            configuration, ``extra`` or the optimiser holds what no file of data can hold; a
            vocabulary is no ``Vocab``.
    """
    path = Path(path)
    check_folder(path)
    check_storable(model, extra, src_vocab, tgt_vocab)
    checkpoint = Checkpoint(
        model_class=type(model).__name__,
        config=as_plain(model.to_dict(), "config"),
        weights=on_cpu(model.state_dict()) if weights is None else weights,
        src_vocab=src_vocab,
        tgt_vocab=tgt_vocab,
        optimizer=None if optimizer is None else as_plain(optimizer.state_dict(), "optimizer"),
        rng=get_rng(),
        progress=as_plain(progress or {}, "progress"),
        extra=as_plain(extra or {}, "extra"),
    )
    content = {"format": FORMAT, **vars(checkpoint)}
    for name in VOCABULARIES:
        if content[name] is not None:
            content[name] = list(content[name].tokens)
    try:
        with written_whole(path) as file:
            torch.save(content, file)
    except (OSError, RuntimeError) as error:  # torch turns some failed writes into RuntimeError
        raise CheckpointError(
            f"The checkpoint {path} cannot be written: {error}. Choose a folder that has room and "
            f"that you may write to."
        ) from error


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
    for name, kinds in CONTENT.items():
        if not isinstance(content[name], kinds):
            raise CheckpointError(
                f"{path} is damaged: its {name} is a {type(content[name]).__name__}."
            )
    for name, weight in content["weights"].items():
        if not isinstance(name, str) or not isinstance(weight, Tensor):
            raise CheckpointError(f"{path} is damaged: its weights hold {name!r}, not a tensor.")
    values = {name: content[name] for name in _HINTS}
    for name in VOCABULARIES:
        if values[name] is not None:
            try:
                values[name] = Vocab.from_tokens(values[name], origin=name)
            except (TypeError, ValueError) as error:
                raise CheckpointError(f"{path} is damaged: {error}") from error
    return Checkpoint(**values)


def check_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a path where no file can be written; ``fit`` asks before hours of training."""
    path = Path(path)
    if os.path.isdir(path):  # a name that is too long is none, too
        raise CheckpointError(f"{path} is a folder: give the path of a file.")
    if not path.parent.is_dir():
        raise CheckpointError(f"There is no folder {path.parent}: make it, or choose another one.")
    try:
        check_writable(path)
    except (OSError, ValueError) as error:  # a name that no file can have, too
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(
            f"{path} cannot be written ({reason}): choose another name, or another folder."
        ) from error


def check_storable(
    model: Any,
    extra: dict[str, Any] | None = None,
    src_vocab: Vocab | None = None,
    tgt_vocab: Vocab | None = None,
) -> None:
    """Refuse what could be written but not read again; ``fit`` asks before training.

    Raises:
        CheckpointError: a model inside a wrapper or without ``to_dict``, whose weights are not all
            tensors; a configuration or extras that are no dict of data; a vocabulary that is none.
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
    for where, value in (("config", model.to_dict()), ("extra", extra or {})):
        if not isinstance(value, dict):
            raise CheckpointError(f"{where} must be a dict, but it is a {type(value).__name__}.")
        as_plain(value, where)
    for name, weight in model.state_dict().items():
        if not isinstance(weight, Tensor):
            raise CheckpointError(
                f"The weights of {kind} hold {name}, a {type(weight).__name__}, but a checkpoint "
                f"holds tensors alone: put it into to_dict()."
            )
    for where, vocab in (("src_vocab", src_vocab), ("tgt_vocab", tgt_vocab)):
        if not isinstance(vocab, Vocab | None):
            raise CheckpointError(
                f"{where} must be a Vocab, but it is a {type(vocab).__name__}: Vocab(tokens) makes "
                f"one of a list of words."
            )


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


def on_cpu(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights on the CPU: not copied if they are there already."""
    return {name: weight.detach().cpu() for name, weight in weights.items()}
