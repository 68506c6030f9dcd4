"""The ``Trial`` in which a law collects its checks."""

import contextlib
import math
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.laws import probes
from seq2seq_lib.laws.compare import default_tolerance, difference, two_numbers
from seq2seq_lib.laws.verdict import AdapterError, Check, Verdict

ABOUT = 0.999  # a difference this much of another one counts as equal: rounding may not choose

COARSE = "half precision took part, so 2e-2 is allowed"
RAISED = "a call that returns: the error above"
ELSEWHERE = (
    "tensors on one device: the law's probes are where its argument device= says (your modules' "
    "own device when it is left out), so move them with .to(src.device) or name the device"
)
UNKNOWN_ID = (
    "a call that returns: the error above. If an embedding raised it, the law fed an id that it "
    "does not have: pass src_vocab_size= and tgt_vocab_size= as yours are"
)
CALLED_WRONGLY = "a callable that takes what this law gives it: see its docstring, under Args"


class Trial:
    """Collects the checks of one law; those of one name are merged, the largest failure is kept.

    Args:
        law: its name.
        order: fragments of check names. Of several broken checks the verdict tells the one whose
            fragment stands first here, because it names a cause; else the first that was made.
        assumed, default: as in ``Verdict``.
    """

    def __init__(
        self,
        law: str,
        *,
        order: Sequence[str] = (),
        assumed: Sequence[str] = (),
        default: bool = True,
    ) -> None:
        self.law, self.order = law, tuple(order)
        self.assumed, self.default = tuple(assumed), default
        self.rounding = 0.0  # the tolerance of the coarsest numbers seen: see rounding_of
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
            tolerance: when left out, the default of their dtype, or of what went into them.
            fed: the probe, in words.
            look_at: a hint, or a function that finds one; called only if they differ.
            sides: what to call the two in the counterexample.
        """
        if tolerance is None:
            tolerance = max(default_tolerance(actual.dtype), self.rounding)
            if tolerance > default_tolerance(torch.float32):
                self.assume(COARSE)
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

    def crashed(self, error: BaseException, doing: str, *, broken: bool = False) -> None:
        """Record that the implementation raised, exited or returned what cannot be judged.

        Args:
            doing: when, in words.
            broken: the same call was fine on another probe, so the error is a counterexample.
        """
        if isinstance(error, AdapterError):
            came, expected = error.came, error.expected
        else:
            came, expected = f"{doing}: {in_words(error)}", _advice(error)
        name = "runs without an error"
        if not broken and doing != RUNNING:
            name = f"{name}, {doing}"
        known = self._checks.get(name)
        if known is None or (known.holds and broken):
            self._checks[name] = Check(name, math.inf, 0.0, False, came, expected, broken)

    @contextlib.contextmanager
    def on_probes(self, *functions: Any, seed: int = 0, comparing: bool = False) -> Iterator[None]:
        """Inside, a law calls what it was given: nothing is disturbed, and no error goes further.

        Args:
            functions: what it calls; see ``probes.undisturbed``.
            comparing: what raises after a check was made did not before, on the same thing in
                another form, so the error is a counterexample.
        """
        with probes.undisturbed(*functions, seed=seed):
            try:
                yield
            except (Exception, SystemExit) as error:
                another = comparing and self.count > 0 and not isinstance(error, AdapterError)
                self.crashed(error, RUNNING, broken=another)

    def broken(self) -> Check | None:
        """The most telling of the checks that failed so far."""
        failed = [check for check in self._checks.values() if not check.holds]
        return min(failed, key=self._rank) if failed else None

    @property
    def count(self) -> int:
        """How many checks were made."""
        return len(self._checks)

    def failed(self, *fragments: str) -> bool:
        """Whether a check failed whose name holds all of these."""
        return any(
            not check.holds and all(f in check.name for f in fragments)
            for check in self._checks.values()
        )

    def forgive(self, change: str, subjects: Sequence[str], said: str) -> None:
        """Take a change that alone made a subject differ as a convention, and say so."""
        for subject in subjects:
            mine = {n: c for n, c in self._checks.items() if n.startswith(subject) and not c.holds}
            if mine and all(change in name for name in mine):
                for name in mine:
                    del self._checks[name]
                self.assume(said)

    def assume(self, said: str) -> None:
        """Say with the verdict, also if it holds, under what it was judged."""
        self.default = False
        self.assumed = tuple(dict.fromkeys((*self.assumed, said)))

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
            self.assumed,
            self.default,
        )

    def _rank(self, check: Check) -> tuple[bool, int]:
        places = [i for i, part in enumerate(self.order) if part in check.name]
        return not check.judged, min(places, default=len(self.order))

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


RUNNING = "while running it on the probes"


def in_words(error: BaseException) -> str:
    """Type, place outside torch, and message."""
    if isinstance(error, SystemExit):
        return f"it called exit({error.code!r}), which ends the whole program"
    frames = traceback.extract_tb(error.__traceback__)
    inside_torch = os.path.dirname(torch.__file__)
    names = [f.name for f in frames if not f.filename.startswith(inside_torch)]
    text = " ".join(str(error).split())
    return f"{type(error).__name__} in {names[-1] if names else 'torch'}(): {text}"


def _advice(error: BaseException) -> str:
    text = str(error)
    if "device" in text.lower() or "cuda" in text.lower():
        return ELSEWHERE
    if isinstance(error, IndexError) and "out of range" in text:
        return UNKNOWN_ID
    if isinstance(error, TypeError) and ("argument" in text or "not callable" in text):
        return CALLED_WRONGLY
    return RAISED


def _strain(check: Check) -> float:
    if check.max_diff == 0:
        return 0.0
    return check.max_diff / check.tolerance if check.tolerance else math.inf
