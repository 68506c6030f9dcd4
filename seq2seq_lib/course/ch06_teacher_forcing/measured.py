"""What ``benchmarks/slip.py`` measured on 28 November 2026, as chapter 6 shows it: a number a seed.

The whole result is ``benchmarks/results/slip.json``; a test compares the two.
"""

from typing import NamedTuple

DATE, SEEDS = "2026-11-28", (0, 1, 2)
Three = tuple[float, float, float]


class Slip(NamedTuple):
    """Behind a wrong first token: accuracy with the gold prefix and with its own; the own output's
    edit distance to gold, and the share of outputs that are one edit away."""

    gold: Three
    own: Three
    edits: Three
    one_edit: Three


class Training(NamedTuple):
    """Exact match, teacher-forced perplexity, and accuracy of the own lane behind a slip."""

    exact_match: Three
    perplexity: Three
    recovery: Three


def mean(numbers: Three) -> float:
    """Of the seeds."""
    return sum(numbers) / len(numbers)


SLIPS = {
    ("dates", "plain"): Slip(
        (0.708, 0.843, 0.8), (0.366, 0.675, 0.545), (3.598, 3.084, 3.14), (0.156, 0.222, 0.212)
    ),
    ("dates", "attention"): Slip(
        (0.938, 0.948, 0.978), (0.7, 0.797, 0.949), (1.36, 1.41, 1.216), (0.656, 0.618, 0.796)
    ),
    ("numbers", "plain"): Slip(
        (0.496, 0.43, 0.527), (0.487, 0.471, 0.506), (2.33, 2.286, 2.232), (0.096, 0.096, 0.116)
    ),
    ("numbers", "attention"): Slip(
        (0.995, 0.976, 0.996), (0.994, 0.977, 0.996), (1.018, 1.076, 1.01), (0.984, 0.926, 0.99)
    ),
    ("reverse", "plain"): Slip(
        (0.118, 0.121, 0.133), (0.278, 0.275, 0.294), (3.326, 3.376, 3.486), (0.108, 0.068, 0.054)
    ),
    ("reverse", "attention"): Slip(
        (0.958, 0.891, 0.906), (0.916, 0.751, 0.791), (1.208, 1.404, 1.466), (0.792, 0.604, 0.548)
    ),
}
SCHEDULES = {
    ("teacher forcing", "plain"): Training(
        (0.89, 0.86, 0.907), (1.131, 1.143, 1.12), (0.32, 0.273, 0.28)
    ),
    ("linear", "plain"): Training((0.65, 0.657, 0.68), (1.348, 1.331, 1.343), (0.497, 0.438, 0.42)),
    ("exponential", "plain"): Training(
        (0.567, 0.563, 0.593), (1.472, 1.433, 1.451), (0.563, 0.523, 0.513)
    ),
    ("inverse sigmoid", "plain"): Training(
        (0.553, 0.59, 0.603), (1.477, 1.439, 1.466), (0.531, 0.48, 0.461)
    ),
    ("teacher forcing", "attention"): Training(
        (1.0, 0.987, 0.987), (1.009, 1.018, 1.014), (0.699, 0.633, 0.593)
    ),
    ("linear", "attention"): Training(
        (1.0, 0.99, 0.987), (1.009, 1.018, 1.014), (0.73, 0.629, 0.62)
    ),
    ("exponential", "attention"): Training(
        (1.0, 0.997, 0.993), (1.008, 1.018, 1.014), (0.769, 0.639, 0.64)
    ),
    ("inverse sigmoid", "attention"): Training(
        (1.0, 0.987, 0.993), (1.009, 1.02, 1.014), (0.729, 0.627, 0.626)
    ),
}
