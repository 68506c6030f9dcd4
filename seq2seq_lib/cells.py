"""GRU and LSTM written from their equations, and the loop that unrolls them over padded batches.

Parameters have torch's layout, so weights can be copied from ``nn.GRU`` and ``nn.LSTM``
(``from_torch``), and ``unroll_stack`` recomputes a whole torch module from these equations: an
oracle for anything that runs on it. Every gate can be looked at. Slow on purpose.

A state is ``h [B, H]`` for a GRU and the tuple ``(h, c)``, both ``[B, H]``, for an LSTM.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq_lib._arguments import check_choice, check_integer, check_lengths, kind_of
from seq2seq_lib.masks import sequence_mask

State = Tensor | tuple[Tensor, Tensor]


class GRUGates(NamedTuple):
    """One GRU step, each ``[B, H]`` (``[B, T, H]`` from ``unroll``)."""

    reset: Tensor  # r in (0, 1): how much of the old state the candidate sees
    update: Tensor  # z in (0, 1): how much of the old state is KEPT
    candidate: Tensor  # n in (-1, 1)
    hidden: Tensor  # h': the new state


class LSTMGates(NamedTuple):
    """One LSTM step, each ``[B, H]`` (``[B, T, H]`` from ``unroll``)."""

    input: Tensor  # i in (0, 1): how much of the candidate is written
    forget: Tensor  # f in (0, 1): how much of the old cell is KEPT
    candidate: Tensor  # g in (-1, 1)
    output: Tensor  # o in (0, 1): how much of the cell is exposed
    cell: Tensor  # c': the new memory
    hidden: Tensor  # h': what the outside sees


class Unrolled(NamedTuple):
    """A sequence run through a cell, or through all layers and directions of a torch module."""

    outputs: Tensor  # [B, T, H], 0 at pads
    state: State  # after the last real token of each row (reverse: after its first)
    gates: GRUGates | LSTMGates | list  # each gate [B, T, H], 0 at pads; unroll_stack: a list


class _Cell(nn.Module):
    """What both cells share: torch's parameters, copying them, checking arguments."""

    num_gates: int
    torch_modules: tuple[type[nn.Module], ...]

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True):
        super().__init__()
        if min(input_size, hidden_size) < 1:
            raise ValueError(f"sizes must be ≥ 1, but they are {input_size} and {hidden_size}")
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.num_gates * hidden_size  # one block of H rows per gate
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        # Two biases do the work of one, except in the GRU's candidate; torch keeps both.
        self.bias_ih = nn.Parameter(torch.empty(rows)) if bias else None
        self.bias_hh = nn.Parameter(torch.empty(rows)) if bias else None
        for parameter in self.parameters():  # torch's own initialisation
            nn.init.uniform_(parameter, -1 / math.sqrt(hidden_size), 1 / math.sqrt(hidden_size))

    @classmethod
    def from_torch(cls, module: nn.Module, layer: int = 0, reverse: bool = False, *, share=False):
        """The cell that computes one layer and direction of a torch module.

        Args:
            module: ``nn.GRU`` or ``nn.GRUCell`` for a GRUCell, ``nn.LSTM`` or ``nn.LSTMCell`` for
                an LSTMCell, with or without biases.
            layer, reverse: which part of it.
            share: take the module's own parameters, so that gradients reach it, not copies.

        Raises:
            TypeError: another module.
            ValueError: a layer or direction it does not have, or an LSTM with projections.
        """
        if not isinstance(module, cls.torch_modules):
            wanted = " or nn.".join(kind.__name__ for kind in cls.torch_modules)
            raise TypeError(f"module must be nn.{wanted}, but it is {type(module).__name__}")
        check_integer(layer, "layer", 0, getattr(module, "num_layers", 1) - 1)
        if reverse and not getattr(module, "bidirectional", False):
            raise ValueError("reverse=True needs a bidirectional module, but this one is not")
        if getattr(module, "proj_size", 0) > 0:
            raise ValueError(f"proj_size must be 0, but it is {module.proj_size}: not supported")
        suffix = f"_l{layer}" * isinstance(module, nn.RNNBase) + "_reverse" * reverse
        _, input_size = getattr(module, "weight_ih" + suffix).shape  # [gates * H, I]
        with torch.device("meta"):  # no storage, no random numbers drawn: all is replaced below
            cell = cls(input_size, module.hidden_size, bias=bool(module.bias))
        for name, _ in list(cell.named_parameters()):
            theirs = getattr(module, name + suffix)
            setattr(cell, name, theirs if share else nn.Parameter(theirs.detach().clone()))
        return cell

    def initial_state(self, batch_size: int) -> State:
        """Zeros, on the device and in the dtype of the weights: ``[B, H]``, twice for an LSTM."""
        return self.weight_hh.new_zeros(batch_size, self.hidden_size)

    def _check(self, name: str, tensor: Tensor, batch_size: int, size: int) -> None:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a tensor, but it is {kind_of(tensor)}")
        if tensor.shape != (batch_size, size):
            raise ValueError(f"{name} must be [{batch_size}, {size}], not {list(tensor.shape)}")
        came, ours = (f"{t.dtype} on {t.device}" for t in (tensor, self.weight_hh))
        if came != ours:
            raise ValueError(f"{name} is {came}, but the weights are {ours}: move one with .to()")


