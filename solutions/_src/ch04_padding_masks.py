# %% [markdown]
# # Exercises 4: padding masks and the masked loss
#
# These exercises go with [chapter 4](../../chapters/ch04_padding_masks.ipynb). They ask for what the
# chapter does not show: padding on the left, the loss of a chat model, several sentences in one row,
# attention over nothing. Then you treat a patient: a loss that stood in a tutorial for months.
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
# | 4.3 which number is the loss of the answers | predict | 5 | 1 |
# | 4.4 `pad_left` | fill in | 8 | 2 |
# | 4.5 `prompt_labels`, `answer_loss` | implement | 20 | 7 |
# | 4.6 `packed_mask` | implement | 12 | 4 |
# | 4.7 `attend` | implement | 15 | 4 |
# | 4.8 the bug clinic | debug | 26 | 10 |
# | 4.9 who gets the gradient | extend | 45 | 6, bonus |
# | in all | | 131 | 28, and 6 |
#
# (4.1 and 4.2 are in the chapter.) **True means real token**; B, T and V are the numbers of sentences,
# positions and words. `sequence_mask(lengths, T)` is the library's mask of the chapter.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib import laws
from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch04_padding_masks import (
    chat_batch,
    chat_options,
    patient_loss,
    training_log,
)
from seq2seq_lib.masks import masked_softmax, sequence_mask

torch.set_num_threads(1)

# %% [markdown]
# ## 4.3 Which number is the loss of the answers?
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 1 point
#
# A chat model reads a prompt and writes an answer. It is trained on both in one row, but it should learn
# to write the answers only. Three rows, padded to six positions; each cell holds the loss of one token,
# in nats. `prompt_lengths` says how many tokens of a row are prompt, `lengths` how many are real.

# %%
chat_losses, chat_prompt_lengths, chat_lengths = chat_batch()
print(chat_losses)
print("prompt_lengths", chat_prompt_lengths, " lengths", chat_lengths)

# %% [markdown]
# Six numbers follow, each of them the loss of this batch in somebody's code. Which one is the mean loss
# of a token of the answers? Use pencil and paper, not a cell.

# %%
for letter, number in chat_options().items():
    print(letter, f"{number:.2f}")

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_4_3 = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-4-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.3", letter_4_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.3")
# hint("4.3", 2)
# hint("4.3", 3)
# solution("4.3")

# %% [markdown]
# ## 4.4 `pad_left`
#
# *Fill in* · difficulty 2 of 5 · importance 4 of 5 · spend up to 8 minutes · 2 points
#
# A decoder goes on writing at the end of its row. So before it generates, all rows must end at the same
# column, and the pads move to the left. The specification, slow:
#
# ```
# for b in range(B):
#     for t in range(lengths[b]):
#         moved[b, T - lengths[b] + t] = ids[b, t]
# ```
#
# Without a loop, two masks do it: where the tokens are, and where they go. Fill the blanks `____`, remove
# the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "pad_left", "locked": false, "schema_version": 3, "solution": true, "task": false}
def pad_left(ids, lengths):
    """The same sentences, padded on the left.

    Args:
        ids: int64 [B, T], padded on the right; id 0 may be a word, and the pads may hold anything.
        lengths: int64 [B], each from 1 to T.

    Returns:
        int64 [B, T], with 0 at the pads.
    """
    # positions = torch.arange(ids.size(1))[None, :]  # [1, T]
    # right = positions < ____  # [B, T], where the tokens are
    # left = positions >= ____  # [B, T], where they go
    # moved = torch.zeros_like(ids)
    # moved[____] = ids[____]
    # return moved
    ### BEGIN SOLUTION
    positions = torch.arange(ids.size(1))[None, :]  # [1, T]
    right = positions < lengths[:, None]  # [B, T], where the tokens are
    left = positions >= ids.size(1) - lengths[:, None]  # [B, T], where they go
    moved = torch.zeros_like(ids)
    moved[left] = ids[right]  # both read row by row: equally many in each row, in the same order
    return moved
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.4", pad_left)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.4")
# hint("4.4", 2)
# hint("4.4", 3)
# solution("4.4")

# %% [markdown]
# ## 4.5 The loss of a chat model
#
# What 4.3 did with a pencil, in two functions: one for the data, one for the model.
#
# ### 4.5a `prompt_labels`
#
# *Implement* · difficulty 2 of 5 · importance 5 of 5 · spend up to 8 minutes · 3 points
#
# Labels are the ids that the model should say, with -100 where nothing is asked of it: on the prompt and
# at the pads. `F.cross_entropy` ignores -100. Leave the caller's `ids` as they are.


