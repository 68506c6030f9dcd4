"""Chapter 7, search: the exercises.

| id | the notebook hands in | points |
|---|---|---|
| 7.1a | a letter out of ``options_7_1a()``, greedy's output for ``letter_table()`` | 1 |
| 7.1b | a letter out of ``options_7_1b()``, its probability | 1 |
| 7.2 | ``n_best(next_log_probs, max_len, n)`` -> list of (tokens, total) | 3 |
| 7.3a | ``expand(totals, log_probs, num_beams)`` -> (parent, token, total) | 2 |
| 7.3b | ``prune(token, num_beams)`` -> (ended, still_open) | 2 |
| 7.3c | ``beam(model, src, src_lengths, num_beams, max_len, prefix)`` -> as 7.2 | 4 |
| 7.4 | ``top_p(log_probs, p)`` -> floats ``[B, V]`` | 3 |
| 7.5a | a letter, the suspicious column of ``search_log()`` | 2 |
| 7.5b | ``test_patient(search)``, raises AssertionError | 2 + 2 + 1 |
| 7.5c | ``fixed_search(model, src, src_lengths, num_beams, max_len, alpha)`` -> list of Hyp | 2 |
| 7.6 | ``width_report(sources, widths)`` -> dict of dicts of three floats | 6, by hand |

Ids are the library's: PAD 0, BOS 1, EOS 2, words from 3 on. All models give PAD and BOS the
probability 0. A total is a summed log-probability; an output holds its EOS and no BOS.
"""

from seq2seq_lib.course.ch07_search import (
    ex1a_greedy_output,
    ex1b_its_probability,
    ex2_n_best,
    ex3a_expand,
    ex3b_prune,
    ex3c_beam,
    ex4_top_p,
    ex5a_evidence,
    ex5b_test_patient,
    ex5c_fixed_search,
    ex6_width_report,
)
from seq2seq_lib.course.ch07_search.given import (
    letter_table,
    next_letter,
    options_7_1a,
    options_7_1b,
    search_letters,
    spelt,
    three_letters,
)
from seq2seq_lib.course.ch07_search.patient import patient_search, search_log
from seq2seq_lib.course.judging.attempts import handed_on
from seq2seq_lib.laws.plain_beam import Hyp

__all__ = [
    "EXERCISES",
    "Hyp",
    "beam",
    "expand",
    "letter_table",
    "next_letter",
    "options_7_1a",
    "options_7_1b",
    "patient_search",
    "prune",
    "search_letters",
    "search_log",
    "spelt",
    "three_letters",
]

EXERCISES = (
    *ex1a_greedy_output.EXERCISES,
    *ex1b_its_probability.EXERCISES,
    *ex2_n_best.EXERCISES,
    *ex3a_expand.EXERCISES,
    *ex3b_prune.EXERCISES,
    *ex3c_beam.EXERCISES,
    *ex4_top_p.EXERCISES,
    *ex5a_evidence.EXERCISES,
    *ex5b_test_patient.EXERCISES,
    *ex5c_fixed_search.EXERCISES,
    *ex6_width_report.EXERCISES,
)

# what later exercises call, whether or not these were solved
expand, prune, beam = map(handed_on, (ex3a_expand.expand, ex3b_prune.prune, ex3c_beam.beam))
