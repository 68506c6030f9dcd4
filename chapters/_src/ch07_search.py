# %% [markdown]
# # 7. Search
#
# A model gives numbers. You want a sentence. What is lost on the way?
#
# Below is a whole model: three letters, an end `•`, and how probable each of them is after the last one.
# **Predict** what greedy search writes, which takes the most probable next letter each time. The first
# row alone misleads.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.search_tree import explore

explore("greedy")

# %% [markdown]
# Now drag k, the number of beams, from 1 to 3, and watch the winner.
#
# **After this chapter you can** score an output by hand, write greedy, exhaustive and beam search, move a
# model's memory with its outputs, say when a search may stop, and find a wrong search without training
# anything.
#
# **You need** [chapter 0](ch00_start_here.ipynb) and logarithms. **Time**: 45 minutes; it runs in half a
# minute. The exercises have [their own notebook](../exercises/ch07_search/ch07_search.ipynb).
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B, k, V | sentences, beams, vocabulary | • | EOS, the end |
# | T | length of an output, its end counted | α | exponent of the length penalty |
# | y | an output | log p(y) | $\sum_t \log p(y_t \mid y_1 \dots y_{t-1})$ |

# %% [markdown]
# ## 7.1 The score of an output
#
# Before anything can be searched for, outputs must be comparable. How probable is a whole output, if the
# model speaks about one token at a time? Here is the model from above again, the **card** from now on,
# as a function from what is written so far to the log-probabilities of what comes next.

# %%
import math

import torch

from seq2seq_lib.course.letter_cards import LETTERS, NO_SOURCE, MemoryCard, by_prefix, spelt
from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

card = four_letters()
after = by_prefix(card)  # prefix -> {token: log-probability}
a, b, c = LETTERS
print("last       a     b     c     •")
for prefix in ((), (a,), (b,), (c,)):
    row = after(prefix)
    print(f"{spelt(prefix) or '^':8}", *(f"{math.exp(row[t]):5.2f}" for t in (a, b, c, EOS_ID)))

# %% [markdown]
# A neural model answers the same question, except that its answer depends on a source and on everything
# written so far.
#
# The probability of an output is a product with one factor a token. **Predict** on paper: how probable is
# `ab•`?


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
def log_prob(output, next_log_probs=after):
    return sum(next_log_probs(output[:t])[output[t]] for t in range(len(output)))


print(f"{0.40 * 0.34 * 0.45:.4f}", f"{math.exp(log_prob((a, b, EOS_ID))):.4f}")

# %% [markdown]
# Three factors and not two, because the end is a choice like the others: 0.136 is the probability to
# *begin* with `ab`, whatever follows. If the end were free, the probabilities of all outputs would no
# longer sum to 1.

# %%
from seq2seq_lib.laws import every_output

outputs = every_output(card, NO_SOURCE[0], 4)  # all of up to four tokens
total = sum(math.exp(y.log_prob) for y in outputs)
free = sum(math.exp(log_prob([t for t in y.tokens if t != EOS_ID])) for y in outputs)
print(f"{len(outputs)} outputs: {total:.2f} with the end, {free:.2f} without")

# %% [markdown]
# Without its end, `•` alone would have probability 1, and would win every search.
#
# Why logarithms? A product of small numbers leaves what a computer can hold: in float32, 114 factors of
# 0.4 are 0, and the sum of their logarithms is an ordinary number.

# %%
factors = torch.full((114,), 0.4)
print(factors.prod().item(), f"{factors.log().sum().item():.1f}")

# %% [markdown]
# So a score is a sum of log-probabilities, and EOS is one of its terms.

# %% [markdown]
# ## 7.2 Greedy search and everything
#
# What is the best that a search can do, and how far from it is the simplest one? As long as the model is
# small, all outputs can be written down: **exhaustive search**. The best of them is the **mode**.
# **Greedy search** takes the best next token and never looks back.


# %%
def greedy(next_log_probs, longest):
    output = ()
    while len(output) < longest and output[-1:] != (EOS_ID,):
        following = next_log_probs(output)
        output = (*output, max(following, key=following.get))
    return output


