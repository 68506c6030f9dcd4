"""What the notebooks of chapter 3 are given: numbers to choose from, and what was measured."""

import math

from seq2seq_lib.batching import Batch, collate

WORD_LENGTHS = {2: 0.5, 3: 0.25, 5: 0.25}  # the share of each length


def word_options() -> dict[str, float]:
    """Six numbers that may be taken for the blind floor of ``WORD_LENGTHS``, the largest first."""
    symbol = math.log(26)
    mean = sum(length * share for length, share in WORD_LENGTHS.items())
    of_lengths = -sum(share * math.log(share) for share in WORD_LENGTHS.values())
    flat = sum(WORD_LENGTHS) / len(WORD_LENGTHS)  # the mean, if all lengths were equally likely
    numbers = (
        (of_lengths + mean * symbol) / (mean + 1),
        (of_lengths + mean * symbol) / mean,
        mean * symbol / (mean + 1),
        (math.log(len(WORD_LENGTHS)) + flat * symbol) / (flat + 1),
        symbol,
        math.log(26 + 4),
    )
    largest_first = sorted((round(n, 3) for n in numbers), reverse=True)
    return dict(zip("ABCDEF", largest_first, strict=True))


def few_strings() -> Batch:
    """Four strings of 3, 5, 1 and 4 digits and their reversals, ids 4 to 13: a batch for a test."""
    lines = ([7, 5, 8], [6, 11, 5, 12, 6], [9], [13, 4, 4, 10])
    return collate([(line, line[::-1]) for line in lines])


# Measured once, by benchmarks/bottleneck.py; tests compare them with its results.
RIGHT_BY_LENGTH = {
    "GRU, state only": {
        3: 1.0,
        4: 0.989,
        5: 0.937,
        6: 0.831,
        7: 0.534,
        8: 0.412,
        9: 0.175,
        10: 0.043,
        11: 0.009,
    },
    "GRU, context": {
        3: 1.0,
        4: 1.0,
        5: 0.949,
        6: 0.952,
        7: 0.718,
        8: 0.546,
        9: 0.408,
        10: 0.085,
        11: 0.037,
    },
    "LSTM, context": {
        3: 1.0,
        4: 1.0,
        5: 1.0,
        6: 0.976,
        7: 0.942,
        8: 0.856,
        9: 0.738,
        10: 0.457,
        11: 0.287,
    },
}  # share of strings, seed 0
MISSING_NATS = {
    "GRU, state only": {
        3: 0.28,
        4: 0.36,
        5: 0.62,
        6: 1.09,
        7: 1.93,
        8: 2.91,
        9: 4.42,
        10: 6.15,
        11: 8.43,
    },
    "GRU, context": {
        3: 0.07,
        4: 0.12,
        5: 0.29,
        6: 0.59,
        7: 1.25,
        8: 2.03,
        9: 3.14,
        10: 4.62,
        11: 6.43,
    },
    "LSTM, context": {
        3: 0.04,
        4: 0.06,
        5: 0.14,
        6: 0.28,
        7: 0.51,
        8: 0.97,
        9: 1.45,
        10: 2.29,
        11: 3.32,
    },
}  # a string
RIGHT_BY_PLACE = {
    "GRU, context": [0.9, 0.78, 0.72, 0.61, 0.5, 0.42, 0.45, 0.44, 0.35, 0.37, 0.35],
    "LSTM, context": [0.94, 0.9, 0.81, 0.73, 0.71, 0.61, 0.6, 0.62, 0.71, 0.76, 0.84],
}  # of an answer of 11 digits
RIGHT_BY_PLACE_IN_WORDS = (  # not in the chapter's code, which stands open below the question
    "Share of right digits at places 1 to 11. The GRU falls from 0.90 to 0.42 at place 6 and 0.35 "
    "at the end. The LSTM falls from 0.94 to 0.60 at place 7 and rises again to 0.84 at the last."
)
RIGHT_BY_LENGTH_IN_WORDS = (
    "Two charts over the number of digits, 3 to 11. Left, the share of strings that are right: all "
    "begin near 1; at 11 digits the two GRUs are below 0.05 and the LSTM at 0.29. Right, the share "
    "of the nats that arrived: at 11 digits still 0.67 for the GRU with the state only, 0.75 with "
    "the context, 0.87 for the LSTM."
)
SCOREBOARD = {
    "reverse: GRU, state only": (0.52, 0.53, 0.55),
    "reverse: GRU, context": (0.57, 0.6, 0.63),
    "reverse: GRU, context, backwards": (0.54, 0.57, 0.59),
    "reverse: LSTM, context": (0.78, 0.8, 0.8),
    "reverse: LSTM, context, backwards": (0.59, 0.61, 0.62),
    "dates: GRU, context": (0.87, 0.91, 0.94),
    "dates: GRU, context, backwards": (0.89, 0.92, 0.96),
    "dates: LSTM, context": (0.91, 0.93, 0.96),
    "dates: LSTM, context, backwards": (0.81, 0.83, 0.85),
}  # exact match: lowest, mean, highest of five seeds
