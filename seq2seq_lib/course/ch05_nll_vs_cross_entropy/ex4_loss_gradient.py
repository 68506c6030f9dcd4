"""Exercise 5.4: the gradient of the mean loss at a temperature, without autograd."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown, sizes, targets_of
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

STEP = 1e-5  # of the central differences, in float64


def loss_gradient_spec(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    exact = logits.double()
    gradient = torch.zeros_like(exact)
    for place in torch.cartesian_prod(*map(torch.arange, logits.shape)).tolist():
        nudge = torch.zeros_like(exact)
        nudge[tuple(place)] = STEP
        up, down = (
            F.cross_entropy((exact + sign * nudge) / temperature, targets) for sign in (1, -1)
        )
        gradient[tuple(place)] = (up - down) / (2 * STEP)
    return gradient.to(logits.dtype)


def loss_gradient(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    N, V = logits.shape
    shares = (logits / temperature).softmax(-1)  # [N, V], what the loss sees
    gradient = shares - F.one_hot(targets, V)
    return gradient / temperature / N  # z / temperature, then the mean over N rows


def loss_gradient_by_autograd(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    leaf = logits.detach().clone().requires_grad_()
    loss = F.cross_entropy(leaf / temperature, targets)
    return torch.autograd.grad(loss, leaf)[0]


def loss_gradient_row_by_row(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    rows = []
    for row, target in zip(logits, targets.tolist(), strict=True):
        change = (row / temperature).softmax(0)
        change[target] -= 1
        rows.append(change)
    return torch.stack(rows) / (temperature * len(targets))


# ---------------------------------------------------------------- wrong answers


def parts(logits: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, int, int]:
    """``p_τ - onehot``, N and V."""
    N, V = logits.shape
    return (logits / temperature).softmax(-1) - F.one_hot(targets, V), N, V


def of_plain_shares(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    gradient, N, _ = parts(logits, targets, 1.0)
    return gradient / temperature / N


def best_not_target(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    return loss_gradient(logits, logits.argmax(-1), temperature)


def of_log_shares(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    N, V = logits.shape
    logs = (logits / temperature).log_softmax(-1)
    return (logs - F.one_hot(targets, V)) / temperature / N


def target_alone(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    chosen = F.one_hot(targets, logits.size(-1))
    return loss_gradient(logits, targets, temperature) * chosen


def scaled(factor) -> object:
    """``p_τ - onehot`` times what ``factor(temperature, N, V)`` says."""

    def wrong(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
        gradient, N, V = parts(logits, targets, temperature)
        return gradient * factor(temperature, N, V)

    return wrong


MUTANTS = (
    Mutant("no_temperature", scaled(lambda t, N, V: 1 / N)),
    Mutant("no_mean", scaled(lambda t, N, V: 1 / t)),
    Mutant("over_words", scaled(lambda t, N, V: 1 / t / V)),
    Mutant("all_cells", scaled(lambda t, N, V: 1 / t / (N * V))),
    Mutant("times_temperature", scaled(lambda t, N, V: t / N)),
    Mutant("sign", scaled(lambda t, N, V: -1 / t / N)),
    Mutant("plain_shares", of_plain_shares),
    Mutant("temperature_unused", lambda z, y, t: loss_gradient(z, y, 1.0)),
    Mutant("best_not_target", best_not_target),
    Mutant("log_shares", of_log_shares),
    Mutant("target_alone", target_alone),
    Mutant("words_counted", lambda z, y, t: ((z / t).softmax(-1) - F.one_hot(y)) / t / len(y)),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """N and V differ but once; a temperature below 1, above 1, 1; one row, one word."""
    drawn = []
    for (N, V), temperature in zip(sizes(generator), (0.6, 2.0, 0.6, 1.5, 0.8, 1.0), strict=True):
        source = torch.Generator().manual_seed(5) if not drawn else generator
        logits = torch.randn(N, V, generator=source) * 2
        targets = targets_of(N, V, source)
        if not drawn:  # the target is not the largest logit of row 0
            targets[0] = logits[0].argmin()
        if len(drawn) == 1:  # the last word is nobody's target
            targets = targets.clamp(max=V - 2)
        words = f"{shown(logits)}, targets = {targets.tolist()}, temperature = {temperature}"
        args = {"logits": logits, "targets": targets, "temperature": temperature}
        drawn.append(Probe(args, words, gradient=False))
    return drawn


TASK = FunctionTask(
    spec=loss_gradient_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "5.4",
        "loss_gradient",
        kind="F",
        difficulty=2,
        importance=4,
        minutes=8,
        points=2,
        task=TASK,
        reference=loss_gradient,
        words=words_beside(__file__),
        alternatives=(loss_gradient_by_autograd, loss_gradient_row_by_row),
    ),
)
