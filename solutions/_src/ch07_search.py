# %% [markdown]
# # Exercises 7: search
#
# These exercises go with [chapter 7](../../chapters/ch07_search.ipynb). You choose for a whole batch, read
# outputs again, say when a search may stop, and then treat a patient: a beam search that went astray in a
# translation program.
#
# **You need** [chapter 7](../../chapters/ch07_search.ipynb): up to 7.2 for exercise 7.1, up to 7.4 for 7.2, 7.3
# and 7.6, up to 7.5 for 7.4, all of it for 7.5. And PyTorch's indexing; no GPU and no network.
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
# so an answer that fits only one model does not pass for long. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 7.1 greedy and the mode | predict | 5 | 2 |
# | 7.2 `choose_batched` | implement | 25 | 4 |
# | 7.3 `rescore` | implement | 15 | 3 |
# | 7.4 `can_stop` | implement | 20 | 3 |
# | 7.5 the bug clinic | debug | 37 | 7 |
# | 7.6 `test_rows` | debug | 18 | 3 |
#
# **Everywhere here**: PAD is 0, BOS is 1, EOS is 2, words begin at 3. An output holds its EOS and no
# BOS. The log-probability of an output is the sum over its tokens, EOS among them. A token of
# log-probability −inf cannot happen; all models give −inf to PAD and BOS.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
import math

import torch

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch07_search import (
    Hyp,
    choose,
    letter_table,
    options_7_1,
    patient_search,
    prune,
    search_log,
    three_letters,
)
from seq2seq_lib.decoding import rescore as read_again
from seq2seq_lib.laws import HashModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID

torch.set_num_threads(1)

# %% [markdown]
# ## 7.1 Greedy and the mode
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# A smaller card: two letters and the end. Each row gives the probabilities of what comes next, `^` is the
# beginning.
#
# | last | x | y | • |
# |---|---|---|---|
# | ^ | 0.5 | 0.4 | 0.1 |
# | x | 0.3 | 0.3 | 0.4 |
# | y | 0.1 | 0.2 | 0.7 |
#
# What does greedy search write, and how probable is that output? Use your finger, not a cell.

# %%
for letter, answer in options_7_1().items():
    print(letter, answer)

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_7_1 = "E"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-7-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.1", letter_7_1)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.1")
# hint("7.1", 2)
# hint("7.1", 3)
# solution("7.1")

# %% [markdown]
# ## 7.2 `choose_batched`
#
# *Implement* · difficulty 4 of 5 · importance 5 of 5 · spend up to 25 minutes · 4 points
#
# The chapter searches for one sentence. A real search runs B sentences at once, and the model sees one
# tensor of B · k rows: first the k open outputs of sentence 0, then those of sentence 1, and so on. Choose
# for each sentence the best k of its k · V continuations:
#
# ```
# for b in range(B):
#     candidates = []
#     for i in range(k):
#         row = b * k + i                      # a row of the whole batch
#         for v in range(V):
#             candidates.append((totals[b, i] + log_probs[row, v], row, v))
#     sort them, largest first; equals stay in this order
#     keep the first k: their totals, rows and tokens
# ```
#
# Ends get no special treatment here. Where fewer than k are possible, impossible ones (−inf) fill up.


# %% nbgrader={"grade": false, "grade_id": "choose_batched", "locked": false, "schema_version": 3, "solution": true, "task": false}
def choose_batched(totals, log_probs):
    """The best k continuations of each sentence, best first.

    Args:
        totals: floats [B, k], the log-probabilities of the open outputs; -inf where none is open.
        log_probs: floats [B * k, V], of each next token; sentence b has the rows from b * k on.

    Returns:
        rows: int64 [B, k], which row of the whole batch is continued,
        tokens: int64 [B, k], by which token,
        totals: floats [B, k], the log-probability of both together.
    """
    ### BEGIN SOLUTION
    (B, k), V = totals.shape, log_probs.size(1)
    every = (totals.view(B * k, 1) + log_probs).view(B, k * V)  # a sentence's beams side by side
    best, place = every.sort(dim=1, descending=True, stable=True)
    best, place = best[:, :k], place[:, :k]  # [B, k]
    first = torch.arange(B)[:, None] * k  # [B, 1], the first row of each sentence
    return first + place // V, place % V, best
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-2", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.2", choose_batched)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.2")
# hint("7.2", 2)
# hint("7.2", 3)
# solution("7.2")

# %% [markdown]
# ## 7.3 `rescore`
#
# *Implement* · difficulty 2 of 5 · importance 5 of 5 · spend up to 15 minutes · 3 points
#
# Reading again what came back is the test that finds a memory in the wrong place. The chapter asked a
# function of the whole prefix; a real model has a state, and reads one token at a time:
#
# ```
# log p = sum over t of log p(tokens[t] | BOS, tokens[0], ..., tokens[t - 1])
# ```
#
# Write it with `model.start` and `model.step`, for one sentence. The check uses models such as
# `HashModel(6, seed=3)`: V = 6, so the words are 3, 4 and 5; its probabilities are a hash of everything
# read so far, so a step that is left out or done twice changes every number after it.


