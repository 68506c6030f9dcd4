"""Exercise 12.5b: a test for the loss of a window of micro-batches."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from seq2seq_lib.course.ch12_several_processes import windows
from seq2seq_lib.course.ch12_several_processes.patient import patient_loss
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective, last_digit
from seq2seq_lib.course.judging.words import words_beside


def test_patient(window_loss: Callable) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(12, 5), torch.randint(5, (12,))
    labels[:3] = -100
    whole = window_loss([(logits, labels)])
    torch.testing.assert_close(whole, F.cross_entropy(logits, labels))
    for sizes in ([8, 4], [3, 7, 2]):  # the first 3 places hold no label
        pieces = list(zip(logits.split(sizes), labels.split(sizes), strict=True))
        torch.testing.assert_close(window_loss(pieces), whole)


def test_patient_by_counting(window_loss: Callable) -> None:
    torch.manual_seed(1)
    logits = torch.randn(9, 4)
    labels = torch.tensor([-100, -100, 1, 3, 0, -100, 2, 2, 1])
    nll = -logits.log_softmax(-1)
    expected = sum(float(nll[i, y]) for i, y in enumerate(labels.tolist()) if y >= 0) / 6
    for cut in (2, 5, 8):
        found = window_loss([(logits[:cut], labels[:cut]), (logits[cut:], labels[cut:])])
        assert abs(float(found) - expected) < 1e-4


SUSPECTS = {
    "sum_of_means": patient_loss,
    "average_of_means": windows.average_of_means,
    "all_places": windows.all_places,
    "weighed_by_places": windows.weighed_by_places,
    "last_only": windows.last_only,
    "divided_again": windows.divided_again,
    "nan_share": windows.nan_share,
}
TASK = DetectiveTask(
    (windows.joined, windows.sums_divided_once),
    SUSPECTS,
    patient="sum_of_means",
    tiers=((1, 2), (5, 1), (len(SUSPECTS), 1)),
    called=("loss of a window", "losses of a window"),
    also_right={"last_digits": last_digit(windows.joined)},
)
EXERCISES = (
    detective(
        "12.5b",
        test_patient,
        TASK,
        difficulty=3,
        minutes=8,
        words=words_beside(__file__),
        alternatives=(test_patient_by_counting,),
    ),
)
