"""How answers are judged: a function, a choice, or a test that the learner wrote.

A function is looked at in this order: type, shape, dtype and finite numbers, arguments unchanged,
values against the slow loop, a law of ``seq2seq_lib.laws``, the gradient. The first thing that is
wrong decides, unless the answer does on all probes what a known wrong answer does: then that one's
message is shown.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.checks import sandbox, show
from seq2seq_lib.checks.exercise import CORRECT, ERROR, NOT_ATTEMPTED, WRONG, Finding, Mutant
from seq2seq_lib.checks.probes import Probe
from seq2seq_lib.checks.sandbox import Run
from seq2seq_lib.laws import Verdict

# float32 keeps 7 digits; a loss adds up some tens of numbers, and a float64 path may be rounded
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
CORRECT_ANSWER = Finding(CORRECT)

Problem = tuple[str, dict[str, str]]  # name of the finding, numbers for its text
Step = Callable[[Any, Any], Problem | None]  # (value, expected) -> problem


@dataclass(frozen=True)
class FunctionTask:
    """The answer is a function.

    Attributes:
        spec: the slow loop; what it returns is right.
        probes: draws the arguments.
        steps: what to look at in a returned value, in this order, before the numbers are compared.
        mutants: known wrong answers.
        gradient_of: the argument to differentiate by, for a loss.
        law: judges an answer by a law.
        facts: ``(probe, value) -> numbers`` that the messages of the mutants may name.
    """

    spec: Callable
    probes: Callable[[torch.Generator], list[Probe]]
    steps: tuple[Step, ...]
    mutants: tuple[Mutant, ...] = ()
    gradient_of: str | None = None
    law: Callable[[Callable], Verdict] | None = None
    facts: Callable[[Probe, Any], dict[str, str]] | None = None

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        if sandbox.is_placeholder(answer) or sandbox.is_stub(answer):
            return Finding(NOT_ATTEMPTED)
        if not callable(answer):
            return Finding(WRONG, "not_a_function", came_back=show.value(answer))
        probes = self.probes(generator)
        runs = self.runs(answer, probes)
        if any(sandbox.says_not_implemented(run.error) for run in runs):
            return Finding(NOT_ATTEMPTED)
        expected = [self._run(self.spec, probe) for probe in probes]
        problem = self._first_problem(runs, expected)
        if problem is None:
            return self._by_law(answer)
        at, name, facts = problem
        known = next((m for m in self.mutants if same_runs(runs, self.runs(m.function, probes))), 0)
        probe, run = probes[at], runs[at]
        if known:
            name = known.finding
            facts = facts | (self.facts(probe, run.value) if self.facts else {})
        if run.error is not None:
            return Finding(ERROR, name, probe.fed, sandbox.last_line(run.error), facts, run.noise)
        return Finding(WRONG, name, probe.fed, show.value(run.value), facts, run.noise)

    def runs(self, answer: Callable, probes: list[Probe]) -> list[Run]:
        """What the answer does with each probe."""
        return [self._run(answer, probe) for probe in probes]

    def _run(self, answer: Callable, probe: Probe) -> Run:
        return sandbox.run(answer, probe.args, self.gradient_of if probe.gradient else None)

    def _first_problem(
        self, runs: list[Run], expected: list[Run]
    ) -> tuple[int, str, dict[str, str]] | None:
        for step in (_raised, *map(_of_value, self.steps), _changed, _value, _gradient):
            for at, (run, right) in enumerate(zip(runs, expected, strict=True)):
                problem = step(run, right)
                if problem is not None:
                    return at, *problem
        return None

    def _by_law(self, answer: Callable) -> Finding:
        verdict = self.law(answer) if self.law else None
        if verdict is None or verdict.holds:
            return CORRECT_ANSWER
        broken = next(check for check in verdict.checks if not check.holds)
        facts = {"law": verdict.law, "broken": broken.name}
        return Finding(WRONG, "law", came_back=verdict.counterexample, facts=facts)


def _of_value(step: Step) -> Callable[[Run, Run], Problem | None]:
    return lambda run, expected: step(run.value, expected.value)


def _raised(run: Run, expected: Run) -> Problem | None:
    return None if run.error is None else ("raised", {})


def _changed(run: Run, expected: Run) -> Problem | None:
    return ("argument_changed", {"names": " and ".join(run.changed)}) if run.changed else None


def _value(run: Run, expected: Run) -> Problem | None:
    if same_value(run.value, expected.value):
        return None
    return "value", first_difference(run.value, expected.value)


def _gradient(run: Run, expected: Run) -> Problem | None:
    if expected.gradient is None:
        return None
    if run.gradient is None:
        return "no_gradient", {}
    if same_value(run.gradient, expected.gradient):
        return None
    return "gradient", first_difference(run.gradient, expected.gradient)


def is_tensor(value: Any, expected: Any) -> Problem | None:
    """A step: a tensor came back, and something came back at all."""
    if value is None:
        return "no_return", {}
    return None if isinstance(value, Tensor) else ("not_a_tensor", {})


def has_shape(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: exactly the expected shape. Nothing is broadcast here."""
    if value.shape == expected.shape:
        return None
    return "shape", {"shape": str(list(value.shape)), "expected": str(list(expected.shape))}


