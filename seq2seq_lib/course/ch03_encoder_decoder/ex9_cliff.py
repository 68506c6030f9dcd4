"""Exercise 3.9: up to which length a model can be trusted, and what moves that length."""

from collections.abc import Mapping
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside


def cliff_spec(right_by_length: Mapping[int, float], share: float) -> int:
    found = 0
    for length in sorted(right_by_length):
        if right_by_length[length] < share:
            return found
        found = length
    return found


def cliff(right_by_length: Mapping[int, float], share: float) -> int:
    good = 0
    for length, right in sorted(right_by_length.items()):
        if right < share:
            break
        good = length
    return good


def cliff_by_search(right_by_length: Mapping[int, float], share: float) -> int:
    first_bad = min((n for n, right in right_by_length.items() if right < share), default=10**9)
    return max((n for n in right_by_length if n < first_bad), default=0)


# ---------------------------------------------------------------- wrong answers


def last_good(right: Mapping[int, float], share: float) -> int:
    return max((n for n in right if right[n] >= share), default=0)


def first_bad(right: Mapping[int, float], share: float) -> int:
    return min((n for n in right if right[n] < share), default=max(right))


def one_before(right: Mapping[int, float], share: float) -> int:
    return min((n - 1 for n in right if right[n] < share), default=max(right))


def strictly(right: Mapping[int, float], share: float) -> int:
    return cliff({n: r - 1e-12 for n, r in right.items()}, share)


def how_many(right: Mapping[int, float], share: float) -> int:
    return sum(n <= cliff(right, share) for n in right)


def as_it_comes(right: Mapping[int, float], share: float) -> int:
    good = 0
    for length, r in right.items():
        if r < share:
            break
        good = length
    return good


MUTANTS = (
    Mutant("last_good", last_good),
    Mutant("first_bad", first_bad),
    Mutant("one_before", one_before),
    Mutant("strictly", strictly),
    Mutant("how_many", how_many),
    Mutant("how_many", lambda right, share: sum(r >= share for r in right.values())),
    Mutant("as_it_comes", as_it_comes),
    Mutant("fixed_share", lambda right, share: cliff(right, 0.5)),
    Mutant("nothing_for_none", lambda right, share: cliff(right, share) or None),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    cases = [
        ({3: 1.0, 4: 0.9, 5: 0.5, 6: 0.2}, 0.5),
        ({3: 0.99, 4: 0.4, 5: 0.7, 6: 0.1}, 0.5),  # a dip
        ({6: 0.3, 3: 0.9, 5: 0.6, 4: 0.8}, 0.5),  # not in order
        ({3: 0.1, 4: 0.0}, 0.5),
        ({3: 1.0, 7: 0.9}, 0.5),
        ({1: 0.5}, 0.5),
        ({3: 0.9, 4: 0.8, 5: 0.6, 6: 0.5}, 0.75),
    ]
    values = torch.rand(9, generator=generator).sort(descending=True).values
    cases.append(({n + 3: round(v, 2) for n, v in enumerate(values.tolist())}, 0.4))
    return [
        Probe({"right_by_length": case, "share": share}, f"{case}, share = {share}")
        for case, share in cases
    ]


def is_a_length(value: Any, expected: int) -> Problem | None:
    """A step: an int."""
    if value is None:
        return "nothing_for_none", {}
    return None if isinstance(value, int) and not isinstance(value, bool) else ("not_an_int", {})


TASK = FunctionTask(spec=cliff_spec, probes=probes, steps=(is_a_length,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "3.9",
        "cliff",
        kind="X",
        difficulty=4,
        importance=3,
        minutes=45,
        points=6,
        task=TASK,
        reference=cliff,
        words=words_beside(__file__),
        alternatives=(cliff_by_search,),
        manual=True,
    ),
)
