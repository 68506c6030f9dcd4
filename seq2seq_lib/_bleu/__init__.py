"""BLEU and chrF of translations, and how sure they are.

``corpus_bleu`` and ``chrf`` are sacreBLEU's numbers: report them with their ``signature``, without
which two BLEU scores cannot be compared (Post 2018). ``bleu_from_scratch`` is the same metric,
written to be read, for pre-tokenised text; a test holds the two together to 1e-9.
``bleu_statistics`` holds what BLEU adds up, a row a sentence, and ``bootstrap_interval`` draws
rows.

**References are nested per hypothesis:** ``references[i]`` are the references of ``hypotheses[i]``,
a list of one or more. (sacreBLEU itself wants the transposed layout, ``references[r][i]``; feeding
one to the other scores nonsense without an error whenever the sizes happen to fit.)
"""

from seq2seq_lib._bleu.bootstrap import bootstrap_interval
from seq2seq_lib._bleu.by_sacrebleu import ChrfScore, chrf, corpus_bleu
from seq2seq_lib._bleu.from_scratch import (
    BleuScore,
    bleu_from_scratch,
    bleu_of,
    bleu_statistics,
    brevity_penalty,
    closest_length,
    count_ngrams,
)

__all__ = [
    "BleuScore",
    "ChrfScore",
    "bleu_from_scratch",
    "bleu_of",
    "bleu_statistics",
    "bootstrap_interval",
    "brevity_penalty",
    "chrf",
    "closest_length",
    "corpus_bleu",
    "count_ngrams",
]
