# %% [markdown]
# # Exercises 5: losses, and what they want
#
# These exercises go with [chapter 5](../../chapters/ch05_nll_vs_cross_entropy.ipynb). They ask for what
# the chapter does not show: a number that you work out before a wrong line prints it, a gradient without
# autograd, weights and ignored targets, a vocabulary that comes in pieces, a temperature fitted to data.
# Then you treat a patient whose loss is -0.77 and falling.
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
# and try one row and one word, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 5.3 which number is printed | predict | 5 | 1 |
# | 5.4 `loss_gradient` | fill in | 8 | 2 |
# | 5.5 `weighted_loss` | implement | 15 | 4 |
# | 5.6 `add_chunk` | implement | 12 | 4 |
# | 5.7 `fit_temperature` | implement | 12 | 4 |
# | 5.8 the bug clinic | debug | 21 | 10 |
# | 5.9 what smoothing costs | extend | 45 | 6, bonus |
#
# (5.1 and 5.2 are in the chapter.) N rows, V words; logarithms are natural.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect

import torch
import torch.nn.functional as F

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch05_nll_vs_cross_entropy import given, patient_loss, training_log
from seq2seq_lib.losses import LossSum

torch.set_num_threads(1)

# %% [markdown]
# ## 5.3 Which number is printed?
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 1 point
#
# Four words have 2, 5, 1 and 12 votes. The target is the first of them. Somebody writes
#
# ```
# logits = torch.tensor([[2.0, 5.0, 1.0, 12.0]]).log()
# print(F.cross_entropy(F.softmax(logits, dim=-1), torch.tensor([0])))
# ```
#
# Which number is printed?
#
# - A: 2.303
# - B: 1.561
# - C: 1.386
# - D: 0.744
# - E: -0.100
# - F: -0.693
#
# Use pencil and paper, and a calculator for the last step, not a cell. Put your letter between the
# quotation marks.

# %%
letter_5_3 = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-5-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.3", letter_5_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.3")
# hint("5.3", 2)
# hint("5.3", 3)
# solution("5.3")

# %% [markdown]
# ## 5.4 `loss_gradient`
#
# *Fill in* · difficulty 2 of 5 · importance 4 of 5 · spend up to 8 minutes · 2 points
#
# The loss is the mean over N rows of the cross-entropy of `logits / temperature`. Give its gradient with
# respect to `logits`, without autograd. The specification is a nudge of each number by a small h:
#
# ```
# for n in range(N):
#     for i in range(V):
#         gradient[n, i] = (loss with logits[n, i] + h  -  loss with logits[n, i] - h) / (2 * h)
# ```
#
# Fill the blanks `____`, remove the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "loss_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def loss_gradient(logits, targets, temperature):
    """Gradient of F.cross_entropy(logits / temperature, targets) with respect to logits.

    Args:
        logits: floats [N, V].
        targets: int64 [N].
        temperature: a number above 0.

    Returns:
        floats [N, V].
    """
    # N, V = logits.shape
    # shares = (____).softmax(-1)  # [N, V], what the loss sees
    # gradient = shares - ____
    # return gradient / ____ / ____
    ### BEGIN SOLUTION
    N, V = logits.shape
    shares = (logits / temperature).softmax(-1)  # [N, V], what the loss sees
    gradient = shares - F.one_hot(targets, V)
    return gradient / temperature / N  # z / temperature, then the mean over N rows
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-5-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.4", loss_gradient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.4")
# hint("5.4", 2)
# hint("5.4", 3)
# solution("5.4")

# %% [markdown]
# ## 5.5 `weighted_loss`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# Some words matter more, so each has a weight, and some positions are not asked for: their target is
# -100. Without `F.cross_entropy` write the mean that it computes, with one difference: where every target
# is ignored, the loss is 0 and not NaN. The specification:
#
# ```
# total, count = 0, 0
# for b in range(B):
#     for t in range(T):
#         y = targets[b, t]
#         if y != -100:
#             total -= weight[y] * log_softmax(logits[b, t])[y]
#             count += weight[y]
# ```


