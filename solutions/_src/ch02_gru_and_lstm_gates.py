# %% [markdown]
# # Exercises 2: GRU and LSTM gates
#
# These exercises go with [chapter 2](../../chapters/ch02_gru_and_lstm_gates.ipynb). You write the GRU of
# the papers, bring weights over from another library, say how much of the past a gate leaves, and treat a
# classifier that will not learn.
#
# **How it works**
#
# 1. Replace the two lines `# YOUR CODE HERE` and `raise NotImplementedError()` by your code. Remove both:
#    a `raise` that is left behind still ends the function. Run the cell.
# 2. Run the cell below it, which says `check(...)`. It tells you what is right, or what is wrong and
#    why. It says *not attempted* as long as you have written nothing.
# 3. Stuck? There are three hints for each exercise, and a solution.
#
# You may check as often as you like. Nothing is sent anywhere. The checks draw new numbers each time,
# and try one sentence, one unit and one step, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 2.3 which bias | predict | 4 | 1 |
# | 2.4 `gru_step_paper` | implement | 15 | 4 |
# | 2.5 `gru_from_keras` | implement | 20 | 4 |
# | 2.6 `influence` | implement | 15 | 4 |
# | 2.7 `top_state` | implement | 10 | 3 |
# | 2.8 the bug clinic | debug | 26 | 9 |
# | 2.9 how far a bias carries | extend | 45 | 6, bonus |
#
# (2.1 and 2.2 are in the chapter.) B and T are the numbers of sentences and steps; I and H of the numbers in
# an input and in a state; D is 1 for a network that reads one way, 2 for both ways.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch02_gru_and_lstm_gates import (
    bias_options,
    clinic_options,
    patient_encode,
    train_on_flags,
    training_log,
)

torch.set_num_threads(1)

# %% [markdown]
# ## 2.3 Which bias?
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 4 minutes · 1 point
#
# A cell should have forgotten one half after ten steps. Nothing is written, and the weights are so small
# that its forget gate is the sigmoid of its bias. Which bias is it? Use pencil and paper, or a pocket
# calculator.

# %%
for letter, number in bias_options().items():
    print(letter, number)

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_2_3 = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-2-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.3", letter_2_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.3")
# hint("2.3", 2)
# hint("2.3", 3)
# solution("2.3")

# %% [markdown]
# ## 2.4 `gru_step_paper`
#
# *Implement* · difficulty 3 of 5 · importance 5 of 5 · spend up to 15 minutes · 4 points
#
# The GRU as Chung et al. 2014 write it, in the notation of the texts: rows, so X W; one bias; the reset gate
# acts on the state **before** the matrix; and z = 1 **replaces** the old state.
#
# $$\begin{aligned}
# R &= \sigma(X W_{xr} + H W_{hr} + b_r) & \tilde{H} &= \tanh(X W_{xn} + (R \odot H) W_{hn} + b_n) \\
# Z &= \sigma(X W_{xz} + H W_{hz} + b_z) & H' &= Z \odot \tilde{H} + (1 - Z) \odot H
# \end{aligned}$$
#
# The blocks r, z, n stand side by side in `W_x`, `W_h` and `b`, H columns each. With the numbers of the
# chapter's pencil, transposed, the new state is (0.9677, 0.35).


# %% nbgrader={"grade": false, "grade_id": "gru_step_paper", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru_step_paper(x, h, W_x, W_h, b):
    """One step of the papers' GRU.

    Args:
        x: floats [B, I].
        h: floats [B, H], the old state.
        W_x: floats [I, 3H], blocks of columns r, z, n.
        W_h: floats [H, 3H], likewise.
        b: floats [3H], likewise.

    Returns:
        floats [B, H], the new state. The arguments are left as they are.
    """
    ### BEGIN SOLUTION
    x_r, x_z, x_n = (x @ W_x + b).chunk(3, dim=1)  # each [B, H]
    W_r, W_z, W_n = W_h.chunk(3, dim=1)  # each [H, H]
    r = torch.sigmoid(x_r + h @ W_r)
    z = torch.sigmoid(x_z + h @ W_z)
    n = torch.tanh(x_n + (r * h) @ W_n)  # first the gate, then the matrix
    return z * n + (1 - z) * h
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-2-4", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.4", gru_step_paper)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.4")
# hint("2.4", 2)
# hint("2.4", 3)
# solution("2.4")

