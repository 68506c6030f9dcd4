# %% [markdown]
# # Exercises 8: attention
#
# These exercises go with [chapter 8](../../chapters/ch08_attention.ipynb). They ask for what the chapter
# does not show: other masks, the additive score by hand, a cache. Then you treat a patient: attention that
# makes a mask and does not use it.
#
# **How it works**
#
# 1. Replace the two lines `# YOUR CODE HERE` and `raise NotImplementedError()` by your code. Remove both:
#    a `raise` that is left behind still ends the function. Run the cell.
# 2. Run the cell below it, which says `check(...)`. It tells you what is right, or what is wrong and
#    why. It says *not attempted* as long as you have written nothing.
# 3. Stuck? There are three hints for each exercise, and a solution. Each gives away a little more than
#    the one before.
#
# You may check as often as you like. Nothing is sent anywhere. The checks draw new numbers each time,
# and try batches of one sentence or one position, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 8.3 the weights of four scores | predict | 4 | 1 |
# | 8.4 `causal_and_padding` | fill in | 8 | 3 |
# | 8.5 `additive_scores` | implement | 15 | 4 |
# | 8.6 `window_mask` | implement | 12 | 4 |
# | 8.7 `cached_step` | implement | 20 | 5 |
# | 8.8 the bug clinic | debug | 25 | 10 |
# | 8.9 `column_effects` | extend | 20 | 6 |
#
# (8.1 and 8.2 are in the chapter.) **True means: may look, a real token**; B, S and T are the numbers of
# sentences, source and target positions.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch08_attention import (
    decoding_log,
    patient_attention,
    three_other_scores,
)
from seq2seq_lib.masks import masked_softmax, sequence_mask

torch.set_num_threads(1)

# %% [markdown]
# ## 8.3 The weights of four scores
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 4 minutes · 1 point
#
# A query has these four scores, already scaled. The last one is at a pad. Six rows follow; which one are the
# weights? Use pencil and paper, not a cell: e is about 2.72.

# %%
four_scores, rows_of_weights = three_other_scores()
print("scores", four_scores.tolist())
for letter, row in rows_of_weights.items():
    print(letter, row)

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_8_3 = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-8-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.3", letter_8_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.3")
# hint("8.3", 2)
# hint("8.3", 3)
# solution("8.3")

# %% [markdown]
# ## 8.4 `causal_and_padding`
#
# *Fill in* · difficulty 2 of 5 · importance 5 of 5 · spend up to 8 minutes · 3 points
#
# In a language model a token may look at itself and at what is before it, and at no pad. For a sentence of
# two tokens in a batch of width 4 the table of query by key is
#
# ```
# 1 0 0 0
# 1 1 0 0
# 1 1 0 0
# 1 1 0 0
# ```
#
# The queries of pads are not masked: they may look at what is real, so that no row is empty. Fill the blanks
# `____`, remove the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "causal_and_padding", "locked": false, "schema_version": 3, "solution": true, "task": false}
def causal_and_padding(lengths, T):
    """Who may look at whom.

    Args:
        lengths: int64 [B], each from 1 to T; the pads are on the right.
        T: the width of the batch.

    Returns:
        bool [B, T, T], query by key: True where a query may look.
    """
    # positions = torch.arange(T)
    # causal = positions[____] <= positions[____]  # [T, T], query by key
    # real = positions[None, :] < ____  # [B, T], the keys
    # return causal & real[____]  # [B, T, T]
    ### BEGIN SOLUTION
    positions = torch.arange(T)
    causal = positions[None, :] <= positions[:, None]  # [T, T], query by key
    real = positions[None, :] < lengths[:, None]  # [B, T], the keys
    return causal & real[:, None, :]  # [T, T] & [B, 1, T] -> [B, T, T]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.4", causal_and_padding)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.4")
# hint("8.4", 2)
# hint("8.4", 3)
# solution("8.4")

# %% [markdown]
# ## 8.5 `additive_scores`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# Bahdanau's score is a small network. The keys have been mapped already, once a sentence. Without loops:
#
# ```
# scores[b, t, s] = v @ tanh(W @ q[b, t] + keys[b, s])
# ```


