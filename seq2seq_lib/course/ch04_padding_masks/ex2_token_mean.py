"""Exercise 4.2, in the chapter: the mean loss of a real token."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.probes import (
    FIXED,
    HUGE,
    batches,
    fed,
    law_3,
    pad_counted,
    shown_losses,
)
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import Verdict
from seq2seq_lib.masks import sequence_mask


def token_mean_spec(nll: Tensor, mask: Tensor) -> Tensor:
    losses = [nll[b, t] for b, t in mask.nonzero().tolist()]
    return torch.stack(losses).mean()


def token_mean(nll: Tensor, mask: Tensor) -> Tensor:
    return nll.masked_fill(~mask, 0).sum() / mask.sum()  # filled: 0 * inf would be NaN


def token_mean_by_product(nll: Tensor, mask: Tensor) -> Tensor:
    return (nll * mask).sum().div(mask.count_nonzero())


def token_mean_by_select(nll: Tensor, mask: Tensor) -> Tensor:
    return nll[mask].mean()


# ---------------------------------------------------------------- wrong answers


def step_means(nll: Tensor, mask: Tensor) -> Tensor:
    return ((nll * mask).sum(0) / mask.sum(0).clamp(min=1))[mask.any(0)].mean()


def fills_in_place(nll: Tensor, mask: Tensor) -> Tensor:
    nll[~mask] = 0.0
    return nll.sum() / mask.sum()


def column_meets_row(nll: Tensor, mask: Tensor) -> Tensor:
    return nll.reshape(-1, 1).masked_select(mask.flatten()).mean()  # [B*T, 1] x [B*T]


MUTANTS = (
    Mutant("mask_without_effect", lambda nll, mask: nll.mean()),
    Mutant("mask_without_effect", lambda nll, mask: (nll.mean() * mask).sum() / mask.sum()),
    Mutant("mask_without_effect", column_meets_row),
    Mutant("padded_cells", lambda nll, mask: (nll * mask).mean()),
    Mutant("padded_cells", lambda nll, mask: nll[mask].sum() / nll.numel()),
    Mutant("sentence_mean", lambda nll, mask: ((nll * mask).sum(1) / mask.sum(1)).mean()),
    Mutant("step_mean", step_means),
    Mutant("per_sentence", lambda nll, mask: nll[mask].sum() / len(nll)),
    Mutant("sum", lambda nll, mask: nll[mask].sum()),
    Mutant("leak", lambda nll, mask: nll.sum() / mask.sum()),
    Mutant("inverted", lambda nll, mask: (nll * ~mask).sum() / (~mask).sum()),
    Mutant("inverted", lambda nll, mask: nll.masked_fill(mask, 0).sum() / (~mask).sum()),
    Mutant("inverted", lambda nll, mask: nll[~mask].mean()),
    Mutant("inverted", lambda nll, mask: nll.masked_fill(mask, 0).sum() / mask.sum()),
    Mutant("sign", lambda nll, mask: -nll[mask].mean()),
    Mutant("perplexity", lambda nll, mask: nll[mask].mean().exp()),
    Mutant("not_reduced", lambda nll, mask: (nll * mask).sum(1) / mask.sum(1)),
    Mutant("not_reduced", lambda nll, mask: nll[mask]),
    Mutant("plain_number", lambda nll, mask: nll[mask].mean().item()),
    Mutant("no_gradient", lambda nll, mask: nll[mask].mean().detach()),
    Mutant("argument_changed", fills_in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    fixed = torch.Generator().manual_seed(4)
    drawn = []
    for number, (lengths, T) in enumerate(batches(generator)):
        source = fixed if number < FIXED else generator
        mask = sequence_mask(lengths, T)
        real = torch.randint(1, 7, mask.shape, generator=source).float()
        nll = real.where(mask, HUGE * torch.rand(mask.shape, generator=source))  # [B, T]
        drawn.append(Probe({"nll": nll, "mask": mask}, fed(lengths, T) + shown_losses(nll, mask)))
    return drawn


def law(answer) -> Verdict:
    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        return answer(F.cross_entropy(logits.mT, targets, reduction="none"), mask)

    return law_3(loss)


TASK = FunctionTask(
    spec=token_mean_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="nll",
    law=law,
    explain=pad_counted,
)
EXERCISES = (
    Exercise(
        "4.2",
        "token_mean",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=token_mean,
        words=words_beside(__file__),
        alternatives=(token_mean_by_select, token_mean_by_product),
    ),
)
