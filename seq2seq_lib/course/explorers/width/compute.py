"""What a search of some width writes, beside what greedy search writes."""

import math
from dataclasses import dataclass

from seq2seq_lib.course.explorers.width.found import EXACT, key
from seq2seq_lib.course.explorers.width.found import found as entries

NOTHING, END = "(nothing)", "•"
SAME = 5e-3  # nats: the stored numbers are rounded, a token to 0.0005


@dataclass(frozen=True)
class Written:
    """One output.

    Attributes:
        text: its words, ``(nothing)`` for an end alone.
        tokens: its words and the end.
        costs: −log p of each token, in nats.
    """

    text: str
    tokens: tuple[str, ...]
    costs: tuple[float, ...]

    @property
    def log_prob(self) -> float:
        """Of the whole output."""
        return -math.fsum(self.costs)  # sum rounds in other places since Python 3.12


@dataclass(frozen=True)
class Result:
    """What the picture shows.

    Attributes:
        source: the keywords.
        width: of the beam; ``EXACT`` for exact search.
        alpha: the length penalty's exponent; 0 for exact search.
        calls: how often the model was asked.
        outputs: what was found, best first, five at most.
        greedy: what greedy search writes.
    """

    source: str
    width: int
    alpha: float
    calls: int
    outputs: tuple[Written, ...]
    greedy: Written

    @property
    def best(self) -> Written:
        """What the search returns."""
        return self.outputs[0]


def compute(*, source: str = "owls boat", width: int = EXACT, alpha: float = 0.0) -> Result:
    """Look up what the search has found.

    Args:
        source: one of ``found.SOURCES``.
        width: one of ``found.WIDTHS``, or ``found.EXACT``.
        alpha: one of ``found.PENALTIES``; exact search knows none.
    """
    entry = entries()[key(source, width, alpha)]
    greedy = entries()[key(source, 1, 0.0)]["outputs"][0]
    outputs = tuple(_written(*output) for output in entry["outputs"])
    penalty = 0.0 if width == EXACT else alpha
    return Result(source, width, penalty, entry["calls"], outputs, _written(*greedy))


def _written(text: str, log_probs: list[float]) -> Written:
    tokens = (*text.split(), END)[: len(log_probs)]  # an output that was cut off has no end
    return Written(text or NOTHING, tokens, tuple(-lp for lp in log_probs))
