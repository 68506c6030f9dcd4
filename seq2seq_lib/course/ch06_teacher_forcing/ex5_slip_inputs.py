"""Exercise 6.5: the inputs of a gold lane that has slipped once."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.ex1_greedy_steps import are_ids
from seq2seq_lib.course.ch06_teacher_forcing.probes import draw_lengths, draw_targets, sizes
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def slip_inputs_spec(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    slipped = tgt_in.clone()
    for b in range(len(tgt_in)):
        slipped[b, k] = wrong[b]
    return slipped


def slip_inputs(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    slipped = tgt_in.clone()
    slipped[:, k] = wrong  # output k is what is read at place k: place 0 reads BOS
    return slipped


def slip_inputs_by_joining(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    return torch.cat([tgt_in[:, :k], wrong.unsqueeze(1), tgt_in[:, k + 1 :]], 1)


# ---------------------------------------------------------------- wrong answers


def at(place):
    def answer(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
        slipped = tgt_in.clone()
        slipped[:, place(k)] = wrong
        return slipped

    return answer


def place_after(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    slipped = tgt_in.clone()
    slipped[:, k + 1 : k + 2] = wrong[:, None]  # behind the last place: nothing is written
    return slipped


def all_later(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    slipped = tgt_in.clone()
    slipped[:, k:] = wrong[:, None]
    return slipped


def one_token(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    slipped = tgt_in.clone()
    slipped[:, k] = wrong[0]
    return slipped


def inserted(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    return torch.cat([tgt_in[:, :k], wrong[:, None], tgt_in[:, k:-1]], 1)


def longer(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    return torch.cat([tgt_in[:, :k], wrong[:, None], tgt_in[:, k:]], 1)


def in_place(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    tgt_in[:, k] = wrong
    return tgt_in


def a_row(tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    slipped = tgt_in.clone()
    slipped[k % len(tgt_in)] = wrong[k % len(tgt_in)]
    return slipped


def no_return(*args: Any) -> None:
    slip_inputs(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("place_before", at(lambda k: k - 1)),
    Mutant("place_after", place_after),
    Mutant("from_the_end", at(lambda k: -k)),
    Mutant("all_later", all_later),
    Mutant("one_token", one_token),
    Mutant("inserted", inserted),
    Mutant("longer", longer),
    Mutant("a_row", a_row),
    Mutant("nothing_changed", lambda tgt_in, k, wrong: tgt_in.clone()),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Slips at the first place, in the middle, at the last; T is 2 at least."""
    drawn = []
    for number, (B, T) in enumerate([*sizes(generator), (1, 2), (4, 2)]):
        if T < 2:
            continue
        lengths = draw_lengths(B, T, generator)
        tgt_in = draw_targets(lengths, T, 30, generator)[0]
        k = (1, T - 1, (T + 1) // 2)[number % 3]
        wrong = torch.arange(B) + 40  # no token of tgt_in, and another one in each row
        words = f"tgt_in {list(tgt_in.shape)}"
        if tgt_in.numel() <= describe.MANY:
            words = f"tgt_in = {describe.rows(tgt_in)}"
        words += f", k = {k}, wrong = {wrong.tolist()}"
        drawn.append(Probe({"tgt_in": tgt_in, "k": k, "wrong": wrong}, words))
    return drawn


TASK = FunctionTask(
    spec=slip_inputs_spec,
    probes=probes,
    steps=(is_tensor, has_shape, are_ids),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "6.5",
        "slip_inputs",
        kind="F",
        difficulty=2,
        importance=3,
        minutes=8,
        points=2,
        task=TASK,
        reference=slip_inputs,
        words=words_beside(__file__),
        alternatives=(slip_inputs_by_joining,),
    ),
)
