"""The specification of search, as slow code that anyone can read: write down every output."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

# EOS is best at once. A beam of two goes on with 3 (.33) and 4 (.31), and 4 leads to an output
# that no shorter one equals as soon as length is rewarded. A beam narrowed to one follows 3 alone,
# and one that compares scores at their present lengths stops here.
GARDEN = {
    (): {EOS_ID: 0.36, 3: 0.33, 4: 0.31},
    (3,): {3: 0.26, 4: 0.25, 5: 0.25, EOS_ID: 0.24},
    (4,): {5: 1.0},
    (4, 5): {5: 1.0},
    (4, 5, 5): {EOS_ID: 1.0},
}
BEST = (4, 5, 5, EOS_ID)


@dataclass(frozen=True)
class Output:
    """One possible output and its log-probability."""

    tokens: tuple[int, ...]
    log_prob: float

    def score(self, exponent: float, penalty: Callable[[int, float], float]) -> float:
        return self.log_prob / penalty(len(self.tokens), exponent)


def plain_penalty(length: int, exponent: float) -> float:
    """length ** exponent; the length counts EOS and not BOS."""
    return float(length) ** exponent


def every_output(model: Any, src: Tensor, max_new_tokens: int) -> list[Output]:
    """All outputs for one source ``[1, S]`` without pads: the specification of search, O(V^T).

    An output ends with EOS, or has ``max_new_tokens`` tokens. PAD and BOS are never in it, nor
    tokens of probability 0.
    """
    state = model.start(src, torch.tensor([src.size(1)], device=src.device))
    prefixes, log_probs, found = [()], [0.0], []
    tokens = torch.tensor([BOS_ID], device=src.device)
    for length in range(1, max_new_tokens + 1):
        scores, state = model.step(tokens, state)  # [N, V]
        rows, longer, totals = [], [], []
        for row, (prefix, log_prob) in enumerate(zip(prefixes, log_probs, strict=True)):
            for token, score in enumerate(scores[row].tolist()):
                if token in (PAD_ID, BOS_ID) or score == -math.inf:
                    continue
                if token == EOS_ID or length == max_new_tokens:
                    found.append(Output((*prefix, token), log_prob + score))
                else:
                    rows.append(row)
                    longer.append((*prefix, token))
                    totals.append(log_prob + score)
        if not rows:
            break
        prefixes, log_probs = longer, totals
        state = state.select(torch.tensor(rows, device=src.device))
        tokens = torch.tensor([prefix[-1] for prefix in prefixes], device=src.device)
    return found


def greedy_output(
    model: Any, src: Tensor, max_new_tokens: int, gap: float
) -> tuple[tuple[int, ...], bool]:
    """The greedy output, and whether two tokens came within ``gap`` (then either is right)."""
    state = model.start(src, torch.tensor([src.size(1)], device=src.device))
    tokens, near_tie = [BOS_ID], False
    while len(tokens) <= max_new_tokens and tokens[-1] != EOS_ID:
        last = torch.tensor([tokens[-1]], device=src.device)
        scores, state = model.step(last, state)  # [1, V]
        scores = scores[0].clone()
        scores[[PAD_ID, BOS_ID]] = -math.inf
        (first, second), (best, _) = (part.tolist() for part in scores.topk(2))
        near_tie |= first - second < gap
        tokens.append(best)
    return tuple(tokens[1:]), near_tie
