"""7.2 ``choose_batched``: the best continuations of every sentence of a batch, on tensors."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.steps import are_in_order, are_tables, are_tensors
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, same_value
from seq2seq_lib.course.judging.words import words_beside

Three = tuple[Tensor, Tensor, Tensor]

# ---------------------------------------------------------------- right answers


def choose_batched_spec(totals: Tensor, log_probs: Tensor) -> Three:
    (B, k), V = totals.shape, log_probs.size(1)
    found = []
    for b in range(B):
        candidates = [
            ((totals[b, i] + log_probs[b * k + i, token]).item(), b * k + i, token)
            for i in range(k)
            for token in range(V)
        ]
        candidates.sort(key=lambda candidate: -candidate[0])  # of equals the earlier one first
        found.append(candidates[:k])
    best, rows, tokens = (
        [[one[part] for one in some] for some in found] for part in range(3)
    )  # [B, k] each
    return torch.tensor(rows), torch.tensor(tokens), torch.tensor(best, dtype=totals.dtype)


def choose_batched(totals: Tensor, log_probs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    (B, k), V = totals.shape, log_probs.size(1)
    every = (totals.view(B * k, 1) + log_probs).view(B, k * V)  # a sentence's beams side by side
    best, place = every.sort(dim=1, descending=True, stable=True)
    best, place = best[:, :k], place[:, :k]  # [B, k]
    first = torch.arange(B)[:, None] * k  # [B, 1], the first row of each sentence
    return first + place // V, place % V, best


def choose_batched_by_numpy_order(totals: Tensor, log_probs: Tensor) -> Three:
    """A sentence at a time, on flat places."""
    (B, k), V = totals.shape, log_probs.size(1)
    parts = []
    for b in range(B):
        flat = (totals[b, :, None] + log_probs[b * k : (b + 1) * k]).flatten()
        order = torch.argsort(flat, descending=True, stable=True)[:k]
        parts.append((b * k + torch.div(order, V, rounding_mode="floor"), order % V, flat[order]))
    return tuple(map(torch.stack, zip(*parts, strict=True)))


# ---------------------------------------------------------------- probes


def probes(generator: torch.Generator) -> list[Probe]:
    """``(totals, log_probs)``: B, k and V differ; one sentence, one beam; ties; dead beams."""
    fixed = torch.Generator().manual_seed(1)
    cases = [
        _drawn(3, 2, 5, fixed),
        _drawn(1, 3, 4, fixed),
        _drawn(4, 1, 6, fixed),  # one beam
        _drawn(1, 1, 5, fixed),
        _dead(2, 3, 4, fixed),
        _tied(2, 2, 5),
        _drawn(2, 3, 3, generator),  # k = V, where // k and // V agree
        _drawn(5, 4, 7, generator),
        _dead(3, 2, 6, generator),
    ]
    return [
        Probe(
            {"totals": totals, "log_probs": log_probs},
            f"totals = {describe.value(totals)}, log_probs = {describe.value(log_probs)}",
        )
        for totals, log_probs in cases
    ]


def _drawn(B: int, k: int, V: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    totals = -3 * torch.rand(B, k, generator=generator)
    return totals, torch.randn(B * k, V, generator=generator).log_softmax(-1)


def _dead(B: int, k: int, V: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The first sentence has one open beam, and impossible tokens everywhere."""
    totals, log_probs = _drawn(B, k, V, generator)
    totals[0, 1:] = -math.inf
    log_probs[:, 0] = -math.inf
    return totals, log_probs


def _tied(B: int, k: int, V: int) -> tuple[Tensor, Tensor]:
    """All continuations are equally probable."""
    return torch.full((B, k), -1.0), torch.full((B * k, V), -2.0)


# ---------------------------------------------------------------- wrong answers


def choosing(
    *,
    every: Callable[[Tensor, Tensor], Tensor] = lambda totals, log_probs: (
        totals.view(-1, 1) + log_probs
    ),
    first: Callable[[int, int], Tensor] = lambda B, k: torch.arange(B)[:, None] * k,
    divisor: Callable[[int, int], int] = lambda k, V: V,
    descending: bool = True,
) -> Callable:
    """``choose_batched``; each argument is a decision that can be wrong."""

    def choose_batched(totals: Tensor, log_probs: Tensor) -> Three:
        (B, k), V = totals.shape, log_probs.size(1)
        flat = every(totals, log_probs).reshape(B, k * V)
        best, place = flat.sort(dim=1, descending=descending, stable=True)
        best, place, by = best[:, :k], place[:, :k], divisor(k, V)
        return first(B, k) + place // by, place % by, best

    return choose_batched


