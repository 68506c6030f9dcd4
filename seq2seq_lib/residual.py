"""An encoder and a decoder with one more layer and residual connections, for the same time.

    memory   = embeddings + BiLSTM(embeddings)
    h        = LSTM(embed(y));  c_t = attention(h_t, memory)      of the lower layers
    g        = LSTM([h; c])                                       the upper layer reads the contexts
    logits   from tanh(W [g_t + h_t; c_t])

The decoder is that of Wu et al. 2016 in small: attention lies between its layers (they query with
the bottom layer's output of the step before, this one with that of the same step). So the upper
layer remembers what was looked at, as a decoder does that attends before its recurrent step, and a
teacher-forced pass is still one call a layer. Through the memory a word's own vector reaches the
readout without passing the recurrent layer.

Nothing is packed here. On a CPU torch hands an LSTM over padded batches to oneDNN, and one over
packed batches to a slower loop of its own (benchmarks/training_step.py). The backward layer reads
each row turned round *within its length*, so that pads come last in both directions and no real
token reads any.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.decoder import AttentionDecoder, DecoderOutput, DecoderState
from seq2seq_lib.encoder import (
    EncoderOutput,
    State,
    check_source,
    make_rnn,
    map_state,
    scale_down,
    units_a_direction,
)
from seq2seq_lib.vocab import PAD_ID


class ResidualEncoder(nn.Module):
    """Embedding and recurrent layers, each with a residual connection. Pads change nothing.

    Args:
        vocab_size, embed_size, hidden_size, cell, bidirectional: as in ``encoder.Encoder``.
        num_layers: L; dropout lies before each.

    The final state has L + 1 layers, one more than the encoder: it is the first state of a
    ``ResidualDecoder``, and a learned map tanh(W s) of what each direction ended with.
    """

    def __init__(
        self,
        vocab_size: int,
        embed_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        dropout: float = 0.0,
        cell: str = "lstm",
        bidirectional: bool = True,
    ) -> None:
        super().__init__()
        check_positive(num_layers, "num_layers")
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        self.input_scale = scale_down(self.embedding)
        self.dropout = nn.Dropout(dropout)
        units = units_a_direction(hidden_size, bidirectional)
        sizes = [embed_size] + [hidden_size] * (num_layers - 1)
        self.forwards = nn.ModuleList(make_rnn(cell, size, units, 1, 0.0) for size in sizes)
        self.backwards = nn.ModuleList(
            make_rnn(cell, size, units, 1, 0.0) for size in sizes if bidirectional
        )
        self.widen = (  # so that the sum has one size
            nn.Identity()
            if embed_size == hidden_size
            else nn.Linear(embed_size, hidden_size, bias=False)
        )
        self.parts = 2 if cell == "lstm" else 1  # h, and an LSTM's c
        self.bridge = nn.Linear(hidden_size, self.parts * (num_layers + 1) * hidden_size)

    def forward(self, src: Tensor, src_lengths: Tensor) -> EncoderOutput:
        """Encode a padded batch; arguments and errors are those of ``encoder.Encoder``.

        Returns:
            memory ``[B, S, H]``, 0 at pads; final state ``[B, L + 1, H]`` (LSTM: two); mask.
        """
        src_mask = check_source(src, src_lengths, self.vocab_size)
        lengths = src_lengths.to(src.device)
        places = torch.arange(src.size(1), device=src.device)  # [S]
        turned = lengths.unsqueeze(1) - 1 - places  # [B, S]: the last real token first
        turned = torch.where(turned >= 0, turned, places)  # pads stay where they are

        hidden = self.dropout(self.embedding(src) * self.input_scale)  # [B, S] -> [B, S, E]
        for layer, forwards in enumerate(self.forwards):
            inputs = hidden if layer == 0 else self.dropout(hidden)
            outputs, _ = forwards(inputs)  # [B, S, U]
            ends = _rows(outputs, lengths.unsqueeze(1) - 1)  # [B, 1, U], at the last real token
            if self.backwards:
                reverse, _ = self.backwards[layer](_rows(inputs, turned))
                reverse = _rows(reverse, turned)
                ends = torch.cat([ends, reverse[:, :1]], -1)  # at the first token
                outputs = torch.cat([outputs, reverse], -1)  # [B, S, H]
            hidden = outputs + (self.widen(hidden) if layer == 0 else hidden)
        memory = hidden.masked_fill(~src_mask.unsqueeze(-1), 0.0)

        first = torch.tanh(self.bridge(ends))  # [B, 1, H] -> [B, 1, parts * (L + 1) * H]
        parts = first.view(len(src), self.parts, -1, memory.size(-1)).unbind(1)  # [B, L + 1, H]
        return EncoderOutput(memory, parts if self.parts == 2 else parts[0], src_mask)


class ResidualDecoder(AttentionDecoder):
    """Lower layers, attention, and an upper layer that reads both; arguments as there.

    Args:
        num_layers: L, of the lower layers; with the upper one the state has L + 1.
    """

    def __init__(
        self, vocab_size: int, embed_size: int, hidden_size: int, attention: nn.Module, **options
    ) -> None:
        super().__init__(vocab_size, embed_size, hidden_size, attention, **options)
        self.upper = make_rnn(options.get("cell", "gru"), 2 * hidden_size, hidden_size, 1, 0.0)

    def forward(self, tgt_in: Tensor, state: DecoderState) -> DecoderOutput:
        below = map_state(lambda h: h[:, :-1], state.hidden)  # [B, L, H]
        above = map_state(lambda h: h[:, -1:], state.hidden)  # [B, 1, H]
        lower, below = self._recur(self._embed(tgt_in, state), below)  # [B, T, H]
        context, weights = self._attend(lower, state)
        both = torch.cat([lower, context], -1)  # [B, T, 2H]
        outputs, above = self._recur(self.dropout(both), above, self.upper)
        logits = self._logits(lower + outputs, context)
        hidden = _stacked(below, above)
        state = replace(state, hidden=hidden, attention=weights[:, -1])
        return DecoderOutput(logits, state, weights)


def _rows(values: Tensor, places: Tensor) -> Tensor:
    """Values ``[B, S, X]`` at places ``[B, N]`` of their rows: ``[B, N, X]``."""
    return values.gather(1, places.unsqueeze(-1).expand(-1, -1, values.size(-1)))


def _stacked(below: State, above: State) -> State:
    if isinstance(below, tuple):
        return tuple(torch.cat(pair, 1) for pair in zip(below, above, strict=True))
    return torch.cat([below, above], 1)
