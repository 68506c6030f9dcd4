# %% [markdown]
# # Exercises 7: search
#
# These exercises go with [chapter 7](../../chapters/ch07_search.ipynb). You search by hand, write an
# exact search and a beam search from its two halves, filter a distribution, and then treat a patient:
# a beam search that went astray in a translation program.
#
# **You need** [chapter 7](../../chapters/ch07_search.ipynb): up to section 7.5 for the exercises 7.1 to
# 7.3b and 7.4, up to 7.10 for 7.3c and 7.5, all of it for 7.6. And PyTorch's indexing; no GPU and no
# network.
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
# so an answer that fits only one model does not pass for long.
#
# An open exercise blocks nothing: you can always go on with the next one.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 7.1 greedy by hand | predict | 5 | 2 |
# | 7.2 `n_best` | implement | 15 | 3 |
# | 7.3 beam search in two halves and a loop | implement | 38 | 8 |
# | 7.4 `top_p` | implement | 12 | 3 |
# | 7.5 the bug clinic | debug | 33 | 9 |
# | 7.6 how wide? | extend | 45 | 6, bonus |
#
# **Everywhere here**: PAD is 0, BOS is 1, EOS is 2, words begin at 3. An output holds its EOS and no
# BOS. The log-probability of an output is the sum over its tokens, EOS among them. All models give
# PAD and BOS the probability 0, so the log-probability −inf; some give it to other tokens too. A token
# of log-probability −inf cannot happen, and is in no output.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import heapq
import inspect
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.corpora import letters_expected_length, letters_mode
from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch07_search import (
    Hyp,
    letter_table,
    next_letter,
    options_7_1a,
    options_7_1b,
    patient_search,
    search_letters,
    search_log,
    spelt,
    three_letters,
)
from seq2seq_lib.decoding import rescore
from seq2seq_lib.laws import HashModel
from seq2seq_lib.vocab import BOS_ID, EOS_ID

torch.set_num_threads(1)

# %% [markdown]
# ## 7.1 Greedy by hand
#
# Three letters, an end `•`, and a model that remembers the last letter only, as in the chapter, but
# with other numbers. `^` stands for the beginning. Each row gives the probabilities of what comes
# next.

# %%
print(letter_table())

# %% [markdown]
# ### 7.1a What does greedy search write?
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 2 minutes · 1 point
#
# Greedy search takes the most probable next token, again and again, until the end or until it has
# written 4 tokens. Which of these does it write? Use your finger, not a cell.

# %%
for letter, string in options_7_1a().items():
    print(letter, string)

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_7_1a = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-7-1a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.1a", letter_7_1a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.1a")
# hint("7.1a", 2)
# hint("7.1a", 3)
# solution("7.1a")

# %% [markdown]
# ### 7.1b How probable is that?
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 3 minutes · 1 point
#
# Six numbers follow. Which one is the probability of what greedy search writes?

# %%
for letter, number in options_7_1b().items():
    print(letter, number)

# %%
letter_7_1b = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-7-1b", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.1b", letter_7_1b)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.1b")
# hint("7.1b", 2)
# hint("7.1b", 3)
# solution("7.1b")

# %% [markdown]
# ## 7.2 `n_best`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 15 minutes · 3 points
#
# The chapter's exhaustive search writes down everything and then takes the best. Exact search need not
# do that: each token makes an output less probable, so what begins with an improbable prefix need
# never be looked at. Find the `n` most probable outputs **for certain**, and ask the model about a
# prefix only if what begins with it could still be one of them.
#
# A model is a function here. It takes the ids written so far, as a tuple, and gives a list: the
# log-probability of token 0, of token 1, and so on. The table of 7.1 is one, with the ids a = 4,
# b = 5, c = 6:

# %%
print([round(math.exp(log_prob), 2) for log_prob in next_letter(())])  # before the first letter
print([round(math.exp(log_prob), 2) for log_prob in next_letter((4, 6))])  # after a c
print(spelt((4, 6, EOS_ID)))