# %% nbgrader={"grade": false, "grade_id": "rescore", "locked": false, "schema_version": 3, "solution": true, "task": false}
def rescore(model, src, src_lengths, tokens):
    """The log-probability of an output, by the model that reads it from the start.

    Args:
        model: state = model.start(src, src_lengths); log_probs, state = model.step(last, state) with
            int64 [1] and floats [1, V].
        src, src_lengths: int64 [1, S] and [1].
        tokens: list of at least one id, EOS last if the output has ended; no BOS.

    Returns:
        A float.
    """
    ### BEGIN SOLUTION
    state, last, total = model.start(src, src_lengths), BOS_ID, 0.0
    for token in tokens:
        log_probs, state = model.step(torch.tensor([last]), state)  # [1, V]
        total += log_probs[0, token].item()
        last = token
    return total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-3", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.3", rescore)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.3")
# hint("7.3", 2)
# hint("7.3", 3)
# solution("7.3")

# %% [markdown]
# ## 7.4 `can_stop`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 20 minutes · 3 points
#
# A search for the best output alone wants to stop as soon as nothing that is open can win. The score of an
# output of n tokens is its log-probability divided by $n^{\text{alpha}}$. Say whether the search may stop:
#
# ```
# for each open total, for each n from length + 1 to longest:
#     if it ended there at no further cost, would its score be larger than all that ended?
#         then the search must go on
# otherwise it may stop
# ```
#
# With nothing open it may stop. With something open and nothing ended it may not. Alpha may be negative.


# %% nbgrader={"grade": false, "grade_id": "can_stop", "locked": false, "schema_version": 3, "solution": true, "task": false}
def can_stop(ended, open_totals, length, longest, alpha):
    """Whether no open output can get a better score than the best that has ended.

    Args:
        ended: list of the scores of what has ended, in no order; may be empty.
        open_totals: list of the log-probabilities of what is open, in no order; may be empty.
        length: int, tokens of each open output, 1 <= length < longest.
        longest: int, tokens of the longest output, EOS counted.
        alpha: float.

    Returns:
        True or False.
    """
    ### BEGIN SOLUTION
    if not open_totals:
        return True
    if not ended:
        return False
    best = max(open_totals)
    bound = max(best / n**alpha for n in (length + 1, longest))
    return bound <= max(ended)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.4", can_stop)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.4")
# hint("7.4", 2)
# hint("7.4", 3)
# solution("7.4")

# %% [markdown]
# ## 7.5 The bug clinic
#
# **History.** A beam search is brought in. It translates, and it has translated for a while; the
# sentences look right. One day somebody wants to draw the beam for a visitor, and the drawing is
# strange: it goes on for steps and steps, often to the very end, although each output ended long before.
#
# To examine it, it was run on a small model and stopped after one step, after two, and so on. Here is
# what it had in hand each time: the rows that the model read in that step (A), the log-probability of
# the best output that had ended (B), how many had ended (C), and the number of tokens in the longest of
# those (D).

# %%
print(search_log())

# %% [markdown]
# ### 7.5a The evidence
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 1 point
#
# Which column cannot come from a right beam search: A, B, C or D? For each column, ask which way it may
# change from step to step. Put your letter between the quotation marks.

# %%
letter_7_5a = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-7-5a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.5a", letter_7_5a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.5a")
# hint("7.5a", 2)
# hint("7.5a", 3)
# solution("7.5a")

# %% [markdown]
# ### 7.5b A test that catches it
#
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 22 minutes · 4 points
#
# Here is the patient. Read it, but do not repair it yet. It takes a length penalty `alpha` too, and
# returns a list of `Hyp(tokens, log_prob, score)`, best score first, where
#
# $$\text{score} = \frac{\text{log\_prob}}{\text{len(tokens)}^{\text{alpha}}}$$

# %%
print(inspect.getsource(patient_search))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any search, calls it on
# small models of your choice, and raises `AssertionError` if something is wrong.
#
# Your test is then tested itself. It must let through searches that are right, however they are
# written. All of these return **all** outputs that ended within `max_len` tokens, by the rules of the
# chapter's `prune`, each once, and nothing that was cut off. It should reject the patient (2 points), five
# of the eight wrong searches (1 more), and all of them (1 more). The others have bugs that were published.
#
# What you can use:
#
# - `three_letters()`, the table below with the ids a = 4, b = 5, c = 6, which you can search by hand. Only
#   the last letter matters there, and after • nothing is possible.
# - `HashModel(7, seed=1)`: V = 7, so the words are 3 to 6; it remembers all that it has read, and would go
#   on after an end if it were asked. `HashModel(7, seed=1, eos_bias=1.0)` ends sooner.
# - `read_again`, which is the library's `rescore`:
#
# ```python
# (hyps,) = read_again(model, src, src_lengths, [[[4, 5, 2], [3, 2]]])   # one sentence, two outputs
# hyps[0].log_prob                                                    # what [4, 5, 2] really has
# ```
#
# `laws.search_oracle` does not fit here: it also wants the outputs that were cut off.
#
# Compare numbers with a tolerance, and `list(hyp.tokens)` with a list: of the right searches, some round
# their numbers, and some give tuples. A test may be short: `assert` is all it needs.

