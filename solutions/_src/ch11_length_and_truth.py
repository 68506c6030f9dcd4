# %% [markdown]
# # Exercises 11: length and truth
#
# These exercises go with [chapter 11](../../chapters/ch11_length_and_truth.ipynb). They ask for other places
# where probability, length and usefulness part: the smallest set with probability p, the n best outputs with
# proof, the output that is worth most on average. Then you treat a patient who counts the prompt.
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
# and try edges, too: one row, one sample, an empty prefix. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 11.2 `top_p` | implement | 12 | 3 |
# | 11.3 kept by three filters | predict | 4 | 2 |
# | 11.4 `n_best_exact` | implement | 25 | 5 |
# | 11.5 `mbr` | implement | 12 | 3 |
# | 11.6 `banned` | fill in | 10 | 2 |
# | 11.7 the bug clinic | debug | 22 | 5 |
# | 11.8 seeds, widths, penalties | extend | 45 | 6, bonus |
#
# (11.1 is in the chapter.) PAD, BOS and EOS have the ids 0, 1 and 2; on paper EOS is •.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import heapq
import inspect
import math
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch11_length_and_truth import patient_rank, ranking_log
from seq2seq_lib.vocab import EOS_ID, PAD_ID

torch.set_num_threads(1)

# %% [markdown]
# ## 11.2 `top_p`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 12 minutes · 3 points
#
# Keep the smallest set of most probable tokens whose probabilities sum to at least p, and make a distribution
# of what is left. The specification, slow:
#
# ```
# for b in range(B):
#     kept, mass = [], 0.0
#     for token in the ids of row b, the most probable first:
#         kept.append(token)
#         mass += probability of token
#         if mass >= p: stop
#     filtered[b, token] = log(probability / mass) for the kept ones, -inf for the others
# ```
#
# The library has it as `filters.top_p_filter`; here you write what happens inside, without a loop.


# %% nbgrader={"grade": false, "grade_id": "top_p", "locked": false, "schema_version": 3, "solution": true, "task": false}
def top_p(log_probs, p):
    """Keep the smallest set with probability p at least.

    Args:
        log_probs: floats [B, V], each row a distribution.
        p: in (0, 1).

    Returns:
        log-probabilities [B, V], -inf where a token was dropped; rows sum to one.
    """
    ### BEGIN SOLUTION
    ranked, order = log_probs.sort(descending=True)  # [B, V] twice
    before = ranked.exp().cumsum(-1) - ranked.exp()  # [B, V], the mass of all better tokens
    ranked = ranked.masked_fill(before >= p, -math.inf)
    filtered = torch.empty_like(log_probs).scatter(-1, order, ranked)  # back in the order of ids
    return filtered.log_softmax(-1)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-2", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.2", top_p)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.2")
# hint("11.2", 2)
# hint("11.2", 3)
# solution("11.2")

# %% [markdown]
# ## 11.3 Kept by three filters
#
# *Predict* · difficulty 2 of 5 · importance 3 of 5 · spend up to 4 minutes · 2 points
#
# A row of five tokens: .50, .20, .15, .10, .05. How many do top-k 2, top-p 0.8 and min-p 0.25 keep, in this order?
#
# - **A** 2, 2, 3
# - **B** 2, 3, 1
# - **C** 2, 4, 3
# - **D** 2, 3, 3
# - **E** 2, 2, 1
# - **F** 2, 3, 5
#
# Put your letter between the quotation marks.

# %%
letter_11_3 = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-11-3", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.3", letter_11_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.3")
# hint("11.3", 2)
# hint("11.3", 3)
# solution("11.3")

# %% [markdown]
# ## 11.4 `n_best_exact`
#
# *Implement* · difficulty 4 of 5 · importance 5 of 5 · spend up to 25 minutes · 5 points
#
# The chapter proves the single best output. Now the n best ones that end, with proof, in order. `next_log_probs`
# takes a string, such as `"ab"`, and gives `{token: log-probability}`, where `"•"` is the end. The specification
# writes down everything:
#
# ```
# every = all outputs of at most `longest` tokens that end in "•", with their totals
# return the n with the largest totals, the largest first (all, if there are fewer)
# ```
#
# Yours must not read a prefix that is less probable than all n outputs that it returns: the check counts. Of
# equally probable outputs any order will do.


# %% nbgrader={"grade": false, "grade_id": "n_best_exact", "locked": false, "schema_version": 3, "solution": true, "task": false}
def n_best_exact(next_log_probs, n, longest):
    """The n most probable outputs that end.

    Args:
        next_log_probs: prefix, a string -> {token: log-probability}; never asked about a prefix
            that has ended, or has `longest` tokens.
        n: how many, at least 1.
        longest: tokens of an output, • counted.

    Returns:
        A list of pairs (output with its •, log-probability), best first.
    """
    ### BEGIN SOLUTION
    found, heap = [], [(0.0, "")]
    while heap and len(found) < n:
        cost, output = heapq.heappop(heap)
        if output.endswith("•"):  # what still waits costs more, and so does all that grows from it
            found.append((output, -cost))
        elif len(output) < longest:
            for token, added in next_log_probs(output).items():
                heapq.heappush(heap, (cost - added, output + token))
    return found
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-4", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.4", n_best_exact)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.4")
# hint("11.4", 2)
# hint("11.4", 3)
# solution("11.4")

