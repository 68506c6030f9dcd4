"""Checkpoints: one file with a model and all that its training needs to go on.

A file is written completely or not at all, and read as data: no code in it is ever run.
"""

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seq2seq_lib.seq2seq import Seq2Seq
from seq2seq_lib.vocab import Vocab

FORMAT = 1  # of checkpoint files


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written, read, or used for this model."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds, read without running any code from it."""

    model_class: str
    config: dict[str, Any]
    weights: dict[str, torch.Tensor]
    src_vocab: Vocab | None
    tgt_vocab: Vocab | None
    optimizer: dict[str, Any] | None
    rng: dict[str, Any]
    progress: dict[str, Any]

    def build(self, model_class: Any = Seq2Seq) -> Any:
        """The model with its weights, on the CPU, in evaluation mode."""
        if model_class.__name__ != self.model_class:
            raise CheckpointError(
                f"This checkpoint holds a {self.model_class}, not a {model_class.__name__}: "
                f"call build({self.model_class})."
            )
        try:
            model = model_class.from_dict(self.config)
            model.load_state_dict(self.weights)
        except (TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"The checkpoint does not fit {model_class.__name__}: {error}"
            ) from error
        return model.eval()


def save_checkpoint(
    path: str | os.PathLike[str],
    model: Any,
    *,
    src_vocab: Vocab | None = None,
    tgt_vocab: Vocab | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    progress: dict[str, Any] | None = None,
) -> None:
    """Write weights, configuration, vocabularies, optimiser and random state into one file.

    The file is written beside ``path`` and renamed when it is complete: an interruption leaves the
    old checkpoint as it was.

    Raises:
        CheckpointError: the folder is missing or cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    content = {
        "format": FORMAT,
        "model_class": type(model).__name__,
        "config": model.to_dict(),
        "weights": {name: tensor.cpu() for name, tensor in model.state_dict().items()},
        "src_vocab": list(src_vocab.tokens) if src_vocab is not None else None,
        "tgt_vocab": list(tgt_vocab.tokens) if tgt_vocab is not None else None,
        "optimizer": optimizer.state_dict() if optimizer is not None else None,
        "rng": get_rng(),
        "progress": progress or {},
    }
    try:
        with open(part, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise CheckpointError(
            f"The checkpoint {path} cannot be written: {error}. Choose a folder that exists, has "
            f"room and that you may write to."
        ) from error
    finally:
        part.unlink(missing_ok=True)  # after an interruption; already renamed otherwise


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint as data: pickled code in a file is refused, never run.

    Raises:
        CheckpointError: no such file, or it is truncated, foreign or holds more than data.
    """
    path = Path(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"There is no checkpoint {path}.") from None
    except Exception as error:  # torch raises many kinds for files that are not its own
        raise CheckpointError(
            f"{path} is not a whole checkpoint of this library (truncated, foreign, or holding "
            f"code, which is refused): {type(error).__name__}: {str(error).splitlines()[0]}"
        ) from error
    wanted = {"format", "model_class", "config", "weights", "src_vocab", "tgt_vocab"}
    if not isinstance(content, dict) or not wanted <= content.keys():
        raise CheckpointError(f"{path} is a PyTorch file, but not a checkpoint of this library.")
    if content["format"] != FORMAT:
        raise CheckpointError(
            f"{path} has format {content['format']}, but this library reads format {FORMAT}."
        )
    try:
        vocabs = [
            None if tokens is None else Vocab.from_tokens(tokens, origin=str(path))
            for tokens in (content["src_vocab"], content["tgt_vocab"])
        ]
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds a vocabulary that is not one: {error}") from error
    return Checkpoint(
        model_class=content["model_class"],
        config=content["config"],
        weights=content["weights"],
        src_vocab=vocabs[0],
        tgt_vocab=vocabs[1],
        optimizer=content.get("optimizer"),
        rng=content.get("rng") or {},
        progress=content.get("progress") or {},
    )


def get_rng() -> dict[str, Any]:
    version, numbers, gauss = random.getstate()
    rng = {
        "torch": torch.get_rng_state(),
        "python": json.dumps([version, numbers, gauss]),
    }
    if torch.cuda.is_available():
        rng["cuda"] = torch.cuda.get_rng_state_all()
    return rng


def set_rng(rng: dict[str, Any]) -> None:
    if "torch" in rng:
        torch.set_rng_state(rng["torch"])
    if "python" in rng:
        version, numbers, gauss = json.loads(rng["python"])
        random.setstate((version, tuple(numbers), gauss))
    if torch.cuda.is_available() and len(rng.get("cuda", ())) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(rng["cuda"])
