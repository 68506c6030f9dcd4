"""Chapter 6, teacher forcing and exposure bias: the exercises, and what its notebooks import.

6.1 and 6.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook.
"""

from seq2seq_lib.course.ch06_teacher_forcing import (
    ex1_greedy_steps,
    ex2_next_input,
    ex3_exact_match,
    ex4_sequence_correct,
    ex5_slip_inputs,
    ex6_second_pass,
    ex7_test_evaluator,
    ex8a_evidence,
    ex8b_test_patient,
    ex8c_fixed_pair,
    ex9_slip_run,
)
from seq2seq_lib.course.ch06_teacher_forcing.given import (
    Card,
    half_trained,
    small_batch,
    small_model,
)
from seq2seq_lib.course.ch06_teacher_forcing.patient import patient_pair, training_log

EXERCISES = (
    *ex1_greedy_steps.EXERCISES,
    *ex2_next_input.EXERCISES,
    *ex3_exact_match.EXERCISES,
    *ex4_sequence_correct.EXERCISES,
    *ex5_slip_inputs.EXERCISES,
    *ex6_second_pass.EXERCISES,
    *ex7_test_evaluator.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_patient.EXERCISES,
    *ex8c_fixed_pair.EXERCISES,
    *ex9_slip_run.EXERCISES,
)

__all__ = [
    "EXERCISES",
    "Card",
    "half_trained",
    "patient_pair",
    "small_batch",
    "small_model",
    "training_log",
]
