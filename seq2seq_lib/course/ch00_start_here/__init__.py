"""Chapter 0, start here: its exercises, and what its notebooks import.

0.1 is asked in the chapter itself, before it shows the answer, and is worth no points.
"""

from seq2seq_lib.course.ch00_start_here import (
    ex1_depends,
    ex2_has_pads,
    ex3_moved,
    ex4_by_length,
    ex5_which_law,
    ex6a_evidence,
    ex6b_test_patient,
    ex6c_fixed_encode,
)
from seq2seq_lib.course.ch00_start_here.given import small_encoder
from seq2seq_lib.course.ch00_start_here.patient import PatientEncoder, clinic_log, patient_encode

EXERCISES = (
    *ex1_depends.EXERCISES,
    *ex2_has_pads.EXERCISES,
    *ex3_moved.EXERCISES,
    *ex4_by_length.EXERCISES,
    *ex5_which_law.EXERCISES,
    *ex6a_evidence.EXERCISES,
    *ex6b_test_patient.EXERCISES,
    *ex6c_fixed_encode.EXERCISES,
)

__all__ = ["EXERCISES", "PatientEncoder", "clinic_log", "patient_encode", "small_encoder"]
