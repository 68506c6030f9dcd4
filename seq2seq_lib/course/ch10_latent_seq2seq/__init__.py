"""Chapter 10, a latent sequence-to-sequence model: the exercises, and what its notebooks import.

10.1 and 10.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook. mu and logvar are floats ``[B, Z]``.
"""

from seq2seq_lib.course.ch10_latent_seq2seq import (
    ex1_gaussian_kl,
    ex2_draw_code,
    ex3_pencil_kl,
    ex4_cut_at_eos,
    ex5_kl_between,
    ex6_weighted_bound,
    ex7a_evidence,
    ex7b_test_patient,
    ex7c_fixed_loss,
    ex8_cosine_cycle,
)
from seq2seq_lib.course.ch10_latent_seq2seq.patient import patient_loss, training_log

EXERCISES = (
    *ex1_gaussian_kl.EXERCISES,
    *ex2_draw_code.EXERCISES,
    *ex3_pencil_kl.EXERCISES,
    *ex4_cut_at_eos.EXERCISES,
    *ex5_kl_between.EXERCISES,
    *ex6_weighted_bound.EXERCISES,
    *ex7a_evidence.EXERCISES,
    *ex7b_test_patient.EXERCISES,
    *ex7c_fixed_loss.EXERCISES,
    *ex8_cosine_cycle.EXERCISES,
)

__all__ = ["EXERCISES", "patient_loss", "training_log"]
