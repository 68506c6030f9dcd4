"""Where the course runs, how its random numbers begin, and a model's mode while it is measured."""

import contextlib
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from seq2seq_lib._arguments import is_integer

LARGEST_SEED = 2**32 - 1


def get_device(name: str | None = None) -> torch.device:
    """The device to compute on: ``name``, else ``SEQ2SEQ_DEVICE``, else an accelerator, else CPU.

    Any accelerator that PyTorch knows will do (``cuda``, ``mps``, ``xpu``).

    Raises:
        ValueError: ``name`` is no device name.
        RuntimeError: the device was asked for by name and is not there. Nothing falls back
            silently: who asks for a GPU wants to know that there is none.
    """
    said = name not in (None, "")  # 0 is said, too
    wanted = name if said else os.environ.get("SEQ2SEQ_DEVICE")
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if not said and not wanted:
        return found or torch.device("cpu")
    origin = "name" if said else "SEQ2SEQ_DEVICE"
    try:
        device = torch.device(wanted)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"{origin}={wanted!r} is not a device name. Try 'cpu', 'cuda', 'cuda:0' or 'mps'."
        ) from error
    if device.type == "cpu":
        return device
    have = 0 if found is None or found.type != device.type else torch.accelerator.device_count()
    if (device.index or 0) >= have:
        raise RuntimeError(
            f"{origin}={wanted!r}, but PyTorch {torch.__version__} sees {have} such devices here. "
            f"Use 'cpu', or install a PyTorch build for your accelerator."
        )
    return device


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python, NumPy and PyTorch on every device; return a CPU generator with that seed.

    Args:
        seed: an integer in ``0 .. LARGEST_SEED``, 2**32 - 1 (NumPy's range).

    The generator stays on the CPU so that the order of the data is the same on every machine.
    """
    if not is_integer(seed) or not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed must be an integer in 0 .. 2**32 - 1, but it is {seed!r}.")
    import numpy  # slow to import, and only its seed is wanted

    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def get_rng() -> dict[str, Any]:
    """The state of the random numbers of torch (CPU and CUDA), NumPy and Python, as plain data."""
    import numpy

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
        import numpy

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


@contextlib.contextmanager
def evaluation_mode(model: Any) -> Iterator[None]:
    """No gradients, no dropout; every module gets its own mode back, also after an exception."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    with torch.no_grad():
        try:
            if modules:
                model.eval()
            yield
        finally:
            for module, training in zip(modules, modes, strict=True):
                module.training = training