# %% nbgrader={"grade": false, "grade_id": "additive_scores", "locked": false, "schema_version": 3, "solution": true, "task": false}
def additive_scores(q, keys, W, v):
    """The additive scores, not normalised and not masked.

    Args:
        q: floats [B, T, Q].
        keys: floats [B, S, A].
        W: floats [A, Q].
        v: floats [A].

    Returns:
        floats [B, T, S].
    """
    ### BEGIN SOLUTION
    mapped = q @ W.T  # [B, T, Q] @ [Q, A] -> [B, T, A]
    mixed = torch.tanh(mapped[:, :, None] + keys[:, None])  # [B, T, 1, A] + [B, 1, S, A]
    return mixed @ v  # [B, T, S, A] @ [A] -> [B, T, S]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-5", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.5", additive_scores)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.5")
# hint("8.5", 2)
# hint("8.5", 3)
# solution("8.5")

# %% [markdown]
# ## 8.6 `window_mask`
#
# *Implement* · difficulty 3 of 5 · importance 3 of 5 · spend up to 12 minutes · 4 points
#
# Luong's *local* attention looks near the diagonal alone: step t sees the real source positions s with
# $|s - t| \le D$. For S = 5, T = 3, D = 1 and a source of 3 tokens:
#
# ```
# 1 1 0 0 0
# 1 1 1 0 0
# 0 1 1 0 0
# ```


# %% nbgrader={"grade": false, "grade_id": "window_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def window_mask(src_lengths, T, S, D):
    """Which source positions each step may look at.

    Args:
        src_lengths: int64 [B], each from 1 to S.
        T, S: numbers of target and source positions.
        D: the largest distance, 0 or more.

    Returns:
        bool [B, T, S]: True where a step may look. A row may be empty.
    """
    ### BEGIN SOLUTION
    source = torch.arange(S)
    near = (source[None, :] - torch.arange(T)[:, None]).abs() <= D  # [T, S]
    real = source[None, :] < src_lengths[:, None]  # [B, S]
    return near & real[:, None]  # [T, S] & [B, 1, S] -> [B, T, S]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-6", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.6", window_mask)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.6")
# hint("8.6", 2)
# hint("8.6", 3)
# solution("8.6")

# %% [markdown]
# ## 8.7 `cached_step`
#
# *Implement* · difficulty 4 of 5 · importance 5 of 5 · spend up to 20 minutes · 5 points
#
# A language model writes one token after another. It would be a waste to compute the keys and values of all
# earlier tokens again, so they are kept in a **cache**. Write one step of causal self-attention, one head,
# scaled by $\sqrt d$. The new token may look at itself.
#
# After T steps, the T outputs must be those of one causal pass over all tokens (law 4).


# %% nbgrader={"grade": false, "grade_id": "cached_step", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cached_step(q, k, v, cache):
    """One token looks at all tokens so far and at itself.

    Args:
        q, k, v: floats [B, d], of the new token.
        cache: None before the first token; then (keys, values), each [B, t, d], newest last.

    Returns:
        The output [B, d], and the new cache: (keys, values), each [B, t + 1, d], newest last.
    """
    ### BEGIN SOLUTION
    keys, values = k[:, None], v[:, None]  # [B, d] -> [B, 1, d]
    if cache is not None:
        keys = torch.cat([cache[0], keys], 1)  # [B, t, d] and [B, 1, d] -> [B, t + 1, d]
        values = torch.cat([cache[1], values], 1)
    scores = q[:, None] @ keys.mT / q.size(-1) ** 0.5  # [B, 1, d] @ [B, d, t + 1]
    return (scores.softmax(-1) @ values)[:, 0], (keys, values)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-7", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.7", cached_step)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.7")
# hint("8.7", 2)
# hint("8.7", 3)
# solution("8.7")

# %% [markdown]
# ## 8.8 The bug clinic
#
# **History.** A translator is brought in. Its loss falls, its answers are right. A reader of its code has
# written that the mask is made and never used. The author agreed, thought that the decoder should be able
# to learn not to look at pads, and named a cure
# ([Seq2Seq-PyTorch#6](https://github.com/MaximumEntropy/Seq2Seq-PyTorch/issues/6)).
#
# To examine it, a date model was run with it. One date, "14 aug 1999", was given five times, each time beside
# another neighbour. The log shows what probability the model gives to the right answers, as a
# logarithm. All its answers are right.

# %%
print(decoding_log())

# %% [markdown]
# ### 8.8a The evidence
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which column cannot come from attention that is masked rightly: A, B, C or D?

# %%
letter_8_8a = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-8-8a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.8a", letter_8_8a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.8a")
# hint("8.8a", 2)
# hint("8.8a", 3)
# solution("8.8a")

