"""Exercise 5.1, in the chapter: a log-softmax that survives 1000 and a gap of 110."""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import Verdict, loss_ledger
from seq2seq_lib.losses import LossSum


def log_softmax_spec(logits: Tensor) -> Tensor:
    rows = []
    for row in logits.double().reshape(-1, logits.size(-1)):
        shifted = row - max(row.tolist())
        rows.append(shifted - torch.log(sum(torch.exp(z) for z in shifted)))
    return torch.stack(rows).reshape(logits.shape).to(logits.dtype)


def log_softmax(logits: Tensor) -> Tensor:
    shifted = logits - logits.amax(-1, keepdim=True)  # [..., V], the largest of a row is 0
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


def log_softmax_by_logsumexp(logits: Tensor) -> Tensor:
    return logits - torch.logsumexp(logits, dim=-1, keepdim=True)


def log_softmax_by_the_smallest(logits: Tensor) -> Tensor:
    V = logits.size(-1)
    gaps = logits.unsqueeze(-2).expand(*logits.shape, V) - logits.unsqueeze(-1)  # [..., V, V]
    return -gaps.logsumexp(-1)  # log p_i = -log of the sum of exp(z_j - z_i)


# ---------------------------------------------------------------- wrong answers


def one_maximum(logits: Tensor) -> Tensor:
    shifted = logits - logits.max()
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


def one_sum(logits: Tensor) -> Tensor:
    shifted = logits - logits.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum().log()


def clamped(logits: Tensor) -> Tensor:
    return logits.clamp(-50, 50).log_softmax(-1)


def minus_mean(logits: Tensor) -> Tensor:
    shifted = logits - logits.mean(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


def not_shifted_back(logits: Tensor) -> Tensor:
    shifted = logits - logits.amax(-1, keepdim=True)
    return logits - shifted.exp().sum(-1, keepdim=True).log()


def in_place(logits: Tensor) -> Tensor:
    logits -= logits.amax(-1, keepdim=True)
    return logits - logits.exp().sum(-1, keepdim=True).log()


def without_keepdim(logits: Tensor) -> Tensor:
    shifted = logits - logits.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1).log()


MUTANTS = (
    Mutant("no_shift", lambda z: z - z.exp().sum(-1, keepdim=True).log()),
    Mutant("log_of_softmax", lambda z: z.softmax(-1).log()),
    Mutant("epsilon", lambda z: (z.softmax(-1) + 1e-9).log()),
    Mutant("one_maximum", one_maximum),
    Mutant("one_sum", one_sum),
    Mutant("clamped", clamped),
    Mutant("minus_mean", minus_mean),
    Mutant("wrong_axis", lambda z: z.log_softmax(0)),
    Mutant("not_shifted_back", not_shifted_back),
    Mutant("shares", lambda z: z.softmax(-1)),
    Mutant("sign", lambda z: -z.log_softmax(-1)),
    Mutant("without_keepdim", without_keepdim),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Large logits, small ones, gaps beyond float32, one word alone; one to three axes."""
    B, T, V = (int(torch.randint(low, low + 2, (), generator=generator)) for low in (2, 4, 6))
    drawn = [
        torch.tensor([1000.0, 999, 998]),
        torch.tensor([[0.0, -110, 1]]),
        torch.tensor([[1000.0, 999], [0, -1]]),
        torch.tensor([[-1000.0, -1001, -1002], [300, 0, 0]]),
        torch.tensor([[7.0], [3.0]]),
        torch.tensor([[300.0, 0, 0, 0, 0, 0]]),
        torch.randn(4, 4, generator=generator) * 3,
        torch.randn(B, T, V, generator=generator) * 3,
        torch.randn(1, 1, V, generator=generator),
    ]
    return [Probe({"logits": logits}, shown(logits), gradient=False) for logits in drawn]


def law(answer: Callable[[Tensor], Tensor]) -> Verdict:
    """Law 3 for the loss that is made of the answer: its gradient is looked at as well."""

    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> LossSum:
        nll = -answer(logits).gather(-1, targets[..., None])[..., 0]  # [B, T]
        return LossSum(nll.masked_fill(~mask, 0).sum(), mask.sum())

    return loss_ledger(loss)


TASK = FunctionTask(
    spec=log_softmax_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    law=law,
)
EXERCISES = (
    Exercise(
        "5.1",
        "log_softmax",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=log_softmax,
        words=words_beside(__file__),
        alternatives=(log_softmax_by_logsumexp, log_softmax_by_the_smallest),
    ),
)
