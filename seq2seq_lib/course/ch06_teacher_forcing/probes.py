"""What the checks of chapter 6 feed to an answer: sizes that all differ, drawn anew at each call.

The first two are fixed and small, so that a message can show them and reads the same each time. The
last ones are edges: one sentence, one position, one cell, a batch that is square.
"""

import torch
from torch import Tensor

from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID

FIXED = 2  # so many probes are the same at each call


class TableModel:
    """A model whose whole state is one number a row; what it says next stands in a table.

    It follows the decoding protocol's second half: ``step(tokens [B], state) -> (log_probs [B, V],
    state)``. What it has read decides all that follows, and no two entries of a row are equal.
    """

    STATES = 23

    def __init__(self, vocab_size: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        scores = torch.randn(self.STATES, vocab_size, generator=generator)
        scores[:, [PAD_ID, BOS_ID]] -= 9.0  # it never says these two
        self.table = scores.log_softmax(-1)  # [states, V]

    def step(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read int64 ``[B]``; log-probabilities ``[B, V]`` and the new state, int64 ``[B]``."""
        state = (5 * state + 3 * tokens + 1) % self.STATES
        return self.table[state], state

    def __repr__(self) -> str:
        return "a model that is a table"


def sizes(generator: torch.Generator) -> list[tuple[int, int]]:
    """``(B, T)`` of nine batches."""
    B, T = (int(torch.randint(4, 7, (), generator=generator)) for _ in range(2))
    return [(3, 4), (2, 3), (B, T + 4), (B + 1, T), (2, 7), (4, 4), (1, 5), (3, 1), (1, 1)]


def draw_lengths(B: int, T: int, generator: torch.Generator) -> Tensor:
    """int64 ``[B]``: one is T; of several, one is 1 and the first is not the longest."""
    lengths = torch.randint(1, T + 1, (B,), generator=generator)
    lengths[-1] = T
    if B > 1:
        lengths[0] = 1
    if B > 3:
        lengths[1:] = lengths[1:][torch.randperm(B - 1, generator=generator)]
    return lengths


def draw_targets(
    lengths: Tensor, T: int, vocab_size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """``tgt_in`` and ``tgt_out``, int64 ``[B, T]``: words from UNK on, EOS at the end, then PAD."""
    positions = torch.arange(T)[None, :]  # [1, T]
    words = torch.randint(UNK_ID, vocab_size, (len(lengths), T), generator=generator)
    tgt_out = words.masked_fill(positions == lengths[:, None] - 1, EOS_ID)
    tgt_out = tgt_out.masked_fill(positions >= lengths[:, None], PAD_ID)
    bos = torch.full_like(tgt_out[:, :1], BOS_ID)
    tgt_in = torch.cat([bos, tgt_out[:, :-1]], 1)
    return tgt_in.masked_fill(positions >= lengths[:, None], PAD_ID), tgt_out
