# %% [markdown]
# # 7. Search: greedy, exhaustive, sampling, beam
#
# A trained model says how probable the next token is. Nobody wants to read that: we want a
# sentence. Search is the way from one to the other. It is a few lines of code, and it is wrong in
# many published programs, because a search that loses the best sentence still returns a sentence.
#
# **After this chapter you can**
#
# - compute the log-probability and the score of any output by hand,
# - write greedy, exhaustive and beam search, and say what each of them costs,
# - build beam search from two halves, `expand` and `prune`, and test each half alone,
# - sample with temperature, top-k and top-p, and say what they do to a distribution,
# - explain why a wider beam finds more probable *and shorter* outputs, and what a length penalty
#   can do about it,
# - find a wrong search without any training: compare it with writing down everything.
#
# **You need** [chapter 0](ch00_start_here.ipynb), logarithms and dictionaries. No GPU and no network.
#
# **Time**: about 50 minutes to read, half a minute to run on a free core. The exercises are in
# [their own notebook](../exercises/ch07_search/ch07_search.ipynb).

# %%
import math
from collections import Counter
from functools import cache, partial
from types import SimpleNamespace

import torch

torch.set_num_threads(1)

# %% [markdown]
# ## 7.1 A model that fits on a card
#
# Three letters and an end, `•`. The next token depends on the last one alone, and `^` is the
# beginning. This is the whole model:

# %%
TABLE = {
    "^": {"a": 0.40, "b": 0.25, "c": 0.30, "•": 0.05},
    "a": {"a": 0.15, "b": 0.34, "c": 0.36, "•": 0.15},
    "b": {"a": 0.25, "b": 0.20, "c": 0.10, "•": 0.45},
    "c": {"a": 0.15, "b": 0.35, "c": 0.30, "•": 0.20},
}


def table(prefix):
    """Log-probabilities of the next token after a tuple of tokens."""
    following = TABLE[prefix[-1] if prefix else "^"]
    return {token: math.log(p) for token, p in following.items()}


assert all(abs(sum(row.values()) - 1) < 1e-12 for row in TABLE.values())

# %% [markdown]
# A neural model answers the same question, and it is no table: what it says depends on the source and on
# everything written so far, not on the last token alone. It gives a distribution over what comes next,
# and that is all a search asks for. So everything in this chapter works on any function like `table`.
#
# **The probability of an output** is the product over its tokens, and the end is one of them:
#
# $$p(y) = \prod_t p(y_t \mid y_1 \dots y_{t-1})
# \qquad \log p(y) = \sum_t \log p(y_t \mid y_1 \dots y_{t-1})$$
#
# **Predict** on paper: how probable is `ab•`?

# %%
ENDS = {"•", 2}  # our end, and the library's EOS, which we need later


def ends(output):
    return output[-1] in ENDS


def log_prob(output, next_log_probs=table):
    return sum(next_log_probs(output[:t])[output[t]] for t in range(len(output)))


print(f"{0.40 * 0.34 * 0.45:.4f}", f"{math.exp(log_prob(('a', 'b', '•'))):.4f}")

# %% [markdown]
# Why logarithms? A product of many small numbers becomes too small for a computer. In float32, which
# models use, 114 factors of 0.4 are already 0. The sum of their logarithms is an ordinary number.

# %%
factors = torch.full((114,), 0.4)
print(factors.prod().item(), f"{factors.log().sum().item():.1f}")

# %% [markdown]
# Why does the end count? Without it, every output would also be credited with all the longer
# outputs that begin with it. `ab` alone has 0.40 × 0.34 = 0.136, and that is the probability to
# *begin* with `ab`, whatever follows.
#
# ## 7.2 Exhaustive search: the truth, while it is small
#
# Write down every output of up to four tokens. Up to that length, this search cannot miss anything.


# %%
def every_output(next_log_probs, longest, prefix=(), total=0.0):
    for token, added in next_log_probs(prefix).items():
        output = (*prefix, token)
        if ends(output) or len(output) == longest:
            yield output, total + added
        else:
            yield from every_output(next_log_probs, longest, output, total + added)


everything = sorted(every_output(table, 4), key=lambda found: -found[1])
finished = [found for found in everything if ends(found[0])]
print(len(everything), "outputs,", len(finished), "of them end")
assert abs(sum(math.exp(total) for _, total in everything) - 1) < 1e-12

# %% [markdown]
# The probabilities of all outputs, cut off or not, sum to 1: a good test of any list that claims to
# be complete. The best one is called the **mode**. **Predict**: is it long or short?


# %%
def text(output):
    return "".join(output)


for output, total in finished[:6]:
    print(f"{text(output):5} {math.exp(total):.4f}   log {total:.3f}")

# %% [markdown]
# Short. Each further token multiplies by a number below 1. The five most probable outputs have one
# to three tokens. Keep `b•`, 0.1125, in mind: it is the truth that the other searches look for.
#
# ## 7.3 Greedy search
#
# Take the most probable next token, again and again. **Predict** its output from the table, before
# you run it. ([Exercise 7.1](../exercises/ch07_search/ch07_search.ipynb) asks the same of another
# table.)


# %%
def greedy(next_log_probs, longest):
    output, total = (), 0.0
    while len(output) < longest and not (output and ends(output)):
        token, added = max(next_log_probs(output).items(), key=lambda item: item[1])
        output, total = (*output, token), total + added
    return output, total


output, total = greedy(table, 4)
print(text(output), f"{math.exp(total):.4f}")

# %% [markdown]
# Greedy search starts with `a`, because 0.40 is more than 0.25. But what can follow `a` is spread
# over four tokens, and none of them is likely. After `b` the end has 0.45. Greedy search never
# looks there. Its output is five times less probable than the mode.

# %%
rank = [other for other, _ in finished].index(output) + 1
print(f"rank {rank} of {len(finished)}, {math.exp(finished[0][1] - total):.1f} times less probable")