def is_bool(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: a mask is bool."""
    return None if value.dtype == torch.bool else ("not_bool", {"dtype": _dtype(value)})


def is_finite_float(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: a loss is a float, and neither NaN nor infinite."""
    if not value.is_floating_point():
        return "not_float", {"dtype": _dtype(value)}
    return None if bool(value.isfinite().all()) else ("not_finite", {})


def _dtype(value: Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def same_value(one: Any, two: Any) -> bool:
    """Same type, shape, dtype and numbers; NaN equals NaN, and float32 is near float64."""
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        if one.shape != two.shape or one.is_floating_point() != two.is_floating_point():
            return False
        if not one.is_floating_point():
            return one.dtype == two.dtype and torch.equal(one, two)
        one, two = one.detach().double(), two.detach().double()
        return torch.allclose(one, two, equal_nan=True, **TOLERANCE)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same_value(one[k], two[k]) for k in two)
    if isinstance(one, float) and isinstance(two, float):
        return same_value(torch.tensor(one), torch.tensor(two))
    return type(one) is type(two) and bool(one == two)


def same_runs(one: list[Run], two: list[Run]) -> bool:
    """Whether two answers did the same on every probe: value, error, arguments, gradient."""
    return all(
        a.changed == b.changed
        and repr(a.error) == repr(b.error)
        and same_value(a.value, b.value)
        and same_value(a.gradient, b.gradient)
        for a, b in zip(one, two, strict=True)
    )


def first_difference(value: Any, expected: Any) -> dict[str, str]:
    """Where the first number differs, and the two numbers."""
    if isinstance(value, dict) and isinstance(expected, dict):
        place = next(k for k in expected if not same_value(value.get(k), expected[k]))
        return first_difference(value[place], expected[place]) | {"where": f" at {place!r}"}
    if not isinstance(value, Tensor) or value.dim() == 0:
        return {"where": "", "yours": show.value(value), "right": show.value(expected)}
    one, two = value.detach().double(), expected.detach().double()
    near = torch.isclose(one, two, equal_nan=True, **TOLERANCE)
    place = tuple((~near).nonzero()[0].tolist())
    return {
        "where": f" at {list(place)}",
        "yours": str(value[place].item()) if value.dtype == torch.bool else show.number(one[place]),
        "right": str(bool(two[place])) if value.dtype == torch.bool else show.number(two[place]),
    }


@dataclass(frozen=True)
class ChoiceTask:
    """The answer is a letter.

    Attributes:
        letters: the choices.
        reasons: what each choice means, under ``seal(salt, letter)``, so that reading the source
            does not give the answer away by accident; the right one is called ``correct``.
        salt: of the seals.
    """

    letters: tuple[str, ...]
    reasons: dict[str, str]
    salt: str

    @property
    def answer(self) -> str:
        """The right letter."""
        return next(x for x in self.letters if self.reasons[seal(self.salt, x)] == CORRECT)

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        if sandbox.is_placeholder(answer):
            return Finding(NOT_ATTEMPTED)
        choices = ", ".join(self.letters)
        letter = answer.strip().upper() if isinstance(answer, str) else None
        if letter not in self.letters:
            return Finding(
                WRONG, "not_a_choice", came_back=show.value(answer), facts={"choices": choices}
            )
        reason = self.reasons[seal(self.salt, letter)]
        if reason == CORRECT:
            return CORRECT_ANSWER
        return Finding(WRONG, reason, came_back=letter)


def seal(salt: str, letter: str) -> str:
    """A letter that cannot be read."""
    return hashlib.sha256(f"{salt}:{letter}".encode()).hexdigest()[:8]


@dataclass(frozen=True)
class DetectiveTask:
    """The answer is a test: a function that raises AssertionError for a wrong implementation.

    Attributes:
        innocent: right implementations, written differently; the test must pass them all.
        suspects: wrong ones by name; the test must reject ``needed`` of them.
        patient: the suspect that must be among the rejected.
        needed: how many.
    """

    innocent: tuple[Callable, ...]
    suspects: dict[str, Callable]
    patient: str
    needed: int

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        if sandbox.is_placeholder(answer) or sandbox.is_stub(answer):
            return Finding(NOT_ATTEMPTED)
        if not callable(answer):
            return Finding(WRONG, "not_a_function", came_back=show.value(answer))
        for implementation in self.innocent:
            run = _try(answer, implementation)
            if sandbox.says_not_implemented(run.error):
                return Finding(NOT_ATTEMPTED)
            if run.error is not None:
                accused = isinstance(run.error, AssertionError)
                return Finding(
                    WRONG if accused else ERROR,
                    "innocent_rejected" if accused else "raised",
                    "a right loss",
                    sandbox.last_line(run.error),
                    {},
                    run.noise,
                )
            if run.value is not None:
                return Finding(WRONG, "test_returns", "a right loss", show.value(run.value), {})
        survivors = list(self._survivors(answer))
        killed = len(self.suspects) - len(survivors)
        facts = {
            "killed": str(killed),
            "suspects": str(len(self.suspects)),
            "needed": str(self.needed),
        }
        if self.patient not in survivors and killed >= self.needed:
            return Finding(CORRECT, facts=facts)
        came_back = f"{killed} of {len(self.suspects)} wrong losses rejected"
        name = self.patient if self.patient in survivors else survivors[0]
        if killed == 0:
            name = "nothing_rejected"
        return Finding(WRONG, name, "", came_back, facts)

    def _survivors(self, answer: Callable) -> Iterator[str]:
        for name, suspect in self.suspects.items():
            if not isinstance(_try(answer, suspect).error, AssertionError):
                yield name


def _try(test: Callable, implementation: Callable) -> Run:
    return sandbox.run(test, {"loss_function": implementation})
