# %% [markdown]
# # Exercises 0: start here
#
# These exercises go with [chapter 0](../../chapters/ch00_start_here.ipynb). They are few and short, and they
# show how exercises work here: you write a function or choose a letter, a check says what it finds. The last
# one is a bug clinic, and every chapter has one.
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
# and try single texts and equal lengths, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 0.2 batches that hold a pad | predict | 2 | 1 |
# | 0.3 `moved_by_company` | fill in | 6 | 2 |
# | 0.4 `exact_match_by_length` | implement | 10 | 3 |
# | 0.5 which law finds it | predict | 4 | 1 |
# | 0.6 the bug clinic | debug | 18 | 5 |
#
# (0.1 is in the chapter.) B, S and H are the rows of a batch, the length of the longest one, and the size
# of a state. PAD has the id 0, the end symbol the id 2.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect

import torch
from torch import nn

from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch00_start_here import (
    PatientEncoder,
    clinic_log,
    patient_encode,
    small_encoder,
)

torch.set_num_threads(1)

# %% [markdown]
# ## 0.2 Batches that hold a pad
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 2 minutes · 1 point
#
# Four batches, given by the lengths of their rows, ends included:
#
# 1. lengths 3, 5, 5
# 2. lengths 5, 5
# 3. one row, of length 4
# 4. lengths 2, 3
#
# Each is as wide as its longest row. Which of them hold a pad?
#
# - **A** all four
# - **B** the first alone
# - **C** the first, the second and the fourth
# - **D** the first and the fourth
# - **E** the first, the third and the fourth
# - **F** none of them
#
# Put your letter between the quotation marks.

# %%
letter_0_2 = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-0-2", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.2", letter_0_2)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.2")
# hint("0.2", 2)
# hint("0.2", 3)
# solution("0.2")

# %% [markdown]
# ## 0.3 `moved_by_company`
#
# *Fill in* · difficulty 2 of 5 · importance 5 of 5 · spend up to 6 minutes · 2 points
#
# A reader takes a list of texts, puts them into one batch, and gives a list of answers in the same order. Which
# texts get another answer in the batch of all than alone? Give them back in the order in which they came. The
# specification, slow:
#
# ```
# for i in range(len(texts)):
#     together = read_batch(texts)
#     alone = read_batch([texts[i]])
#     if together[i] != alone[0]:
#         texts[i] is one of them
# ```
#
# Fill the blanks `____`, remove the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "moved_by_company", "locked": false, "schema_version": 3, "solution": true, "task": false}
def moved_by_company(read_batch, texts):
    """The texts whose answer depends on their neighbours.

    Args:
        read_batch: a list of texts -> a list of answers, as many and in the same order.
        texts: a list of strings, at least one; leave it as it is.

    Returns:
        a list of strings, empty if no text is moved.
    """
    # together = read_batch(____)
    # alone = [read_batch(____)[____] for text in texts]
    # return [text for text, a, b in zip(texts, together, alone) if ____]
    ### BEGIN SOLUTION
    together = read_batch(texts)
    alone = [read_batch([text])[0] for text in texts]
    return [text for text, a, b in zip(texts, together, alone) if a != b]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-0-3", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.3", moved_by_company)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.3")
# hint("0.3", 2)
# hint("0.3", 3)
# solution("0.3")

# %% [markdown]
# ## 0.4 `exact_match_by_length`
#
# *Implement* · difficulty 2 of 5 · importance 4 of 5 · spend up to 10 minutes · 3 points
#
# One number for all texts hides who pays for a mistake: pads stand behind the *short* ones. So give one share
# of right answers for each group of source lengths. `edges` are the borders of the groups, rising; a group
# holds its lower edge and not its upper one, and lengths outside all groups count nowhere.
#
# ```
# for g in range(len(edges) - 1):
#     group = all i with edges[g] <= lengths[i] < edges[g + 1]
#     shares[g] = (how many i of the group have answers[i] == gold[i]) / (size of the group)
#                 None if the group is empty
# ```


# %% nbgrader={"grade": false, "grade_id": "exact_match_by_length", "locked": false, "schema_version": 3, "solution": true, "task": false}
def exact_match_by_length(answers, gold, lengths, edges):
    """Exact match in groups.

    Args:
        answers, gold: lists of strings, equally many, at least one.
        lengths: of the sources, a list of ints, as many.
        edges: a list of rising ints, at least two.

    Returns:
        a list of len(edges) - 1 floats from 0 to 1; None for a group without texts.
    """
    ### BEGIN SOLUTION
    shares = []
    for low, high in zip(edges, edges[1:]):
        rows = [i for i, length in enumerate(lengths) if low <= length < high]
        hits = sum(answers[i] == gold[i] for i in rows)
        shares.append(hits / len(rows) if rows else None)  # 0 / 0 is no share
    return shares
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-0-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.4", exact_match_by_length)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.4")
# hint("0.4", 2)
# hint("0.4", 3)
# solution("0.4")