# %% [markdown]
# That is a **search error**: the model knows better, and the search did not ask. It is not a
# **model error**, which would be a mode that nobody wants. Keep the two apart. More search cures
# the first kind only.
#
# The library works with ids, in batches, and asks three things of a model, the **decoding protocol**:
#
# ```
# state            = model.start(src, src_lengths)    # read the sources
# log_probs, state = model.step(tokens, state)        # each row's last token in, [rows, V] out
# state            = state.select(rows)               # keep, repeat or reorder rows
# ```
#
# `four_letters` is our table as such a model. What a search returns is called a **hypothesis**: it has
# `tokens`, a `log_prob` and a `score`. It must find the same.

# %%
from seq2seq_lib.decoding import beam_search, exhaustive_search, greedy_search, sample
from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

card = four_letters()
# The card ignores the source, but a source there must be.
no_source = torch.ones(1, 1, dtype=torch.int64), torch.ones(1, dtype=torch.int64)
LETTERS = {EOS_ID: "•", 4: "a", 5: "b", 6: "c"}


def spelled(hypothesis):
    return "".join(LETTERS[token] for token in hypothesis.tokens)


((greedy_best,),) = greedy_search(card, *no_source, max_new_tokens=4)
(every,) = exhaustive_search(card, *no_source, max_new_tokens=4, n_best=None)
print(spelled(greedy_best), f"{math.exp(greedy_best.log_prob):.4f},", len(every), "outputs")
assert spelled(greedy_best) == text(output)
assert [spelled(h) for h in every[:2]] == [text(output) for output, _ in everything[:2]]
assert all(abs(h.log_prob - total) < 1e-9 for h, (_, total) in zip(every, everything))

# %% [markdown]
# ## 7.4 Sampling
#
# Greedy search always says the same. For stories, for dialogue, or to see what a model believes,
# draw each token at random from its distribution. Then every output comes up as often as its
# probability says. Here are 4,000 draws.

# %% tags=["nbval-ignore-output"]
draws = 4000
generator = torch.Generator().manual_seed(0)
(drawn,) = sample(card, *no_source, max_new_tokens=4, num_samples=draws, generator=generator)
counts = Counter(spelled(h) for h in drawn)
for output, total in everything[:6]:
    print(f"{text(output):5} p = {math.exp(total):.4f}   drawn {counts[text(output)] / draws:.4f}")

# %% [markdown]
# A count over n draws scatters by about $\sqrt{np(1-p)}$. None of the 121 outputs is further off
# than five times that:

# %%
for output, total in everything:
    p = math.exp(total)
    assert abs(counts[text(output)] - draws * p) < 5 * math.sqrt(draws * p * (1 - p)) + 1

# %% [markdown]
# ### Temperature
#
# The **temperature** T divides the log-probabilities, and softmax makes a distribution of them
# again: $q_i \propto p_i^{1/T}$. Below 1 the likely tokens gain, above 1 the unlikely ones do.
# **Predict** for the first row of the table, 0.40, 0.25, 0.30, 0.05: does `•` gain or lose at
# T = 0.6?

# %%
from seq2seq_lib.filters import apply_temperature, top_k_filter, top_p_filter

first = torch.tensor(list(table(()).values()))  # a, b, c, •
for T in (0.1, 0.6, 1.0, 2.0, 100.0):
    print(f"T = {T:5}", " ".join(f"{p:.2f}" for p in apply_temperature(first, T).exp().tolist()))

# %% [markdown]
# It loses, from 0.05 to 0.01. Near 0 the largest takes all, far above 1 all become equal. Two
# mistakes are common here. To divide *probabilities* by T does nothing, because the normalisation
# takes it back ([gemma.cpp#981](https://github.com/google/gemma.cpp/pull/981)). And T = 0 is a
# division by zero, so say greedy search if you mean it.
#
# Does T → 0 find the mode, then? **Predict**: which output does sampling give at T = 0.01?

# %%
generator = torch.Generator().manual_seed(0)
(cold,) = sample(
    card, *no_source, max_new_tokens=4, num_samples=50, temperature=0.01, generator=generator
)
print(Counter(spelled(h) for h in cold))

# %% [markdown]
# All fifty are greedy search's. The temperature acts on one step at a time. It does not know what
# a step leads to, so no temperature finds `b•` reliably.
#
# ### Top-k and top-p
#
# A large vocabulary has a long tail: thousands of tokens, each improbable, together not. One bad
# draw spoils a sentence. **Top-k** keeps the k most probable tokens
# ([Fan et al. 2018](https://arxiv.org/abs/1805.04833)). **Top-p** keeps the smallest set whose
# probabilities sum to at least p ([Holtzman et al. 2020](https://arxiv.org/abs/1904.09751)). Both
# then make the rest sum to 1. **Predict** which of a, b, c, • survive p = 0.8.

# %%
for name, kept in (
    ("top-k 2  ", top_k_filter(first, 2)),
    ("top-p 0.6", top_p_filter(first, 0.6)),
    ("top-p 0.8", top_p_filter(first, 0.8)),
    ("top-p 0.1", top_p_filter(first, 0.1)),
):
    print(name, " ".join(f"{p:.2f}" for p in kept.exp().tolist()))

# %% [markdown]
# a and c have 0.70, which is less than 0.8, so b belongs to the set as well: the token that crosses
# p stays. At least one token always stays. Top-k keeps as many in every row; top-p keeps few where
# the model is sure, and many where it is not. [Exercise
# 7.4](../exercises/ch07_search/ch07_search.ipynb) is to write it.
#
# The library's samples carry the model's own log-probability, at temperature 1 and unfiltered, so
# they can be compared with other searches. **Predict**: is the average sample about as probable as
# greedy search's output, or less? Less probable means a lower log-probability.
#
# For the table the average can be computed, at any length: how often each row is read, times what a draw
# from that row costs on average, which is its entropy. Row `^` is read once; a letter's row is read as
# often as the letter is written.

# %%
rows = torch.tensor([[*row.values()] for row in TABLE.values()], dtype=torch.float64)  # [4, 4]
entropy = -(rows * rows.log()).sum(1)  # [4], the average cost of a draw from each row
onward = rows[1:, :3]  # [3, 3], from a letter to a letter
visits = torch.linalg.solve((torch.eye(3) - onward).T, rows[0, :3])  # v = first + v onward
average = -(entropy[0] + visits @ entropy[1:]).item()
print(f"average sample {average:.2f}, greedy {greedy_best.log_prob:.2f}, mode {finished[0][1]:.2f}")

