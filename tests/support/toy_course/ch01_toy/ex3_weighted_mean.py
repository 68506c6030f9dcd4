"""1.3: a weighted mean, with a gradient and a law."""

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import Verdict
from seq2seq_lib.laws.trial import Trial


def weighted_mean_spec(values: Tensor, weights: Tensor) -> Tensor:
    """The slow loop, ``[N]`` and ``[N]`` to a 0-dim tensor."""
    total = sum(value * weight for value, weight in zip(values, weights, strict=True))
    return total / sum(weights)


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum()


def weighted_mean_by_product(values: Tensor, weights: Tensor) -> Tensor:
    return values @ (weights / weights.sum())


def weighted_sum(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum()


def plain_mean(values: Tensor, weights: Tensor) -> Tensor:
    return values.mean()


def cut_off(values: Tensor, weights: Tensor) -> Tensor:
    return weighted_mean(values.detach(), weights)


def scaling_law(answer) -> Verdict:
    """Weights that are ten times as large change nothing, also for one number alone."""
    trial = Trial("The law of scaling")
    for values, weights in (([3.0, 5.0], [1.0, 2.0]), ([7.0], [3.0])):
        values, weights = torch.tensor(values), torch.tensor(weights)
        trial.equal(
            "weights ten times as large",
            answer(values, 10 * weights),
            answer(values, weights),
            fed=f"{len(values)} values",
            look_at="the divisor",
        )
    return trial.verdict()


def probes(generator: torch.Generator) -> list[Probe]:
    """One that is fixed and small, and two that are drawn."""
    drawn = [torch.rand(2, n, generator=generator) + 0.1 for n in (3, 6)]
    cases = [(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 1.0])), *drawn]
    return [
        Probe(
            {"values": values, "weights": weights},
            f"values = {values.tolist()}, weights = {weights.tolist()}",
        )
        for values, weights in cases
    ]


TASK = FunctionTask(
    spec=weighted_mean_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=(
        Mutant("total", weighted_sum),
        Mutant("unweighted", plain_mean),
        Mutant("no_gradient", cut_off),
    ),
    gradient_of="values",
    law=scaling_law,
)

EXERCISES = (
    Exercise(
        "1.3",
        "weighted_mean",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=15,
        points=3,
        task=TASK,
        reference=weighted_mean,
        words=words_beside(__file__),
        alternatives=(weighted_mean_by_product,),
    ),
)
