"""What a latent model is trained with, and how it is measured: losses, bounds, collapse."""

import math
from collections import Counter
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.batching import Batch
from seq2seq_lib.decoder import log_probs
from seq2seq_lib.latent.model import LatentLoss, LatentSeq2Seq, reparameterise, sources
from seq2seq_lib.losses import LossSum, gaussian_kl, masked_nll_loss
from seq2seq_lib.runtime import evaluation_mode


def latent_loss(
    kl_schedule: Callable[[int], float] | None = None,
    free_bits: float = 0.0,
    word_dropout: float = 0.0,
) -> Callable[[LatentSeq2Seq, Batch, int], LossSum]:
    """The ``loss_function`` of ``training.fit``: in training ``LatentLoss.objective``.

    In evaluation ``LatentLoss.bound``, where nothing is annealed, floored or dropped, so that all
    epochs compare. ``kl_schedule`` maps the step to kl_weight, which is 1 when left out:
    ``lambda step: linear(step, start=0, end=1, num_steps=1000)``.
    """

    def loss(model: LatentSeq2Seq, batch: Batch, step: int) -> LossSum:
        if not model.training:
            return model.elbo(batch).bound
        weight = 1.0 if kl_schedule is None else kl_schedule(step)
        terms = model.elbo(batch, kl_weight=weight, free_bits=free_bits, word_dropout=word_dropout)
        return terms.objective

    return loss


def evaluate_elbo(
    model: LatentSeq2Seq, loader: Iterable[Batch], *, device: torch.device | str = "cpu"
) -> LatentLoss:
    """The terms for every sentence of a loader, without dropout or gradient, KL weight 1.

    A sentence that comes again has another noise: its occurrences are counted over all batches.
    """
    losses, seen = [], Counter()
    with evaluation_mode(model):
        for batch in loader:
            occurrence = []
            for source in map(tuple, sources(batch)):
                occurrence.append(seen[source])
                seen[source] += 1
            losses.append(model.elbo(batch.to(device), occurrence=occurrence))
    if not losses:
        raise ValueError("evaluate_elbo got an empty loader.")
    parts = ("reconstruction", "mu", "logvar", "tokens")
    return LatentLoss(*(torch.cat([getattr(loss, part) for loss in losses]) for part in parts))


def active_units(mu: Tensor, threshold: float = 0.01) -> int:
    """How many dimensions say something about x: Var over the data of mu > threshold.

    Burda et al. 2015. ``mu`` is ``[N, Z]`` for N ≥ 2 sentences: ``evaluate_elbo(…).mu``.
    """
    if mu.dim() != 2 or len(mu) < 2:
        raise ValueError(f"mu must be [N, Z] with N ≥ 2 sentences, but it is {list(mu.shape)}.")
    if not torch.isfinite(mu).all():
        raise ValueError("mu holds NaN or infinity: no unit can be called active or not.")
    return int((mu.var(0) > threshold).sum())


def kl_per_dimension(mu: Tensor, logvar: Tensor) -> Tensor:
    """Nats of each dimension, ``[N, Z]`` twice to ``[Z]``; their sum is the mean KL a sentence."""
    columns = zip(mu.split(1, dim=1), logvar.split(1, dim=1), strict=True)  # Z times [N, 1]
    return torch.stack([gaussian_kl(*column).mean() for column in columns])


def interpolate(z_a: Tensor, z_b: Tensor, steps: int) -> Tensor:
    """``[Z]`` twice to ``[steps, Z]``: (1 − t) z_a + t z_b, equidistant t; both ends are exact."""
    check_positive(steps, "steps")
    if steps == 1 or z_a.dim() != 1 or z_a.shape != z_b.shape:
        came = f"{list(z_a.shape)}, {list(z_b.shape)} and {steps}"
        raise ValueError(f"interpolate needs two codes [Z] and steps ≥ 2, but got {came}.")
    t = torch.linspace(0, 1, steps, dtype=z_a.dtype, device=z_a.device)[:, None]  # [steps, 1]
    return (1 - t) * z_a + t * z_b


def log_normal(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log N(z; mu, diag exp(logvar)) in nats, ``[..., Z]`` each, broadcast, to ``[...]``."""
    squares = (z - mu) ** 2 * torch.exp(-logvar)
    return -0.5 * (squares + logvar + math.log(2 * math.pi)).sum(-1)


def importance_bound(
    model: LatentSeq2Seq, batch: Batch, num_samples: int, generator: torch.Generator
) -> Tensor:
    """An upper bound of −log p(x), nats a sentence, ``[B]``; with one sample it is a −ELBO.

        log p(x) ≥ E log mean_k p(x|z_k) p(z_k) / q(z_k|x)        (Burda et al. 2015, equation 8)

    In expectation it falls as ``num_samples`` grow. Without dropout or gradient.
    """
    check_positive(num_samples, "num_samples")
    weights = []
    with evaluation_mode(model):
        mu, logvar = model.encode(batch.src, batch.src_lengths)  # [B, Z] each
        for _ in range(num_samples):
            z = reparameterise(mu, logvar, model.prior(len(mu), generator))  # [B, Z]
            scores = log_probs(model.decode(batch.tgt_in, z))  # [B, T, V]
            nll = masked_nll_loss(scores, batch.tgt_out, batch.tgt_mask, reduction="none")
            prior = log_normal(z, torch.zeros_like(mu), torch.zeros_like(mu))
            weights.append(prior - log_normal(z, mu, logvar) - nll.sum(1))  # [B]
    return math.log(num_samples) - torch.stack(weights).logsumexp(0)


def mutual_information(mu: Tensor, logvar: Tensor, noise: Tensor) -> float:
    """How many nats z tells of which sentence it came from, estimated; at most log N.

        mean over x of  log q(z|x) − log mean over x' of q(z|x'),   z ~ q(z|x)

    All arguments are ``[N, Z]``. The KL is this plus KL(q(z) ‖ prior) (Hoffman & Johnson 2016).
    """
    if mu.dim() != 2 or not mu.shape == logvar.shape == noise.shape:
        shapes = [list(part.shape) for part in (mu, logvar, noise)]
        raise ValueError(f"mu, logvar and noise must all be [N, Z], but they are {shapes}.")
    z = reparameterise(mu, logvar, noise)
    own = log_normal(z, mu, logvar)  # [N]
    all_pairs = log_normal(z[:, None], mu[None], logvar[None])  # [N, 1, Z], [1, N, Z] -> [N, N]
    return (own - all_pairs.logsumexp(1) + math.log(len(z))).mean().item()