# %% [markdown]
# This says which list is wanted, and not how to find it:
#
# ```
# every output that ends within max_len tokens, EOS counted, and is possible:
#     its total is the sum of next_log_probs(tokens[:t])[tokens[t]] over its tokens
# sort them by their total, largest first, and keep the first n
# ```
#
# A total of −inf is impossible. If fewer than `n` outputs end within `max_len`, give all of them. A
# prefix may be asked about unless `n` outputs that end are more probable than the prefix itself. The
# check first looks at the list, then at the questions.


# %% nbgrader={"grade": false, "grade_id": "n_best", "locked": false, "schema_version": 3, "solution": true, "task": false}
def n_best(next_log_probs, max_len, n):
    """The n most probable outputs that end within max_len tokens, best first.

    Args:
        next_log_probs: called as next_log_probs(prefix) with a tuple of ids, () at first; gives a
            list of V log-probabilities, of which some are -inf.
        max_len: int, at least 1; EOS counts.
        n: int, at least 1.

    Returns:
        A list of at most n pairs (tokens, total): a tuple of ids with EOS as the last one, and a
        float. It is empty if nothing ends.
    """
    ### BEGIN SOLUTION
    waiting, found = [(0.0, ())], []  # a heap of (cost, tokens): the cheapest comes first
    while waiting and len(found) < n:
        cost, tokens = heapq.heappop(waiting)
        if tokens[-1:] == (EOS_ID,):  # whatever still waits costs more, and so does its future
            found.append((tokens, -cost))
        elif len(tokens) < max_len:
            for token, log_prob in enumerate(next_log_probs(tokens)):
                if log_prob > -math.inf:
                    heapq.heappush(waiting, (cost - log_prob, (*tokens, token)))
    return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.2", n_best)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.2")
# hint("7.2", 2)
# hint("7.2", 3)
# solution("7.2")

# %% [markdown]
# Once it works, remove the `# ` and look: the table of 7.1 has 40 outputs of up to 4 tokens. Where is
# greedy's?

# %%
# for tokens, total in n_best(next_letter, 4, 12):
#     print(f"{math.exp(total):.4f}", spelt(tokens))

# %% [markdown]
# ## 7.3 Beam search
#
# A beam keeps `num_beams` open outputs. At each step it does two things, and each of them can be
# written and tested alone:
#
# - **expand**: rank all continuations of all open outputs,
# - **prune**: say which of the candidates have ended, and which stay open.
#
# In the chapter both worked on lists, and `prune` did the ranking. Here they work on tensors, as in a
# library, and `expand` ranks: then only a few candidates leave it, not k times V.
#
# ### 7.3a `expand`
#
# *Implement* · difficulty 3 of 5 · importance 5 of 5 · spend up to 10 minutes · 2 points
#
# There are k open outputs. Output i has the log-probability `totals[i]` so far, and `log_probs[i]` says
# what each of V tokens would add. Give back the best `2 * num_beams` continuations, best first, or all
# if fewer are possible:
#
# ```
# candidates = []
# for i in range(k):
#     for v in range(V):
#         if log_probs[i, v] > -inf:
#             candidates.append((totals[i] + log_probs[i, v], i, v))
# sort them, largest first, and keep the first 2 * num_beams
# ```
#
# Why twice? Think about it while you write; the solution has the answer. No two totals are equal.


# %% nbgrader={"grade": false, "grade_id": "expand", "locked": false, "schema_version": 3, "solution": true, "task": false}
def expand(totals, log_probs, num_beams):
    """The best continuations of all open outputs together, best first.

    Args:
        totals: floats [k], the log-probabilities of the open outputs.
        log_probs: floats [k, V], of each next token; -inf is impossible.
        num_beams: int.

    Returns:
        parent: int64 [n], which open output is continued,
        token: int64 [n], by which token,
        total: floats [n], the log-probability of both together.
        n is 2 * num_beams, or the number of possible continuations if that is smaller.
    """
    ### BEGIN SOLUTION
    V = log_probs.size(1)
    every = (totals[:, None] + log_probs).flatten()  # [k, 1] + [k, V] -> [k * V]
    possible = int((every > -math.inf).sum())
    total, place = every.topk(min(2 * num_beams, possible))  # [n], best first
    return place // V, place % V, total
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-3a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.3a", expand)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.3a")
# hint("7.3a", 2)
# hint("7.3a", 3)
# solution("7.3a")

