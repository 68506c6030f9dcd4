"""Chapter 7, search: the exercises, and what its notebooks import.

| id | the notebook hands in | points |
|---|---|---|
| 7.1 | a letter out of ``options_7_1()`` | 2 |
| 7.2 | ``choose_batched(totals, log_probs)`` -> (rows, tokens, totals) | 4 |
| 7.3 | ``rescore(model, src, src_lengths, tokens)`` -> float | 3 |
| 7.4 | ``can_stop(ended, open_totals, length, longest, alpha)`` -> bool | 3 |
| 7.5a | a letter, the suspicious column of ``search_log()`` | 1 |
| 7.5b | ``test_patient(search)``, raises AssertionError | 2 + 1 + 1 |
| 7.5c | ``fixed_search(model, src, src_lengths, num_beams, max_len, alpha)`` -> list of Hyp | 2 |
| 7.6 | ``test_rows(reorder)``, raises AssertionError | 1 + 1 + 1 |
| 7.7 | ``prune(candidates, k)`` -> (ended, still open), in the chapter | |
| 7.8 | ``choose(totals, log_probs, k)`` -> (rows, tokens, totals), in the chapter | |

Ids are the library's: PAD 0, BOS 1, EOS 2, words from 3 on. All models give PAD and BOS the
probability 0. A total is a summed log-probability; an output holds its EOS and no BOS.
"""

from seq2seq_lib.course.ch07_search import (
    ex1_greedy_and_mode,
    ex2_choose_batched,
    ex3_rescore,
    ex4_can_stop,
    ex5a_evidence,
    ex5b_test_patient,
    ex5c_fixed_search,
    ex6_test_rows,
    ex7_prune,
    ex8_choose,
)
from seq2seq_lib.course.ch07_search.given import letter_table, options_7_1, three_letters
from seq2seq_lib.course.ch07_search.patient import patient_search, search_log
from seq2seq_lib.course.judging.attempts import handed_on
from seq2seq_lib.laws.plain_beam import Hyp

__all__ = [
    "EXERCISES",
    "Hyp",
    "choose",
    "letter_table",
    "options_7_1",
    "patient_search",
    "prune",
    "search_log",
    "three_letters",
]

EXERCISES = (
    *ex1_greedy_and_mode.EXERCISES,
    *ex2_choose_batched.EXERCISES,
    *ex3_rescore.EXERCISES,
    *ex4_can_stop.EXERCISES,
    *ex5a_evidence.EXERCISES,
    *ex5b_test_patient.EXERCISES,
    *ex5c_fixed_search.EXERCISES,
    *ex6_test_rows.EXERCISES,
    *ex7_prune.EXERCISES,
    *ex8_choose.EXERCISES,
)

# what the clinic calls, whether or not these were solved
prune, choose = map(handed_on, (ex7_prune.prune, ex8_choose.choose))
