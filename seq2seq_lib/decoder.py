"""Decoders: an embedding, a GRU or LSTM, and logits over the target vocabulary.

All have the same three methods, so that training, search and laws use one code path:

    state          = decoder.start(encoded)             EncoderOutput to DecoderState
    output         = decoder(tgt_in, state)             a whole teacher-forced pass
    logits, state  = decoder.step(tokens, state)        one token a sentence

For ``Decoder`` and ``AttentionDecoder`` the whole pass is one call of ``nn.GRU``; only
``BahdanauDecoder`` must go step by step, because each input depends on the step before.
"""

from dataclasses import replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq_lib._arguments import check_ids, check_positive
from seq2seq_lib.attention import Attention
from seq2seq_lib.decoder_state import DecoderOutput, DecoderState, top_layer
from seq2seq_lib.encoder import EncoderOutput, State, make_rnn, map_state, scale_down
from seq2seq_lib.vocab import PAD_ID

FEW = 25  # rows of a short step


class _BaseDecoder(nn.Module):
    """Embedding, RNN, readout and logits; the subclasses say how the source comes in.

    Args:
        vocab_size: V of the target, the four special ids included.
        embed_size: E, size of a word vector and of the readout.
        hidden_size: H of the state, equal to the encoder's.
        num_layers, dropout: as in ``nn.GRU``; dropout also acts on embeddings and readout.
        cell: ``"gru"`` or ``"lstm"``.
        tie_embeddings: use the embedding matrix as the output matrix too (Press & Wolf 2017).
    """

    reads_context = True  # whether each input of the RNN holds the context beside the word

    def __init__(
        self,
        vocab_size: int,
        embed_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        dropout: float = 0.0,
        cell: str = "gru",
        tie_embeddings: bool = False,
    ) -> None:
        super().__init__()
        check_positive(vocab_size, "vocab_size")
        check_positive(embed_size, "embed_size")
        check_positive(hidden_size, "hidden_size")
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, embed_size, padding_idx=PAD_ID)
        self.input_scale = 1.0
        self.dropout = nn.Dropout(dropout)
        input_size = embed_size + hidden_size if self.reads_context else embed_size
        self.rnn = make_rnn(cell, input_size, hidden_size, num_layers, dropout)
        self.readout = nn.Linear(2 * hidden_size, embed_size)
        self.output = nn.Linear(embed_size, vocab_size)
        if tie_embeddings:
            self.input_scale = scale_down(self.embedding)
            self.output.weight = self.embedding.weight

    def start(self, encoded: EncoderOutput) -> DecoderState:
        """The state before the first token, from what the encoder returned."""
        raise NotImplementedError

    def forward(self, tgt_in: Tensor, state: DecoderState) -> DecoderOutput:
        """Read a whole pass.

        Args:
            tgt_in: int64 ``[B, T]``, BOS first.
            state: from ``start``, or where an earlier pass over the same sentences ended.

        Returns:
            ``DecoderOutput``: logits ``[B, T, V]`` for the token after each; state; attention.

        Raises:
            TypeError, ValueError: rank, dtype or ids; rows that are not those of the state.
        """
        raise NotImplementedError

    def step(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Read one token a row, int64 ``[B]``; logits ``[B, V]`` for the next and the new state.

        A step is a pass of length 1: training and decoding run the same code.
        """
        if tokens.dim() != 1:
            raise ValueError(f"tokens must be [B], one a row, but they are {list(tokens.shape)}.")
        output = self(tokens.unsqueeze(1), state)  # [B] -> [B, 1]
        return output.logits.squeeze(1), output.state  # [B, 1, V] -> [B, V]

    def _embed(self, tgt_in: Tensor, state: DecoderState) -> Tensor:
        check_ids(tgt_in, self.vocab_size, "tgt_in")
        if len(tgt_in) != len(state):
            raise ValueError(
                f"tgt_in has {len(tgt_in)} rows but the state has {len(state)}: "
                f"state.select(rows) repeats or drops rows."
            )
        return self.dropout(self.embedding(tgt_in) * self.input_scale)  # [B, T] -> [B, T, E]

    def _recur(
        self, inputs: Tensor, hidden: State, rnn: nn.Module | None = None
    ) -> tuple[Tensor, State]:
        # the only place where torch's [L, B, H] is seen
        hidden = map_state(lambda h: h.transpose(0, 1).contiguous(), hidden)
        rnn = self.rnn if rnn is None else rnn
        read = partial(_one_token, rnn) if _is_short(rnn, inputs) else rnn
        outputs, hidden = read(inputs, hidden)  # [B, T, H]
        return outputs, map_state(lambda h: h.transpose(0, 1), hidden)

    def _logits(self, hidden: Tensor, context: Tensor) -> Tensor:
        mixed = self.readout(torch.cat([hidden, context], -1))  # [B, T, 2H] -> [B, T, E]
        return self.output(self.dropout(torch.tanh(mixed)))  # [B, T, V]


def _is_short(rnn: nn.Module, inputs: Tensor) -> bool:
    """Whether an LSTM reads one token of a few rows on a CPU, as in a search for one sentence."""
    N, T, _ = inputs.shape
    on_cpu = inputs.device.type == "cpu"
    return isinstance(rnn, nn.LSTM) and on_cpu and T == 1 and N <= FEW and not rnn.training


def _one_token(rnn: nn.LSTM, inputs: Tensor, hidden: State) -> tuple[Tensor, State]:
    """What ``rnn(inputs, hidden)`` returns for inputs ``[N, 1, E]``, layer by layer.

    On a CPU torch hands an LSTM to oneDNN, whose call takes longer than a short step itself: with
    it, five beams of one sentence took 1.4 times as long (benchmarks/README.md).
    """
    x, states = inputs.squeeze(1), []  # [N, E]
    for weights, h, c in zip(rnn.all_weights, *hidden, strict=True):
        x, c = torch.lstm_cell(x, (h, c), *weights)  # [N, H] each
        states.append((x, c))
    return x.unsqueeze(1), tuple(torch.stack(part) for part in zip(*states, strict=True))


class Decoder(_BaseDecoder):
    """Without attention: a fixed context at every step (Cho et al. 2014).

    The context is the encoder's final state of the top layer; it goes into every input, training
    and inference alike, and into the readout.
    """

    def start(self, encoded: EncoderOutput) -> DecoderState:
        final = encoded.final_state
        return DecoderState(final, src_mask=encoded.src_mask, context=top_layer(final))

    def forward(self, tgt_in: Tensor, state: DecoderState) -> DecoderOutput:
        embedded = self._embed(tgt_in, state)  # [B, T, E]
        context = state.context.unsqueeze(1).expand(-1, tgt_in.size(1), -1)  # [B, H] -> [B, T, H]
        inputs = torch.cat([embedded, context], -1)  # [B, T, E + H]
        outputs, hidden = self._recur(inputs, state.hidden)
        logits = self._logits(outputs, context)
        return DecoderOutput(logits, replace(state, hidden=hidden), None)


class _AttendingDecoder(_BaseDecoder):
    """What the two decoders with attention share: their first state, and whom they ask."""

    def __init__(
        self,
        vocab_size: int,
        embed_size: int,
        hidden_size: int,
        attention: Attention,
        **options,
    ) -> None:
        super().__init__(vocab_size, embed_size, hidden_size, **options)
        self.attention = attention

    def start(self, encoded: EncoderOutput) -> DecoderState:
        keys = self.attention.precompute(encoded.memory)  # once a sentence, not once a step
        return DecoderState(
            encoded.final_state, memory=encoded.memory, keys=keys, src_mask=encoded.src_mask
        )

    def _attend(self, query: Tensor, state: DecoderState) -> tuple[Tensor, Tensor]:
        """Context ``[N, T, H]`` and weights ``[N, T, S]`` for queries ``[N, T, H]``.

        Rows that share a memory ask it together, as the positions of one sentence do: k beams of
        one step are k queries, and the memory is read once and not k times.
        """
        if state.source is None:
            return self.attention(query, state.keys, state.memory, state.src_mask)
        T, rows = query.size(1), torch.arange(len(query), device=query.device)
        counts = torch.bincount(state.source, minlength=len(state.memory))  # [G], of rows
        width = int(counts.max())
        order = state.source.argsort(stable=True)  # [N], rows by their memory
        place = torch.empty_like(order)  # [N], of a row among those that share its memory
        place[order] = rows - (counts.cumsum(0) - counts)[state.source[order]]
        where = state.source * width + place  # [N]
        places = len(counts) * width
        full = places == len(rows) and torch.equal(where, rows)  # no sentence has lost a beam
        asked = query
        if not full:
            asked = query.new_zeros(places, *query.shape[1:])
            asked[where] = query
        asked = asked.reshape(len(counts), width * T, -1)  # [G, width T, H]
        found = self.attention(asked, state.keys, state.memory, state.src_mask)
        context, weights = (x.reshape(-1, T, x.size(2)) for x in found)  # [G width, T, ...]
        return (context, weights) if full else (context[where], weights[where])


class AttentionDecoder(_AttendingDecoder):
    """Attention after the recurrent step (Luong et al. 2015): the default.

    h_t = GRU(embed(y_t), h_{t-1});  c_t = attention(h_t, memory);  logits from tanh(W [h_t; c_t])

    No input depends on an earlier context, so a teacher-forced pass is one call of ``nn.GRU`` and
    one batched attention.
    """

    reads_context = False

    def forward(self, tgt_in: Tensor, state: DecoderState) -> DecoderOutput:
        outputs, hidden = self._recur(self._embed(tgt_in, state), state.hidden)  # [B, T, H]
        context, weights = self._attend(outputs, state)
        state = replace(state, hidden=hidden, attention=weights[:, -1])
        return DecoderOutput(self._logits(outputs, context), state, weights)


class BahdanauDecoder(_AttendingDecoder):
    """Attention before the recurrent step (Bahdanau et al. 2015).

    c_t = attention(h_{t-1}, memory);  h_t = GRU([embed(y_t); c_t], h_{t-1});
    logits from tanh(W [h_t; c_t])

    The query is the state of the step before, so a pass is a loop over the tokens.
    """

    def forward(self, tgt_in: Tensor, state: DecoderState) -> DecoderOutput:
        hidden, outputs, contexts, weights = state.hidden, [], [], []
        for embedded in self._embed(tgt_in, state).split(1, dim=1):  # T times [B, 1, E]
            query = top_layer(hidden).unsqueeze(1)  # [B, 1, H]
            context, weight = self._attend(query, state)
            inputs = torch.cat([embedded, context], -1)  # [B, 1, E + H]
            output, hidden = self._recur(inputs, hidden)
            outputs.append(output)
            contexts.append(context)
            weights.append(weight)
        logits = self._logits(torch.cat(outputs, 1), torch.cat(contexts, 1))  # [B, T, V]
        state = replace(state, hidden=hidden, attention=weights[-1].squeeze(1))
        return DecoderOutput(logits, state, torch.cat(weights, 1))


def log_probs(logits: Tensor) -> Tensor:
    """Log-softmax over the last axis, in float32 at least: half precision rounds too coarsely."""
    precise = torch.promote_types(logits.dtype, torch.float32)
    return F.log_softmax(logits, -1, dtype=precise)
