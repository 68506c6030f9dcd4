"""Exercise 1.7: batches of a limited number of cells, not of sentences."""

import torch

from seq2seq_lib.course.ch01_text_to_batches.steps import is_list_of_batches
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, plain
from seq2seq_lib.course.judging.words import words_beside


def token_batches_spec(lengths: list[int], max_tokens: int) -> list[list[int]]:
    left = list(range(len(lengths)))
    batches = []
    while left:
        batch = []
        while left:
            shortest = left[0]
            for place in left:
                if lengths[place] < lengths[shortest]:
                    shortest = place
            rows = len(batch) + 1
            if rows * lengths[shortest] > max_tokens:  # it would be the longest of the batch
                break
            batch.append(shortest)
            left.remove(shortest)
        batches.append(batch)
    return batches


def token_batches(lengths: list[int], max_tokens: int) -> list[list[int]]:
    batches, batch = [], []
    for i in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if (len(batch) + 1) * lengths[i] > max_tokens:  # sorted, so i is the longest so far
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch]


def token_batches_by_slices(lengths: list[int], max_tokens: int) -> list[list[int]]:
    order = [place for _, place in sorted(zip(lengths, range(len(lengths)), strict=True))]
    batches, start = [], 0
    while start < len(order):
        fitting = (
            stop
            for stop in range(len(order), start, -1)
            if (stop - start) * lengths[order[stop - 1]] <= max_tokens
        )
        stop = next(fitting)
        batches.append(order[start:stop])
        start = stop
    return batches


# ---------------------------------------------------------------- wrong answers


def in_order(order: list[int], lengths: list[int], full) -> list[list[int]]:
    """Fill batches in this order; ``full(batch, i)`` says that i begins a new one."""
    batches: list[list[int]] = [[]]
    for i in order:
        if batches[-1] and full(batches[-1], i):
            batches.append([])
        batches[-1].append(i)
    return batches


def by_length(lengths: list[int], reverse: bool = False) -> list[int]:
    return sorted(range(len(lengths)), key=lengths.__getitem__, reverse=reverse)


def cells_with(lengths: list[int], batch: list[int], i: int) -> int:
    return (len(batch) + 1) * max(lengths[j] for j in [*batch, i])


def by_sum(lengths: list[int], most: int) -> list[list[int]]:
    return in_order(
        by_length(lengths),
        lengths,
        lambda batch, i: sum(lengths[j] for j in [*batch, i]) > most,
    )


def checks_after(lengths: list[int], most: int) -> list[list[int]]:
    return in_order(
        by_length(lengths),
        lengths,
        lambda batch, i: len(batch) * max(lengths[j] for j in batch) > most,
    )


def unsorted(lengths: list[int], most: int) -> list[list[int]]:
    everyone = list(range(len(lengths)))
    return in_order(everyone, lengths, lambda batch, i: cells_with(lengths, batch, i) > most)


def longest_first(lengths: list[int], most: int) -> list[list[int]]:
    order = by_length(lengths, reverse=True)
    return in_order(order, lengths, lambda batch, i: cells_with(lengths, batch, i) > most)


def strictly_below(lengths: list[int], most: int) -> list[list[int]]:
    order = by_length(lengths)
    return in_order(order, lengths, lambda batch, i: cells_with(lengths, batch, i) >= most)


def strictly_below_and_unguarded(lengths: list[int], most: int) -> list[list[int]]:
    """The reference with ``>=``: a sentence of max_tokens leaves an empty batch behind."""
    batches, batch = [], []
    for i in by_length(lengths):
        if (len(batch) + 1) * lengths[i] >= most:
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch]


def without_the_new_row(lengths: list[int], most: int) -> list[list[int]]:
    order = by_length(lengths)
    return in_order(order, lengths, lambda batch, i: len(batch) * lengths[i] > most)


