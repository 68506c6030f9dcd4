"""Corpora: generated offline, or real, found or downloaded once and checked. See ``pair``.

Each task has its own file, named after it (``dates`` is in ``date_task.py``, ``multi30k`` in
``multi30k_corpus.py``), so that a function never hides the module it comes from.
"""

from seq2seq_lib.corpora.date_task import DATE_FORMS, date_pair, dates, normalise_date_text
from seq2seq_lib.corpora.download import CorpusError
from seq2seq_lib.corpora.letter_task import (
    LETTER_RULES,
    letters,
    letters_distribution,
    letters_entropy,
    letters_entropy_floor,
    letters_expected_length,
    letters_log_prob,
    letters_mode,
    letters_next,
)
from seq2seq_lib.corpora.multi30k_corpus import multi30k
from seq2seq_lib.corpora.number_task import number_pair, numbers
from seq2seq_lib.corpora.own_corpus import ParallelText, check_overlap, own_corpus, read_parallel
from seq2seq_lib.corpora.pair import Corpus, Pair
from seq2seq_lib.corpora.phrase_task import PHRASE_KINDS, phrases, phrases_space_size
from seq2seq_lib.corpora.reverse_task import DIGITS, LETTERS, reverse
from seq2seq_lib.corpora.tatoeba_corpus import tatoeba
from seq2seq_lib.corpora.tokenizer import detokenize, tokenize

__all__ = [
    "DATE_FORMS",
    "DIGITS",
    "LETTERS",
    "LETTER_RULES",
    "PHRASE_KINDS",
    "Corpus",
    "CorpusError",
    "Pair",
    "ParallelText",
    "check_overlap",
    "date_pair",
    "dates",
    "detokenize",
    "letters",
    "letters_distribution",
    "letters_entropy",
    "letters_entropy_floor",
    "letters_expected_length",
    "letters_log_prob",
    "letters_mode",
    "letters_next",
    "multi30k",
    "normalise_date_text",
    "number_pair",
    "numbers",
    "own_corpus",
    "phrases",
    "phrases_space_size",
    "read_parallel",
    "reverse",
    "tatoeba",
    "tokenize",
]
