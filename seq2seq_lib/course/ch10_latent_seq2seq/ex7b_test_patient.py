"""Exercise 10.7b: a test that rejects the patient and lets right losses pass."""

from typing import Any

import torch

from seq2seq_lib.course.ch10_latent_seq2seq import ex7c_fixed_loss as losses
from seq2seq_lib.course.ch10_latent_seq2seq.patient import patient_loss
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective, last_digit
from seq2seq_lib.course.judging.words import words_beside


def test_patient(loss_function: Any) -> None:
    nll = torch.tensor([[3.0, 50.0], [2.0, 6.0]])  # [B, T], a pad in row 0
    mask = torch.tensor([[True, False], [True, True]])
    mu = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 1.0]])  # [B, Z]
    variance = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 4.0]])
    logvar = variance.log()
    # row 0: 3, and (1 + 4) / 2; row 1: 8, and (1 + 4 - 1 - log 4) / 2
    expected = (3 + 2.5 + 8 + (4 - logvar[1, 2]) / 2) / 2
    torch.testing.assert_close(loss_function(nll, mask, mu, logvar), expected)


def test_patient_twice(loss_function: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    for B, T, Z in ((3, 4, 2), (2, 5, 6)):
        nll = 4 * torch.rand(B, T, generator=generator)
        mask = torch.arange(T) < torch.arange(2, B + 2)[:, None]
        mu, logvar = torch.randn(2, B, Z, generator=generator)
        total = nll[mask].sum()
        for m, v in zip(mu.flatten(), logvar.flatten(), strict=True):
            total = total + (m * m + v.exp() - 1 - v) / 2
        assert abs(loss_function(nll, mask, mu, logvar) - total / B) < 1e-3


INNOCENT = (
    losses.by_torch,
    losses.vae_loss_spec,
    losses.fixed_loss,
    losses.row_by_row,
)
SUSPECTS = {
    "mean_over_z": patient_loss,
    "token_mean": losses.token_mean,
    "both_means": losses.both_means,
    "pads_counted": losses.pads_counted,
    "summed_batch": losses.summed_batch,
    "without_kl": losses.without_kl,
    "kl_subtracted": losses.kl_subtracted,
    "log_deviation": losses.log_deviation,
}
TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="mean_over_z",
    tiers=((1, 2), (6, 2), (len(SUSPECTS), 1)),
    called=("loss", "losses"),
    also_right={"last_digits": last_digit(INNOCENT[0])},
)
EXERCISES = (
    detective(
        "10.7b",
        test_patient,
        TASK,
        difficulty=4,
        minutes=15,
        words=words_beside(__file__),
        alternatives=(test_patient_twice,),
    ),
)
