"""Chapter 1, text to batches: the exercises, and what its notebooks import.

1.1 and 1.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook.
"""

from seq2seq_lib.course.ch01_text_to_batches import (
    ex1_shift,
    ex2_waste,
    ex3_pad_share,
    ex4_read_back,
    ex5_apply_merges,
    ex6_shift_right,
    ex7_token_batches,
    ex8a_evidence,
    ex8b_test_build,
    ex8c_fixed_build,
    ex9_token_counts,
)
from seq2seq_lib.course.ch01_text_to_batches.given import (
    FRESH_LINES,
    MERGES,
    share_options,
    truncation_table,
)
from seq2seq_lib.course.ch01_text_to_batches.patient import data_report, patient_build
from seq2seq_lib.course.judging.attempts import handed_on

EXERCISES = (
    *ex1_shift.EXERCISES,
    *ex2_waste.EXERCISES,
    *ex3_pad_share.EXERCISES,
    *ex4_read_back.EXERCISES,
    *ex5_apply_merges.EXERCISES,
    *ex6_shift_right.EXERCISES,
    *ex7_token_batches.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_build.EXERCISES,
    *ex8c_fixed_build.EXERCISES,
    *ex9_token_counts.EXERCISES,
)

apply_merges = handed_on(ex5_apply_merges.apply_merges)  # for "continue from here"

__all__ = [
    "EXERCISES",
    "FRESH_LINES",
    "MERGES",
    "apply_merges",
    "data_report",
    "patient_build",
    "share_options",
    "truncation_table",
]
