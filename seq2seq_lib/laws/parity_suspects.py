"""Which other recurrent network is it? The published variants of GRU and LSTM, one function each.

Law 2 compares with these when a recomputation is not what torch does.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]  # h and c, both [B, H]; a GRU leaves c alone
Step = Callable[[Tensor, Tensor, State, Tensor, Tensor], tuple[Tensor, State]]
# from_x [B, G*H], from_h [B, G*H] (U h + d), state, U [G*H, H], d [G*H] -> output, state


def gru(
    reset_after: bool = True, keep: bool = True, order: str = "rzn", merged: bool = False
) -> Step:
    """``reset_after``: r * (U h + d) and not U (r * h) + d. ``keep``: z = 1 keeps the old state.

    ``merged``: one bias b + d in place of two, so r * (U h) + d.
    """

    def step(from_x: Tensor, from_h: Tensor, state: State, U: Tensor, d: Tensor):
        x = dict(zip(order, from_x.chunk(3, 1), strict=True))
        h = dict(zip(order, from_h.chunk(3, 1), strict=True))
        matrix = dict(zip(order, U.chunk(3), strict=True))["n"]
        shift = dict(zip(order, d.chunk(3), strict=True))["n"]
        r, z = torch.sigmoid(x["r"] + h["r"]), torch.sigmoid(x["z"] + h["z"])
        old, c = state
        if merged:
            inner = r * (h["n"] - shift) + shift
        else:
            inner = r * h["n"] if reset_after else (r * old) @ matrix.T + shift
        n = torch.tanh(x["n"] + inner)
        new = (1 - z) * n + z * old if keep else z * n + (1 - z) * old
        return new, (new, c)

    return step


def lstm(
    order: str = "ifgo", tanh_cell: bool = True, return_cell: bool = False, forget: float = 0.0
) -> Step:
    """``tanh_cell``: h = o * tanh(c). ``return_cell``: the output is c instead of h.

    ``forget`` is added to the forget gate, before its sigmoid.
    """

    def step(from_x: Tensor, from_h: Tensor, state: State, U: Tensor, d: Tensor):
        gates = dict(zip(order, (from_x + from_h).chunk(4, 1), strict=True))
        i, f, o = (torch.sigmoid(gates[name] + forget * (name == "f")) for name in "ifo")
        c = f * state[1] + i * torch.tanh(gates["g"])
        h = o * (torch.tanh(c) if tanh_cell else c)
        return (c if return_cell else h), (h, c)

    return step


AFTER = "torch resets after the product, r * (U h + d)"
SUSPECTS: dict[type, dict[str, Step]] = {
    nn.GRU: {
        "the reset gate acts BEFORE the matrix product, U (r * h) + d, as in Chung et al. 2014 and "
        f"Cho et al. 2014, version 3; {AFTER}: weights of one kind fail in the other": gru(False),
        "the update gate is swapped: here z = 1 replaces the old state (Chung et al. 2014, "
        "Bahdanau et al. 2015); in torch z = 1 keeps it": gru(keep=False),
        f"both conventions differ: the reset gate acts BEFORE the matrix product ({AFTER}), and "
        "z = 1 replaces the old state (in torch it keeps it)": gru(False, False),
        "the gates are read in the order z, r, n; torch's blocks of rows are r, z, n": gru(
            order="zrn"
        ),
        "the two biases are merged into one; in r and z they may be, but in the candidate d stands "
        "inside the reset gate, r * (U h + d)": gru(merged=True),
    },
    nn.LSTM: {
        "the gates are read in the order i, f, o, g; torch's blocks of rows are i, f, g, o": lstm(
            "ifog"
        ),
        "the gates are read in the order i, g, f, o; torch's blocks of rows are i, f, g, o": lstm(
            "igfo"
        ),
        "the gates are read in the order f, i, g, o; torch's blocks of rows are i, f, g, o": lstm(
            "figo"
        ),
        "the tanh on the cell is missing: h = o * tanh(c)": lstm(tanh_cell=False),
        "1 is added to the forget gate at every step, as TensorFlow's BasicLSTMCell does; in torch "
        "it belongs into the bias, once, where the weights are made": lstm(forget=1.0),
        "the output is the cell c; it should be h = o * tanh(c)": lstm(return_cell=True),
    },
}
UNKNOWN = (
    "the equations, gate by gate: it is none of the variants known here (reset before the product, "
    "z swapped, other gate orders, a missing tanh, a missing or merged bias, weights transposed, a "
    "state that is not handed on)"
)


def name_suspect(rnn: nn.GRU | nn.LSTM, x: Tensor, outputs: Tensor) -> str | None:
    """Which variant gives ``outputs [B, T, H]`` from ``x [B, T, I]``: one layer, one direction.

    Returns:
        What is wrong, in words; None without biases if it is no known variant.
    """
    correct = gru() if isinstance(rnn, nn.GRU) else lstm()
    kind = "GRU" if isinstance(rnn, nn.GRU) else "LSTM"
    trials = [(text, run(rnn, x, step)) for text, step in SUSPECTS[type(rnn)].items()]
    trials += [
        ("bias_hh is left out", run(rnn, x, correct, hidden_bias=False)),
        ("bias_ih is left out", run(rnn, x, correct, input_bias=False)),
        (
            "the state is not handed on: every step starts from zeros",
            run(rnn, x, correct, carry=False),
        ),
        (
            "the hidden weights are transposed: torch stores U [gates * H, H] for U h, so with "
            "rows it is h @ U.T. H x H is square, and no shape tells",
            run(rnn, x, correct, transposed=True),
        ),
    ]
    for text, candidate in trials:
        if candidate.shape == outputs.shape and torch.allclose(candidate, outputs, atol=1e-5):
            return f"{kind}: {text}"
    return f"{kind}: {UNKNOWN}" if rnn.bias else None


def run(
    rnn: nn.GRU | nn.LSTM,
    x: Tensor,
    step: Step,
    *,
    input_bias: bool = True,
    hidden_bias: bool = True,
    carry: bool = True,
    transposed: bool = False,
) -> Tensor:
    """Outputs ``[B, T, H]`` of a variant with the weights of ``rnn``'s first layer."""
    W, U = rnn.weight_ih_l0, rnn.weight_hh_l0  # [G*H, I], [G*H, H]
    if transposed:  # each block of H rows by itself
        U = torch.cat([block.T for block in U.split(rnn.hidden_size)])  # [G*H, H]
    none = W.new_zeros(len(W))  # [G*H]
    b = rnn.bias_ih_l0 if rnn.bias and input_bias else none
    d = rnn.bias_hh_l0 if rnn.bias and hidden_bias else none
    zeros = x.new_zeros(len(x), rnn.hidden_size)
    state, outputs = (zeros, zeros), []
    for t in range(x.size(1)):
        if not carry:
            state = (zeros, zeros)
        output, state = step(x[:, t] @ W.T + b, state[0] @ U.T + d, state, U, d)
        outputs.append(output)
    return torch.stack(outputs, 1)
