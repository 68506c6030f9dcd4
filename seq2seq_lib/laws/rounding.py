"""How many digits a result has: the coarsest numbers that it was made of decide."""

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from seq2seq_lib.laws.compare import default_tolerance


def rounding_of(result: Any) -> float:
    """The tolerance of the coarsest float that a result holds, or that went into it; 0 for none.

    Under autocast the parameters and the loss are float32, and what lies between is not. Autograd
    remembers the dtype of every step (``_input_metadata``, of a private name, but it is all there
    is), so this sees nothing behind ``no_grad`` and ``detach``.
    """
    tensors = list(floats_in(result))
    dtypes, seen = {tensor.dtype for tensor in tensors}, set()
    todo = [tensor.grad_fn for tensor in tensors]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            dtypes |= {part.dtype for part in getattr(node, "_input_metadata", ())}
            todo += [following for following, _ in node.next_functions]
    return max((default_tolerance(d) for d in dtypes if d.is_floating_point), default=0.0)


def floats_in(value: Any, depth: int = 3) -> Iterator[Tensor]:
    """The floating-point tensors of a result, in whatever it is wrapped."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield value
        return
    if isinstance(value, list | tuple):
        parts = list(value)
    else:
        named = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
        parts = [] if isinstance(value, nn.Module) else list(named.values())
    for part in parts if depth else ():
        yield from floats_in(part, depth - 1)