# %%
print(letter_table())


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(search):
    """Raise AssertionError unless search is a right beam search.

    Args:
        search: called as search(model, src, src_lengths, num_beams, max_len, alpha), with int64
            [1, S] and [1]; gives a list of Hyp(tokens, log_prob, score), best score first.
    """
    ### BEGIN SOLUTION
    src, src_lengths = torch.tensor([[5, 3, EOS_ID]]), torch.tensor([3])
    a, b, c = 4, 5, 6
    by_hand = {
        (c, EOS_ID): 0.25 * 0.45,
        (a, c, EOS_ID): 0.30 * 0.50 * 0.45,
        (b, c, EOS_ID): 0.35 * 0.30 * 0.45,
        (b, a, c, EOS_ID): 0.35 * 0.35 * 0.50 * 0.45,
        (a, c, c, EOS_ID): 0.30 * 0.50 * 0.30 * 0.45,
    }
    for alpha in (0.0, 1.0):
        found = search(three_letters(), src, src_lengths, 3, 4, alpha)
        assert sorted(tuple(hyp.tokens) for hyp in found) == sorted(by_hand)
        for hyp in found:
            log_prob = math.log(by_hand[tuple(hyp.tokens)])
            assert abs(hyp.log_prob - log_prob) < 1e-4
            assert abs(hyp.score - log_prob / len(hyp.tokens) ** alpha) < 1e-4
        assert found == sorted(found, key=lambda hyp: -hyp.score)
    model = HashModel(7, seed=1)  # it remembers all that it has read
    found = search(model, src, src_lengths, 3, 5, 0.0)
    (again,) = read_again(model, src, src_lengths, [[list(hyp.tokens) for hyp in found]])
    for hyp, true in zip(found, again, strict=True):
        assert abs(hyp.log_prob - true.log_prob) < 1e-4
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-5b", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.5b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.5b")
# hint("7.5b", 2)
# hint("7.5b", 3)
# solution("7.5b")

# %% [markdown]
# ### 7.5c The repair
#
# *Debug* · difficulty 3 of 5 · importance 4 of 5 · spend up to 10 minutes · 2 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it
# anew. The chapter's `choose` and `prune` are there; a candidate of `prune` is a tuple whose first two are
# the output and its total, and what stands behind them stays with it.


# %% nbgrader={"grade": false, "grade_id": "fixed_search", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    """The patient, healed: beam search for one sentence, with a length penalty.

    Args:
        model: with start and step, and state.select(rows).
        src, src_lengths: int64 [1, S] and [1].
        num_beams, max_len: ints.
        alpha: float; the score is log_prob / len(tokens) ** alpha.

    Returns:
        A list of Hyp(tokens, log_prob, score), all outputs that ended, best score first.
    """
    ### BEGIN SOLUTION
    state, found, beam = model.start(src, src_lengths), [], [([], 0.0, 0)]
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens, *_ in beam])
        log_probs, state = model.step(last, state)  # [rows, V]
        totals = torch.tensor([total for _, total, _ in beam], dtype=log_probs.dtype)
        chosen = zip(*(part.tolist() for part in choose(totals, log_probs, num_beams)), strict=True)
        candidates = [([*beam[row][0], token], total, row) for row, token, total in chosen]
        ended, beam = prune(candidates, num_beams)
        for tokens, log_prob, _ in ended:  # its number is final
            found.append(Hyp(tokens, log_prob, log_prob / len(tokens) ** alpha))
        if not beam:
            break
        state = state.select(torch.tensor([row for *_, row in beam]))
    return sorted(found, key=lambda hyp: hyp.score, reverse=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-5c", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.5c", fixed_search)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.5c")
# hint("7.5c", 2)
# hint("7.5c", 3)
# solution("7.5c")

# %% [markdown]
# ## 7.6 The assertion that was missing
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 18 minutes · 3 points
#
# In [sockeye#731](https://github.com/awslabs/sockeye/pull/731) the state was reordered by a call whose result
# was thrown away, and comparing *sums* of the states found nothing: where rows only change places, their sum
# stays. Write the one assertion that its author needed.
#
# `reorder(state, rows)` takes floats `[n, H]` and int64 `[k]`, and should return `[k, H]`: at place i the
# row `rows[i]` of the old state. Your test calls it with numbers of your choice and raises
# `AssertionError` if something is wrong. It must reject the version that throws its result away (1 point),
# five of six wrong ones (1 more), and all six (1 more), and no right one.


# %% nbgrader={"grade": false, "grade_id": "test_rows", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_rows(reorder):
    """Raise AssertionError unless reorder(state, rows) moves the rows as it should."""
    ### BEGIN SOLUTION
    state = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    rows = torch.tensor([2, 0, 0])
    kept = state.clone()
    moved = reorder(state, rows)
    for i, row in enumerate(rows.tolist()):
        assert torch.equal(moved[i], kept[row])
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-6", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.6", test_rows)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.6")
# hint("7.6", 2)
# hint("7.6", 3)
# solution("7.6")
