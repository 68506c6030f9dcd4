"""What the notebooks of chapter 3 are given: numbers to choose from."""

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
