"""Exercise 1.2, in the chapter: the share of all cells that is PAD."""

from collections.abc import Sequence

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, is_number
from seq2seq_lib.course.judging.words import words_beside

Batches = Sequence[Sequence[int]]


def waste_spec(lengths: list[int], batches: list[list[int]]) -> float:
    pads = cells = 0
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        for i in batch:
            for position in range(longest):
                cells += 1
                pads += position >= lengths[i]
    return pads / cells


def waste(lengths: list[int], batches: list[list[int]]) -> float:
    held = [[lengths[i] for i in batch] for batch in batches]
    cells = sum(len(rows) * max(rows) for rows in held)
    return 1 - sum(map(sum, held)) / cells


def waste_of_tensors(lengths: list[int], batches: list[list[int]]) -> float:
    groups = [torch.tensor(lengths)[batch] for batch in batches]
    pads = sum((rows.max() - rows).sum() for rows in groups)
    return float(pads / sum(rows.max() * len(rows) for rows in groups))


# ---------------------------------------------------------------- wrong answers


def share_of(rows: list[int]) -> float:
    return 1 - sum(rows) / (len(rows) * max(rows))


def rows_of(lengths: list[int], batches: list[list[int]]) -> list[list[int]]:
    return [[lengths[i] for i in batch] for batch in batches]


def mean_of_shares(lengths: list[int], batches: list[list[int]]) -> float:
    held = rows_of(lengths, batches)
    return sum(map(share_of, held)) / len(held)


def longest_of_all(lengths: list[int], batches: list[list[int]]) -> float:
    rows = sum(map(len, batches))
    return 1 - sum(map(sum, rows_of(lengths, batches))) / (rows * max(lengths))


def pads_over_tokens(lengths: list[int], batches: list[list[int]]) -> float:
    wasted = waste(lengths, batches)
    return wasted / (1 - wasted)


def number_of_pads(lengths: list[int], batches: list[list[int]]) -> int:
    return sum(len(rows) * max(rows) - sum(rows) for rows in rows_of(lengths, batches))


def without_the_last(lengths: list[int], batches: list[list[int]]) -> float:
    return waste(lengths, batches[:-1]) if len(batches) > 1 else 0.0


def places_for_lengths(lengths: list[int], batches: list[list[int]]) -> float:
    cells = sum(len(batch) * max(batch) for batch in batches)
    return 1 - sum(map(sum, batches)) / cells if cells else 0.0


def places_for_width(lengths: list[int], batches: list[list[int]]) -> float:
    pads = cells = 0
    for batch in batches:
        longest = max(batch)
        pads += sum(longest - lengths[i] for i in batch)
        cells += longest * len(batch)
    return pads / cells


def first_batch_alone(lengths: list[int], batches: list[list[int]]) -> float:
    """A return inside the loop."""
    return waste(lengths, batches[:1])


def bos_counted(lengths: list[int], batches: list[list[int]]) -> float:
    return waste([length + 1 for length in lengths], batches)


def end_added_to_the_width(lengths: list[int], batches: list[list[int]]) -> float:
    held = rows_of(lengths, batches)
    return 1 - sum(map(sum, held)) / sum(len(rows) * (max(rows) + 1) for rows in held)


MUTANTS = (
    Mutant("mean_of_shares", mean_of_shares),
    Mutant("longest_of_all", longest_of_all),
    Mutant("complement", lambda lengths, batches: 1 - waste(lengths, batches)),
    Mutant("over_tokens", pads_over_tokens),
    Mutant("pads_counted", number_of_pads),
    Mutant("last_batch_lost", without_the_last),
    Mutant("places", places_for_lengths),
    Mutant("places", places_for_width),
    Mutant("first_batch_alone", first_batch_alone),
    Mutant("lengths_grown", bos_counted),
    Mutant("lengths_grown", end_added_to_the_width),
    Mutant("percent", lambda lengths, batches: 100 * waste(lengths, batches)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    lengths = torch.randint(1, 20, (11,), generator=generator).tolist()
    order = torch.randperm(11, generator=generator).tolist()
    fed = [
        ([3, 1, 5], [[0, 1], [2]]),
        ([4, 2, 7, 3, 3], [[2, 0], [4, 1, 3]]),
        (lengths, [order[:4], order[4:9], order[9:]]),
        ([6, 2, 9], [[0, 1, 2]]),
        ([5, 5], [[1, 0]]),
        ([1], [[0]]),
    ]
    return [
        Probe({"lengths": list(n), "batches": [list(b) for b in some]}, f"lengths = {n}, {some}")
        for n, some in fed
    ]


def was_rounded(probe: Probe, value: float, expected: float) -> Problem | None:
    """Right to two digits."""
    return ("rounded", {}) if abs(value - expected) <= 0.005 else None


TASK = FunctionTask(
    spec=waste_spec, probes=probes, steps=(is_number,), mutants=MUTANTS, explain=was_rounded
)
EXERCISES = (
    Exercise(
        "1.2",
        "waste",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=6,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=waste,
        words=words_beside(__file__),
        alternatives=(waste_of_tensors,),
    ),
)
