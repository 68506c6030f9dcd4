# %% [markdown]
# # Exercises 12: several processes
#
# These exercises go with [chapter 12](../../chapters/ch12_several_processes.ipynb). They ask what tokens weigh
# in three shares, what a rank hands to DDP, and what becomes of the last window of an epoch. Then you treat a
# trainer whose gradient grows with the number of micro-batches.
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
# and try single shares and empty ones, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 12.2 shares of 10, 10 and 20 | predict | 5 | 1 |
# | 12.3 `ddp_loss` | implement | 10 | 3 |
# | 12.4 `window_losses` | implement | 10 | 3 |
# | 12.5 the bug clinic | debug | 17 | 8 |
#
# (12.1 is in the chapter.) A *share* is a part of a batch: a micro-batch, or what one process (rank) holds.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch12_several_processes import head_loss, patient_loss, training_log

torch.set_num_threads(1)

# %% [markdown]
# ## 12.2 Shares of 10, 10 and 20
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 1 point
#
# Three micro-batches hold 10, 10 and 20 tokens. A loop takes the mean loss of each, and averages the three
# means. Compared with the right weight, 1/40, how much does a token weigh in a share of 10, and in the share
# of 20?
#
# - **A** as much as it should in both: the two short shares hold as many tokens as the long one
# - **B** twice as much in a share of 10, and as much as it should in the share of 20
# - **C** 4/3 of the right weight, and 2/3 of it
# - **D** four times as much, and twice as much
# - **E** 2/3 of the right weight, and 4/3 of it
#
# Put your letter between the quotation marks.

# %%
letter_12_2 = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-12-2", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("12.2", letter_12_2)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("12.2")
# hint("12.2", 2)
# hint("12.2", 3)
# solution("12.2")

# %% [markdown]
# ## 12.3 `ddp_loss`
#
# *Implement* · difficulty 3 of 5 · importance 5 of 5 · spend up to 10 minutes · 3 points
#
# A rank has added up the losses of its tokens. It knows its own number of tokens, that of all ranks together,
# and how many ranks there are. On which number should it call `backward`, under DistributedDataParallel, so
# that the step is that of one batch? A rank may have no tokens at all: then its total is 0, and all the same
# it has to call `backward`, because the others wait for it.


