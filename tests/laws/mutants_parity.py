"""Recomputations of ``nn.GRU`` and ``nn.LSTM`` that are something else, and some that are right."""

import torch

from seq2seq_lib import cells
from seq2seq_lib.laws.parity_suspects import gru, lstm, run

ONE_LAYER = {"num_layers": (1,), "bidirectional": (False,), "bias": (True,), "padded": (False,)}
GRU = {"cells": ("gru",), **ONE_LAYER}
LSTM = {"cells": ("lstm",), **ONE_LAYER}


def reset_before(rnn, x, lengths):
    """D5: the textbook resets before the product, its "concise" version calls nn.GRU.

    https://github.com/pytorch/pytorch/issues/99531
    """
    return run(rnn, x, gru(reset_after=False)), None


def swapped_update(rnn, x, lengths):
    """#36: z = 1 replaces the old state, as in Chung et al. 2014.

    https://github.com/pytorch/pytorch/issues/20129
    """
    return run(rnn, x, gru(keep=False)), None


def both_conventions(rnn, x, lengths):
    """D5 and #36 together. https://github.com/pytorch/pytorch/issues/20129"""
    return run(rnn, x, gru(reset_after=False, keep=False)), None


def one_bias(rnn, x, lengths):
    """One bias where torch has two: bias_hh is forgotten when weights are copied (no thread)."""
    return run(rnn, x, gru(), hidden_bias=False), None


def merged_biases(rnn, x, lengths):
    """One bias b + d where torch has two: wrong in the candidate alone.

    https://github.com/pytorch/pytorch/issues/750 calls the second one redundant.
    """
    return run(rnn, x, gru(merged=True)), None


def transposed_weights(rnn, x, lengths):
    """Weights of a text that writes x W + h U, copied without .T: U is square (no thread)."""
    H, outputs = rnn.hidden_size, []
    h = c = x.new_zeros(len(x), H)
    for t in range(x.size(1)):
        from_h = torch.cat([h @ block for block in rnn.weight_hh_l0.chunk(4)], 1)
        gates = x[:, t] @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + from_h + rnn.bias_hh_l0
        i, f, g, o = gates.chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(h)
    return torch.stack(outputs, 1), None


def other_gate_order(rnn, x, lengths):
    """D17: gates in the order i, f, o, g, which constant weights in a checker do not notice.

    https://web.stanford.edu/class/cs224n/ (assignment 4, sanity_check.py)
    """
    return run(rnn, x, lstm("ifog")), None


def no_tanh(rnn, x, lengths):
    """Exercise 2.3: the tanh on the cell is missing."""
    return run(rnn, x, lstm(tanh_cell=False)), None


def returns_cell(rnn, x, lengths):
    """Exercise 2.3: c is returned as h."""
    return run(rnn, x, lstm(return_cell=True)), None


def forgets_less(rnn, x, lengths):
    """1 on the forget gate at every step: ``BasicLSTMCell(forget_bias=1.0)`` of TensorFlow."""
    return run(rnn, x, lstm(forget=1.0)), None


def states_swapped(rnn, x, lengths):
    """(c, h) for torch's (h, c): both have one shape (no thread)."""
    found = einsum_lstm(rnn, x, lengths)
    return found[0], found[1][::-1]


def reads_pads(rnn, x, lengths):
    """B20, #16: not packed. https://github.com/OpenNMT/OpenNMT-py/issues/318"""
    outputs, state = rnn(x)
    states = state if isinstance(state, tuple) else (state,)
    states = tuple(part.transpose(0, 1) for part in states)
    return outputs, states if len(states) > 1 else states[0]


def swapped_halves(rnn, x, lengths):
    """D17: backward | forward, which constant weights in a checker do not notice.

    https://web.stanford.edu/class/cs224n/ (assignment 4, sanity_check.py)
    """
    found = cells.unroll_stack(rnn, x, lengths)
    return torch.cat(found.outputs.chunk(2, 2)[::-1], 2), found.state


def top_layer_dropped(rnn, x, lengths):
    """D12: ``h_n[:n]`` of a bidirectional stack is layer 0 twice, without the top layer.

    https://pytorch.org/tutorials/beginner/chatbot_tutorial.html
    """
    found = cells.unroll_stack(rnn, x, lengths)
    bottom = found.state[:, :2]
    return found.outputs, torch.cat([bottom, bottom], 1)


def cut_graph(rnn, x, lengths):
    """D21: ``.data`` bypasses the graph: right numbers, no gradient.

    https://github.com/bastings/annotated_encoder_decoder
    """
    found = cells.unroll_stack(rnn, x, lengths)
    return found.outputs.data, found.state.data


def states_of_torch(rnn, x, lengths):
    """B18: states left as [layers * directions, B, H].

    https://github.com/timbmg/Sentence-VAE/issues/15
    """
    found = cells.unroll_stack(rnn, x, lengths)
    return found.outputs, found.state.transpose(0, 1)


