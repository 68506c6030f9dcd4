"""What a decoder carries from step to step, and what a pass returns."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.encoder import State, map_state

SHARED = ("memory", "keys", "src_mask")  # by all hypotheses of a sentence


@dataclass(frozen=True, eq=False)  # == of tensors has no truth value
class DecoderState:
    """All that a step needs and changes, one row a sentence or hypothesis.

    Hypotheses of one sentence read the same memory, so it is there once: N rows may share G
    memories, and ``source`` says which row reads which.

    Attributes:
        hidden: ``[N, L, H]`` for a GRU, a pair ``(h, c)`` for an LSTM.
        memory: ``[G, S, H]``; None in a decoder without attention.
        keys: what the attention precomputed from the memory; None without attention.
        src_mask: bool ``[G, S]``; None if the decoder starts from something else than tokens.
        context: ``[N, H]``, a fixed summary of the source; None in a decoder with attention.
        attention: ``[N, S]``, the weights of the last step; None before it or without attention.
        source: int64 ``[N]``, the row of memory, keys and src_mask that each row reads; None if
            each reads its own, as at the start.
    """

    hidden: State
    memory: Tensor | None = None
    keys: Tensor | None = None
    src_mask: Tensor | None = None
    context: Tensor | None = None
    attention: Tensor | None = None
    source: Tensor | None = None

    def __len__(self) -> int:
        """The number of its rows."""
        return len(top_layer(self.hidden))

    def select(self, rows: Tensor) -> "DecoderState":
        """The state of the given rows, repeated or left out as ``rows`` says: int64 ``[N]``.

        Everything is reordered together. Beams whose hidden state moves while its cell, context or
        memory stays behind continue each other's sentences. Of the memory, which is large, only the
        number in ``source`` moves; it is copied when some are not read any more.
        """
        source = rows if self.source is None else self.source.index_select(0, rows)
        read, source = source.unique(return_inverse=True)  # [G'], ascending, and [N']
        alone = torch.equal(source, torch.arange(len(read), device=rows.device))
        chosen = {"source": None if alone else source}
        for field in fields(self):
            name, value = field.name, getattr(self, field.name)
            if value is None or name == "source":
                continue
            if name not in SHARED:
                chosen[name] = map_state(lambda t: t.index_select(0, rows), value)
            elif len(read) < len(value):
                chosen[name] = value.index_select(0, read)
        return replace(self, **chosen)


class DecoderOutput(NamedTuple):
    """Of a whole pass: logits ``[B, T, V]``, the state after it, weights ``[B, T, S]`` or None."""

    logits: Tensor
    state: DecoderState
    attention: Tensor | None


def top_layer(hidden: State) -> Tensor:
    """h of the uppermost layer, ``[B, H]``, of a state ``[B, L, H]`` or a pair of them."""
    return (hidden[0] if isinstance(hidden, tuple) else hidden)[:, -1]
