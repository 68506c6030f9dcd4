"""The length penalty: what a log-probability is divided by, so that outputs can be compared."""

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_choice, check_number

Number = TypeVar("Number", float, Tensor)


def length_penalty(length: int, exponent: float, kind: str = "plain") -> float:
    """What a log-probability is divided by.

    ``"plain"``: length ** exponent. ``"gnmt"``: ((5 + length) / 6) ** exponent (Wu et al. 2016,
    eq. 14). An exponent **above 0 favours longer outputs**: log-probabilities are negative, so
    dividing by more brings them nearer to 0. The length counts EOS and not BOS.
    """
    check_choice(kind, ("plain", "gnmt"), "length_penalty_kind")
    if length < 1:
        raise ValueError(f"length must be ≥ 1, but it is {length}: EOS counts.")
    base = float(length) if kind == "plain" else (5 + length) / 6
    return base**exponent


@dataclass(frozen=True)
class LengthPenalty:
    """What a search maximises: log-probability / ``length_penalty``. By default nothing is divided.

    Attributes:
        exponent, kind: as in ``length_penalty``.
    """

    exponent: float = 0.0
    kind: str = "plain"

    def __post_init__(self) -> None:
        check_choice(self.kind, ("plain", "gnmt"), "length_penalty_kind")
        # far beyond, length ** exponent overflows
        ends = {"low": -10, "high": 10, "open_high": False}
        check_number(self.exponent, "length_penalty", "in -10 .. 10", **ends)

    def score(self, log_prob: Number, length: int) -> Number:
        """The score of one log-probability or of a tensor of them."""
        # An output without tokens has log-probability 0, and 0 is its score.
        exponent = float(self.exponent)  # NumPy's float32 would round every score
        return log_prob / length_penalty(max(length, 1), exponent, self.kind)

    def bound(self, log_prob: Tensor, length: int, longest: int) -> Tensor:
        """The best score that open outputs ``[N]`` of this length can still reach.

        More tokens only lower the log-probability, so the best case adds none. The penalty rises
        or falls with the length throughout: its extremes are the next length and the longest.
        """
        return torch.maximum(self.score(log_prob, length + 1), self.score(log_prob, longest))