# %% [markdown]
# So the average sample is $e^{1.9}$, nearly seven times less probable than greedy's output, and the mode
# is five times more probable than that. What is *typical* for a distribution and what is *most probable*
# are two things. The draws agree, if none of them is cut off:

# %%
(whole,) = sample(card, *no_source, max_new_tokens=100, num_samples=draws, generator=generator)
assert all(h.finished for h in whole)
assert abs(sum(h.log_prob for h in whole) / draws - average) < 0.3  # 5 standard errors

# %% [markdown]
# ## 7.5 Beam search by hand
#
# Greedy search keeps one open output. Exhaustive search keeps all. **Beam search** keeps the `k`
# most probable ones at each length. We write it as two halves and a loop. Each part can be tested
# alone, and section 7.9 shows mistakes in every part.
#
# **Expand**: every continuation of every open output, by one token.


# %%
def expand(beam, next_log_probs):
    return [
        ((*output, token), total + added)
        for output, total in beam
        for token, added in next_log_probs(output).items()
    ]


start = [((), 0.0)]
print([f"{text(output)} {math.exp(total):.2f}" for output, total in expand(start, table)])

# %% [markdown]
# Nothing may get lost or be invented in this half. So there are as many candidates as open outputs
# times tokens, and their probabilities together are those of the outputs they came from:

# %%
twice = expand([found for found in expand(start, table) if not ends(found[0])], table)
assert len(twice) == 3 * 4
assert abs(sum(math.exp(total) for _, total in twice) - (1 - 0.05)) < 1e-12  # • has left

# %% [markdown]
# **Prune**: rank all candidates of all open outputs together. What ends among the first `k` is
# finished and leaves. The first `k` that do not end stay open.


# %%
def prune(candidates, k):
    ranked = sorted(candidates, key=lambda found: -found[1])
    ended = [found for found in ranked[:k] if ends(found[0])]
    still_open = [found for found in ranked if not ends(found[0])]
    return ended, still_open[:k]


for name, kept in zip(("ended", "open "), prune(twice, 3)):
    print(name, [f"{text(output)} {math.exp(total):.4f}" for output, total in kept])

# %% [markdown]
# Two decisions are hidden in these lines. Finished outputs do not take the place of open ones, so
# the beam stays `k` wide. And an end counts only if it is among the first `k`, so with `k = 1` the
# first output ends exactly where greedy search ends it. The beam then goes on, but every later output
# is less probable.
#
# Whatever the candidates are, what stays must be at least as probable as what goes:

# %%
for k in range(1, 13):
    ended, still_open = prune(twice, k)
    gone = [found for found in twice if not ends(found[0]) and found not in still_open]
    assert len(still_open) == min(k, sum(not ends(output) for output, _ in twice))
    assert not gone or min(t for _, t in still_open) >= max(t for _, t in gone)

# %% [markdown]
# The loop puts the halves together. Outputs that are still open at the end are returned as they
# are, unfinished. The `score` is the log-probability until section 7.8.


# %%
def score(total, length, alpha=0.0):
    return total / length**alpha


def beam_by_hand(next_log_probs, k, longest, alpha=0.0, expand=expand, prune=prune, score=score):
    finished, beam = [], [((), 0.0)]
    for _ in range(longest):
        ended, beam = prune(expand(beam, next_log_probs), k)
        finished += ended
    return sorted(finished + beam, key=lambda found: -score(found[1], len(found[0]), alpha))


# %% [markdown]
# **Predict** the winner with two open outputs, and with three. Follow the two halves in the table
# with a pencil; it takes a minute.

# %%
for k in (1, 2, 3, 4):
    output, total = beam_by_hand(table, k, 4)[0]
    print(f"k = {k}: {text(output):4} {math.exp(total):.4f}")

# %% [markdown]
# With one open output it is greedy search. With two it finds `ab•`, with three the mode. The
# library finds the same, also the second best and the third. (We stop at six. With seven, `aa`, `a•`
# and `c•` tie for the last place, 0.06 each, and who gets it depends on how the sorting treats ties.)

# %%
for k in range(1, 7):
    by_hand = beam_by_hand(table, k, 4)
    (library,) = beam_search(card, *no_source, num_beams=k, n_best=k, max_new_tokens=4)
    assert [spelled(h) for h in library] == [text(output) for output, _ in by_hand[:k]]
    assert all(abs(h.log_prob - total) < 1e-9 for h, (_, total) in zip(library, by_hand))

# %% [markdown]
# [Exercises 7.2, 7.3a and 7.3b](../exercises/ch07_search/ch07_search.ipynb) come next: an exact search
# that need not write everything down, and the two halves on tensors, as they stand in a real program.
#
# ### See it grow
#
# The tree below is the search, level by level. Kept, pruned and finished outputs look different.
# Predict first, then step through it. `explore("greedy")`, `explore("two_beams")` and
# `explore("three_beams")` are the three widths from above. Where no kernel runs, you see the three
# as stills.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.search_tree import explore

explore("greedy")

# %% [markdown]
# ## 7.6 What it costs
#
# Count the candidates that a search looks at: |Y| for each question to the model, where |Y| is the
# number of tokens that can follow. For the worst case we take a model that never ends, so all outputs
# grow to the full length n. Without the end, |Y| is 3.


# %%
def never_ends(prefix):
    return {token: added for token, added in table(prefix).items() if token != "•"}


def asked(search, longest):
    questions = 0

    def counted(prefix):
        nonlocal questions
        questions += 1
        return never_ends(prefix)

    list(search(counted, longest))
    return questions


lengths = range(1, 9)
searches = {
    "greedy": greedy,
    "beam, k = 2": lambda model, longest: beam_by_hand(model, 2, longest),
    "beam, k = 5": lambda model, longest: beam_by_hand(model, 5, longest),
    "exhaustive": every_output,
}
costs = {name: [3 * asked(search, n) for n in lengths] for name, search in searches.items()}
for name, candidates in costs.items():
    print(f"{name:12}", candidates)

# %% [markdown]
# The numbers are the candidates looked at, for outputs of 1 to 8 tokens. They follow the formulas
# that textbooks give:

# %%
for n in lengths:
    assert costs["greedy"][n - 1] == 3 * n  # |Y| n
    assert costs["beam, k = 5"][n - 1] <= 5 * 3 * n  # k |Y| n; the beam is not full at first
    assert costs["exhaustive"][n - 1] == sum(3**t for t in range(1, n + 1))  # about |Y|^n

# %% [markdown]
# In the figure each step up is ten times as many candidates.

# %%
from seq2seq_lib import plots

ax = plots.curves(
    list(lengths),
    costs,
    xlabel="length of the outputs, n",
    ylabel="candidates looked at",
    title="Exhaustive search grows exponentially, the others linearly",
    log_y=True,
)
plots.show(
    ax.figure,
    "Candidates looked at against the output's length, on a logarithmic axis. Exhaustive search "
    "is a straight line up to 9840 at length 8. Greedy search and the beams of 2 and 5 stay below 110.",
)

# %% [markdown]
# Candidates are what a search has to rank. What takes its time is the model, and a model says all |Y| of
# them at once. So count how often it is asked: greedy search asks it n times, a beam n times with k rows
# in one call, exhaustive search once for each prefix. A translator has some 6,000 tokens and sentences
# of 20. **Predict** the number of rows that the model reads for each of the three.

# %%
Y, n = 6000, 20
print(f"greedy {n}, five beams at most {5 * n}, exhaustive 10^{math.log10(Y) * (n - 1):.0f}")

# %% [markdown]
# There are about 10^80 atoms in the universe. So exhaustive search is for tiny vocabularies. There
# it is the **oracle** that tells whether a faster search is right.
#
# ## 7.7 Wider is more probable, and shorter
#
# Look at the winners of section 7.5 again: `acb•`, `ab•`, `b•`. Each wider beam found a more
# probable output, and a shorter one. The first half is what we pay for. (It is no theorem: a
# wider beam can lose what a narrower one found, but it rarely does.) The second half is a side
# effect. Why does it happen?
#
# Every token costs log-probability, and a short output pays for few. Its first step may look poor: `b`
# is third at the start. A narrow beam drops it there. A wide one keeps it and finds the cheap end.

# %%
for k in (1, 2, 3):
    output, total = beam_by_hand(table, k, 4)[0]
    steps = [f"{math.exp(table(output[:t])[output[t]]):.2f}" for t in range(len(output))]
    print(f"k = {k}: {text(output):4} = {' x '.join(steps)}")

# %% [markdown]
# So a narrow beam hides a preference for short outputs that the model has all along. In translation, an
# exact search found that for more than half of the sentences the most probable output of a Transformer
# is the *empty* one, which beams mostly miss ([Stahlberg and Byrne
# 2019](https://aclanthology.org/D19-1331)). **The common misconception**: the
# most probable sentence is the best one.
#
# ## 7.8 The length penalty
#
# The usual remedy divides the log-probability by a power of the length, EOS counted:
#
# $$\text{score}(y) = \frac{\log p(y)}{|y|^{\alpha}} \qquad\text{or, in Google's form,}\qquad
# \frac{\log p(y)}{\left((5 + |y|) / 6\right)^{\alpha}}$$
#
# **Predict** the sign: does α > 0 favour long or short outputs? Log-probabilities are negative.

# %%
from seq2seq_lib.decoding import length_penalty

for alpha in (-1.0, 0.0, 0.6, 0.7, 1.0, 1.5):
    ranked = beam_by_hand(table, 3, 4, alpha)
    (library,) = beam_search(
        card, *no_source, num_beams=3, n_best=1, max_new_tokens=4, length_penalty=alpha
    )
    assert spelled(library[0]) == text(ranked[0][0])
    top = [f"{text(o):4} {score(total, len(o), alpha):6.3f}" for o, total in ranked[:3]]
    print(f"alpha {alpha:4}:  ", "   ".join(top))

# %% [markdown]
# Dividing a negative number by more brings it nearer to 0, so α > 0 favours **long** outputs. At 0.6
# `b•` still wins, at 0.7 `ab•`, at 1.5 `acb•`: back where greedy search was. The neutral value is 0; with
# α = 1 the score is the mean log-probability of a token.
#
# Both are easily got wrong. The documentation of Hugging Face's transformers said that 1.0 means no
# penalty until spring 2022 ([#16930](https://github.com/huggingface/transformers/issues/16930)). That
# was mended, but then it told the wrong direction until September
# ([#18971](https://github.com/huggingface/transformers/issues/18971)).
#
# `accb` in the last line was cut off at four tokens. Unfinished outputs take part, too. With a large α,
# look whether the winner has ended.
#
# Google's form ([Wu et al. 2016](https://arxiv.org/abs/1609.08144)) grows more slowly, so the same α
# favours long outputs less. The divisors for α = 0.6:

# %%
print("length     ", *(f"{n:5}" for n in (1, 2, 4, 8, 16)))
for kind in ("plain", "gnmt"):
    print(f"{kind:11}", *(f"{length_penalty(n, 0.6, kind):5.2f}" for n in (1, 2, 4, 8, 16)))

# %% [markdown]
# In our search the penalty does **not** steer the beam. It re-ranks what the beam has found: at
# each step all open outputs are equally long, and a common divisor changes no order. So a penalty
# cannot bring back what was pruned. The sets are the same for every α:

# %%
sets = [{o for o, _ in beam_by_hand(table, 3, 4, alpha)} for alpha in (0.0, 0.7, 1.5)]
assert sets[0] == sets[1] == sets[2]

# %% [markdown]
# Try it on the tree: with α = 0.7 the list of finished outputs changes its order, and the tree does
# not move.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.search_tree import explore

explore("penalty")

# %% [markdown]
# ### When may a search stop?
#
# Our loop always runs to the full length. That is slow. It may stop as soon as no open output can
# win any more. An open output can only lose log-probability, so its best case is that it loses none.
# Then its score is its log-probability now, divided by the penalty of a length that it can still
# reach. For α > 0 the longest one is the best for it.


# %%
def best_case(total, length, longest, alpha):
    return max(score(total, n, alpha) for n in (length + 1, longest))