# %% nbgrader={"grade": false, "grade_id": "prompt_labels", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prompt_labels(ids, prompt_lengths, lengths):
    """The ids of the answers, and -100 everywhere else.

    Args:
        ids: int64 [B, T]; id 0 may be a word, and the pads may hold any id.
        prompt_lengths: int64 [B], how many tokens of a row are prompt; from 1 to lengths - 1.
        lengths: int64 [B], how many are real: prompt and answer, with its EOS; at most T.

    Returns:
        int64 [B, T]: a token and its label stand at the same position.
    """
    ### BEGIN SOLUTION
    positions = torch.arange(ids.size(1), device=ids.device)[None, :]  # [1, T]
    answer = (positions >= prompt_lengths[:, None]) & (positions < lengths[:, None])  # [B, T]
    return ids.masked_fill(~answer, -100)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-5a", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.5a", prompt_labels)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.5a")
# hint("4.5a", 2)
# hint("4.5a", 3)
# solution("4.5a")

# %% [markdown]
# **Continue from here.** From now on `prompt_labels` is the course's own, so you can go on whether 4.5a is
# solved or not. If you come back to 4.5a later, run the cell of your own function again before its check.

# %% nbgrader={"grade": false, "grade_id": "continue-4-5a", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch04_padding_masks import prompt_labels

some_ids = torch.tensor([[5, 6, 7, 8, 2], [5, 9, 2, 0, 0]])
some_labels = prompt_labels(some_ids, torch.tensor([3, 1]), torch.tensor([5, 3]))
print(some_labels)

# %% [markdown]
# ### 4.5b `answer_loss`
#
# *Implement* · difficulty 3 of 5 · importance 5 of 5 · spend up to 12 minutes · 4 points
#
# A causal model that has read the tokens 0 to t says at position t what token **t + 1** is. So logits and
# labels do not meet at the same position: one of them must be shifted. Write the mean loss of all labels
# that are not -100.


# %% nbgrader={"grade": false, "grade_id": "answer_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def answer_loss(logits, labels):
    """Mean loss of the labels that are not -100, each said by the position before it.

    Args:
        logits: floats [B, T, V], not normalised; anything where nothing is asked of the model.
        labels: int64 [B, T], T at least 2, from prompt_labels: ids, 0 among them, or -100. The
            first column is -100, and there is at least one label.

    Returns:
        A float tensor with no axes, through which a gradient flows back to logits.
    """
    ### BEGIN SOLUTION
    said = logits[:, :-1]  # [B, T - 1, V]: position t speaks of token t + 1
    wanted = labels[:, 1:]  # [B, T - 1]
    return F.cross_entropy(said.transpose(1, 2), wanted)  # -100 is its ignore_index
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-5b", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.5b", answer_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.5b")
# hint("4.5b", 2)
# hint("4.5b", 3)
# solution("4.5b")

# %% [markdown]
# ## 4.6 `packed_mask`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 12 minutes · 4 points
#
# Why pad at all? Several short sentences fit into one row, side by side. `segments` says to which
# sentence of its row each token belongs: 1, 2, and so on, and 0 at pads. Then attention needs a table for
# each row: a query may look at a key if both are of the same sentence, are no pads, and the key is not
# later. For the row `1 1 2 2 0`:
#
# ```
# 1 0 0 0 0
# 1 1 0 0 0
# 0 0 1 0 0
# 0 0 1 1 0
# 0 0 0 0 0
# ```


# %% nbgrader={"grade": false, "grade_id": "packed_mask", "locked": false, "schema_version": 3, "solution": true, "task": false}
def packed_mask(segments):
    """Who may look at whom in rows that hold several sentences.

    Args:
        segments: int64 [B, T]: 1, 2, ... in this order, then 0 at the pads; a row may be all pads.

    Returns:
        bool [B, T, T], query by key: True where a query may look. Nothing for a pad.
    """
    ### BEGIN SOLUTION
    same = segments[:, :, None] == segments[:, None, :]  # [B, T, 1] == [B, 1, T] -> [B, T, T]
    real = (segments != 0)[:, :, None]  # [B, T, 1]; its key is real too, if both are the same
    return (same & real).tril()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-6", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.6", packed_mask)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.6")
# hint("4.6", 2)
# hint("4.6", 3)
# solution("4.6")

