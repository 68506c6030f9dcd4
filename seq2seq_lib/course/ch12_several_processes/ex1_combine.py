"""Exercise 12.1, in the chapter: the loss a token of all shares, from the shares' means."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch12_several_processes.probes import FIXED, cuts
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def combine_spec(means: Tensor, tokens: Tensor) -> Tensor:
    total, count = torch.zeros(()), 0
    for mean, n in zip(means, tokens.tolist(), strict=True):
        if n > 0:
            total, count = total + mean * n, count + n
    return total / count


def combine(means: Tensor, tokens: Tensor) -> Tensor:
    sums = torch.where(tokens > 0, means * tokens, 0.0)  # [R]; NaN * 0 would stay NaN
    return sums.sum() / tokens.sum()


def combine_by_select(means: Tensor, tokens: Tensor) -> Tensor:
    held = tokens > 0
    return means[held] @ (tokens[held] / tokens.sum()).to(means.dtype)


# ---------------------------------------------------------------- wrong answers


def held(means: Tensor, tokens: Tensor) -> Tensor:
    return means[tokens > 0]


def sums(means: Tensor, tokens: Tensor) -> Tensor:
    return torch.where(tokens > 0, means * tokens, 0.0)


def in_place(means: Tensor, tokens: Tensor) -> Tensor:
    with torch.no_grad():
        means[tokens == 0] = 0.0
    return (means * tokens).sum() / tokens.sum()


def no_return(*args: Any) -> None:
    combine(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("plain_mean", lambda means, tokens: means.mean()),
    Mutant("plain_mean", lambda means, tokens: means.nanmean()),
    Mutant("plain_mean", lambda means, tokens: means.nan_to_num().mean()),
    Mutant("sum_of_means", lambda means, tokens: means.sum()),
    Mutant("sum_of_means", lambda means, tokens: held(means, tokens).sum()),
    Mutant("nan_share", lambda means, tokens: (means * tokens).sum() / tokens.sum()),
    Mutant("nan_share", lambda means, tokens: (means * (tokens / tokens.sum())).sum()),
    Mutant("not_divided", lambda means, tokens: sums(means, tokens).sum()),
    Mutant("not_divided", lambda means, tokens: (means * tokens).sum()),
    Mutant("shares_too", lambda means, tokens: combine(means, tokens) / len(tokens)),
    Mutant("shares_for_tokens", lambda means, tokens: sums(means, tokens).sum() / len(tokens)),
    Mutant("shares_for_tokens", lambda means, tokens: sums(means, tokens).mean()),
    Mutant("inverse", lambda means, tokens: (held(means, tokens) / tokens[tokens > 0]).sum()),
    Mutant("largest", lambda means, tokens: means[tokens.argmax()]),
    Mutant("per_share", lambda means, tokens: sums(means, tokens) / tokens.sum()),
    Mutant("per_share", lambda means, tokens: means * tokens / tokens.sum()),
    Mutant("no_gradient", lambda means, tokens: combine(means.detach(), tokens)),
    Mutant("in_place", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Shares of unequal sizes, some empty with a mean of NaN; one share alone; equal shares."""
    fixed = torch.Generator().manual_seed(12)
    drawn = []
    for number, tokens in enumerate(cuts(generator)):
        source = fixed if number < FIXED else generator
        means = torch.randint(1, 60, tokens.shape, generator=source) / 10
        means = means.masked_fill(tokens == 0, torch.nan)
        words = f"means = {describe.rows(means[None])}, tokens = {tokens.tolist()}"
        drawn.append(Probe({"means": means, "tokens": tokens}, words))
    return drawn


TASK = FunctionTask(
    spec=combine_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="means",
)
EXERCISES = (
    Exercise(
        "12.1",
        "combine",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=4,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=combine,
        words=words_beside(__file__),
        alternatives=(combine_by_select,),
    ),
)