# %% [markdown]
# ### 7.3b `prune`
#
# *Implement* · difficulty 2 of 5 · importance 5 of 5 · spend up to 8 minutes · 2 points
#
# `expand` has ranked the candidates, and `token` holds their tokens, best first. Two rules say what
# becomes of the candidate at place p:
#
# ```
# ended, still_open = [], []
# for p in range(n):
#     if token[p] == EOS_ID:
#         if p < num_beams:
#             ended.append(p)          # further down an EOS is dropped
#     elif len(still_open) < num_beams:
#         still_open.append(p)         # wherever it stands
# ```
#
# So with one beam an output ends only where EOS is the best of all, as in greedy search. And outputs
# that end never make the beam narrower.


# %% nbgrader={"grade": false, "grade_id": "prune", "locked": false, "schema_version": 3, "solution": true, "task": false}
def prune(token, num_beams):
    """Which candidates have ended, and which stay open.

    Args:
        token: int64 [n], the tokens of the ranked candidates, best first; n may be less than
            num_beams.
        num_beams: int.

    Returns:
        ended: int64, the places of those that end, in their order,
        still_open: int64, the places of at most num_beams that stay open, in their order.
    """
    ### BEGIN SOLUTION
    ends = token == EOS_ID  # [n]
    place = torch.arange(len(token))  # [n]
    return place[ends & (place < num_beams)], place[~ends][:num_beams]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-3b", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.3b", prune)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.3b")
# hint("7.3b", 2)
# hint("7.3b", 3)
# solution("7.3b")

# %% [markdown]
# **Continue from here.** From now on `expand` and `prune` are those of the course, so you can go on,
# whether 7.3a and 7.3b are solved or not. If you come back to one of them later, run the cell of your
# own function again before its check.

# %% nbgrader={"grade": false, "grade_id": "continue-7-3", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch07_search import expand, prune

# %% [markdown]
# ### 7.3c `beam`
#
# *Implement* · difficulty 4 of 5 · importance 5 of 5 · spend up to 20 minutes · 4 points
#
# Now the loop, for one sentence, and it does not begin with nothing: some words are written already,
# `prefix`. That is how a translator goes on from what its user has typed, and how a language model
# answers a prompt. The model is a real one: it has a **state**, one row for each open output, and it
# reads one token of each row at a time.
#
# ```python
# state = model.start(src, src_lengths)          # one row: nothing has been read
# log_probs, state = model.step(tokens, state)   # tokens int64 [k], log_probs [k, V]
# state = state.select(rows)                     # int64 [k']: keep, repeat or reorder rows
# ```
#
# The first token that the model reads is BOS. Then it reads the prefix; an output begins with the
# words of the prefix, and they count for its log-probability and for `max_len`. From there on:
#
# ```
# the model reads the last token of each open output
# expand gives candidates, prune says what has ended and what stays open
# what has ended: write down (tokens, total)
# what stays open: its tokens, its total and its row of the state go on together
# ```
#
# It is over when nothing is open, or when the outputs have `max_len` tokens. What has not ended by
# then is dropped. With nothing open, do not ask the model again: no network reads 0 rows.


