# %% [markdown]
# # Exercises 10: a sentence from a point
#
# These exercises go with [chapter 10](../../chapters/ch10_latent_seq2seq.ipynb). They ask for what the
# chapter does not show: a prior that is learned, a tighter bound, text that ends where it should, another
# schedule. Then you treat a patient: a loss that reports a number which no model can have.
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
# and try one sentence, one sample or one dimension, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 10.3 the KL from another prior | predict | 5 | 1 |
# | 10.4 `cut_at_eos` | fill in | 8 | 2 |
# | 10.5 `kl_between` | implement | 15 | 4 |
# | 10.6 `weighted_bound` | implement | 20 | 5 |
# | 10.7 the bug clinic | debug | 25 | 10 |
# | 10.8 `cosine_cycle` | extend | 12 | 4 |
#
# (10.1 and 10.2 are in the chapter.) B, K and Z are the numbers of sentences, samples and dimensions of
# a code; logvar is the logarithm of a **variance**.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
import math

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch10_latent_seq2seq import patient_loss, training_log

torch.set_num_threads(1)

# %% [markdown]
# ## 10.3 The KL from another prior
#
# *Predict* · difficulty 2 of 5 · importance 3 of 5 · spend up to 5 minutes · 1 point
#
# In a conversation the prior of an answer's code may depend on the question. Here a code has two
# dimensions, and in **both** the prior is p = N(1, 4): mean 1, variance 4. The encoder says q = N(1, 4) in
# the first dimension and q = N(3, 4) in the second.
#
# How many nats is KL(q ‖ p), for the whole code? Use pencil and paper, not a cell. (log 4 = 1.386)
#
# | letter | nats |
# |---|---|
# | A | 6.61 |
# | B | 2.00 |
# | C | 1.00 |
# | D | 0.50 |
# | E | 0.25 |
#
# Put your letter between the quotation marks.

# %%
letter_10_3 = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-10-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.3", letter_10_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.3")
# hint("10.3", 2)
# hint("10.3", 3)
# solution("10.3")

# %% [markdown]
# ## 10.4 `cut_at_eos`
#
# *Fill in* · difficulty 2 of 5 · importance 4 of 5 · spend up to 8 minutes · 2 points
#
# Sampling goes on until all rows have ended, so behind a row's first EOS stands what nobody should read.
# And a row that was stopped by the maximal length has no EOS at all. Make lists of the sentences.
#
# Fill the blanks `____`, remove the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "cut_at_eos", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cut_at_eos(ids, eos_id):
    """The sentences of sampled rows.

    Args:
        ids: int64 [N, T].
        eos_id: the id that ends a sentence; any number.

    Returns:
        A list of N lists of ids: what stands before the first EOS, or the whole row without one.
    """
    # sentences = []
    # for row in ids.tolist():
    #     end = ____ if ____ else ____
    #     sentences.append(row[:end])
    # return sentences
    ### BEGIN SOLUTION
    sentences = []
    for row in ids.tolist():
        end = row.index(eos_id) if eos_id in row else len(row)
        sentences.append(row[:end])
    return sentences
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.4", cut_at_eos)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.4")
# hint("10.4", 2)
# hint("10.4", 3)
# solution("10.4")

# %% [markdown]
# ## 10.5 `kl_between`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# The chapter's derivation, for a prior that is not standard. For each dimension
#
# $$KL(q \| p) = E_q[\log q(z) - \log p(z)], \qquad q = N(\mu_q, \sigma_q^2),\; p = N(\mu_p, \sigma_p^2)$$
#
# Work out the expectation with a pencil first. Two things to test it on: q = p, and the standard prior.


# %% nbgrader={"grade": false, "grade_id": "kl_between", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kl_between(mu_q, logvar_q, mu_p, logvar_p):
    """KL of q from p, one number a sentence.

    Args:
        mu_q, logvar_q, mu_p, logvar_p: floats [B, Z].

    Returns:
        floats [B], nats, through which a gradient flows back.
    """
    ### BEGIN SOLUTION
    moment = logvar_q.exp() + (mu_q - mu_p) ** 2  # [B, Z], E_q (z - mu_p)²
    cells = logvar_p - logvar_q + moment / logvar_p.exp() - 1
    return 0.5 * cells.sum(1)  # [B]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-5", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.5", kl_between)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.5")
# hint("10.5", 2)
# hint("10.5", 3)
# solution("10.5")

# %% [markdown]
# ## 10.6 `weighted_bound`
#
# *Implement* · difficulty 4 of 5 · importance 4 of 5 · spend up to 20 minutes · 5 points
#
# The ELBO undercounts a model that uses its code. With K samples a sentence, each weighted by how much
# rarer q draws it than the prior would, the bound comes nearer to log p(x)
# ([Burda et al. 2015](https://arxiv.org/abs/1509.00519)):
#
# $$\log \frac{1}{K} \sum_k \frac{p(x|z_k)\, p(z_k)}{q(z_k|x)}, \qquad z_k \sim q(z|x), \quad p(z) = N(0, I)$$
#
# A sentence of 200 words may have log p(x|z) = -2000, and `exp` of that is 0. With K = 1 the bound is
# the ELBO of one sample.


