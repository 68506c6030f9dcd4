"""Chapter 12, several processes: the exercises, and what its notebooks import.

12.1 is asked in the chapter itself, before it shows the answer, and is worth no points. The others
stand in the exercise notebook.
"""

from seq2seq_lib.course.ch12_several_processes import (
    ex1_combine,
    ex2_weights,
    ex3_ddp_loss,
    ex4_window_losses,
    ex5a_evidence,
    ex5b_test_patient,
    ex5c_fixed_loss,
)
from seq2seq_lib.course.ch12_several_processes.given import LONG, SHORT, tiny_model
from seq2seq_lib.course.ch12_several_processes.patient import (
    head_loss,
    patient_loss,
    training_log,
)

EXERCISES = (
    *ex1_combine.EXERCISES,
    *ex2_weights.EXERCISES,
    *ex3_ddp_loss.EXERCISES,
    *ex4_window_losses.EXERCISES,
    *ex5a_evidence.EXERCISES,
    *ex5b_test_patient.EXERCISES,
    *ex5c_fixed_loss.EXERCISES,
)

__all__ = [
    "EXERCISES",
    "LONG",
    "SHORT",
    "head_loss",
    "patient_loss",
    "tiny_model",
    "training_log",
]
