"""7.8 ``choose``: one ranking of all continuations, on tensors; asked in the chapter."""

import math
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch07_search.steps import are_in_order, are_rows_of_numbers, are_tensors
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, same_value
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

Three = tuple[Tensor, Tensor, Tensor]

GAP = 1e-3  # nats between two totals that are ranked: no check turns on rounding

# ---------------------------------------------------------------- right answers


def choose_spec(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    width, V = log_probs.shape
    candidates = [
        ((totals[row] + log_probs[row, token]).item(), row, token)
        for row in range(width)
        for token in range(V)
        if log_probs[row, token] > -math.inf
    ]
    best = sorted(candidates, key=lambda candidate: -candidate[0])[: 2 * k]
    total, parent, token = zip(*best, strict=True) if best else ((), (), ())
    return (
        torch.tensor(parent, dtype=torch.int64),
        torch.tensor(token, dtype=torch.int64),
        torch.tensor(total, dtype=log_probs.dtype),
    )


def choose(totals: Tensor, log_probs: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    V = log_probs.size(1)
    every = (totals[:, None] + log_probs).flatten()  # [k, 1] + [k, V] -> [k * V]
    possible = int((every > -math.inf).sum())
    total, place = every.topk(min(2 * k, possible))  # [n], best first
    return place // V, place % V, total


def choose_by_sorting(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = totals.unsqueeze(1) + log_probs  # [k, V]
    parent, token = torch.nonzero(every > -math.inf, as_tuple=True)
    total = every[parent, token]
    order = total.argsort(descending=True)[: 2 * k]
    return parent[order], token[order], total[order]


# ---------------------------------------------------------------- probes


def choose_probes(generator: torch.Generator) -> list[Probe]:
    """``(totals, log_probs, k)``; PAD and BOS are impossible, and now and then a word."""
    fixed = torch.Generator().manual_seed(2)
    cases = [  # open rows, V, k, generator
        (2, 6, 2, fixed),
        (1, 5, 3, fixed),  # the first step: fewer continuations than 2 * k
        (1, 3, 2, fixed),  # a single one: nothing but EOS can follow
        (1, 7, 1, generator),  # one beam
        (3, 8, 3, generator),
        (5, 5, 5, generator),  # square
        (2, 9, 4, generator),
    ]
    return [_choose_probe(*case) for case in cases]


def _choose_probe(rows: int, V: int, k: int, generator: torch.Generator) -> Probe:
    while True:
        totals = -torch.rand(rows, generator=generator) * 2
        scores = torch.randn(rows, V, generator=generator)
        scores[:, [PAD_ID, BOS_ID]] = -math.inf
        if V > 7:
            scores[0, 3] = -math.inf
        log_probs = scores.log_softmax(-1)  # [rows, V]
        every = (totals[:, None] + log_probs).flatten().sort().values
        every = every[every > -math.inf]
        if not (every.diff() <= GAP).any():
            break
    fed = f"totals = {_numbers(totals)}, k = {k}, log_probs [{rows}, {V}]"
    if rows * V <= describe.MANY:
        fed += ", without PAD and BOS: " + describe.rows(log_probs[:, EOS_ID:])
    return Probe({"totals": totals, "log_probs": log_probs, "k": k}, fed)


def _numbers(values: Tensor) -> str:
    return "[" + ", ".join(describe.number(x) for x in values.tolist()) + "]"


# ---------------------------------------------------------------- wrong answers


def top(every: Tensor, count: int, divisor: int) -> Three:
    """The ``count`` best possible entries of ``[k, V]``."""
    flat = every.flatten()
    total, place = flat.topk(min(count, int((flat > -math.inf).sum())))
    return place // divisor, place % divisor, total


def best_of_each_beam(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = totals[:, None] + log_probs  # [k, V]
    total, token = every.topk(min(k, every.size(1)), dim=1)  # [k, n]
    parent = torch.arange(len(every))[:, None].expand_as(token)
    return parent.flatten(), token.flatten(), total.flatten()


def best_of_each_beam_sorted(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    parent, token, total = best_of_each_beam(totals, log_probs, k)
    order = total.argsort(descending=True)
    return parent[order], token[order], total[order]


def without_totals(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    return top(log_probs, 2 * k, log_probs.size(1))


def token_number(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    parent, token, _ = choose(totals, log_probs, k)
    return parent, token, log_probs[parent, token]


def swapped(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    parent, token, total = choose(totals, log_probs, k)
    return token, parent, total


def total_first(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    parent, token, total = choose(totals, log_probs, k)
    return total, parent, token


def divided_by_beams(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    return top(totals[:, None] + log_probs, 2 * k, len(totals))


def true_division(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    _, token, total = choose(totals, log_probs, k)
    place = (totals[:, None] + log_probs).flatten().topk(len(token)).indices
    return place / log_probs.size(1), token, total


def only_as_many(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    return top(totals[:, None] + log_probs, k, log_probs.size(1))


def all_of_them(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    return top(totals[:, None] + log_probs, 10**6, log_probs.size(1))


def with_impossible(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    flat = (totals[:, None] + log_probs).flatten()
    total, place = flat.topk(min(2 * k, len(flat)))
    return place // log_probs.size(1), place % log_probs.size(1), total


def multiplied(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = (totals[:, None] * log_probs).masked_fill(log_probs == -math.inf, -math.inf)
    return top(every, 2 * k, log_probs.size(1))


def smallest(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = totals[:, None] + log_probs
    every = every.masked_fill(every == -math.inf, math.inf)
    parent, token, total = top(-every, 2 * k, every.size(1))
    return parent, token, -total


def ascending(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    return tuple(part.flip(0) for part in choose(totals, log_probs, k))


def first_row(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    return choose(totals[:1], log_probs[:1], k)


def flat_places(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    parent, token, total = choose(totals, log_probs, k)
    return parent, parent * log_probs.size(1) + token, total


def places_of_the_possible(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = (totals[:, None] + log_probs).flatten()
    every = every[every > -math.inf]
    total, place = every.topk(min(2 * k, len(every)))
    return place // log_probs.size(1), place % log_probs.size(1), total


def mixed(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = totals[:, None] + log_probs.exp()
    return top(every.masked_fill(log_probs == -math.inf, -math.inf), 2 * k, log_probs.size(1))


def mixed_and_possible_or_not(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    every = (totals[:, None] + log_probs.exp()).flatten()
    total, place = every.topk(min(2 * k, int((log_probs > -math.inf).sum())))
    return place // log_probs.size(1), place % log_probs.size(1), total


def adds_in_place(totals: Tensor, log_probs: Tensor, k: int) -> Three:
    log_probs += totals[:, None]
    return top(log_probs, 2 * k, log_probs.size(1))


def total_only(totals: Tensor, log_probs: Tensor, k: int) -> Tensor:
    return choose(totals, log_probs, k)[2]


def no_return(*args: Any) -> None:
    choose(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("not_three", total_only),
    Mutant("per_beam", best_of_each_beam),
    Mutant("per_beam", best_of_each_beam_sorted),
    Mutant("without_totals", without_totals),
    Mutant("token_number", token_number),
    Mutant("swapped", swapped),
    Mutant("another_order", total_first),
    Mutant("divided_by_beams", divided_by_beams),
    Mutant("not_whole", true_division),
    Mutant("only_as_many", only_as_many),
    Mutant("all_of_them", all_of_them),
    Mutant("impossible", with_impossible),
    Mutant("multiplied", multiplied),
    Mutant("worst_first", smallest),
    Mutant("worst_first", ascending),
    Mutant("first_row", first_row),
    Mutant("flat_places", flat_places),
    Mutant("places_of_the_possible", places_of_the_possible),
    Mutant("mixed", mixed),
    Mutant("mixed", mixed_and_possible_or_not),
    Mutant("argument_changed", adds_in_place),
)

# ---------------------------------------------------------------- the exercise


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Which of the three is wrong, and where."""
    if bool((value[2] == -math.inf).any()):
        return "impossible", {}
    counts = {"yours": str(len(value[2])), "right": str(len(expected[2]))}
    if len({len(part) for part in value}) > 1 or counts["yours"] != counts["right"]:
        return "how_many", counts
    if same_value(value[2].sort().values, expected[2].sort().values):
        if not same_value(value[2], expected[2]):
            return "not_sorted", {}
    beams, V = probe.args["log_probs"].shape
    flat = expected[0] * V + expected[1]
    for divisor in {probe.args["k"], beams} - {V}:
        if same_value(value[0], flat // divisor) and same_value(value[1], flat % divisor):
            return "divided_by_beams", {}
    for place in range(len(expected[2])):
        for name, yours, due in zip(("rows", "tokens", "totals"), value, expected, strict=True):
            if not same_value(yours[place], due[place]):
                numbers = {
                    "yours": describe.number(yours[place]),
                    "right": describe.number(due[place]),
                }
                return "one_of_three", {"name": name, "place": str(place), **numbers}
    return None


EXERCISES = (
    Exercise(
        "7.8",
        "choose",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=10,
        points=0,
        task=FunctionTask(
            spec=choose_spec,
            probes=choose_probes,
            steps=(are_tensors(3, "not_three"), are_in_order, are_rows_of_numbers),
            mutants=MUTANTS,
            explain=explain,
        ),
        reference=choose,
        alternatives=(choose_spec, choose_by_sorting),
        words=words_beside(__file__),
    ),
)
