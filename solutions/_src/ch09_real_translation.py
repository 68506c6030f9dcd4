# %% [markdown]
# # Exercises 9: real translation
#
# These exercises go with [chapter 9](../../chapters/ch09_real_translation.ipynb). They ask for what stands around
# a score: the pieces before it, another metric beside it, an interval, a split that is fair. Then you treat a
# corpus score that reads one line of its corpus.
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
# You may check as often as you like. Nothing is sent anywhere. The checks draw new texts and numbers each
# time, and try empty ones, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 9.1 three predictions | predict | 5 | 3 |
# | 9.2 `encode` | implement | 15 | 4 |
# | 9.3 `chrf_sentence` | implement | 20 | 4 |
# | 9.4 `paired_interval` | implement | 20 | 4 |
# | 9.5 `split_by_source` | implement | 15 | 4 |
# | 9.6 the bug clinic | debug | 25 | 5 |
# | 9.7 two hundred outputs | extend | 60 | 6, bonus |
#
# (9.8 and 9.9 are in the chapter.)

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
import math
import random
from collections import Counter

import torch

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch09_real_translation import patient_score, score_log

torch.set_num_threads(1)

# %% [markdown]
# ## 9.1 Three predictions
#
# Put a letter between the quotation marks, without running anything.

# %% [markdown]
# ### 9.1a a word is lost
#
# *Predict* · difficulty 2 of 5 · importance 4 of 5 · spend up to 2 minutes · 1 point
#
# The reference has eight words, all different. The output is the same without the third word. Its BLEU, with n up to
# 4 and no smoothing:
#
# - **A** 87.5
# - **B** 100
# - **C** 61.3
# - **D** 70.7
# - **E** 0

# %%
letter_9_1a = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-9-1a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.1a", letter_9_1a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.1a")
# hint("9.1a", 2)
# hint("9.1a", 3)
# solution("9.1a")

# %% [markdown]
# ### 9.1b short lines
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 2 minutes · 1 point
#
# A corpus of ten lines, all of them right word for word: nine have three words, one has four. Its BLEU, with n up to 4
# and no effective order:
#
# - **A** 0
# - **B** 10
# - **C** 100
# - **D** 90
# - **E** more than 0, but only with smoothing

# %%
letter_9_1b = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-9-1b", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.1b", letter_9_1b)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.1b")
# hint("9.1b", 2)
# hint("9.1b", 3)
# solution("9.1b")

# %% [markdown]
# ### 9.1c two systems
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 1 minute · 1 point
#
# X has 31.0 ± 1.2 BLEU and Y 32.0 ± 1.2, on the same 1,000 sentences. Each was trained once. The paired interval of
# the gain of Y is 0.2 to 1.8. What follows?
#
# - **A** nothing: the two intervals overlap
# - **B** the recipe of Y is better than that of X
# - **C** Y translates 95 % of the sentences better
# - **D** on such sentences these weights of Y are better than these of X; of the recipes nothing is known yet
# - **E** nothing: one point of BLEU is chance

# %%
letter_9_1c = "D"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-9-1c", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.1c", letter_9_1c)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.1c")
# hint("9.1c", 2)
# hint("9.1c", 3)
# solution("9.1c")

# %% [markdown]
# ## 9.2 `encode`
#
# *Implement* · difficulty 3 of 5 · importance 4 of 5 · spend up to 15 minutes · 4 points
#
# In which pieces does a model read a word? Apply merges in the order in which they were learned, each at all its
# places, from left to right:
#
# ```
# pieces = the mark, then the letters
# for each merge, the oldest first:
#     join its two pieces wherever they stand side by side; no piece is used twice
# ```
#
# A letter that no merge holds stays a piece of its own.


# %% nbgrader={"grade": false, "grade_id": "encode", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encode(word, merges):
    """A word in pieces.

    Args:
        word: a string, possibly empty; it holds no mark.
        merges: a list of pairs of strings, in the order in which they were learned.

    Returns:
        a list of strings, which spell the mark and the word: "▁" + word.
    """
    ### BEGIN SOLUTION
    pieces = ["▁", *word]
    for left, right in merges:
        joined, i = [], 0
        while i < len(pieces):
            step = 2 if pieces[i : i + 2] == [left, right] else 1
            joined.append("".join(pieces[i : i + step]))
            i += step
        pieces = joined
    return pieces
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-9-2", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.2", encode)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.2")
# hint("9.2", 2)
# hint("9.2", 3)
# solution("9.2")