written = greedy(after, 4)
finished = sorted((y for y in outputs if y.tokens[-1] == EOS_ID), key=lambda y: -y.log_prob)
print(f"{len(finished)} of {len(outputs)} outputs end in time")

# %% [markdown]
# **Predict** the rank of greedy's output among the 40 that end. It took the best letter at each step, so
# can many be better?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
rank = [y.tokens for y in finished].index(written) + 1
for place in (1, 2, 3, rank):
    y = finished[place - 1]
    print(f"{place}. {spelt(y.tokens):5} {math.exp(y.log_prob):.4f}")
print(f"the mode is {math.exp(finished[0].log_prob - log_prob(written)):.2f} times as probable")

# %% [markdown]
# Greedy search starts with `a`, because 0.40 is more than 0.25. But what follows `a` is spread over four
# tokens, while after `b` the end has 0.45, and greedy search never looks there.
#
# That is a **search error**: the model knows better, and nobody asked. A **model error** would be a mode
# that nobody wants. More search cures the first kind only; [chapter 11](ch11_length_and_truth.ipynb)
# counts both.
#
# What does it cost? What takes time is the model, so count how often it is called.

# %%
V, T, k = 6000, 20, 5  # a translator: vocabulary, length, beams
print(f"greedy: {T} calls with 1 row")
print(f"beam: {T} calls with up to {k} rows")
print(f"everything: one row for each prefix, about 10^{math.log10(V) * (T - 1):.0f}")

# %% [markdown]
# So we have an oracle as long as things are small, and need something in between when they are not.

# %% [markdown]
# ## 7.3 Beam search by hand
#
# Greedy search keeps one open output, exhaustive search keeps all. **Beam search** keeps the k most
# probable ones at each length. How does a step go? In two halves, so that each can be tested alone. The
# first half, **expand**, writes down every continuation of every open output.


# %%
def expand(beam, next_log_probs):
    return [
        ((*output, token), total + added)
        for output, total in beam
        for token, added in next_log_probs(output).items()
    ]


def told(candidates):
    best_first = sorted(candidates, key=lambda found: -found[1])
    return "  ".join(f"{spelt(output)} {math.exp(total):.4g}" for output, total in best_first)


first = expand([((), 0.0)], after)
second = expand([found for found in first if found[0] != (EOS_ID,)], after)
print(told(first), told(second), sep="\n")

# %% [markdown]
# **Your turn.** Write the second half, **prune**: rank the candidates of all open outputs together. What
# ends among the first k is finished. The first k that do not end stay open, wherever they stand. An
# unsolved cell blocks nothing; `hint("7.7")` helps.


