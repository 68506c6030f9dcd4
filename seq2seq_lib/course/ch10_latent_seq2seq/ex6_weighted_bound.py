"""Exercise 10.6: a tighter bound of log p(x) from several samples of z (Burda et al. 2015)."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal

from seq2seq_lib.course.ch10_latent_seq2seq.common import MU, VARIANCE, code
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

SHAPES = ((2, 3, 4), (3, 4, 2), (3, 3, 3), (1, 5, 2), (4, 1, 3), (2, 3, 1), (1, 1, 1))


def weighted_bound_spec(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    rows = []
    for b in range(len(log_px)):
        q = Normal(mu[b].double(), torch.exp(logvar[b].double() / 2))
        weights = [
            log_px[b, k].double()
            + Normal(0.0, 1.0).log_prob(z[b, k].double()).sum()
            - q.log_prob(z[b, k].double()).sum()
            for k in range(log_px.size(1))
        ]
        largest = max(weights)
        mean = sum((w - largest).exp() for w in weights) / len(weights)
        rows.append(largest + mean.log())
    return torch.stack(rows).to(log_px.dtype)


def weighted_bound(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    log_prior = -0.5 * (z**2).sum(2)  # [B, K]; ½ log 2π cancels below
    squares = (z - mu[:, None]) ** 2 / logvar.exp()[:, None]  # [B, K, Z]
    log_q = -0.5 * (squares + logvar[:, None]).sum(2)  # [B, K]
    weights = log_px + log_prior - log_q  # [B, K]
    return weights.logsumexp(1) - math.log(log_px.size(1))  # [B]


def weighted_bound_by_torch(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    q = Normal(mu.unsqueeze(1), torch.exp(logvar / 2).unsqueeze(1))
    weights = log_px + (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(-1)
    largest = weights.max(dim=1, keepdim=True).values
    return (largest + (weights - largest).exp().mean(1, keepdim=True).log()).squeeze(1)


# ---------------------------------------------------------------- wrong answers


def parts(z: Tensor, mu: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    """log p(z) and log q(z|x), ``[B, K]`` each."""
    q = Normal(mu[:, None], torch.exp(logvar / 2)[:, None])
    return Normal(0.0, 1.0).log_prob(z).sum(2), q.log_prob(z).sum(2)


def from_weights(reduce):
    def answer(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        p, q = parts(z, mu, logvar)
        return reduce(log_px + p - q)

    return answer


def log_mean_exp(weights: Tensor) -> Tensor:
    return weights.logsumexp(1) - math.log(weights.size(1))


def without_q(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return log_mean_exp(log_px + parts(z, mu, logvar)[0])


def without_both(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return log_mean_exp(log_px)


def without_p(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return log_mean_exp(log_px - parts(z, mu, logvar)[1])


def closed_kl(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return log_mean_exp(log_px) - 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(1)


def swapped(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    p, q = parts(z, mu, logvar)
    return log_mean_exp(log_px + q - p)


def mean_over_z(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    p, q = parts(z, mu, logvar)
    return log_mean_exp(log_px + (p - q) / z.size(2))


def variance_is_deviation(log_px: Tensor, z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    p, q = parts(z, mu, 2 * logvar)
    return log_mean_exp(log_px + p - q)


MUTANTS = (
    Mutant("elbo", from_weights(lambda w: w.mean(1))),
    Mutant("sum", from_weights(lambda w: w.logsumexp(1))),
    Mutant("largest", from_weights(lambda w: w.amax(1))),
    Mutant("underflow", from_weights(lambda w: w.exp().mean(1).log())),
    Mutant("over_batch", from_weights(lambda w: w.logsumexp(0) - math.log(w.size(0)))),
    Mutant("one_number", from_weights(lambda w: log_mean_exp(w).mean())),
    Mutant("without_q", without_q),
    Mutant("without_p", without_p),
    Mutant("without_both", without_both),
    Mutant("closed_kl", closed_kl),
    Mutant("swapped", swapped),
    Mutant("mean_over_z", mean_over_z),
    Mutant("variance_is_deviation", variance_is_deviation),
)


def probes(generator: torch.Generator) -> list[Probe]:
    fixed = torch.Generator().manual_seed(0)
    example = torch.tensor(MU), torch.tensor(VARIANCE).log()
    noise = torch.randn(2, 3, 3, generator=fixed)
    z = example[0][:, None] + torch.exp(example[1] / 2)[:, None] * noise
    log_px = torch.tensor([[-9.0, -7.0, -12.0], [-3.0, -8.0, -4.0]])
    drawn = [(log_px, z, *example)]
    for B, K, Z in SHAPES:
        mu, logvar = code(B, Z, generator)
        noise = torch.randn(B, K, Z, generator=generator)
        z = mu[:, None] + torch.exp(logvar / 2)[:, None] * noise
        drawn.append((-20 * torch.rand(B, K, generator=generator), z, mu, logvar))
    far = drawn[1]
    drawn.append((far[0] - 2000.0, *(part.clone() for part in far[1:])))  # a long sentence
    names = ("log_px", "z", "mu", "logvar")
    return [
        Probe(
            dict(zip(names, four, strict=True)),
            f"log_px {list(four[0].shape)}, z {list(four[1].shape)}; "
            f"log_px[0] = {[round(x, 1) for x in four[0][0].tolist()]}",
        )
        for four in drawn
    ]


TASK = FunctionTask(
    spec=weighted_bound_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "10.6",
        "weighted_bound",
        kind="I",
        difficulty=4,
        importance=4,
        minutes=20,
        points=5,
        task=TASK,
        reference=weighted_bound,
        words=words_beside(__file__),
        alternatives=(weighted_bound_by_torch,),
    ),
)
