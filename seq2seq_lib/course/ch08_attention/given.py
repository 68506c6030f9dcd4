"""What the notebooks of chapter 8 are given: scores for a pencil, and measured numbers."""

import torch
from torch import Tensor

# Exact match on unseen strings to be written backwards, seeds 0, 1, 2; by benchmarks/attention.py.
LENGTHS = ("2-3", "4-5", "6-7", "8-9", "10-12")
WITHOUT_ATTENTION = (
    (1.0, 0.7143, 0.1091, 0.0, 0.0),
    (1.0, 0.7571, 0.1636, 0.0, 0.0),
    (1.0, 0.6143, 0.1091, 0.0, 0.0),
)
WITH_ATTENTION = (
    (1.0, 0.9714, 0.9636, 0.86, 0.6625),
    (1.0, 0.9857, 0.7818, 0.66, 0.3375),
    (1.0, 0.9857, 0.9455, 0.86, 0.7875),
)

# Seed; exact match of dates without a mask: one by one, and with 100 PAD columns. Same script.
WITHOUT_A_MASK = (
    (0, 1.0, 0.9967),
    (1, 0.9967, 0.8833),
    (2, 1.0, 0.9833),
)

# Seed; "the small red cat"; and with the column "the" from "the small red house". Same script.
COLUMN_OF_THE = (
    (0, "le petit chat rouge", "la petit chat rouge"),
    (1, "le petit chat rouge", "la petit chat rouge"),
    (2, "le petit chat rouge", "la petit chat rouge"),
)


def three_other_scores() -> tuple[Tensor, dict[str, list[float]]]:
    """Scores ``[4]``, the last one at a pad, and what several people take for their weights."""
    scores, real = torch.tensor([3.0, 2.0, 1.0, 4.0]), torch.tensor([True, True, True, False])
    masked = scores.masked_fill(~real, float("-inf"))
    options = {
        "A": masked.exp() / scores.exp().sum(),
        "B": scores * real / (scores * real).sum(),
        "C": torch.eye(4)[masked.argmax()],
        "D": masked.softmax(-1),
        "E": scores.softmax(-1),
        "F": (scores * real).softmax(-1),
    }
    return scores, {letter: [round(w, 2) for w in row.tolist()] for letter, row in options.items()}
