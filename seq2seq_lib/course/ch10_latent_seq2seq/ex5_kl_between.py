"""Exercise 10.5: the KL between two Gaussians, for a prior that is learned."""

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seq2seq_lib.course.ch10_latent_seq2seq.common import MU, SIZES, VARIANCE, code
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

MU_P = [[0.5, -1.0, 0.0], [0.0, 1.0, 1.0]]
VARIANCE_P = [[2.0, 1.0, 1.0], [0.5, 4.0, 1.0]]


def kl_between_spec(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    rows = []
    for b in range(len(mu_q)):
        total = torch.zeros(())
        for d in range(mu_q.size(1)):
            var_q, var_p = logvar_q[b, d].exp(), logvar_p[b, d].exp()
            moment = var_q + (mu_q[b, d] - mu_p[b, d]) ** 2  # E_q (z - mu_p)²
            total = total + (logvar_p[b, d] - logvar_q[b, d] + moment / var_p - 1) / 2
        rows.append(total)
    return torch.stack(rows)


def kl_between(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    moment = logvar_q.exp() + (mu_q - mu_p) ** 2  # [B, Z], E_q (z - mu_p)²
    cells = logvar_p - logvar_q + moment / logvar_p.exp() - 1
    return 0.5 * cells.sum(1)  # [B]


def kl_between_by_torch(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    q, p = Normal(mu_q, torch.exp(logvar_q / 2)), Normal(mu_p, torch.exp(logvar_p / 2))
    return kl_divergence(q, p).sum(-1)


# ---------------------------------------------------------------- wrong answers


def with_cells(cells):
    """A wrong answer from what it makes of one cell: (mu_q, variance q, mu_p, variance p)."""

    def answer(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
        return 0.5 * cells(mu_q, logvar_q.exp(), mu_p, logvar_p.exp()).sum(1)

    return answer


def over(reduce):
    return lambda *four: reduce(kl_cells(*four))


def kl_cells(mu_q: Tensor, logvar_q: Tensor, mu_p: Tensor, logvar_p: Tensor) -> Tensor:
    return 0.5 * (
        logvar_p - logvar_q + torch.exp(logvar_q - logvar_p) - 1
        + (mu_q - mu_p) ** 2 * torch.exp(-logvar_p)
    )  # fmt: skip


MUTANTS = (
    Mutant("swapped", lambda mq, lq, mp, lp: kl_between(mp, lp, mq, lq)),
    Mutant("shift", with_cells(lambda m, v, mp, vp: (vp / v).log() + v / vp + (m - mp) ** 2 - 1)),
    Mutant("ratio", with_cells(lambda m, v, mp, vp: (v / vp).log() + (v + (m - mp) ** 2) / vp - 1)),
    Mutant("standard", with_cells(lambda m, v, mp, vp: v + m**2 - 1 - v.log())),
    Mutant("wide", with_cells(lambda m, v, mp, vp: (vp / v).log() + v + (m - mp) ** 2 - 1)),
    Mutant("log_deviation", lambda mq, lq, mp, lp: kl_between(mq, 2 * lq, mp, 2 * lp)),
    Mutant("half", over(lambda cells: 2 * cells.sum(1))),
    Mutant("one", over(lambda cells: (cells + 0.5).sum(1))),
    Mutant("mean_over_z", over(lambda cells: cells.mean(1))),
    Mutant("one_number", over(lambda cells: cells.sum(1).mean())),
    Mutant("not_summed", over(lambda cells: cells)),
)


def probes(generator: torch.Generator) -> list[Probe]:
    example = [torch.tensor(MU), torch.tensor(VARIANCE).log()]
    example += [torch.tensor(MU_P), torch.tensor(VARIANCE_P).log()]
    q = code(3, 2, generator)
    drawn = [tuple(example), (*q, *q)]  # q = p: nothing
    drawn += [(*code(B, Z, generator), *code(B, Z, generator)) for B, Z in SIZES]
    names = ("mu_q", "logvar_q", "mu_p", "logvar_p")
    return [
        Probe(
            dict(zip(names, (part.clone() for part in four), strict=True)),
            f"q and p of shape {list(four[0].shape)}; in cell [0, 0] q = N({four[0][0, 0]:.2f}, "
            f"{four[1][0, 0].exp():.2f}) and p = N({four[2][0, 0]:.2f}, {four[3][0, 0].exp():.2f})",
        )
        for four in drawn
    ]


TASK = FunctionTask(
    spec=kl_between_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="mu_q",
)
EXERCISES = (
    Exercise(
        "10.5",
        "kl_between",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=kl_between,
        words=words_beside(__file__),
        alternatives=(kl_between_by_torch,),
    ),
)
