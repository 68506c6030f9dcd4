"""Chapter 8, attention: the exercises, and what its notebooks import.

8.1 and 8.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook. A mask is bool, and True is a real token.
"""

from seq2seq_lib.course.ch08_attention import (
    ex1_attend,
    ex2_jacobian,
    ex3_weights,
    ex4_causal_and_padding,
    ex5_additive_scores,
    ex6_window_mask,
    ex7_cached_step,
    ex8a_evidence,
    ex8b_test_patient,
    ex8c_fixed_attention,
    ex9_column_effects,
)
from seq2seq_lib.course.ch08_attention.given import (
    LENGTHS,
    SINK,
    WITH_ATTENTION,
    WITHOUT_A_MASK,
    WITHOUT_ATTENTION,
    three_other_scores,
)
from seq2seq_lib.course.ch08_attention.patient import decoding_log, patient_attention

EXERCISES = (
    *ex1_attend.EXERCISES,
    *ex2_jacobian.EXERCISES,
    *ex3_weights.EXERCISES,
    *ex4_causal_and_padding.EXERCISES,
    *ex5_additive_scores.EXERCISES,
    *ex6_window_mask.EXERCISES,
    *ex7_cached_step.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_patient.EXERCISES,
    *ex8c_fixed_attention.EXERCISES,
    *ex9_column_effects.EXERCISES,
)

__all__ = [
    "EXERCISES",
    "LENGTHS",
    "SINK",
    "WITHOUT_A_MASK",
    "WITHOUT_ATTENTION",
    "WITH_ATTENTION",
    "decoding_log",
    "patient_attention",
    "three_other_scores",
]
