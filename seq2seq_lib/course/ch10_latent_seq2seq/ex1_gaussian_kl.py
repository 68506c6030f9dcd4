"""Exercise 10.1, in the chapter: the KL of a code, one number a sentence."""

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seq2seq_lib.course.ch10_latent_seq2seq.common import codes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def gaussian_kl_spec(mu: Tensor, logvar: Tensor) -> Tensor:
    rows = []
    for b in range(len(mu)):
        total = torch.zeros(())
        for d in range(mu.size(1)):
            variance = logvar[b, d].exp()
            total = total + (mu[b, d] ** 2 + variance - 1 - logvar[b, d]) / 2
        rows.append(total)
    return torch.stack(rows)


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)  # [B, Z] -> [B]


def gaussian_kl_by_torch(mu: Tensor, logvar: Tensor) -> Tensor:
    deviation = torch.exp(logvar / 2)
    return kl_divergence(Normal(mu, deviation), Normal(0.0, 1.0)).sum(-1)


def cell(mu: Tensor, logvar: Tensor) -> Tensor:
    """One number a dimension, ``[B, Z]``."""
    return 0.5 * (mu.square() + logvar.expm1() - logvar)


# ---------------------------------------------------------------- wrong answers


def of_p_and_q(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * ((1 + mu**2) / logvar.exp() - 1 + logvar).sum(1)


MUTANTS = (
    Mutant("mean_over_z", lambda mu, logvar: cell(mu, logvar).mean(1)),
    Mutant("one_number", lambda mu, logvar: cell(mu, logvar).mean()),
    Mutant("one_number", lambda mu, logvar: cell(mu, logvar).sum(1).mean()),
    Mutant("one_number", lambda mu, logvar: cell(mu, logvar).sum()),
    Mutant("over_batch", lambda mu, logvar: cell(mu, logvar).sum(0)),
    Mutant("not_summed", cell),
    Mutant("turned", of_p_and_q),
    Mutant("log_deviation", lambda mu, logvar: cell(mu, 2 * logvar).sum(1)),
    Mutant(
        "variance_is_deviation",
        lambda mu, logvar: 0.5 * (mu**2 + logvar.exp() ** 2 - 1 - logvar).sum(1),
    ),
    Mutant(
        "deviation_for_variance",
        lambda mu, logvar: 0.5 * (mu**2 + torch.exp(logvar / 2) - 1 - logvar).sum(1),
    ),
    Mutant(
        "logarithm_halved",
        lambda mu, logvar: 0.5 * (mu**2 + logvar.exp() - 1 - logvar / 2).sum(1),
    ),
    Mutant("half", lambda mu, logvar: 2 * cell(mu, logvar).sum(1)),
    Mutant("one", lambda mu, logvar: (cell(mu, logvar) + 0.5).sum(1)),
    Mutant("sign", lambda mu, logvar: -cell(mu, logvar).sum(1)),
    Mutant("no_gradient", lambda mu, logvar: cell(mu, logvar).sum(1).detach()),
)


def probes(generator: torch.Generator) -> list[Probe]:
    return [
        Probe({"mu": mu, "logvar": logvar}, f"mu and logvar {list(mu.shape)}, mu[0] = {shown(mu)}")
        for mu, logvar in codes(generator)
    ]


def shown(mu: Tensor) -> list[float]:
    return [round(x, 2) for x in mu[0].tolist()]


TASK = FunctionTask(
    spec=gaussian_kl_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="mu",  # asked for where one sentence is fed
)
EXERCISES = (
    Exercise(
        "10.1",
        "gaussian_kl",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=gaussian_kl,
        words=words_beside(__file__),
        alternatives=(gaussian_kl_by_torch,),
    ),
)
