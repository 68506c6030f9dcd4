"""Toy models: without weights, for learning and judging search.

``HashModel`` is random-looking, deterministic and of any vocabulary. Its state is a hash of
everything read so far, so every prefix has log-probabilities of its own. A search that mixes up two
states, or lets a pad be read, gets numbers that no prefix has. ``TableModel`` and ``BigramModel``
are small tables that a person can check by hand.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

NINF = float("-inf")
PRIME = 2**31 - 1  # a product of two residues still fits into int64


class HashState(NamedTuple):
    """``hashes``: int64 ``[N]``, one a hypothesis."""

    hashes: Tensor

    def select(self, rows: Tensor) -> "HashState":
        return HashState(self.hashes.index_select(0, rows))


@dataclass(frozen=True)
class HashModel:
    """The decoding protocol over a rolling hash.

    Args:
        vocab_size: V; the ordinary tokens are ``3 .. V - 1``.
        seed: another seed is another model.
        spread: the log-probabilities before normalisation lie in ``0 .. spread`` nats.
        eos_bias: added to those of EOS; ``-inf`` never ends, a large one ends at once.

    PAD and BOS have probability 0, so that a search which bans them and one which does not agree.
    """

    vocab_size: int
    seed: int = 0
    spread: float = 3.0
    eos_bias: float = 0.0

    def start(self, src: Tensor, src_lengths: Tensor) -> HashState:
        """Hash the real tokens of ``src`` int64 ``[B, S]``."""
        real = sequence_mask(src_lengths.to(src.device), src.size(1))  # [B, S]
        hashes = torch.full_like(src_lengths, 1 + self.seed).to(src.device)
        for t in range(src.size(1)):
            hashes = torch.where(real[:, t], _mix(hashes, src[:, t]), hashes)
        return HashState(hashes)

    def step(self, tokens: Tensor, state: HashState) -> tuple[Tensor, HashState]:
        """Log-probabilities, float64 ``[N, V]``, after reading ``tokens`` int64 ``[N]``."""
        hashes = _mix(state.hashes, tokens)
        vocabulary = torch.arange(self.vocab_size, device=tokens.device)
        noise = _mix(hashes[:, None], vocabulary[None, :] + 7919)  # [N, V]
        scores = noise.double() / PRIME * self.spread
        scores[:, EOS_ID] += self.eos_bias
        scores[:, [PAD_ID, BOS_ID]] = NINF
        return scores.log_softmax(-1), HashState(hashes)


def _mix(hashes: Tensor, values: Tensor) -> Tensor:
    """Residues modulo a prime, scattered by multiplying and squaring."""
    x = (hashes * 48271 + values * 69621 + 11) % PRIME
    x = (x * x + hashes * 16807 + 5) % PRIME
    return (x * x + values) % PRIME


class TableState(NamedTuple):
    """``prefixes``: what each hypothesis has read, without BOS."""

    prefixes: tuple[tuple[int, ...], ...]

    def select(self, rows: Tensor) -> "TableState":
        return TableState(tuple(self.prefixes[row] for row in rows.tolist()))


class TableModel:
    """The decoding protocol over a table of next-token probabilities that anyone can read.

    Args:
        table: prefix (a tuple of ids without BOS) to ``{token: probability}``. After a prefix that
            is not in the table the output ends.
        vocab_size: V.
    """

    def __init__(self, table: dict[tuple[int, ...], dict[int, float]], vocab_size: int = 6) -> None:
        self.table, self.vocab_size = table, vocab_size

    def __repr__(self) -> str:
        return f"TableModel({self.table})"

    def start(self, src: Tensor, src_lengths: Tensor) -> TableState:
        """The source is not read."""
        return TableState(((),) * len(src))

    def step(self, tokens: Tensor, state: TableState) -> tuple[Tensor, TableState]:
        """Log-probabilities, float64 ``[N, V]``, after reading ``tokens`` int64 ``[N]``."""
        read = zip(state.prefixes, tokens.tolist(), strict=True)
        prefixes = tuple(p if token == BOS_ID else (*p, token) for p, token in read)
        size = len(prefixes), self.vocab_size
        probs = torch.zeros(size, dtype=torch.float64, device="cpu")  # filled number by number
        for row, prefix in enumerate(prefixes):
            for token, prob in self.table.get(prefix, {EOS_ID: 1.0}).items():
                probs[row, token] = prob
        return probs.log().to(tokens.device), TableState(prefixes)


class BigramState(NamedTuple):
    """Nothing but how many hypotheses there are: a bigram model remembers only the last token."""

    rows: int

    def select(self, rows: Tensor) -> "BigramState":
        return BigramState(len(rows))


class BigramModel:
    """The decoding protocol over a table in which the next token depends on the last one alone.

    Args:
        table: last token, BOS at the start, to ``{next token: probability}``.
        vocab_size: V.
    """

    def __init__(self, table: dict[int, dict[int, float]], vocab_size: int = 7) -> None:
        self.log_probs = torch.full((vocab_size, vocab_size), NINF, dtype=torch.float64)
        for last, following in table.items():
            for token, prob in following.items():
                self.log_probs[last, token] = math.log(prob)

    def start(self, src: Tensor, src_lengths: Tensor) -> BigramState:
        """The source is not read."""
        return BigramState(len(src))

    def step(self, tokens: Tensor, state: BigramState) -> tuple[Tensor, BigramState]:
        """Log-probabilities, float64 ``[N, V]``, after ``tokens`` int64 ``[N]``."""
        return self.log_probs.to(tokens.device)[tokens], state


def four_letters() -> BigramModel:
    """Letters a, b, c (ids 4, 5, 6) and EOS: 40 outputs of up to 4 tokens that end.

    Greedy search writes ``a c b EOS`` (0.0227), two beams find ``a b EOS`` (0.0612), three the most
    probable output, ``b EOS`` (0.1125): each wider beam finds a more probable and shorter one.
    """
    a, b, c = range(4, 7)
    table = {
        BOS_ID: {a: 0.40, b: 0.25, c: 0.30, EOS_ID: 0.05},
        a: {a: 0.15, b: 0.34, c: 0.36, EOS_ID: 0.15},
        b: {a: 0.25, b: 0.20, c: 0.10, EOS_ID: 0.45},
        c: {a: 0.15, b: 0.35, c: 0.30, EOS_ID: 0.20},
    }
    return BigramModel(table)
