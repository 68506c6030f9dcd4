"""Exercise 5.8b: a test that rejects the patient and lets right losses pass."""

from typing import Any

import torch
import torch.nn.functional as F

from seq2seq_lib.course.ch05_nll_vs_cross_entropy import losses_of_rows as losses
from seq2seq_lib.course.ch05_nll_vs_cross_entropy.patient import patient_loss
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective, last_digit
from seq2seq_lib.course.judging.words import words_beside


def test_patient(loss_function: Any) -> None:
    even, targets = torch.zeros(3, 5), torch.tensor([0, 1, 4])  # N = 3 and V = 5 differ
    torch.testing.assert_close(loss_function(even, targets), torch.tensor(5.0).log())
    votes = torch.tensor([[1.0, 2, 3, 6, 8], [4, 1, 9, 2, 4]])
    found = loss_function(votes.log(), torch.tensor([3, 2]))
    due = -(torch.tensor(6 / 20).log() + torch.tensor(9 / 20).log()) / 2
    torch.testing.assert_close(found, due)
    far = torch.tensor([[0.0, 200.0]])
    torch.testing.assert_close(loss_function(far, torch.tensor([0])), torch.tensor(200.0))


def test_patient_against_the_definition(loss_function: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    for scale in (1.0, 150.0):
        logits = torch.randn(4, 6, generator=generator) * scale
        targets = torch.randint(6, (4,), generator=generator)
        due = F.cross_entropy(logits.double(), targets)
        assert abs(loss_function(logits, targets) - due) < 1e-3


# ---------------------------------------------------------------- innocents and suspects

INNOCENT = (
    losses.of_logits,
    losses.loss_spec,
    losses.normalised_twice,
    losses.log_shares_as_logits,
    losses.lse_minus_target,
    losses.one_hot_product,
)
SUSPECTS = {
    "shares_to_nll": patient_loss,
    "logits_to_nll": losses.logits_to_nll,
    "turned_round": losses.turned_round,
    "shares_to_cross_entropy": losses.shares_to_cross_entropy,
    "over_tokens": losses.over_tokens,
    "log_of_softmax": losses.log_of_softmax,
}
TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="shares_to_nll",
    tiers=((1, 2), (5, 2), (len(SUSPECTS), 1)),
    called=("loss", "losses"),
    also_right={"last_digits": last_digit(INNOCENT[0])},
)
EXERCISES = (
    detective(
        "5.8b",
        test_patient,
        TASK,
        difficulty=4,
        minutes=12,
        words=words_beside(__file__),
        alternatives=(test_patient_against_the_definition,),
    ),
)
