"""The specification of search, as slow code that anyone can read: write down every output."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.vocab import EOS_ID

# A garden path: what looks best at first leads away from the best output. EOS is best at once. A
# beam of two goes on with 3 (.33) and 4 (.31), and 4 leads to an output
# that no shorter one equals as soon as length is rewarded. A beam narrowed to one follows 3 alone,
# and one that compares scores at their present lengths stops here.
GARDEN_PATH = {
    (): {EOS_ID: 0.36, 3: 0.33, 4: 0.31},
    (3,): {3: 0.26, 4: 0.25, 5: 0.25, EOS_ID: 0.24},
    (4,): {5: 1.0},
    (4, 5): {5: 1.0},
    (4, 5, 5): {EOS_ID: 1.0},
}
BEST = (4, 5, 5, EOS_ID)


@dataclass(frozen=True)
class Output:
    """One possible output and its log-probability, and that without the probability of ending."""

    tokens: tuple[int, ...]
    log_prob: float
    without_end: float

    def score(self, exponent: float, penalty: Callable[[int, float], float]) -> float:
        return self.log_prob / penalty(len(self.tokens), exponent)


def plain_penalty(length: int, exponent: float) -> float:
    """length ** exponent; the length counts EOS and not BOS."""
    return float(length) ** exponent


@dataclass(frozen=True)
class Rules:
    """What a search may write.

    Attributes:
        conventions: the ids of BOS and EOS.
        banned_ids: never in an output; PAD and BOS when left out.
        forced_eos: the last of ``max_new_tokens`` is EOS, whatever its probability.
    """

    conventions: Conventions = DEFAULT
    banned_ids: tuple[int, ...] | None = None
    forced_eos: bool = False

    @property
    def banned(self) -> set[int]:
        """Without EOS: where PAD or BOS is the same id, it may be written."""
        own = self.conventions.pad_id, self.conventions.bos_id
        return {*(own if self.banned_ids is None else self.banned_ids)} - {self.eos}

    @property
    def eos(self) -> int:
        return self.conventions.eos_id


RULES = Rules()


def every_output(
    model: Any, src: Tensor, max_new_tokens: int, rules: Rules = RULES
) -> list[Output]:
    """All outputs for one source ``[1, S]`` without pads: the specification of search, O(V^T).

    An output ends with EOS, or has ``max_new_tokens`` tokens. Banned ids are never in it (PAD and
    BOS, unless ``rules`` says otherwise), nor tokens of probability 0.
    """
    state = model.start(src, torch.tensor([src.size(1)], device=src.device))
    prefixes, log_probs, found = [()], [0.0], []
    tokens = torch.tensor([rules.conventions.bos_id], device=src.device)
    for length in range(1, max_new_tokens + 1):
        scores, state = model.step(tokens, state)  # [N, V]
        rows, longer, totals = [], [], []
        last = length == max_new_tokens
        for row, (prefix, log_prob) in enumerate(zip(prefixes, log_probs, strict=True)):
            for token, score in enumerate(scores[row].tolist()):
                if token in rules.banned or score == -math.inf:
                    continue
                if last and rules.forced_eos and token != rules.eos:
                    continue
                if token == rules.eos or last:
                    total = log_prob + score
                    without_end = log_prob if token == rules.eos else total
                    found.append(Output((*prefix, token), total, without_end))
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
    model: Any, src: Tensor, max_new_tokens: int, gap: float, rules: Rules = RULES
) -> tuple[tuple[int, ...], bool]:
    """The greedy output, and whether two tokens came within ``gap`` (then either is right)."""
    state = model.start(src, torch.tensor([src.size(1)], device=src.device))
    tokens, near_tie = [rules.conventions.bos_id], False
    while len(tokens) <= max_new_tokens and (len(tokens) == 1 or tokens[-1] != rules.eos):
        last = torch.tensor([tokens[-1]], device=src.device)
        scores, state = model.step(last, state)  # [1, V]
        scores = scores[0].clone()
        scores[sorted(rules.banned)] = -math.inf
        (first, second), (best, _) = (part.tolist() for part in scores.topk(2))
        if rules.forced_eos and len(tokens) == max_new_tokens:
            tokens.append(rules.eos)
            break
        near_tie |= first - second < gap
        tokens.append(best)
    return tuple(tokens[1:]), near_tie
