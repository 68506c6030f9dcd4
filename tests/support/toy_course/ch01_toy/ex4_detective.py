"""1.4: a test that tells right means from wrong ones."""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside
from tests.support.toy_course.ch01_toy.ex3_weighted_mean import (
    plain_mean,
    weighted_mean,
    weighted_mean_by_product,
    weighted_mean_spec,
    weighted_sum,
)


def wrong_sign(values: Tensor, weights: Tensor) -> Tensor:
    return -weighted_mean(values, weights)


def without_the_last(values: Tensor, weights: Tensor) -> Tensor:
    return weighted_mean(values[:-1], weights[:-1])


def nudged(values: Tensor, weights: Tensor) -> Tensor:
    """Right, but for the last digit."""
    return weighted_mean(values, weights) * (1 + 3e-7)


def test_mean(mean: Callable) -> None:
    values, weights = torch.tensor([1.0, 4.0, 2.0]), torch.tensor([3.0, 1.0, 2.0])
    torch.testing.assert_close(mean(values, weights), torch.tensor(11 / 6))


TASK = DetectiveTask(
    innocent=(weighted_mean_spec, weighted_mean, weighted_mean_by_product),
    suspects={
        "unweighted": plain_mean,
        "total": weighted_sum,
        "sign": wrong_sign,
        "no_end": without_the_last,
    },
    patient="unweighted",
    tiers=((1, 2), (3, 2), (4, 1)),
    called=("mean", "means"),
)

EXERCISES = (
    detective("1.4", test_mean, TASK, difficulty=4, minutes=15, words=words_beside(__file__)),
)