# %% [markdown]
# ## 2.5 `gru_from_keras`
#
# *Implement* · difficulty 4 of 5 · importance 4 of 5 · spend up to 20 minutes · 4 points
#
# A GRU was trained in Keras with `reset_after=True`, so with torch's equations. Its weights are three
# arrays, and their blocks stand in the order **z, r, n**
# ([keras#22115](https://github.com/keras-team/keras/pull/22115)):
#
# | array | shape | holds |
# |---|---|---|
# | `kernel` | `[I, 3H]` | columns for the input, blocks z, r, n |
# | `recurrent` | `[H, 3H]` | columns for the state, blocks z, r, n |
# | `bias` | `[2, 3H]` | row 0 beside the input, row 1 beside the state, blocks z, r, n |
#
# In Keras, too, z = 1 keeps. Make torch's four tensors of them, blocks **r, z, n**.


# %% nbgrader={"grade": false, "grade_id": "gru_from_keras", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gru_from_keras(kernel, recurrent, bias):
    """The weights of a Keras GRU as nn.GRUCell wants them.

    Args:
        kernel: floats [I, 3H].
        recurrent: floats [H, 3H].
        bias: floats [2, 3H].

    Returns:
        weight_ih [3H, I], weight_hh [3H, H], bias_ih [3H], bias_hh [3H].
    """
    ### BEGIN SOLUTION

    def reordered(blocks):
        z, r, n = blocks.chunk(3, dim=-1)  # Keras' columns
        return torch.cat([r, z, n], dim=-1)

    bias_ih, bias_hh = reordered(bias)  # [2, 3H] -> [3H], [3H]
    return reordered(kernel).T, reordered(recurrent).T, bias_ih, bias_hh
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-2-5", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.5", gru_from_keras)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.5")
# hint("2.5", 2)
# hint("2.5", 3)
# solution("2.5")

# %% [markdown]
# ## 2.6 `influence`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# In c' = f c + w, let w be what a step writes. How much of what was written at step s is left right after
# step t? Each gate between them takes its share; at its own step all of it is there, and before it was
# written nothing is:
#
# $$\text{left}[t, s] = \prod_{u=s+1}^{t} f_u, \qquad \text{left}[t, t] = 1, \qquad \text{left}[t, s] = 0
# \text{ for } s > t$$
#
# With it, `influence(f) @ w` is the cell at all steps: the table of the chapter's last section, for gates
# that the data choose. For f = (0.9, 0.5, 0.8, 1, 0.25) its last row is (0.1, 0.2, 0.25, 0.25, 1). A gate may
# be 0. A loop over t is fine.


# %% nbgrader={"grade": false, "grade_id": "influence", "locked": false, "schema_version": 3, "solution": true, "task": false}
def influence(f):
    """How much of what was written at each step is left at each step.

    Args:
        f: floats [B, T] from 0 to 1, both ends included: the forget gate of each step.

    Returns:
        floats [B, T, T]: row t, column s.
    """
    ### BEGIN SOLUTION
    B, T = f.shape
    rows, row = [], f.new_zeros(B, T)
    for t in range(T):
        row = row * f[:, t, None]  # what was written before loses a share
        row[:, t] = 1.0  # what is written now is all there
        rows.append(row)
    return torch.stack(rows, dim=1)  # [B, T, T]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-2-6", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.6", influence)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.6")
# hint("2.6", 2)
# hint("2.6", 3)
# solution("2.6")

# %% [markdown]
# ## 2.7 `top_state`
#
# *Implement* · difficulty 2 of 5 · importance 5 of 5 · spend up to 10 minutes · 3 points
#
# A classifier needs one vector for each sentence: the final state of the **top** layer, and if the network
# reads both ways, forward | backward. Take it out of torch's `h_n`, whose first axis counts layers and
# directions.


