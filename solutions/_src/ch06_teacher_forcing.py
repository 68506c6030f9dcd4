# %% [markdown]
# # Exercises 6: teacher forcing and exposure bias
#
# These exercises go with [chapter 6](../../chapters/ch06_teacher_forcing.ipynb). They ask for other places
# where training and inference part: the inputs of a slip, scheduled sampling without a loop, evaluations that
# look at the answer. Then you treat a patient whose training curve is perfect.
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
# | 6.3 exact match from token accuracy | predict | 4 | 1 |
# | 6.4 `sequence_correct` | fill in | 8 | 2 |
# | 6.5 `slip_inputs` | fill in | 8 | 2 |
# | 6.6 `second_pass_inputs` | implement | 15 | 4 |
# | 6.7 `test_evaluator` | debug | 20 | 5 |
# | 6.8 the bug clinic | debug | 23 | 10 |
# | 6.9 who recovers | extend | 45 | 6, bonus |
#
# (6.1 and 6.2 are in the chapter.) B, T and V are the numbers of sentences, positions and words. PAD, BOS,
# EOS and UNK have the ids 0, 1, 2 and 3. `tgt_in` is what a decoder reads, `tgt_out` what it must say.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch06_teacher_forcing import (
    patient_pair,
    small_batch,
    small_model,
    training_log,
)
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

torch.set_num_threads(1)

# %% [markdown]
# ## 6.3 Exact match from token accuracy
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 4 minutes · 1 point
#
# A paper reports a teacher-forced token accuracy of 0.98. Each target has 21 tokens, EOS among them. What can
# the exact match of greedy search be?
#
# - **A** 0.98, the same number
# - **B** 0.654, which is 0.98 to the power of 21
# - **C** anything from 0.58 to 0.98
# - **D** anything from 0 to 1: nothing follows, because the outputs were teacher forced
# - **E** at most 0.98, the share of right first tokens, and at least 0
#
# Put your letter between the quotation marks.

# %%
letter_6_3 = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-6-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.3", letter_6_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.3")
# hint("6.3", 2)
# hint("6.3", 3)
# solution("6.3")

# %% [markdown]
# ## 6.4 `sequence_correct`
#
# *Fill in* · difficulty 2 of 5 · importance 4 of 5 · spend up to 8 minutes · 2 points
#
# Which sequences are right to the last token? EOS counts; what a model says at pads does not. The
# specification, slow:
#
# ```
# for b in range(B):
#     correct[b] = True
#     for t in range(lengths[b]):
#         if pred[b, t] != gold[b, t]:
#             correct[b] = False
# ```
#
# Fill the blanks `____`, remove the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "sequence_correct", "locked": false, "schema_version": 3, "solution": true, "task": false}
def sequence_correct(pred, gold, lengths):
    """Whether all real tokens of a sequence are right.

    Args:
        pred: int64 [B, T], what was said; anything at the pads.
        gold: int64 [B, T], with EOS at the end of each sentence.
        lengths: int64 [B], each from 1 to T, EOS included.

    Returns:
        bool [B].
    """
    # pad = torch.arange(gold.size(1))[None, :] >= ____  # [B, T]
    # return ((____) | ____).all(____)
    ### BEGIN SOLUTION
    pad = torch.arange(gold.size(1))[None, :] >= lengths[:, None]  # [B, T]
    return ((pred == gold) | pad).all(1)  # [B, T] -> [B]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-6-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.4", sequence_correct)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.4")
# hint("6.4", 2)
# hint("6.4", 3)
# solution("6.4")

# %% [markdown]
# ## 6.5 `slip_inputs`
#
# *Fill in* · difficulty 2 of 5 · importance 3 of 5 · spend up to 8 minutes · 2 points
#
# To see what a model does after a mistake, one makes it. Give back what the decoder reads in a gold lane that
# has slipped once: as its k-th output (the first is number 1) sentence b reads `wrong[b]`, and gold everywhere
# else. Leave the caller's `tgt_in` as it is. Fill the blanks.


