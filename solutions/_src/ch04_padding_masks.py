# %% [markdown]
# # Exercises 4: padding masks and the masked loss
#
# These exercises go with [chapter 4](../../chapters/ch04_padding_masks.ipynb). You build the mask, write
# the masked loss in three ways, and then treat a patient: a loss that stood in a famous tutorial for
# months.
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
# so an answer that fits only one batch does not pass for long.
#
# An open exercise blocks nothing: you can always go on with the next one.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 4.1 which number is the loss | predict | 3 | 1 |
# | 4.2 `length_mask` | fill in, implement | 12 | 4 |
# | 4.3 `masked_nll` | implement | 15 | 4 |
# | 4.4 `masked_nll_by_select` | implement | 6 | 3 |
# | 4.5 `masked_nll_by_ignore_index` | implement | 6 | 3 |
# | 4.6 the bug clinic | debug | 25 | 10 |
# | 4.7 who gets the gradient | extend | 45 | 6, bonus |
#
# In all of them **True means real token**, and B, T and V are the numbers of sentences, positions and
# words.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
from typing import Any  # noqa: F401  it stands in the solutions, as Tensor does

import torch
import torch.nn.functional as F
from torch import Tensor  # noqa: F401

from seq2seq_lib.course import check, hint, solution  # noqa: F401
from seq2seq_lib.course.ch04_padding_masks import (
    hand_batch,
    options_4_1,
    patient_loss,
    training_log,
)

torch.set_num_threads(1)

# %% [markdown]
# ## 4.1 Which number is the loss?
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 3 minutes · 1 point
#
# Three sentences, padded to five positions. Each cell holds the loss of one position, in nats. The
# lengths say how many cells of a row are real.

# %%
hand_losses, hand_lengths = hand_batch()
print(hand_losses)
print("lengths", hand_lengths)

# %% [markdown]
# Six numbers follow. Each of them is called "the loss of the batch" in some published code. Which one
# is the mean loss of a real token? Use pencil and paper, not a cell.

# %%
for letter, number in options_4_1().items():
    print(letter, number)

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_4_1 = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-4-1", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.1", letter_4_1)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.1")
# hint("4.1", 2)
# hint("4.1", 3)
# solution("4.1")

# %% [markdown]
# ## 4.2 `length_mask`
#
# *Fill in, then implement* · difficulty 2 of 5 · importance 5 of 5 · spend up to 12 minutes · 4 points
#
# **Warm-up**, without points. Positions lie along a row, lengths along a column. Fill the two blanks
# `____`, remove the `# ` in front, and run the cell. Three sentences have the lengths 3, 1 and 2, and
# the batch is four positions wide. What you want to see:
#
# ```
# tensor([[ True,  True,  True, False],
#         [ True, False, False, False],
#         [ True,  True, False, False]])
# ```

# %%
some_positions, some_lengths = torch.arange(4), torch.tensor([3, 1, 2])
# print(some_positions[____] < some_lengths[____])

# %% [markdown]
# **Now the function**, from nothing. It gives back a tensor with
#
# $$\text{mask}[b, t] = (t < \text{lengths}[b])$$
#
# Here is its slow specification. Yours needs no loop.
#
# ```python
# for b in range(len(lengths)):
#     for t in range(max_len):
#         mask[b, t] = t < lengths[b]
# ```


# %% nbgrader={"grade": false, "grade_id": "length_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def length_mask(lengths, max_len):
    """Which positions of a padded batch are real.

    Args:
        lengths: int64 [B], each from 1 to max_len, in no order.
        max_len: int, the width T of the batch; it may be wider than the longest sentence.

    Returns:
        bool [B, T], True = real token.
    """
    ### BEGIN SOLUTION
    positions = torch.arange(max_len, device=lengths.device)  # [T]
    return positions[None, :] < lengths[:, None]  # [1, T] < [B, 1] -> [B, T]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-2", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.2", length_mask)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.2")
# hint("4.2", 2)
# hint("4.2", 3)
# solution("4.2")

