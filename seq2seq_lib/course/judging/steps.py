"""Comparing what came back with what should have: the steps of a check, in small functions.

A step takes a value and the expected one, and returns None or a problem: the name of a finding, a
key into ``Words.findings``, and the numbers for its text.
"""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.sandbox import Run
from seq2seq_lib.laws.verdict import two_numbers

# float32 keeps 7 digits; adding up some tens of numbers in another order costs one or two
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}

Problem = tuple[str, dict[str, str]]
Step = Callable[[Any, Any], Problem | None]


HALF = {torch.float16: 3, torch.bfloat16: 2}  # decimal digits


def holds_numbers(value: Any) -> bool:
    """Whether it is an ordinary tensor: not sparse, nested, quantized, or without data (meta)."""
    return isinstance(value, Tensor) and value.device.type != "meta" and not describe.layout(value)


def is_tensor(value: Any, expected: Any) -> Problem | None:
    """A step: a tensor came back, and something came back at all."""
    if holds_numbers(value):
        return None
    if value is None:
        return "no_return", {}
    if isinstance(value, Tensor):
        layout = describe.layout(value)
        variant = "unusual" if layout else "meta"
        return "not_a_tensor", {"variant": variant, "layout": layout}
    if call := _conversion(value, expected):
        facts = {"variant": "yet", "kind_of_value": describe.kind(value), "call": call}
        return "not_a_tensor", facts
    if isinstance(value, tuple) and any(isinstance(item, Tensor) for item in value):
        return "not_a_tensor", {"variant": "several", "count": str(len(value))}
    return "not_a_tensor", {}


def _conversion(value: Any, expected: Any) -> str:
    """The call that makes a tensor of an array, a list or a number; empty for anything else."""
    if type(value).__module__ == "numpy" and hasattr(value, "shape"):
        return "torch.from_numpy" if value.shape else "torch.tensor"
    if isinstance(value, Real) and not isinstance(value, bool):
        return "torch.tensor"
    if isinstance(value, list | tuple) and value:
        if all(isinstance(item, Tensor) for item in value):
            # a tuple may hold rows, as of chunk, or things of several kinds, as of max or nn.GRU
            numbers = sum(item.numel() for item in value)
            rows = isinstance(expected, Tensor) and numbers == expected.numel()
            return "torch.stack" if rows or type(value) is list else ""
        if all(isinstance(item, list | tuple | Real) for item in value):
            return "torch.tensor"
    return ""


