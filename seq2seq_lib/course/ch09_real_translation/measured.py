"""What was measured once on 28 November 2026, as chapter 9 shows it.

The whole results are ``benchmarks/results/phrase_systems.json`` and ``real_text.json``; a test
compares them with this.
"""

from typing import NamedTuple

DATE = "2026-11-28"


class Seed(NamedTuple):
    """Of one training: BLEU of greedy and of 5 beams, exact match of the latter."""

    greedy: float
    beams: float
    exact: float


SEEDS = {
    1: Seed(75.28, 78.79, 0.5663),
    2: Seed(79.17, 80.84, 0.5913),
    3: Seed(75.58, 79.67, 0.5913),
}
ATTENTION = {
    1: 0.761,
    2: 0.7983,
    3: 0.8068,
}  # share of the pieces of right outputs whose largest weight lies on a linked word


class Width(NamedTuple):
    """Of one number of beams: BLEU, and the paired interval of what it gains over greedy."""

    beams: int
    bleu: float
    low: float
    high: float


SEARCH = {
    "no length penalty": [
        Width(1, 78.15, 0.0, 0.0),
        Width(2, 78.7, -1.33, 2.1),
        Width(5, 78.67, -1.6, 2.54),
        Width(10, 78.14, -2.17, 1.96),
        Width(20, 77.68, -2.61, 1.56),
    ],
    "length penalty 1": [
        Width(1, 78.15, -0.07, 0.06),
        Width(2, 80.22, 0.56, 3.61),
        Width(5, 81.39, 1.7, 4.89),
        Width(10, 81.38, 1.7, 4.88),
        Width(20, 81.3, 1.57, 4.8),
    ],
}  # of the first 300 phrases, seed 1
REAL = {
    "chance: the next sentence's reference": (0.67, 1.3),
    "greedy": (26.63, 21.19),
    "5 beams": (29.21, 23.09),
    "5 beams, capital letters count": (24.51, 18.88),
    "mean of the sentences' BLEU": (27.95, 22.64),
    "chrF, 5 beams": (46.09, 39.09),
    "rarest source word never seen": (20.27, 15.55),
    "seen 1 to 4 times": (23.47, 18.69),
    "seen 5 to 16 times": (31.53, 23.76),
    "seen 17 to 99 times": (39.74, 31.78),
    "seen 100 times or more": (49.35, 43.79),
    "source of 1 to 9 words": (31.23, 24.27),
    "10 to 12 words": (29.62, 23.16),
    "13 to 16 words": (29.74, 22.79),
    "17 words or more": (21.36, 16.89),
}  # of A and of B
