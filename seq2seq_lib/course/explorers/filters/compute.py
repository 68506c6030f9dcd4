"""One row of probabilities, a temperature, and one filter: which tokens stay, and with how much."""

from dataclasses import dataclass

import torch

from seq2seq_lib.filters import apply_temperature, min_p_filter, top_k_filter, top_p_filter

ROWS = {
    "peaked": (0.90, 0.04, 0.03, 0.02, 0.01),
    "cliff": (0.40, 0.38, 0.10, 0.07, 0.05),
    "flat": (0.24, 0.22, 0.20, 0.18, 0.16),
    "card": (0.40, 0.30, 0.25, 0.05),
}
TEMPERATURES, KS, PS, SHARES = (0.5, 1.0, 2.0), (1, 2, 3), (0.5, 0.85, 0.95), (0.1, 0.3)


@dataclass(frozen=True)
class Result:
    """What the picture shows, a number a token, the most probable first.

    Attributes:
        row: its name.
        temperature: what the row is flattened or sharpened by, before the filter.
        kind: none, top-k, top-p, min-p.
        setting: the filter in words, such as "top-p 0.85".
        before: probabilities of the model.
        warm: after the temperature.
        after: after the filter; 0 where a token was cut.
        threshold: what a token needs for min-p; 0 for the others.
    """

    row: str
    temperature: float
    kind: str
    setting: str
    before: tuple[float, ...]
    warm: tuple[float, ...]
    after: tuple[float, ...]
    threshold: float

    @property
    def kept(self) -> int:
        """How many tokens stay."""
        return sum(p > 0 for p in self.after)


def compute(
    *,
    row: str = "cliff",
    temperature: float = 1.0,
    kind: str = "min-p",
    k: int = 2,
    p: float = 0.85,
    share: float = 0.3,
) -> Result:
    """Filter a row.

    Args:
        row: one of ``ROWS``.
        temperature: > 0.
        kind: ``none``, ``top-k`` (then ``k`` counts), ``top-p`` (``p``) or ``min-p`` (``share``).
    """
    log_probs = torch.tensor(ROWS[row], dtype=torch.float64).log()
    warm = apply_temperature(log_probs, temperature)
    after, setting = {
        "none": lambda: (warm, "no filter"),
        "top-k": lambda: (top_k_filter(warm, k), f"top-k {k}"),
        "top-p": lambda: (top_p_filter(warm, p), f"top-p {p:g}"),
        "min-p": lambda: (min_p_filter(warm, share), f"min-p {share:g}"),
    }[kind]()
    threshold = share * warm.max().exp().item() if kind == "min-p" else 0.0
    numbers = (tuple(t.exp().tolist()) for t in (warm, after))
    return Result(row, temperature, kind, setting, ROWS[row], *numbers, threshold)