class GRUCell(_Cell):
    """One step of a gated recurrent unit (Cho et al. 2014, equations 5 to 8).

        r  = sigmoid(W_r x + b_r + U_r h + d_r)
        z  = sigmoid(W_z x + b_z + U_z h + d_z)
        n  = tanh(W_n x + b_n + r * (U_n h + d_n))      reset="after":  nn.GRU, cuDNN
        n  = tanh(W_n x + b_n + U_n (r * h) + d_n)      reset="before": the papers
        h' = (1 - z) * n + z * h

    **Where the reset gate acts** differs, and the weights of one kind are useless in the other.
    torch resets after the matrix product, as cuDNN and the paper's first arXiv version do; the
    published version and Chung et al. 2014 reset before it (pytorch#8153, #99531).
    **What z means** differs too: here, in torch and in Cho et al. z = 1 keeps the old state; in
    Chung et al. 2014 and Bahdanau et al. 2015 z = 1 replaces it (pytorch#20129).

    Parameters, as in ``nn.GRUCell``: ``weight_ih [3H, I]`` = (W_r | W_z | W_n) and, in the same
    order, ``weight_hh [3H, H]`` of U, ``bias_ih [3H]`` of b and ``bias_hh [3H]`` of d.
    """

    num_gates = 3
    torch_modules = (nn.GRU, nn.GRUCell)

    def __init__(self, input_size: int, hidden_size: int, reset: str = "after", bias: bool = True):
        super().__init__(input_size, hidden_size, bias)
        check_choice(reset, ("after", "before"), "reset")  # torch's, the papers'
        self.reset = reset

    def gates(self, x: Tensor, state: Tensor) -> GRUGates:
        """All of one step from ``x [B, I]`` and ``state [B, H]``; ValueError if they do not fit."""
        self._check("x", x, len(x), self.input_size)
        self._check("state", state, len(x), self.hidden_size)
        from_x = F.linear(x, self.weight_ih, self.bias_ih)  # [B, 3H]
        from_h = F.linear(state, self.weight_hh, self.bias_hh)  # [B, 3H]
        x_r, x_z, x_n = from_x.chunk(3, dim=1)  # each [B, H]
        h_r, h_z, h_n = from_h.chunk(3, dim=1)  # each [B, H]

        reset = torch.sigmoid(x_r + h_r)
        update = torch.sigmoid(x_z + h_z)
        if self.reset == "after":
            candidate = torch.tanh(x_n + reset * h_n)
        else:
            U_n = self.weight_hh.chunk(3)[2]  # [H, H]
            d_n = None if self.bias_hh is None else self.bias_hh.chunk(3)[2]  # [H]
            candidate = torch.tanh(x_n + F.linear(reset * state, U_n, d_n))
        hidden = (1 - update) * candidate + update * state
        return GRUGates(reset, update, candidate, hidden)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        """``x [B, I]``, ``state [B, H]`` -> the new state ``[B, H]``."""
        return self.gates(x, state).hidden