# %% [markdown]
# ### 8.8b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 15 minutes · 5 points
#
# Here is the patient. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_attention))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any such attention (dot
# product, not scaled), calls it on a small batch of your own, and raises `AssertionError` if the result is
# wrong. `torch.testing.assert_close(found, expected)` does that, with a tolerance.
#
# Your test is then tested itself. It must let through attentions that are right, however they are written,
# also where their last digits differ. Keep the vectors at the pads finite: a right attention may multiply
# them by 0, and 0 times NaN is NaN. Rejecting the patient earns 2 points, five wrong attentions of seven
# 2 more, and all seven 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(attend):
    """Raise AssertionError unless attend mixes the real vectors of each sentence rightly.

    Args:
        attend: called as attend(query, memory, lengths), with floats [B, H], floats [B, S, H] and
            int64 [B]; gives the contexts, floats [B, H].
    """
    ### BEGIN SOLUTION
    memory = torch.tensor(
        [
            [[1.0, 0.0], [0.0, 2.0], [5.0, 5.0], [5.0, 5.0]],  # two real, two pads
            [[0.5, 1.0], [1.0, 0.0], [0.0, 1.0], [2.0, 0.5]],  # four real
        ]
    )  # [B, S, H]
    query, lengths = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([2, 4])
    found = attend(query, memory, lengths)  # [B, H]
    for b, length in enumerate(lengths.tolist()):
        real = memory[b, :length]
        expected = (real @ query[b]).softmax(0) @ real
        torch.testing.assert_close(found[b], expected)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-8b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.8b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.8b")
# hint("8.8b", 2)
# hint("8.8b", 3)
# solution("8.8b")

# %% [markdown]
# ### 8.8c The repair
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 3 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_attention", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_attention(query, memory, lengths):
    """The patient, healed: one step of dot attention, not scaled, over the real tokens.

    Args:
        query: floats [B, H].
        memory: floats [B, S, H]; anything finite at the pads.
        lengths: int64 [B], each from 1 to S.

    Returns:
        The contexts, floats [B, H].
    """
    ### BEGIN SOLUTION
    mask = sequence_mask(lengths, memory.size(1))  # [B, S], True = real token
    scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # [B, S, H] @ [B, H, 1] -> [B, S]
    weights = scores.masked_fill(~mask, float("-inf")).softmax(1)
    return torch.bmm(weights.unsqueeze(1), memory).squeeze(1)  # [B, 1, S] @ [B, S, H] -> [B, H]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-8c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.8c", fixed_attention)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.8c")
# hint("8.8c", 2)
# hint("8.8c", 3)
# solution("8.8c")

# %% [markdown]
# ## 8.9 `column_effects`
#
# *Extend* · difficulty 3 of 5 · importance 4 of 5 · spend up to 20 minutes · 6 points
#
# A dark cell says which vector was mixed in. What that vector *does* shows when it is exchanged. Write the
# experiment for any decoder: for each column of the memory, put the donor's vector there, this one alone, and
# tell which characters of the answer change.


# %% nbgrader={"grade": false, "grade_id": "column_effects", "locked": false, "schema_version": 3, "solution": true, "task": false}
def column_effects(write, own, donor):
    """What each vector of the memory decides.

    Args:
        write: takes a memory [S, H] and gives the answer, a string; all answers are equally long.
        own, donor: memories, floats [S, H]. They stay as they are.

    Returns:
        A list of S lists: the positions, in order, at which the answer differs from that of own
        if column s comes from the donor, and no other column.
    """
    ### BEGIN SOLUTION
    before, effects = write(own.clone()), []
    for s in range(own.size(0)):
        memory = own.clone()  # the caller's stays as it is, and each column is changed alone
        memory[s] = donor[s]
        pairs = zip(before, write(memory), strict=True)
        effects.append([i for i, (old, new) in enumerate(pairs) if old != new])
    return effects
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-8-9", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("8.9", column_effects)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("8.9")
# hint("8.9", 2)
# hint("8.9", 3)
# solution("8.9")

# %% [markdown]
# Your function works on the real date model, too. Which columns decide the day in "14 aug 1999", and which
# are looked at and decide nothing? (`compute(change="column", column=s).answer` is what the model writes.)

# %%
from seq2seq_lib.course.explorers.attention_lens.compute import compute

print([compute(change="column", column=s).answer for s in range(12)])
