"""Chapter 4, padding masks and the masked loss: the exercises, and what its notebooks import.

4.1 and 4.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook. Lengths are int64 ``[B]``, True is a real token.
"""

from seq2seq_lib.course.ch04_padding_masks import (
    ex1_length_mask,
    ex2_token_mean,
    ex3_answer_tokens,
    ex4_pad_left,
    ex5a_prompt_labels,
    ex5b_answer_loss,
    ex6_packed_mask,
    ex7_attend,
    ex8a_evidence,
    ex8b_test_patient,
    ex8c_fixed_loss,
    ex9_gradient_shares,
)
from seq2seq_lib.course.ch04_padding_masks.given import chat_batch, chat_options, logits_with
from seq2seq_lib.course.ch04_padding_masks.patient import patient_loss, training_log
from seq2seq_lib.course.judging.attempts import handed_on

EXERCISES = (
    *ex1_length_mask.EXERCISES,
    *ex2_token_mean.EXERCISES,
    *ex3_answer_tokens.EXERCISES,
    *ex4_pad_left.EXERCISES,
    *ex5a_prompt_labels.EXERCISES,
    *ex5b_answer_loss.EXERCISES,
    *ex6_packed_mask.EXERCISES,
    *ex7_attend.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_patient.EXERCISES,
    *ex8c_fixed_loss.EXERCISES,
    *ex9_gradient_shares.EXERCISES,
)

prompt_labels = handed_on(ex5a_prompt_labels.prompt_labels)  # for "continue from here"

__all__ = [
    "EXERCISES",
    "chat_batch",
    "chat_options",
    "logits_with",
    "patient_loss",
    "prompt_labels",
    "training_log",
]
