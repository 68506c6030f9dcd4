"""What ``benchmarks/slip.py`` measured on 28 November 2026, as chapter 6 shows it: a number a seed.

The whole result is ``benchmarks/results/slip.json``; a test compares the two.
"""

from typing import NamedTuple

DATE, SEEDS = "2026-11-28", (0, 1, 2, 3, 4)
Five = tuple[float, float, float, float, float]


class Slip(NamedTuple):
    """Behind a wrong first token: accuracy with the gold prefix and with its own; the own output's
    edit distance to gold, and the share of outputs that are one edit away."""

    gold: Five
    own: Five
    edits: Five
    one_edit: Five


class Training(NamedTuple):
    """Exact match, teacher-forced perplexity, and accuracy of the own lane behind a slip."""

    exact_match: Five
    perplexity: Five
    recovery: Five


def mean(numbers: Five) -> float:
    """Of the seeds."""
    return sum(numbers) / len(numbers)


def band(numbers: Five) -> str:
    """Mean, least and greatest, as the chapter prints them."""
    return f"{mean(numbers):.2f} ({min(numbers):.2f}-{max(numbers):.2f})"


SLIPS = {
    ("dates", "plain"): Slip(
        (0.708, 0.843, 0.8, 0.837, 0.764),
        (0.366, 0.675, 0.545, 0.586, 0.495),
        (3.598, 3.084, 3.14, 2.754, 3.346),
        (0.156, 0.222, 0.212, 0.252, 0.164),
    ),
    ("dates", "attention"): Slip(
        (0.938, 0.948, 0.978, 0.92, 0.982),
        (0.7, 0.797, 0.949, 0.872, 0.934),
        (1.36, 1.41, 1.216, 1.87, 1.088),
        (0.656, 0.618, 0.796, 0.532, 0.918),
    ),
    ("numbers", "plain"): Slip(
        (0.496, 0.43, 0.527, 0.516, 0.54),
        (0.487, 0.471, 0.506, 0.49, 0.505),
        (2.33, 2.286, 2.232, 2.17, 2.244),
        (0.096, 0.096, 0.116, 0.112, 0.15),
    ),
    ("numbers", "attention"): Slip(
        (0.995, 0.976, 0.996, 0.993, 0.976),
        (0.994, 0.977, 0.996, 0.992, 0.971),
        (1.018, 1.076, 1.01, 1.024, 1.072),
        (0.984, 0.926, 0.99, 0.976, 0.934),
    ),
    ("reverse", "plain"): Slip(
        (0.118, 0.121, 0.133, 0.113, 0.14),
        (0.278, 0.275, 0.294, 0.305, 0.331),
        (3.326, 3.376, 3.486, 3.216, 3.166),
        (0.108, 0.068, 0.054, 0.12, 0.13),
    ),
    ("reverse", "attention"): Slip(
        (0.958, 0.891, 0.906, 0.916, 0.885),
        (0.916, 0.751, 0.791, 0.827, 0.709),
        (1.208, 1.404, 1.466, 1.412, 1.506),
        (0.792, 0.604, 0.548, 0.596, 0.51),
    ),
}
SCHEDULES = {
    ("teacher forcing", "plain"): Training(
        (0.89, 0.86, 0.907, 0.893, 0.917),
        (1.131, 1.143, 1.12, 1.127, 1.111),
        (0.32, 0.273, 0.28, 0.278, 0.327),
    ),
    ("linear", "plain"): Training(
        (0.65, 0.657, 0.68, 0.677, 0.657),
        (1.348, 1.331, 1.343, 1.326, 1.306),
        (0.497, 0.438, 0.42, 0.442, 0.503),
    ),
    ("exponential", "plain"): Training(
        (0.567, 0.563, 0.593, 0.587, 0.57),
        (1.472, 1.433, 1.451, 1.42, 1.452),
        (0.563, 0.523, 0.513, 0.525, 0.609),
    ),
    ("inverse sigmoid", "plain"): Training(
        (0.553, 0.59, 0.603, 0.6, 0.593),
        (1.477, 1.439, 1.466, 1.398, 1.421),
        (0.531, 0.48, 0.461, 0.461, 0.54),
    ),
    ("half", "plain"): Training(
        (0.7, 0.677, 0.677, 0.703, 0.717),
        (1.3, 1.322, 1.315, 1.321, 1.302),
        (0.5, 0.482, 0.469, 0.454, 0.532),
    ),
    ("half, a coin a batch", "plain"): Training(
        (0.763, 0.747, 0.753, 0.697, 0.687),
        (1.261, 1.262, 1.278, 1.314, 1.308),
        (0.468, 0.426, 0.423, 0.437, 0.521),
    ),
    ("teacher forcing", "attention"): Training(
        (1.0, 0.987, 0.987, 0.993, 0.993),
        (1.009, 1.018, 1.014, 1.013, 1.012),
        (0.699, 0.633, 0.593, 0.509, 0.551),
    ),
    ("linear", "attention"): Training(
        (1.0, 0.99, 0.987, 0.993, 0.993),
        (1.009, 1.018, 1.014, 1.013, 1.012),
        (0.73, 0.629, 0.62, 0.515, 0.576),
    ),
    ("exponential", "attention"): Training(
        (1.0, 0.997, 0.993, 0.993, 1.0),
        (1.008, 1.018, 1.014, 1.013, 1.012),
        (0.769, 0.639, 0.64, 0.563, 0.657),
    ),
    ("inverse sigmoid", "attention"): Training(
        (1.0, 0.987, 0.993, 0.993, 0.99),
        (1.009, 1.02, 1.014, 1.014, 1.013),
        (0.729, 0.627, 0.626, 0.508, 0.572),
    ),
    ("half", "attention"): Training(
        (1.0, 1.0, 1.0, 0.99, 1.0),
        (1.007, 1.014, 1.009, 1.011, 1.011),
        (0.788, 0.709, 0.704, 0.642, 0.703),
    ),
    ("half, a coin a batch", "attention"): Training(
        (1.0, 0.997, 0.997, 0.993, 1.0),
        (1.008, 1.016, 1.01, 1.011, 1.01),
        (0.8, 0.691, 0.689, 0.699, 0.744),
    ),
}
