# %% [markdown]
# # Exercises 1: text to batches
#
# These exercises go with [chapter 1](../../chapters/ch01_text_to_batches.ipynb). They ask for what the
# chapter does not show: reading pieces back, cutting a word by a table, labels with -100, batches by
# tokens. Then you treat a patient: the target array of a textbook.
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
# and try rows of one token and batches of one row, too. An open exercise blocks nothing.
#
# | exercise | kind | minutes | points |
# |---|---|---|---|
# | 1.3 the share of PAD | predict | 3 | 1 |
# | 1.4 `read_back` | fill in | 8 | 2 |
# | 1.5 `apply_merges` | implement | 15 | 4 |
# | 1.6 `shift_right` | implement | 12 | 4 |
# | 1.7 `token_batches` | implement | 20 | 4 |
# | 1.8 the bug clinic | debug | 26 | 10 |
# | 1.9 letters, pieces, words | extend | 45 | 6, bonus |
#
# (1.1 and 1.2 are in the chapter.) PAD is 0, BOS is 1, EOS is 2, UNK is 3, and `_` marks the end of a
# word.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import inspect
from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq_lib.course import check, hint, solution
from seq2seq_lib.course.ch01_text_to_batches import (
    FRESH_LINES,
    MERGES,
    data_report,
    patient_build,
    share_options,
)
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID

torch.set_num_threads(1)

# %% [markdown]
# ## 1.3 The share of PAD
#
# *Predict* · difficulty 1 of 5 · importance 4 of 5 · spend up to 3 minutes · 1 point
#
# Four lines become one batch, as sources. All words are in the vocabulary.

# %%
print(*FRESH_LINES, sep="\n")

# %% [markdown]
# Six numbers follow. Which one is the share of cells that are PAD? Use pencil and paper, not a cell.

# %%
for letter, share in share_options().items():
    print(letter, share)

# %% [markdown]
# Put your letter between the quotation marks.

# %%
letter_1_3 = "B"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-1-3", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.3", letter_1_3)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.3")
# hint("1.3", 2)
# hint("1.3", 3)
# solution("1.3")

# %% [markdown]
# ## 1.4 `read_back`
#
# *Fill in* · difficulty 2 of 5 · importance 3 of 5 · spend up to 8 minutes · 2 points
#
# A model writes ids of pieces, and somebody wants to read text. A row may have pads on either side, BOS
# in front, and anything behind its EOS; it may have no EOS, if it was cut. Fill the blanks `____`, remove
# the `# ` in front, and take out the two lines of the stub.
#
# With `pieces[4:] = ["_", "sixt", "een", "six"]` the row `[1, 5, 6, 4, 7, 4, 2, 0]` is `"sixteen six"`.


# %% nbgrader={"grade": false, "grade_id": "read_back", "locked": false, "schema_version": 3, "solution": true, "task": false}
def read_back(ids, pieces):
    """The text of one row.

    Args:
        ids: a list of ids, perhaps empty.
        pieces: the piece of each id, a list of strings; the first four are <pad>, <bos>, <eos>, <unk>.

    Returns:
        A string: all up to the first EOS, without PAD and BOS; UNK is written out. Pieces are joined
        without a gap, each _ is a space, and there is none behind the last word.
    """
    # kept = []
    # for i in ids:
    #     if i == ____:
    #         break
    #     if i not in ____:
    #         kept.append(____)
    # return "".join(kept).replace(____, ____).rstrip()
    ### BEGIN SOLUTION
    kept = []
    for i in ids:
        if i == EOS_ID:
            break
        if i not in (PAD_ID, BOS_ID):
            kept.append(pieces[i])
    return "".join(kept).replace("_", " ").rstrip()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-1-4", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.4", read_back)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.4")
# hint("1.4", 2)
# hint("1.4", 3)
# solution("1.4")

# %% [markdown]
# ## 1.5 `apply_merges`
#
# *Implement* · difficulty 3 of 5 · importance 3 of 5 · spend up to 15 minutes · 4 points
#
# The chapter learned a table of merges. Here a table is given, and a word that it has not seen. As long
# as a pair of neighbours is in the table: take the one that was **learnt first**, join all its
# occurrences from left to right, and look again.
#
# With the chapter's first five merges, below, "sixteenth_" becomes `sixt een t h _`.

