"""Exercise 4.8b: a test that rejects the patient and lets right losses pass."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks import ex8c_fixed_loss as losses
from seq2seq_lib.course.ch04_padding_masks.patient import patient_loss
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective, last_digit
from seq2seq_lib.course.judging.words import words_beside


def test_patient(loss_function: Any) -> None:
    nll = torch.tensor([[1.0, 50.0, 70.0], [2.0, 6.0, 90.0]])  # [B, T]; column 2: pads alone
    lengths = torch.tensor([1, 2])  # real: 1; 2, 6
    log_probs = torch.stack([-nll, torch.full_like(nll, -5.0)], -1)  # [B, T, V = 2]
    targets = torch.zeros(2, 3, dtype=torch.int64)
    found = loss_function(log_probs, targets, lengths)
    torch.testing.assert_close(found, torch.tensor((1.0 + 2.0 + 6.0) / 3))


def test_patient_twice(loss_function: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    for lengths in ([4, 1, 2], [2, 5]):
        lengths = torch.tensor(lengths)
        log_probs = torch.randn(len(lengths), 5, 7, generator=generator).log_softmax(-1)
        targets = torch.randint(7, (len(lengths), 5), generator=generator)
        rows = zip(log_probs, targets, lengths, strict=True)
        nll = [-row[t, ids[t]] for row, ids, length in rows for t in range(length)]
        assert abs(loss_function(log_probs, targets, lengths) - sum(nll) / len(nll)) < 1e-4


# ---------------------------------------------------------------- innocents and suspects


def or_zero(loss: Callable) -> Callable:
    """A right loss that gives 0 for a batch of pads alone, so that law 3 fits as a test, too."""

    def defined(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        return loss(log_probs, targets, lengths) if lengths.any() else log_probs.sum() * 0

    return defined


# A batch made by hand need not be normalised, so none of the innocents normalises it.
INNOCENT = tuple(
    or_zero(loss)
    for loss in (
        losses.masked_nll_spec,
        losses.by_product,
        losses.by_select,
        losses.row_by_row,
        losses.fixed_loss,
        last_digit(losses.by_select),
    )
)
SUSPECTS = {
    "broadcast": patient_loss,
    "mask_without_effect": losses.mean_over_everything,
    "leak": losses.leaking,
    "padded_cells": losses.divided_by_cells,
    "sentence_mean": losses.mean_of_sentence_means,
    "sum": losses.summed,
    "no_end": losses.without_last_token,
    "sign": losses.wrong_sign,
}
TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="broadcast",
    tiers=((1, 2), (6, 2), (len(SUSPECTS), 1)),
    called=("loss", "losses"),
)
EXERCISES = (
    detective(
        "4.8b",
        test_patient,
        TASK,
        difficulty=4,
        minutes=15,
        words=words_beside(__file__),
        alternatives=(test_patient_twice,),
    ),
)
