"""Corpora: generated offline, or real, found or downloaded once and checked. See `pair`."""

from .date_task import DATE_FORMS, date_pair, dates, normalise_date_text
from .download import CorpusError
from .multi30k_corpus import multi30k
from .pair import Corpus, Pair
from .tokenizer import detokenize, tokenize

__all__ = [
    "DATE_FORMS",
    "Corpus",
    "CorpusError",
    "Pair",
    "date_pair",
    "dates",
    "detokenize",
    "multi30k",
    "normalise_date_text",
    "tokenize",
]