# %%
print(MERGES)


# %% nbgrader={"grade": false, "grade_id": "apply_merges", "locked": false, "schema_version": 3, "solution": true, "task": false}
def apply_merges(word, merges):
    """The pieces of a word.

    Args:
        word: a string, perhaps empty; a mark _ at its end is a letter like the others.
        merges: pairs of strings, in the order in which they were learned, perhaps none.

    Returns:
        A list of strings, which joined are the word.
    """
    ### BEGIN SOLUTION
    rank = {tuple(pair): place for place, pair in enumerate(merges)}
    symbols = list(word)
    while True:
        neighbours = [pair for pair in zip(symbols, symbols[1:], strict=False) if pair in rank]
        if not neighbours:
            return symbols
        first = min(neighbours, key=rank.get)
        joined = []
        for symbol in symbols:
            if joined and (joined[-1], symbol) == first:
                joined[-1] += symbol
            else:
                joined.append(symbol)
        symbols = joined
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-1-5", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.5", apply_merges)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.5")
# hint("1.5", 2)
# hint("1.5", 3)
# solution("1.5")

# %% [markdown]
# ## 1.6 `shift_right`
#
# *Implement* · difficulty 2 of 5 · importance 5 of 5 · spend up to 12 minutes · 4 points
#
# In the Transformers library a batch brings `labels`, the ids that must be said, with -100 at the pads,
# and the model makes the decoder's input of them. Write that function for our ids: BOS in front, each
# label one column later, and PAD where a label was -100. Leave the caller's `labels` as they are.
#
# `[[7, 4, 2, -100], [5, 2, -100, -100]]` becomes `[[1, 7, 4, 2], [1, 5, 2, 0]]`.
#
# (In a shorter row EOS is read, too, at a step where nothing is asked. The chapter shows why that is
# harmless.)


# %% nbgrader={"grade": false, "grade_id": "shift_right", "locked": false, "schema_version": 3, "solution": true, "task": false}
def shift_right(labels):
    """What the decoder reads.

    Args:
        labels: int64 [B, T]; each row is words, EOS, then -100. B and T may be 1.

    Returns:
        int64 [B, T].
    """
    ### BEGIN SOLUTION
    inputs = torch.full_like(labels, BOS_ID)
    inputs[:, 1:] = labels[:, :-1]  # the last column falls out
    return inputs.masked_fill(inputs == -100, PAD_ID)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-1-6", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.6", shift_right)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.6")
# hint("1.6", 2)
# hint("1.6", 3)
# solution("1.6")

# %% [markdown]
# ## 1.7 `token_batches`
#
# *Implement* · difficulty 4 of 5 · importance 3 of 5 · spend up to 20 minutes · 4 points
#
# What a batch costs is its number of cells, rows times longest. Fill batches so that none costs more
# than `max_tokens`: take the sentences by length, the shortest first (of two with one length, the one
# with the lower place), and begin a new batch where the next sentence would make the cost too large.
#
# For lengths `[3, 9, 4, 4, 7, 2, 10, 5]` and 20 the batches are `[[5, 0, 2, 3], [7, 4], [1, 6]]`, with 16,
# 14 and 20 cells.


# %% nbgrader={"grade": false, "grade_id": "token_batches", "locked": false, "schema_version": 3, "solution": true, "task": false}
def token_batches(lengths, max_tokens):
    """Batches of similar lengths and of a limited number of cells.

    Args:
        lengths: a list of at least one integer, each from 1 to max_tokens, EOS counted.
        max_tokens: the most cells of a batch, pads counted.

    Returns:
        A list of batches, each a list of places in lengths; every place is in one of them.
    """
    ### BEGIN SOLUTION
    batches, batch = [], []
    for i in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if (len(batch) + 1) * lengths[i] > max_tokens:  # sorted, so i is the longest so far
            batches.append(batch)
            batch = []
        batch.append(i)
    return [*batches, batch]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-1-7", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.7", token_batches)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.7")
# hint("1.7", 2)
# hint("1.7", 3)
# solution("1.7")