# %% nbgrader={"grade": false, "grade_id": "ddp_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def ddp_loss(total, own_tokens, all_tokens, world):
    """What a rank hands to backward.

    Args:
        total: float [], the losses of this rank's tokens, added up.
        own_tokens: an int >= 0, the tokens of this rank.
        all_tokens: an int >= 1, the tokens of all ranks.
        world: an int >= 1, how many ranks there are.

    Returns:
        float [].
    """
    ### BEGIN SOLUTION
    return total * (world / all_tokens)  # DDP divides by world; own_tokens is not needed
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("12.3", ddp_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("12.3")
# hint("12.3", 2)
# hint("12.3", 3)
# solution("12.3")

# %% [markdown]
# ## 12.4 `window_losses`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 10 minutes · 3 points
#
# An epoch has M micro-batches, and each `size` of them make one update. M need not be a multiple of `size`, so
# the last window may be short;
# [Lightning#19987](https://github.com/Lightning-AI/pytorch-lightning/issues/19987) asks what then happens to
# it. Give the loss a token of each window:
#
# ```
# for each window of `size` micro-batches that follow each other (the last may be shorter):
#     loss = (sum of its totals) / (sum of its tokens)
# ```


# %% nbgrader={"grade": false, "grade_id": "window_losses", "locked": false, "schema_version": 3, "solution": true, "task": false}
def window_losses(totals, tokens, size):
    """The loss a token of each accumulation window.

    Args:
        totals: floats [M], the losses of each micro-batch, added up.
        tokens: int64 [M], the tokens of each; some may be 0, but not all of a window.
        size: an int >= 1, how many micro-batches make an update.

    Returns:
        floats [W], a window each.
    """
    ### BEGIN SOLUTION
    sums = torch.stack([part.sum() for part in totals.split(size)])  # [W]; the last may be short
    counts = torch.stack([part.sum() for part in tokens.split(size)])  # [W]
    return sums / counts
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("12.4", window_losses)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("12.4")
# hint("12.4", 2)
# hint("12.4", 3)
# solution("12.4")

# %% [markdown]
# ## 12.5 The bug clinic
#
# **History.** A team fine-tunes with gradient accumulation. The more micro-batches they cut a batch into, the
# larger is the loss that is logged. The model is fine, they say, so it must be the logging. Here is the log.

# %% nbgrader={"grade": false, "grade_id": "clinic-log", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(training_log())

# %% [markdown]
# ### 12.5a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 4 minutes · 1 point
#
# Which of six suspects explains the *whole* log?
#
# - **A** another cut is another order of the data
# - **B** dropout draws other numbers in each micro-batch
# - **C** the means of the micro-batches are averaged, and short ones count too much
# - **D** nobody clears the gradients of earlier steps
# - **E** the means of the micro-batches are added up, and nobody divides
# - **F** the learning rate does not fit the number of micro-batches
#
# Put your letter between the quotation marks.

# %%
letter_12_5a = "E"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-12-5a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("12.5a", letter_12_5a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("12.5a")
# hint("12.5a", 2)
# hint("12.5a", 3)
# solution("12.5a")

# %% [markdown]
# ### 12.5b A test that catches it
#
# *Debug* · difficulty 3 of 5 · importance 5 of 5 · spend up to 8 minutes · 4 points
#
# Here is the patient: the loss of a model's head, and the trainer's loss of a window. Read it, but do not
# repair it yet.

# %% nbgrader={"grade": false, "grade_id": "clinic-patient", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(inspect.getsource(head_loss))
print(inspect.getsource(patient_loss))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any loss of a window, calls it on
# micro-batches of your own, and raises `AssertionError` if it is not the mean over all labels. A label of
# −100 is none, and a micro-batch without labels adds nothing.
#
# Rejecting the patient earns 2 points, five of seven wrong losses 1 more, and all seven 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(window_loss):
    """Raise AssertionError unless window_loss gives the loss a label of all micro-batches.

    Args:
        window_loss: called with a list of (logits, labels), floats [n, V] and int64 [n] each; n may
            differ, V may not. Gives a float [].
    """
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    logits, labels = torch.randn(12, 5), torch.randint(5, (12,))
    labels[:3] = -100
    whole = window_loss([(logits, labels)])
    torch.testing.assert_close(whole, F.cross_entropy(logits, labels))
    for sizes in ([8, 4], [3, 7, 2]):  # the first 3 places hold no label
        pieces = list(zip(logits.split(sizes), labels.split(sizes), strict=True))
        torch.testing.assert_close(window_loss(pieces), whole)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-5b", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("12.5b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("12.5b")
# hint("12.5b", 2)
# hint("12.5b", 3)
# solution("12.5b")

# %% [markdown]
# ### 12.5c The repair
#
# *Debug* · difficulty 2 of 5 · importance 5 of 5 · spend up to 5 minutes · 3 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_loss(micro_batches):
    """The patient, healed: the loss a label of all micro-batches, as if they were one batch.

    Args:
        micro_batches: a list of (logits, labels), floats [n, V] and int64 [n] each. -100 is no
            label. A micro-batch may have no label, but not all of them.

    Returns:
        float [].
    """
    ### BEGIN SOLUTION
    count = sum((labels != -100).sum() for _, labels in micro_batches)
    total = torch.zeros(())
    for logits, labels in micro_batches:
        loss = F.cross_entropy(logits, labels, reduction="sum") / count
        total = total + loss  # what backward adds up
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-12-5c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("12.5c", fixed_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("12.5c")
# hint("12.5c", 2)
# hint("12.5c", 3)
# solution("12.5c")
