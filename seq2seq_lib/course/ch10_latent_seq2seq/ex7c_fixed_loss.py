"""Exercise 10.7c: the patient, healed. Its alternatives are the innocents of 10.7b."""

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seq2seq_lib.course.ch10_latent_seq2seq.common import SIZES, code
from seq2seq_lib.course.ch10_latent_seq2seq.patient import patient_loss
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask


def vae_loss_spec(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    total = torch.zeros(())
    for b in range(len(nll)):
        for t in range(nll.size(1)):
            if mask[b, t]:
                total = total + nll[b, t]
        for d in range(mu.size(1)):
            total = total + (mu[b, d] ** 2 + logvar[b, d].exp() - 1 - logvar[b, d]) / 2
    return total / len(nll)


def fixed_loss(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    reconstruction = (nll * mask).sum(1)  # [B]
    kl = -0.5 * torch.sum(1 + logvar - mu.square() - logvar.exp(), dim=-1)  # [B]
    return (reconstruction + kl).mean()


def by_torch(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    kl = kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(0.0, 1.0)).sum()
    return (nll.masked_select(mask).sum() + kl) / nll.size(0)


def row_by_row(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    bounds = [
        losses[real].sum() + (m.square() + v.exp() - 1 - v).sum() / 2
        for losses, real, m, v in zip(nll, mask, mu, logvar, strict=True)
    ]
    return torch.stack(bounds).mean()


# ---------------------------------------------------------------- wrong answers


def terms(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    """Losses with 0 at pads ``[B, T]``, and the KL of each dimension ``[B, Z]``."""
    return nll * mask, 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def over_everything(*batch: Tensor) -> Tensor:
    losses, kl = terms(*batch)
    return losses.sum(1).mean() + kl.mean()


def token_mean(*batch: Tensor) -> Tensor:
    losses, kl = terms(*batch)
    return losses.sum() / batch[1].sum() + kl.sum(1).mean()


def both_means(*batch: Tensor) -> Tensor:
    losses, kl = terms(*batch)
    return losses.sum() / batch[1].sum() + kl.mean()


def pads_counted(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return fixed_loss(nll, torch.ones_like(mask), mu, logvar)


def summed_batch(*batch: Tensor) -> Tensor:
    return fixed_loss(*batch) * len(batch[0])


def without_kl(*batch: Tensor) -> Tensor:
    return terms(*batch)[0].sum(1).mean()


def kl_subtracted(*batch: Tensor) -> Tensor:
    losses, kl = terms(*batch)
    return (losses.sum(1) - kl.sum(1)).mean()


def log_deviation(nll: Tensor, mask: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return fixed_loss(nll, mask, mu, 2 * logvar)


def double_kl(*batch: Tensor) -> Tensor:
    losses, kl = terms(*batch)
    return (losses.sum(1) + 2 * kl.sum(1)).mean()


MUTANTS = (
    Mutant("mean_over_z", patient_loss),
    Mutant("mean_over_z", over_everything),
    Mutant("token_mean", token_mean),
    Mutant("both_means", both_means),
    Mutant("pads_counted", pads_counted),
    Mutant("summed_batch", summed_batch),
    Mutant("without_kl", without_kl),
    Mutant("kl_subtracted", kl_subtracted),
    Mutant("log_deviation", log_deviation),
    Mutant("double_kl", double_kl),
    Mutant("shape", lambda *batch: terms(*batch)[0].sum(1) + terms(*batch)[1].sum(1)),
    Mutant("no_gradient", lambda *batch: fixed_loss(*batch).detach()),
)


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = []
    for number, (B, Z) in enumerate(SIZES):
        T = 1 if number == 5 else 4 + number
        lengths = torch.randint(1, T + 1, (B,), generator=generator)
        mask = sequence_mask(lengths, T)
        nll = 1 + 5 * torch.rand(B, T, generator=generator)
        nll = nll.where(mask, 50.0)
        mu, logvar = code(B, Z, generator)
        args = {"nll": nll, "mask": mask, "mu": mu, "logvar": logvar}
        fed = f"nll [{B}, {T}], lengths {lengths.tolist()}, mu and logvar [{B}, {Z}]"
        drawn.append(Probe(args, fed))
    return drawn


TASK = FunctionTask(
    spec=vae_loss_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="mu",
)
EXERCISES = (
    Exercise(
        "10.7c",
        "fixed_loss",
        kind="D",
        difficulty=2,
        importance=4,
        minutes=5,
        points=3,
        task=TASK,
        reference=fixed_loss,
        words=words_beside(__file__),
        alternatives=(by_torch, row_by_row),
    ),
)
