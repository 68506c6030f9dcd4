"""Exercise 5.7: choose the temperature that fits validation data."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Candidates = Sequence[float]


def fit_temperature_spec(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
    best, least = 0.0, float("inf")
    for temperature in temperatures:
        loss = 0.0
        for row, target in zip(logits.double(), targets.tolist(), strict=True):
            loss -= (row / temperature).log_softmax(0)[target].item()
        if loss < least:
            best, least = temperature, loss
    return best


def fit_temperature(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
    return min(temperatures, key=lambda t: F.cross_entropy(logits / t, targets).item())


def fit_temperature_at_once(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
    divisors = torch.tensor(temperatures)[:, None, None]
    log_probs = (logits / divisors).log_softmax(-1)  # [K, N, V]
    rows = torch.arange(len(targets))
    losses = -log_probs[:, rows, targets].mean(1)  # [K]
    return temperatures[int(losses.argmin())]


# ---------------------------------------------------------------- wrong answers


def chosen_by(score: Callable[[Tensor, Tensor, float], Tensor | float]) -> Callable:
    """The candidate with the least ``score(logits, targets, temperature)``."""

    def wrong(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
        scores = [float(score(logits, targets, t)) for t in temperatures]
        return temperatures[scores.index(min(scores))]

    return wrong


def error_rate(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return ((logits / temperature).argmax(-1) != targets).float().mean()


def entropy(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    log_probs = (logits / temperature).log_softmax(-1)
    return -(log_probs.exp() * log_probs).sum(-1).mean()


def largest_loss(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return -F.cross_entropy(logits / temperature, targets)


def of_shares(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return F.cross_entropy(logits.softmax(-1) / temperature, targets)


def of_labels_by_model(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return F.cross_entropy(logits / temperature, logits.argmax(-1))


def over_rows(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return F.nll_loss((logits / temperature).log_softmax(0), targets)


def share_of_target(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return F.nll_loss((logits / temperature).softmax(-1), targets)


def not_normalised(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return F.nll_loss(logits.log_softmax(-1) / temperature, targets)


def softmax_first(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return F.cross_entropy((logits / temperature).softmax(-1), targets)


def confidence_gap(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    accuracy = (logits.argmax(-1) == targets).double().mean()
    return ((logits / temperature).softmax(-1).amax(-1).mean() - accuracy).abs()


def calibration_error(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    confidence, guess = (logits / temperature).softmax(-1).max(-1)
    gaps = torch.zeros(10, dtype=confidence.dtype)
    bins = (confidence * 10).long().clamp(max=9)
    return gaps.index_add(0, bins, (guess == targets).to(confidence) - confidence).abs().sum()


def last_of_accuracy(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
    return temperatures[-1]


def stops_early(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
    best, least = temperatures[0], float("inf")
    for temperature in temperatures:
        loss = F.cross_entropy(logits / temperature, targets).item()
        if loss > least:
            break
        best, least = temperature, loss
    return best


def place(logits: Tensor, targets: Tensor, temperatures: Candidates) -> int:
    return temperatures.index(fit_temperature(logits, targets, temperatures))


def its_loss(logits: Tensor, targets: Tensor, temperatures: Candidates) -> float:
    return min(F.cross_entropy(logits / t, targets).item() for t in temperatures)


MUTANTS = (
    Mutant("times", chosen_by(lambda z, y, t: F.cross_entropy(z * t, y))),
    Mutant("accuracy", chosen_by(error_rate)),
    Mutant("surest", chosen_by(entropy)),
    Mutant("largest_loss", chosen_by(largest_loss)),
    Mutant("of_shares", chosen_by(of_shares)),
    Mutant("accuracy", last_of_accuracy),
    Mutant("stops_early", stops_early),
    Mutant("largest", lambda z, y, ts: max(ts)),
    Mutant("largest", chosen_by(not_normalised)),
    Mutant("softmax_first", chosen_by(softmax_first)),
    Mutant("calibrated", chosen_by(confidence_gap)),
    Mutant("calibrated", chosen_by(calibration_error)),
    Mutant("surest", chosen_by(of_labels_by_model)),
    Mutant("over_rows", chosen_by(over_rows)),
    Mutant("surest", chosen_by(share_of_target)),
    Mutant("always_one", lambda z, y, ts: 1.0),
    Mutant("place", place),
    Mutant("its_loss", its_loss),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Targets are drawn from logits that were then multiplied: so much the fit must find.

    One batch of targets is certain, so the smallest candidate is right there, and one is drawn from
    equal shares, so the largest is.
    """
    drawn = []
    for scale, N, V in ((2.5, 200, 7), (0.4, 150, 5), (1.0, 400, 6), (3.0, 120, 4)):
        logits = torch.randn(N, V, generator=generator) * 1.5
        targets = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
        drawn.append((logits * scale, targets, [0.2, 0.4, 0.8, 1.25, 2.0, 2.5, 3.5, 5.0]))
    logits = torch.randn(5, 3, generator=generator)
    drawn.append((logits, logits.argmax(-1), [2.0, 1.5, 0.5]))
    mixed = ([3.5, 5.0, 2.5, 0.2, 2.0, 0.8, 0.4, 1.25], [0.8, 5.0, 0.4, 2.0, 0.2, 3.5, 2.5, 1.25])
    for (z, y, _), ts in zip(drawn[:2], mixed, strict=True):
        drawn.append((z, y, ts))  # its second candidate is worse than its first, the third better
    far = torch.tensor([[1000.0, 0, 0], [0, 1000, 0], [0, 0, 1000]])
    drawn.append((far, torch.tensor([0, 1, 0]), [0.5, 1.0, 3.0]))
    drawn.append((torch.randn(1, 4, generator=generator), torch.tensor([0]), [0.7]))
    return [
        Probe(
            {"logits": z, "targets": y, "temperatures": ts},
            f"logits {list(z.shape)}, standard deviation {z.std():.2f}, temperatures = {ts}",
            gradient=False,
        )
        for z, y, ts in drawn
    ]


def is_candidate(value: Any, expected: Any) -> Problem | None:
    """A step: a number."""
    if value is None:
        return "no_return", {}
    if isinstance(value, bool) or not isinstance(value, float | int):
        return "not_a_number", {}
    return None


def not_among(probe: Probe, value: float, expected: float) -> Problem | None:
    """For ``explain``: a number that is none of the candidates."""
    return (
        None if value in probe.args["temperatures"] else ("not_among", {"number": f"{value:.4g}"})
    )


TASK = FunctionTask(
    spec=fit_temperature_spec,
    probes=probes,
    steps=(is_candidate,),
    mutants=MUTANTS,
    explain=not_among,
)
EXERCISES = (
    Exercise(
        "5.7",
        "fit_temperature",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=12,
        points=4,
        task=TASK,
        reference=fit_temperature,
        words=words_beside(__file__),
        alternatives=(fit_temperature_at_once,),
    ),
)
