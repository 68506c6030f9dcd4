"""The answer is a function.

It is looked at in this order: type, shape, dtype and finite numbers, arguments unchanged, values
against the slow loop, a law of ``seq2seq_lib.laws``, the gradient. The first thing that is wrong
decides, unless the answer does on all probes what a known wrong answer does: then that one's
message is shown.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import attempts, describe, error_kinds, own_work, sandbox, settings
from seq2seq_lib.course.judging.exercise import CORRECT, ERROR, WRONG, Finding, Mutant
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.sandbox import Run
from seq2seq_lib.course.judging.steps import (
    Problem,
    Step,
    first_difference,
    half_precision,
    same_run,
    same_value,
)
from seq2seq_lib.laws import Verdict


@dataclass(frozen=True)
class Call:
    """One probe, what the answer did with it, and what the slow loop does."""

    probe: Probe
    run: Run
    expected: Run


@dataclass(frozen=True)
class FunctionTask:
    """The answer is a function.

    Attributes:
        spec: the slow loop; what it returns is right.
        probes: draws the arguments.
        steps: what to look at in a returned value, in this order, before the numbers are compared.
        mutants: known wrong answers.
        gradient_of: the argument to differentiate by, if the answer returns one number.
        leaf: what the answer gets for that argument, made of the leaf that is differentiated by:
            ``lambda x: x.log_softmax(-1)`` for log-probabilities behind a model. The leaf itself
            if none is given.
        law: judges an answer by a law.
        facts: ``(probe, value) -> numbers`` that the messages of the mutants may name; the value
            may be anything.
        explain: ``(probe, value, expected) -> problem``, for wrong numbers whose reason shows only
            beside the arguments.
    """

    spec: Callable
    probes: Callable[[torch.Generator], list[Probe]]
    steps: tuple[Step, ...]
    mutants: tuple[Mutant, ...] = ()
    gradient_of: str | None = None
    leaf: Callable[[Tensor], Tensor] | None = None
    law: Callable[[Callable], Verdict] | None = None
    facts: Callable[[Probe, Any], dict[str, str]] | None = None
    explain: Callable[[Probe, Any, Any], Problem | None] | None = None

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        """The first thing that is wrong, or correct."""
        if none := attempts.no_function(answer):
            return none
        probes = self.probes(generator)
        runs = [self._run(answer, probe) for probe in probes]
        for run in runs:
            if none := attempts.unfinished(answer, run.error):
                return none.finding
        calls = [
            Call(probe, run, self._run(self.spec, probe))
            for probe, run in zip(probes, runs, strict=True)
        ]
        found = self._first_problem(calls)
        if found is None:
            return self._by_law(answer)
        mutant = self._known_mutant(calls)
        call, (name, facts) = self._as_mutant(mutant, calls) if mutant else found
        if name == "no_return" and attempts.returns_something(answer):
            facts = facts | {"variant": "but_none"}
        return _finding(call, (name, facts))

    def _run(self, answer: Callable, probe: Probe) -> Run:
        name = self.gradient_of if probe.gradient else None
        return sandbox.run(answer, probe.args, name, self.leaf)

    def _problems(self, call: Call) -> list[Callable[[], Problem | None]]:
        """All looks at one call, in order. A look may rely on those before it."""
        value, due = call.run.value, call.expected.value
        return [
            lambda: None if call.run.error is None else ("raised", {}),
            *(lambda step=step: step(value, due) for step in self.steps),
            lambda: _changed(call),
            lambda: self._value(call),
            lambda: _gradient(call),
        ]

    def _first_problem(self, calls: list[Call]) -> tuple[Call, Problem] | None:
        """The earliest look that finds something at any probe, and the first of those probes."""
        for looks in zip(*map(self._problems, calls), strict=True):
            for call, look in zip(calls, looks, strict=True):
                if problem := look():
                    return call, problem
        return None

    def _known_mutant(self, calls: list[Call]) -> Mutant | None:
        """The known wrong answer that does the same on all probes."""
        for mutant in self.mutants:
            if all(same_run(call.run, self._run(mutant.function, call.probe)) for call in calls):
                return mutant
        return None

    def _as_mutant(self, mutant: Mutant, calls: list[Call]) -> tuple[Call, Problem]:
        """The probe to show for a known mistake: the first, the smallest, that shows it.

        Its message speaks of values, so that is a probe where the looks find the mistake by its
        own name, or else any that they object to.
        """
        objected = []
        for call in calls:
            problem = next((found for look in self._problems(call) if (found := look())), None)
            if problem:
                objected.append((call, problem))
        named = [(call, problem) for call, problem in objected if problem[0] == mutant.finding]
        call, (_, facts) = (named or objected)[0]
        more = self.facts(call.probe, call.run.value) if self.facts else {}
        return call, (mutant.finding, facts | more)

    def _value(self, call: Call) -> Problem | None:
        value, expected = call.run.value, call.expected.value
        if same_value(value, expected):
            return None
        why = half_precision(value, expected)
        if why is None and self.explain:
            why = self.explain(call.probe, value, expected)
        if why is not None:
            return why
        facts = first_difference(value, expected)
        return "value", facts if facts["where"] else facts | {"variant": "alone"}

    def _by_law(self, answer: Callable) -> Finding:
        """What the law says. Where the slow loop tells which of its cases is wrong, that is shown.

        A law speaks of what it compared; a learner wants to see one call.
        """
        if self.law is None:
            return Finding(CORRECT)
        given: list[dict[str, Any]] = []
        names = list(inspect.signature(self.spec).parameters)

        def watched(*args: Any) -> Any:
            given.append(dict(zip(names, map(sandbox.clone, args), strict=False)))
            with settings.put_back(), own_work.running(answer):
                return sandbox.undressed(answer(*args))

        verdict = self.law(watched)
        if verdict.holds:
            return Finding(CORRECT)
        broken = next(check for check in verdict.checks if not check.holds)
        facts = {"law": verdict.law, "broken": broken.name}
        for args in given:
            run, expected = sandbox.run(answer, args), sandbox.run(self.spec, args)
            if expected.error is None and not same_value(run.value, expected.value):
                fed = "; ".join(f"{name} = {describe.value(arg)}" for name, arg in args.items())
                came_back = f"{sandbox.shown(run)}; right is {sandbox.shown(expected)}"
                alone = [n for n, arg in args.items() if isinstance(arg, Tensor) and 1 in arg.shape]
                if alone:
                    facts |= {"variant": "alone", "alone": " and ".join(alone)}
                return Finding(WRONG, "law", fed, came_back, facts, run.noise)
        return Finding(WRONG, "law", came_back=verdict.counterexample, facts=facts)


def _finding(call: Call, problem: Problem) -> Finding:
    name, facts = problem
    run, state = call.run, WRONG
    if run.error is not None:
        state, facts = ERROR, facts | {"kind": error_kinds.kind(run.error)}
    return Finding(state, name, call.probe.fed, sandbox.shown(run), facts, run.noise)


def _changed(call: Call) -> Problem | None:
    names = " and ".join(call.run.changed)
    return ("argument_changed", {"names": names}) if names else None


def _gradient(call: Call) -> Problem | None:
    gradient, expected = call.run.gradient, call.expected.gradient
    if expected is None:
        return None
    if gradient is None:
        return "no_gradient", {}
    if same_value(gradient, expected):
        return None
    return "gradient", first_difference(gradient, expected)
