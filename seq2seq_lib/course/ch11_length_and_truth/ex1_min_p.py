"""Exercise 11.1, asked in the chapter: min-p, row by row."""

import math
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch11_length_and_truth.ex2_top_p import are_distributions, is_float
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside

NINF = -math.inf
GAP = 1e-3  # between a ratio and the share: no check turns on rounding


def min_p_spec(log_probs: Tensor, share: float) -> Tensor:
    filtered = torch.full_like(log_probs, NINF)
    for n, row in enumerate(log_probs.exp().tolist()):
        kept = [token for token, p in enumerate(row) if 0 < p >= share * max(row)]
        total = sum(row[token] for token in kept)
        for token in kept:
            filtered[n, token] = log_probs[n, token] - math.log(total)
    return filtered


def min_p(log_probs: Tensor, share: float) -> Tensor:
    best = log_probs.amax(-1, keepdim=True)  # [N, 1]
    cut = log_probs < best + math.log(share)
    return log_probs.masked_fill(cut, -math.inf).log_softmax(-1)


def min_p_by_probabilities(log_probs: Tensor, share: float) -> Tensor:
    probs = log_probs.exp()
    probs = torch.where(probs < share * probs.max(1, keepdim=True).values, 0.0, probs)
    return (probs / probs.sum(1, keepdim=True)).log()


# ---------------------------------------------------------------- wrong answers


def _kept(log_probs: Tensor, keep: Tensor) -> Tensor:
    return log_probs.masked_fill(~keep, NINF).log_softmax(-1)


def no_factor(log_probs: Tensor, share: float) -> Tensor:
    return _kept(log_probs, log_probs.exp() >= share)


def one_best_for_all(log_probs: Tensor, share: float) -> Tensor:
    return _kept(log_probs, log_probs >= log_probs.max() + math.log(share))


def best_of_column(log_probs: Tensor, share: float) -> Tensor:
    return _kept(log_probs, log_probs >= log_probs.amax(0, keepdim=True) + math.log(share))


def log_times_share(log_probs: Tensor, share: float) -> Tensor:
    return _kept(log_probs, log_probs >= log_probs.amax(-1, keepdim=True) * share)


def share_not_logged(log_probs: Tensor, share: float) -> Tensor:
    return _kept(log_probs, log_probs >= log_probs.amax(-1, keepdim=True) - share)


def not_renormalised(log_probs: Tensor, share: float) -> Tensor:
    return log_probs.masked_fill(min_p(log_probs, share) == NINF, NINF)


def as_probabilities(log_probs: Tensor, share: float) -> Tensor:
    return min_p(log_probs, share).exp()


def other_side(log_probs: Tensor, share: float) -> Tensor:
    best = log_probs.amax(-1, keepdim=True)
    return _kept(log_probs, log_probs <= best + math.log(share))


def no_return(*args: Any) -> None:
    min_p(*args)


def strictly(log_probs: Tensor, share: float) -> Tensor:
    best = log_probs.amax(-1, keepdim=True)
    return log_probs.masked_fill(log_probs <= best + math.log(share), NINF).log_softmax(-1)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("no_factor", no_factor),
    Mutant("one_best_for_all", one_best_for_all),
    Mutant("best_of_column", best_of_column),
    Mutant("log_times_share", log_times_share),
    Mutant("share_not_logged", share_not_logged),
    Mutant("not_renormalised", not_renormalised),
    Mutant("probabilities", as_probabilities),
    Mutant("other_side", other_side),
    Mutant("strictly", strictly),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Three rows of the chapter, drawn ones, and edges: one row, one token, an impossible one."""
    rows = torch.tensor([[0.06, 0.9, 0.04], [0.4, 0.38, 0.22], [0.3, 0.3, 0.4]])
    drawn = [
        _drawn(N, V, share, generator)
        for N, V, share in ((3, 7, 0.2), (4, 5, 0.6), (1, 6, 0.1), (2, 9, 0.35))
    ]
    banned = torch.tensor([[0.5, 0.0, 0.5], [0.1, 0.0, 0.9]])
    return [
        _probe(rows, 0.25),
        *drawn,
        _probe(banned, 0.05),
        _probe(rows, 1.0),  # the best alone reaches it
        _probe(torch.ones(1, 1), 0.7),
        _probe(torch.ones(3, 1), 0.7),
    ]


def _drawn(N: int, V: int, share: float, generator: torch.Generator) -> Probe:
    while True:
        probs = torch.randn(N, V, generator=generator).mul(1.5).softmax(-1)
        ratios = probs / probs.amax(-1, keepdim=True)
        if (ratios - share).abs().min() > GAP and (ratios < share).any():
            return _probe(probs, share)


def _probe(probs: Tensor, share: float) -> Probe:
    fed = f"share = {share}, log_probs {list(probs.shape)}"
    if probs.numel() <= describe.MANY:
        fed += f", the logarithms of {describe.rows(probs)}"
    return Probe({"log_probs": probs.log(), "share": share}, fed)


TASK = FunctionTask(
    spec=min_p_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_float, are_distributions),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "11.1",
        "min_p",
        kind="I",
        difficulty=2,
        importance=3,
        minutes=6,
        points=0,
        task=TASK,
        reference=min_p,
        words=words_beside(__file__),
        alternatives=(min_p_by_probabilities,),
    ),
)
