"""1.2: a table of what divides what, bool ``[N, limit]``."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_bool, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def divides_spec(numbers: Tensor, limit: int) -> Tensor:
    """The slow loop: row n, column d says whether d + 1 divides ``numbers[n]``."""
    table = torch.zeros(len(numbers), limit, dtype=torch.bool)
    for n, number in enumerate(numbers.tolist()):
        for d in range(limit):
            table[n, d] = number % (d + 1) == 0
    return table


def divides(numbers: Tensor, limit: int) -> Tensor:
    divisors = torch.arange(1, limit + 1)  # [limit]
    return numbers[:, None] % divisors == 0  # [N, limit]


def divides_by_floor(numbers: Tensor, limit: int) -> Tensor:
    divisors = torch.arange(1, limit + 1)
    return (
        torch.div(numbers[:, None], divisors, rounding_mode="floor") * divisors == numbers[:, None]
    )


def does_not_divide(numbers: Tensor, limit: int) -> Tensor:
    return ~divides(numbers, limit)


def as_numbers(numbers: Tensor, limit: int) -> Tensor:
    return divides(numbers, limit).float()


def edits_input(numbers: Tensor, limit: int) -> Tensor:
    table = divides(numbers, limit)
    numbers += 1
    return table


def without_return(numbers: Tensor, limit: int) -> None:
    divides(numbers, limit)


def ones(probe: Probe, value: Any) -> dict[str, str]:
    """How many cells are on."""
    return {"ones": str(int(value.sum()))} if isinstance(value, Tensor) else {}


def probes(generator: torch.Generator) -> list[Probe]:
    """Two that are fixed and small, and one that is drawn."""
    drawn = torch.randint(2, 60, (5,), generator=generator)
    cases = [(torch.tensor([6, 1, 4]), 4), (torch.tensor([9, 2, 8]), 3), (drawn, 7)]
    return [
        Probe(
            {"numbers": numbers, "limit": limit}, f"numbers = {numbers.tolist()}, limit = {limit}"
        )
        for numbers, limit in cases
    ]


TASK = FunctionTask(
    spec=divides_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=(
        Mutant("inverted", does_not_divide),
        Mutant("not_bool", as_numbers),
        Mutant("argument_changed", edits_input),
        Mutant("no_return", without_return),
    ),
    facts=ones,
)

EXERCISES = (
    Exercise(
        "1.2",
        "divides",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=12,
        points=4,
        task=TASK,
        reference=divides,
        words=words_beside(__file__),
        alternatives=(divides_by_floor,),
    ),
)
