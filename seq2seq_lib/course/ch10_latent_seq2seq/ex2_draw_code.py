"""Exercise 10.2, in the chapter: a draw from q that lets a gradient through."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch10_latent_seq2seq.common import MU, VARIANCE, codes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

NOISE = [[1.0, -2.0, 0.5], [-1.0, 0.5, 2.0]]


def draw_code_spec(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    rows = []
    for b in range(len(mu)):
        cells = [mu[b, d] + logvar[b, d].exp().sqrt() * noise[b, d] for d in range(mu.size(1))]
        rows.append(torch.stack(cells))
    return torch.stack(rows)


def draw_code(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    return mu + torch.exp(0.5 * logvar) * noise


def draw_code_by_root(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    deviation = logvar.exp().sqrt()
    return torch.addcmul(mu, deviation, noise)


# ---------------------------------------------------------------- wrong answers


def own_noise(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return draw_code(mu, logvar, torch.randn(mu.shape, generator=generator))


def in_place(mu: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    return noise.mul_(torch.exp(0.5 * logvar)).add_(mu)


MUTANTS = (
    Mutant("variance", lambda mu, logvar, noise: mu + logvar.exp() * noise),
    Mutant("logarithm", lambda mu, logvar, noise: mu + logvar * noise),
    Mutant("half_forgotten", lambda mu, logvar, noise: mu + 0.5 * logvar * noise),
    Mutant("not_finite", lambda mu, logvar, noise: mu + logvar.sqrt() * noise),
    Mutant("own_noise", own_noise),
    Mutant("no_noise", lambda mu, logvar, noise: mu.clone()),
    Mutant("one_noise", lambda mu, logvar, noise: draw_code(mu, logvar, noise[:1])),
    Mutant("no_mean", lambda mu, logvar, noise: torch.exp(0.5 * logvar) * noise),
    Mutant("cut", lambda mu, logvar, noise: draw_code(mu.detach(), logvar.detach(), noise)),
    Mutant("cut", lambda mu, logvar, noise: draw_code(mu, logvar, noise).detach()),
    Mutant("argument_changed", in_place),
)


def probes(generator: torch.Generator) -> list[Probe]:
    example = torch.tensor(MU), torch.tensor(VARIANCE).log()
    alike = tuple(part[:1].repeat(2, 1) for part in example)  # first, for own_noise_shows
    drawn = [(*alike, torch.zeros(2, 3)), (*example, torch.tensor(NOISE))]
    for mu, logvar in codes(generator):
        drawn.append((mu, logvar, torch.randn(mu.shape, generator=generator)))
    return [
        Probe(
            {"mu": mu, "logvar": logvar, "noise": noise},
            f"mu, logvar and noise {list(mu.shape)}, mu[0, 0] = {mu[0, 0]:.2f}, "
            f"variance {logvar[0, 0].exp():.2f}, noise {noise[0, 0]:.2f}",
        )
        for mu, logvar, noise in drawn
    ]


def own_noise_shows(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """Two equal codes without noise give equal rows, unless the answer draws its own."""
    silent = not probe.args["noise"].any()
    return ("own_noise", {}) if silent and not torch.equal(value[0], value[1]) else None


TASK = FunctionTask(
    spec=draw_code_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    explain=own_noise_shows,
    gradient_of="mu",  # asked for where one number is fed
)
EXERCISES = (
    Exercise(
        "10.2",
        "draw_code",
        kind="I",
        difficulty=1,
        importance=5,
        minutes=4,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=draw_code,
        words=words_beside(__file__),
        alternatives=(draw_code_by_root,),
    ),
)