# %% nbgrader={"grade": false, "grade_id": "weighted_bound", "locked": false, "schema_version": 3, "solution": true, "task": false}
def weighted_bound(log_px, z, mu, logvar):
    """A lower bound of log p(x) from K samples.

    Args:
        log_px: floats [B, K], log p(x|z_k), nats; may be as low as -2000.
        z: floats [B, K, Z], drawn from q(z|x).
        mu, logvar: floats [B, Z], of q(z|x).

    Returns:
        floats [B], nats.
    """
    ### BEGIN SOLUTION
    log_prior = -0.5 * (z**2).sum(2)  # [B, K]; ½ log 2π cancels below
    squares = (z - mu[:, None]) ** 2 / logvar.exp()[:, None]  # [B, K, Z]
    log_q = -0.5 * (squares + logvar[:, None]).sum(2)  # [B, K]
    weights = log_px + log_prior - log_q  # [B, K]
    return weights.logsumexp(1) - math.log(log_px.size(1))  # [B]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-6", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.6", weighted_bound)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.6")
# hint("10.6", 2)
# hint("10.6", 3)
# solution("10.6")

# %% [markdown]
# ## 10.7 The bug clinic
#
# **History.** A loss for a sentence VAE is brought in. It computes, so its authors say, the mean of -ELBO
# over the sentences. Models that are trained with it copy well, better than those of others. One reader
# wonders about the small numbers.
#
# To examine it, a model was trained with it, and measured on 200 sentences drawn afresh from the
# language. "Exact copies" are greedy reconstructions from mu.

# %%
print(training_log())

# %% [markdown]
# ### 10.7a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which column holds a number that no model can have, but for chance, if the loss is what it is said to be: A,
# B, C or D?
# Put your letter between the quotation marks.

# %%
letter_10_7a = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-10-7a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.7a", letter_10_7a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.7a")
# hint("10.7a", 2)
# hint("10.7a", 3)
# solution("10.7a")

# %% [markdown]
# ### 10.7b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 15 minutes · 5 points
#
# Here is the patient. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_loss))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any loss function, calls
# it on a small batch of your own, and raises `AssertionError` if the result is wrong.
# `torch.testing.assert_close(found, expected)` does that, with a tolerance.
#
# Your test is then tested itself. It must let through losses that are right, however they are written,
# also where their last digits differ. Keep the losses at the pads finite: a right one may multiply them
# by the mask, and 0 times infinity is NaN. Rejecting the patient earns 2 points, six wrong losses out of
# eight 2 more, and all eight 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(loss_function):
    """Raise AssertionError unless loss_function is the mean of -ELBO over the sentences.

    Args:
        loss_function: called as loss_function(nll, mask, mu, logvar), with floats [B, T], bool
            [B, T], and floats [B, Z] twice; gives a float tensor with no axes.
    """
    ### BEGIN SOLUTION
    nll = torch.tensor([[3.0, 50.0], [2.0, 6.0]])  # [B, T], a pad in row 0
    mask = torch.tensor([[True, False], [True, True]])
    mu = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 1.0]])  # [B, Z]
    variance = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 4.0]])
    logvar = variance.log()
    # row 0: 3, and (1 + 4) / 2; row 1: 8, and (1 + 4 - 1 - log 4) / 2
    expected = (3 + 2.5 + 8 + (4 - logvar[1, 2]) / 2) / 2
    torch.testing.assert_close(loss_function(nll, mask, mu, logvar), expected)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-7b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.7b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.7b")
# hint("10.7b", 2)
# hint("10.7b", 3)
# solution("10.7b")

# %% [markdown]
# ### 10.7c The repair
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 3 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it
# anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_loss", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_loss(nll, mask, mu, logvar):
    """The patient, healed: the mean of -ELBO over the sentences.

    Args:
        nll: floats [B, T], -log p(token | z) of each cell; any finite number at the pads.
        mask: bool [B, T], True = real token.
        mu, logvar: floats [B, Z].

    Returns:
        A float tensor with no axes, through which a gradient flows back.
    """
    ### BEGIN SOLUTION
    reconstruction = (nll * mask).sum(1)  # [B]
    kl = -0.5 * torch.sum(1 + logvar - mu.square() - logvar.exp(), dim=-1)  # [B]
    return (reconstruction + kl).mean()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-7c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.7c", fixed_loss)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.7c")
# hint("10.7c", 2)
# hint("10.7c", 3)
# solution("10.7c")

# %% [markdown]
# ## 10.8 `cosine_cycle`
#
# *Extend* · difficulty 3 of 5 · importance 3 of 5 · spend up to 12 minutes · 4 points
#
# The cyclical weight of the chapter has a corner at the start and at the end of each ramp. Bend the ramp:
# where τ in [0, 1) is the place in a cycle, as in `schedules.cyclical`,
#
# $$\text{weight} = \tfrac12 \bigl(1 - \cos(\pi \cdot \min(\tau / \text{ramp}, 1))\bigr)$$
#
# and 1 from `num_steps` on. With 12 steps, 2 cycles and ramp 0.5 the weights of the steps 0 to 6 are
# 0, 0.25, 0.75, 1, 1, 1, 0. Asking must not change the answer: plotting a schedule is no training.
#
# When it works, you may train the chapter's model with it and count its different copies. No point is
# given for a particular number.


# %% nbgrader={"grade": false, "grade_id": "cosine_cycle", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cosine_cycle(step, num_steps, num_cycles, ramp):
    """The weight of the KL at a step.

    Args:
        step: an int, 0 or larger, also beyond num_steps.
        num_steps: steps of all cycles together; need not be a multiple of num_cycles.
        num_cycles: from 1 to num_steps.
        ramp: the share of a cycle that rises, above 0 and at most 1.

    Returns:
        A Python number in [0, 1].
    """
    ### BEGIN SOLUTION
    if step >= num_steps:
        return 1.0
    tau = step * num_cycles % num_steps / num_steps
    return 0.5 * (1 - math.cos(math.pi * min(tau / ramp, 1.0)))
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-8", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.8", cosine_cycle)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.8")
# hint("10.8", 2)
# hint("10.8", 3)
# solution("10.8")