# %% nbgrader={"grade": false, "grade_id": "weighted_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def weighted_loss(logits, targets, weight):
    """The weighted mean of the losses, over the weights of the targets that count.

    Args:
        logits: floats [B, T, V]; anything, also huge numbers, where the target is ignored.
        targets: int64 [B, T], ids of words, or -100 where nothing is asked; 0 is a word.
        weight: floats [V], above 0.

    Returns:
        A float tensor with no axes, through which a gradient flows back to logits.
    """
    ### BEGIN SOLUTION
    kept = targets != -100  # [B, T]
    chosen = targets[kept]  # [N]
    log_probs = logits[kept].log_softmax(-1)  # [N, V]
    nll = -log_probs.gather(-1, chosen[:, None])[:, 0]  # [N]
    weights = weight[chosen]  # [N], one for each token, looked up by its target
    if not kept.any():
        return nll.sum()  # 0 of no tokens, not 0 / 0
    return (weights * nll).sum() / weights.sum()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-5-5", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.5", weighted_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.5")
# hint("5.5", 2)
# hint("5.5", 3)
# solution("5.5")

# %% [markdown]
# ## 5.6 `add_chunk`
#
# *Implement* · difficulty 4 of 5 · importance 4 of 5 · spend up to 12 minutes · 4 points
#
# A language model may have 128,000 words or more, and the logits of a long batch fill gigabytes. So read the
# vocabulary in chunks, and keep two numbers a row: `largest`, the largest logit so far, and `total`, the
# sum of exp(z - largest) over all logits z so far. At any time the log-sum-exp so far is
# `largest + total.log()`. At the start `largest` is minus infinity and `total` is 0.
#
# Write the step that takes in one more chunk. No exp may overflow, whatever the order of the chunks.


# %% nbgrader={"grade": false, "grade_id": "add_chunk", "locked": false, "schema_version": 3, "solution": true, "task": false}
def add_chunk(largest, total, chunk):
    """The running log-sum-exp after one more chunk of logits.

    Args:
        largest: floats [N]; minus infinity before the first chunk.
        total: floats [N], in units of exp(largest); 0 before the first chunk.
        chunk: floats [N, C]; C differs from call to call, and each row holds a finite number.

    Returns:
        The new largest and the new total, floats [N] each.
    """
    ### BEGIN SOLUTION
    new = torch.maximum(largest, chunk.amax(-1))  # [N]
    rescaled = total * (largest - new).exp()  # the old sum, in units of the new largest
    return new, rescaled + (chunk - new[:, None]).exp().sum(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-5-6", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.6", add_chunk)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.6")
# hint("5.6", 2)
# hint("5.6", 3)
# solution("5.6")

# %% [markdown]
# **Continue from here.** From now on `add_chunk` is the course's own, so the next cell runs whether 5.6 is
# solved or not. If you come back to 5.6 later, run the cell of your own function again before its check.

# %% nbgrader={"grade": false, "grade_id": "continue-5-6", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch05_nll_vs_cross_entropy import add_chunk

running = torch.full((1,), -torch.inf), torch.zeros(1)
for piece in ([1000.0, 999.0], [-5.0], [1001.0, 998.0]):
    running = add_chunk(*running, torch.tensor([piece]))
    print(f"log-sum-exp so far {(running[0] + running[1].log()).item():.3f}")

# %% [markdown]
# ## 5.7 `fit_temperature`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 12 minutes · 4 points
#
# A trained model may be too sure of itself, or not sure enough. One number, fitted on validation data,
# can repair that. Of the temperatures that are given, choose the one under which the targets are most
# likely.


