"""Exercise 1.8b: a test that rejects the patient and lets right arrays pass."""

from typing import Any

from torch import Tensor

from seq2seq_lib.course.ch01_text_to_batches import ex8c_fixed_build as builds
from seq2seq_lib.course.ch01_text_to_batches.patient import patient_build
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside


def test_build(build: Any) -> None:
    lines = [[13, 7, 4, 6, 15, 9], [16, 5], [9, 12, 8, 14]]  # cut, padded, exactly full
    ids, lengths = build(lines, 5)
    assert ids.tolist() == [[13, 7, 4, 6, 2], [16, 5, 2, 0, 0], [9, 12, 8, 14, 2]]
    assert lengths.tolist() == [5, 3, 5]


def test_build_by_properties(build: Any) -> None:
    lines, width = [[8, 9, 10, 11, 12], [5], [6, 7], [4, 5, 6]], 4
    ids, lengths = build(lines, width)
    for line, row, length in zip(lines, ids.tolist(), [int(n) for n in lengths], strict=True):
        assert len(row) == width and length == min(len(line) + 1, width)
        assert row[length - 1] == 2 and row.count(2) == 1
        assert row[: length - 1] == line[: length - 1]
        assert not any(row[length:])


# ---------------------------------------------------------------- innocents and suspects


def of_32_bits(lines: list[list[int]], num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = builds.fixed_build(lines, num_steps)
    return ids, lengths.int()


def as_a_list(lines: list[list[int]], num_steps: int) -> list[Tensor]:
    return list(builds.build_by_masks(lines, num_steps))


INNOCENT = (
    builds.build_spec,
    builds.fixed_build,
    builds.build_by_masks,
    builds.build_of_lists,
    of_32_bits,
    as_a_list,
)
SUSPECTS = {
    "end_cut": patient_build,
    "length_before_cut": builds.length_before_cut,
    "end_not_counted": builds.end_not_counted,
    "end_in_last_column": builds.end_in_last_column,
    "cut_at_front": builds.cut_at_front,
    "cut_too_much": builds.cut_too_much,
    "two_ends": builds.two_ends,
    "padded_with_ends": builds.padded_with_ends,
    "padded_left": builds.padded_left,
}
TASK = DetectiveTask(
    INNOCENT,
    SUSPECTS,
    patient="end_cut",
    tiers=((1, 2), (6, 2), (len(SUSPECTS), 1)),
    called=("array", "arrays"),
)
EXERCISES = (
    detective(
        "1.8b",
        test_build,
        TASK,
        difficulty=3,
        minutes=15,
        words=words_beside(__file__),
        alternatives=(test_build_by_properties,),
    ),
)
