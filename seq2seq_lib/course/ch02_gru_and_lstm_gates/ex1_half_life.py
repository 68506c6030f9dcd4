"""Exercise 2.1, in the chapter: after how many steps a constant gate has forgotten one half."""

import math
from typing import Any

import torch

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, is_number
from seq2seq_lib.course.judging.words import words_beside


def half_life_spec(f: float) -> float:
    """By bisection: the k between 0 and a million with f^k = 1/2."""
    if f in (0.0, 1.0):
        return math.inf if f else 0.0
    low, high = 0.0, 1e6
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if f**middle > 0.5 else (low, middle)
    return low


def half_life(f: float) -> float:
    if f in (0, 1):
        return math.inf if f == 1 else 0.0
    return math.log(2) / -math.log(f)


def half_life_by_base(f: float) -> float:
    if f == 0:
        return 0.0
    return math.log(0.5, f) if f < 1 else float("inf")


# ---------------------------------------------------------------- wrong answers


def at_the_ends(inside, at_0: float = 0.0, at_1: float = math.inf):
    """A wrong formula inside 0 .. 1, right at both ends."""
    return lambda f: at_0 if f == 0 else at_1 if f == 1 else inside(f)


MUTANTS = (
    Mutant("not_a_number", lambda f: torch.tensor(half_life(f))),
    Mutant("mean_age", at_the_ends(lambda f: 1 / (1 - f))),
    Mutant("mean_age", lambda f: 1 / (1 - f)),
    Mutant("one_over", at_the_ends(lambda f: 1 / f)),
    Mutant("one_over", lambda f: 1 / f),
    Mutant("e_folding", at_the_ends(lambda f: -1 / math.log(f))),
    Mutant("e_folding", lambda f: -1 / math.log(f)),
    Mutant("sign", at_the_ends(lambda f: math.log(2) / math.log(f))),
    Mutant("sign", lambda f: math.log(2) / math.log(f)),
    Mutant("upside_down", at_the_ends(lambda f: -math.log(f) / math.log(2))),
    Mutant("upside_down", lambda f: -math.log(f) / math.log(2)),
    Mutant("linear", at_the_ends(lambda f: 0.5 / (1 - f))),
    Mutant("linear", lambda f: 0.5 / (1 - f)),
    Mutant("whole", at_the_ends(lambda f: math.ceil(math.log(2) / -math.log(f) - 1e-9))),
    Mutant("whole", at_the_ends(lambda f: round(math.log(2) / -math.log(f)))),
    Mutant("whole", at_the_ends(lambda f: int(math.log(2) / -math.log(f)))),
    Mutant("forgotten", at_the_ends(lambda f: math.log(2) / -math.log(1 - f), math.inf, 0.0)),
    Mutant("ends", lambda f: math.log(2) / -math.log(f)),
    Mutant("ends", at_the_ends(lambda f: math.log(2) / -math.log(f), at_1=0.0)),
    Mutant("ends", at_the_ends(lambda f: math.log(2) / -math.log(f), at_0=math.inf)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = torch.rand(3, generator=generator, dtype=torch.float64).mul(0.9).add(0.05).tolist()
    gates = (0.9, 0.5, 0.25, 0.98, *drawn, 1.0, 0.0)
    return [Probe({"f": f}, f"f = {f:.6g}") for f in gates]


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Puts the answer back into f^k, which a learner can check."""
    f, steps = probe.args["f"], float(value)
    if f in (0.0, 1.0):
        return "ends", {}
    if not math.isfinite(steps) or steps < 0:
        return None
    facts = {"left": describe.number(f**steps), "yours": describe.number(steps), "f": f"{f:.4g}"}
    return "not_half", facts


TASK = FunctionTask(
    spec=half_life_spec, probes=probes, steps=(is_number,), mutants=MUTANTS, explain=explain
)
EXERCISES = (
    Exercise(
        "2.1",
        "half_life",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=half_life,
        words=words_beside(__file__),
        alternatives=(half_life_by_base,),
    ),
)
