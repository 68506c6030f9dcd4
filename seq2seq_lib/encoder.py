"""The encoder: source ids to a memory (one vector a token) and a final state. Pads change neither.

Everything is batch first, states included: ``nn.GRU`` gives its state as ``[layers, B, H]`` even
with ``batch_first=True``, and that order stays inside this file and ``decoder.py``.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib._arguments import check_choice, check_ids, check_lengths, check_positive
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.vocab import PAD_ID

State = Tensor | tuple[Tensor, Tensor]  # GRU: h [B, L, H]; LSTM: (h, c)
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


class EncoderOutput(NamedTuple):
    """What the decoder starts from.

    Attributes:
        memory: ``[B, S, H]``, one vector a source token, 0 at pads.
        final_state: ``[B, L, H]`` for a GRU, a pair ``(h, c)`` of those for an LSTM.
        src_mask: bool ``[B, S]``, True = real token.
    """

    memory: Tensor
    final_state: State
    src_mask: Tensor


def make_rnn(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    dropout: float,
    bidirectional: bool = False,
) -> nn.GRU | nn.LSTM:
    """``nn.GRU`` or ``nn.LSTM``, batch first. Dropout lies between layers; one layer has none."""
    check_choice(cell, tuple(CELLS), "cell")
    check_positive(num_layers, "num_layers")
    return CELLS[cell](
        input_size,
        hidden_size,
        num_layers,
        batch_first=True,
        dropout=dropout if num_layers > 1 else 0.0,  # torch warns about dropout without effect
        bidirectional=bidirectional,
    )


def map_state(function: Callable[[Tensor], Tensor], state: State) -> State:
    """Apply a function to a GRU's state or to both halves of an LSTM's."""
    return tuple(function(s) for s in state) if isinstance(state, tuple) else function(state)


class Encoder(nn.Module):
    """Embedding and a packed GRU or LSTM.

    Packing stops each row at its own length, and a backward RNN starts at the last real token. So
    memory and final state of a sentence do not depend on its neighbours in the batch.

    Args:
        vocab_size: V of the source, the four special ids included.
        embed_size: size of a word vector.
        hidden_size: H of memory and state. If ``bidirectional``, each direction has H / 2 units,
            so memory and state have size H either way.
        num_layers, dropout: as in ``nn.GRU``; dropout also acts on the embeddings.
        cell: ``"gru"`` or ``"lstm"``.
        bidirectional: read in both directions; a learned bridge tanh(W h) maps the joined final
            states to the decoder's first (Bahdanau et al. 2015 map the backward one alone).

    Raises:
        TypeError, ValueError: a size < 1, an odd hidden_size if bidirectional, an unknown cell.
    """

    reads_pads = False  # True, in a subclass, shows what a careless encoder does

    def __init__(
        self,
        vocab_size: int,
        embed_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        dropout: float = 0.0,
        cell: str = "gru",
        bidirectional: bool = True,
    ) -> None:
        super().__init__()
        check_positive(vocab_size, "vocab_size")
        check_positive(embed_size, "embed_size")
        check_positive(hidden_size, "hidden_size")
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        self.dropout = nn.Dropout(dropout)
        units = units_a_direction(hidden_size, bidirectional)
        self.rnn = make_rnn(
            cell, embed_size, units, num_layers, dropout, bidirectional=bidirectional
        )
        self.bridge = _Bridge(hidden_size, cell) if bidirectional else None

    def forward(self, src: Tensor, src_lengths: Tensor) -> EncoderOutput:
        """Encode a padded batch.

        Args:
            src: int64 ``[B, S]``; what stands beyond a row's length is not read.
            src_lengths: integers ``[B]`` on any device, each in ``1 .. S``. None needs to be S.

        Returns:
            memory ``[B, S, H]``, final state ``[B, L, H]`` (LSTM: two) and mask ``[B, S]``.

        Raises:
            TypeError, ValueError: ranks, dtypes, ids or lengths out of range, PAD within a row's
                length (the row is named).
        """
        src_mask = check_source(src, src_lengths, self.vocab_size, self.reads_pads)
        embedded = self.dropout(self.embedding(src))  # [B, S] -> [B, S, E]
        lengths = src_lengths.cpu()  # torch wants them there, also beside a GPU
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        outputs, state = self.rnn(packed)
        # total_length: the width of src, which may exceed the longest length
        memory, _ = pad_packed_sequence(outputs, batch_first=True, total_length=src.size(1))
        state = map_state(self._join_directions, state)
        if self.bridge is not None:
            state = self.bridge(state)
        return EncoderOutput(memory, state, src_mask)

    def _join_directions(self, state: Tensor) -> Tensor:
        # torch orders the first axis layer by layer, forward before backward. A plain
        # view(B, -1) would mix the sentences (https://github.com/timbmg/Sentence-VAE/issues/15).
        directions = 2 if self.rnn.bidirectional else 1
        _, batch, units = state.shape
        state = state.view(self.rnn.num_layers, directions, batch, units)  # [L, D, B, U]
        return state.permute(2, 0, 1, 3).flatten(2)  # [B, L, D, U] -> [B, L, D*U]


class _Bridge(nn.Module):
    """Joined final states to the decoder's first: tanh(W h), but W c for an LSTM's cell."""

    def __init__(self, hidden_size: int, cell: str) -> None:
        super().__init__()
        self.hidden = nn.Linear(hidden_size, hidden_size)
        self.cell = nn.Linear(hidden_size, hidden_size) if cell == "lstm" else None

    def forward(self, state: State) -> State:
        if self.cell is None:
            return torch.tanh(self.hidden(state))
        h, c = state
        return torch.tanh(self.hidden(h)), self.cell(c)


def units_a_direction(hidden_size: int, bidirectional: bool) -> int:
    """Units of each direction, so that the memory has size H whether one reads or two."""
    if bidirectional and hidden_size % 2:
        raise ValueError(
            f"hidden_size must be even for a bidirectional encoder, but it is {hidden_size}: "
            f"each direction gets half."
        )
    return hidden_size // 2 if bidirectional else hidden_size


def scale_down(embedding: nn.Embedding) -> float:
    """Draw small weights for an embedding; the number that its vectors are multiplied by, √E.

    As inputs, vectors with entries of size 1 are learned fastest; as an output matrix they would
    start with logits of size √E. So the weights are small and the inputs scaled up, as in Vaswani
    et al. 2017, section 3.4.
    """
    scale = math.sqrt(embedding.embedding_dim)
    nn.init.normal_(embedding.weight, std=1 / scale)
    with torch.no_grad():
        embedding.weight[PAD_ID].zero_()  # normal_ has overwritten it
    return scale


def check_source(
    src: Tensor, src_lengths: Tensor, vocab_size: int, reads_pads: bool = False
) -> Tensor:
    """What every encoder asks of its arguments; the mask bool ``[B, S]``, True = real token."""
    check_ids(src, vocab_size, "src")
    check_lengths(src_lengths, src.size(1), "src_lengths")
    if len(src_lengths) != len(src):
        raise ValueError(f"src has {len(src)} rows but src_lengths has {len(src_lengths)}.")
    src_mask = sequence_mask(src_lengths.to(src.device), src.size(1))
    if not reads_pads:
        _refuse_pads(src, src_mask)
    return src_mask


def _refuse_pads(src: Tensor, src_mask: Tensor) -> None:
    """Pads within a row's length are read like words, for example where pads stand on the left."""
    inside = (src == PAD_ID) & src_mask
    if inside.any():
        row, place = inside.nonzero()[0].tolist()
        raise ValueError(
            f"src[{row}, {place}] is PAD, but row {row} counts it as a token: pads stand on the "
            f"right, beyond the length. Flip rows that are padded on the left."
        )
