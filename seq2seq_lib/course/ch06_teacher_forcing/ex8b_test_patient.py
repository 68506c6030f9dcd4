"""Exercise 6.8b: a test for what a decoder reads and what it must say."""

from collections.abc import Callable

from seq2seq_lib.course.ch06_teacher_forcing import pairs
from seq2seq_lib.course.ch06_teacher_forcing.patient import patient_pair
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


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


SUSPECTS = {
    "no_shift": patient_pair,
    "rolled": pairs.rolled,
    "next_but_one": pairs.next_but_one,
    "no_bos": pairs.no_bos,
    "no_end": pairs.no_end,
    "wrong_way": pairs.wrong_way,
    "longest_first": pairs.longest_first,
}
TASK = DetectiveTask(
    (pairs.two_tables, pairs.one_table_cut_twice, pairs.shifted),
    SUSPECTS,
    patient="no_shift",
    tiers=((1, 2), (5, 2), (len(SUSPECTS), 1)),
    called=("pair maker", "pair makers"),
    also_right={"other_form": pairs.as_a_list},
)
EXERCISES = (
    detective(
        "6.8b",
        test_patient,
        TASK,
        difficulty=3,
        minutes=12,
        words=words_beside(__file__),
        alternatives=(test_patient_by_shift,),
    ),
)
