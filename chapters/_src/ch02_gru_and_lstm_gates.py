# %% [markdown]
# # 2. GRU and LSTM gates
#
# A recurrent network reads one symbol at a time and keeps what it has read in a state. Thirty steps
# later somebody asks about the first symbol. How does a network carry one fact across 30 steps, and
# what does a gate do that a weight cannot?
#
# Below is one unit of an LSTM. A pulse is stored at step 1, and nothing follows. The bias of its
# forget gate is 0. **Predict** after how many steps half of the pulse is gone.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.gate_mixer import explore

explore("lstm_0")

# %% [markdown]
# **After this chapter you can** compute a GRU step with a pencil, tell the two GRUs of the
# literature apart, turn a gate's bias into a half-life, say what `output`, `h_n` and `c_n` hold, and
# choose the bias that makes a cell remember.
#
# **You need** tensors, matrix products and the chain rule; no GPU and no network. **Time**: 40
# minutes; it runs in seconds.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B, T | rows of a batch, steps | I, H | numbers in an input, in a state |
# | x, h | an input `[B, I]`, the state `[B, H]` | c | the cell of an LSTM, `[B, H]` |
# | r, z | reset and update gate of a GRU | n | the candidate of a GRU |
# | i, f, o | input, forget, output gate of an LSTM | g | the candidate of an LSTM |
# | W, U | weights on x, weights on h | b, d | the biases that stand beside them |
# | σ | sigmoid, 1 / (1 + e⁻ᵃ) | h' | the state after the step |

# %% [markdown]
# ## 2.1 Why a plain RNN forgets
#
# A plain recurrent network has one line, h' = tanh(W x + U h + b). All that it knows of the past is
# h. The task of this chapter asks for nothing but the past: a row begins with one of four *flags*, 0
# to 3; then come k symbols from 4 to 7 that mean nothing. At the end: which flag was it?

# %%
import torch

from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import flag_batch

src, flags = flag_batch(3, 8, torch.Generator().manual_seed(0))
print("read", src, "say", flags, sep="\n")

# %% [markdown]
# To learn this, the loss at the end must feel the flag at the beginning: a gradient has to travel
# back through k steps. What is left of it?
#
# ### One unit, with a pencil
#
# Take a single unit, w instead of U, and no input: h' = tanh(w h).
#
# 1. The derivative of tanh(a) is 1 − tanh(a)², which is 1 − h'². The inner derivative is w. So one
#    step multiplies the gradient by w (1 − h'²).
# 2. By the chain rule, k steps multiply it by the product of these factors:
#
# $$\frac{\partial h_k}{\partial h_0} = \prod_{t=1}^{k} w\,(1 - h_t^2)$$
#
# 3. 1 − h² is at most 1, so the size of the product is at most |w|ᵏ. With |w| < 1 it vanishes.
#
# Autograd must find the same numbers.

# %%
def by_pencil(w, h, steps=10):
    product = 1.0
    for _ in range(steps):
        h = torch.tanh(w * h)
        product = product * w * (1 - h**2)
    return product


def by_autograd(w, start, steps=10):
    h = start = start.clone().requires_grad_()
    for _ in range(steps):
        h = torch.tanh(w * h)
    return torch.autograd.grad(h, start)[0]


start = torch.tensor(0.3)
for w in (0.5, 0.9, 1.0, 1.1):
    assert abs(by_pencil(w, start) - by_autograd(w, start)) < 1e-6
    print(f"w = {w}: {by_pencil(w, start):.4f} after ten steps; the bound is {w**10:.4f}")

# %% [markdown]
# A weight above 1 does not help, because the state grows until tanh flattens. **Predict** the same
# number for w = 2, where the bound is 2¹⁰ = 1024: is the gradient huge, about 1, or almost 0?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
h = start
for _ in range(10):
    h = torch.tanh(2 * h)
print(f"gradient {by_pencil(2.0, start):.6f}")
print(f"the state ends at {h:.4f}, where a step multiplies by {2 * (1 - h**2):.3f}")

