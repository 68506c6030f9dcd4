"""Chapter 2, GRU and LSTM gates: the exercises, and what its notebooks import.

2.1 and 2.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook. Weights of the texts multiply rows, ``[I, 3H]``; torch's
are their transposes, ``[3H, I]``.
"""

from seq2seq_lib.course.ch02_gru_and_lstm_gates import (
    ex1_half_life,
    ex2_gru_step,
    ex3_half_life_bias,
    ex4_gru_step_paper,
    ex5_gru_from_keras,
    ex6_influence,
    ex7_top_state,
    ex8a_evidence,
    ex8b_test_patient,
    ex8c_to_hidden,
    ex9_longest_k,
)
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import bias_options, train_on_flags
from seq2seq_lib.course.ch02_gru_and_lstm_gates.patient import (
    clinic_options,
    patient_encode,
    training_log,
)
from seq2seq_lib.course.judging.attempts import handed_on

EXERCISES = (
    *ex1_half_life.EXERCISES,
    *ex2_gru_step.EXERCISES,
    *ex3_half_life_bias.EXERCISES,
    *ex4_gru_step_paper.EXERCISES,
    *ex5_gru_from_keras.EXERCISES,
    *ex6_influence.EXERCISES,
    *ex7_top_state.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_patient.EXERCISES,
    *ex8c_to_hidden.EXERCISES,
    *ex9_longest_k.EXERCISES,
)

top_state = handed_on(ex7_top_state.top_state)  # for "continue from here"

__all__ = [
    "EXERCISES",
    "bias_options",
    "clinic_options",
    "patient_encode",
    "top_state",
    "train_on_flags",
    "training_log",
]