# %% [markdown]
# ## 9.3 `chrf_sentence`
#
# *Implement* · difficulty 3 of 5 · importance 3 of 5 · spend up to 20 minutes · 4 points
#
# chrF of one sentence, for n from 1 to `max_n`. Spaces are taken out, and what is counted are runs of n letters, clipped
# as in BLEU. With precision $p_n$ = matches / runs of the hypothesis, and recall $r_n$ = matches / runs of the
# reference, let $p$ and $r$ be their means **over the orders that both texts have**:
#
# $$ F = 100\,\frac{(1+\beta^2)\,p\,r}{\beta^2\,p + r} $$
#
# and 0 if nothing matches, or nothing is there.


# %% nbgrader={"grade": false, "grade_id": "chrf_sentence", "locked": false, "schema_version": 3, "solution": true, "task": false}
def chrf_sentence(h, r, max_n, beta):
    """chrF of a hypothesis against a reference.

    Args:
        h, r: strings, possibly empty.
        max_n: an int, at least 1.
        beta: a float above 0.

    Returns:
        a float, 0 to 100.
    """

    ### BEGIN SOLUTION
    def count(text: str, n: int) -> Counter:
        letters = text.replace(" ", "")
        return Counter(letters[i : i + n] for i in range(len(letters) - n + 1))

    precision = recall = orders = 0
    for n in range(1, max_n + 1):
        ours, theirs = count(h, n), count(r, n)
        if ours and theirs:
            hits = (ours & theirs).total()
            precision += hits / ours.total()
            recall += hits / theirs.total()
            orders += 1
    if not precision:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100 * (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-9-3", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.3", chrf_sentence)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.3")
# hint("9.3", 2)
# hint("9.3", 3)
# solution("9.3")

# %% [markdown]
# ## 9.4 `paired_interval`
#
# *Implement* · difficulty 4 of 5 · importance 5 of 5 · spend up to 20 minutes · 4 points
#
# The paired bootstrap for *any* score that is made of sums, chrF or your own. Row i of both tables is the same sentence;
# a row of `picks` is one draw:
#
# ```
# for each draw:
#     gain = score of b's summed rows - score of a's summed rows
# low, high = the quantiles of 2.5 % and 97.5 % of all gains
# ```
#
# `torch.quantile` draws straight lines between the gains, and that is what is compared.


# %% nbgrader={"grade": false, "grade_id": "paired_interval", "locked": false, "schema_version": 3, "solution": true, "task": false}
def paired_interval(stats_a, stats_b, picks, score):
    """The 95 % interval of the gain of b over a.

    Args:
        stats_a, stats_b: int64 [N, K], what the score adds up, a row a sentence.
        picks: int64 [R, N], numbers of sentences.
        score: called with a tensor of sums [K]; gives a float.

    Returns:
        two floats, low and high.
    """
    ### BEGIN SOLUTION
    gains = [score(stats_b[pick].sum(0)) - score(stats_a[pick].sum(0)) for pick in picks]
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
    low, high = torch.tensor(gains, dtype=torch.float64).quantile(ends).tolist()
    return low, high
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-9-4", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.4", paired_interval)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.4")
# hint("9.4", 2)
# hint("9.4", 3)
# solution("9.4")

# %% [markdown]
# ## 9.5 `split_by_source`
#
# *Implement* · difficulty 3 of 5 · importance 5 of 5 · spend up to 15 minutes · 4 points
#
# Split a corpus into training and test, so that no source is on both sides. Two sources are the same if `key` says so.
# Everybody must get the same split:
#
# ```
# take the different keys of all sources, sorted
# shuffle them with random.Random(seed).shuffle
# the first max(1, round(share * number of keys)) are the test's
# a pair goes where its key goes; pairs keep their order; doubles are kept
# ```


