"""Exercise 6.9: make a decoder slip, and let it go on alone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.ex1_greedy_steps import are_ids
from seq2seq_lib.course.ch06_teacher_forcing.probes import (
    TableModel,
    draw_lengths,
    draw_targets,
    sizes,
)
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def slip_run_spec(step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    B, T = tgt_in.shape
    said = torch.zeros(B, T, dtype=torch.int64)
    for t in range(T):
        if t < k:
            tokens = tgt_in[:, t]
        elif t == k:
            tokens = wrong
        else:
            tokens = said[:, t - 1]
        log_probs, state = step(tokens, state)
        said[:, t] = log_probs.argmax(-1)
    return said


def slip_run(step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    said, own = [], wrong
    for t in range(tgt_in.size(1)):
        tokens = tgt_in[:, t] if t < k else wrong if t == k else own
        log_probs, state = step(tokens, state)
        own = log_probs.argmax(-1)  # [B]
        said.append(own)
    return torch.stack(said, 1)  # [B, T]


def slip_run_in_two_parts(
    step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor
) -> Tensor:
    said = []
    for tokens in tgt_in[:, :k].T:
        scores, state = step(tokens, state)
        said.append(scores.max(-1).indices)
    tokens = wrong
    while len(said) < tgt_in.size(1):
        scores, state = step(tokens, state)
        tokens = scores.max(-1).indices
        said.append(tokens)
    return torch.stack(said).T


# ---------------------------------------------------------------- wrong answers


def _lane(reads: Callable) -> Callable:
    def answer(step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
        said, own = [], tgt_in[:, 0]
        for t in range(tgt_in.size(1)):
            log_probs, state = step(reads(t, tgt_in[:, t], k, wrong, own), state)
            own = log_probs.argmax(-1)
            said.append(own)
        return torch.stack(said, 1)

    return answer


gold_lane = _lane(lambda t, gold, k, wrong, own: wrong if t == k else gold)
no_slip = _lane(lambda t, gold, k, wrong, own: gold if t < k else own)
gold_at_k = _lane(lambda t, gold, k, wrong, own: gold if t <= k else own)
stutter = _lane(lambda t, gold, k, wrong, own: gold if t < k else wrong)
too_early = _lane(
    lambda t, gold, k, wrong, own: gold if t < k - 1 else wrong if t == k - 1 else own
)
too_late = _lane(lambda t, gold, k, wrong, own: gold if t <= k else wrong if t == k + 1 else own)
own_before = _lane(lambda t, gold, k, wrong, own: wrong if t == k else own)


def says_wrong(step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    said = slip_run(step, state, tgt_in, k, wrong)
    said[:, k - 1] = wrong
    return said


def only_behind(step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    return slip_run(step, state, tgt_in, k, wrong)[:, k:]


def forgets(step: Callable, state: Any, tgt_in: Tensor, k: int, wrong: Tensor) -> Tensor:
    return slip_run(lambda tokens, _: (step(tokens, state)[0], None), None, tgt_in, k, wrong)


def no_return(*args: Any) -> None:
    slip_run(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("gold_lane", gold_lane),
    Mutant("no_slip", no_slip),
    Mutant("no_slip", gold_at_k),
    Mutant("only_behind", only_behind),
    Mutant("stutter", stutter),
    Mutant("too_early", too_early),
    Mutant("too_late", too_late),
    Mutant("own_before", own_before),
    Mutant("says_wrong", says_wrong),
    Mutant("forgets", forgets),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Models that are tables; a slip at the first place, in the middle, at the last."""
    drawn = []
    for number, (B, T) in enumerate([*sizes(generator), (1, 2), (5, 2)]):
        if T < 2:
            continue
        V, k = 12 + number % 2, (1, (T + 1) // 2, T - 1)[number % 3]
        tgt_in = draw_targets(draw_lengths(B, T, generator), T, V, generator)[0]
        wrong = torch.randint(3, V, (B,), generator=generator)
        wrong = torch.where(wrong == tgt_in[:, k], 3 + (wrong - 2) % (V - 3), wrong)
        args = {
            "step": TableModel(V, int(torch.randint(1000, (), generator=generator))).step,
            "state": torch.arange(B) * 3 + number,
            "tgt_in": tgt_in,
            "k": k,
            "wrong": wrong,
        }
        drawn.append(Probe(args, f"B = {B}, T = {T}, k = {k}, wrong = {wrong.tolist()}"))
    return drawn


TASK = FunctionTask(
    spec=slip_run_spec,
    probes=probes,
    steps=(is_tensor, has_shape, are_ids),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "6.9",
        "slip_run",
        kind="X",
        difficulty=4,
        importance=3,
        minutes=45,
        points=6,
        task=TASK,
        reference=slip_run,
        words=words_beside(__file__),
        alternatives=(slip_run_in_two_parts,),
        manual=True,
    ),
)
