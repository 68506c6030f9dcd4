"""What ``benchmarks/neighbours.py`` measured on 28 November 2026, as chapter 0 shows it.

The whole result is ``benchmarks/results/neighbours.json``; a test compares the two.
"""

from typing import NamedTuple

DATE, PADS = "2026-11-28", (4, 8, 24)


class Run(NamedTuple):
    """One seed: exact match alone and in one batch of 500; by pads, the share that changes."""

    alone: float
    together: float
    changed: dict[int, float]


CARELESS = (  # a run a seed, 0 to 4
    Run(0.992, 0.036, {4: 0.986, 8: 1.0, 24: 1.0}),
    Run(0.996, 0.432, {4: 0.322, 8: 0.412, 24: 0.922}),
    Run(1.0, 0.388, {4: 0.042, 8: 0.452, 24: 0.968}),
    Run(1.0, 0.774, {4: 0.152, 8: 0.038, 24: 0.412}),
    Run(1.0, 0.002, {4: 1.0, 8: 1.0, 24: 1.0}),
)
OURS = (  # a run a seed, 0 to 4
    Run(1.0, 1.0, {4: 0.0, 8: 0.0, 24: 0.0}),
    Run(0.998, 0.998, {4: 0.0, 8: 0.0, 24: 0.0}),
    Run(0.998, 0.998, {4: 0.0, 8: 0.0, 24: 0.0}),
    Run(0.996, 0.996, {4: 0.0, 8: 0.0, 24: 0.0}),
    Run(0.998, 0.998, {4: 0.0, 8: 0.0, 24: 0.0}),
)