# %% nbgrader={"grade": false, "grade_id": "fit_temperature", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fit_temperature(logits, targets, temperatures):
    """The temperature with the smallest mean negative log-likelihood of the targets.

    Args:
        logits: floats [N, V].
        targets: int64 [N].
        temperatures: a list of numbers above 0, in any order.

    Returns:
        One of them.
    """
    ### BEGIN SOLUTION
    return min(temperatures, key=lambda t: F.cross_entropy(logits / t, targets).item())
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-5-7", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.7", fit_temperature)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.7")
# hint("5.7", 2)
# hint("5.7", 3)
# solution("5.7")

# %% [markdown]
# ## 5.8 The bug clinic
#
# **History.** "My loss is -0.77 and falling. Is that good?" The model trains, and after a few steps it
# says 10 of 13 tokens right, which is all that it can: it sees one id only, and some ids have several
# successors here.

# %%
print(training_log())

# %% [markdown]
# ### 5.8a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Five losses that can be negative or look odd. Which one made this log?
#
# - A: the mean of -z[target], the raw logit
# - B: the mean of +log p[target]; the minus was forgotten
# - C: the mean of -p[target]; softmax came before NLLLoss
# - D: cross-entropy minus the entropy of p, a bonus for being unsure
# - E: the softmax ran over the 13 tokens instead of the 7 ids
#
# Use pencil and paper, and put your letter between the quotation marks.

# %%
letter_5_8a = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-5-8a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.8a", letter_5_8a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.8a")
# hint("5.8a", 2)
# hint("5.8a", 3)
# solution("5.8a")

# %% [markdown]
# ### 5.8b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 12 minutes · 5 points
#
# Here is the patient. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_loss))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any loss function, calls
# it on logits of your own, and raises `AssertionError` if the result is not the mean of -log p(target).
# `torch.testing.assert_close(found, expected)` does that, with a tolerance.
#
# Your test is then tested itself. It must let through losses that are right, however they are written:
# one of them takes log-softmax twice, which is harmless. Rejecting the patient earns 2 points, five
# wrong losses out of six 2 more, and all six 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(loss_function):
    """Raise AssertionError unless loss_function is the mean of -log p(target).

    Args:
        loss_function: called as loss_function(logits, targets), with floats [N, V] and int64 [N];
            gives a float tensor with no axes.
    """
    ### BEGIN SOLUTION
    even, targets = torch.zeros(3, 5), torch.tensor([0, 1, 4])  # N = 3 and V = 5 differ
    torch.testing.assert_close(loss_function(even, targets), torch.tensor(5.0).log())
    votes = torch.tensor([[1.0, 2, 3, 6, 8], [4, 1, 9, 2, 4]])
    found = loss_function(votes.log(), torch.tensor([3, 2]))
    due = -(torch.tensor(6 / 20).log() + torch.tensor(9 / 20).log()) / 2
    torch.testing.assert_close(found, due)
    far = torch.tensor([[0.0, 200.0]])
    torch.testing.assert_close(loss_function(far, torch.tensor([0])), torch.tensor(200.0))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-5-8b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.8b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.8b")
# hint("5.8b", 2)
# hint("5.8b", 3)
# solution("5.8b")

# %% [markdown]
# ### 5.8c The repair
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 4 minutes · 3 points
#
# Now heal it. Change as little as you can, or write it anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_loss(logits, targets):
    """The patient, healed: the mean of -log p(target).

    Args:
        logits: floats [N, V], not normalised; gaps of hundreds of nats are possible.
        targets: int64 [N].

    Returns:
        A float tensor with no axes, through which a gradient flows back to logits.
    """
    ### BEGIN SOLUTION
    scores = F.log_softmax(logits, dim=-1)  # [N, V]: NLLLoss picks and negates, the log is ours
    return F.nll_loss(scores, targets)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-5-8c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.8c", fixed_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.8c")
# hint("5.8c", 2)
# hint("5.8c", 3)
# solution("5.8c")

# %% [markdown]
# ## 5.9 What smoothing costs, and what it buys
#
# *Extend* · difficulty 4 of 5 · importance 3 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# A smoothed loss cannot be compared with an unsmoothed one: it has a floor, the entropy of its own target
# distribution q, in which each word has ε/V and the target 1 - ε more. Write a function that tells three
# numbers apart: the `nll` of the targets, the smoothed `loss`, and its `floor`, the mean entropy of q.