# %% nbgrader={"grade": false, "grade_id": "slip_inputs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def slip_inputs(tgt_in, k, wrong):
    """The inputs of a gold lane with one wrong token.

    Args:
        tgt_in: int64 [B, T], BOS first, T at least 2.
        k: an int, 1 <= k < T: the output that is replaced.
        wrong: int64 [B], a token for each sentence.

    Returns:
        int64 [B, T].
    """
    # slipped = tgt_in.____()
    # slipped[:, ____] = ____
    # return slipped
    ### BEGIN SOLUTION
    slipped = tgt_in.clone()
    slipped[:, k] = wrong  # output k is what is read at place k: place 0 reads BOS
    return slipped
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-6-5", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.5", slip_inputs)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.5")
# hint("6.5", 2)
# hint("6.5", 3)
# solution("6.5")

# %% [markdown]
# ## 6.6 `second_pass_inputs`
#
# *Implement* · difficulty 4 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# Scheduled sampling goes step by step, so a Transformer would lose what makes it fast. Mihaylova and Martins
# (2019) take two *parallel* passes: the first reads gold, and its outputs stand in for the model's own tokens
# in the second. Write what the second pass reads:
#
# ```
# for b in range(B):
#     read[b, 0] = tgt_in[b, 0]
#     for t in range(1, T):
#         read[b, t] = tgt_in[b, t] if coins[b, t] else argmax of logits[b, t - 1]
# ```


# %% nbgrader={"grade": false, "grade_id": "second_pass_inputs", "locked": false, "schema_version": 3, "solution": true, "task": false}
def second_pass_inputs(tgt_in, logits, coins):
    """What the second pass of scheduled sampling reads.

    Args:
        tgt_in: int64 [B, T], BOS first; T may be 1.
        logits: floats [B, T, V], of the first pass, which has read tgt_in.
        coins: bool [B, T], True: read gold. coins[:, 0] may be anything.

    Returns:
        int64 [B, T].
    """
    ### BEGIN SOLUTION
    said = logits.argmax(-1)  # [B, T, V] -> [B, T]; what place t says is read at place t + 1
    own = torch.cat([tgt_in[:, :1], said[:, :-1]], 1)  # [B, T], BOS in front
    return torch.where(coins, tgt_in, own)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-6-6", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.6", second_pass_inputs)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.6")
# hint("6.6", 2)
# hint("6.6", 3)
# solution("6.6")

# %% [markdown]
# ## 6.7 `test_evaluator`
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 20 minutes · 5 points
#
# An evaluation is called as `evaluate(model, batch)` and returns what the model writes: for each sentence a list
# of ids, up to its EOS or to a cap of 12. The batch holds the targets, too, and some evaluations look at them.
# Write a test that raises `AssertionError` for those, and for no honest one.
#
# `small_model()` is a model without weights; what it says next depends on all that it has read.
# `small_batch(targets)` makes a batch of three fixed sources with your targets: three lists of ids from 3 to 8,
# without EOS, as long as you like, and possibly empty.
#
# Your test is then tested itself. Rejecting an evaluation that is teacher forced earns 2 points, four of six
# that look 2 more, and all six 1 more.

# %% nbgrader={"grade": false, "grade_id": "evaluator-given", "locked": true, "schema_version": 3, "solution": false, "task": false}
model, batch = small_model(), small_batch([[4, 5, 6], [7], [8, 8]])
found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=12)
print("read", batch.tgt_in, sep="\n")
print("it writes", *(best.tokens for (best,) in found), sep="\n")


