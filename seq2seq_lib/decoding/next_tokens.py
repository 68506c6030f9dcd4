"""What may follow the open outputs: the model's log-probabilities, and what is banned."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seq2seq_lib.decoding.protocol import NINF
from seq2seq_lib.filters import ban_tokens

BLOCK = 64  # tokens


@dataclass(frozen=True)
class NextTokens:
    """The next token of N open outputs.

    Whoever wants to see all of them reads ``allowed``. A beam wants the few best, and a vocabulary
    is large: it looks at the best of each block of ``BLOCK`` tokens, ``block_max``, which tells
    where they are, and then into those blocks alone, ``block``.

    Attributes:
        log_probs: ``[N, V]``, the model's.
        banned: ids that no output may go on with.
        masked: ``[N, V]``, the log-probabilities with -inf at what is banned for one output and
            not for another; None if all have the same bans.
    """

    log_probs: Tensor
    banned: tuple[int, ...] = ()
    masked: Tensor | None = None

    @property
    def _scores(self) -> Tensor:
        return self.log_probs if self.masked is None else self.masked

    @cached_property
    def allowed(self) -> Tensor:
        """Log-probabilities ``[N, V]`` with -inf where an output may not go."""
        return ban_tokens(self._scores, self.banned)

    @cached_property
    def block_max(self) -> Tensor:
        """The largest allowed log-probability of each block, ``[N, ceil(V / BLOCK)]``."""
        N, V = self._scores.shape
        whole = V // BLOCK
        blocks = self._scores[:, : whole * BLOCK].unflatten(1, (whole, BLOCK)).amax(2)
        if whole * BLOCK < V:
            rest = self._scores[:, whole * BLOCK :].amax(1, keepdim=True)
            blocks = torch.cat([blocks, rest], 1)
        for block in {token // BLOCK for token in self.banned}:
            part = slice(block * BLOCK, (block + 1) * BLOCK)
            inside = [token - part.start for token in self.banned if token // BLOCK == block]
            blocks[:, block] = ban_tokens(self._scores[:, part], inside).amax(1)
        return blocks

    @property
    def stuck(self) -> Tensor:
        """Which outputs cannot go on, bool ``[N]``: every token is banned or impossible."""
        return (self.block_max.amax(1) == NINF).cpu()

    def block(self, row: Tensor, block: Tensor) -> tuple[Tensor, Tensor]:
        """The tokens of some blocks, int64 and float64 ``[..., BLOCK]``, on the CPU.

        Args:
            row, block: int64 ``[...]``.
        """
        V = self._scores.size(1)
        token = block.unsqueeze(-1) * BLOCK + torch.arange(BLOCK)
        beyond = token >= V  # the last block may be a shorter one
        where = row.unsqueeze(-1) * V + token.clamp(max=V - 1)
        scores = self._scores.take(where.to(self._scores.device)).cpu().double()
        for banned in self.banned:
            beyond |= token == banned
        return token, scores.masked_fill_(beyond, NINF)
