"""Exercise 4.8c: the patient, healed. Its alternatives are the innocents of 4.8b."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.patient import patient_loss
from seq2seq_lib.course.ch04_padding_masks.probes import law_3, log_prob_probes, pad_counted
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import Verdict
from seq2seq_lib.masks import sequence_mask


def masked_nll_spec(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    losses = []
    for b, length in enumerate(lengths.tolist()):
        for t in range(length):
            losses.append(-log_probs[b, t, targets[b, t]])
    return torch.stack(losses).mean()


def fixed_loss(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t  # [B], True where sentence b still has a token
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1]).squeeze(1)  # [B], as the mask
        total = total + nll[mask].sum()
        tokens += int(mask.sum())
    return total / tokens


def by_product(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll * mask).sum() / mask.sum()


def by_select(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, targets.size(1))  # [B, T]
    return F.nll_loss(log_probs[mask], targets[mask])  # [N, V], [N] -> []


def row_by_row(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total = torch.zeros(())
    for row, ids, length in zip(log_probs, targets, lengths.tolist(), strict=True):
        total = total - row[range(length), ids[:length]].sum()
    return total / lengths.sum()


def by_ignoring(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    # cross_entropy takes log_softmax once more, which changes nothing: it is idempotent
    ignored = targets.masked_fill(~sequence_mask(lengths, targets.size(1)), -100)
    return F.cross_entropy(log_probs.flatten(0, 1), ignored.flatten())


# ---------------------------------------------------------------- wrong answers


def parts(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """NLL ``[B, T]`` and mask ``[B, T]``."""
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]
    return nll, sequence_mask(lengths, targets.size(1))


def mean_over_everything(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return parts(log_probs, targets, lengths)[0].mean()


def divided_by_cells(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll[mask].sum() / nll.numel()


def mean_of_sentence_means(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll.where(mask, 0).sum(1) / lengths).mean()


def mean_of_step_means(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll.where(mask, 0).sum(0) / mask.sum(0).clamp(min=1))[mask.any(0)].mean()


def summed(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll[mask].sum()


def wrong_sign(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return -by_select(log_probs, targets, lengths)


def leaking(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll.sum() / mask.sum()


def pads_by_id(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return parts(log_probs, targets, lengths)[0][targets != 0].mean()


def pads_become_zero(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    targets = targets.masked_fill(~sequence_mask(lengths, targets.size(1)), 0)
    return F.nll_loss(log_probs.flatten(0, 1), targets.flatten(), ignore_index=0)


def pads_selected(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    pads = ~sequence_mask(lengths, targets.size(1))
    return F.nll_loss(log_probs[pads], targets[pads])


def without_last_token(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return by_select(log_probs, targets, lengths - 1)


def one_too_many(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return by_select(log_probs, targets, (lengths + 1).clamp(max=targets.size(1)))


def sorted_lengths(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return by_select(log_probs, targets, lengths.sort(descending=True).values)


def squeezed(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """The patient's own disease where T = 1: [B] against [B, 1]."""
    nll, mask = (
        -log_probs.gather(2, targets.unsqueeze(2)).squeeze(),
        parts(log_probs, targets, lengths)[1],
    )
    return torch.where(mask, nll, 0.0).sum() / mask.sum()


def half_healed(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total, steps = 0.0, 0
    for t in range(int(lengths.max())):
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1]).squeeze(1)
        total, steps = total + nll[lengths > t].mean(), steps + 1
    return total / steps


def from_probabilities(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return by_select(log_probs.exp(), targets, lengths)


def best_instead_of_target(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return by_select(log_probs, log_probs.argmax(-1), lengths)


def fills_in_place(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    log_probs[~sequence_mask(lengths, targets.size(1))] = 0.0
    return by_product(log_probs, targets, lengths)


MUTANTS = (
    Mutant("broadcast", patient_loss),
    Mutant("mask_without_effect", mean_over_everything),
    Mutant("squeezed", squeezed),
    Mutant("padded_cells", divided_by_cells),
    Mutant("sentence_mean", mean_of_sentence_means),
    Mutant("step_mean", mean_of_step_means),
    Mutant("step_mean", half_healed),
    Mutant("sum", summed),
    Mutant("per_sentence", lambda *batch: summed(*batch) / len(batch[2])),
    Mutant("sign", wrong_sign),
    Mutant("leak", leaking),
    Mutant("pad_is_zero", pads_by_id),
    Mutant("zero_ignored", pads_become_zero),
    Mutant("inverted", pads_selected),
    Mutant("no_end", without_last_token),
    Mutant("one_too_many", one_too_many),
    Mutant("sorted", sorted_lengths),
    Mutant("probabilities", from_probabilities),
    Mutant("best_not_target", best_instead_of_target),
    Mutant("perplexity", lambda *batch: by_select(*batch).exp()),
    Mutant("plain_number", lambda *batch: by_select(*batch).item()),
    Mutant("no_gradient", lambda *batch: by_select(*batch).detach()),
    Mutant("argument_changed", fills_in_place),
)


# ---------------------------------------------------------------- the exercise


def law(answer: Any) -> Verdict:
    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        return answer(logits.log_softmax(-1), targets, mask.sum(1))

    return law_3(loss)


def behind_a_model(logits: Tensor) -> Tensor:
    """Log-probabilities: who takes log_softmax once more changes no number and no gradient."""
    return logits.log_softmax(-1)


TASK = FunctionTask(
    spec=masked_nll_spec,
    probes=log_prob_probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="log_probs",
    leaf=behind_a_model,
    law=law,
    explain=pad_counted,
)
EXERCISES = (
    Exercise(
        "4.8c",
        "fixed_loss",
        kind="D",
        difficulty=2,
        importance=4,
        minutes=6,
        points=3,
        task=TASK,
        reference=fixed_loss,
        words=words_beside(__file__),
        alternatives=(by_product, by_select, row_by_row, by_ignoring),
    ),
)