# %% [markdown]
# The unit saturates, and 1 − h² closes the tap. So one tanh unit either forgets, or it holds a value
# that nothing can change any more (`explore("rnn_latch")` shows such a latch). Whatever the weight,
# ten factors below 1 leave little, and thirty leave nothing.
#
# ## 2.2 A gate
#
# What would keep a fact? A step whose factor is 1, unless there is a reason to forget. An LSTM has a
# second state for that, the **cell** c:
#
# $$c' = f\,c + i\,g$$
#
# f and i are **gates**: each is a sigmoid, so a number between 0 and 1, of the input, the state and a
# bias. On the direct path the derivative of c' by c is f. No tanh stands in it and no weight that
# all steps share; and f is computed anew at each step, from what is read. (f depends on h as well,
# and h on c. That is a second path, left out here. We meet it in 2.6.)
#
# Let f be constant and nothing be written. After k steps fᵏ of the cell is left.
#
# **Your turn.** The *half-life* is the k at which one half is left. Write it for any f from 0 to 1,
# both ends included. An unsolved cell blocks nothing. (Stuck? `hint("2.1")`, then `solution("2.1")`.)

# %%
def half_life(f):
    """A float in 0 .. 1 -> the steps after which one half is left, a float; perhaps math.inf."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint, solution

check("2.1", half_life)

# %% [markdown]
# **Predict** the half-life of f = 0.9. Each step loses a tenth, so is it ten steps?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from math import log

print(f"{log(2) / -log(0.9):.1f} steps")

# %% [markdown]
# fᵏ = 1/2 means k ln f = −ln 2, so **k = ln 2 / −ln f**. Ten is 1 / (1 − f), the *mean* age of what is
# remembered: a few old memories pull a mean up.
#
# Where does f come from? While the weights are small, from its bias: f = σ(bias). **Predict** what is
# left after 5 steps if the bias is 0. Is such a gate open or shut?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
for bias in (-2, 0, 1, 2, 3, 4, 5):
    f = torch.tensor(float(bias)).sigmoid().item()
    print(f"bias {bias:2}: f = {f:.3f}, {f**5:5.1%} after 5 steps, half-life {log(2) / -log(f):5.1f}")

# %% [markdown]
# It is half open, and half of a half of a half is soon nothing: 3 %. A forget gate of 1 *keeps*, its
# name notwithstanding. Try the biases on the unit.

# %% tags=["nbval-ignore-output"]
explore("lstm_4")

# %% [markdown]
# So a gate is a number between 0 and 1 that the data choose, and its bias is the half-life that it
# starts with.
#
# ## 2.3 The GRU, with a pencil
#
# Can one state do the work of two? A GRU has no cell, but two gates and a candidate n:
#
# $$\begin{aligned}
# r &= σ(W_r x + b_r + U_r h + d_r) & n &= \tanh(W_n x + b_n + r \odot (U_n h + d_n)) \\
# z &= σ(W_z x + b_z + U_z h + d_z) & h' &= (1 - z) \odot n + z \odot h
# \end{aligned}$$
#
# Many texts write the same with other letters, and with rows: X W, where we write W x.
#
# | here and in torch | texts | in torch's tensors |
# |---|---|---|
# | x, h | X, H | |
# | r, z, n | R, Z, H̃ | "reset", "update", "new" |
# | i, f, g, o, c | I, F, C̃, O, C | "input", "forget", "cell", "output" |
# | W_r, `[H, I]` | W_xr, `[I, H]`: the transpose | the first H rows of `weight_ih`, (r, z, n) |
# | U_n, `[H, H]` | W_hh, `[H, H]`: the transpose | the last H rows of `weight_hh` |
# | b_r and d_r | one b_r | `bias_ih` and `bias_hh` |
#
# Let us make one step. All weights are multiples of ln 3, because then the gates are fractions:
# σ(−ln 3) = 1/4, σ(ln 3) = 3/4, σ(−2 ln 3) = 1/10, tanh(ln 3) = 4/5, tanh(½ ln 3) = 1/2.

# %%
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import LN3, pencil_gru

x, h, W, U = pencil_gru()  # [1, I = 3], [1, H = 2], [3H, I], [3H, H]; no biases
print("x", x, " h", h)
print("W / ln 3, two rows each for r, z, n", W / LN3, "U / ln 3", U / LN3, sep="\n")

# %% [markdown]
# x picks the middle column of W. In units of ln 3:
#
# - r: (0, −2) + (1 − 1, 2 − 1) = (0, −1), so r = (1/2, 1/4).
# - z: (−1, −1) + (−1, 2) = (−2, 1), so z = (1/10, 3/4).
# - U_n h = (2, 4), and r halves the first and quarters the second: (1, 1). So n is tanh of (0, −½) +
#   (1, 1), and n = (0.8, 0.5).
#
# **Your turn.** What is h'? Write the two missing lines, then compare with your pencil.

# %%
def gru_step(x, h, W, U):
    """x [B, I], h [B, H], W [3H, I], U [3H, H] -> the new state [B, H]; no biases."""
    x_r, x_z, x_n = (x @ W.T).chunk(3, dim=1)  # each [B, H]
    h_r, h_z, h_n = (h @ U.T).chunk(3, dim=1)  # each [B, H]
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    raise NotImplementedError  # your two lines: n, and the new state


# %%
check("2.2", gru_step)

# %% [markdown]
# **Right**: h' = (0.9 · 0.8 + 0.1 · 1, 0.25 · 0.5 − 0.75 · 1) = (0.82, −0.625). The library's cell
# shows every gate, and takes its weights from a module of torch.

# %%
from torch import nn

from seq2seq_lib.cells import GRUCell
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import with_weights

theirs = with_weights(nn.GRUCell(3, 2), W, U)
gates = GRUCell.from_torch(theirs).requires_grad_(False).gates(x, h)
for name, gate in gates._asdict().items():
    print(f"{name:9} {gate[0, 0]:6.3f} {gate[0, 1]:6.3f}")
assert torch.allclose(gates.hidden, theirs(x, h)) and abs(gates.hidden[0, 0] - 0.82) < 1e-6

# %% [markdown]
# z is called the *update* gate. **Predict** h' if z is 1 in both units: is it the candidate, (0.8,
# 0.5), or the old state, (1, −1)?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from copy import deepcopy

open_gate = deepcopy(theirs)
open_gate.bias_ih[2:4] = 20.0  # the block of z
print(open_gate(x, h))

# %% [markdown]
# The old state: z = 1 *keeps*. z is the GRU's forget gate and 1 − z its input gate, so what is kept
# and what is written always sum to 1. A second pulse shows what that means; compare with
# `explore("lstm_two_pulses")`.

# %% tags=["nbval-ignore-output"]
explore("gru_two_pulses")

# %% [markdown]
# So a GRU replaces where an LSTM can add.
#
# ## 2.4 There are two GRUs
#
# Now read the candidate in the texts' form once more:
#
# $$\tilde{H} = \tanh(X W_{xh} + (R \odot H)\,W_{hh} + b_h)$$
#
# **Naive**: it is the same equation in other letters, so we program it and use torch's weights.

# %%
def textbook_step(x, h, W, U):
    x_r, x_z, x_n = (x @ W.T).chunk(3, dim=1)
    U_r, U_z, U_n = U.chunk(3)  # each [H, H]
    r, z = torch.sigmoid(x_r + h @ U_r.T), torch.sigmoid(x_z + h @ U_z.T)
    n = torch.tanh(x_n + (r * h) @ U_n.T)
    return (1 - z) * n + z * h


print(textbook_step(x, h, W, U))

# %% [markdown]
# **Why it is wrong.** (0.71, −0.55) instead of (0.82, −0.625), and no error. Here r shuts units of h
# *before* U mixes them; in torch it shuts results *after* U has mixed. With U_n h = (1·1 − 1·(−1), …)
# the order matters: r ⊙ (U h) is not U (r ⊙ h).
#
# **Law 2, parity**, runs any recomputation of `nn.GRU` on random weights, compares outputs and
# gradients, and names the variant that it found. The adapter below runs a step over a sequence.

# %%
from seq2seq_lib import laws


def over_time(step):
    def recompute(rnn, x, lengths):
        h, outputs = x.new_zeros(len(x), rnn.hidden_size), []
        for t in range(x.size(1)):
            h = step(x[:, t], h, rnn.weight_ih_l0, rnn.weight_hh_l0)
            outputs.append(h)
        return torch.stack(outputs, dim=1), h[:, None]  # [B, T, H], [B, 1, H]

    return recompute


one_layer = {"num_layers": (1,), "bidirectional": (False,), "padded": (False,), "bias": (False,)}
verdict = laws.parity(over_time(textbook_step), cells=("gru",), **one_layer)
print(verdict.holds, verdict.look_at)

# %% [markdown]
# Both are GRUs. The first version of the paper (Cho et al. 2014) resets after the product, its third
# version before ([pytorch#8153](https://github.com/pytorch/pytorch/issues/8153)); readers of a
# textbook that resets before asked torch for a correction
# ([#99531](https://github.com/pytorch/pytorch/issues/99531)), and its documentation got a note
# ([#100646](https://github.com/pytorch/pytorch/pull/100646)). Keras has both, as `reset_after`.
# Neither is wrong, but the weights of one are useless in the other.
#
# **Right** for torch's weights: multiply, then reset.
#
# Could a test miss the difference? **Predict**: one unit, H = 1, without biases, random weights. Do
# the two GRUs differ?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
def right_step(x, h, W, U):
    x_r, x_z, x_n = (x @ W.T).chunk(3, dim=1)
    h_r, h_z, h_n = (h @ U.T).chunk(3, dim=1)
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    return (1 - z) * torch.tanh(x_n + r * h_n) + z * h


def difference(H, weights):
    x, h = torch.randn(4, 3, generator=generator), torch.randn(4, H, generator=generator)
    W, U = weights(3 * H, 3), weights(3 * H, H)
    return (right_step(x, h, W, U) - textbook_step(x, h, W, U)).abs().max().item()


generator = torch.Generator().manual_seed(1)
random = lambda *shape: torch.randn(*shape, generator=generator)
constant = lambda *shape: torch.full(shape, 0.3)
print("one unit, random    ", difference(1, random) > 1e-3)
print("two units, constant ", difference(2, constant) > 1e-3)
print("two units, random   ", difference(2, random) > 1e-3)

# %% [markdown]
# One unit has nothing to mix: r (u h) = (r h) u. Constant weights are as blind, since all units of a
# gate are then alike. So a test of a cell needs two units and random weights.
#
# ### Wrong versions
#
# Three more steps that run without an error. One merges the two biases: an answer in
# [pytorch#750](https://github.com/pytorch/pytorch/issues/750) calls the second one redundant. For an
# LSTM it is; in a GRU's candidate d stands inside the reset.

# %%
def variant(x, h, W, U, b=None, d=None, order="rzn", swap=False, merge=False):
    b, d = (torch.zeros(len(W)) if bias is None else bias for bias in (b, d))
    if merge:
        b, d = b + d, torch.zeros_like(d)
    from_x = dict(zip(order, (x @ W.T + b).chunk(3, dim=1)))
    from_h = dict(zip(order, (h @ U.T + d).chunk(3, dim=1)))
    r, z = (torch.sigmoid(from_x[gate] + from_h[gate]) for gate in "rz")
    n = torch.tanh(from_x["n"] + r * from_h["n"])
    return z * n + (1 - z) * h if swap else (1 - z) * n + z * h


d = LN3 * torch.tensor([0.0, 0, 0, 0, 1, -1])
print("z replaces    ", variant(x, h, W, U, swap=True))
print("order z, r, n ", variant(x, h, W, U, order="zrn"))
print("two biases    ", variant(x, h, W, U, d=d))
print("merged biases ", variant(x, h, W, U, d=d, merge=True))
for wrong in ({"swap": True}, {"order": "zrn"}):
    recompute = over_time(lambda *args, wrong=wrong: variant(*args, **wrong))
    print(laws.parity(recompute, cells=("gru",), **one_layer).look_at)

# %% [markdown]
# So write down which GRU you mean, and let the law check it.
#
# ## 2.5 The LSTM, and what comes out
#
# The LSTM in six lines; all four of i, f, g, o have weights on x and on h:
#
# $$\begin{aligned}
# i &= σ(W_i x + U_i h + \dots) & g &= \tanh(W_g x + U_g h + \dots) & c' &= f \odot c + i \odot g \\
# f &= σ(W_f x + U_f h + \dots) & o &= σ(W_o x + U_o h + \dots) & h' &= o \odot \tanh(c')
# \end{aligned}$$
#
# The cell c is what is kept, and it may grow beyond 1. h is what the next layer sees of it, and what
# the gates of the next step see. torch's blocks of rows are (i, f, g, o).

# %%
from seq2seq_lib.cells import LSTMCell, unroll_stack
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import pencil_lstm

x, h, c, W_lstm, U_lstm = pencil_lstm()  # c = (2, -1)
lstm = LSTMCell.from_torch(with_weights(nn.LSTMCell(3, 2), W_lstm, U_lstm)).requires_grad_(False)
for name, gate in lstm.gates(x, (h, c))._asdict().items():
    print(f"{name:9} {gate[0, 0]:6.3f} {gate[0, 1]:6.3f}")

# %% [markdown]
# With the pencil: c' = (0.9 · 2 + ½ · 0.8, ¾ · (−1) − ¼ · ½) = (2.2, −0.875). Law 2 judges the
# library, too: both cells, one and two layers, one way and both, forward and gradient.

# %%
verdict = laws.parity(unroll_stack)
print(verdict)
assert verdict

# %% [markdown]
# Stack two layers and let each read both ways. torch returns `output` and the final state. Which
# states are they?

# %%
from seq2seq_lib import plots
from seq2seq_lib.course.ch02_gru_and_lstm_gates import figures

torch.manual_seed(0)
B, T, I, H = 3, 5, 2, 4
rnn = nn.LSTM(I, H, num_layers=2, bidirectional=True, batch_first=True).requires_grad_(False)
x = torch.randn(B, T, I)
output, (h_n, c_n) = rnn(x)
print("output", tuple(output.shape), "h_n", tuple(h_n.shape), "c_n", tuple(c_n.shape))

# %% [markdown]
# The last axis of `output` is forward | backward, 2H numbers. h_n has a slice for each layer and
# direction. The batch is its **second** axis, also with `batch_first=True`.
#
# **Predict** which of `output`, `h_n`, `c_n` hold anything of layer 0. And is `output[:, -1]` the
# final state of both directions?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
plots.show(
    figures.what_comes_out(T),
    "Four rows of five states: layer 0 forward and backward, layer 1 forward and backward. A frame "
    "holds both rows of layer 1: output. Hatched are the ends, where a row has read everything: at "
    "the last step of the forward rows and at the first of the backward rows. They are h_n[0] to "
    "h_n[3].",
)
print("forward:  output[:, -1, :H] is h_n[2]", torch.equal(output[:, -1, :H], h_n[2]))
print("backward: output[:, 0, H:]  is h_n[3]", torch.equal(output[:, 0, H:], h_n[3]))
print("backward: output[:, -1, H:] is h_n[3]", torch.equal(output[:, -1, H:], h_n[3]))

# %% [markdown]
# `output` shows the top layer at all steps, `h_n` all layers at their ends, and `c_n` stands in
# nothing else. The backward half of `output[:, -1]` has read a single symbol.
#
# One shape fools everybody. Without `batch_first=True` torch takes the first axis for time, so `[B,
# T, I]` is read as B steps of T rows. The output's shape is as expected. What moves if sentence 0 is
# changed?

# %%
forgotten = nn.GRU(I, H).requires_grad_(False)
as_meant = nn.GRU(I, H, batch_first=True).requires_grad_(False)
changed = x.clone()
changed[0] += 1
for name, gru in (("forgotten", forgotten), ("batch_first", as_meant)):
    moved = (gru(changed)[0] != gru(x)[0]).flatten(1).any(dim=1)
    print(f"{name:11} {tuple(gru(x)[0].shape)} rows that moved: {moved.nonzero().flatten().tolist()}")

# %% [markdown]
# Time ran across the batch. A row must not depend on its neighbours: that is **law 1**, and the clinic
# of the exercises uses it. So read shapes by what the axes mean: a test that changes one sentence
# tells more than a shape.
#
# ## 2.6 The same task, three cells
#
# Does a gate make a network remember? Six networks of 32 units, not trained yet, read a flag and 40
# symbols. How much does the loss at the end feel each step? `keep_bias_` sets the bias of the gate
# that keeps, in both cells the second block of rows. torch adds *two* biases, so it sets one to the
# value and the other to 0.

# %%
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import gradient_by_step

six = {"RNN": None, "LSTM": None, "GRU": None, "LSTM +1": 1, "GRU +3": 3, "LSTM +3": 3}
norms = {name: gradient_by_step(name.split()[0], bias, k=40, seed=0) for name, bias in six.items()}
plots.show(
    figures.gradient_lines(norms),
    "Six falling lines on a log axis, from step 41 back to step 1. The plain RNN falls furthest, "
    "below a billionth; LSTM and GRU as torch makes them fall below a millionth; LSTM with bias 1 to "
    "about a hundredth; GRU and LSTM with bias 3 stay above a tenth.",
)

# %% [markdown]
# Out of the box, LSTM and GRU lose the gradient like the plain RNN, only somewhat later: torch draws
# biases around 0, so f begins near one half. Gates do not remember; their biases do.
#
# **Predict**: k = 30, at most 200 steps of training, five of these networks. Guessing is right for
# 25 %. Which are right for more than 90 %?

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import train_on_flags

accuracy = {}
for name in ("RNN", "LSTM", "GRU", "LSTM +3", "GRU +3"):
    accuracy[name], solved = train_on_flags(name.split()[0], six[name], k=30, steps=200, seed=0)
    print(f"{name:8} {accuracy[name]:.2f}", f"after {solved} steps" if solved else "not learned")

# %% [markdown]
# The bias decides, not the cell. Measured once, on 28 November 2026, with seeds 0 to 4
# ([`benchmarks/gate_memory.py`](../benchmarks/gate_memory.py)): how many of five learned, and at
# which step.
#
# | cell | gradient, first / last | k = 10, 300 steps | k = 30, 200 steps | k = 40, 300 steps |
# |---|---|---|---|---|
# | RNN | 2e-12 … 3e-10 | 4, at 66-143 | 0 | 0 |
# | LSTM | 6e-9 … 2e-7 | 2, at 100-125 | 0 | 0 |
# | GRU | 1e-8 … 9e-8 | 5, at 94-151 | 0 | 0 |
# | LSTM +1 | 4e-4 … 7e-3 | 5, at 56-68 | 0 | 0 |
# | GRU +3 | 0.16 … 0.21 | 5, at 66-75 | 5, at 77-114 | 5, at 84-105 |
# | LSTM +3 | 0.40 … 1.2 | 5, at 45-49 | 5, at 51-66 | 4, at 52-96 |
# | LSTM +5 | 1.1 … 3.1 | 5, at 44-49 | ? | 5, at 55-82 |
#
# Three things differ from what one often reads. At k = 10 the plain RNN is about as good as a default
# GRU, and the default LSTM is the slowest. A bias of 1, which Jozefowicz et al. recommend for every
# LSTM, is not enough for 30 steps: its half-life is 2.2. And patience helps little: with 1,200 steps
# the default GRU learns k = 30 in three of five runs, the LSTM in none.
#
# The factor of one step is not f alone: with bias 3, f is 0.953, but the gradient of the LSTM shrinks
# by no more than a factor of 2.5 in 40 steps, where f⁴⁰ is 0.15. The second path, from c through h
# into the gates, adds to the direct one.
#
# So choose the bias before you choose the cell: a half-life about as long as what must be remembered.

# %% [markdown]
# ## Summary
#
# - A plain unit multiplies the gradient by w (1 − h²) at each step; the product vanishes, also for
#   w > 1.
# - A gate is a sigmoid. f = 1 and z = 1 *keep*. A constant gate has the half-life ln 2 / −ln f.
# - GRU: one gate keeps and writes, z and 1 − z. LSTM: two gates, and a cell that can add up.
# - There are two GRUs. torch resets after the product, so its candidate needs two biases.
# - `output` is the top layer at all steps; `h_n` all layers at their ends, batch second.
# - torch's biases begin around 0. For a fact that must last 30 steps, set the bias to 3.
#
# | a GRU step on our numbers | h' | what gives it away |
# |---|---|---|
# | right | (0.82, −0.625) | law 2 |
# | reset before the product | (0.71, −0.55) | law 2, two units, random weights |
# | z replaces | (0.98, 0.125) | law 2; z = 1 must keep |
# | gates read as z, r, n | (0.61, 0.49) | law 2 |
# | biases merged | (0.98, −0.875) for (0.94, −0.68) | law 2, with biases |
#
# **Law established**: law 2, parity. `laws.parity(recompute)` judges any GRU or LSTM.
#
# **Common misconception**: "An LSTM remembers because it has gates." A gate at one half forgets as
# fast as a weight of one half.

# %% [markdown]
# ## In Transformers and LLMs
#
# - **Residual streams** are a gate stuck at "keep": x + layer(x) is f = 1, and a layer writes.
# - **GLU and SwiGLU** layers multiply one half of a layer by a gate that the other half computes.
# - **Gated linear attention** and state-space models such as Mamba are cells whose gates depend on the
#   input, not on the state. Then c is a weighted sum of all that was written, with the products of
#   gates as weights: masked attention without a softmax, for all steps at once.
# - **minGRU and minLSTM** drop h from the gates for the same reason.
# - **A cache of fixed size**: a recurrent state is one, and must forget. A KV cache grows, and needs
#   not.
#
# With one constant f, the weight of what was written at s is f^(t − s) at step t:

# %%
f, written = 0.5, torch.tensor([1.0, 2, -1, 0.5, 3])
c, loop = 0.0, []
for write in written:
    c = f * c + write
    loop.append(float(c))
age = torch.arange(5)[:, None] - torch.arange(5)[None, :]  # [T, T]: t - s
weights = (f ** age.clamp(min=0)).tril()  # no step sees what is written later
print("loop    ", loop, "\nparallel", (weights @ written).tolist(), "", weights, sep="\n")

# %% [markdown]
# ## Further reading
#
# - Hochreiter and Schmidhuber 1997, [Long Short-Term
#   Memory](https://doi.org/10.1162/neco.1997.9.8.1735): the cell with a factor of exactly 1, and no
#   forget gate yet.
# - Gers, Schmidhuber and Cummins 2000, [Learning to
#   Forget](https://doi.org/10.1162/089976600300015015): without resets the state can grow without
#   limit, so the forget gate was added.
# - Cho et al. 2014, [Learning Phrase Representations using RNN
#   Encoder-Decoder](https://arxiv.org/abs/1406.1078): the GRU.
# - Tallec and Ollivier 2018, [Can recurrent neural networks warp
#   time?](https://arxiv.org/abs/1804.11188): gates derived from time, and biases from the expected
#   time span.
# - Feng et al. 2024, [Were RNNs All We Needed?](https://arxiv.org/abs/2410.01201): minGRU and minLSTM.
#
# **Next**: [the
# exercises](../exercises/ch02_gru_and_lstm_gates/ch02_gru_and_lstm_gates.ipynb): the papers' GRU,
# weights from Keras, and a classifier whose accuracy depends on the batch size.

# %% [markdown]
# ## What this chapter asserts
#
# The cell below guards the numbers of this chapter against a change of the library. It has nothing
# new for a reader.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
x, h, W, U = pencil_gru()
close = {"atol": 5e-4, "rtol": 0}
expected = {
    right_step: (0.82, -0.625),
    textbook_step: (0.7095, -0.55),
    lambda *a: variant(*a, swap=True): (0.98, 0.125),
    lambda *a: variant(*a, order="zrn"): (0.6081, 0.4939),
    lambda *a: variant(*a, d=d): (0.9357, -0.683),
    lambda *a: variant(*a, d=d, merge=True): (0.978, -0.875),
}
for step, numbers in expected.items():
    torch.testing.assert_close(step(x, h, W, U), torch.tensor([numbers]), **close)
assert laws.parity(over_time(right_step), cells=("gru",), **one_layer)
first = {name: values[0] / values[-1] for name, values in norms.items()}
assert first["RNN"] < 1e-9 and max(first["LSTM"], first["GRU"]) < 1e-6
assert 1e-4 < first["LSTM +1"] < 0.05 and min(first["LSTM +3"], first["GRU +3"]) > 0.1
assert max(accuracy[name] for name in ("RNN", "LSTM", "GRU")) < 0.5
assert min(accuracy[name] for name in ("LSTM +3", "GRU +3")) > 0.95
