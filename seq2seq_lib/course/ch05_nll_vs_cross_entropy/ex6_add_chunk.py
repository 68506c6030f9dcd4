"""Exercise 5.6: the log-sum-exp of a vocabulary that comes in chunks."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Pair = tuple[Tensor, Tensor]


def add_chunk_spec(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new_largest, new_total = [], []
    for before, votes, row in zip(largest.tolist(), total.tolist(), chunk.tolist(), strict=True):
        top = max([before, *row])
        scale = torch.tensor([before - top, *(z - top for z in row)], dtype=torch.float64).exp()
        new_largest.append(top)
        new_total.append(votes * scale[0] + scale[1:].sum())
    return torch.tensor(new_largest).to(largest), torch.tensor(new_total).to(total)


def add_chunk(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new = torch.maximum(largest, chunk.amax(-1))  # [N]
    rescaled = total * (largest - new).exp()  # the old sum, in units of the new largest
    return new, rescaled + (chunk - new[:, None]).exp().sum(-1)


def add_chunk_by_logsumexp(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new = torch.cat([largest[:, None], chunk], 1).max(1).values
    both = torch.stack([largest + total.log(), chunk.logsumexp(1)])  # [2, N]
    return new, (torch.logsumexp(both, 0) - new).exp()


def add_chunk_number_by_number(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    for column in chunk.unbind(1):
        new = largest.maximum(column)
        total = total * torch.exp(largest - new) + torch.exp(column - new)
        largest = new
    return largest, total


# ---------------------------------------------------------------- wrong answers


def sums(largest: Tensor, chunk: Tensor) -> Pair:
    """The new largest ``[N]`` and the chunk's sum in its units."""
    new = torch.maximum(largest, chunk.amax(-1))
    return new, (chunk - new[:, None]).exp().sum(-1)


def not_rescaled(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new, more = sums(largest, chunk)
    return new, total + more


def wrong_way(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new, more = sums(largest, chunk)
    return new, total * (new - largest).exp() + more


def chunk_rescaled(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    top = chunk.amax(-1)
    new = torch.maximum(largest, top)
    more = (chunk - top[:, None]).exp().sum(-1)  # in units of the chunk's own largest
    return new, total * (largest - new).exp() + more


def old_unit(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new, _ = sums(largest, chunk)
    return new, total + (chunk - largest[:, None]).exp().sum(-1)


def no_shift(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new, _ = sums(largest, chunk)
    return new, total + chunk.exp().sum(-1)


def first_kept(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    start = torch.where(largest.isinf(), chunk.amax(-1), largest)
    return start, total + (chunk - start[:, None]).exp().sum(-1)


def forgotten(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    return sums(largest, chunk)


def last_chunk(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    top = chunk.amax(-1)
    return top, total * (largest - top).exp() + (chunk - top[:, None]).exp().sum(-1)


def one_maximum(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new = torch.maximum(largest, chunk.max())
    return new, total * (largest - new).exp() + (chunk - new[:, None]).exp().sum(-1)


def in_place(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new, more = sums(largest, chunk)
    total *= (largest - new).exp()
    total += more
    return new, total


def logarithm(largest: Tensor, total: Tensor, chunk: Tensor) -> Pair:
    new, votes = add_chunk(largest, total, chunk)
    return new, new + votes.log()


MUTANTS = (
    Mutant("not_rescaled", not_rescaled),
    Mutant("wrong_way", wrong_way),
    Mutant("chunk_rescaled", chunk_rescaled),
    Mutant("old_unit", old_unit),
    Mutant("no_shift", no_shift),
    Mutant("first_kept", first_kept),
    Mutant("forgotten", forgotten),
    Mutant("last_chunk", last_chunk),
    Mutant("one_maximum", one_maximum),
    Mutant("logarithm", logarithm),
    Mutant("swapped", lambda *args: add_chunk(*args)[::-1]),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Chunks that rise, fall and start; large numbers; a chunk of one word, a batch of one row."""
    infinite = float("-inf")
    drawn = [
        ([2.0], [1.5], [[3.0, 3.0]]),
        ([2.0, 5.0], [1.5, 1.0], [[3.0, 1.0, 0.0], [1.0, 4.0, 2.0]]),
        ([infinite, infinite], [0.0, 0.0], [[1000.0, 999], [-1000, -1001]]),
        ([999.0, -5.0, 1000.0], [1.2, 2.0, 1.0], [[1001.0], [300], [-1000]]),
        ([1.0], [1.0], [[infinite, 2.0]]),  # a forbidden word
        ([0.0, 1.0], [1.0, 3.0], [[0.0, -1.0], [1.0, 1.0]]),
    ]
    N, C = (int(torch.randint(low, low + 2, (), generator=generator)) for low in (3, 6))
    random = (
        torch.randn(N, generator=generator),
        1 + torch.rand(N, generator=generator),
        torch.randn(N, C, generator=generator) * 2,
    )
    tensors = [tuple(map(torch.tensor, numbers)) for numbers in drawn] + [random]
    return [
        Probe(
            {"largest": m, "total": s, "chunk": z},
            f"{shown(m, 'largest')}, {shown(s, 'total')}, {shown(z, 'chunk')}",
            gradient=False,
        )
        for m, s, z in tensors
    ]


def is_pair(value: Any, expected: Any) -> Problem | None:
    """A step: two tensors [N]."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, tuple | list) or len(value) != 2:
        return "not_a_pair", {}
    for tensor, due in zip(value, expected, strict=True):
        if not isinstance(tensor, Tensor):
            return "not_a_pair", {}
        if tensor.shape != due.shape:
            return "shape", {"shape": str(list(tensor.shape)), "expected": str(list(due.shape))}
    return None


TASK = FunctionTask(spec=add_chunk_spec, probes=probes, steps=(is_pair,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "5.6",
        "add_chunk",
        kind="I",
        difficulty=4,
        importance=4,
        minutes=12,
        points=4,
        task=TASK,
        reference=add_chunk,
        words=words_beside(__file__),
        alternatives=(add_chunk_by_logsumexp, add_chunk_number_by_number),
    ),
)