# %%
def prune(candidates, k):
    """Tuples (output, total, ...) and a number -> two lists of them: ended, still open."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint

check("7.7", prune)

# %% [markdown]
# **Right.** With k = 1 an output ends exactly where greedy search ends it, because an end counts among the
# first k only. And what ends takes nobody's place.


# %%
def prune(candidates, k):
    ranked = sorted(candidates, key=lambda candidate: -candidate[1])
    ended = [found for found in ranked[:k] if found[0][-1] == EOS_ID]
    still_open = [found for found in ranked if found[0][-1] != EOS_ID]
    return ended, still_open[:k]


ended, still_open = prune(second, 3)
print("ended ", told(ended))
print("open  ", told(still_open))

# %% [markdown]
# The loop puts the halves together. What is still open at the end is returned as it is.


# %%
def beam_by_hand(next_log_probs, k, longest):
    found, beam = [], [((), 0.0)]
    for _ in range(longest):
        ended, beam = prune(expand(beam, next_log_probs), k)
        found += ended
    return sorted(found + beam, key=lambda found: -found[1])


# %% [markdown]
# You have seen who wins. **Predict** at which step two beams lose `b•`, and the factors of what they find
# instead. Follow the two halves with a pencil, it takes a minute: which two stay open at the start, and
# what are the best two continuations of both together?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
for k in (1, 2, 3):
    output, total = beam_by_hand(after, k, 4)[0]
    steps = " x ".join(f"{math.exp(after(output[:t])[output[t]]):.2f}" for t in range(len(output)))
    print(f"k = {k}: {spelt(output):5} {math.exp(total):.4f} = {steps}")

# %% [markdown]
# One open output is greedy search. Two lose `b` at step 1, where it is third; three keep it, and find the
# mode. Each wider beam found something more probable, and something shorter, because a short output pays
# for few tokens. That is no theorem about k, and no promise about quality:
# chapter 11 is about length and truth.
#
# Step through it. The state `three` is this search, `penalty` ranks the same list by another score.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.search_tree import explore as explore_tree

explore_tree("three")

# %% [markdown]
# So beam search is two halves and a loop, and each can be tested alone: expand loses nothing, and prune
# keeps the best of what goes on.

# %% [markdown]
# ## 7.4 Beam search on tensors, with a state
#
# A real model does not read every prefix anew. It keeps a **state**, one row for each open output, and
# reads one token of each row in a call. So a search asks three things of a model:
#
# ```
# state            = model.start(src, src_lengths)    # one row a sentence
# log_probs, state = model.step(tokens, state)        # each row's last token in, [rows, V] out
# state            = state.select(rows)               # keep, repeat or reorder rows
# ```
#
# (What a row of the state has kept is called its memory below; it is not the memory of an encoder.)
#
# Totals `[k, 1]` plus log-probabilities `[k, V]` give all candidates. How does one find the best? Here is
# step 2 with the open outputs a, c, b.

# %%
totals = torch.tensor([0.40, 0.30, 0.25]).log()  # [k]: a, c, b
log_probs = card.log_probs[[a, c, b]][:, [a, b, c, EOS_ID]].float()  # [3, 4]
flat = (totals[:, None] + log_probs).flatten()  # [k * V]
place = flat.topk(3).indices
print("places", place.tolist())
for divisor in (4, 3):
    rows, tokens = place // divisor, place % divisor
    print(f"// {divisor}: rows {rows.tolist()}, % {divisor}: tokens {tokens.tolist()}")

# %% [markdown]
# Each row takes V places, so `// V` is the row and `% V` the token: c after a, b after a, • after b. By k
# instead, row 3 turns up, which does not exist. With k = V the two are the same, so a test with k = V
# cannot see it.
#
# What ends leaves the beam, and k outputs are to go on. **Predict** for k = 3: how many of the best
# candidates can be ends, in the worst case? So how many must one take, to be sure that three go on?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
torch.manual_seed(0)
short = dict.fromkeys(range(3, 9), 0)  # candidates taken -> tables that leave too few
for _ in range(1000):
    rows = torch.rand(3, 1).log() + torch.randn(3, 5).log_softmax(-1)  # token 4 is the end
    for n in short:
        short[n] += int((rows.flatten().topk(n).indices % 5 != 4).sum() < 3)
print("tables of 1,000 that leave fewer than 3 open:", short)

# %% [markdown]
# **Why are 2k candidates enough?**
#
# 1. There are at most k open rows, and each has exactly one continuation that ends.
# 2. So at most k of the best 2k end.
# 3. So at least k of them go on, if there are 2k at all.
# 4. No candidate outside the best 2k is better than these k, so none of them has to stay open.
#
# For k = 3, three of six can end, one for each row; with five, some tables leave too few.
#
# **Your turn.** Write the choice: the best 2k continuations, or all that are possible, since a token of
# −inf cannot happen.


# %%
def choose(totals, log_probs, k):
    """Floats [n] and [n, V], a number -> rows int64, tokens int64, totals: [2k], best first."""
    raise NotImplementedError  # your lines


# %%
check("7.8", choose)

# %% [markdown]
# **Right.** One ranking over all rows, then two divisions.


# %%
def choose(totals, log_probs, k):
    V = log_probs.size(1)
    flat = (totals[:, None] + log_probs).flatten()  # [n * V]
    possible = int((flat > -math.inf).sum())
    best, place = flat.topk(min(2 * k, possible))
    return place // V, place % V, best


# %% [markdown]
# A candidate also remembers the row of its parent, because the parent's memory is the child's. When
# outputs are pruned, some rows go and others double, so the state's rows must be chosen as the outputs
# were: `state.select(rows)`. With `move=False` that is left out, to see what happens; `copies` is for 7.6.


# %%
def beam(model, src, src_lengths, k, longest, move=True, copies=1):
    state = model.start(src, src_lengths).select(torch.zeros(copies, dtype=torch.int64))
    found, beam = [], [((), 0.0, 0)] * copies  # output, total, row of its parent
    for length in range(longest):
        last = torch.tensor([output[-1] if output else BOS_ID for output, *_ in beam])
        log_probs, state = model.step(last, state)  # [rows, V], one call
        totals = torch.tensor([total for _, total, _ in beam], dtype=log_probs.dtype)
        chosen = zip(*(part.tolist() for part in choose(totals, log_probs, k)), strict=True)
        candidates = [((*beam[row][0], token), total, row) for row, token, total in chosen]
        ended, beam = prune(candidates, k)
        found += ended
        if not beam:
            break
        if move or length == 0:  # the first step makes k rows of one
            state = state.select(torch.tensor([row for *_, row in beam]))
    return sorted(((y, total) for y, total, _ in found + beam), key=lambda found: -found[1])


print(told(beam(card, *NO_SOURCE, 3, 4)[:3]))
print(told(beam_by_hand(after, 3, 4)[:3]))

# %% [markdown]
# On this card the state is empty, so nothing can go wrong. The **memory card** has the same table, but
# writes no letter twice: what was read gets 0, and the rest of the row is divided by its sum. Its state is
# the set of letters read. With k = 2, `a` and `c` are open after step 1, and both children come from `a`.

# %%
from seq2seq_lib import plots
from seq2seq_lib.course.ch07_search import figures

before, children = [("a", "a"), ("c", "c")], [("ac", 0), ("ab", 0)]
plots.show(
    figures.rows_of_the_state(before, children, moved=True),
    "Before: row 0 is a and has read a, row 1 is c and has read c. Arrows lead from row 0 to both new "
    "rows, ac and ab: both go on from a row that has read a.",
)

# %% [markdown]
# **Predict** what betrays a search that does *not* move its rows: odd letters, odd numbers, or nothing?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
memory_card = MemoryCard()
remembers = by_prefix(memory_card)


def rescored(output):
    """What the model says about an output that it reads from the start."""
    steps = (remembers(output[:t]).get(output[t], -math.inf) for t in range(len(output)))
    return math.exp(sum(steps))


for move in (True, False):
    print("moved" if move else "not moved")
    for output, total in beam(memory_card, *NO_SOURCE, 2, 4, move):
        print(
            f"  {spelt(output):5} returned {math.exp(total):.4f}, read again {rescored(output):.4f}"
        )

# %% [markdown]
# The winner and its number look fine. But the second has somebody else's number, and the third is
# *impossible*: it writes `a` twice. The letters show it only here, where we know the rule. What needs no
# rule is to **read again** what came back, the whole list and not the winner alone.

# %%
plots.show(
    figures.rows_of_the_state(before, children, moved=False),
    "Before: row 0 has read a, row 1 has read c. Not moved, the output ac goes on from row 0, and ab, by a "
    "dashed red arrow, from row 1, which has read c: another's memory.",
)

# %% [markdown]
# The explorer's state `stranger` shows it step by step.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.search_tree import explore as explore_rows

explore_rows("stranger")

# %% [markdown]
# So every row carries its own memory, and goes where its output goes.

# %% [markdown]
# ## 7.5 When may a search stop?
#
# Our loop runs to the full length. When is it certain that nothing better can come? A token costs
# log-probability, so an open output can only lose: its total now is a bound for all its ends.
#
# A search can divide the log-probability by a power of the length, $\log p(y) / T^{\alpha}$, so that short
# outputs are not favoured. Log-probabilities are negative, so **α > 0 favours long outputs**, and 0 is
# neutral. The bound then needs the length at which the output may end. The naive choice is its present
# length.

# %%
longest, k = 4, 3


def bounds(beam, length, alpha):
    best = max(total for _, total in beam)
    return best / length**alpha, max(best / n**alpha for n in (length + 1, longest))


for alpha in (0.0, 1.0):
    found, beam_now = [], [((), 0.0)]
    for length in (1, 2, 3):
        ended, beam_now = prune(expand(beam_now, after), k)
        found += ended
        if found:
            best_ended = max(total / len(y) ** alpha for y, total in found)
            present, reachable = bounds(beam_now, length, alpha)
            print(f"alpha {alpha:.0f}, step {length}: best ended {best_ended:.3f}, ", end="")
            print(f"bound by present length {present:.3f}, by reachable {reachable:.3f}")

# %% [markdown]
# With α = 0 the two agree: go on after step 2, stop after step 3. With α = 1, after step 3, the best that
# has ended is −0.931. By the present length an open output has −0.996, so one would stop. But if it ends
# at four tokens, it is divided by four: up to −0.747 is possible. So go on.
#
# The penalty does not steer this beam: at each step all open outputs are equally long, and a common
# divisor changes no order. It ranks what was found.

# %%
from seq2seq_lib.decoding import beam_search

for alpha in (0.0, 1.0, 1.5):
    (hyps,) = beam_search(
        card, *NO_SOURCE, num_beams=3, n_best=3, max_new_tokens=4, length_penalty=alpha
    )
    print(f"alpha {alpha}:", "  ".join(f"{spelt(h.tokens)} {h.score:.3f}" for h in hyps))

# %% [markdown]
# With α = 1.5 an output that was cut off ranks second. Unfinished outputs take part, so look whether a
# winner has ended.
#
# So a bound needs the best case, not today's.

# %% [markdown]
# ## 7.6 Two laws, and a gallery of published mistakes
#
# A search that loses the best sentence still returns a sentence. How does one find out, without a model
# worth having? By models without weights, whose probabilities are a hash of all that was read: tiny
# vocabularies, no training, and a memory.
#
# **Law 5, search has an oracle**: one beam is greedy search, a beam as wide as there are outputs is
# exhaustive search, a batch is one by one, and the list is sorted, without doubles, with possible outputs
# only. **Law 6, scores add up**: the number that comes with an output is the one that the model gives this
# output. Both must hold for our search and the library's.

# %%
from seq2seq_lib import laws

ours = laws.by_sentence(beam)  # calls it for each sentence of a batch, and ranks by a penalty
for name, search in (("ours", ours), ("library", laws.beam_search)):
    five = laws.search_oracle(search, max_new_tokens=3)
    six = laws.scores_add_up(search)
    assert five and six
    print(f"{name:8} law 5 {five.holds}, law 6 {six.holds}")

# %% [markdown]
# Three loops from naive to right: each row keeps its own best continuation; all compete, but rows stay;
# all compete, and rows move. And a trap at the start: k equal copies of the first row look like a beam.
# Each expands alike, so the k best are k times the same.


# %%
def each_alone(model, src, src_lengths, k, longest):
    state, found = model.start(src, src_lengths), []
    log_probs, state = model.step(torch.tensor([BOS_ID]), state)
    _, tokens, totals = choose(torch.zeros(1), log_probs, k)
    for token, total in zip(tokens[:k].tolist(), totals.tolist(), strict=False):
        output, alone = (token,), state
        while output[-1] != EOS_ID and len(output) < longest:
            log_probs, alone = model.step(torch.tensor([output[-1]]), alone)
            total += log_probs.max().item()
            output = (*output, log_probs.argmax().item())
        found.append((output, total))
    return sorted(found, key=lambda found: -found[1])


def rows_stay(*args):
    return beam(*args, move=False)


def k_copies(*args):
    return beam(*args, copies=args[3])


for search in (each_alone, k_copies, beam):
    print(f"{search.__name__:11}", told(search(card, *NO_SOURCE, 3, 4)[:3]))

# %%
verdicts = {
    "each_alone": laws.search_oracle(laws.by_sentence(each_alone), max_new_tokens=3),
    "k_copies": laws.search_oracle(laws.by_sentence(k_copies), max_new_tokens=3),
    "rows_stay": laws.scores_add_up(laws.by_sentence(rows_stay)),
}
for name, verdict in verdicts.items():
    print(f"{name:11} {verdict.law.split(',')[0]} holds: {verdict.holds}")
assert not any(verdicts.values())

# %% [markdown]
# Ours began with one row for a reason. Now the mistakes of others, each rewritten as one changed decision
# of a right beam, with k = 3 on the card. Each is [linked below](#The-threads). **Predict** which law sees
# xnmt's, which stops as soon as k outputs have ended, and so returns the shortest.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.course.ch07_search import gallery

print(f"{'':20} {'returns':17} {'right':17} law 5  law 6")
for one in gallery.EXHIBITS:
    got, due = (
        " ".join(gallery.on_the_card(search, one.alpha)) for search in (one.search, gallery.RIGHT)
    )
    five = laws.search_oracle(one.search, max_new_tokens=3).holds
    six = laws.scores_add_up(one.search).holds
    print(f"{one.thread:20} {got:17} {due:17} {five!s:6} {six}")

# %% [markdown]
# Law 5 sees all of them. Law 6 lets four pass, because they are honest: each number is right for the
# output beside it, and the outputs are the wrong ones. So a law that recomputes numbers does not replace
# an oracle.
#
# ### The threads
#
# | thread | what happened | on the card |
# |---|---|---|
# | [sockeye#731](https://github.com/awslabs/sockeye/pull/731), 2019 | the sorted states were computed and thrown away; sums of states, compared while debugging, matched | the table of 7.4 |
# | [xnmt#572](https://github.com/neulab/xnmt/pull/572), 2019 | returned the five shortest; 4.5 % of 4,558 outputs changed, "shockingly small" | α = 1: acb• is lost |
# | [joeynmt#148](https://github.com/joeynmt/joeynmt/issues/148), [#149](https://github.com/joeynmt/joeynmt/pull/149), 2021 | stopped when the top hypothesis ended | α = 1: an unended acb |
# | [ParlAI#2058](https://github.com/facebookresearch/ParlAI/issues/2058), 2019 | went on after EOS, effectively "shrinking" the beam size | cb• is lost |
# | [ParlAI#2047](https://github.com/facebookresearch/ParlAI/pull/2047), 2019 | expanded all k equal start rows | three times acb• |
# | transformers [#16930](https://github.com/huggingface/transformers/issues/16930), [#17022](https://github.com/huggingface/transformers/pull/17022), [#18208](https://github.com/huggingface/transformers/issues/18208), 2022 | documentation: first a wrong neutral value, then for four months the wrong direction, until [#19006](https://github.com/huggingface/transformers/pull/19006); the code divided all along | multiplied: b• wins again |
#
# So a search is judged without a model worth having, and by both laws.

# %% [markdown]
# ## Summary
#
# - The log-probability of an output is a sum over its tokens, and EOS is one of them.
# - Greedy search calls the model once a token, a beam once a token with k rows, exhaustive search once for
#   each prefix. Where it is possible, it is the oracle of the others.
# - Beam search: expand, prune, and on tensors `flatten().topk(2 * k)`, `// V`, `% V`,
#   `state.select(rows)`.
# - Stop when the best case of what is open cannot beat what has ended.
#
# | mistake | looks like | what sees it |
# |---|---|---|
# | k copies at the start | greedy search, k times | law 5: doubles |
# | each row alone | a list without a good beginning | law 5 |
# | divided by k instead of V | a row that does not exist, or nothing if k = V | k ≠ V in tests |
# | rows not moved | plausible words, another's number | law 6, on the whole list |
# | stops too early | short outputs | law 5 with α > 0 |
#
# **Laws established**: law 5, `laws.search_oracle(search)`, and law 6, `laws.scores_add_up(search)`.
#
# **Common misconception**: "If the output reads well, the search is right."
#
# Not every task needs a beam. **Scoreboard**, 100 dates that the shipped reader of dates was not trained
# on:

# %%
from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.corpora import dates
from seq2seq_lib.course.assets import date_reader

reader = date_reader()
unseen = dates(num_train=6000, num_valid=0, num_test=500, seed=0).test[:100]
batch = collate(encode_pairs(unseen, reader.src_vocab, reader.tgt_vocab))
for k in (1, 5):
    best = beam_search(reader.model, batch.src, batch.src_lengths, num_beams=k, max_new_tokens=12)
    right = [reader.tgt_vocab.decode(y.tokens) for (y,) in best]
    hits = sum(
        tuple(words) == tuple(pair.target) for words, pair in zip(right, unseen, strict=True)
    )
    print(f"dates, k = {k}: exact match {hits} of {len(unseen)}")

# %% [markdown]
# ## In Transformers and LLMs
#
# - `generate(num_beams=k)` of transformers runs `_beam_search`, which is this loop: it keeps
#   `max(2, 1 + n_eos) * num_beams` candidates.
# - **`beam_idx`** reorders the KV cache: it is our `rows`, and the reordering is `state.select`.
# - **`early_stopping=False`**, the default, is a heuristic with the present length. By the comment of [its
#   source](https://github.com/huggingface/transformers/blob/main/src/transformers/generation/utils.py),
#   canonical beam search needs `"never"` and `length_penalty=0.0`, "NOT the default flags".
# - `length_penalty` is our α, and its default is 1.0, not the neutral 0.
# - `num_return_sequences` is `n_best`; `sequences_scores` are our scores.
# - `beam_idx` written back to the cache is what sockeye#731 forgot.
#
# The cell moves the rows of a cache as both children of row 0, and one of row 2, want it.

# %%
cache = torch.arange(6).view(3, 2)  # [beams, T]: one row of keys for each beam
beam_idx = torch.tensor([0, 0, 2])
print("index_select  ", cache.index_select(0, beam_idx).tolist())
thrown_away = cache.index_select(0, beam_idx)  # computed, and not assigned to cache
print("thrown away   ", cache.tolist())

# %% [markdown]
# ## Further reading
#
# - Huang, Zhao, Ma 2017, [When to Finish? Optimal Beam Search for Neural Text
#   Generation](https://aclanthology.org/D17-1227/): the bound of 7.5.
# - Wu et al. 2016, [Google's Neural Machine Translation System](https://arxiv.org/abs/1609.08144): a length
#   penalty, and chapter 11's variant of it.
# - Meister, Cotterell, Vieira 2020, [If Beam Search Is the Answer, What Was the
#   Question?](https://aclanthology.org/2020.emnlp-main.170/): what a beam prefers.
# - [sockeye#731](https://github.com/awslabs/sockeye/pull/731): a thrown-away return value, found late.
# - [xnmt#572](https://github.com/neulab/xnmt/pull/572): a stopping rule, with what it cost in BLEU.
#
# **Next**: [the exercises](../exercises/ch07_search/ch07_search.ipynb): whole batches, rescoring, stopping,
# and a patient. Then [chapter 8](ch08_attention.ipynb), or on with search:
# [chapter 11](ch11_length_and_truth.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# The cell below guards this chapter's numbers against changes of the library.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert (len(outputs), len(finished), rank) == (121, 40, 8) and abs(free - 3.54) < 0.01
assert [spelt(beam_by_hand(after, k, 4)[0][0]) for k in (1, 2, 3)] == ["acb•", "ab•", "b•"]
for k in range(1, 7):  # with seven, three candidates tie for the last place
    (hyps,) = beam_search(card, *NO_SOURCE, num_beams=k, n_best=k, max_new_tokens=4)
    by_hand, by_rows = beam_by_hand(after, k, 4), beam(card, *NO_SOURCE, k, 4)
    assert [tuple(h.tokens) for h in hyps] == [y for y, _ in by_hand[:k]]
    assert [y for y, _ in by_rows[:k]] == [y for y, _ in by_hand[:k]]
assert short[6] == 0 and 1 <= short[5] <= 60
strangers = beam(memory_card, *NO_SOURCE, 2, 4, move=False)
assert [spelt(y) for y, _ in strangers] == ["acb•", "ab•", "aba•"]
assert [round(rescored(y), 4) for y, _ in strangers] == [0.1078, 0.1309, 0.0]
assert bounds(beam_now, 3, 1.0)[0] < best_ended < bounds(beam_now, 3, 1.0)[1]
