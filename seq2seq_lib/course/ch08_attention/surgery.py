"""Models of chapter 8 under surgery: other weights, a foreign vector, a query of the wrong step."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from seq2seq_lib.attention import DotAttention
from seq2seq_lib.decoder import DecoderState
from seq2seq_lib.seq2seq import Seq2Seq


class Weighing(DotAttention):
    """Dot attention whose weights are made by a function.

    Args:
        way: scores ``[B, T, S]`` and a bool mask ``[B, 1, S]``, True = real, to weights.
    """

    def __init__(self, way: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.way = way

    def forward(
        self, query: Tensor, keys: Tensor, memory: Tensor, src_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        weights = self.way(self.score(query, keys), src_mask[:, None])  # [B, T, S]
        return weights @ memory, weights


class Transplanted:
    """A model with dot attention; some columns of each memory come from the row above.

    Row 0 gets those of the last row. Greedy search takes it for a model.

    Args:
        model: its attention must be ``DotAttention``, whose keys are the memory itself.
        columns: source positions, the same for all rows.
    """

    def __init__(self, model: Seq2Seq, columns: Sequence[int]) -> None:
        self.model, self.columns, self.step = model, list(columns), model.step

    def start(self, src: Tensor, src_lengths: Tensor) -> DecoderState:
        """The decoder's state after the surgery.

        Raises:
            ValueError: the rows differ in length, so a column of one may be a pad of another.
        """
        if src_lengths.unique().numel() > 1:
            raise ValueError(
                f"All sources must have one length, but they have {src_lengths.tolist()}: a column "
                f"of one row may be a pad in another."
            )
        state = self.model.start(src, src_lengths)
        memory = state.memory.clone()  # [B, S, H]
        memory[:, self.columns] = state.memory.roll(1, 0)[:, self.columns]
        return replace(state, memory=memory, keys=memory)


def stale_step(model: Seq2Seq) -> Callable[[Tensor, DecoderState], tuple[Tensor, DecoderState]]:
    """A step that attends after the recurrent step, but asks with the state of the step before.

    It returns log-probabilities ``[B, V]`` and the new state, as ``Seq2Seq.step`` does.
    """
    decoder = model.decoder

    def step(tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        _, new = decoder.step(tokens, state)
        stale = state.hidden[:, -1]  # [B, H]
        context, _ = decoder.attention(stale, state.keys, state.memory, state.src_mask)
        mixed = torch.tanh(decoder.readout(torch.cat([new.hidden[:, -1], context], -1)))
        return decoder.output(mixed).log_softmax(-1), new

    return step
