"""Attention: scores between a query and every source position, softmax over the real ones.

    keys    = precompute(memory)                     once a sentence
    scores  = score(query, keys)                     [B, T, S]
    weights = masked_softmax(scores, src_mask)       [B, T, S], rows sum to 1, 0 at pads
    context = weights @ memory                       [B, T, M]

The three kinds differ in ``score`` alone. Nothing is kept on the module: keys are an argument and
weights are returned, so a second call cannot read what the first one left behind.
"""

import math

import torch
from torch import Tensor, nn

from seq2seq_lib.masks import masked_softmax


class Attention(nn.Module):
    """What the three kinds share; they define ``precompute`` and ``score``."""

    def precompute(self, memory: Tensor) -> Tensor:
        """Keys of a memory ``[B, S, M]``, computed once and used at every step."""
        raise NotImplementedError

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """``[B, T, Q]`` and keys ``[B, S, ...]`` to scores ``[B, T, S]``."""
        raise NotImplementedError

    def forward(
        self, query: Tensor, keys: Tensor, memory: Tensor, src_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attend from one query a sentence or from a whole teacher-forced pass at once.

        Args:
            query: ``[B, Q]`` or ``[B, T, Q]``.
            keys: what ``precompute(memory)`` returned.
            memory: ``[B, S, M]``; finite at pads, where its weight is 0 (0 · NaN would be NaN).
            src_mask: bool ``[B, S]``, True = real token. Required: unmasked attention reads pads,
                and the answer then depends on the neighbours in the batch.

        Returns:
            context ``[B, M]`` or ``[B, T, M]`` and weights ``[B, S]`` or ``[B, T, S]``. A sentence
            without a real token has weights 0 and context 0.

        Raises:
            TypeError, ValueError: the mask is not bool; shapes do not fit. No row is repeated
                silently: several hypotheses of a sentence need several rows of memory.
        """
        if memory.dim() != 3:
            raise ValueError(f"memory must be [B, S, M], but it is {list(memory.shape)}.")
        if not src_mask.shape == keys.shape[:2] == memory.shape[:2]:
            raise ValueError(
                f"src_mask [B, S] and keys [B, S, ...] must have the B and S of the memory, "
                f"{list(memory.shape[:2])}, but they are {list(src_mask.shape)} and "
                f"{list(keys.shape)}."
            )
        if query.dim() not in (2, 3) or len(query) != len(memory):
            raise ValueError(
                f"query must be [B, Q] or [B, T, Q] with B = {len(memory)}, but it is "
                f"{list(query.shape)}."
            )
        if query.dim() == 2:
            context, weights = self(query.unsqueeze(1), keys, memory, src_mask)
            return context.squeeze(1), weights.squeeze(1)
        scores = self.score(query, keys)  # [B, T, S]
        weights = masked_softmax(scores, src_mask.unsqueeze(1))  # over S, never over B or T
        return weights @ memory, weights  # [B, T, S] @ [B, S, M] -> [B, T, M]


class DotAttention(Attention):
    """score(q, m) = q · m / √Q  (scaled: Vaswani et al. 2017, eq. 1; unscaled: Luong et al. 2015).

    No parameters; query and memory must have the same size. Unscaled scores grow with Q until the
    softmax puts everything on one token and its gradient is gone.
    """

    def __init__(self, scaled: bool = True) -> None:
        super().__init__()
        self.scaled = scaled

    def precompute(self, memory: Tensor) -> Tensor:
        return memory

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        if query.size(-1) != keys.size(-1):
            raise ValueError(
                f"DotAttention needs query and memory of one size, but they have {query.size(-1)} "
                f"and {keys.size(-1)}: use GeneralAttention, which maps one to the other."
            )
        scale = 1 / math.sqrt(query.size(-1)) if self.scaled else 1.0
        return (query * scale) @ keys.transpose(1, 2)  # [B, T, Q] @ [B, Q, S]


class GeneralAttention(Attention):
    """score(q, m) = qᵀ W m / √Q  (Luong et al. 2015, "general", who do not scale)."""

    def __init__(self, query_size: int, memory_size: int, scaled: bool = True) -> None:
        super().__init__()
        self.scaled = scaled
        self.key = nn.Linear(memory_size, query_size, bias=False)

    def precompute(self, memory: Tensor) -> Tensor:
        return self.key(memory)  # [B, S, M] -> [B, S, Q]

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        scale = 1 / math.sqrt(query.size(-1)) if self.scaled else 1.0
        return (query * scale) @ keys.transpose(1, 2)  # [B, T, Q] @ [B, Q, S]


class AdditiveAttention(Attention):
    """score(q, m) = vᵀ tanh(W q + U m + b)  (Bahdanau et al. 2015, appendix A.1.2, without b).

    Args:
        query_size, memory_size: Q and M.
        attention_size: A, the size of v; Q when left out. A pass holds ``[B, T, S, A]`` numbers.
    """

    def __init__(
        self, query_size: int, memory_size: int, attention_size: int | None = None
    ) -> None:
        super().__init__()
        attention_size = query_size if attention_size is None else attention_size
        self.query = nn.Linear(query_size, attention_size, bias=False)
        self.key = nn.Linear(memory_size, attention_size)
        self.energy = nn.Linear(attention_size, 1, bias=False)

    def precompute(self, memory: Tensor) -> Tensor:
        return self.key(memory)  # [B, S, M] -> [B, S, A]

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        # without the tanh the query would only add a constant to a row, and softmax drops constants
        mixed = torch.tanh(self.query(query).unsqueeze(2) + keys.unsqueeze(1))  # [B, T, S, A]
        return self.energy(mixed).squeeze(-1)  # [B, T, S]