# %% nbgrader={"grade": false, "grade_id": "beam", "locked": false, "schema_version": 3, "solution": true, "task": false}
def beam(model, src, src_lengths, num_beams, max_len, prefix):
    """Beam search for one sentence, from a given beginning.

    Args:
        model: with start and step, see above.
        src, src_lengths: int64 [1, S] and [1], for model.start.
        num_beams: int, the number of open outputs that are kept.
        max_len: int, tokens of the longest output, prefix and EOS counted.
        prefix: list of fewer than max_len ids, without BOS; often empty.

    Returns:
        A list of pairs (tokens, total), all outputs that ended, best first: a list of ids, prefix
        first and EOS last, and a float, the log-probability of all of them. It is empty if nothing
        ended.
    """
    ### BEGIN SOLUTION
    state, last, total = model.start(src, src_lengths), BOS_ID, 0.0  # one row
    for token in prefix:  # written already: the model reads it, and it is paid for
        log_probs, state = model.step(torch.tensor([last]), state)
        last, total = token, total + log_probs[0, token].item()
    outputs, totals, finished = [list(prefix)], torch.tensor([total]), []
    for _ in range(max_len - len(prefix)):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])  # [k]
        log_probs, state = model.step(last, state)  # [k, V]
        parent, token, total = expand(totals, log_probs, num_beams)  # [n] each
        longer = [[*outputs[p], t] for p, t in zip(parent.tolist(), token.tolist(), strict=True)]
        ended, still_open = prune(token, num_beams)
        finished += [(longer[i], total[i].item()) for i in ended.tolist()]
        if len(still_open) == 0:
            break
        outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        state = state.select(parent[still_open])
    return sorted(finished, key=lambda output: output[1], reverse=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-3c", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.3c", beam)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.3c")
# hint("7.3c", 2)
# hint("7.3c", 3)
# solution("7.3c")

# %% [markdown]
# Something to try it on: the table of 7.1, and models that remember all that they have read.
# `HashModel(V, seed=...)` has V tokens, of which 3 to V − 1 are words, and probabilities that are
# drawn from everything read so far; another seed is another model. `eos_bias` is added to the score of
# EOS before the softmax, so a larger one makes shorter outputs. The messages of the check name such
# models; with the same numbers you get the same model here.

# %%
some_src, some_src_lengths = torch.tensor([[5, 3, EOS_ID]]), torch.tensor([3])
memory = HashModel(6, seed=134, eos_bias=0.5)
# for tokens, total in beam(three_letters(), some_src, some_src_lengths, 3, 4, []):
#     print(f"{math.exp(total):.4f}", spelt(tokens))
# beam(memory, some_src, some_src_lengths, 3, 4, [5])

# %% [markdown]
# **Continue from here.** `beam` is now that of the course too.

# %% nbgrader={"grade": false, "grade_id": "continue-7-3c", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch07_search import beam

# %% [markdown]
# ## 7.4 `top_p`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 12 minutes · 3 points
#
# To sample without saying something absurd, keep the most probable tokens until they have at least the
# probability p together, and forget the others. For each row:
#
# ```
# kept, mass = [], 0.0
# for token in the tokens of this row, most probable first:
#     kept.append(token)
#     mass += exp(log_probs[row, token])
#     if mass >= p:
#         break
# # the kept ones share all probability, the others have none
# ```
#
# Log-probabilities go in and come out: −inf for a token that was dropped, and the probabilities of
# each row sum to one. A sum that is exactly p has reached it. No two tokens that matter are equally
# probable. The library has such a filter; here you write it.


# %% nbgrader={"grade": false, "grade_id": "top_p", "locked": false, "schema_version": 3, "solution": true, "task": false}
def top_p(log_probs, p):
    """Keep the smallest set of most probable tokens that has at least the probability p.

    Args:
        log_probs: floats [B, V], normalised.
        p: float, 0 < p < 1.

    Returns:
        floats [B, V], normalised log-probabilities, -inf where a token was dropped.
    """
    ### BEGIN SOLUTION
    ranked, order = log_probs.sort(descending=True)  # [B, V] twice
    before = ranked.exp().cumsum(-1) - ranked.exp()  # [B, V], the mass of all better tokens
    ranked = ranked.masked_fill(before >= p, -math.inf)
    filtered = torch.empty_like(log_probs).scatter(-1, order, ranked)  # back in the order of ids
    return filtered.log_softmax(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-4", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.4", top_p)

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
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which column cannot come from a right beam search: A, B, C or D? For each column, ask which way it may
# change from step to step. Put your letter between the quotation marks.