def can_stop(finished, beam, longest, alpha):
    if not beam:
        return True  # nothing is open
    if not finished:
        return False  # there is nothing to beat yet
    to_beat = max(score(total, len(output), alpha) for output, total in finished)
    return all(best_case(total, len(output), longest, alpha) <= to_beat for output, total in beam)


finished, beam = [], [((), 0.0)]
for step in range(1, 4):
    ended, beam = prune(expand(beam, table), 3)
    finished += ended
    print(step, [text(o) for o, _ in finished], [can_stop(finished, beam, 4, a) for a in (0, 1)])

# %% [markdown]
# Without a penalty the search may stop after three tokens, with α = 1 it must go on. The library
# uses this bound, so it stops early, and the output that you asked for stays the same. (For the n best
# it compares with the n-th best.) Many programs stop when the *first* output is
# finished, or compare open outputs at their *present* length. We come to these now.
#
# ## 7.9 The laws, and the wrong versions
#
# **Law 5, search has an oracle**: one beam is greedy search (with α = 0), a beam as wide as the number of
# outputs is exhaustive search, a batch is the same as one by one, and the list is sorted, without
# doubles, and holds possible outputs only. **Law 6, scores add up**: the log-probability that comes
# with an output is the one that the model gives this output, and the score is the penalty applied
# as stated.
#
# The laws want a search over ids, for a batch. They try it on models without weights, whose
# probabilities are a hash of everything read so far: any vocabulary, no training, and a model that
# remembers. Ours gets there by reading each prefix from its start, slow and sure.


# %%
def reader(model, src, src_lengths):
    @cache
    def next_log_probs(prefix):
        state = model.start(src, src_lengths)
        for token in (BOS_ID, *prefix):
            log_probs, state = model.step(torch.tensor([token]), state)
        return {i: added for i, added in enumerate(log_probs[0].tolist()) if added > -math.inf}

    return next_log_probs


def for_the_laws(by_hand, score=score):
    def search(model, src, src_lengths, k, longest, n_best, alpha):
        def one(row):
            model_of_row = reader(model, src[row : row + 1], src_lengths[row : row + 1])
            best = by_hand(model_of_row, k, longest, alpha)[:n_best]
            return [
                SimpleNamespace(tokens=o, log_prob=t, score=score(t, len(o), alpha))
                for o, t in best
            ]

        return [one(row) for row in range(len(src))]

    return search


# %% [markdown]
# Now both laws judge two searches, ours and the library's:

# %%
from seq2seq_lib import laws

for name, search in (("ours", for_the_laws(beam_by_hand)), ("library", laws.beam_search)):
    for law in (laws.search_oracle, laws.scores_add_up):
        verdict = law(search)
        print(f"{name:8}", verdict)
        assert verdict

# %% [markdown]
# Both searches, ours and the library's, obey both laws. Now the wrong versions, each made from our
# halves in a few lines. The links show where some of them were published.
#
# ### The end is one more token
#
# In this version finished outputs stay in the beam and are extended like all others. A model that
# is asked what comes after the end answers *something*
# ([ParlAI#2058](https://github.com/facebookresearch/ParlAI/issues/2058),
# [sockeye#233](https://github.com/awslabs/sockeye/issues/233)). Let our table begin anew there.


# %%
def prune_that_forgets_the_end(candidates, k):
    ranked = sorted(candidates, key=lambda found: -found[1])
    return [], ranked[:k]


TABLE["•"] = TABLE["^"]
grown = partial(beam_by_hand, prune=prune_that_forgets_the_end)
print([f"{text(output)} {math.exp(total):.4f}" for output, total in grown(table, 3, 4)])
del TABLE["•"]

# %% [markdown]
# Text after the end, and a lower probability with every step. Some programs cut the text at the
# first end and keep the number: then the words look right, and the score is that of another output.
#
# ### A beam that gets narrower
#
# Here each finished output takes one place in the beam for ever. It is an easy mistake: "k outputs
# in all". Outputs that are extended after their end do the same harm: they keep their places, and that
# is how ParlAI's issue above describes it.


# %%
def beam_that_narrows(next_log_probs, k, longest, alpha=0.0):
    finished, beam = [], [((), 0.0)]
    for _ in range(longest):
        ended, beam = prune(expand(beam, next_log_probs), k)
        finished += ended
        beam = beam[: max(0, k - len(finished))]
    return sorted(finished + beam, key=lambda found: -score(found[1], len(found[0]), alpha))


for search in (beam_by_hand, beam_that_narrows):
    print(f"{search.__name__:18}", [text(output) for output, _ in search(table, 3, 4, 1.0)[:4]])

# %% [markdown]
# On this table the winner survives, and only the list suffers. **Predict** what the law will find,
# which tries many models.
#
# ### Stop at the first end


# %%
def stops_at_the_first(next_log_probs, k, longest, alpha=0.0):
    finished, beam = [], [((), 0.0)]
    while beam and not finished and len(beam[0][0]) < longest:
        finished, beam = prune(expand(beam, next_log_probs), k)
    found = finished or beam
    return sorted(found, key=lambda found: -score(found[1], len(found[0]), alpha))


for k, alpha in ((3, 0.0), (4, 0.0), (3, 1.0)):
    first_end, full = stops_at_the_first(table, k, 4, alpha), beam_by_hand(table, k, 4, alpha)
    print(f"k = {k}, alpha {alpha}: {text(first_end[0][0]):3} where {text(full[0][0])} is the best")

# %% [markdown]
# With three beams it is right by luck. With four it returns the empty output. With a penalty it
# returns the short one, because the penalty never gets to speak. Published relatives stop a little
# later: joeynmt stopped when the *top* output ended
# ([#148](https://github.com/joeynmt/joeynmt/issues/148)), and xnmt returned the first *five* that ended
# ([#572](https://github.com/neulab/xnmt/pull/572)).
#
# ### The penalty with the wrong sign, and the end for free


# %%
def multiplied(total, length, alpha=0.0):
    return total * length**alpha


def expand_with_a_free_end(beam, next_log_probs):
    candidates = expand(beam, next_log_probs)
    before = dict(beam)
    return [(o, before[o[:-1]] if ends(o) else total) for o, total in candidates]