# %% [markdown]
# ## 4.7 `attend`
#
# *Implement* · difficulty 4 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# One step of attention: scores become weights over the real positions, and the values are added up with
# these weights. Three things can go wrong. Pads may take part in the softmax. A row may have no real
# position at all: the result is then zeros, not NaN. And the values at pads may be NaN, which even a
# weight of 0 lets through.


# %% nbgrader={"grade": false, "grade_id": "attend", "locked": false, "schema_version": 3, "solution": true, "task": false}
def attend(scores, values, lengths):
    """The weighted mean of the real values.

    Args:
        scores: floats [B, S]; finite, also at the pads.
        values: floats [B, S, H]; NaN is possible at the pads.
        lengths: int64 [B], each from 0 to S.

    Returns:
        floats [B, H]; zeros for a row of length 0.
    """
    ### BEGIN SOLUTION
    mask = sequence_mask(lengths, scores.size(1))  # [B, S]
    scores = scores.masked_fill(~mask, float("-inf"))
    scores = scores.masked_fill(lengths[:, None] == 0, 0.0)  # a row of -inf alone would be NaN
    weights = scores.softmax(-1)  # [B, S]; 0 at pads, but for empty rows
    values = values.masked_fill(~mask[..., None], 0.0)  # 0 * NaN would be NaN
    return (weights[..., None] * values).sum(1)  # [B, S, 1] * [B, S, H] -> [B, H]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-4-7", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.7", attend)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.7")
# hint("4.7", 2)
# hint("4.7", 3)
# solution("4.7")

# %% [markdown]
# ## 4.8 The bug clinic
#
# **History.** A loss function is brought in. It computes, so its authors say, the mean loss of the real
# tokens, one time step after another. It has been copied, and the models that were trained with it do
# talk. Nobody has complained about an error. One reader wonders why the loss is so small.
#
# To examine it, a tiny model was trained with it: a table that sees one word and gives the
# probabilities of the next. Every 0.143 below is 1/7, what a model says that knows nothing of 7 words.

# %%
print(training_log())

# %% [markdown]
# ### 4.8a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which column cannot come from a right masked loss: A, B, C or D? For each column, ask what a right
# loss would have made of it. Put your letter between the quotation marks.

# %%
letter_4_8a = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-4-8a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.8a", letter_4_8a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.8a")
# hint("4.8a", 2)
# hint("4.8a", 3)
# solution("4.8a")

# %% [markdown]
# ### 4.8b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 15 minutes · 5 points
#
# Here is the patient. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_loss))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any loss function, calls
# it on a small batch of your own, and raises `AssertionError` if the result is wrong.
# `torch.testing.assert_close(found, expected)` does that, with a tolerance; both are tensors, such as
# `torch.tensor(2.5)`.
#
# Your test is then tested itself. It must let through losses that are right, however they are written,
# also where their last digits differ. Rejecting the patient earns 2 points, six wrong losses out of
# eight 2 more, and all eight 1 more.
#
# A hint on the batch: choose the losses that you want, whole numbers, and build `log_probs` from them.
# `log_probs` need not be normalised here, and V may be as small as 1 or 2. Keep the numbers at the pads
# finite and the targets there below V: a right loss may multiply by the mask, and 0 times infinity is NaN.
# (Law 3 fits as a test, too: `laws.loss_ledger` calls its loss with logits, targets and a mask, so hand it
# a function that takes these and calls yours. A batch of your own teaches more.)


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


# %% nbgrader={"grade": true, "grade_id": "check-4-8b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.8b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.8b")
# hint("4.8b", 2)
# hint("4.8b", 3)
# solution("4.8b")