# %% nbgrader={"grade": false, "grade_id": "loss_parts", "locked": false, "schema_version": 3, "solution": true, "task": false}
def loss_parts(logits, targets, smoothing):
    """What a smoothed loss is made of.

    Args:
        logits: floats [N, V].
        targets: int64 [N].
        smoothing: ε, from 0 to below 1, as F.cross_entropy defines it.

    Returns:
        {"nll": mean, "loss": mean, "floor": mean}, Python floats, nats a token.
    """
    ### BEGIN SOLUTION
    N, V = logits.shape
    wanted = F.one_hot(targets, V) * (1 - smoothing) + smoothing / V  # [N, V], q
    loss = F.cross_entropy(logits, targets, label_smoothing=smoothing)
    return {
        "nll": F.cross_entropy(logits, targets).item(),
        "loss": loss.item(),
        "floor": torch.special.entr(wanted).sum(-1).mean().item(),  # -q log q, and 0 for q = 0
    }
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the numbers can be right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-5-9", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("5.9", loss_parts)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("5.9")
# hint("5.9", 2)
# hint("5.9", 3)
# solution("5.9")

# %% [markdown]
# **Measure it.** `letters_task()` holds 400 training pairs whose targets are drawn by chance, and the
# small model of the chapter. `task.fit(loss, seed, epochs)` trains it; a training takes some seconds.
# `forced(model, task.test)` gives logits `[N, V]` and targets `[N]` of unseen pairs. Uncomment, and train
# with ε = 0, 0.1 and 0.2, for 20 epochs and three seeds.

# %%
task = given.letters_task()


def smoothed(epsilon):
    def loss(model, batch, step):
        mask = batch.tgt_mask
        logits, targets = model(batch)[mask], batch.tgt_out[mask]  # [N, V], [N]
        total = F.cross_entropy(logits, targets, label_smoothing=epsilon, reduction="sum")
        return LossSum(total, mask.sum())

    return loss


# model, history = task.fit(smoothed(0.1), seed=0, epochs=20)
# logits, targets, _ = given.forced(model, task.test)
# print(loss_parts(logits, targets, 0.1))

# %% [markdown]
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your table: for each ε the nll, the loss and the floor, as a range over three seeds (2 points),
# 2. why the losses of two ε cannot be compared, and which of the three numbers can (2 points),
# 3. the temperature that fits each model best on `task.valid` (5.7), and what smoothing did to it
#    (2 points).

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-5-9", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Numbers** (2 points: three rows, and ranges, not one seed). Seeds 0 to 2, 20 epochs, 1,000 unseen pairs:
#
# | ε | nll | loss | floor | fitted τ |
# |---|---|---|---|---|
# | 0 | 1.07-1.14 | 1.07-1.14 | 0 | 0.97-1.01 |
# | 0.1 | 1.11-1.18 | 1.36-1.41 | 0.500 | 0.82-0.83 |
# | 0.2 | 1.17-1.23 | 1.57-1.61 | 0.867 | 0.70-0.73 |
#
# **Why** (2 points: the floor moves with ε; nll is the same question for all). Each ε has a target
# distribution of its own, and its loss cannot fall below the entropy of that. A model with ε = 0.2 and a
# loss of 1.57 is not worse by the difference to 1.08: more than half of its loss is floor. Loss minus
# floor is the divergence from q, a number about another q for each ε, so it cannot be compared either.
# The nll asks all models for the same thing, the targets that were really drawn.
#
# **Temperature** (2 points: the direction, and a reason). Without smoothing τ is about 1 after 20 epochs;
# with it τ is below 1: the model was taught to give shares away, so it is too modest, and dividing by τ
# below 1 takes back a part. Its nll becomes 1.09-1.17 for 0.1 and 1.11-1.18 for 0.2, which is no better
# than without smoothing: on this task smoothing bought nothing.