GRU_ALL = {"cells": ("gru",)}
MUTANTS = {  # recompute, what it claims to do, a part of the verdict
    "reset before the product": (reset_before, GRU, "acts BEFORE the matrix product"),
    "update gate swapped": (swapped_update, GRU, "update gate is swapped"),
    "both conventions": (both_conventions, GRU, "both conventions differ"),
    "one bias": (one_bias, GRU, "bias_hh is left out"),
    "two biases merged": (merged_biases, GRU, "the two biases are merged"),
    "U transposed": (transposed_weights, LSTM, "the hidden weights are transposed"),
    "gate order i f o g": (other_gate_order, LSTM, "i, f, o, g"),
    "no tanh on the cell": (no_tanh, LSTM, "tanh on the cell is missing"),
    "c returned as h": (returns_cell, LSTM, "output is the cell"),
    "forget gate shifted": (forgets_less, LSTM, "added to the forget gate"),
    "h and c swapped": (states_swapped, LSTM, "torch gives (h, c)"),
    "pads are read": (reads_pads, {}, "equals the run over the pads"),
    "halves swapped": (swapped_halves, {"bidirectional": (True,)}, "forward | backward"),
    "top layer dropped": (
        top_layer_dropped,
        {"cells": ("gru",), "num_layers": (2,), "bidirectional": (True,)},
        "the final state alone",
    ),
    "graph cut": (cut_graph, GRU_ALL, ".detach()"),
    "states not batch first": (states_of_torch, GRU_ALL, "transpose them"),
}


# ------------------------------------------------------------------ correct, differently written


def einsum_lstm(rnn, x, lengths):
    """All gates of a step in one einsum over a [4, H, I + H] tensor."""
    H = rnn.hidden_size
    joined = torch.cat([rnn.weight_ih_l0, rnn.weight_hh_l0], 1).view(4, H, -1)
    bias = (rnn.bias_ih_l0 + rnn.bias_hh_l0).view(4, H) if rnn.bias else 0
    h = c = x.new_zeros(len(x), H)
    outputs = []
    for t in range(x.size(1)):
        gates = torch.einsum("ghk,bk->gbh", joined, torch.cat([x[:, t], h], 1))
        i, f, g, o = gates + (bias[:, None] if rnn.bias else 0)
        new_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        new_h = o.sigmoid() * new_c.tanh()
        real = (t < lengths)[:, None]
        h, c = torch.where(real, new_h, h), torch.where(real, new_c, c)
        outputs.append(new_h)
    return torch.stack(outputs, 1), (h[:, None], c[:, None])


def gru_as_interpolation(rnn, x, lengths):
    """h + (1 - z) (n - h) instead of (1 - z) n + z h; outputs alone."""
    W, U = rnn.weight_ih_l0.chunk(3), rnn.weight_hh_l0.chunk(3)
    zeros = x.new_zeros(rnn.hidden_size)
    b = rnn.bias_ih_l0.chunk(3) if rnn.bias else (zeros,) * 3
    d = rnn.bias_hh_l0.chunk(3) if rnn.bias else (zeros,) * 3
    h, outputs = x.new_zeros(len(x), rnn.hidden_size), []
    for step in x.unbind(1):
        r, z = (torch.sigmoid(step @ W[k].T + b[k] + h @ U[k].T + d[k]) for k in (0, 1))
        n = torch.tanh(step @ W[2].T + b[2] + r * (h @ U[2].T + d[2]))
        h = h + (1 - z) * (n - h)
        outputs.append(h)
    return torch.stack(outputs, 1), None


def sentence_by_sentence(rnn, x, lengths):
    """torch's own module, unpadded, one sentence at a time."""
    outputs, states = torch.zeros(*x.shape[:2], (1 + rnn.bidirectional) * rnn.hidden_size), []
    outputs = outputs.to(x)
    for row, length in enumerate(lengths.tolist()):
        found, state = rnn(x[row : row + 1, :length])
        outputs[row, :length] = found[0]
        states.append(
            tuple(part[:, 0] for part in state) if isinstance(state, tuple) else state[:, 0]
        )
    if isinstance(states[0], tuple):
        return outputs, tuple(torch.stack(parts) for parts in zip(*states, strict=True))
    return outputs, torch.stack(states)


SIMPLE = {"num_layers": (1,), "bidirectional": (False,)}
CORRECT = {
    "our cells": (cells.unroll_stack, {}),
    "einsum LSTM": (einsum_lstm, {"cells": ("lstm",), **SIMPLE}),
    "GRU as interpolation": (gru_as_interpolation, {"cells": ("gru",), **SIMPLE}),
    "sentence by sentence": (sentence_by_sentence, {}),
}