print("multiplied:", text(beam_by_hand(table, 3, 4, 1.0, score=multiplied)[0][0]))
output, total = beam_by_hand(table, 3, 4, expand=expand_with_a_free_end)[0]
print(f"a free end: {text(output)} with probability {math.exp(total):.2f}")

# %% [markdown]
# If the end costs nothing, then ending at once is free, and the empty output is certain to win.
#
# ### What the laws say
#
# The laws do not know these functions. They see outputs and numbers. **Predict**: which of the five
# break law 5, which law 6, which both?

# %%
suspects = {
    "the end is one more token": for_the_laws(grown),
    "narrower and narrower": for_the_laws(beam_that_narrows),
    "stop at the first end": for_the_laws(stops_at_the_first),
    "multiplied": for_the_laws(partial(beam_by_hand, score=multiplied), score=multiplied),
    "a free end": for_the_laws(partial(beam_by_hand, expand=expand_with_a_free_end)),
}
broken = {}
for name, search in suspects.items():
    verdicts = laws.search_oracle(search, max_new_tokens=3), laws.scores_add_up(search)
    broken[name] = [law for law, verdict in zip((5, 6), verdicts) if not verdict]
    print(f"{name:26} breaks {' and '.join(f'law {law}' for law in broken[name])}")
assert all(broken.values())

# %% [markdown]
# Law 6 recomputes numbers. `multiplied` reports another score, and the free end another log-probability,
# so both break it. The other three report honest numbers of the wrong outputs. Only the oracle sees
# that.
#
# A law also says where to look. This is what it says of the narrowing beam:

# %%
verdict = laws.search_oracle(suspects["narrower and narrower"], max_new_tokens=3)
print(verdict.look_at)
assert not verdict

# %% [markdown]
# [Exercise 7.5](../exercises/ch07_search/ch07_search.ipynb) is the bug clinic: a search from real
# life that runs away.
#
# ## 7.10 The state moves with its output
#
# Our table has no memory. A GRU has: its state has read the output so far. A real search does not
# read every prefix anew. It keeps one row of state for each open output. When outputs are pruned,
# some rows go and others double, so **the rows must be chosen as the outputs were**. That is what
# `select` is for.


# %%
def beam_with_states(model, src, src_lengths, k, longest, reorder=True):
    state = model.start(src, src_lengths)  # one row
    finished, beam = [], [((), 0.0)]
    for step in range(longest):
        last = torch.tensor([output[-1] if output else BOS_ID for output, _ in beam])
        log_probs, state = model.step(last, state)  # [rows, V], all open outputs at once
        candidates = [
            ((*output, token), total + added)
            for row, (output, total) in enumerate(beam)
            for token, added in enumerate(log_probs[row].tolist())
        ]
        ended, still_open = prune(candidates, k)
        finished += ended
        rows = {output: row for row, (output, _) in enumerate(beam)}
        parents = [rows[output[:-1]] for output, _ in still_open]
        if reorder or step == 0:  # the first step makes k rows of one
            state = state.select(torch.tensor(parents))
        beam = still_open
    return sorted(finished + beam, key=lambda found: -found[1])


# %% [markdown]
# To see it fail we need a model with a memory. Here is a weightless one, and what a search returns
# for it with and without the reordering. The last column is what the model says about that very
# output when it reads it from the start.

# %%
memory = laws.HashModel(vocab_size=8, seed=25)
src, src_lengths = torch.tensor([[5, 6, 7, EOS_ID]]), torch.tensor([4])
honest = reader(memory, src, src_lengths)
for reorder in (True, False):
    output, total = beam_with_states(memory, src, src_lengths, 3, 6, reorder)[0]
    print(f"reorder {reorder!s:5} {output}: {total:.4f}, rescored {log_prob(output, honest):.4f}")

# %% [markdown]
# With the reordering both numbers agree. Without it, output 2 continues the memory of output 1, and the
# number is off by six nats. Plausible words, somebody else's number. Sockeye 2 had this bug in 2019: its
# decoder sorted the states, and the sorted ones were thrown away
# ([sockeye#731](https://github.com/awslabs/sockeye/pull/731)). Its finder compared sums of states at
# first, and a sum does not change when rows change places. What finds it is to **rescore what came
# back**, and law 6 does just that.


# %%
def batched(reorder):
    def search(model, src, src_lengths, k, longest, n_best, alpha):
        found = (
            beam_with_states(
                model, src[row : row + 1], src_lengths[row : row + 1], k, longest, reorder
            )
            for row in range(len(src))
        )
        return [[SimpleNamespace(tokens=o, log_prob=t) for o, t in one[:n_best]] for one in found]

    return search


no_penalty = {"length_penalties": (0.0,)}
assert laws.scores_add_up(batched(True), **no_penalty)
verdict = laws.scores_add_up(batched(False), **no_penalty)
print(verdict.look_at)
assert not verdict

# %% [markdown]
# Now you: exercise 7.3c of [the exercises](../exercises/ch07_search/ch07_search.ipynb) is this loop on
# tensors, and it goes on from a beginning that is given.
#
# ## 7.11 How wide should a beam be?
#
# Not every task needs one. A small model that reads dates comes with the library. It was trained on
# 6,000 dates, and 500 others were kept back. **Predict**: for how many of these 500 do five beams write
# something else than greedy search?

# %%
from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.corpora import dates
from seq2seq_lib.course.assets import date_reader

reader_of_dates = date_reader()
split = dates(num_train=6000, num_valid=0, num_test=500, seed=0)  # as the model was trained
unseen = split.test
assert not {"".join(p.target) for p in unseen} & {"".join(p.target) for p in split.train}
batch = collate(encode_pairs(unseen, reader_of_dates.src_vocab, reader_of_dates.tgt_vocab))
greedy_dates, beam_dates = (
    [
        found[0].tokens
        for found in beam_search(
            reader_of_dates.model, batch.src, batch.src_lengths, num_beams=k, max_new_tokens=12
        )
    ]
    for k in (1, 5)
)
print(sum(one != other for one, other in zip(greedy_dates, beam_dates)), "of", len(unseen))