class LSTMCell(_Cell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

        i  = sigmoid(W_i x + b_i + U_i h + d_i)         g = tanh(W_g x + b_g + U_g h + d_g)
        f  = sigmoid(W_f x + b_f + U_f h + d_f)         o = sigmoid(W_o x + b_o + U_o h + d_o)
        c' = f * c + i * g
        h' = o * tanh(c')

    With a constant forget gate and nothing written, c halves every ln 2 / -ln f steps.

    Parameters, as in ``nn.LSTMCell``: ``weight_ih [4H, I]`` = (W_i | W_f | W_g | W_o) and, in the
    same order, ``weight_hh [4H, H]`` and the biases ``[4H]``. (Elsewhere the order is i, f, o, g.)
    """

    num_gates = 4
    torch_modules = (nn.LSTM, nn.LSTMCell)

    def initial_state(self, batch_size: int) -> tuple[Tensor, Tensor]:
        h = super().initial_state(batch_size)
        return h, torch.zeros_like(h)

    def gates(self, x: Tensor, state: tuple[Tensor, Tensor]) -> LSTMGates:
        """All of one step from ``x [B, I]`` and state ``(h, c)``; ValueError if they do not fit."""
        if not isinstance(state, tuple) or len(state) != 2:
            raise TypeError(f"state must be a tuple (h, c), but it is {kind_of(state)}")
        hidden, cell = state
        self._check("x", x, len(x), self.input_size)
        self._check("h", hidden, len(x), self.hidden_size)
        self._check("c", cell, len(x), self.hidden_size)
        from_x = F.linear(x, self.weight_ih, self.bias_ih)  # [B, 4H]
        from_h = F.linear(hidden, self.weight_hh, self.bias_hh)  # [B, 4H]
        i, f, g, o = (from_x + from_h).chunk(4, dim=1)  # each [B, H]

        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        cell = f * cell + i * g
        hidden = o * torch.tanh(cell)
        return LSTMGates(i, f, g, o, cell, hidden)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """``x [B, I]``, ``state = (h, c)``, each ``[B, H]`` -> the new ``(h, c)``."""
        gates = self.gates(x, state)
        return gates.hidden, gates.cell


def unroll(
    cell: GRUCell | LSTMCell,
    x: Tensor,
    state: State | None = None,
    lengths: Tensor | None = None,
    reverse: bool = False,
) -> Unrolled:
    """Run a cell over a padded batch, as ``nn.GRU`` and ``nn.LSTM`` run over a packed one.

    At a pad the state stays as it is and the output is 0, so neither depends on how far a row was
    padded, nor on what stands there (not even NaN). Reversed, a row starts at its last real token,
    and ``outputs[:, t]`` is still the output at token t.

    Args:
        x: ``[B, T, I]``, in the dtype and on the device of the cell's weights.
        state: before the first step, ``[B, H]`` or ``(h, c)``; None for zeros.
        lengths: int64 ``[B]`` in 1 .. T on any device; None for no pads.
        reverse: read from the end to the beginning.

    Returns:
        ``Unrolled(outputs [B, T, H], state, gates)``, the gates each ``[B, T, H]``.

    Raises:
        ValueError: a shape, dtype, device or length that does not fit.
        TypeError: lengths that are not integers.
    """
    if x.dim() != 3 or x.shape[0] == 0 or x.shape[1] == 0:
        raise ValueError(f"x must have shape [B, T, I] with B, T ≥ 1, but it is {list(x.shape)}")
    B, T, _ = x.shape
    real = _real_tokens(lengths, B, T).to(x.device)[..., None]  # [B, T, 1]
    x = x.masked_fill(~real, 0)  # or inf at a pad would turn the gradient's 0 into 0 * inf = NaN
    state = cell.initial_state(B) if state is None else state

    history = [None] * T
    for t in reversed(range(T)) if reverse else range(T):
        new = history[t] = cell.gates(x[:, t], state)
        if isinstance(state, tuple):
            h, c = state
            state = torch.where(real[:, t], new.hidden, h), torch.where(real[:, t], new.cell, c)
        else:
            state = torch.where(real[:, t], new.hidden, state)

    stacked = [torch.stack(steps, dim=1) for steps in zip(*history, strict=True)]  # each [B, T, H]
    gates = type(new)(*(gate.masked_fill(~real, 0) for gate in stacked))
    return Unrolled(gates.hidden, state, gates)


def unroll_stack(rnn: nn.GRU | nn.LSTM, x: Tensor, lengths: Tensor | None = None) -> Unrolled:
    """Recompute a whole torch module, all layers and directions, from the equations above.

    The oracle for parity, with the module's *own* parameters: gradients can be compared as well.

    Args:
        rnn: without projections, batch_first or not; here the batch is always first.
        x, lengths: as for ``unroll``.

    Returns:
        ``Unrolled(outputs [B, T, D*H], state [B, L*D, H], gates)``: torch's ``h_n`` with the batch
        first, ``(h, c)`` for an LSTM; the gates as a list of L*D ``GRUGates`` or ``LSTMGates``.

    Raises:
        TypeError: another module.
        ValueError: as ``unroll``, and for dropout in training mode, which no oracle can repeat.
    """
    if not isinstance(rnn, nn.GRU | nn.LSTM):
        raise TypeError(f"rnn must be nn.GRU or nn.LSTM, but it is {type(rnn).__name__}")
    if rnn.training and rnn.dropout > 0 and rnn.num_layers > 1:
        raise ValueError(f"rnn is training with dropout {rnn.dropout}: call rnn.eval() first")
    kind = GRUCell if isinstance(rnn, nn.GRU) else LSTMCell
    directions = (False, True) if rnn.bidirectional else (False,)
    runs = []
    for layer in range(rnn.num_layers):
        below = x  # both directions read the same layer below
        for reverse in directions:
            cell = kind.from_torch(rnn, layer, reverse, share=True)
            runs.append(unroll(cell, below, None, lengths, reverse))
        x = torch.cat([run.outputs for run in runs[-len(directions) :]], dim=2)  # [B, T, D*H]
    states = [run.state if kind is LSTMCell else (run.state,) for run in runs]
    final = tuple(torch.stack(part, dim=1) for part in zip(*states, strict=True))  # [B, L*D, H]
    return Unrolled(x, final if kind is LSTMCell else final[0], [run.gates for run in runs])


def _real_tokens(lengths: Tensor | None, B: int, T: int) -> Tensor:
    """Mask ``[B, T]``, True = real token."""
    lengths = torch.full((B,), T) if lengths is None else lengths
    check_lengths(lengths, T, "lengths")
    if len(lengths) != B:
        raise ValueError(f"lengths must have shape [{B}], but it is {list(lengths.shape)}.")
    return sequence_mask(lengths, T)
