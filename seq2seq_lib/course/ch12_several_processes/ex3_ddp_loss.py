"""Exercise 12.3: what a rank hands to backward under DDP, which averages gradients."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def ddp_loss_spec(total: Tensor, own_tokens: int, all_tokens: int, world: int) -> Tensor:
    handed_in = torch.zeros(())
    for _ in range(world):  # DDP divides by world
        handed_in = handed_in + total / all_tokens
    return handed_in


def ddp_loss(total: Tensor, own_tokens: int, all_tokens: int, world: int) -> Tensor:
    return total * (world / all_tokens)  # own_tokens is not needed: 0 of them would be 0 / 0


def ddp_loss_by_share(total: Tensor, own_tokens: int, all_tokens: int, world: int) -> Tensor:
    return total / (all_tokens / world)  # divided by the tokens of an average rank


# ---------------------------------------------------------------- wrong answers


def no_return(*args: Any) -> None:
    ddp_loss(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("forgets_world", lambda total, own, everything, world: total / everything),
    Mutant("own_tokens", lambda total, own, everything, world: total / own),
    Mutant("own_tokens", lambda total, own, everything, world: total / max(own, 1)),
    Mutant("own_times_world", lambda total, own, everything, world: world * total / own),
    Mutant("own_times_world", lambda total, own, everything, world: world * total / max(own, 1)),
    Mutant("divides_again", lambda total, own, everything, world: total / everything / world),
    Mutant("average_of_means", lambda total, own, everything, world: total / own / world),
    Mutant("average_of_means", lambda total, own, everything, world: total / max(own, 1) / world),
    Mutant("not_divided", lambda total, own, everything, world: total * world),
    Mutant("share_of_tokens", lambda total, own, everything, world: total * own / everything),
    Mutant("whole_numbers", lambda total, own, everything, world: total * world // everything),
    Mutant("whole_numbers", lambda total, own, everything, world: total * (world // everything)),
    Mutant("whole_numbers", lambda total, own, everything, world: total / (everything // world)),
    Mutant("no_gradient", lambda *args: ddp_loss(*args).detach()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Ranks with many tokens, few, none and all; one process alone; odd counts."""
    own, rest, world = (int(torch.randint(3, 50, (), generator=generator)) for _ in range(3))
    cases = [(30, 33, 2), (3, 33, 2), (0, 9, 3), (7, 7, 2), (9, 9, 1), (1, 1, 1)]
    drawn = []
    for own_tokens, all_tokens, size in [*cases, (own, own + rest, world), (1, own + 1, 4)]:
        total = own_tokens * (1 + 2 * torch.rand((), generator=generator)).round(decimals=1)
        args = {"total": total, "own_tokens": own_tokens, "all_tokens": all_tokens, "world": size}
        words = f"total = {total:.1f}, own_tokens = {own_tokens}, all_tokens = {all_tokens}, "
        drawn.append(Probe(args, f"{words}world = {size}"))
    return drawn


TASK = FunctionTask(
    spec=ddp_loss_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="total",
    leaf=lambda total: total * (total != 0),  # the sum of no losses depends on nothing
)
EXERCISES = (
    Exercise(
        "12.3",
        "ddp_loss",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=10,
        points=3,
        task=TASK,
        reference=ddp_loss,
        words=words_beside(__file__),
        alternatives=(ddp_loss_by_share,),
    ),
)