# %% nbgrader={"grade": false, "grade_id": "test_evaluator", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_evaluator(evaluate):
    """Raise AssertionError if the evaluation looks at the targets.

    Args:
        evaluate: called as evaluate(model, batch); gives a list of three lists (or tuples) of ids.
    """
    ### BEGIN SOLUTION
    model = small_model()
    words = small_batch([[4, 5, 6, 7], [8, 4], [5, 5, 7]])
    said = [list(row) for row in evaluate(model, words)]
    other_words = small_batch([[7, 8, 5, 4], [6, 7], [8, 4, 6]])
    longer = small_batch([[4], [5, 6, 7, 8, 4, 5, 6, 7, 8], [6, 7]])
    shorter = small_batch([[], [], [4]])
    for batch in (other_words, longer, shorter):
        assert [list(row) for row in evaluate(model, batch)] == said
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-6-7", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.7", test_evaluator)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.7")
# hint("6.7", 2)
# hint("6.7", 3)
# solution("6.7")

# %% [markdown]
# ## 6.8 The bug clinic
#
# **History.** A team trains a model that reads numbers in words. The training curve is the best that they have
# ever seen. The model is useless. Here is the log.

# %% nbgrader={"grade": false, "grade_id": "clinic-log", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(training_log())

# %% [markdown]
# ### 6.8a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which of six suspects explains the *whole* log?
#
# - **A** pads are counted in the loss, and there are many
# - **B** EOS is left out of the loss
# - **C** the softmax is taken twice before the loss
# - **D** dropout is still on when the model is evaluated
# - **E** the decoder reads the token that it must say
# - **F** unseen numbers are much harder than those of the training
#
# Put your letter between the quotation marks.

# %%
letter_6_8a = "E"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-6-8a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.8a", letter_6_8a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.8a")
# hint("6.8a", 2)
# hint("6.8a", 3)
# solution("6.8a")

# %% [markdown]
# ### 6.8b A test that catches it
#
# *Debug* · difficulty 3 of 5 · importance 5 of 5 · spend up to 12 minutes · 5 points
#
# Here is the patient. Read it, but do not repair it yet.

# %% nbgrader={"grade": false, "grade_id": "clinic-patient", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(inspect.getsource(patient_pair))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any pair maker, calls it on a few
# targets of your own, and raises `AssertionError` if the two tables are wrong: `tgt_in`, what is read, begins
# with BOS; `tgt_out`, what is said, ends with EOS; pads of `tgt_out` are PAD. What `tgt_in` holds *behind* the
# last real place of a row is nobody's business, and right pair makers differ there.
#
# Rejecting the patient earns 2 points, five of seven wrong pair makers 2 more, and all seven 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(make_pair):
    """Raise AssertionError unless make_pair makes what is read and what is said.

    Args:
        make_pair: called with a list of lists of ids, without BOS and EOS; gives tgt_in and
            tgt_out, int64 [B, T] each, where T is one more than the longest target.
    """
    ### BEGIN SOLUTION
    targets = [[5, 6, 7], [8], [6, 9, 4, 5]]
    tgt_in, tgt_out = make_pair(targets)
    for row, target in enumerate(targets):
        length = len(target) + 1
        assert tgt_out[row, :length].tolist() == [*target, EOS_ID]
        assert tgt_in[row, :length].tolist() == [BOS_ID, *target]
        assert (tgt_out[row, length:] == PAD_ID).all()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-6-8b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.8b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.8b")
# hint("6.8b", 2)
# hint("6.8b", 3)
# solution("6.8b")

# %% [markdown]
# ### 6.8c The repair
#
# *Debug* · difficulty 2 of 5 · importance 5 of 5 · spend up to 6 minutes · 3 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_pair", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_pair(targets):
    """The patient, healed: what a decoder reads, and what it must say.

    Args:
        targets: a list of lists of ids, without BOS and EOS; some may be empty.

    Returns:
        tgt_in and tgt_out, int64 [B, T], where T is one more than the longest target: BOS first in
        the one, EOS last in the other, and PAD behind both.
    """
    ### BEGIN SOLUTION
    said = [torch.tensor([*target, EOS_ID]) for target in targets]
    read = [torch.tensor([BOS_ID, *target]) for target in targets]
    tgt_out = pad_sequence(said, batch_first=True, padding_value=PAD_ID)  # [B, T]
    tgt_in = pad_sequence(read, batch_first=True, padding_value=PAD_ID)  # [B, T]
    return tgt_in, tgt_out
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-6-8c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.8c", fixed_pair)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.8c")
# hint("6.8c", 2)
# hint("6.8c", 3)
# solution("6.8c")

