"""Exercise 6.6: scheduled sampling in two parallel passes."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.ex1_greedy_steps import are_ids
from seq2seq_lib.course.ch06_teacher_forcing.probes import draw_lengths, draw_targets, sizes
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import PAD_ID


def second_pass_inputs_spec(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    read = tgt_in.clone()
    B, T = tgt_in.shape
    for b in range(B):
        for t in range(1, T):
            if not coins[b, t]:
                read[b, t] = logits[b, t - 1].argmax()
    return read


def second_pass_inputs(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    said = logits.argmax(-1)  # [B, T, V] -> [B, T]; what place t says is read at place t + 1
    own = torch.cat([tgt_in[:, :1], said[:, :-1]], 1)  # [B, T], BOS in front
    return torch.where(coins, tgt_in, own)


def second_pass_by_writing(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    read = tgt_in.clone()
    later, said = read[:, 1:], logits[:, :-1].argmax(2)
    later[~coins[:, 1:]] = said[~coins[:, 1:]]  # a view: it writes into read
    return read


# ---------------------------------------------------------------- wrong answers


def same_place(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    read = torch.where(coins, tgt_in, logits.argmax(-1))
    return torch.cat([tgt_in[:, :1], read[:, 1:]], 1)


def bos_replaced(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return torch.where(coins, tgt_in, logits.argmax(-1))


def rolled(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return torch.where(coins, tgt_in, logits.argmax(-1).roll(1, 1))


def inverted(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return second_pass_inputs(tgt_in, logits, ~coins)


def coin_a_row(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return second_pass_inputs(tgt_in, logits, coins[:, :1].expand_as(coins))


def coin_a_step(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return second_pass_inputs(tgt_in, logits, coins[:1].expand_as(coins))


def coin_of_before(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    shifted = torch.cat([coins[:, :1], coins[:, :-1]], 1)
    return second_pass_inputs(tgt_in, logits, shifted)


def gold_moved(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    read = torch.where(coins, tgt_in, logits.argmax(-1))
    return torch.cat([tgt_in[:, :1], read[:, :-1]], 1)


def gold_alone_moved(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    own = logits.argmax(-1)[:, :-1]
    return torch.cat([tgt_in[:, :1], torch.where(coins[:, 1:], tgt_in[:, :-1], own)], 1)


def over_time(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    said = logits.argmax(1)[:, :1].expand_as(tgt_in)
    own = torch.cat([tgt_in[:, :1], said[:, :-1]], 1)
    return torch.where(coins, tgt_in, own)


def draws_coins(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    tossed = torch.rand(tgt_in.shape, generator=torch.Generator().manual_seed(1)) < 0.5
    return second_pass_inputs(tgt_in, logits, tossed)


def never_gold(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return second_pass_inputs(tgt_in, logits, torch.zeros_like(coins))


def never_own(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return tgt_in.clone()


def place_after(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    said = logits.argmax(-1)
    own = torch.cat([said[:, 1:], said[:, -1:]], 1)
    return torch.cat([tgt_in[:, :1], torch.where(coins, tgt_in, own)[:, 1:]], 1)


def pad_in_front(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    own = torch.zeros_like(tgt_in)
    own[:, 1:] = logits.argmax(-1)[:, :-1]
    return torch.where(coins, tgt_in, own)


def pads_kept(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return second_pass_inputs(tgt_in, logits, coins | (tgt_in == PAD_ID))


def least_likely(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return second_pass_inputs(tgt_in, -logits, coins)


def not_the_best(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """For ``explain``: BOS is gone; or gold is where it should be, and own places have other ids.

    An answer that samples is no mutant, because it gives something else each time.
    """
    if (value[:, 0] != expected[:, 0]).any():
        return "bos_gone", {}
    own = ~probe.args["coins"]
    own[:, 0] = False
    if torch.equal(value[~own], expected[~own]) and (value[own] != probe.args["tgt_in"][own]).all():
        return "not_the_best", {}
    return None


def last_place_kept(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return torch.where(coins, tgt_in, logits.argmax(-1))[:, :-1]


def into_argument(tgt_in: Tensor, logits: Tensor, coins: Tensor) -> Tensor:
    return tgt_in.copy_(second_pass_inputs(tgt_in, logits, coins))


def no_return(*args: Any) -> None:
    second_pass_inputs(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("same_place", same_place),
    Mutant("bos_replaced", bos_replaced),
    Mutant("rolled", rolled),
    Mutant("inverted", inverted),
    Mutant("coin_a_row", coin_a_row),
    Mutant("coin_a_step", coin_a_step),
    Mutant("coin_of_before", coin_of_before),
    Mutant("gold_moved", gold_moved),
    Mutant("gold_moved", gold_alone_moved),
    Mutant("over_time", over_time),
    Mutant("draws_coins", draws_coins),
    Mutant("never_gold", never_gold),
    Mutant("never_own", never_own),
    Mutant("place_after", place_after),
    Mutant("pad_in_front", pad_in_front),
    Mutant("pads_kept", pads_kept),
    Mutant("least_likely", least_likely),
    Mutant("too_short", last_place_kept),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Logits whose best id is no gold token; coins of both kinds in rows and columns."""
    drawn = []
    for number, (B, T) in enumerate(sizes(generator)):
        V = 24 + number % 2
        lengths = draw_lengths(B, T, generator)
        tgt_in = draw_targets(lengths, T, 12, generator)[0]
        logits = torch.randn(B, T, V, generator=generator)
        logits[..., 12:] += 9.0  # it says what no reference holds
        coins = torch.rand(B, T, generator=generator) < 0.5
        coins[0, 0] = False
        if T > 2:
            coins[0, 1:3] = torch.tensor([False, True])
            coins[-1, 1:3] = torch.tensor([True, False]) if B > 1 else coins[0, 1:3]
        words = f"B = {B}, T = {T}, V = {V}"
        if tgt_in.numel() <= describe.MANY:
            said = logits.argmax(-1)
            words += f", tgt_in = {describe.rows(tgt_in)}, the best ids of logits "
            words += f"{describe.rows(said)}, coins = {describe.rows(coins)}"
        drawn.append(Probe({"tgt_in": tgt_in, "logits": logits, "coins": coins}, words))
    return drawn


TASK = FunctionTask(
    spec=second_pass_inputs_spec,
    probes=probes,
    steps=(is_tensor, has_shape, are_ids),
    mutants=MUTANTS,
    explain=not_the_best,
)
EXERCISES = (
    Exercise(
        "6.6",
        "second_pass_inputs",
        kind="I",
        difficulty=4,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=second_pass_inputs,
        words=words_beside(__file__),
        alternatives=(second_pass_by_writing,),
    ),
)
