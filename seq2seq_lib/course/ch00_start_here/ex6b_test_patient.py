"""Exercise 0.6b: a test that finds last states which depend on the batch."""

from collections.abc import Callable

import torch

from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.course.ch00_start_here import states
from seq2seq_lib.course.ch00_start_here.patient import patient_encode
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside


def test_patient(encode: Callable) -> None:
    sentences = [[7, 3, 2], [4, 5, 6, 8, 2], [2], [9, 10, 3, 2]]
    src, lengths = pad_sequences(sentences)
    together = encode(src, lengths)
    for row, sentence in enumerate(sentences):
        alone = encode(torch.tensor([sentence]), torch.tensor([len(sentence)]))
        torch.testing.assert_close(together[row], alone[0], rtol=1e-4, atol=1e-5)


def test_patient_with_a_neighbour(encode: Callable) -> None:
    sentence = torch.tensor([[5, 6, 2]])
    alone = encode(sentence, torch.tensor([3]))[0]
    for place, neighbour in ((0, [9, 8, 7, 6, 5, 4, 2]), (1, [9, 8, 7, 6, 5, 4, 2]), (1, [4])):
        rows = [neighbour, [5, 6, 2]] if place else [[5, 6, 2], neighbour]
        found = encode(*pad_sequences(rows))
        assert found.shape[0] == 2 and (found[place] - alone).abs().max() < 1e-4


SUSPECTS = {
    "behind_pads": patient_encode,
    "zeros": states.last_of_packed,
    "one_pad_more": states.one_pad_more,
    "sorted_rows": states.sorted_rows,
    "first_length": states.length_of_the_first,
    "shortest": states.shortest,
    "mean": states.mean_of_columns,
}
TASK = DetectiveTask(
    (states.one_by_one, states.packed, states.gathered),
    SUSPECTS,
    patient="behind_pads",
    tiers=((1, 1), (len(SUSPECTS), 1)),
    called=("encoder", "encoders"),
    also_right={"last_digits": states.wider_by_a_digit},
)
EXERCISES = (
    detective(
        "0.6b",
        test_patient,
        TASK,
        difficulty=3,
        minutes=8,
        words=words_beside(__file__),
        alternatives=(test_patient_with_a_neighbour,),
    ),
)