# %% [markdown]
# ### 4.8c The repair
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 6 minutes · 3 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it
# anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_loss(log_probs, targets, lengths):
    """The patient, healed: the mean loss of the real tokens.

    Args:
        log_probs: floats [B, T, V].
        targets: int64 [B, T], ids of words, at the pads too; 0 may be a word.
        lengths: int64 [B], each from 1 to T.

    Returns:
        A float tensor with no axes, through which a gradient flows back to log_probs.
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


# %% nbgrader={"grade": true, "grade_id": "check-4-8c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.8c", fixed_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.8c")
# hint("4.8c", 2)
# hint("4.8c", 3)
# solution("4.8c")

# %% [markdown]
# ## 4.9 Who gets the gradient?
#
# *Extend* · difficulty 4 of 5 · importance 3 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# Memory is short, so a batch is cut into micro-batches, and their gradients are accumulated. Until
# October 2024 the trainer of transformers took the mean loss of each micro-batch, and so the mean of
# these means ([#34191](https://github.com/huggingface/transformers/pull/34191)): `accumulated`. Beside
# it stand the mean over all real tokens of the batch (`token`) and the mean of the sentences' means
# (`sentence`). None of them counts pads. They still train different models, because they give sentences
# different shares of the gradient.
#
# **Measure it.** Write a function that gives, for each of the three losses, the share of the longest
# sentence: the sum of the absolute gradient with respect to its part of `log_probs`, divided by the same
# sum over the whole batch.


# %% nbgrader={"grade": false, "grade_id": "gradient_shares", "locked": false, "schema_version": 3, "solution": true, "task": false}
def gradient_shares(log_probs, targets, lengths, micro_size):
    """The longest sentence's share of the gradient, under three normalisers.

    Args:
        log_probs: floats [B, T, V].
        targets: int64 [B, T], ids of words, at the pads too.
        lengths: int64 [B], each from 1 to T; one sentence is longer than all others.
        micro_size: sentences 0 to micro_size - 1 are the first micro-batch, and so on; the last
            one may be smaller.

    Returns:
        {"token": share, "sentence": share, "accumulated": share}, Python floats from 0 to 1.
    """
    ### BEGIN SOLUTION
    log_probs = log_probs.detach().clone().requires_grad_()  # [B, T, V]
    mask = sequence_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0].masked_fill(~mask, 0)  # [B, T]
    parts = zip(nll.split(micro_size), mask.split(micro_size), strict=True)
    losses = {
        "token": nll.sum() / mask.sum(),
        "sentence": (nll.sum(1) / lengths).mean(),
        "accumulated": torch.stack([part.sum() / real.sum() for part, real in parts]).mean(),
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

# %% nbgrader={"grade": true, "grade_id": "check-4-9", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("4.9", gradient_shares)
### BEGIN HIDDEN TESTS
for longest in (6, 10, 40, 160):  # what the written answer should say
    shares = gradient_shares(
        torch.zeros(4, longest, 9),
        torch.zeros(4, longest, dtype=torch.int64),
        torch.tensor([3, longest, 5, 2]),
        2,
    )
    print(longest, {name: round(share, 3) for name, share in shares.items()})
### END HIDDEN TESTS

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("4.9")
# hint("4.9", 2)
# hint("4.9", 3)
# solution("4.9")

# %% [markdown]
# A batch to try it on: one sentence of 40 words, and three short ones. Make others as you need them, in
# cells of your own below this one. A table or a plot is welcome.

# %%
skewed_lengths = torch.tensor([3, 40, 5, 2])
skewed_targets = torch.randint(0, 9, (4, 40), generator=torch.Generator().manual_seed(0))
skewed_log_probs = torch.zeros(4, 40, 9).log_softmax(-1)
# gradient_shares(skewed_log_probs, skewed_targets, skewed_lengths, 2)

# %% [markdown]
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your three numbers for the skewed batch in micro-batches of two, and how they change as the longest
#    sentence grows (2 points),
# 2. why `accumulated` depends on who is beside the long sentence, and what one must add up, and divide by,
#    to get `token` from micro-batches (2 points),
# 3. which of the three you would choose to train a translator, and which to compare two translators,
#    with a reason each (2 points).

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-4-9", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Numbers** (2 points: the three numbers, and the trend). `token` gives the long sentence 40 / 50 = 0.8 of
# the gradient, `sentence` 1/4, `accumulated` 40 / 43 / 2 = 0.47. As it grows, the first approaches 1, the
# second stays at 1/4, and the third approaches 1/2, because its micro-batch has half of the weight.
#
# **Why** (2 points: the divisor inside a micro-batch; sums and one count). A token of a micro-batch with n
# tokens weighs 1 / (micro-batches x n), so beside a long sentence a token counts less, and in a micro-batch
# of short ones it counts more. Sort the batch in another way, and the gradient is another. The cure is to
# add up the summed losses, or their gradients, and to divide once by the number of real tokens of the whole
# batch, which must be known before the first micro-batch or applied after the last one.
#
# **Choice** (2 points: a reason for each). To train: the token mean, or the sum over all batches divided by a
# fixed number, since every word should count the same wherever it stands. The sentence mean is defensible if
# the score that matters counts sentences; then a word in a short sentence should weigh more. To compare two
# translators: summed loss over summed tokens of the whole test set, so that the number does not depend on how
# the set was cut into batches.
