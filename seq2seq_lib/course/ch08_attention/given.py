"""What the notebooks of chapter 8 are given: scores for a pencil, and measured numbers."""

import torch
from torch import Tensor

# Exact match on unseen strings of digits to be written backwards, by their length; seeds 0 to 4; by
# benchmarks/attention.py.
LENGTHS = ("3", "4", "5", "6", "7", "8", "9", "10", "11")
WITHOUT_ATTENTION = (
    (1.0, 1.0, 0.9494, 0.9516, 0.7184, 0.5464, 0.4078, 0.0851, 0.037),
    (1.0, 1.0, 0.962, 0.9274, 0.6602, 0.5052, 0.2427, 0.0745, 0.0463),
    (1.0, 1.0, 0.9873, 0.8468, 0.6602, 0.4845, 0.2524, 0.117, 0.0278),
    (0.9897, 0.9684, 0.9747, 0.8871, 0.6505, 0.3918, 0.2524, 0.0745, 0.037),
    (1.0, 1.0, 0.9873, 0.9194, 0.7573, 0.5155, 0.2524, 0.117, 0.0093),
)
WITH_ATTENTION = (
    (1.0, 0.9895, 1.0, 0.9839, 0.9612, 0.9897, 0.9417, 0.9681, 0.8704),
    (1.0, 1.0, 0.9873, 0.9839, 1.0, 0.9897, 0.9709, 0.9468, 0.8889),
    (1.0, 0.9895, 0.9873, 0.9839, 0.9806, 0.9897, 0.9709, 0.9362, 0.8704),
    (1.0, 1.0, 1.0, 0.9839, 0.9612, 0.8866, 0.8835, 0.8723, 0.7778),
    (1.0, 0.9895, 0.9873, 0.9919, 0.9903, 0.9691, 0.9126, 0.9574, 0.8611),
)

# Seed; exact match of dates without a mask: one by one, and with 100 PAD columns. Same script.
WITHOUT_A_MASK = (
    (0, 1.0, 0.9967),
    (1, 0.9967, 0.8833),
    (2, 1.0, 0.9833),
)

# Chapter 0's date model: its score, seed; the weight of the first hyphen on the end symbol, and how
# often it is the largest; exact match, and that with the end symbol masked. Same script.
SINK = (
    ("dot", 0, 0.133, 0.094, 1.0, 1.0),
    ("dot", 1, 0.233, 0.608, 0.998, 0.998),
    ("dot", 2, 0.307, 0.764, 0.998, 0.998),
    ("additive", 0, 0.256, 0.47, 1.0, 1.0),
    ("additive", 1, 0.044, 0.0, 1.0, 1.0),
    ("additive", 2, 0.009, 0.0, 1.0, 1.0),
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
