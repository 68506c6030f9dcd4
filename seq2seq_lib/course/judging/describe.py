"""Small, readable descriptions of tensors and batches, for messages."""

from typing import Any

import torch
from torch import Tensor

MANY = 24  # numbers that are still read
FEW = 6  # entries of a list
WIDE = 240  # characters


def value(thing: Any) -> str:
    """A value in a few words: type, shape, and the numbers if they are few."""
    if isinstance(thing, Tensor):
        return _tensor(thing)
    if callable(thing):
        return f"the function {getattr(thing, '__name__', type(thing).__name__)}"
    if thing is None:
        return "None"
    kind = type(thing).__name__
    if isinstance(thing, list | tuple) and len(thing) > FEW:
        kind += f" of {len(thing)}"
    try:
        text = _inside(thing)
    except Exception:  # a learner's own class, a list that holds itself
        text = "something"
    return f"{text if len(text) <= WIDE else text[: WIDE - 3] + '...'} ({kind})"


def layout(tensor: Tensor) -> str:
    """What an unusual tensor is: sparse, nested, quantized. Empty for an ordinary one."""
    if tensor.is_nested:
        return "nested"
    if tensor.is_quantized:
        return "quantized"
    return "" if tensor.layout == torch.strided else "sparse"


def kind(thing: Any) -> str:
    """What an array, a list or a number is called."""
    if isinstance(thing, list | tuple):
        return "a list" if isinstance(thing, list) else "a tuple"
    if type(thing).__module__ == "numpy":
        return "a NumPy array" if thing.shape else "a number of NumPy"
    return "a plain number"


def _inside(thing: Any) -> str:
    """A value as it stands in a list."""
    if isinstance(thing, float):
        return number(thing)
    if isinstance(thing, Tensor):
        return _tensor(thing)
    if isinstance(thing, dict):
        return "{" + ", ".join(f"{key!r}: {_inside(item)}" for key, item in thing.items()) + "}"
    if isinstance(thing, list | tuple):
        parts = [_inside(item) for item in thing[:FEW]] + ["..."] * (len(thing) > FEW)
        left, right = "[]" if isinstance(thing, list) else "()"
        comma = "," if isinstance(thing, tuple) and len(parts) == 1 else ""
        return left + ", ".join(parts) + comma + right
    text = " ".join(repr(thing).split())
    return text if len(text) <= 80 else text[:77] + "..."


def number(thing: Any) -> str:
    """Four digits."""
    return f"{float(thing):.4g}"


def rows(tensor: Tensor) -> str:
    """A mask or matrix, a row in brackets each; True is 1."""
    if tensor.dtype == torch.bool:
        return " ".join("".join("1" if cell else "0" for cell in row) for row in tensor.tolist())
    return " ".join("[" + " ".join(number(cell) for cell in row) + "]" for row in tensor.tolist())


def _tensor(tensor: Tensor) -> str:
    tensor = tensor.detach()
    kind = str(tensor.dtype).removeprefix("torch.")
    if unusual := layout(tensor):
        return f"{kind}, {unusual}"
    if tensor.is_complex() or tensor.device.type == "meta":
        return f"{kind} {list(tensor.shape)}"
    if tensor.dim() == 0:
        return f"{number(tensor)} ({kind}, 0-dim)"
    head = f"{kind} {list(tensor.shape)}"
    if not 0 < tensor.numel() <= MANY or tensor.dim() > 2:
        return head
    if tensor.dim() == 1:
        return f"{head}: {' '.join(number(cell) for cell in tensor.tolist())}"
    return f"{head}: {rows(tensor)}"
