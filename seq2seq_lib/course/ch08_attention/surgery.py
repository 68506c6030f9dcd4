"""Models of chapter 8 under surgery: a foreign vector in the memory, a query of the wrong step."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from seq2seq_lib.decoder import DecoderState
from seq2seq_lib.seq2seq import Seq2Seq


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
    """A step that attends after the recurrent step, but asks with the state of the step before."""
    decoder = model.decoder

    def step(tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        _, new = decoder.step(tokens, state)
        stale = state.hidden[:, -1]  # [B, H]
        context, _ = decoder.attention(stale, state.keys, state.memory, state.src_mask)
        mixed = torch.tanh(decoder.readout(torch.cat([new.hidden[:, -1], context], -1)))
        return decoder.output(mixed), new

    return step
