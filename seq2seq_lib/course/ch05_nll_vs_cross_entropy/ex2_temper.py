"""Exercise 5.2, in the chapter: the distribution at a temperature."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def temper_spec(logits: Tensor, temperature: float) -> Tensor:
    rows = []
    for row in logits.double().reshape(-1, logits.size(-1)):
        votes = [torch.exp((z - row.max()) / temperature) for z in row]
        rows.append(torch.stack([vote / sum(votes) for vote in votes]))
    return torch.stack(rows).reshape(logits.shape).to(logits.dtype)


def temper(logits: Tensor, temperature: float) -> Tensor:
    return (logits / temperature).softmax(-1)


def temper_by_powers(logits: Tensor, temperature: float) -> Tensor:
    votes = (logits - logits.amax(-1, keepdim=True)).exp() ** (1 / temperature)
    return votes / votes.sum(-1, keepdim=True)


def temper_log_probs(logits: Tensor, temperature: float) -> Tensor:
    return logits.log_softmax(-1).div(temperature).log_softmax(-1).exp()


# ---------------------------------------------------------------- wrong answers


def shares_divided(logits: Tensor, temperature: float) -> Tensor:
    shares = logits.softmax(-1) / temperature
    return shares / shares.sum(-1, keepdim=True)


def not_normalised(logits: Tensor, temperature: float) -> Tensor:
    return (logits.log_softmax(-1) / temperature).exp()


def in_place(logits: Tensor, temperature: float) -> Tensor:
    return logits.div_(temperature).softmax(-1)


MUTANTS = (
    Mutant("no_effect", shares_divided),
    Mutant("shares_not_normalised", lambda z, t: z.softmax(-1) / t),
    Mutant("times", lambda z, t: (z * t).softmax(-1)),
    Mutant("twice", lambda z, t: (z / t / t).softmax(-1)),
    Mutant("not_normalised", not_normalised),
    Mutant("softmax_twice", lambda z, t: (z.softmax(-1) / t).softmax(-1)),
    Mutant("no_effect", lambda z, t: z.softmax(-1)),
    Mutant("logs", lambda z, t: (z / t).log_softmax(-1)),
    Mutant("wrong_axis", lambda z, t: (z / t).softmax(0)),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Temperatures below 1, above 1 and 1; one to three axes; logits that overflow exp."""
    B, T, V = (int(torch.randint(low, low + 2, (), generator=generator)) for low in (2, 4, 6))
    drawn = [
        (torch.tensor([1.0, 2, 3, 6, 8]).log(), 0.6),
        (torch.tensor([[0.0, 2, 1], [1, 1, 5]]), 2.0),
        (torch.tensor([[200.0, 199], [0, -1]]), 0.5),
        (torch.tensor([[7.0], [3.0]]), 0.6),
        (torch.randn(4, 4, generator=generator) * 2, 0.8),
        (torch.randn(B, T, V, generator=generator) * 2, 1.5),
        (torch.randn(1, 1, V, generator=generator), 1.0),
    ]
    return [
        Probe({"logits": z, "temperature": t}, f"{shown(z)}, temperature = {t}", gradient=False)
        for z, t in drawn
    ]


TASK = FunctionTask(
    spec=temper_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "5.2",
        "temper",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=3,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=temper,
        words=words_beside(__file__),
        alternatives=(temper_by_powers, temper_log_probs),
    ),
)