# %%
letter_7_5a = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-7-5a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
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
# *Debug* · difficulty 4 of 5 · importance 5 of 5 · spend up to 20 minutes · 5 points
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
# written. All of these return **all** outputs that ended within `max_len` tokens, by the rules of 7.3,
# each once. It should reject the patient (2 points), five of the eight wrong searches (2 more), and all
# of them (1 more). The others have bugs that were published, some of them in the chapter.
#
# What you can use: `three_letters()`, the table of 7.1 with the ids a = 4, b = 5, c = 6, which you can
# search by hand; `HashModel(7, seed=1)`, which remembers all that it has read (see 7.3c); and `rescore`,
# which reads outputs again from the start:
#
# ```python
# (hyps,) = rescore(model, src, src_lengths, [[[4, 5, 2], [3, 2]]])   # one sentence, two outputs
# hyps[0].log_prob                                                    # what [4, 5, 2] really has
# ```
#
# `laws.search_oracle` does not fit here: it also wants the outputs that were cut off.
#
# Compare numbers with a tolerance, and `list(hyp.tokens)` with a list: of the right searches, some round
# their numbers, and some give tuples. A test may be short: `assert` is all it needs.


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
    (read_again,) = rescore(model, src, src_lengths, [[list(hyp.tokens) for hyp in found]])
    for hyp, true in zip(found, read_again, strict=True):
        assert abs(hyp.log_prob - true.log_prob) < 1e-4
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-7-5b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
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
# *Debug* · difficulty 3 of 5 · importance 4 of 5 · spend up to 8 minutes · 2 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it
# anew. `expand`, `prune` and `beam` are there.


# %% nbgrader={"grade": false, "grade_id": "fixed_search", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_search(model, src, src_lengths, num_beams, max_len, alpha):
    """The patient, healed: beam search for one sentence, with a length penalty.

    Args:
        model: with start and step, as in 7.3c.
        src, src_lengths: int64 [1, S] and [1].
        num_beams, max_len: ints.
        alpha: float; the score is log_prob / len(tokens) ** alpha.

    Returns:
        A list of Hyp(tokens, log_prob, score), all outputs that ended, best score first.
    """
    ### BEGIN SOLUTION
    state = model.start(src, src_lengths)
    outputs, totals, found = [[]], torch.zeros(1), []
    for _ in range(max_len):
        last = torch.tensor([tokens[-1] if tokens else BOS_ID for tokens in outputs])
        log_probs, state = model.step(last, state)
        parent, token, total = expand(totals, log_probs, num_beams)
        longer = [[*outputs[p], t] for p, t in zip(parent.tolist(), token.tolist(), strict=True)]
        ended, still_open = prune(token, num_beams)
        for i in ended.tolist():
            log_prob = total[i].item()
            found.append(Hyp(longer[i], log_prob, log_prob / len(longer[i]) ** alpha))
        if len(still_open) == 0:
            break
        outputs, totals = [longer[i] for i in still_open.tolist()], total[still_open]
        state = state.select(parent[still_open])
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
# ## 7.6 How wide?
#
# *Extend* · difficulty 3 of 5 · importance 4 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# A wider beam finds more probable outputs. Are they better? To find out one needs a model whose
# mistakes cannot be blamed, and here is one: in the letters task each source letter is rewritten in one
# of a few ways, with known probabilities, and this model knows them all. It is **perfect**.
# `search_letters(source, num_beams)` searches with it, and gives a list of pairs, best first: the output
# without its end, and its log-probability.

# %%
for output, log_prob in search_letters("e", 3):
    print(f"{output:3}  {log_prob:.4f}")

# %% [markdown]
# **Measure it.** Write a function that gives, for each width, three means over the sources, always of
# the best output that the search found: its log-probability, its number of letters, and the share of
# sources for which it is the most probable output of all, `letters_mode(source)` (a tuple of letters).


