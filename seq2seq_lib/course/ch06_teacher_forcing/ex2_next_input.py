"""Exercise 6.2: what a step reads in scheduled sampling, gold or its own token."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.ex1_greedy_steps import are_ids
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def next_input_spec(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    read = torch.zeros(len(gold), dtype=torch.int64)
    for b in range(len(gold)):
        read[b] = gold[b] if coin[b] else own[b]
    return read


def next_input(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    return torch.where(coin, gold, own)  # [B]


def next_input_by_filling(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    read = own.clone()
    read[coin] = gold[coin]
    return read


# ---------------------------------------------------------------- wrong answers


def one_coin(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    return gold.clone() if coin[0] else own.clone()


def all_or_nothing(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    return gold.clone() if coin.all() else own.clone()


def in_place(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    own[coin] = gold[coin]
    return own


def selected(gold: Tensor, own: Tensor, coin: Tensor) -> Tensor:
    return torch.cat([gold[coin], own[~coin]])


def no_return(*args: Any) -> None:
    next_input(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("inverted", lambda gold, own, coin: torch.where(coin, own, gold)),
    Mutant("one_coin", one_coin),
    Mutant("all_or_nothing", all_or_nothing),
    Mutant("any_coin", lambda gold, own, coin: gold.clone() if coin.any() else own.clone()),
    Mutant("gold_only", lambda gold, own, coin: gold.clone()),
    Mutant("mixed", lambda gold, own, coin: (gold + own) // 2),
    Mutant("other_is_pad", lambda gold, own, coin: gold * coin),
    Mutant("argument_changed", in_place),
    Mutant("selected", selected),
    Mutant("table", lambda gold, own, coin: torch.where(coin[:, None], gold, own)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Gold and own ids differ in every row; coins of both kinds, and rows that are all of one."""
    fixed = [
        ([5, 6, 7, 8], [9, 4, 3, 5], [True, False, False, True]),
        ([7, 3, 2], [4, 2, 6], [False, True, True]),
        ([5], [8], [False]),
        ([5], [8], [True]),
        ([4, 5], [6, 9], [True, True]),
    ]
    cases = [tuple(map(torch.tensor, case)) for case in fixed]
    for B in (6, 9):
        gold = torch.randint(3, 40, (B,), generator=generator)
        own = gold + torch.randint(1, 20, (B,), generator=generator)
        coin = torch.rand(B, generator=generator) < 0.5
        coin[0], coin[-1] = B == 6, B != 6
        cases.append((gold, own, coin))
    names = ("gold", "own", "coin")
    return [
        Probe(
            dict(zip(names, case, strict=True)),
            "; ".join(f"{n} = {describe.value(v)}" for n, v in zip(names, case, strict=True)),
        )
        for case in cases
    ]


def other_coins(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """For ``explain``: each token is the row's gold or own one, but not as its coin says."""
    gold, own = probe.args["gold"], probe.args["own"]
    return ("other_coins", {}) if ((value == gold) | (value == own)).all() else None


TASK = FunctionTask(
    spec=next_input_spec,
    probes=probes,
    steps=(is_tensor, has_shape, are_ids),
    mutants=MUTANTS,
    explain=other_coins,
)
EXERCISES = (
    Exercise(
        "6.2",
        "next_input",
        kind="I",
        difficulty=1,
        importance=4,
        minutes=4,
        points=0,
        task=TASK,
        reference=next_input,
        words=words_beside(__file__),
        alternatives=(next_input_by_filling,),
    ),
)