# %% [markdown]
# ## 1.8 The bug clinic
#
# **History.** A function is brought in that makes an array of target sentences, all rows of one width.
# Its contract: a row is a sentence, its EOS, then PAD; a sentence that is too long loses words at its
# end. Models were trained on its arrays, and their losses fell. Nobody has seen an error. One reader
# did not look at the losses, but into the arrays.
#
# To examine it, 6,000 French phrases of 2 to 11 words were put through it, and somebody counted.

# %%
print(data_report())

# %% [markdown]
# ### 1.8a The evidence
#
# *Predict* · difficulty 3 of 5 · importance 4 of 5 · spend up to 5 minutes · 2 points
#
# Which line cannot come from an array that keeps its contract: A, B, C, D or E? For each line, ask what a
# right array would have made of it. Put your letter between the quotation marks.

# %%
letter_1_8a = "C"  ### SOLUTION

# %% nbgrader={"grade": true, "grade_id": "check-1-8a", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.8a", letter_1_8a)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.8a")
# hint("1.8a", 2)
# hint("1.8a", 3)
# solution("1.8a")

# %% [markdown]
# ### 1.8b A test that catches it
#
# *Debug* · difficulty 3 of 5 · importance 5 of 5 · spend up to 15 minutes · 5 points
#
# Here is the patient. Read it, but do not repair it yet.

# %%
print(inspect.getsource(patient_build))

# %% [markdown]
# First comes a test that fails, then the repair. Write a function that takes any such function, calls it
# on lines of your own, and raises `AssertionError` if the contract is broken. `assert` does that.
#
# Your test is then tested itself. It must let through arrays that are right, however they are made; they
# may come as a tuple or a list, with lengths of int64 or int32. Rejecting the patient earns 2 points, six
# wrong ones out of nine 2 more, and all nine 1 more.


# %% nbgrader={"grade": false, "grade_id": "test_build", "locked": false, "schema_version": 3, "solution": true, "task": false}
def test_build(build):
    """Raise AssertionError unless build keeps its contract.

    Args:
        build: called as build(lines, num_steps) with a list of at least one list of ids, each with
            at least one id of 4 or more, and a width of at least 2. Gives ids [B, num_steps] and
            lengths [B], EOS counted.
    """
    ### BEGIN SOLUTION
    lines = [[13, 7, 4, 6, 15, 9], [16, 5], [9, 12, 8, 14]]  # cut, padded, exactly full
    ids, lengths = build(lines, 5)
    assert ids.tolist() == [[13, 7, 4, 6, 2], [16, 5, 2, 0, 0], [9, 12, 8, 14, 2]]
    assert lengths.tolist() == [5, 3, 5]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-1-8b", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.8b", test_build)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.8b")
# hint("1.8b", 2)
# hint("1.8b", 3)
# solution("1.8b")

# %% [markdown]
# ### 1.8c The repair
#
# *Debug* · difficulty 2 of 5 · importance 4 of 5 · spend up to 6 minutes · 3 points
#
# Now heal it: the same contract, kept.


# %% nbgrader={"grade": false, "grade_id": "fixed_build", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fixed_build(lines, num_steps):
    """Rows of a sentence, its EOS, then PAD; and their lengths, EOS counted.

    Args:
        lines: a list of at least one list of ids of words, without BOS and EOS, none of them empty.
        num_steps: the width of the array, at least 2; a longer sentence loses words at its end.

    Returns:
        ids int64 [B, num_steps] and lengths int64 [B].
    """
    ### BEGIN SOLUTION
    ids = torch.zeros(len(lines), num_steps, dtype=torch.int64)
    lengths = torch.zeros(len(lines), dtype=torch.int64)
    for row, line in enumerate(lines):
        sentence = [*line[: num_steps - 1], EOS_ID]  # cut first, then end
        ids[row, : len(sentence)] = torch.tensor(sentence)
        lengths[row] = len(sentence)
    return ids, lengths
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-1-8c", "locked": true, "points": 3, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.8c", fixed_build)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.8c")
# hint("1.8c", 2)
# hint("1.8c", 3)
# solution("1.8c")

