"""Exercise 6.8b: a test for what a decoder reads and what it must say."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq_lib.course.ch06_teacher_forcing.ex8c_shift_right import shift_right
from seq2seq_lib.course.ch06_teacher_forcing.patient import patient_pair
from seq2seq_lib.course.judging.detective_task import DetectiveTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

Two = tuple[Tensor, Tensor]
Targets = list[list[int]]


def test_patient(make_pair: Callable) -> None:
    targets = [[5, 6, 7], [8], [6, 9, 4, 5]]
    tgt_in, tgt_out = make_pair(targets)
    for row, target in enumerate(targets):
        length = len(target) + 1
        assert tgt_out[row, :length].tolist() == [*target, EOS_ID]
        assert tgt_in[row, :length].tolist() == [BOS_ID, *target]
        assert (tgt_out[row, length:] == PAD_ID).all()


def test_patient_by_shift(make_pair: Callable) -> None:
    targets = [[7, 8], [4, 5, 6]]
    tgt_in, tgt_out = make_pair(targets)
    assert (tgt_in[:, 0] == BOS_ID).all()
    real = tgt_out[:, 1:] != PAD_ID
    assert (tgt_in[:, 1:][real] == tgt_out[:, :-1][real]).all()
    assert tgt_out.tolist() == [[7, 8, EOS_ID, PAD_ID], [4, 5, 6, EOS_ID]]


# ---------------------------------------------------------------- right and wrong ones


def padded(rows: Targets) -> Tensor:
    tensors = [torch.tensor(row, dtype=torch.int64) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=PAD_ID)


def two_tables(targets: Targets) -> Two:
    ended = padded([[*target, EOS_ID] for target in targets])
    return padded([[BOS_ID, *target] for target in targets]), ended


def one_table_cut_twice(targets: Targets) -> Two:
    table = padded([[BOS_ID, *target, EOS_ID] for target in targets])
    return table[:, :-1], table[:, 1:]  # EOS is read in short rows, by nobody who counts


def shifted(targets: Targets) -> Two:
    tgt_out = two_tables(targets)[1]
    return shift_right(tgt_out), tgt_out


def as_a_list(targets: Targets) -> list[Tensor]:
    return list(two_tables(targets))


def rolled(targets: Targets) -> Two:
    tgt_out = two_tables(targets)[1]
    return tgt_out.roll(1, 1), tgt_out


def next_but_one(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return shift_right(tgt_in), tgt_out


def no_bos(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return tgt_in.masked_fill(tgt_in == BOS_ID, PAD_ID), tgt_out


def no_end(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return tgt_in, tgt_out.masked_fill(tgt_out == EOS_ID, PAD_ID)


def wrong_way(targets: Targets) -> Two:
    tgt_in, tgt_out = two_tables(targets)
    return tgt_out, tgt_in


def longest_first(targets: Targets) -> Two:
    return two_tables(sorted(targets, key=len, reverse=True))


SUSPECTS = {
    "no_shift": patient_pair,
    "rolled": rolled,
    "next_but_one": next_but_one,
    "no_bos": no_bos,
    "no_end": no_end,
    "wrong_way": wrong_way,
    "longest_first": longest_first,
}
TASK = DetectiveTask(
    (two_tables, one_table_cut_twice, shifted),
    SUSPECTS,
    patient="no_shift",
    tiers=((1, 2), (5, 2), (len(SUSPECTS), 1)),
    called=("pair maker", "pair makers"),
    also_right={"other_form": as_a_list},
)
EXERCISES = (
    Exercise(
        "6.8b",
        "test_patient",
        kind="D",
        difficulty=3,
        importance=5,
        minutes=12,
        points=5,
        task=TASK,
        reference=test_patient,
        words=words_beside(__file__),
        alternatives=(test_patient_by_shift,),
    ),
)
