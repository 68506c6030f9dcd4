"""Exercise 10.8: another schedule, a pure function of the step."""

import math

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import is_number
from seq2seq_lib.course.judging.words import words_beside


def cosine_cycle_spec(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    if step >= num_steps:
        return 1.0
    length = num_steps / num_cycles
    tau = (step % length) / length
    if tau >= ramp:
        return 1.0
    return 0.5 - 0.5 * math.cos(math.pi * tau / ramp)


def cosine_cycle(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    if step >= num_steps:
        return 1.0
    tau = step * num_cycles % num_steps / num_steps
    return 0.5 * (1 - math.cos(math.pi * min(tau / ramp, 1.0)))


def cosine_cycle_by_sine(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    done = step >= num_steps
    share = 1.0 if done else (step * num_cycles % num_steps) / (num_steps * ramp)
    return math.sin(math.pi / 2 * min(1.0, share)) ** 2


# ---------------------------------------------------------------- wrong answers


def place(step: int, num_steps: int, num_cycles: int) -> float:
    return step * num_cycles % num_steps / num_steps


def rise(share: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * share)


def full_cosine(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return 1.0 if step >= num_steps else 0.5 - 0.5 * math.cos(
        2 * math.pi * min(place(step, num_steps, num_cycles) / ramp, 1.0)
    )  # fmt: skip


def no_ramp(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return 1.0 if step >= num_steps else rise(place(step, num_steps, num_cycles))


def cycles_on(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return rise(min(place(step, num_steps, num_cycles) / ramp, 1.0))


def straight(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return 1.0 if step >= num_steps else min(place(step, num_steps, num_cycles) / ramp, 1.0)


def from_one(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return cosine_cycle(step + 1, num_steps, num_cycles, ramp)


def one_cycle(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return cosine_cycle(step, num_steps, 1, ramp)


def whole_steps(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    length = num_steps // num_cycles
    return 1.0 if step >= num_steps else rise(min(step % length / length / ramp, 1.0))


def not_clipped(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return 1.0 if step >= num_steps else rise(place(step, num_steps, num_cycles) / ramp)


def falls(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return 1.0 - cosine_cycle(step, num_steps, num_cycles, ramp)


def ends_late(step: int, num_steps: int, num_cycles: int, ramp: float) -> float:
    return cosine_cycle(step, num_steps, num_cycles, ramp) if step != num_steps else 0.0


MUTANTS = (
    Mutant("not_a_number", lambda *args: torch.tensor(cosine_cycle(*args))),
    Mutant("full_cosine", full_cosine),
    Mutant("not_clipped", not_clipped),
    Mutant("no_ramp", no_ramp),
    Mutant("cycles_on", cycles_on),
    Mutant("cycles_on", ends_late),
    Mutant("straight", straight),
    Mutant("from_one", from_one),
    Mutant("one_cycle", one_cycle),
    Mutant("whole_steps", whole_steps),
    Mutant("falls", falls),
)


def probes(generator: torch.Generator) -> list[Probe]:
    # step 2 is asked for twice: a function that counts its calls is found out
    cases = [(step, 12, 2, 0.5) for step in (1, 2, 0, 4, 5, 6, 7, 2, 11, 12, 13)]
    cases += [(step, 10, 3, 0.25) for step in (0, 1, 3, 4, 9)]
    cases += [(step, 7, 1, 1.0) for step in (0, 3, 6, 7)]
    cases += [(10**9, 400, 4, 0.5)]
    for _ in range(6):
        step, cycles = (int(torch.randint(1, n, (), generator=generator)) for n in (90, 6))
        cases.append((step, 80, cycles, 0.3))
    names = ("step", "num_steps", "num_cycles", "ramp")
    return [
        Probe(
            dict(zip(names, case, strict=True)),
            ", ".join(f"{name} = {value}" for name, value in zip(names, case, strict=True)),
        )
        for case in cases
    ]


TASK = FunctionTask(spec=cosine_cycle_spec, probes=probes, steps=(is_number,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "10.8",
        "cosine_cycle",
        kind="X",
        difficulty=3,
        importance=3,
        minutes=12,
        points=4,
        task=TASK,
        reference=cosine_cycle,
        words=words_beside(__file__),
        alternatives=(cosine_cycle_by_sine,),
    ),
)