# %% [markdown]
# **Epilogue.** In 2019 a reader of *Dive into Deep Learning* saw that EOS is trimmed off long sentences,
# and offered a change ([d2l-en#410](https://github.com/d2l-ai/d2l-en/pull/410)); it was closed unmerged.
# The array is healed now. Is the data? The chapter measured that a model trained on targets cut with
# their EOS stops at the cut: none of its long translations was right. A kept contract is not a true
# sentence.

# %% [markdown]
# ## 1.9 Letters, pieces, words
#
# *Extend* · difficulty 3 of 5 · importance 3 of 5 · spend up to 45 minutes · 6 points, bonus, given by
# a person
#
# How does a vocabulary trade its size against the length of a text, in texts of your own? A piece needs
# `apply_merges`; from now on it is the course's own, so you can go on whether 1.5 is solved or not. If you
# come back to 1.5 later, run the cell of your own function again before its check.

# %% nbgrader={"grade": false, "grade_id": "continue-1-5", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch01_text_to_batches import apply_merges

print(apply_merges("sixteenth_", MERGES))

# %% [markdown]
# **Measure it.** Write a function that cuts lines in three ways, and gives for each way V, how many
# different tokens there are, and how many tokens there are in all. A line is cut into words at its
# spaces. Letters and pieces take each word with a mark `_` behind it.


# %% nbgrader={"grade": false, "grade_id": "token_counts", "locked": false, "schema_version": 3, "solution": true, "task": false}
def token_counts(lines, merges):
    """V and the number of tokens, of three ways to cut a text.

    Args:
        lines: a list of strings; some may be empty, and spaces may come in a row.
        merges: pairs of strings, for apply_merges.

    Returns:
        {"letters": (V, tokens), "pieces": (V, tokens), "words": (V, tokens)}, special tokens not
        counted.
    """
    ### BEGIN SOLUTION
    words = [word for line in lines for word in line.split()]
    cuts = {
        "letters": [letter for word in words for letter in f"{word}_"],
        "pieces": [piece for word in words for piece in apply_merges(f"{word}_", merges)],
        "words": words,
    }
    return {name: (len(set(tokens)), len(tokens)) for name, tokens in cuts.items()}
    ### END SOLUTION


# %% [markdown]
# The check below looks whether the numbers can be right. It gives no points.

# %% nbgrader={"grade": true, "grade_id": "check-1-9", "locked": true, "points": 0, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("1.9", token_counts)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("1.9")
# hint("1.9", 2)
# hint("1.9", 3)
# solution("1.9")

# %% [markdown]
# Take three texts: the phrases, something else from `seq2seq_lib.corpora`, and lines of your own, in any
# language. Learn the merges of a text with the chapter's `best_pair` and `join`, 10, 50 and 200 of them.
# A table or a plot is welcome.

# %%
from seq2seq_lib.corpora import phrases

some_lines = [" ".join(pair.source) for pair in phrases(500, 0, 0).train]
# token_counts(some_lines, MERGES)

# %% [markdown]
# **Write it down**, in the cell below, in about ten sentences:
#
# 1. V and tokens a line of letters, words, and pieces of 10, 50 and 200 merges, for three texts (2 points),
# 2. where another merge buys least, and what that says about how many to learn (2 points),
# 3. one word of your text whose pieces surprised you, and the counts that explain the cut (2 points).

# %% [markdown] nbgrader={"grade": true, "grade_id": "answer-1-9", "locked": false, "points": 6, "schema_version": 3, "solution": true, "task": false}
# **Numbers** (2 points: three texts, all five rows each). Letters have the smallest V and the most tokens,
# words the largest V and the fewest; pieces lie between and move from the first to the second as merges
# are added. V of the pieces grows by less than one a merge where a piece is joined further everywhere.
#
# **Where it buys least** (2 points: a number, and what follows from it). The first merges join pairs that
# occur in nearly each line; later ones join pairs that occur a few times, so the same growth of V saves
# ever fewer tokens. One stops where a merge saves less than its row of the embedding costs, or where
# pieces become so rare that training hardly meets them.
#
# **A surprise** (2 points: the word, its pieces, the counts). A cut that no grammar would make, such as
# `sixt een`, because a pair across the seam occurs in more words than the pair inside it.