# %% [markdown]
# ## 0.5 Which law finds it
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 4 minutes · 1 point
#
# Five reports of bugs, in a line each:
#
# 1. "The translation of a sentence changes when longer ones are translated beside it."
# 2. "I copied the weights of `nn.GRU` into a cell of my own, and its state is another one."
# 3. "With one beam, my beam search does not write what greedy search writes."
# 4. "My search returns −3.1 for a sentence. A forward pass of the model gives this sentence −2.6."
# 5. "Four batches of 16 instead of one of 64, and the gradient is another one."
#
# The picture of the seven laws in the chapter helps. Which laws find them, in this order?
#
# - **A** 1, 2, 6, 5, 7
# - **B** 3, 2, 5, 6, 7
# - **C** 1, 4, 5, 6, 7
# - **D** 7, 2, 5, 6, 1
# - **E** 1, 2, 5, 6, 7
#
# Put your letter between the quotation marks.

# %%
letter_0_5 = "E"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-0-5", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.5", letter_0_5)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.5")
# hint("0.5", 2)
# hint("0.5", 3)
# solution("0.5")

# %% [markdown]
# ## 0.6 The bug clinic
#
# **History.** A user has built an encoder and finds that answers are worse in large batches. Nothing fails, and
# one sentence alone is always right. Here is the encoder, and what it does to six sentences.

# %% nbgrader={"grade": false, "grade_id": "clinic-log", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(inspect.getsource(PatientEncoder))
print(clinic_log())

# %% [markdown]
# ### 0.6a The evidence
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 4 minutes · 1 point
#
# Which of six suspects explains the *whole* log?
#
# - **A** the vector of PAD is random and should be zero
# - **B** the last state is read behind the pads
# - **C** attention looks at pads
# - **D** pads are counted in the loss
# - **E** the decoder starts from the wrong token
# - **F** nothing: that is rounding
#
# Put your letter between the quotation marks.

# %%
letter_0_6a = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-0-6a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.6a", letter_0_6a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.6a")
# hint("0.6a", 2)
# hint("0.6a", 3)
# solution("0.6a")

# %% [markdown]
# ### 0.6b A test that finds it
#
# *Debug* · difficulty 3 of 5 · importance 5 of 5 · spend up to 8 minutes · 2 points
#
# Before anything is repaired, write the test that would have found it. `encode(src, lengths)` gives the last
# state of each row, floats `[B, H]`. Raise `AssertionError` for an encoder whose states depend on the batch, and
# for no other one. Right ones differ in their last digits: compare with a tolerance.
# `pad_sequences([[4, 5, 2], [6, 2]])` gives `src` and `lengths`; ids go from 2 to 11.
#
# Your test is then tested itself. Rejecting the patient earns 1 point, rejecting all seven wrong encoders 1
# more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(encode):
    """Raise AssertionError if a state depends on the batch.

    Args:
        encode: src int64 [B, S], lengths int64 [B] -> floats [B, H].
    """
    ### BEGIN SOLUTION
    sentences = [[7, 3, 2], [4, 5, 6, 8, 2], [2], [9, 10, 3, 2]]
    src, lengths = pad_sequences(sentences)
    together = encode(src, lengths)
    for row, sentence in enumerate(sentences):
        alone = encode(torch.tensor([sentence]), torch.tensor([len(sentence)]))
        torch.testing.assert_close(together[row], alone[0], rtol=1e-4, atol=1e-5)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-0-6b", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.6b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.6b")
# hint("0.6b", 2)
# hint("0.6b", 3)
# solution("0.6b")

# %% [markdown]
# ### 0.6c The repair
#
# *Debug* · difficulty 2 of 5 · importance 5 of 5 · spend up to 6 minutes · 2 points
#
# Heal it: the same weights, the same shapes, and a state that is read where its sentence ends. The GRU reads in
# one direction.

# %% nbgrader={"grade": false, "grade_id": "encoder-given", "locked": true, "schema_version": 3, "solution": false, "task": false}
embedding, gru = small_encoder()  # the patient's weights; gru is batch first
print(embedding, gru)


# %% nbgrader={"grade": false, "grade_id": "fixed_encode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_encode(src, lengths):
    """The last state of each sentence, whatever stands behind it.

    Args:
        src: int64 [B, S], PAD behind each sentence; S may be larger than all lengths.
        lengths: int64 [B], each from 1 to S.

    Returns:
        floats [B, H].
    """
    ### BEGIN SOLUTION
    outputs, _ = gru(embedding(src))  # [B, S, H]
    rows = torch.arange(len(src))
    return outputs[rows, lengths - 1]  # [B, H]: the last real place of each row
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-0-6c", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("0.6c", fixed_encode)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("0.6c")
# hint("0.6c", 2)
# hint("0.6c", 3)
# solution("0.6c")

# %% [markdown]
# **Epilogue.** [tutorials#3643](https://github.com/pytorch/tutorials/issues/3643) asks the same of PyTorch's own
# tutorial on translation: is the last hidden state not that of a PAD? A test with one sentence, or with
# sentences of one length, would never have told.