# %% nbgrader={"grade": false, "grade_id": "split_by_source", "locked": false, "schema_version": 3, "solution": true, "task": false}
def split_by_source(pairs, share, seed, key):
    """Training and test without a common source.

    Args:
        pairs: a list of (source, target), at least one.
        share: of the different keys that go to the test, between 0 and 1.
        seed: an int.
        key: called with a source; gives a string.

    Returns:
        two lists of pairs: training, test.
    """
    ### BEGIN SOLUTION
    keys = sorted({key(source) for source, _ in pairs})
    random.Random(seed).shuffle(keys)
    chosen = set(keys[: max(1, round(share * len(keys)))])
    train = [pair for pair in pairs if key(pair[0]) not in chosen]
    return train, [pair for pair in pairs if key(pair[0]) in chosen]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-9-5", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.5", split_by_source)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.5")
# hint("9.5", 2)
# hint("9.5", 3)
# solution("9.5")

# %% [markdown]
# ## 9.6 The bug clinic
#
# **History.** A team has written its own corpus score: BLEU whose orders from two on add one to matches and n-grams, so that
# short lines have a score, too. It was tested with a single line, and was right. Now a system has more than 100. Here is
# the log.

# %% nbgrader={"grade": false, "grade_id": "clinic-log", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(score_log())

# %% [markdown]
# ### 9.6a the evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 1 point
#
# Which of six suspects explains the *whole* log?
#
# - **A** n-grams are not clipped
# - **B** the brevity penalty is missing
# - **C** hypothesis and reference are exchanged
# - **D** the score is a mean over the lines
# - **E** the smoothing counts the n-grams of the last line alone
# - **F** the references were seen in training
#
# Put your letter between the quotation marks.

# %%
letter_9_6a = "E"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-9-6a", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.6a", letter_9_6a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.6a")
# hint("9.6a", 2)
# hint("9.6a", 3)
# solution("9.6a")

# %% [markdown]
# ### 9.6b `test_score`
#
# *Debug* · difficulty 3 of 5 · importance 5 of 5 · spend up to 12 minutes · 2 points
#
# Here is the patient. Read it, but do not repair it yet.

# %% nbgrader={"grade": false, "grade_id": "clinic-patient", "locked": true, "schema_version": 3, "solution": false, "task": false}
print(inspect.getsource(patient_score))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any such score, calls it on lines of your
# own, and raises `AssertionError` if it is wrong. A right one counts all n-grams over all lines, adds one to matches and
# n-grams for n = 2, 3, 4, takes the fourth root of the product, multiplies by min(1, exp(1 − r/c)) and by 100.
#
# Right scores differ in the last digits. Rejecting the patient earns 1 point, all four wrong scores 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_score", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_score(score):
    """Raise AssertionError unless the score is that of a corpus.

    Args:
        score: called as score(hypotheses, references), two lists of lines; gives a float.
    """
    ### BEGIN SOLUTION
    lines = ["the cat sees the old red house", "a dog sleeps", "the king has a small boat"]
    assert abs(score(lines, lines) - 100) < 1e-6
    said = ["the cat sees the old house", "a dog sleeps here", "the the the the king"]
    assert abs(score(said, lines) - score(said[::-1], lines[::-1])) < 1e-6
    assert score(["the the the the the"], ["the cat on the mat"]) < 30
    short = score(["the cat sees"], ["the cat sees the old red house"])  # nothing but the penalty
    assert abs(short - 100 * math.exp(1 - 7 / 3)) < 1e-6
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-9-6b", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.6b", test_score)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.6b")
# hint("9.6b", 2)
# hint("9.6b", 3)
# solution("9.6b")

# %% [markdown]
# ### 9.6c `fixed_score`
#
# *Debug* · difficulty 2 of 5 · importance 5 of 5 · spend up to 8 minutes · 2 points
#
# Now heal it. Copy the patient's lines into the function and change as little as you can, or write it anew.