# %% nbgrader={"grade": false, "grade_id": "width_report", "locked": false, "schema_version": 3, "solution": true, "task": false}
def width_report(sources, widths):
    """What beams of several widths find.

    Args:
        sources: list of strings, letters of "abcde".
        widths: list of ints, the widths to try.

    Returns:
        {width: {"log_prob": mean, "length": mean, "mode": share}}, Python floats.
    """
    ### BEGIN SOLUTION
    report = {}
    for k in widths:
        best = [search_letters(source, k)[0] for source in sources]
        modes = ["".join(letters_mode(source)) for source in sources]
        report[k] = {
            "log_prob": sum(log_prob for _, log_prob in best) / len(sources),
            "length": sum(len(output) for output, _ in best) / len(sources),
            "mode": sum(b[0] == mode for b, mode in zip(best, modes, strict=True)) / len(sources),
        }
    return report
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the numbers can be right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-7-6", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("7.6", width_report)
### BEGIN HIDDEN TESTS
some_sources = ["ab", "ba", "bb", "aba", "aab", "abe"]  # what the written answer should say
print(round(sum(map(letters_expected_length, some_sources)) / len(some_sources), 2))
for k, numbers in width_report(some_sources, [1, 2, 3, 5, 10, 30]).items():
    print(k, {name: round(number, 3) for name, number in numbers.items()})
### END HIDDEN TESTS

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("7.6")
# hint("7.6", 2)
# hint("7.6", 3)
# solution("7.6")

# %% [markdown]
# Some sources to try it on. Make others as you need them, in cells of your own below this one. A table
# or a plot is welcome. `letters_expected_length(source)` says how long the right answers are on average,
# if they are drawn as the task draws them.

# %%
sources = ["ab", "ba", "bb", "aba", "aab", "abe"]
print(round(sum(map(letters_expected_length, sources)) / len(sources), 2))
# width_report(sources, [1, 2, 3, 5, 10, 30])

# %% [markdown]
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your table for these sources, and what happens to each of the three numbers as the beam gets wider
#    (2 points),
# 2. how long the right answers are on average, how long the most probable ones are, and why the two
#    differ although the model is perfect; look at how `a` is rewritten, with `search_letters("a", 3)`
#    (2 points),
# 3. what you would tell somebody who says that the widest beam is the best, and what you would do
#    instead of widening it (2 points).

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-7-6", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Numbers** (2 points: the table, and the three trends).
#
# | width | log_prob | length | mode |
# |---|---|---|---|
# | 1 | −3.99 | 5.17 | 0 |
# | 2 | −3.79 | 5.17 | 0 |
# | 3 | −3.46 | 4.83 | 0 |
# | 5 | −3.05 | 4.17 | 0.17 |
# | 10 | −2.69 | 3.17 | 0.83 |
# | 30 | −2.59 | 2.83 | 1 |
#
# The outputs become more probable, shorter, and more often the most probable one of all. With 30 beams
# nothing is lost any more, and a wider beam changes nothing.
#
# **Why** (2 points: the two lengths; one short output against several long ones). The right answers have
# 4.18 letters on average, the most probable ones 2.83. `a` becomes `w` with 0.4, and `xy` or `xz` with
# 0.3 each. So the right answer is long in 60 of 100 cases, but there are two long ones that share these
# 60, and each of them alone is less probable than the short one. The most probable output is not a
# typical one, and no better model would change that. A narrow beam errs on the other side: it follows
# `x` with its 0.6, and writes 5.17 letters, more than the average.
#
# **Advice** (2 points: probable is not good; an alternative with a reason). A wider beam is a better
# search for the most probable output. Here that is the wrong goal: found reliably, it is too short by a
# third. So choose the width on held-out data, by the score that matters, and look at the length too; or
# add a length penalty, chosen there as well; or sample, if outputs should be as varied as right answers
# are. Where a small width gives the best translations, search errors may be what hides how short the most
# probable output is.
