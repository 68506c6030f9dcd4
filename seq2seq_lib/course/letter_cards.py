"""Models that fit on a card: three letters, the end ``•``, and what may follow what.

``laws.four_letters`` remembers the last letter alone. ``MemoryCard`` has the same table and writes
no letter twice, so it must remember which ones it has read: the smallest model on which a search
can mix up memories.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

SYMBOLS = {BOS_ID: "^", EOS_ID: "•", 4: "a", 5: "b", 6: "c"}
LETTERS = (4, 5, 6)
NO_SOURCE = (torch.tensor([[EOS_ID]]), torch.tensor([1]))  # for models that read none


def spelt(tokens: Iterable[int]) -> str:
    """Ids as they are written on paper: ``[4, 5, 2]`` is ``ab•``."""
    return "".join(SYMBOLS[int(token)] for token in tokens)


def by_prefix(
    model: Any, src: Tensor = NO_SOURCE[0], src_lengths: Tensor = NO_SOURCE[1]
) -> Callable[[tuple[int, ...]], dict[int, float]]:
    """A model as a function of the prefix, which it reads from the start at each call.

    Args:
        model: with the decoding protocol.
        src, src_lengths: int64 ``[1, S]`` and ``[1]``.

    Returns:
        ``prefix -> {token: log-probability}``, for a tuple of ids without BOS; impossible tokens
        are left out.
    """

    def next_log_probs(prefix: tuple[int, ...]) -> dict[int, float]:
        state = model.start(src, src_lengths)
        for token in (BOS_ID, *prefix):
            log_probs, state = model.step(torch.tensor([token]), state)
        return {i: added for i, added in enumerate(log_probs[0].tolist()) if added > -math.inf}

    return next_log_probs


class Read(NamedTuple):
    """The memory of ``MemoryCard``: for each row the letters that it has read."""

    letters: tuple[frozenset[int], ...]

    def select(self, rows: Tensor) -> "Read":
        return Read(tuple(self.letters[row] for row in rows.tolist()))


class MemoryCard:
    """The decoding protocol over the table of ``four_letters``, but each letter is written once.

    The row of the last letter is renormalised over the end and the letters not yet read.
    """

    def __init__(self) -> None:
        self.probs = four_letters().log_probs.exp()  # [V, V]

    def start(self, src: Tensor, src_lengths: Tensor) -> Read:
        """The source is not read."""
        return Read((frozenset(),) * len(src))

    def step(self, tokens: Tensor, state: Read) -> tuple[Tensor, Read]:
        """Log-probabilities, float64 ``[N, V]``, after reading ``tokens`` int64 ``[N]``."""
        pairs = zip(state.letters, tokens.tolist(), strict=True)
        state = Read(tuple(seen | ({token} & set(LETTERS)) for seen, token in pairs))
        probs = self.probs[tokens].clone()  # [N, V]
        for row, seen in enumerate(state.letters):
            probs[row, list(seen)] = 0
        return (probs / probs.sum(1, keepdim=True)).log(), state