# %% [markdown]
# ## 11.5 `mbr`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 12 minutes · 3 points
#
# Minimum Bayes risk on samples: each sample is a candidate, and each sample is a reference. Return the candidate
# with the highest mean utility; of equally good ones the one that was drawn first.
#
# ```
# for candidate in samples:
#     worth = mean over all reference in samples of utility(candidate, reference)
# ```
#
# `utility` need not be symmetric. Round sums to nine digits before you compare them, so that equal means equal.


# %% nbgrader={"grade": false, "grade_id": "mbr", "locked": false, "schema_version": 3, "solution": true, "task": false}
def mbr(samples, utility):
    """The sample that is worth most on average.

    Args:
        samples: strings, at least one; the same may come several times.
        utility: called as utility(candidate, reference), gives a number.

    Returns:
        One of the samples.
    """

    ### BEGIN SOLUTION
    def worth(candidate):
        return sum(utility(candidate, reference) for reference in samples)

    return max(samples, key=lambda candidate: round(worth(candidate), 9))  # of equals the first
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-5", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.5", mbr)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.5")
# hint("11.5", 2)
# hint("11.5", 3)
# solution("11.5")

# %% [markdown]
# ## 11.6 `banned`
#
# *Fill in* · difficulty 3 of 5 · importance 3 of 5 · spend up to 10 minutes · 2 points
#
# Which tokens may not come next, if no n-gram is to stand in an output twice? PAD, id 0, is no token: leave it
# out first, on whichever side it stands. Then: a token is banned if it followed the last n − 1 tokens before.
#
# ```
# banned([5, 6, 7, 5, 6], 3) is [7]: 5 6 7 is there already
# banned([4, 9, 4], 1) is [4, 9]: each token once
# ```
#
# Fill the blanks `____`, remove the `# ` in front, and take out the two lines of the stub.


# %% nbgrader={"grade": false, "grade_id": "banned", "locked": false, "schema_version": 3, "solution": true, "task": false}
def banned(prefix, n):
    """Tokens that would complete an n-gram for the second time.

    Args:
        prefix: a list of ids, what was written so far, pads anywhere; may be empty or shorter than n.
        n: at least 1.

    Returns:
        A list of ids, each once, the smallest first.
    """
    # tokens = [token for token in prefix if token != ____]
    # context = tokens[len(tokens) - ____ :] if len(tokens) >= n else None
    # starts = range(len(tokens) - ____)
    # return sorted({tokens[____] for s in starts if tokens[s : ____] == context})
    ### BEGIN SOLUTION
    tokens = [token for token in prefix if token != PAD_ID]
    context = tokens[len(tokens) - (n - 1) :] if len(tokens) >= n else None
    starts = range(len(tokens) - n + 1)
    return sorted({tokens[s + n - 1] for s in starts if tokens[s : s + n - 1] == context})
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-6", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.6", banned)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.6")
# hint("11.6", 2)
# hint("11.6", 3)
# solution("11.6")

# %% [markdown]
# ## 11.7 The bug clinic
#
# **History.** A library that has searched for encoder-decoders for years gets decoder-only models, which read a
# prompt and go on from there. Nothing crashes. A reader finds that the best of several outputs depends on how
# long the prompt was, although the outputs and their log-probabilities are the same.
# ([transformers#26624](https://github.com/huggingface/transformers/issues/26624) tells such a story.) Here is
# the log; the outputs are those of chapter 11's card.

# %% nbgrader={"grade": false, "grade_id": "clinic-log", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(ranking_log())

# %% [markdown]
# ### 11.7a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 1 point
#
# Which of six suspects explains the *whole* log?
#
# - **A** EOS is not counted in the length
# - **B** the log-probability is multiplied by the length
# - **C** the prompt is counted in the length
# - **D** the prompt's log-probability is part of the sum
# - **E** states were not reordered with their outputs
# - **F** BOS is counted in the length
#
# Put your letter between the quotation marks.

# %%
letter_11_7a = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-11-7a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.7a", letter_11_7a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.7a")
# hint("11.7a", 2)
# hint("11.7a", 3)
# solution("11.7a")

# %% [markdown]
# ### 11.7b A test that catches it
#
# *Debug* · difficulty 3 of 5 · importance 5 of 5 · spend up to 12 minutes · 3 points
#
# Here is the patient. Read it, but do not repair it yet.