# %% [markdown]
# **Continue from here.** From now on `length_mask` is the library's `sequence_mask`. It does what
# yours should do, and it complains about impossible lengths. So you can go on, whether 4.2 is solved or
# not. If you come back to 4.2 later, run the cell of your own function again before its check.

# %% nbgrader={"grade": false, "grade_id": "continue-4-2", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.masks import sequence_mask as length_mask

# %% [markdown]
# ## 4.3 `masked_nll`
#
# *Implement* · difficulty 3 of 5 · importance 5 of 5 · spend up to 15 minutes · 4 points
#
# The loss of a batch is the mean, over its real tokens, of minus the log-probability of the target:
#
# $$\mathcal{L} = \frac{\sum_{b,t} \text{mask}[b,t] \cdot (-\text{log\_probs}[b, t, \text{targets}[b,t]])}
# {\sum_{b,t} \text{mask}[b,t]}$$
#
# The specification:
#
# ```python
# picked = []
# for b in range(B):
#     for t in range(lengths[b]):
#         picked.append(-log_probs[b, t, targets[b, t]])
# loss = sum(picked) / len(picked)
# ```
#
# Write it without a loop, with `length_mask` and a **product**. What stands at the pads is arbitrary:
# a huge loss, or a target that means nothing. None of it may show in the result.


# %% nbgrader={"grade": false, "grade_id": "masked_nll", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_nll(log_probs, targets, lengths):
    """Mean negative log-likelihood of the real tokens.

    Args:
        log_probs: floats [B, T, V], the log-probability of each word at each position.
        targets: int64 [B, T], the words that should be said; anything at the pads.
        lengths: int64 [B], each from 1 to T.

    Returns:
        A float tensor with no axes, through which a gradient flows back to log_probs.
    """
    ### BEGIN SOLUTION
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]  # [B, T, V] -> [B, T]
    return (nll * mask).sum() / mask.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-3", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.3", masked_nll)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.3")
# hint("4.3", 2)
# hint("4.3", 3)
# solution("4.3")

# %% [markdown]
# ## 4.4 `masked_nll_by_select`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 6 minutes · 3 points
#
# The same number, but **select** the real positions and average what is left. The product has a weak
# spot: `0 * nan` is `nan`. What is not selected is never read. So this time there may be NaN at the pads
# of `log_probs`, and your result must not notice.
#
# Mind the shapes. A mask `[B, T]` selects from `[B, T]`, and from `[B, T, V]` it selects whole rows.


# %% nbgrader={"grade": false, "grade_id": "masked_nll_by_select", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_nll_by_select(log_probs, targets, lengths):
    """Mean negative log-likelihood of the real tokens, by selection.

    Args:
        log_probs: floats [B, T, V]; NaN is possible at the pads.
        targets: int64 [B, T]; anything at the pads.
        lengths: int64 [B], each from 1 to T.

    Returns:
        A float tensor with no axes.
    """
    ### BEGIN SOLUTION
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    return F.nll_loss(log_probs[mask], targets[mask])  # [N, V], [N] -> []
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.4", masked_nll_by_select)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.4")
# hint("4.4", 2)
# hint("4.4", 3)
# solution("4.4")

# %% [markdown]
# ## 4.5 `masked_nll_by_ignore_index`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 6 minutes · 3 points
#
# The same number once more, from **logits**, with one call of `F.cross_entropy`. It takes the softmax
# itself, and it skips targets with a certain id, `ignore_index`. The trap: here id 0 may be a real
# word, so a pad cannot be told by its id. The lengths know. Do not write into the caller's `targets`.


# %% nbgrader={"grade": false, "grade_id": "masked_nll_by_ignore_index", "locked": false, "schema_version": 3, "solution": true, "task": false}
def masked_nll_by_ignore_index(logits, targets, lengths):
    """Mean negative log-likelihood of the real tokens, by ignore_index.

    Args:
        logits: floats [B, T, V], not normalised.
        targets: int64 [B, T]; any word's id at the pads, and 0 may be a real word.
        lengths: int64 [B], each from 1 to T.

    Returns:
        A float tensor with no axes.
    """
    ### BEGIN SOLUTION
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    marked = targets.masked_fill(~mask, -100)  # a copy; no word has the id -100
    return F.cross_entropy(logits.transpose(1, 2), marked, ignore_index=-100)  # [B, V, T]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-5", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.5", masked_nll_by_ignore_index)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.5")