def one_lost(lengths: list[int], most: int) -> list[list[int]]:
    """The sentence that no longer fits closes the batch, and is in none."""
    batches, batch = [], []
    for i in by_length(lengths):
        if cells_with(lengths, batch, i) > most:
            batches.append(batch)
            batch = []
        else:
            batch.append(i)
    return [*batches, batch]


def fixed_rows(lengths: list[int], most: int) -> list[list[int]]:
    order, rows = by_length(lengths), max(1, most // max(lengths))
    return [order[start : start + rows] for start in range(0, len(order), rows)]


def ties_turned(lengths: list[int], most: int) -> list[list[int]]:
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], -i))
    return in_order(order, lengths, lambda batch, i: cells_with(lengths, batch, i) > most)


def lengths_given(lengths: list[int], most: int) -> list[list[int]]:
    return [[lengths[i] for i in batch] for batch in token_batches(lengths, most)]


def sorts_in_place(lengths: list[int], most: int) -> list[list[int]]:
    batches = token_batches(lengths, most)
    lengths.sort()
    return batches


MUTANTS = (
    Mutant("by_sum", by_sum),
    Mutant("checks_after", checks_after),
    Mutant("unsorted", unsorted),
    Mutant("longest_first", longest_first),
    Mutant("last_lost", lambda lengths, most: token_batches(lengths, most)[:-1]),
    Mutant("sentence_lost", one_lost),
    Mutant("strictly_below", strictly_below),
    Mutant("strictly_below", strictly_below_and_unguarded),
    Mutant("row_forgotten", without_the_new_row),
    Mutant("fixed_rows", fixed_rows),
    Mutant("ties_turned", ties_turned),
    Mutant("lengths_given", lengths_given),
    Mutant("one_flat_list", lambda lengths, most: sum(token_batches(lengths, most), [])),
    Mutant("argument_changed", sorts_in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = torch.randint(1, 13, (17,), generator=generator).tolist()
    fed = [
        ([3, 9, 4, 4, 7, 2, 10, 5], 20),
        ([2, 2, 1, 2, 3], 6),
        (drawn, 12 * 3),
        (drawn, max(drawn)),
        ([6, 6, 6, 6], 12),
        ([1, 1, 5], 6),  # whether the cells are counted with the new sentence's length
        ([5], 5),
        ([1, 1, 1], 100),
    ]
    return [
        Probe(
            {"lengths": list(lengths), "max_tokens": most},
            f"lengths = {lengths}, max_tokens = {most}",
        )
        for lengths, most in fed
    ]


def what_is_odd(probe: Probe, value: list, expected: list) -> Problem | None:
    """A batch twice, one with too many cells or none, places twice or missing, ties turned."""
    lengths, most = probe.args["lengths"], probe.args["max_tokens"]
    batches = [[int(i) for i in plain(batch)] for batch in value]
    if len(batches) > len({tuple(batch) for batch in batches}):
        return "same_list", {}
    held = sum(batches, [])
    each_once = sorted(held) == list(range(len(lengths)))
    for batch in filter(None, batches if each_once else []):
        cells = len(batch) * max(lengths[i] for i in batch)
        if cells > most:
            return "too_large", {"batch": str(batch), "cells": str(cells), "most": str(most)}
    if [] in batches:
        return "empty_batch", {}
    if not each_once:
        twice = sorted({i for i in held if held.count(i) > 1})
        missing = sorted(set(range(len(lengths))) - set(held))
        return "not_each_once", {"twice": str(twice), "missing": str(missing)}
    own, due = ([[lengths[i] for i in batch] for batch in some] for some in (batches, expected))
    return ("ties_turned", {}) if own == due else None


TASK = FunctionTask(
    spec=token_batches_spec,
    probes=probes,
    steps=(is_list_of_batches,),
    mutants=MUTANTS,
    explain=what_is_odd,
)
EXERCISES = (
    Exercise(
        "1.7",
        "token_batches",
        kind="I",
        difficulty=4,
        importance=3,
        minutes=20,
        points=4,
        task=TASK,
        reference=token_batches,
        words=words_beside(__file__),
        alternatives=(token_batches_by_slices,),
    ),
)