def beams_first(totals: Tensor, log_probs: Tensor) -> Tensor:
    """Reads ``[B * k, V]`` as if all first beams stood before all second ones."""
    (B, k), V = totals.shape, log_probs.size(1)
    return totals[:, :, None] + log_probs.view(k, B, V).transpose(0, 1)


def over_the_batch(totals: Tensor, log_probs: Tensor) -> Three:
    (B, k), V = totals.shape, log_probs.size(1)
    flat = (totals.view(-1, 1) + log_probs).flatten()
    best, place = flat.sort(descending=True, stable=True)
    best, place = best[: B * k].view(B, k), place[: B * k].view(B, k)
    return place // V, place % V, best


def each_beam_alone(totals: Tensor, log_probs: Tensor) -> Three:
    B, k = totals.shape
    best, tokens = log_probs.sort(dim=1, descending=True, stable=True)
    return (
        torch.arange(B * k).view(B, k),
        tokens[:, 0].reshape(B, k).clone(),
        totals + best[:, 0].view(B, k),
    )


def in_place(totals: Tensor, log_probs: Tensor) -> Three:
    rows, tokens, best = choose_batched(totals, log_probs)
    totals.copy_(best)
    return rows, tokens, totals


def token_number(totals: Tensor, log_probs: Tensor) -> Three:
    rows, tokens, _ = choose_batched(totals, log_probs)
    return rows, tokens, log_probs[rows, tokens]


def swapped(totals: Tensor, log_probs: Tensor) -> Three:
    rows, tokens, best = choose_batched(totals, log_probs)
    return tokens, rows, best


def no_return(*args: Any) -> None:
    choose_batched(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("not_three", lambda *args: choose_batched(*args)[2]),
    Mutant("local_rows", choosing(first=lambda B, k: torch.zeros(B, 1, dtype=torch.int64))),
    Mutant("offset_by_batch", choosing(first=lambda B, k: torch.arange(B)[:, None] * B)),
    Mutant("offset_by_one", choosing(first=lambda B, k: torch.arange(B)[:, None])),
    Mutant("exchanged_beams", choosing(every=beams_first)),
    Mutant("over_the_batch", over_the_batch),
    Mutant("each_beam_alone", each_beam_alone),
    Mutant("divided_by_beams", choosing(divisor=lambda k, V: k)),
    Mutant("without_totals", choosing(every=lambda totals, log_probs: log_probs)),
    Mutant("token_number", token_number),
    Mutant("argument_changed", in_place),
    Mutant("swapped", swapped),
    Mutant("worst_first", choosing(descending=False)),
)

# ---------------------------------------------------------------- the exercise


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Ties; another sentence's row; the first of the three that is wrong."""
    B, k = probe.args["totals"].shape
    if same_value(value[2], expected[2]) and bool((probe.args["log_probs"] == -2).all()):
        return "ties", {}
    of = value[0] // k  # the sentence of each row
    if bool((of != torch.arange(B)[:, None]).any()):
        return "others_row", {}
    for name, yours, due in zip(("rows", "tokens", "totals"), value, expected, strict=True):
        for b in range(B):
            if not same_value(yours[b], due[b]):
                facts = {"yours": describe.value(yours[b]), "right": describe.value(due[b])}
                return "one_of_three", {"name": name, "sentence": str(b), **facts}
    return None


EXERCISES = (
    Exercise(
        "7.2",
        "choose_batched",
        kind="I",
        difficulty=4,
        importance=5,
        minutes=25,
        points=4,
        task=FunctionTask(
            spec=choose_batched_spec,
            probes=probes,
            steps=(are_tensors(3, "not_three"), are_in_order, are_tables),
            mutants=MUTANTS,
            explain=explain,
        ),
        reference=choose_batched,
        alternatives=(choose_batched_spec, choose_batched_by_numpy_order),
        words=words_beside(__file__),
    ),
)