# hint("4.5", 2)
# hint("4.5", 3)
# solution("4.5")

# %% [markdown]
# ## 4.6 The bug clinic
#
# **History.** A loss function is brought in. It computes, so its authors say, the mean loss of the real
# tokens, one time step after another. It has been copied many times, and the models that were trained
# with it do talk. Nobody has complained about an error. One reader wonders why the loss is so small.
#
# To examine it, a tiny model was trained with it: a table that sees one word and gives the
# probabilities of the next. Every 0.143 below is 1/7, what a model says that knows nothing of 7 words.

# %%
print(training_log())

# %% [markdown]
# ### 4.6a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which column cannot come from a right masked loss: A, B, C or D? For each column, ask what a right
# loss would have made of it. Put your letter between the quotation marks.

# %%
letter_4_6a = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-4-6a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.6a", letter_4_6a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.6a")
# hint("4.6a", 2)
# hint("4.6a", 3)
# solution("4.6a")

# %% [markdown]
# ### 4.6b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 15 minutes · 2 + 2 + 1 points
#
# Here is the patient. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_loss))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any loss function, calls
# it on a small batch of your own, and raises `AssertionError` if the result is wrong.
# `torch.testing.assert_close(found, expected)` does that, with a tolerance.
#
# Your test is then tested itself. It must let through losses that are right, however they are written.
# It should reject the patient (2 points), five wrong losses out of several (2 more), and all of them
# (1 more). The others have bugs that you met in the chapter.
#
# A hint on the batch: choose the losses that you want, whole numbers, and build `log_probs` from them.
# `log_probs` need not be normalised here, and V may be as small as 1 or 2.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(loss_function):
    """Raise AssertionError unless loss_function is the mean loss of the real tokens.

    Args:
        loss_function: called as loss_function(log_probs, targets, lengths), with floats [B, T, V],
            int64 [B, T] and int64 [B]; gives a float tensor with no axes.
    """
    ### BEGIN SOLUTION
    nll = torch.tensor([[1.0, 50.0, 70.0], [2.0, 6.0, 90.0]])  # [B, T]; column 2: pads alone
    lengths = torch.tensor([1, 2])  # real: 1; 2, 6
    log_probs = torch.stack([-nll, torch.full_like(nll, -5.0)], -1)  # [B, T, V = 2]
    targets = torch.zeros(2, 3, dtype=torch.int64)
    found = loss_function(log_probs, targets, lengths)
    torch.testing.assert_close(found, torch.tensor((1.0 + 2.0 + 6.0) / 3))
    ### END SOLUTION


# %% [markdown]
# The patient is rejected, and right losses pass:

# %% nbgrader={"grade": true, "grade_id": "check-4-6b1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.6b1", test_patient)

# %% [markdown]
# Five wrong losses are rejected:

# %% nbgrader={"grade": true, "grade_id": "check-4-6b2", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.6b2", test_patient)

# %% [markdown]
# All of them are:

# %% nbgrader={"grade": true, "grade_id": "check-4-6b3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.6b3", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.6b1")
# hint("4.6b1", 2)
# hint("4.6b1", 3)
# solution("4.6b1")

# %% [markdown]
# ### 4.6c The repair
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 3 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it
# anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_loss(log_probs, targets, lengths):
    """The patient, healed: the mean loss of the real tokens.

    Args:
        log_probs: floats [B, T, V].
        targets: int64 [B, T].
        lengths: int64 [B], each from 1 to T.

    Returns:
        A float tensor with no axes.
    """
    ### BEGIN SOLUTION
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t  # [B], True where sentence b still has a token
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1]).squeeze(1)  # [B], as the mask
        total = total + nll[mask].sum()
        tokens += int(mask.sum())
    return total / tokens
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-6c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.6c", fixed_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.6c")
# hint("4.6c", 2)
# hint("4.6c", 3)
# solution("4.6c")

