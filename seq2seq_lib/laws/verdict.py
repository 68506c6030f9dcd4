"""What a law answers: a ``Verdict``, and the ``Trial`` that collects one.

A verdict is a value to look at, to draw and to assert on. Its text is the same on every machine as
long as the finding is: a law that holds prints no rounding noise.
"""

import math
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seq2seq_lib import _card

ABOUT = 0.999  # a difference this much of another one counts as equal: rounding may not choose


class LawBroken(AssertionError):
    """A verdict that does not hold, raised; the message is the verdict's text."""


@dataclass(frozen=True)
class Check:
    """One comparison inside a law, over all its probes.

    Attributes:
        name: what was compared.
        max_diff: the largest difference seen (see ``difference``); ``inf`` if shapes differ, a
            number is NaN, or the check is a yes or no that came out as no.
        tolerance: how much is allowed; 0 means exactly equal.
        holds: whether all probes stayed within it.
        counterexample: the probe that did so most, and where; empty if it holds.
        look_at: where to look then; empty if it holds.
    """

    name: str
    max_diff: float
    tolerance: float
    holds: bool
    counterexample: str = ""
    look_at: str = ""


@dataclass(frozen=True)
class Verdict:
    """The answer of a law.

    Attributes:
        law: which one.
        holds: whether no counterexample was found. ``bool(verdict)`` is the same, so
            ``assert laws.batch_invariance(...)`` reads as it should and pytest prints the verdict.
        max_diff, tolerance: of the first broken check, else of the one nearest to breaking.
        counterexample: what was fed and the number that differs most; empty if the law holds.
        look_at: what to look at next; empty if the law holds.
        checks: every comparison made, for a plot.
    """

    law: str
    holds: bool
    max_diff: float
    tolerance: float
    counterexample: str
    look_at: str
    checks: tuple[Check, ...]

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        return "\n".join(
            [self._heading(), *(f"  {label}: {line}" for label, line in self._lines())]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same words as a card, where a notebook shows the verdict as a cell's value."""
        symbol, edge = ("✓", _card.GREEN) if self.holds else ("✗", _card.ORANGE)
        return _card.card(edge, f"{symbol} {self._heading()}", self._lines())

    def _heading(self) -> str:
        count = len(self.checks)
        if self.holds:
            return f"{self.law}: HOLDS ({count} checks, all within their tolerance)"
        broken = sum(not check.holds for check in self.checks)
        return f"{self.law}: BROKEN ({broken} of {count} checks)"

    def _lines(self) -> list[tuple[str, str]]:
        """What is told of a law that is broken: label and text."""
        broken = [check.name for check in self.checks if not check.holds]
        if not broken:
            return []
        lines = [
            ("first broken", broken[0] + self._size()),
            ("example", self.counterexample),
            ("look at", self.look_at),
        ]
        return [*lines, ("also broken", "; ".join(broken[1:]))] if broken[1:] else lines

    def raise_if_broken(self) -> "Verdict":
        """Return the verdict if it holds, else raise ``LawBroken`` with its text."""
        if not self.holds:
            raise LawBroken(str(self))
        return self

    def _size(self) -> str:
        if not math.isfinite(self.max_diff):
            return ""
        return f" (off by {self.max_diff:.3g}, allowed {self.tolerance:.0e})"


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


class Trial:
    """Collects the checks of one law; those of one name are merged, the largest failure is kept."""

    def __init__(self, law: str) -> None:
        self.law = law
        self._checks: dict[str, Check] = {}

    def equal(
        self,
        name: str,
        actual: Tensor,
        expected: Tensor,
        tolerance: float | None = None,
        *,
        fed: str,
        look_at: str | Callable[[], str],
        sides: tuple[str, str] = ("yours", "expected"),
    ) -> bool:
        """Compare two tensors of one shape.

        Args:
            tolerance: the default of their dtype when left out.
            fed: the probe, in words.
            look_at: a hint, or a function that finds one; called only if they differ.
            sides: what to call the two in the counterexample.
        """
        if tolerance is None:
            tolerance = default_tolerance(actual.dtype)
        if actual.shape != expected.shape:
            text = (
                f"{fed}: the shape is {list(actual.shape)} ({sides[0]}) "
                f"but {list(expected.shape)} ({sides[1]})"
            )
            return self._record(name, math.inf, tolerance, text, look_at)
        if actual.numel() == 0:
            return self._record(name, 0.0, tolerance, "", "")
        diff = difference(actual, expected)
        worst, text = float(diff.max()), ""
        if worst > tolerance:
            # of numbers that differ equally, up to rounding, the first: the same on every machine
            place = tuple((diff >= ABOUT * worst).nonzero()[0].tolist())
            where = f"at {list(place)} " if place else ""  # a single number has no place
            one, two = two_numbers(actual[place], expected[place])
            text = f"{fed}: {where}it is {one} ({sides[0]}) but {two} ({sides[1]})"
        return self._record(name, worst, tolerance, text, look_at)

    def claim(
        self, name: str, holds: bool, *, counterexample: str, look_at: str | Callable[[], str]
    ) -> bool:
        """Record a yes or no."""
        return self._record(
            name, 0.0 if holds else math.inf, 0.0, "" if holds else counterexample, look_at
        )

    def crashed(self, error: Exception, doing: str) -> None:
        """Record that the implementation raised: a law that cannot run does not hold."""
        frames = traceback.extract_tb(error.__traceback__)
        inside_torch = os.path.dirname(torch.__file__)
        names = [f.name for f in frames if not f.filename.startswith(inside_torch)]
        text = f"{doing}: {type(error).__name__} in {names[-1]}(): {' '.join(str(error).split())}"
        self._record("runs without an error", math.inf, 0.0, text, "the error above")

    def broken(self) -> Check | None:
        """The first check that failed so far."""
        return next((check for check in self._checks.values() if not check.holds), None)

    def verdict(self) -> Verdict:
        """All checks together."""
        checks = tuple(self._checks.values())
        if not checks:
            raise ValueError(f"{self.law}: there was nothing to compare; give it a callable.")
        broken = self.broken()
        shown = broken or max(checks, key=_strain)
        return Verdict(
            self.law,
            broken is None,
            shown.max_diff,
            shown.tolerance,
            shown.counterexample,
            shown.look_at,
            checks,
        )

    def _record(
        self, name: str, diff: float, tolerance: float, text: str, look_at: str | Callable[[], str]
    ) -> bool:
        holds, old = diff <= tolerance, self._checks.get(name)
        if holds or (old and not old.holds):
            look_at = ""  # not needed, so not looked for
        elif callable(look_at):
            look_at = look_at()
        new = Check(name, diff, tolerance, holds, text, look_at)
        if old is not None:
            if not old.holds:
                new = replace(new, look_at=old.look_at)  # hints take time: one a check
            larger = old.holds or ABOUT * diff > old.max_diff
            keep = new if larger and not holds else old
            new = replace(
                keep, max_diff=max(old.max_diff, diff), tolerance=max(old.tolerance, tolerance)
            )
        self._checks[name] = new
        return holds


def _strain(check: Check) -> float:
    if check.max_diff == 0:
        return 0.0
    return check.max_diff / check.tolerance if check.tolerance else math.inf


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
