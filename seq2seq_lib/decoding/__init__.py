"""Search: from a model that predicts one token to whole output sentences."""

from seq2seq_lib.decoding.best_first import NotProven, best_first_search
from seq2seq_lib.decoding.outputs import Hypothesis, length_penalty
from seq2seq_lib.decoding.searches import (
    NEVER,
    Model,
    State,
    beam_search,
    exhaustive_search,
    expand,
    greedy_search,
    prune,
    rescore,
    reshape,
    sample,
)

__all__ = [
    "NEVER",
    "Hypothesis",
    "Model",
    "NotProven",
    "State",
    "beam_search",
    "best_first_search",
    "exhaustive_search",
    "expand",
    "greedy_search",
    "length_penalty",
    "prune",
    "rescore",
    "reshape",
    "sample",
]