# %% [markdown]
# ## 4.7 Who gets the gradient?
#
# *Extend* · difficulty 4 of 5 · importance 3 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# Three right-looking ways to average: the mean over all real tokens (`token`), the mean of the
# sentences' means (`sentence`), and the plain sum (`sum`). None of them counts pads. They still train
# different models, because they give sentences different shares of the gradient.
#
# **Measure it.** Write a function that gives, for each of the three losses, the share of the longest
# sentence: the sum of the absolute gradient with respect to its part of `log_probs`, divided by the same
# sum over the whole batch.


# %% nbgrader={"grade": false, "grade_id": "gradient_shares", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_shares(log_probs, targets, lengths):
    """The longest sentence's share of the gradient, under three normalisers.

    Args:
        log_probs: floats [B, T, V].
        targets: int64 [B, T].
        lengths: int64 [B], each from 1 to T; one sentence is longer than all others.

    Returns:
        {"token": share, "sentence": share, "sum": share}, Python floats from 0 to 1.
    """
    ### BEGIN SOLUTION
    log_probs = log_probs.detach().clone().requires_grad_()  # [B, T, V]
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0] * mask  # [B, T]
    losses = {
        "token": nll.sum() / mask.sum(),
        "sentence": (nll.sum(1) / lengths).mean(),
        "sum": nll.sum(),
    }
    shares = {}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, log_probs, retain_graph=True)
        by_sentence = gradient.abs().sum((1, 2))  # [B, T, V] -> [B]
        shares[name] = (by_sentence[lengths.argmax()] / by_sentence.sum()).item()
    return shares
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the numbers can be right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-4-7", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.7", gradient_shares)
### BEGIN HIDDEN TESTS
for longest in (6, 10, 40, 160):  # what the written answer should say
    shares = gradient_shares(
        torch.zeros(4, longest, 9),
        torch.zeros(4, longest, dtype=torch.int64),
        torch.tensor([3, longest, 5, 2]),
    )
    print(longest, {name: round(share, 3) for name, share in shares.items()})
### END HIDDEN TESTS

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.7")
# hint("4.7", 2)
# hint("4.7", 3)
# solution("4.7")

# %% [markdown]
# A batch to try it on: one sentence of 40 words, and three short ones. Make others as you need them, in
# cells of your own below this one. A table or a plot is welcome.

# %%
skewed_lengths = torch.tensor([3, 40, 5, 2])
skewed_targets = torch.randint(0, 9, (4, 40), generator=torch.Generator().manual_seed(0))
skewed_log_probs = torch.zeros(4, 40, 9).log_softmax(-1)
# gradient_shares(skewed_log_probs, skewed_targets, skewed_lengths)

# %% [markdown]
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your three numbers for the skewed batch, and how they change as the longest sentence grows (2
#    points),
# 2. why two of the three shares are equal, and what differs between these two losses all the same: for
#    plain gradient descent, and for Adam (2 points),
# 3. which of the three you would choose to train a translator, and which to compare two translators,
#    with a reason each (2 points).

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-4-7", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Numbers** (2 points: the three numbers, and the trend). `token` and `sum` give the long sentence
# 40 / 50 = 0.8 of the gradient, `sentence` gives it 1/4. As it grows, the first two approach 1. The third
# stays at 1/4, whatever the length.
#
# **Why** (2 points: one factor for the whole batch; the two optimizers). The token mean is the sum
# divided by the number of tokens, one factor for the whole batch, and a share does not see a factor. The
# size of the gradient does: the sum's grows with the batch, so with plain gradient descent the step grows
# too, and with it the best learning rate. Adam divides by the gradient's own size, so a constant factor
# cancels. The number of tokens changes from batch to batch, so even Adam weighs batches differently: under
# the sum a batch with many tokens counts more.
#
# **Choice** (2 points: a reason for each). To train: the token mean, or the sum over all batches divided
# by a fixed number, since every word should count the same wherever it stands. The sentence mean is
# defensible if the score that matters counts sentences; then a word in a short sentence should weigh more.
# To compare two translators: summed loss over summed tokens of the whole test set, so that the number does
# not depend on how the set was cut into batches. The plain sum serves only on the very same test set.
