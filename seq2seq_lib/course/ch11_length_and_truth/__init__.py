"""Chapter 11, length and truth: the exercises, and what its notebooks import.

11.1 is asked in the chapter itself, before it shows the answer, and is worth no points. The others
stand in the exercise notebook.
"""

from seq2seq_lib.course.ch11_length_and_truth import (
    ex1_min_p,
    ex2_top_p,
    ex3_kept_counts,
    ex4_n_best_exact,
    ex5_mbr,
    ex6_banned,
    ex7a_evidence,
    ex7b_test_patient,
    ex7c_fixed_rank,
    ex8_report,
)
from seq2seq_lib.course.ch11_length_and_truth.given import (
    CARD,
    LONGEST,
    NO_SOURCE,
    ROWS,
    Counted,
    Writer,
    card_next,
    equal_places,
    expected_utilities,
    least_risk,
    ngram_f1,
    spelled,
)
from seq2seq_lib.course.ch11_length_and_truth.patient import patient_rank, ranking_log

EXERCISES = (
    *ex1_min_p.EXERCISES,
    *ex2_top_p.EXERCISES,
    *ex3_kept_counts.EXERCISES,
    *ex4_n_best_exact.EXERCISES,
    *ex5_mbr.EXERCISES,
    *ex6_banned.EXERCISES,
    *ex7a_evidence.EXERCISES,
    *ex7b_test_patient.EXERCISES,
    *ex7c_fixed_rank.EXERCISES,
    *ex8_report.EXERCISES,
)

__all__ = [
    "CARD",
    "EXERCISES",
    "LONGEST",
    "NO_SOURCE",
    "ROWS",
    "Counted",
    "Writer",
    "card_next",
    "equal_places",
    "expected_utilities",
    "least_risk",
    "ngram_f1",
    "patient_rank",
    "ranking_log",
    "spelled",
]