# %% [markdown]
# A date has one right answer, and the model is sure of it. The width matters where many outputs are
# right, as in translation, or where the model is in doubt. So we take a task with many right answers.
# Each source letter may be rewritten in several ways, of different lengths, and the probabilities are
# known.

# %%
from seq2seq_lib.corpora import (
    letters,
    letters_distribution,
    letters_expected_length,
    letters_log_prob,
    letters_mode,
    letters_next,
)

for letter in "abcde":
    outputs = letters_distribution(letter).items()
    print(letter, "->", ", ".join(f"{text(target)} {p:.2f}" for target, p in outputs))

# %% [markdown]
# So we can train a model on drawn targets, let it write with beams of 1 to 20, and know for each
# output how probable it *truly* is.

# %%
from seq2seq_lib.batching import make_loader
from seq2seq_lib.vocab import Vocab

corpus = letters(6000, 300, 300)
source_vocab = Vocab.build(pair.source for pair in corpus.train)
target_vocab = Vocab.build(pair.target for pair in corpus.train)
train, test = (
    encode_pairs(split, source_vocab, target_vocab) for split in (corpus.train, corpus.test)
)
sources = [pair.source for pair in corpus.test]
references = [pair.target for pair in corpus.test]
print(text(sources[0]), "->", text(references[0]), "  mode", text(letters_mode(sources[0])))

# %% [markdown]
# One source, the target that was drawn for it, and its mode. The model reads 6,000 such pairs. The
# source does not tell which target was drawn, so the loss cannot fall to 0: its floor is the entropy
# of the targets.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, evaluate, fit

device = get_device()
seed_everything(0)
model = Seq2Seq(
    Seq2SeqConfig(len(source_vocab), len(target_vocab), 24, 64, dropout=0.0, attention="dot")
)
fit(
    model,
    make_loader(train, 50, shuffle=True, seed=0),
    None,
    TrainConfig(epochs=6, learning_rate=6e-3, cosine_decay=True),
    device=device,
    progress=False,
)
loss = evaluate(model, make_loader(test, 100), device=device).mean.item()
print(f"test loss {loss:.3f} a token; no model can expect less than {corpus.entropy_floor:.3f}")

# %% [markdown]
# The model is decent and not perfect: there is room for model errors. **Predict** three curves
# against the width of the beam: the model's log-probability of its output, the length, and BLEU. BLEU,
# from 0 to 100, counts how many runs of one to four tokens an output shares with its reference, and
# lowers the score of outputs that are too short.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.metrics import corpus_bleu

batch = collate(test).to(device)


def ends_too_early(source, output):
    try:
        return None not in letters_next(source, output)  # None stands for the end
    except ValueError:
        return False  # no target begins like this


def measure(k, alpha):
    found = beam_search(
        model, batch.src, batch.src_lengths, num_beams=k, max_new_tokens=26, length_penalty=alpha
    )
    outputs = [tuple(target_vocab.decode(best.tokens)) for (best,) in found]
    true = [letters_log_prob(s, output) for s, output in zip(sources, outputs)]
    bleu = corpus_bleu([" ".join(y) for y in outputs], [" ".join(y) for y in references])
    return {
        "log p": sum(best.log_prob for (best,) in found) / len(found),
        "length": sum(len(y) + 1 for y in outputs) / len(outputs),  # the end counts
        "true p": sum(map(math.exp, true)) / len(true),
        "possible": sum(t > -math.inf for t in true) / len(true),
        "too early": sum(map(ends_too_early, sources, outputs)) / len(true),
        "BLEU": bleu.score,
        "matches": bleu.score / bleu.brevity_penalty,
        "brevity": bleu.brevity_penalty,
    }


# %% [markdown]
# `true` holds what the rules of the corpus say: how probable an output really is, whether it is
# possible at all, and whether it ends where no target ends. We measure six widths, without a length
# penalty and with α = 1:

# %% tags=["nbval-ignore-output"]
widths = [1, 2, 3, 5, 10, 20]
measured = {alpha: [measure(k, alpha) for k in widths] for alpha in (0.0, 1.0)}
columns = ["log p", "length", "true p", "possible", "too early", "BLEU"]
for alpha, points in measured.items():
    print(f"alpha {alpha}: k", *(f"{name:>9}" for name in columns))
    for k, point in zip(widths, points):
        print(f"{k:12}", *(f"{point[name]:9.3f}" for name in columns))

# %% [markdown]
# Three of the columns as curves:

# %% tags=["nbval-ignore-output"]
axes = plots.axes_grid(1, 3, 11, 3.4)
labels = {"log p": "log-probability (nats)", "length": "tokens, end included", "BLEU": "BLEU"}
titles = ("Wider is more probable", "and, with α = 0, shorter", "so BLEU falls with α = 0")
for ax, title, (name, label) in zip(axes, titles, labels.items()):
    series = {f"α = {alpha:.0f}": [p[name] for p in measured[alpha]] for alpha in measured}
    if name == "length":
        mean = sum(len(y) + 1 for y in references) / len(references)
        series["references"] = [mean] * len(widths)
    plots.curves(widths, series, xlabel="beams", ylabel=label, title=title, ax=ax)
plots.show(
    axes[0].figure,
    "Three panels against the number of beams, 1 to 20. The log-probability rises. The length falls "
    "below that of the references without a penalty, and stays above it with alpha 1. BLEU without a "
    "penalty rises at first and falls for wide beams; with alpha 1 it does not fall back.",
)

# %% [markdown]
# - The **log-probability** rises with every width: there are fewer and fewer search errors.
# - The **length** falls, without a penalty: from longer than the references to shorter.
# - **BLEU** goes up a little and then down. A beam of 20 is worse than greedy search, although its
#   outputs are twice as probable, on the (geometric) average.
# - With α = 1 the lengths stay, and BLEU hardly changes after five beams.
#
# The two rows `k = 1` differ. One beam goes on after the first end, and α = 1 sometimes prefers a
# longer output.
#
# Why does BLEU fall? BLEU is a product: how well runs of one to four tokens match, times a penalty for
# outputs that are shorter than the references. Here are the two factors, without a length penalty:

