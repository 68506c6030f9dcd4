"""What a law answers: a ``Verdict``. ``trial.Trial`` collects one.

A verdict is a value to look at, to draw and to assert on. Its text is the same on every machine as
long as the finding is: a law that holds prints no rounding noise.
"""

import math
from dataclasses import dataclass

from seq2seq_lib import _card
from seq2seq_lib.laws.compare import default_tolerance, difference, ids, number, two_numbers

__all__ = [
    "AdapterError",
    "Check",
    "LawBroken",
    "Verdict",
    "default_tolerance",
    "difference",
    "ids",
    "number",
    "two_numbers",
]


class LawBroken(AssertionError):
    """A verdict that does not hold, raised; the message is the verdict's text."""


class AdapterError(ValueError):
    """What a callable returned cannot be judged: the law is not broken, its adapter is.

    Args:
        came: what was returned for what, in words.
        expected: what it must be.
    """

    def __init__(self, came: str, expected: str) -> None:
        super().__init__(f"{came}, but it must be {expected}")
        self.came, self.expected = came, expected


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
        judged: False if there was nothing to compare: a callable raised, or returned something
            else than the law takes. Then ``counterexample`` is what came, ``look_at`` what was
            expected.
    """

    name: str
    max_diff: float
    tolerance: float
    holds: bool
    counterexample: str = ""
    look_at: str = ""
    judged: bool = True

    @property
    def broken(self) -> bool:
        """Whether it was judged and does not hold."""
        return self.judged and not self.holds


@dataclass(frozen=True)
class Verdict:
    """The answer of a law.

    Attributes:
        law: which one.
        holds: whether everything given was judged and no counterexample was found.
            ``bool(verdict)`` is the same, so ``assert laws.batch_invariance(...)`` reads as it
            should and pytest prints the verdict.
        max_diff, tolerance: of the most telling broken check, else of the one nearest to breaking.
        counterexample: what was fed and the number that differs most; empty if the law holds.
        look_at: what to look at next; empty if the law holds.
        checks: every comparison made, for a plot.
        assumed: the conventions it was judged under, a sentence each.
        default: whether these are the ones that a law assumes when nothing is said. Then a verdict
            that holds does not print them.
    """

    law: str
    holds: bool
    max_diff: float
    tolerance: float
    counterexample: str
    look_at: str
    checks: tuple[Check, ...]
    assumed: tuple[str, ...] = ()
    default: bool = True

    def __bool__(self) -> bool:
        return self.holds

    @property
    def status(self) -> str:
        """``HOLDS``, ``BROKEN``, or ``NOT JUDGED``: something could not be, and nothing broke."""
        if any(check.broken for check in self.checks):
            return "BROKEN"
        return "HOLDS" if self.holds else "NOT JUDGED"

    @property
    def not_judged(self) -> tuple[Check, ...]:
        """What could not be judged, and why."""
        return tuple(check for check in self.checks if not check.judged)

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
        count = sum(check.judged for check in self.checks)
        if self.status == "HOLDS":
            return f"{self.law}: HOLDS ({count} checks, all within their tolerance)"
        if self.status == "NOT JUDGED":
            nothing = "there was nothing to compare"
            rest = f"what could be compared holds, {count} checks" if count else nothing
            return f"{self.law}: NOT JUDGED ({rest})"
        broken = sum(check.broken for check in self.checks)
        return f"{self.law}: BROKEN ({broken} of {count} checks)"

    def _lines(self) -> list[tuple[str, str]]:
        """What is told below the heading: label and text."""
        lines = []
        if self.status == "BROKEN":
            broken = [check.name for check in self.checks if check.broken]
            first = self._first()
            lines += [
                ("first broken", first.name + self._size()),
                ("example", self.counterexample),
                ("look at", self.look_at),
            ]
            also = "; ".join(name for name in broken if name != first.name)
            lines += [("also broken", also)] if also else []
        for check in self.not_judged:
            label = "not judged"
            lines += [(label, check.name), ("came", check.counterexample)]
            lines += [("expected", check.look_at)]
        if self.assumed and (not self.holds or not self.default):
            lines.append(("assumed", "; ".join(self.assumed)))
        return lines

    def _first(self) -> Check:
        """The broken check that the verdict's own fields are about."""
        return next(c for c in self.checks if c.broken and c.counterexample == self.counterexample)

    def raise_if_broken(self) -> "Verdict":
        """Return the verdict if it holds, else raise ``LawBroken`` with its text."""
        if not self.holds:
            raise LawBroken(str(self))
        return self

    def _size(self) -> str:
        if not math.isfinite(self.max_diff):
            return ""
        return f" (off by {self.max_diff:.3g}, allowed {self.tolerance:.0e})"