# %% [markdown]
# ## 6.9 Who recovers?
#
# *Extend* · difficulty 4 of 5 · importance 3 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# Write the own lane of a slip: gold before it, the wrong token at place k, and from there on what the model says
# itself. With it you can ask a question of your own about slips.


# %% nbgrader={"grade": false, "grade_id": "slip_run", "locked": false, "schema_version": 3, "solution": true, "task": false}
def slip_run(step, state, tgt_in, k, wrong):
    """What a decoder says that slips at output k and then goes on alone.

    Args:
        step: called as step(tokens [B], state); gives log-probabilities [B, V] and the new state.
        state: the decoder's state before BOS.
        tgt_in: int64 [B, T], BOS first. Only the places before k are read.
        k: an int, 1 <= k < T.
        wrong: int64 [B], what is read at place k.

    Returns:
        int64 [B, T]: what is said at each place.
    """
    ### BEGIN SOLUTION
    said, own = [], wrong
    for t in range(tgt_in.size(1)):
        tokens = tgt_in[:, t] if t < k else wrong if t == k else own
        log_probs, state = step(tokens, state)
        own = log_probs.argmax(-1)  # [B]
        said.append(own)
    return torch.stack(said, 1)  # [B, T]
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the loop is right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-6-9", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("6.9", slip_run)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("6.9")
# hint("6.9", 2)
# hint("6.9", 3)
# solution("6.9")

# %% [markdown]
# A model to try it on: the half-trained one of the chapter. Make others as you need them, in cells of your own
# below this one: another task (`seq2seq_lib.corpora`), attention, a schedule as in section 6.5 of the chapter,
# another place k.
#
# ```
# from seq2seq_lib.batching import collate, encode_pairs
# from seq2seq_lib.course.ch06_teacher_forcing import half_trained
#
# trained, corpus = half_trained(seed=0)
# test = collate(encode_pairs(corpus.test, trained.src_vocab, trained.tgt_vocab))
# state = trained.model.start(test.src, test.src_lengths)
# wrong = torch.where(test.tgt_out[:, 0] == 4, 5, 4)  # [B], two digits: never the gold one
# slip_run(trained.model.step, state, test.tgt_in, 1, wrong)
# ```
#
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your question, your ruler (places, edits, whole rows), and your numbers for three seeds (2 points),
# 2. whether the seeds agree, and what a difference is worth beside them (2 points),
# 3. what the theorem of 6.2 says about your result, and what you would measure next (2 points).
#
# Any outcome counts, also that nothing recovers.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-6-9", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Question and numbers** (2 points: a question that can be answered no, the ruler, three seeds). Does a linear
# schedule from 1 to 0 help a decoder without attention to go on after a slip at place 1? Letters backwards,
# 400 steps, 300 unseen strings; the share of later places that are right, in the own lane: teacher forcing
# 0.32, 0.27, 0.28; linear 0.50, 0.44, 0.42. Exact match without a slip: 0.89, 0.86, 0.91 against 0.65, 0.66,
# 0.68.
#
# **Seeds** (2 points: the difference beside the spread). The three seeds of a training differ by 0.05 to 0.08,
# and the trainings by 0.14 to 0.18, each seed in the same direction; so the gain in recovery is larger than
# the noise, and so is the loss in exact match. With attention the difference of 0.03 is not.
#
# **The theorem** (2 points: EM is decided under gold prefixes; a next step). Exact match asks what is said after
# gold prefixes alone, so practice on wrong ones can help it only through shared weights, and costs updates
# that would have gone to gold ones. Next: the same number of *gold* tokens for both, instead of the same
# number of steps, and edits beside places, because one token too many spoils all later places.
