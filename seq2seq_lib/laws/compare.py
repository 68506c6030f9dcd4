"""How far two tensors are apart, and how numbers and ids are shown."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def default_tolerance(dtype: torch.dtype) -> float:
    """What two ways of computing one number may differ by.

    A float32 keeps 7 digits. A batch of another width multiplies matrices in another order, and
    some tens of rounded additions lose one to two of the digits: 1e-5; float64 likewise 1e-10.
    """
    return {torch.float64: 1e-10, torch.float32: 1e-5}.get(dtype, 2e-2)


def difference(actual: Tensor, expected: Tensor) -> Tensor:
    """``|actual − expected| / max(1, largest |expected|)``, elementwise; NaN counts as infinite.

    So it is absolute for numbers around 1 and relative for large ones, such as summed gradients.
    Equal infinities differ by 0.
    """
    actual, expected = actual.detach().double(), expected.detach().double().to(actual.device)
    finite = expected[expected.isfinite()].abs()
    scale = max(1.0, float(finite.max())) if finite.numel() else 1.0
    diff = torch.where(actual == expected, 0.0, (actual - expected).abs() / scale)
    return diff.nan_to_num(nan=math.inf, posinf=math.inf)


def number(value: Tensor | float) -> str:
    """Four digits: enough to recognise a number, few enough to be equal on every machine."""
    value = value.detach() if isinstance(value, Tensor) else value
    return f"{float(value):.4g}"


def two_numbers(one: Tensor, two: Tensor) -> tuple[str, str]:
    """Both with four digits, or with so many that they look as different as they are."""
    for digits in (4, 6, 9, 17):
        shown = tuple(f"{float(value.detach()):.{digits}g}" for value in (one, two))
        if shown[0] != shown[1]:
            break
    return shown


def ids(values: Tensor | Sequence[int]) -> str:
    """Token ids as a short list."""
    values = values.tolist() if isinstance(values, Tensor) else list(values)
    return "[" + ", ".join(map(str, values)) + "]"
