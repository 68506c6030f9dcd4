"""The matrix products of a function: counted, and done again with nothing around them.

How fast would a search be that did only what no search can do without? ``replay`` gives a function
to time: the same products and log-softmaxes on tensors of the same shapes, in the same order.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

REPLAYED = {"aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::_log_softmax"}


def flops(function: Callable[[], object]) -> int:
    """Multiplications and additions of its matrix products."""
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def replay(function: Callable[[], object]) -> Callable[[], None]:
    """The matrix products and log-softmaxes of one call of ``function``, and nothing else.

    Their inputs are random numbers. All first inputs share one block of memory, all second ones
    another, and so on: more of them is in the cache than ``function`` finds there, so this is
    rather too fast than too slow.

    Args:
        function: works on the CPU. (On a GPU the products of an RNN are inside a call of cuDNN.)

    Raises:
        ValueError: not all products were seen: ``REPLAYED`` lacks an operator.
    """
    with _Recorder() as recorder:
        function()
    blocks: dict[tuple[int, torch.dtype], Tensor] = {}
    for _, arguments, _ in recorder.calls:
        for place, x in enumerate(arguments):
            if isinstance(x, Tensor):
                needed = x.untyped_storage().nbytes() // x.itemsize
                if needed > len(blocks.get((place, x.dtype), ())):
                    blocks[place, x.dtype] = torch.randn(needed, dtype=x.dtype)

    def real(place: int, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        return blocks[place, x.dtype].as_strided(x.shape, x.stride())

    calls = [
        (operator, [real(place, x) for place, x in enumerate(arguments)], options)
        for operator, arguments, options in recorder.calls
    ]

    @torch.no_grad()
    def again() -> None:
        for operator, arguments, options in calls:
            operator(*arguments, **options)

    whole, seen = flops(function), flops(again)
    if seen != whole:
        raise ValueError(
            f"the function's products are {whole} operations, but those that were seen are {seen}: "
            f"add its operators to benchmarks.products.REPLAYED."
        )
    return again


class _Recorder(TorchDispatchMode):
    """Writes down the calls of some operators, with the layouts of their tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Callable, list, dict]] = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        options = kwargs or {}
        if operator.name().partition(".")[0] in REPLAYED:
            self.calls.append((operator, [_layout(x) for x in args], options))
        return operator(*args, **options)


def _layout(x: Any) -> Any:
    """A tensor of the same shape, strides and dtype, without numbers; anything else as it is."""
    if not isinstance(x, Tensor):
        return x
    return torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device="meta")
