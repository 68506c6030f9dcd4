"""Settings of the process that a learner's code may change, and that are put back after it ran.

Otherwise a line such as ``torch.set_default_dtype(torch.float64)`` inside an answer would change
what the next exercise says, or what the rest of the notebook computes.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional


def _deterministic() -> dict[str, bool]:
    return {
        "mode": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
    }


def _anomaly() -> dict[str, bool]:
    return {
        "enabled": torch.is_anomaly_enabled(),
        "check_nan": torch.is_anomaly_check_nan_enabled(),
    }


def _set_environment(names: dict[str, str]) -> None:
    for name in os.environ.keys() - names.keys():
        del os.environ[name]
    os.environ.update(names)


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def _go_to(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


def _figures() -> list[int]:
    """The open figures of matplotlib: a notebook shows them all when its cell ends."""
    plots = sys.modules.get("matplotlib.pyplot")
    return plots.get_fignums() if plots else []


def _close_figures(but: list[int]) -> None:
    for number in set(_figures()).difference(but):
        sys.modules["matplotlib.pyplot"].close(number)


def default_device() -> torch.device:
    """``torch.get_default_device()``, which in torch 2.6 fails once none was set on purpose."""
    try:
        return torch.get_default_device()
    except AttributeError:
        return torch.device("cpu")


def _unless_cpu(device: torch.device) -> torch.device | None:
    return None if device.type == "cpu" else device  # None: torch's own state, and the faster one


# how each is read, and how it is written
SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (default_device, lambda kept: torch.set_default_device(_unless_cpu(kept))),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (_deterministic, lambda kept: torch.use_deterministic_algorithms(**kept)),
    (_anomaly, lambda kept: torch.set_anomaly_enabled(**kept)),
    (np.geterr, lambda kept: np.seterr(**kept)),
    (_figures, _close_figures),
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (lambda: dict(os.environ), _set_environment),
    (_folder, _go_to),
)
# modules and a class whose functions somebody may replace, to see what is called
MODULES = (torch, functional)
TENSOR = torch.Tensor
# called at the end, too: who grades keeps more than this
ALSO_PUT_BACK: list[Callable[[], Any]] = []


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Inside, settings and functions of torch may change; afterwards they are what they were."""
    kept = [read() for read, _ in SETTINGS]
    functions = [(module, _functions(module)) for module in MODULES]
    methods = dict(vars(TENSOR))
    try:
        yield
    finally:
        for module, before in functions:
            for name, function in before.items():
                if vars(module).get(name) is not function:
                    setattr(module, name, function)
        for name, method in list(vars(TENSOR).items()):
            if name not in methods and name in INHERITED:
                delattr(TENSOR, name)  # its base class has the method
            elif methods.get(name, method) is not method:
                setattr(TENSOR, name, methods[name])
        for (read, write), value in zip(SETTINGS, kept, strict=True):
            if read() != value:
                write(value)
        for put_more_back in ALSO_PUT_BACK:
            put_more_back()


def _functions(module: Any) -> dict[str, Any]:
    # a private name of torch may change by itself, when a part of it is loaded late
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_")
    }


INHERITED = frozenset(name for base in TENSOR.__mro__[1:] for name in vars(base))