# %% nbgrader={"grade": false, "grade_id": "top_state", "locked": false, "schema_version": 3, "solution": true, "task": false}
def top_state(h_n, bidirectional):
    """The final state of the top layer.

    Args:
        h_n: floats [L * D, B, H], as nn.GRU returns it.
        bidirectional: whether D is 2; else it is 1.

    Returns:
        floats [B, D * H].
    """
    ### BEGIN SOLUTION
    if not bidirectional:
        return h_n[-1]  # [B, H]
    return torch.cat([h_n[-2], h_n[-1]], dim=1)  # [B, 2H], forward | backward
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-2-7", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.7", top_state)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.7")
# hint("2.7", 2)
# hint("2.7", 3)
# solution("2.7")

# %% [markdown]
# **Continue from here.** From now on `top_state` is the course's own, so you can go on whether 2.7 is solved
# or not. If you come back to 2.7 later, run the cell of your own function again before its check.

# %% nbgrader={"grade": false, "grade_id": "continue-2-7", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch02_gru_and_lstm_gates import top_state

# %% [markdown]
# ## 2.8 The bug clinic
#
# **History.** A classifier reads a row both ways with a GRU, puts the two final states side by side, and
# names the first symbol of the row. Its authors trained it for an evening. The loss does not fall, so they
# suspect the learning rate. One of its lines stands in a published model, too; a reader asked about it in
# 2019.

# %%
print(training_log())

# %% [markdown]
# ### 2.8a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 5 of 5 · spend up to 5 minutes · 2 points
#
# Five things one may notice. Which of them can **no** model show that reads each row by itself, however
# well or badly it was trained?

# %%
for letter, words in clinic_options().items():
    print(letter, words)

# %%
letter_2_8a = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-2-8a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.8a", letter_2_8a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.8a")
# hint("2.8a", 2)
# hint("2.8a", 3)
# solution("2.8a")

# %% [markdown]
# ### 2.8b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 15 minutes · 5 points
#
# Here is the patient: the encoder alone, with fixed random weights. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_encode))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any such encoder, calls it on
# small batches of your own, and raises `AssertionError` if a summary is wrong.
# `torch.testing.assert_close(found, expected)` does that, with a tolerance. No expected number is needed:
# ask what a summary may depend on.
#
# Your test is then tested itself. It must let right encoders through, however they are written: that, and
# rejecting the patient, is worth 2 points; rejecting five wrong encoders of seven 2 more; all of them the
# last one. The others read pads, mix rows in other ways, or forget an order.
#
# One kind of mistake no such test can see: the states of the wrong *layer* are the same in every batch. So it
# is not among the seven.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(encode):
    """Raise AssertionError unless encode gives each sentence its own summary.

    Args:
        encode: called as encode(src, lengths), with int64 [B, S], ids from 0 to 7, anything at the
            pads, and int64 [B], each from 1 to S, the longest being S; gives floats [B, 6].
    """
    ### BEGIN SOLUTION
    src = torch.tensor([[5, 1, 0, 0], [3, 7, 6, 2], [4, 0, 0, 0]])  # [B, S]; 0 is PAD
    lengths = torch.tensor([2, 4, 1])
    together = encode(src, lengths)  # [B, 2H]
    for row, length in enumerate(lengths.tolist()):
        alone = encode(src[row : row + 1, :length], lengths[row : row + 1])
        torch.testing.assert_close(together[row], alone[0])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-2-8b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.8b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.8b")
# hint("2.8b", 2)
# hint("2.8b", 3)
# solution("2.8b")

# %% [markdown]
# ### 2.8c The way back
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 6 minutes · 2 points
#
# `top_state` heals the encoder. The model that the patient was taken from has the same disease a second
# time: a decoder that reads both ways needs a first state `[D, B, H]`, made of a summary `[B, D * H]`, and
# `summary.view(D, B, H)` has the right shape, too
# ([Sentence-VAE#20](https://github.com/timbmg/Sentence-VAE/issues/20)). Write it as it should be. For one
# layer that reads both ways, `top_state(to_hidden(summary, 2), True)` is the summary again.


