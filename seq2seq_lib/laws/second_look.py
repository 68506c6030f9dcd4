"""A second look in float64, where a first one in float32 may have seen rounding alone."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor

from seq2seq_lib.laws import probes
from seq2seq_lib.laws.verdict import Verdict

SMALL = 1e-3  # a deep model in float32 rounds to some 1e-4 of its largest number
SAID = "judged in float64, since float32 rounds by more than is allowed"


def with_more_digits(
    judge: Callable[[], Verdict], functions: Iterable[Any], parameters: Iterable[Tensor]
) -> Verdict:
    """What ``judge()`` says; if all that it finds is small, and gone in float64, it holds."""
    verdict = judge()
    broken = [check.max_diff for check in verdict.checks if check.broken]
    if not broken or max(broken) > SMALL:
        return verdict
    with in_float64(functions, parameters):
        again = judge()
    if not again.holds:
        return verdict
    return replace(again, assumed=(*again.assumed, SAID), default=False)


@contextlib.contextmanager
def in_float64(functions: Iterable[Any], parameters: Iterable[Tensor]) -> Iterator[list]:
    """The parameters, and all that the callables show of modules, are float64 for a while.

    Yields:
        (tensor, its own data), for who wants to put them back at once.
    """
    modules = [module for function in functions for module in probes.modules_of(function)]
    tensors = {id(t): t for m in modules for t in (*m.parameters(), *m.buffers())}
    tensors |= {id(p): p for p in parameters}
    kept = [(t, t.data) for t in tensors.values() if t.is_floating_point()]
    try:
        for tensor, data in kept:
            tensor.data = data.double()
        yield kept
    finally:
        for tensor, data in kept:
            tensor.data = data