# %% nbgrader={"grade": false, "grade_id": "fixed_score", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_score(hypotheses, references):
    """The patient, healed.

    Args:
        hypotheses, references: equally many lines, words between spaces; some may be empty.

    Returns:
        a float, 0 to 100; 0 if no word matches.
    """
    ### BEGIN SOLUTION
    matches, ngrams, c, r = [0] * 4, [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        hyp, ref = hypothesis.split(), reference.split()
        for n in range(1, 5):
            ours = Counter(tuple(hyp[i : i + n]) for i in range(len(hyp) - n + 1))
            theirs = Counter(tuple(ref[i : i + n]) for i in range(len(ref) - n + 1))
            matches[n - 1] += (ours & theirs).total()  # clipped
            ngrams[n - 1] += ours.total()
        c += len(hyp)
        r += len(ref)
    if not matches[0]:
        return 0.0
    shares = [matches[0] / c]
    for n in range(2, 5):
        shares.append((matches[n - 1] + 1) / (ngrams[n - 1] + 1))
    penalty = min(1.0, math.exp(1 - r / c))
    return 100 * penalty * math.prod(shares) ** (1 / 4)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-9-6c", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.6c", fixed_score)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.6c")
# hint("9.6c", 2)
# hint("9.6c", 3)
# solution("9.6c")

# %% [markdown]
# ## 9.7 `kind_of_error`
#
# *Extend* · difficulty 3 of 5 · importance 4 of 5 · spend up to 60 minutes · 6 points, bonus, given by
# a person
#
# What is wrong with two hundred outputs? Write a function that sorts them into kinds. The first that holds is returned:
#
# ```
# "right"      the same words in the same order
# "order"      the same words, as often, in another order
# "missing"    the hypothesis' words are a part of the reference's, counted as often as they stand there
# "added"      the reference's words are a part of the hypothesis'
# "one word"   as many words, and exactly one place differs
# "other"      anything else
# ```


# %% nbgrader={"grade": false, "grade_id": "kind_of_error", "locked": false, "schema_version": 3, "solution": true, "task": false}
def kind_of_error(hypothesis, reference):
    """What is wrong with an output.

    Args:
        hypothesis, reference: lines, words between spaces; possibly empty.

    Returns:
        "right", "order", "missing", "added", "one word" or "other".
    """
    ### BEGIN SOLUTION
    ours, theirs = hypothesis.split(), reference.split()
    if ours == theirs:
        return "right"
    more, less = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if not more:
        return "missing" if less else "order"
    if not less:
        return "added"
    same_length = len(ours) == len(theirs)
    if same_length and sum(a != b for a, b in zip(ours, theirs, strict=True)) == 1:
        return "one word"
    return "other"
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the function is right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-9-7", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("9.7", kind_of_error)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("9.7")
# hint("9.7", 2)
# hint("9.7", 3)
# solution("9.7")

# %% [markdown]
# Outputs to try it on are those of the chapter, or of systems that you train:
#
# ```
# from seq2seq_lib.corpora import detokenize
# from seq2seq_lib.course.assets.translation import phrase_corpus, phrase_outputs, recipe
# from seq2seq_lib.translate import train
#
# corpus = phrase_corpus()
# translator, _ = train(corpus, recipe(seed=4))      # ten seconds on a quiet core
# ```
#
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. the kinds in 200 outputs of one system, each share with an interval of the bootstrap, and one output of each kind (2
#    points),
# 2. the same for three seeds: which shares agree, and what a difference is worth beside the intervals (2 points),
# 3. which kind you would work on first, what you would change for it, and how you would see that it helped (2 points).
#
# Any outcome counts.

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-9-7", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Kinds and intervals** (2 points: five kinds, intervals, an output of each). The first 200 outputs of A with five beams:
# right 121 (54 to 68 %), one word 44 (17 to 28 %), other 28 (9 to 19 %), missing 6 (1 to 5 %), added 1, order 0. One word:
# `elle est petit` for `petite`; missing: `ses châteaux` for `ses hiboux dangereux de ce grand ours`; other: `le autre
# livre` for `l'autre livre`.
#
# **Seeds** (2 points: which shares agree). Five beams, seeds 1, 2, 3, the same 200 phrases: right 121, 130, 129; one word 44,
# 32, 35; other 28, 27, 30; missing 6, 9, 6; added 1, 2, 0. All differences are inside the intervals of ± 6 points,
# so the profile belongs to the recipe, and a difference of ten outputs may be a seed.
#
# **What first** (2 points: a change, and a way to see it). A single word, most often an agreement or a word that training
# hardly has. Twice the data makes 150 right and leaves 30 of these; I would count only the sentences without rare words
# again, to tell the two causes apart, and use the paired interval on the same sentences.
