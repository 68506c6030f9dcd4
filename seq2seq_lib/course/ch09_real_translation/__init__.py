"""Chapter 9, real translation: the exercises, and what its notebooks import.

9.8 and 9.9 are asked in the chapter itself, before it shows the answer, and are worth no points.
The others stand in the exercise notebook.
"""

from seq2seq_lib.course.ch09_real_translation import (
    ex1a_word_lost,
    ex1b_short_lines,
    ex1c_two_systems,
    ex2_encode,
    ex3_chrf,
    ex4_paired,
    ex5_split,
    ex6a_evidence,
    ex6b_test_score,
    ex6c_fixed,
    ex7_kind,
    ex8_merge_once,
    ex9_clipped,
)
from seq2seq_lib.course.ch09_real_translation.given import (
    HYPOTHESES,
    LENGTHS,
    RARITIES,
    REFERENCES,
    UNSEEN,
    WORDS,
    default_sentence_scores,
    exact_by_band,
    forced_outputs,
    padded_length_search,
    sentence_mean,
    word_counts,
    words_off,
    wrong_bleus,
)
from seq2seq_lib.course.ch09_real_translation.given import corpus as bleu_of_lines
from seq2seq_lib.course.ch09_real_translation.links import gold_links
from seq2seq_lib.course.ch09_real_translation.patient import patient_score, score_log

EXERCISES = (
    *ex1a_word_lost.EXERCISES,
    *ex1b_short_lines.EXERCISES,
    *ex1c_two_systems.EXERCISES,
    *ex2_encode.EXERCISES,
    *ex3_chrf.EXERCISES,
    *ex4_paired.EXERCISES,
    *ex5_split.EXERCISES,
    *ex6a_evidence.EXERCISES,
    *ex6b_test_score.EXERCISES,
    *ex6c_fixed.EXERCISES,
    *ex7_kind.EXERCISES,
    *ex8_merge_once.EXERCISES,
    *ex9_clipped.EXERCISES,
)

__all__ = [
    "EXERCISES",
    "HYPOTHESES",
    "LENGTHS",
    "RARITIES",
    "REFERENCES",
    "UNSEEN",
    "WORDS",
    "bleu_of_lines",
    "default_sentence_scores",
    "exact_by_band",
    "forced_outputs",
    "gold_links",
    "padded_length_search",
    "patient_score",
    "score_log",
    "sentence_mean",
    "word_counts",
    "words_off",
    "wrong_bleus",
]