# %% nbgrader={"grade": false, "grade_id": "to_hidden", "locked": false, "schema_version": 3, "solution": true, "task": false}
def to_hidden(summary, directions):
    """The first state of one layer, from a summary of both directions.

    Args:
        summary: floats [B, D * H], forward | backward.
        directions: D, 1 or 2.

    Returns:
        floats [D, B, H].
    """
    ### BEGIN SOLUTION
    return torch.stack(summary.chunk(directions, dim=1))  # D of [B, H] -> [D, B, H]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-2-8c", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.8c", to_hidden)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.8c")
# hint("2.8c", 2)
# hint("2.8c", 3)
# solution("2.8c")

# %% [markdown]
# ## 2.9 How far does a bias carry?
#
# *Extend* · difficulty 3 of 5 · importance 4 of 5 · spend up to 45 minutes · 6 points, bonus, given by a
# person
#
# Chapter 2 says: choose the bias before you choose the cell. Measure it. For the forget biases 0, 1, 3 and 5
# of an LSTM: what is the largest k at which the flag task is learned within 300 steps?
#
# First the table. A run is a tuple `(bias, k, seed, step)`; `step` is where the running mean of the loss
# fell below 0.1 (the run is *solved*), or None. A k counts for a bias if **all** its seeds solved it
# **and** every smaller k that was tried counts.


# %% nbgrader={"grade": false, "grade_id": "longest_k", "locked": false, "schema_version": 3, "solution": true, "task": false}
def longest_k(runs):
    """The largest k that each bias carries a fact.

    Args:
        runs: a list of tuples (bias, k, seed, step or None), in any order.

    Returns:
        A dictionary bias -> k, 0 where a bias carries nothing.
    """
    ### BEGIN SOLUTION
    found = {}
    for bias in {run[0] for run in runs}:
        solved = {}  # k -> whether all seeds solved it
        for other, k, _, step in runs:
            if other == bias:
                solved[k] = solved.get(k, True) and step is not None
        found[bias] = 0
        for k in sorted(solved):
            if not solved[k]:
                break
            found[bias] = k
    return found
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the table can be right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-2-9", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("2.9", longest_k)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("2.9")
# hint("2.9", 2)
# hint("2.9", 3)
# solution("2.9")

# %% [markdown]
# Now the runs. One takes a second or less. Choose your k, and at least three seeds; more cells of your own
# are welcome, and so is a plot.

# %%
runs = []
# for bias in (0, 1, 3, 5):
#     for k in (5, 10, 20, 40):
#         for seed in range(3):
#             accuracy, step = train_on_flags("LSTM", bias, k, steps=300, seed=seed)
#             runs.append((bias, k, seed, step))
# longest_k(runs)

# %% [markdown]
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your table, with the half-life of each bias beside it, and how many seeds and steps it rests on (2
#    points),
# 2. whether the longest k follows the half-life: where yes, where not, and what in an LSTM could make the
#    difference (2 points),
# 3. what you would tell somebody who sets the bias to 1 because a paper recommends it; and one thing that
#    your experiment cannot show (2 points).

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-2-9", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Table** (2 points: numbers, half-lives, seeds). With 300 steps, k in 5, 10, 20, 40 and seeds 0 to 2, bias 0
# carries 5 steps, bias 1 carries 10, biases 3 and 5 carry all 40; with seeds 3 to 5 one run of bias 3 fails
# at 40, so it carries 20. The half-lives are 1, 2.2, 14 and 103 steps.
#
# **Half-life** (2 points: agrees in order, not in size; the second path). The order is the same. The sizes are
# not: all but bias 5 carry several half-lives, since a small share of the gradient is enough to learn from,
# and since the gate learns: once a little gradient arrives, training opens it. Also the state h goes back into
# all gates, so f alone is not the whole path.
#
# **Advice** (2 points: the bias should fit the time span; a limit of the experiment). A bias of 1 has a
# half-life of two steps, so it helps where facts must last a few steps. For longer spans it should be about
# as large as ln of the span. The experiment has one task, one size of network, one learning rate, and 300
# steps: with other learning rates or more patience other k may be reached.