# %% tags=["nbval-ignore-output"]
for k, point in zip(widths, measured[0.0]):
    print(f"k = {k:2}: matches {point['matches']:.1f}, times {point['brevity']:.2f} for the length")

# %% [markdown]
# The matches of the widest beam are *better* than greedy search's. The whole fall is the length. BLEU
# has no penalty for being too long, which helps α = 1.
#
# We ran this with the seeds 0 to 4. The best width for BLEU was 5, 2, 3, 2 and 3, so do not read more
# into the peak. These claims held with every seed:

# %%
plain, long = measured[0.0], measured[1.0]
assert all(b["log p"] >= a["log p"] for a, b in zip(plain, plain[1:]))
assert plain[-1]["log p"] - plain[0]["log p"] > 0.4
assert plain[0]["length"] - plain[-1]["length"] > 0.8
assert abs(long[0]["length"] - long[-1]["length"]) < 0.5
assert max(p["BLEU"] for p in plain) - plain[-1]["BLEU"] > 1
assert plain[-1]["BLEU"] < plain[0]["BLEU"] < long[-1]["BLEU"] + 0.5
assert plain[-1]["matches"] > plain[0]["matches"] and plain[-1]["brevity"] < 0.95

# %% [markdown]
# Is a short output wrong, then? Here we know the truth.
#
# The *true* probability of the outputs, the column `true p`, does not fall. It is the chance that a
# target drawn at random is exactly this output. By that measure no width is better than the widest. BLEU
# measures something else: how much an output looks like a drawn target, and drawn targets are longer.
#
# `possible` is the share of outputs that the source can become at all. It *rises* with the beam: some
# impossible outputs were search errors. `too early` is the share that begins well and ends before the
# source is used up. Without a penalty it *grows*: here the model really prefers the early end, and only
# a wide beam finds that out. More search cures the first kind of error and uncovers the second.

# %%
assert plain[-1]["true p"] > plain[0]["true p"]
assert plain[-1]["possible"] > plain[0]["possible"]
assert plain[-1]["too early"] > plain[0]["too early"] + 0.01
assert plain[-1]["too early"] > long[-1]["too early"] + 0.02

# %% [markdown]
# What would a model do that makes no errors at all? `letters_next` gives the true probabilities, so
# we can search in the truth itself:


# %% tags=["nbval-ignore-output"]
def truth(source):
    @cache
    def next_log_probs(prefix):
        following = letters_next(source, prefix)
        return {token or "•": math.log(p) for token, p in following.items()}

    return next_log_probs


some, in_truth = sources[:100], {}
for k in (1, 2, 3, 5, 10):
    searched = [beam_by_hand(truth(source), k, 25)[0] for source in some]
    length = sum(len(output) for output, _ in searched) / len(some)
    modes = sum(output[:-1] == letters_mode(s) for s, (output, _) in zip(some, searched))
    in_truth[k] = length, modes
    print(f"k = {k:2}: {length:.2f} tokens, {modes} of {len(some)} modes found")
shortest = sum(len(letters_mode(source)) + 1 for source in some) / len(some)
expected = sum(letters_expected_length(source) + 1 for source in some) / len(some)
print(f"the modes have {shortest:.2f} tokens, an average target {expected:.2f}")
assert in_truth[1][1] < in_truth[3][1] < in_truth[10][1] and in_truth[10][1] > 70
assert in_truth[1][0] > in_truth[3][0] > in_truth[10][0] > shortest
assert shortest < expected - 0.5

# %% [markdown]
# The length falls here, too, and the search walks towards the modes. So most of the fall needs no
# model error. The rules of `a` and `b` were made for this chapter: their most probable rewriting is
# short, and most of the probability lies on longer ones. So a mode is shorter than the average target.
# A real language may do the same to a lesser degree.
#
# A beam does two things at once. It finds the mode more often, which is right. And the mode need not
# be what you want, which is for you to decide. **In practice**: try 1, 3, 5 and 10 beams with two or
# three values of α on *validation* data, with the measure you care about. Take the narrowest beam that
# is as good as the best. [Exercise 7.6](../exercises/ch07_search/ch07_search.ipynb) measures width
# against length on sources of your choice.
#
# ### Real beams
#
# The tree can also show the model that reads dates. Choose a date, and look at what comes second, and
# at how much less probable it is.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.search_tree import explore

explore("dates")

# %% [markdown]
# ## Summary
#
# - The log-probability of an output is a sum over its tokens, and EOS is one of them.
# - For outputs of n tokens, greedy search looks at |Y| n candidates, a beam at k |Y| n, exhaustive
#   search at |Y|^n; the model is asked n times, n times with k rows, and once for each prefix. The last
#   one is the oracle for the others on tiny vocabularies.
# - Sampling gives each output as often as its probability says. Temperature, top-k and top-p change
#   the distribution of each step; T → 0 is greedy search and not the mode.
# - Beam search is `expand`, then `prune`. Finished outputs leave the beam, keep their score, and
#   take no place. The rows of the state move with the outputs.
# - score = log p / length^α, EOS counted. α > 0 favours long outputs, 0 is neutral. It re-ranks what
#   was found. It does not bring back what was pruned.
# - A wider beam finds more probable and shorter outputs. Whether they are better must be measured.
#
# | copied code | what it does | what gives it away |
# |---|---|---|
# | finished outputs grow on | text after the end | a token after EOS |
# | beam gets narrower | loses outputs that end late | law 5, on a model where the best ends late |
# | stop at the first end | returns short outputs, whatever the penalty | compare with exhaustive search |
# | penalty with the wrong sign | favours short outputs | raise α: the best must not get shorter |
# | EOS not scored | the empty output wins | probabilities of all outputs sum to more than 1 |
# | state not reordered | plausible words, somebody else's number | rescore what came back |
#
# - **Laws established**: law 5, search has an oracle, and law 6, scores add up.
#   `laws.search_oracle(your_search)` and `laws.scores_add_up(your_search)` judge any search.
# - **Common misconception**: "The most probable sentence is the best one."
#
# **Next**: [the exercises](../exercises/ch07_search/ch07_search.ipynb) of this chapter. Then
# [chapter 9](ch09_real_translation.ipynb) uses this beam search on real German sentences.