def has_shape(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: exactly the expected shape. Nothing is broadcast here."""
    if value.shape == expected.shape:
        return None
    wanted = str(list(expected.shape)) if expected.dim() else "[], a tensor without axes"
    return "shape", {"shape": str(list(value.shape)), "expected": wanted}


def is_number(value: Any, expected: Any) -> Problem | None:
    """A step: one number of Python; of a tensor without axes the message tells how to get it."""
    if value is None:
        return "no_return", {}
    if isinstance(value, Real) and not isinstance(value, bool):
        return None
    return "not_a_number", {"kind_of_value": type(value).__name__}


def is_int64(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: ids are int64, as they came."""
    return None if value.dtype == torch.int64 else ("floats", {"dtype": _dtype(value)})


def is_bool(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: bool."""
    return None if value.dtype == torch.bool else ("not_bool", {"dtype": _dtype(value)})


def is_finite_float(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: a float, neither NaN nor infinite, and as precise as expected."""
    if not value.is_floating_point():
        return "not_float", {"dtype": _dtype(value)}
    if imprecise := half_precision(value, expected):
        return imprecise
    return None if bool(value.isfinite().all()) else ("not_finite", {})


def half_precision(value: Any, expected: Any) -> Problem | None:
    """A step: not float16 or bfloat16 where more digits are expected."""
    if not (isinstance(value, Tensor) and isinstance(expected, Tensor)):
        return None
    if value.dtype not in HALF or expected.dtype in HALF or not expected.is_floating_point():
        return None
    digits = str(HALF[value.dtype])
    return "half_precision", {
        "dtype": _dtype(value),
        "digits": digits,
        "expected": _dtype(expected),
    }


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def same_value(one: Any, two: Any) -> bool:
    """Same type, shape, dtype, numbers, texts; NaN equals NaN, and float32 is near float64."""
    if holds_numbers(one) and holds_numbers(two):
        if one.shape != two.shape or one.is_floating_point() != two.is_floating_point():
            return False
        if not one.is_floating_point():
            return one.dtype == two.dtype and torch.equal(one.cpu(), two.cpu())
        one, two = one.detach().cpu().double(), two.detach().cpu().double()
        return torch.allclose(one, two, equal_nan=True, **TOLERANCE)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same_value(one[k], two[k]) for k in two)
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        pairs = zip(map(plain, one), map(plain, two), strict=False)
        return len(one) == len(two) and all(same_value(a, b) for a, b in pairs)
    if isinstance(one, Integral) and isinstance(two, Integral):
        return int(one) == int(two)
    if isinstance(one, Real) and isinstance(two, Real):  # also NumPy's numbers
        if any(isinstance(n, Integral) and abs(n) >= 2**63 for n in (one, two)):
            return False  # float() has its limits
        return same_value(torch.tensor(float(one)), torch.tensor(float(two)))
    if isinstance(one, str) and isinstance(two, str):
        return str.__eq__(one, two)  # not what a class of the learner's says of itself
    return one is None and two is None


def plain(item: Any) -> Any:
    """What stands in a list: a tensor is its number there, or the list of its numbers.

    So is an array of NumPy, and a number of NumPy one of Python.
    """
    if isinstance(item, Tensor):
        return item.tolist() if holds_numbers(item) and item.dim() < 2 else item
    return item.tolist() if getattr(item, "ndim", 2) < 2 and hasattr(item, "tolist") else item


def same_run(one: Run, two: Run) -> bool:
    """Whether two answers did the same on a probe: value, error, arguments, gradient."""
    return (
        one.changed == two.changed
        and repr(one.error) == repr(two.error)
        and same_value(one.value, two.value)
        and same_value(one.gradient, two.gradient)
    )


def first_difference(value: Any, expected: Any) -> dict[str, str]:
    """Where the first number differs, and the two numbers."""
    if isinstance(value, dict) and isinstance(expected, dict):
        keys = [key for key in {**expected, **value} if key in expected and key in value]
        place = next((k for k in keys if not same_value(value[k], expected[k])), None)
        if place is not None:
            return _inside(place, value[place], expected[place])
    if isinstance(value, list | tuple) and isinstance(expected, list | tuple):
        pairs = enumerate(zip(value, expected, strict=False))
        place = next((i for i, (a, b) in pairs if not same_value(plain(a), plain(b))), None)
        if place is not None:
            return _inside(place, plain(value[place]), plain(expected[place]))
    tensors = holds_numbers(value) and holds_numbers(expected)
    if not tensors or value.shape != expected.shape or value.is_complex():
        yours, right = describe.value(value), describe.value(expected)
        if yours == right and isinstance(value, Real) and isinstance(expected, Real):
            yours, right = two_numbers(torch.tensor(value), torch.tensor(expected))
        return {"where": "", "yours": yours, "right": right}
    one, two = value.detach().cpu().double(), expected.detach().cpu().double()
    near = torch.isclose(one, two, equal_nan=True, **TOLERANCE)
    if near.all():  # what differs is the dtype
        return {"where": "", "yours": _dtype(value), "right": _dtype(expected)}
    place = tuple((~near).nonzero()[0].tolist())  # empty for a single number
    cells = one[place], two[place]
    bools = value.dtype == torch.bool
    yours, right = (str(bool(cell)) for cell in cells) if bools else two_numbers(*cells)
    return {"where": f" at {list(place)}" if place else "", "yours": yours, "right": right}


def _inside(place: Any, value: Any, expected: Any) -> dict[str, str]:
    found = first_difference(value, expected)
    return found | {"where": f" at [{place!r}]" + found["where"].removeprefix(" at ")}