# %% nbgrader={"grade": false, "grade_id": "clinic-patient", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(inspect.getsource(patient_rank))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that calls any ranking on a few outputs of
# your own and raises `AssertionError` if the order or a score is wrong. Right is log p / tokens^alpha, EOS
# counted, the prompt not. Right rankings differ in the last digits, and may give lists for tuples.
#
# Rejecting the patient earns 1 point, five of seven wrong rankings 1 more, and all seven 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_patient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_patient(rank):
    """Raise AssertionError unless rank ranks by score.

    Args:
        rank: called as rank(outputs, prompt_length, alpha), where outputs is a list of pairs (a
            tuple of generated ids with EOS last, log-probability); gives pairs (ids, score), best
            first.
    """
    ### BEGIN SOLUTION
    outputs = [((5, 2), -2.0), ((4, 6, 5, 2), -3.0), ((2,), -2.5)]
    for prompt_length in (0, 6):
        for alpha in (0.0, 0.5, 1.0):
            right = {tokens: lp / len(tokens) ** alpha for tokens, lp in outputs}
            best_first = sorted(right, key=lambda tokens: -right[tokens])
            ranked = rank(outputs, prompt_length, alpha)
            assert [tuple(tokens) for tokens, _ in ranked] == best_first
            for tokens, score in ranked:
                assert math.isclose(score, right[tuple(tokens)], abs_tol=1e-6)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-7b", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.7b", test_patient)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.7b")
# hint("11.7b", 2)
# hint("11.7b", 3)
# solution("11.7b")

# %% [markdown]
# ### 11.7c The repair
#
# *Debug* · difficulty 2 of 5 · importance 5 of 5 · spend up to 5 minutes · 1 point
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_rank", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_rank(outputs, prompt_length, alpha):
    """The patient, healed: finished outputs by score, best first.

    Args:
        outputs: a list of pairs (generated ids, EOS last; their log-probability), possibly empty.
        prompt_length: tokens that stand before them.
        alpha: exponent of the length penalty.

    Returns:
        A list of pairs (ids, score).
    """
    ### BEGIN SOLUTION
    scored = [(tokens, log_prob / len(tokens) ** alpha) for tokens, log_prob in outputs]
    return sorted(scored, key=lambda one: one[1], reverse=True)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-11-7c", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.7c", fixed_rank)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.7c")
# hint("11.7c", 2)
# hint("11.7c", 3)
# solution("11.7c")

# %% [markdown]
# ## 11.8 Seeds, widths, penalties
#
# *Extend* · difficulty 4 of 5 · importance 3 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# Five models with one loss wrote nothing at fifty beams for 19, 0, 0, 90 and 97 of 100 sources. Where does it begin,
# and what does a penalty do about it? First write what you measure with.


# %% nbgrader={"grade": false, "grade_id": "report", "locked": false, "schema_version": 3, "solution": true, "task": false}
def report(outputs):
    """How many say nothing, how long they are, how many were cut off.

    Args:
        outputs: a list of lists of ids, EOS last unless the output was cut off; none is empty.

    Returns:
        How many are EOS alone; the mean number of tokens, EOS counted; the share without EOS.
    """
    ### BEGIN SOLUTION
    empty = sum(output == [EOS_ID] for output in outputs)
    mean = sum(map(len, outputs)) / len(outputs)
    unfinished = sum(output[-1] != EOS_ID for output in outputs) / len(outputs)
    return empty, mean, unfinished
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the three numbers are right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-11-8", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("11.8", report)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("11.8")
# hint("11.8", 2)
# hint("11.8", 3)
# solution("11.8")

# %% [markdown]
# Models to try it on, about ten seconds each, in cells of your own below this one:
#
# ```
# from seq2seq_lib.batching import collate, encode_pairs
# from seq2seq_lib.course.assets.keywords import Recipe, keyword_pairs, train
# from seq2seq_lib.decoding import beam_search
#
# made, pairs = train(Recipe(seed=1)), keyword_pairs().test
# two = [pair for pair in pairs if len(pair.source) == 2][:100]
# batch = collate(encode_pairs(two, made.src_vocab, made.tgt_vocab))
# found = beam_search(made.model, batch.src, batch.src_lengths, num_beams=50, max_new_tokens=20)
# report([best.tokens for (best,) in found])
# ```
#
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. your question and your numbers: three seeds, four widths, two values of α (2 points),
# 2. whether the seeds agree, and what a difference is worth beside them (2 points),
# 3. which of the mistakes are the search's and which are the model's, and how you know (2 points).
#
# Any outcome counts.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-11-8", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Question and numbers** (2 points: a question that can be answered no, three seeds, widths, α). Does α = 1 remove
# the empty sentence at fifty beams, or only make it rarer? All of the first 200 sources; empty at 5, 10, 20 and 50
# beams, α = 0: seed 0: 0, 0, 0, 19; seed 3: 0, 0, 0, 97; seed 4: 0, 0, 42, 113. α = 1 (5, 10, 50 beams): none, for
# all three; tokens at 50 beams 8.0, 8.9 and 8.4, where the references have 7.4.
#
# **Seeds** (2 points: the difference beside the spread). With α = 1 the seeds agree, and up to ten beams without
# it. At fifty they run from 19 to 113, with losses of 1.68 to 1.71, so one seed would have told anything.
#
# **Whose mistake** (2 points: rescoring or exact search, and what it shows). Rescored, EOS alone is more probable
# than greedy search's output for 38, 100 and 97 of the 100 sources. So where it is written, the search found
# what the model prefers: the model's mistake. Where it is preferred and not written, as up to ten beams, the
# search made a mistake of its own that helped.
