"""Exercise 8.9: what each vector of the memory does, found by exchanging it."""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside

Write = Callable[[Tensor], str]
Effects = list[list[int]]


def column_effects_spec(write: Write, own: Tensor, donor: Tensor) -> Effects:
    before, effects = write(own.clone()), []
    for s in range(own.size(0)):
        memory = torch.stack([donor[i] if i == s else own[i] for i in range(own.size(0))])
        after = write(memory)
        changed = []
        for i in range(len(before)):
            if before[i] != after[i]:
                changed.append(i)
        effects.append(changed)
    return effects


def column_effects(write: Write, own: Tensor, donor: Tensor) -> Effects:
    before, effects = write(own.clone()), []
    for s in range(own.size(0)):
        memory = own.clone()  # the caller's stays as it is, and each column is changed alone
        memory[s] = donor[s]
        pairs = zip(before, write(memory), strict=True)
        effects.append([i for i, (old, new) in enumerate(pairs) if old != new])
    return effects


def column_effects_by_where(write: Write, own: Tensor, donor: Tensor) -> Effects:
    before = write(own.clone())
    only = torch.eye(len(own), dtype=torch.bool)  # row s: True at column s
    answers = [write(torch.where(row[:, None], donor, own)) for row in only]
    return [[i for i in range(len(before)) if before[i] != a[i]] for a in answers]


# ---------------------------------------------------------------- wrong answers


def difference(one: str, two: str) -> list[int]:
    return [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]


def cumulative(write: Write, own: Tensor, donor: Tensor) -> Effects:
    before, memory, effects = write(own.clone()), own.clone(), []
    for s in range(len(own)):
        memory[s] = donor[s]
        effects.append(difference(before, write(memory)))
    return effects


def in_place(write: Write, own: Tensor, donor: Tensor) -> Effects:
    before, effects = write(own), []
    for s in range(len(own)):
        kept = own[s].clone()
        own[s] = donor[s]
        effects.append(difference(before, write(own)))
        own[s] = kept + 1  # put back wrongly
    return effects


def against_donor(write: Write, own: Tensor, donor: Tensor) -> Effects:
    other = write(donor.clone())
    return [
        difference(other, write(torch.where(row[:, None], donor, own)))
        for row in torch.eye(len(own), dtype=torch.bool)
    ]


def turned(write: Write, own: Tensor, donor: Tensor) -> Effects:
    return column_effects(write, donor, own)


def set_to_zero(write: Write, own: Tensor, donor: Tensor) -> Effects:
    return column_effects(write, own, torch.zeros_like(own))


def all_but(write: Write, own: Tensor, donor: Tensor) -> Effects:
    before, effects = write(own.clone()), []
    for s in range(len(own)):
        memory = donor.clone()
        memory[s] = own[s]
        effects.append(difference(before, write(memory)))
    return effects


def first_only(write: Write, own: Tensor, donor: Tensor) -> Effects:
    return [changed[:1] for changed in column_effects(write, own, donor)]


MUTANTS = (
    Mutant("cumulative", cumulative),
    Mutant("in_place", in_place),
    Mutant("against_donor", against_donor),
    Mutant("turned", turned),
    Mutant("zeros", set_to_zero),
    Mutant("all_but", all_but),
    Mutant("first_only", first_only),
)


LARGE = 17.0  # numbers of our own vectors sum to less, those of the donor's to more
Reads = tuple[tuple[int, ...], int | None]  # columns that are read, and one that can forbid it


def writer(reads: tuple[Reads, ...]) -> Write:
    """Writes a letter for the sum of the columns read, or "-" where another column is large."""

    def write(memory: Tensor) -> str:
        sums = memory.sum(1)  # [S, 2] -> [S]
        return "".join(
            chr(97 + int(sums[list(columns)].sum().item()) % 26)
            if gate is None or sums[gate] < LARGE
            else "-"
            for columns, gate in reads
        )

    return write


def probes(generator: torch.Generator) -> list[Probe]:
    """Writers that read one column, several, or none; one source of a single token."""
    drawn = []
    for reads, S in (
        ((((0,), None), ((2,), 1), ((1, 2), None)), 4),
        ((((3,), None), ((0,), 3), ((), None), ((1,), None), ((0, 4), 2)), 5),
        ((((1,), 0), ((1,), 2), ((2, 0), None)), 3),
        ((((0,), None), ((0,), None)), 1),
    ):
        own = torch.randint(1, 9, (S, 2), generator=generator).float()
        shift = torch.stack([torch.full((S,), 20.0), torch.arange(1.0, S + 1)], 1)
        columns = [list(read) for read, _ in reads]
        words = f"S = {S}, and a decoder whose characters read columns {columns}"
        args = {"write": writer(reads), "own": own, "donor": own + shift}
        drawn.append(Probe(args, words, False))
    return drawn


def is_list_of_lists(value: object, expected: Effects) -> tuple[str, dict] | None:
    """A step: a list for each column of the memory."""
    if isinstance(value, list) and len(value) == len(expected):
        if all(isinstance(entry, list) for entry in value):
            return None
    return "not_lists", {"wanted": str(len(expected))}


TASK = FunctionTask(
    spec=column_effects_spec, probes=probes, steps=(is_list_of_lists,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "8.9",
        "column_effects",
        kind="X",
        difficulty=3,
        importance=4,
        minutes=20,
        points=6,
        task=TASK,
        reference=column_effects,
        words=words_beside(__file__),
        alternatives=(column_effects_by_where,),
    ),
)
