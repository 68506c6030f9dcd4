"""Exercise 2.9: how far each forget bias carries a fact."""

from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Run = tuple[int, int, int, int | None]  # bias, k, seed, the step at which it was solved
KS = (5, 10, 20, 40)


def longest_k(runs: list[Run]) -> dict[int, int]:
    found = {}
    for bias in {run[0] for run in runs}:
        solved = {}  # k -> whether all seeds solved it
        for other, k, _, step in runs:
            if other == bias:
                solved[k] = solved.get(k, True) and step is not None
        found[bias] = 0
        for k in sorted(solved):
            if not solved[k]:
                break
            found[bias] = k
    return found


def longest_k_by_failures(runs: list[Run]) -> dict[int, int]:
    """The largest k below the smallest one at which some seed failed."""
    found = {}
    for bias in dict.fromkeys(bias for bias, *_ in runs):
        tried = {k for b, k, *_ in runs if b == bias}
        failed = min((k for b, k, _, step in runs if b == bias and step is None), default=10**9)
        found[bias] = max((k for k in tried if k < failed), default=0)
    return found


# ---------------------------------------------------------------- wrong answers


def some_seed(runs: list[Run]) -> dict[int, int]:
    """One seed that solves a k is enough, at this k and all before it."""
    found = {}
    for bias, *_ in runs:
        found[bias] = 0
        for k in sorted({k for b, k, *_ in runs if b == bias}):
            if all(step is None for b, other, _, step in runs if (b, other) == (bias, k)):
                break
            found[bias] = k
    return found


def largest_anywhere(runs: list[Run]) -> dict[int, int]:
    """The largest k that was ever solved."""
    return {
        bias: max((k for b, k, _, step in runs if b == bias and step is not None), default=0)
        for bias, *_ in runs
    }


def with_gaps(runs: list[Run]) -> dict[int, int]:
    """The largest k that all seeds solved, whatever was before it."""
    found = {}
    for bias, *_ in runs:
        failed = {k for b, k, _, step in runs if b == bias and step is None}
        tried = {k for b, k, *_ in runs if b == bias}
        found[bias] = max(tried - failed, default=0)
    return found


def never_named(runs: list[Run]) -> dict[int, int]:
    return {bias: k for bias, k in longest_k(runs).items() if k > 0}


def counted(runs: list[Run]) -> dict[int, int]:
    """How many k were solved, not which."""
    tried = {bias: sorted({k for b, k, *_ in runs if b == bias}) for bias, *_ in runs}
    found = longest_k(runs)
    return {bias: tried[bias].index(k) + 1 if k else 0 for bias, k in found.items()}


def first_failure(runs: list[Run]) -> dict[int, int]:
    """The k at which it fails for the first time."""
    return {
        bias: min((k for b, k, _, step in runs if b == bias and step is None), default=0)
        for bias, *_ in runs
    }


MUTANTS = (
    Mutant("some_seed", some_seed),
    Mutant("largest", largest_anywhere),
    Mutant("gaps", with_gaps),
    Mutant("missing", never_named),
    Mutant("counted", counted),
    Mutant("first_failure", first_failure),
    Mutant("zero_for_none", lambda runs: longest_k([(b, k, s, n or None) for b, k, s, n in runs])),
)


# ---------------------------------------------------------------- the exercise


def is_report(value: Any, expected: Any) -> Problem | None:
    """A step: a dictionary of whole numbers that are among the k that were tried, or 0."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict):
        return "not_a_dict", {}
    for bias, k in value.items():
        if isinstance(k, bool) or not isinstance(k, int):
            return "not_whole", {"bias": str(bias), "value": repr(k)}
    return None


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """The first bias that is wrong or not there."""
    for bias, k in expected.items():
        if value.get(bias) != k:
            yours = value.get(bias, "nothing")
            return "one_bias", {"bias": str(bias), "yours": str(yours), "right": str(k)}
    return None


def probes(generator: torch.Generator) -> list[Probe]:
    table = {  # bias -> k -> the step of each of two seeds
        0: {5: (90, 120), 10: (None, 250), 20: (None, None)},
        1: {5: (None, None), 10: (61, 64), 20: (None, 80)},
        3: {5: (40, 44), 10: (45, 60), 20: (58, 66)},
        5: {5: (None, 70), 10: (52, 55), 20: (51, 49)},
    }
    hand: list[Run] = [
        (bias, k, seed, step)
        for bias, by_k in table.items()
        for k, steps in by_k.items()
        for seed, step in enumerate(steps)
    ]
    drawn = [Probe({"runs": hand}, "24 runs: biases 0, 1, 3, 5, k = 5, 10, 20, two seeds")]
    drawn.append(Probe({"runs": [(1, 10, 0, None)]}, "a single run that did not solve k = 10"))
    for step in (1, 0):
        words = f"a single run that solved k = 10 at step {step}"
        drawn.append(Probe({"runs": [(1, 10, 0, step)]}, words))
    for _ in range(3):
        runs: list[Run] = []
        for bias in (0, 1, 3, 5):
            for k in KS:
                for seed in range(3):
                    step = int(torch.randint(1, 500, (), generator=generator))
                    runs.append((bias, k, seed, step if step < 330 else None))
        order = torch.randperm(len(runs), generator=generator).tolist()
        runs = [runs[place] for place in order]
        drawn.append(Probe({"runs": runs}, f"{len(runs)} runs in no order, k in {list(KS)}"))
    return drawn


TASK = FunctionTask(
    spec=longest_k_by_failures, probes=probes, steps=(is_report,), mutants=MUTANTS, explain=explain
)
EXERCISES = (
    Exercise(
        "2.9",
        "longest_k",
        kind="X",
        difficulty=3,
        importance=4,
        minutes=45,
        points=6,
        task=TASK,
        reference=longest_k,
        words=words_beside(__file__),
        alternatives=(longest_k_by_failures,),
        manual=True,
    ),
)
