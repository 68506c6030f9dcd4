"""How answers are judged: a function, a choice, or a test that the learner wrote.

A function is looked at in this order: type, shape, dtype and finite numbers, arguments unchanged,
values against the slow loop, a law of ``seq2seq_lib.laws``, the gradient. The first thing that is
wrong decides, unless the answer does on all probes what a known wrong answer does: then that one's
message is shown.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from seq2seq_lib.course.judging import errors, sandbox, show
from seq2seq_lib.course.judging.compare import Problem, Step, first_difference, same_run, same_value
from seq2seq_lib.course.judging.exercise import (
    CORRECT,
    ERROR,
    NOT_ATTEMPTED,
    WRONG,
    Finding,
    Mutant,
)
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.sandbox import Run, Unattempted
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
        explain: ``(probe, value, expected) -> problem``, for wrong numbers whose reason shows only
            beside the arguments.
    """

    spec: Callable
    probes: Callable[[torch.Generator], list[Probe]]
    steps: tuple[Step, ...]
    mutants: tuple[Mutant, ...] = ()
    gradient_of: str | None = None
    law: Callable[[Callable], Verdict] | None = None
    facts: Callable[[Probe, Any], dict[str, str]] | None = None
    explain: Callable[[Probe, Any, Any], Problem | None] | None = None

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        if none := sandbox.unattempted(answer):
            return _not_attempted(none)
        if not callable(answer):
            return Finding(WRONG, "not_a_function", came_back=show.value(answer))
        probes = self.probes(generator)
        runs = [self._run(answer, probe) for probe in probes]
        ended = (sandbox.unfinished(answer, run.error) for run in runs)
        if none := next(filter(None, ended), None):
            return _not_attempted(none)
        expected = [self._run(self.spec, probe) for probe in probes]
        steps = (_raised, *map(_of_value, self.steps), _changed, self._value, _gradient)
        calls = list(zip(probes, runs, expected, strict=True))
        found = ((at, step(*call)) for step in steps for at, call in enumerate(calls))
        at, problem = next(((at, problem) for at, problem in found if problem), (0, None))
        if problem is None:
            return self._by_law(answer)
        name, facts = problem
        known = next((m for m in self.mutants if self._does_the_same(m, runs, probes)), None)
        if known is not None:
            # its message speaks of values: show the first probe, the smallest, where they are those
            # of which it speaks, or else are wrong
            firsts = [(at, _first(steps, call)) for at, call in enumerate(calls)]
            firsts = [(at, problem) for at, problem in firsts if problem]
            named = (found for found in firsts if found[1][0] == known.finding)
            at, (_, facts) = next(named, firsts[0])
            name = known.finding
            facts = facts | (self.facts(probes[at], runs[at].value) if self.facts else {})
        fed, run = probes[at].fed, runs[at]
        if run.error is not None:
            facts = facts | {"kind": errors.kind(run.error)}
            return Finding(ERROR, name, fed, sandbox.last_line(run.error), facts, run.noise)
        return Finding(WRONG, name, fed, show.value(run.value), facts, run.noise)

    def _does_the_same(self, mutant: Mutant, runs: list[Run], probes: list[Probe]) -> bool:
        pairs = zip(runs, probes, strict=True)
        return all(same_run(run, self._run(mutant.function, probe)) for run, probe in pairs)

    def _run(self, answer: Callable, probe: Probe) -> Run:
        return sandbox.run(answer, probe.args, self.gradient_of if probe.gradient else None)

    def _value(self, probe: Probe, run: Run, expected: Run) -> Problem | None:
        if same_value(run.value, expected.value):
            return None
        why = self.explain(probe, run.value, expected.value) if self.explain else None
        return why or ("value", first_difference(run.value, expected.value))

    def _by_law(self, answer: Callable) -> Finding:
        verdict = self.law(answer) if self.law else None
        if verdict is None or verdict.holds:
            return CORRECT_ANSWER
        broken = next(check for check in verdict.checks if not check.holds)
        facts = {"law": verdict.law, "broken": broken.name}
        return Finding(WRONG, "law", came_back=verdict.counterexample, facts=facts)


def _first(steps: tuple[Callable, ...], call: tuple) -> Problem | None:
    """The first problem of one call: a step may rely on those before it."""
    return next((problem for step in steps if (problem := step(*call))), None)


def _not_attempted(none: Unattempted) -> Finding:
    return Finding(NOT_ATTEMPTED, none.reason, facts={"where": none.where})


def _of_value(step: Step) -> Callable[[Probe, Run, Run], Problem | None]:
    return lambda probe, run, expected: step(run.value, expected.value)


def _raised(probe: Probe, run: Run, expected: Run) -> Problem | None:
    return None if run.error is None else ("raised", {})


def _changed(probe: Probe, run: Run, expected: Run) -> Problem | None:
    return ("argument_changed", {"names": " and ".join(run.changed)}) if run.changed else None


def _gradient(probe: Probe, run: Run, expected: Run) -> Problem | None:
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
        called: what one of them is called, and several.
    """

    innocent: tuple[Callable, ...]
    suspects: dict[str, Callable]
    patient: str
    needed: int
    called: tuple[str, str] = ("loss", "losses")

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        if none := sandbox.unattempted(answer):
            return _not_attempted(none)
        if not callable(answer):
            return Finding(WRONG, "not_a_function", came_back=show.value(answer))
        one, several = self.called
        for implementation in self.innocent:
            run = _try(answer, implementation)
            if none := sandbox.unfinished(answer, run.error):
                return _not_attempted(none)
            if run.error is not None:
                accused = isinstance(run.error, AssertionError)
                return Finding(
                    WRONG if accused else ERROR,
                    "innocent_rejected" if accused else "raised",
                    f"a right {one}",
                    sandbox.last_line(run.error),
                    {"kind": errors.kind(run.error)},
                    run.noise,
                )
            if run.value is not None:
                return Finding(WRONG, "test_returns", f"a right {one}", show.value(run.value), {})
        runs = {name: _try(answer, suspect) for name, suspect in self.suspects.items()}
        survivors = [n for n, run in runs.items() if not isinstance(run.error, AssertionError)]
        stopped = [runs[name].error for name in survivors if runs[name].error is not None]
        killed = len(self.suspects) - len(survivors)
        facts = {
            "killed": str(killed),
            "suspects": str(len(self.suspects)),
            "needed": str(self.needed),
        }
        if self.patient not in survivors and killed >= self.needed:
            return Finding(CORRECT, facts=facts)
        came_back = f"{killed} of {len(self.suspects)} wrong {several} rejected"
        name = self.patient if self.patient in survivors else survivors[0]
        if stopped:
            name = "other_error"
            facts |= {"stopped": str(len(stopped)), "error": type(stopped[0]).__name__}
        elif killed == 0:
            name = "nothing_rejected"
        noise = runs[self.patient].noise if killed == 0 else ""  # printing is not rejecting
        return Finding(WRONG, name, "", came_back, facts, noise)


def _try(test: Callable, implementation: Callable) -> Run:
    def unnamed(*args: Any, **kwargs: Any) -> Any:  # its name would give it away
        return implementation(*args, **kwargs)

    return sandbox.run(test, {"implementation": unnamed})
