"""Chapter 5, NLLLoss and CrossEntropyLoss: the exercises, and what its notebooks import.

5.1 and 5.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook.
"""

from seq2seq_lib.course.ch05_nll_vs_cross_entropy import (
    ex1_log_softmax,
    ex2_temper,
    ex3_printed_number,
    ex4_loss_gradient,
    ex5_weighted_loss,
    ex6_add_chunk,
    ex7_fit_temperature,
    ex8a_evidence,
    ex8b_test_patient,
    ex8c_fixed_loss,
    ex9_loss_parts,
)
from seq2seq_lib.course.ch05_nll_vs_cross_entropy.patient import patient_loss, training_log
from seq2seq_lib.course.judging.attempts import handed_on

EXERCISES = (
    *ex1_log_softmax.EXERCISES,
    *ex2_temper.EXERCISES,
    *ex3_printed_number.EXERCISES,
    *ex4_loss_gradient.EXERCISES,
    *ex5_weighted_loss.EXERCISES,
    *ex6_add_chunk.EXERCISES,
    *ex7_fit_temperature.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_patient.EXERCISES,
    *ex8c_fixed_loss.EXERCISES,
    *ex9_loss_parts.EXERCISES,
)

add_chunk = handed_on(ex6_add_chunk.add_chunk)  # for "continue from here"

__all__ = ["EXERCISES", "add_chunk", "patient_loss", "training_log"]
