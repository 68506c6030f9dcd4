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

from seq2seq_lib.checks import sandbox, show
from seq2seq_lib.checks.compare import Problem, Step, first_difference, same_run, same_value
from seq2seq_lib.checks.exercise import CORRECT, ERROR, NOT_ATTEMPTED, WRONG, Finding, Mutant
from seq2seq_lib.checks.probes import Probe
from seq2seq_lib.checks.sandbox import Run
from seq2seq_lib.laws import Verdict

CORRECT_ANSWER = Finding(CORRECT)


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
        runs = [self._run(answer, probe) for probe in probes]
        if any(sandbox.says_not_implemented(run.error) for run in runs):
            return Finding(NOT_ATTEMPTED)
        expected = [self._run(self.spec, probe) for probe in probes]
        steps = (_raised, *map(_of_value, self.steps), _changed, _value, _gradient)
        found = ((at, s(runs[at], expected[at])) for s in steps for at in range(len(probes)))
        at, problem = next(((at, problem) for at, problem in found if problem), (0, None))
        if problem is None:
            return self._by_law(answer)
        name, facts = problem
        known = next((m for m in self.mutants if self._does_the_same(m, runs, probes)), None)
        if known is not None:
            # its message speaks of values: show the first probe, the smallest, that it gets wrong
            at = next(i for i in range(len(probes)) if any(s(runs[i], expected[i]) for s in steps))
            name = known.finding
            facts = facts | (self.facts(probes[at], runs[at].value) if self.facts else {})
        fed, run = probes[at].fed, runs[at]
        if run.error is not None:
            return Finding(ERROR, name, fed, sandbox.last_line(run.error), facts, run.noise)
        return Finding(WRONG, name, fed, show.value(run.value), facts, run.noise)

    def _does_the_same(self, mutant: Mutant, runs: list[Run], probes: list[Probe]) -> bool:
        pairs = zip(runs, probes, strict=True)
        return all(same_run(run, self._run(mutant.function, probe)) for run, probe in pairs)

    def _run(self, answer: Callable, probe: Probe) -> Run:
        return sandbox.run(answer, probe.args, self.gradient_of if probe.gradient else None)

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
