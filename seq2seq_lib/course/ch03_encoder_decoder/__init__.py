"""Chapter 3, the encoder-decoder: the exercises, and what its notebooks import.

3.1 and 3.2 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook. Everything is batch first; lengths are int64 ``[B]``,
EOS counted.
"""

from seq2seq_lib.course.ch03_encoder_decoder import (
    ex1_final_state,
    ex2_blind_floor,
    ex3_words_floor,
    ex4_join_directions,
    ex5_reverse_source,
    ex6_free_run,
    ex7_encode_backward,
    ex8a_evidence,
    ex8b_test_patient,
    ex8c_healed,
    ex9_cliff,
)
from seq2seq_lib.course.ch03_encoder_decoder.given import (
    MISSING_NATS,
    RIGHT_BY_LENGTH,
    RIGHT_BY_PLACE,
    SCOREBOARD,
    few_strings,
    word_options,
)
from seq2seq_lib.course.ch03_encoder_decoder.patient import (
    PatientModel,
    SourceReader,
    TargetWriter,
    training_log,
)
from seq2seq_lib.course.judging.attempts import handed_on

EXERCISES = (
    *ex1_final_state.EXERCISES,
    *ex2_blind_floor.EXERCISES,
    *ex3_words_floor.EXERCISES,
    *ex4_join_directions.EXERCISES,
    *ex5_reverse_source.EXERCISES,
    *ex6_free_run.EXERCISES,
    *ex7_encode_backward.EXERCISES,
    *ex8a_evidence.EXERCISES,
    *ex8b_test_patient.EXERCISES,
    *ex8c_healed.EXERCISES,
    *ex9_cliff.EXERCISES,
)

free_run = handed_on(ex6_free_run.free_run)  # for "continue from here"

__all__ = [
    "EXERCISES",
    "MISSING_NATS",
    "PatientModel",
    "RIGHT_BY_LENGTH",
    "RIGHT_BY_PLACE",
    "SCOREBOARD",
    "SourceReader",
    "TargetWriter",
    "few_strings",
    "free_run",
    "training_log",
    "word_options",
]
