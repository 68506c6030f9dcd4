# %% [markdown]
# # 8. Attention
#
# A decoder that gets one vector must find all of a sentence in it. Attention keeps a vector for each
# source token, and every step of the decoder mixes its own. How does that work for a source of any
# length, and may we believe the picture of where it looked?
#
# The date model below has read "14 aug 1999", one vector a character. **Predict**: which digits
# of its answer change if the three vectors of "aug" are replaced by those of "mar" from "27 mar 2051"?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.attention_lens import explore

explore("date")

# %% [markdown]
# Move on to "one vector" and its slider: column 9 turns the year into 1959, column 2 does nothing.
#
# **After this chapter you can** compute scores, weights and a context by hand, say what a score can
# move, mask attention and test the mask, choose its place in the decoder, and test what a weight
# explains.
#
# **You need** chapters [0](ch00_start_here.ipynb) and [4](ch04_padding_masks.ipynb): an encoder, a decoder, masks.
#
# **Time**: 45 minutes with both stubs; it runs in seconds.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B, S, T | sentences, source positions, target positions | d | numbers in a query; elsewhere H |
# | q[b, t] | query: the decoder at step t | k[b, s], v[b, s] | key and value of source token s |
# | e[t, s] | score of s for step t | a[t, s] | weight; a row sums to 1 over S |
# | c[t] | context: the mixed vector | mask | bool `[B, S]`, True: a real token |
#
# Here keys and values are both the encoder's **memory** `[B, S, d]`.

# %% [markdown]
# ## 8.1 The bottleneck
#
# What does the decoder get of a long source? Without attention the encoder's final state, of one size
# for three letters and for thirty. The memory grows with the source.

# %%
import torch

from seq2seq_lib.batching import collate, encode_pairs
from seq2seq_lib.corpora import dates
from seq2seq_lib.course.assets import date_reader

reader = date_reader()
model = reader.model.eval().requires_grad_(False)
test = dates(num_train=0, num_valid=0, num_test=500).test  # the model has seen none of these days
batch = collate(encode_pairs(test, reader.src_vocab, reader.tgt_vocab))
memory, state, _ = model.encoder(batch.src, batch.src_lengths)
print(f"state {list(state.shape)}, memory {list(memory.shape)}")
output = model.teacher_forced(batch)  # attention [B, T, S]
right = (output.logits.argmax(-1) == batch.tgt_out).all(1)  # [B]: a whole date
for low, high in ((8, 10), (11, 15), (16, 20), (21, 28)):
    group = (batch.src_lengths > low) & (batch.src_lengths <= high + 1)  # EOS counts
    share = right[group].float().mean()
    print(f"{low:2d} to {high} characters: {group.sum():3d} dates, right {share:.2f}")

# %% [markdown]
# Here nothing falls with length, but each answer has 10 characters, so a long date asks for no more than
# a short one. [Chapter 3](ch03_encoder_decoder.ipynb)'s `reverse` does: each digit must be copied. Two
# models were trained as there, seeds 0 to 4: its GRU, which gets the encoder's state at every step, and
# the same encoder with attention instead ([`benchmarks/attention.py`](../benchmarks/attention.py),
# measured once, on 28 November 2026). **Predict** both curves: without attention, what is left at 11
# digits? With attention, are 11 digits as good as 3?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib import plots
from seq2seq_lib.course import ch08_attention as chapter
from seq2seq_lib.course.ch08_attention import figures

plots.show(*figures.by_length(chapter.LENGTHS, chapter.WITHOUT_ATTENTION, chapter.WITH_ATTENTION))

# %% [markdown]
# The cliff is gone, the slope is not: at 11 digits 1 to 5 % are right without attention, and 78 to 89 %
# with it. To write backwards, a model must still know *where* it is, and our attention knows of
# positions only what the GRU keeps. Chapter 3's board goes on (means of five seeds; CPU seconds of
# training, all timed anew):
#
# | task | model | exact match | loss | parameters | seconds |
# |---|---|---|---|---|---|
# | `reverse` | GRU, context at every step | 0.60 | 0.29 | 52 k | 4 |
# | | GRU with general attention | 0.96 | 0.02 | 47 k | 5 |
# | `dates` | GRU, context at every step | 0.91 | 0.03 | 106 k | 13 |
# | | GRU with general attention | 1.00 | 0.00 | 93 k | 15 |
#
# So attention removes the bottleneck of what can be copied; it does not make all lengths equal.
#
# ## 8.2 Three tokens by hand
#
# What exactly is computed? Three steps:
#
# $$e_{ts} = \frac{q_t \cdot k_s}{\sqrt d}, \qquad a_{ts} = \frac{\exp e_{ts}}{\sum_j \exp e_{tj}},
# \qquad c_t = \sum_s a_{ts} v_s$$
#
# Our batch has two sentences. Sentence 1 is "the cat •", where • is its end, and two pads. The
# encoder that wrote this memory read on over the pads, so their vectors are not zero.

# %%
from seq2seq_lib.course.explorers.attention_lens.compute import MASK, MEMORY, QUERIES

q, memory, mask = QUERIES, MEMORY, MASK  # [B, T, d], [B, S, d], [B, S]
(B, T, d), S = q.shape, memory.size(1)
print("memory of sentence 1", memory[1], "its query at step 0", q[1, 0], sep="\n")

# %% [markdown]
# **With a pencil**, step 0 of sentence 1: the query (2, 1, 0, 0) times (2, 0, 0, 1) is 4, times
# (0, 2, 1, 0) is 2, times (0, 0, 0, 2) is 0. Divided by $\sqrt 4$: 2, 1, 0. The exponentials are 7.39,
# 2.72 and 1, their sum is 11.11, so the weights are .665, .245 and .090. The loop says the same,
# and leaves the pads out.


# %%
def attend_by_loops(q, k, v, mask):
    weights = torch.zeros(q.size(0), q.size(1), k.size(1))
    for b in range(q.size(0)):
        for t in range(q.size(1)):
            real = [s for s in range(k.size(1)) if mask[b, s]]
            scores = torch.stack([q[b, t] @ k[b, s] / q.size(-1) ** 0.5 for s in real])
            weights[b, t, real] = scores.exp() / scores.exp().sum()
    return weights @ v, weights  # [B, T, d], [B, T, S]


context, weights = attend_by_loops(q, memory, memory, mask)
print("weights", weights[1].round(decimals=3), "context, step 0", sep="\n")
print(context[1, 0].round(decimals=3))

# %% [markdown]
# **Your turn.** Write it without a loop. All B, T and S meet in one product. (`hint("8.1")` helps.)


# %%
def attend(q, k, v, mask):
    """q [B, T, d], k and v [B, S, d], bool [B, S] -> context [B, T, d], weights [B, T, S]."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint

check("8.1", attend)

# %% [markdown]
# **Right.** The mask gets an axis for T, or its B would be laid along T; the scores are filled
# before the softmax. The library's `DotAttention` must agree.

# %%
from seq2seq_lib.attention import AdditiveAttention, DotAttention, GeneralAttention


def attend_at_once(q, k, v, may_look):
    scores = q @ k.mT / q.size(-1) ** 0.5  # [B, T, d] @ [B, d, S] -> [B, T, S]
    weights = scores.masked_fill(~may_look, float("-inf")).softmax(-1)
    return weights @ v, weights


dot = DotAttention()
generator = torch.Generator().manual_seed(0)
noise = torch.randn(B, T, d, generator=generator)
ours = attend_at_once(noise, memory, memory, mask[:, None])  # [B, 1, S]
library = dot(noise, dot.precompute(memory), memory, mask)
assert all(torch.allclose(one, two, atol=1e-6) for one, two in zip(ours, library))
print("the library agrees on a random query")

# %% [markdown]
# ### What one score can move
#
# Training changes weights through scores, so how far does a weight move if a score does?
#
# 1. Write $a_i = \exp(e_i) / Z$ with $Z = \sum_j \exp e_j$. Then $\partial Z / \partial e_j = \exp e_j$.
# 2. The quotient rule gives $\partial a_i / \partial e_j = a_i\,([i = j] - a_j)$: the **Jacobian** J.
# 3. Its rows sum to $a_i (1 - \sum_j a_j) = 0$.
# 4. By the chain rule $\partial c / \partial e_j = \sum_i v_i\, \partial a_i / \partial e_j = a_j (v_j - c)$:
#    a score pulls the context towards its value, as hard as its weight is large.
# 5. How much can move at all? The trace of J is $\sum_i a_i (1 - a_i) = 1 - \sum_i a_i^2$: 0 if one
#    weight is 1, and $1 - 1/S$ if all are equal.
#
# **Your turn.** Write step 2 as a matrix.


# %%
def jacobian(a):
    """Weights [S], which sum to 1 -> J [S, S], J[i, j] = d a_i / d e_j."""
    raise NotImplementedError  # your line


# %%
check("8.2", jacobian)

# %% [markdown]
# **Right**: a diagonal minus an outer product. Autograd finds the same matrix.

# %%
scores = torch.tensor([2.0, 1.0, 0.0])
a = scores.softmax(-1)
J = a.diag() - a[:, None] * a[None, :]  # [S, 1] * [1, S]
by_autograd = torch.autograd.functional.jacobian(lambda e: e.softmax(-1), scores)
assert torch.allclose(J, by_autograd, atol=1e-6)
print(J.round(decimals=3), "trace", J.trace().round(decimals=3), sep="\n")

# %% [markdown]
# **Predict** what becomes of the weights if 10 is added to all scores of a row. They are numbers
# under an exponential, and $e^{10}$ is 22,026.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("before", a.round(decimals=3))
print("after ", (scores + 10).softmax(-1).round(decimals=3))

# %% [markdown]
# Step 3 says it: only differences between scores count, and what adds the same to all scores of a row
# is lost. By step 2, a weight of 0 (masked) passes no gradient, nor does a row whose one weight is 1:
# such a softmax is called **saturated**. In the explorer's scene "three tokens" you can edit one score
# and see who gives way.
#
# ## 8.3 Four scores, and why √d
#
# Is the product the only score? Four are in use. **Dot**: $q \cdot k$, no parameters, one size for both.
# **General** (Luong): $q^\top W k$, which maps one to the other. **Additive** (Bahdanau):
# $w^\top \tanh(W q + U k)$, a small network; the learned vector w is called v in papers, but is no
# value. **Scaled**: dot or general, divided by $\sqrt d$.
#
# **Predict**: leave out the tanh of the additive score. It still has all its parameters. Which of its
# inputs, query or key, does not change the weights any more?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
torch.manual_seed(0)
additive = AdditiveAttention(d, d).requires_grad_(False)
keys = additive.precompute(memory)  # [B, S, A]
linear = additive.energy(additive.query(q)[:, :, None] + keys[:, None]).squeeze(-1)  # [B, T, S]
print("with tanh, sentence 0", additive.score(q, keys)[0].softmax(-1).round(decimals=2), sep="\n")
print("without", linear[0].softmax(-1).round(decimals=2), sep="\n")

# %% [markdown]
# All rows are equal: without a bend the query adds the same to every score of its row, and by step
# 3 the softmax drops it.
#
# **Why √d?** Let all numbers of q and k be independent, with mean 0 and variance 1. Each product
# $q_i k_i$ then has variance 1, and a sum of d of them variance d. So raw scores spread like $\sqrt d$,
# and divided by it like 1, whatever the size.

# %%
print("   d    raw scores: variance, largest weight, 1 - sum of a²     scaled: the same")
for size in (4, 16, 64, 256, 1024):
    queries, ten_keys = (torch.randn(2000, n, size, generator=generator) for n in (1, 10))
    raw = (queries @ ten_keys.mT).squeeze(1)  # [2000, 10]
    print(f"{size:4d}", end="")
    for e in (raw, raw / size**0.5):
        row = e.softmax(-1)
        numbers = e.var(), row.amax(-1).mean(), 1 - (row**2).sum(-1).mean()
        print("{:14.0f}{:10.1f}{:10.1f}".format(*numbers), end="")
    print()

# %% [markdown]
# Unscaled and with d = 1024, nearly everything lies on one key before anything is learned, and
# nearly no gradient is left to move it. And in a trained model?

# %%
date_memory, state, real = model.encoder(batch.src, batch.src_lengths)
print(f"variance of the date model's memory {date_memory[real].var():.1f}, state {state.var():.1f}")

# %% [markdown]
# Bounded by tanh, a GRU's states stay below variance 1, so a small RNN is less in danger. A number that divides all scores is a **temperature**
# ([5.6](ch05_nll_vs_cross_entropy.ipynb)): a high one evens out, a low one sharpens. So $\sqrt d$ is a first temperature, which keeps
# gradients alive at the start, and training sharpens what it needs.
#
# ## 8.4 The mask
#
# Where can attention go wrong without an error? ([4.5](ch04_padding_masks.ipynb) began this.) **Naive**: no mask. The pads are vectors like others,
# and score 6 and 6 before scaling. Decide in the explorer how much they take.

# %% tags=["nbval-ignore-output"]
explore("leak")

# %% [markdown]
# **Wrong**: the softmax first, then times the mask. The zeros are in the right places. **Predict** what
# the weights of step 0 sum to.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.masks import masked_softmax

real = mask[:, None]  # [B, 1, S]: B sentences, any step
scores = q @ memory.mT / d**0.5  # [B, T, S]
ways = {
    "no mask": lambda scores, real: scores.softmax(-1),
    "times mask after": lambda scores, real: scores.softmax(-1) * real,
    "zero before": lambda scores, real: scores.masked_fill(~real, 0.0).softmax(-1),
    "-inf before": masked_softmax,
}
for name, way in ways.items():
    row = way(scores, real)[1, 0]
    print(f"{name:17}", row.round(decimals=3), f"sum {row.sum():.3f}")

# %% [markdown]
# The pads took .783 before they were thrown away. A zero does not help either: a score of 0 is as
# good as that of •. **Right** is $-\infty$ before the softmax, because $e^{-\infty} = 0$.
#
# Four edges remain. Dividing the masked weights by their sum again is right on paper, but not if a pad
# outscores the rest by far. A large negative number must fit into its dtype. A row without a real
# token has nothing to share out (`explore("empty")` draws it). And a weight of 0 does not keep out a
# vector that is NaN:

# %%
far = torch.tensor([0.0, -1.0, 120.0]).softmax(-1) * torch.tensor([1.0, 1.0, 0.0])
print("divided again:", far / far.sum())
try:
    torch.zeros(2).half().masked_fill(torch.tensor([True, False]), -1e9)
except RuntimeError as error:
    print("-1e9 in float16:", str(error).split(" to type")[0])
nothing = torch.zeros(1, 3, dtype=torch.bool)
print("an empty row, -inf:", torch.zeros(1, 3).masked_fill(~nothing, float("-inf")).softmax(-1))
print("masked_softmax:", masked_softmax(torch.zeros(1, 3), nothing))
print("a pad's vector is NaN:", torch.tensor([1.0, 0.0]) @ torch.tensor([[5.0], [float("nan")]]))

# %% [markdown]
# Would one notice? A date model was trained *and* used without a mask (same script and day, seeds 0,
# 1 and 2). **Predict** its exact match on 300 unseen dates one by one, and with 100 PAD columns behind
# each.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
for seed, alone, padded in chapter.WITHOUT_A_MASK:
    print(f"seed {seed}: one by one {alone:.2f}, in a batch with 100 PAD columns {padded:.2f}")

# %% [markdown]
# One by one there is no pad to see, so the accuracy shows nothing. Among 100 pads one of the three loses
# 12 % of its dates, and one nearly none: perhaps it has learned to look away. A reader asked for the
# mask; the author agreed, thought that the decoder could learn to do without, and named the cure,
# `masked_fill` with −∞
# ([Seq2Seq-PyTorch#6](https://github.com/MaximumEntropy/Seq2Seq-PyTorch/issues/6); see also
# [tutorials#593](https://github.com/pytorch/tutorials/issues/593)). But what a sentence gets still
# depends on its neighbours. **Law 1** asks exactly this, of an untrained model.

# %%
from seq2seq_lib import laws
from seq2seq_lib.course.ch08_attention.surgery import Transplanted, Weighing, stale_step
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.vocab import EOS_ID


def small(attend_first=False):
    torch.manual_seed(0)
    config = Seq2SeqConfig(11, 13, 8, 16, attention="dot", attend_first=attend_first)
    return Seq2Seq(config).eval().requires_grad_(False)


verdicts = {}
ways["over the batch"] = lambda scores, real: masked_softmax(scores, real.expand_as(scores), dim=0)
for name, way in ways.items():
    judged = small()
    judged.decoder.attention = Weighing(way)
    verdicts[name] = laws.batch_invariance(logits=judged, src_vocab_size=11, tgt_vocab_size=13)
    print(f"{name:17} holds: {verdicts[name].holds}")
assert [name for name, verdict in verdicts.items() if verdict] == ["-inf before"]

# %% [markdown]
# So invariance sees a missing mask even where the accuracy looks fine.
#
# ## 8.5 Before the step or after it
#
# Where in the decoder does attention stand? Before: $c_t$ from $h_{t-1}$, then $h_t = \text{GRU}([y_t; c_t], h_{t-1})$.
# After: $h_t = \text{GRU}(y_t, h_{t-1})$, then $c_t$ from $h_t$.

# %%
plots.show(
    figures.two_orders(),
    "Left: h[t-1] goes into attention and into the GRU step; the context c[t] goes into the GRU step, "
    "which makes h[t]. Right: h[t-1] goes into the GRU step, which makes h[t]; h[t] goes into "
    "attention, which makes c[t]. No arrow leads from a context to a state.",
)

# %% [markdown]
# After the step, no state waits for a context. All T states come from one call of `nn.GRU`, and all
# contexts from one product. Before the step, a pass over the target is a loop. **Law 4** asks whether
# the whole pass and single steps are one function. It holds for both; and for a step that asks with the
# query of the *other* order, it does not.

# %%
after, before = small(), small(attend_first=True)
sizes = {"src_vocab_size": 11, "tgt_vocab_size": 13}
steps = {"after": after.step, "before": before.step, "after, stale query": stale_step(after)}
for (name, step), judged in zip(steps.items(), (after, before, after)):
    verdicts[name] = laws.parallel_stepwise(judged, judged.start, step, **sizes)
    print(f"{name:19} holds: {verdicts[name].holds}")
assert verdicts["after"] and verdicts["before"] and not verdicts["after, stale query"]

# %% [markdown]
# Both were trained on 4,000 dates, four passes (same script and day, seeds 0, 1 and 2). Additive
# attention after the step was right on 98 to 100 % of 300 unseen dates and took 4.3 to 5.7 CPU seconds of training;
# before the step 96 to 100 % in 5.7 to 6.1 seconds.
#
# So the order decides what can run in parallel. On this task it does not decide the quality.
#
# ## 8.6 What weights say
#
# May we read a heat map as an explanation? Our tasks know which source token makes which target token,
# so we can ask: for how many target tokens does the largest weight stand on a token that the truth
# names? And where links **cross**: the year goes to the front, a French adjective behind its noun?

# %%
from seq2seq_lib.corpora import phrases
from seq2seq_lib.course.assets import phrase_translator
from seq2seq_lib.course.ch08_attention.alignment import on_gold

translator = phrase_translator()
unseen = phrases(num_train=0, num_valid=0, num_test=500).test
phrase_batch = collate(encode_pairs(unseen, translator.src_vocab, translator.tgt_vocab))
with torch.no_grad():
    looked = translator.model.teacher_forced(phrase_batch).attention
for name, attention, pairs in (("dates", output.attention, test), ("phrases", looked, unseen)):
    shares = [f"{sum(hits) / len(hits):.2f} of {len(hits)}" for hits in on_gold(attention, pairs)]
    print(f"{name:8} on the truth {shares[0]}, where links cross {shares[1]}")

# %%
(answer,) = translator(["the small red cat"])
words = [*answer.source, "end"], answer.target
ax = plots.attention_heatmap(answer.attention, *words, title="Where French words look")
plots.show(
    ax.figure,
    "Heat map of le petit chat rouge. le looks at the, petit at small; then the weights cross: chat, "
    "the third word, looks at cat, the fourth, and rouge at red.",
)

# %% [markdown]
# The weights go with the words, also where these change places. Were they *used*? Change them.
# **Predict**: give every character of a date the same weight at each step, or shuffle the weights.
# Which characters of YYYY-MM-DD and of the end stay right in nearly all dates?


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
def evenly(scores, real):
    return (real / real.sum(-1, keepdim=True)).expand_as(scores)


def shuffled(scores, real):  # a row's real weights change places
    dice = torch.rand(scores.shape, generator=torch.Generator().manual_seed(6))
    order = dice.masked_fill(~real, 2.0).argsort(-1)  # the pads stay last
    return torch.zeros_like(scores).scatter(-1, order, masked_softmax(scores, real))


print("         " + "".join(f"{name:>5}" for name in "y1 y2 y3 y4 - m1 m2 - d1 d2 end".split()))
changed, stays = date_reader().model.eval().requires_grad_(False), {}
for way in (evenly, shuffled):
    changed.decoder.attention = Weighing(way)
    same = changed.teacher_forced(batch).logits.argmax(-1) == batch.tgt_out  # [B, T]
    stays[way.__name__] = same.float().mean(0)
    print(f"{way.__name__:9}" + "".join(f"{share:5.1f}" for share in stays[way.__name__]))

# %% [markdown]
# Other maps leave hyphens and the end as they were, and nearly y2: in these years 1 is followed by 9,
# and 2 by 0. Yet y2's row of the heat map looks like any other.
#
# Where do hyphens look, which need nothing? Chapter 0 named the **sink**: a softmax must put
# its weight somewhere, perhaps on the end. Here is our model's first hyphen; then chapter 0's recipe with two scores and
# three seeds (same script and day), also with the end masked.

# %%
at_end = output.attention[:, 4][batch.src == EOS_ID]  # [B]: one end in each row
print(f"our model: {at_end.mean():.2f} of the weight on the end")
print("                weight, largest in, dates right, right with the end masked")
for kind, seed, *numbers in chapter.SINK:
    print(f"{kind:8} seed {seed}", *(f"{number:10.2f}" for number in numbers))

# %% [markdown]
# The sink comes and goes with the seed, and nothing is lost without it. A weight says which vector was
# mixed in; it does not say that anything depended on it.
#
# The causal test is to change the *vector*: take columns of the memory from another date, as in the
# explorer above.

# %% tags=["nbval-ignore-output"]
explore("transplant")

# %% [markdown]
# Does it hold for more than one pair? Here are 72 dates of that form. `Transplanted` gives each some
# columns of the date above it, which has another month.

# %%
from datetime import date

from seq2seq_lib.corpora.date_task import date_pair
from seq2seq_lib.decoding import greedy_search

days = [date(1950 + i, 1 + i % 12, 10 + i % 18) for i in range(72)]  # all have 11 characters
pairs = [date_pair(day, "day_mon_year") for day in days]
source = collate(encode_pairs(pairs, reader.src_vocab, reader.tgt_vocab))
months = ["".join(pair.target[5:7]) for pair in pairs]
for name, columns in {"letters": [3, 4, 5], "all the rest": [0, 1, 2, *range(6, 12)]}.items():
    patient = Transplanted(model, columns)
    found = greedy_search(patient, source.src, source.src_lengths, max_new_tokens=12)
    said = ["".join(reader.tgt_vocab.decode(best.tokens[5:7])) for (best,) in found]
    own = sum(one == two for one, two in zip(said, months))
    donor = sum(one == two for one, two in zip(said, months[-1:] + months[:-1]))
    print(f"{name:13} from the other date: own month {own}, donor's month {donor}, of {len(days)}")

# %% [markdown]
# Words are less tidy. In the map above, *le* looks at *the*, and at little else. **Predict**: take this
# one column *the* from *the small red house*, in French *la petite maison rouge*. Which words of
# *le petit chat rouge* change?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
lines = ("the small red cat", "the small red house")
ids = torch.tensor([[*translator.src_vocab.encode(line.split()), EOS_ID] for line in lines])
for column, word in enumerate(lines[1].split()):
    patient = Transplanted(translator.model, [column])
    (best,), _ = greedy_search(patient, ids, torch.tensor([5, 5]), max_new_tokens=12)
    print(f"{word:6} from the house: {' '.join(translator.tgt_vocab.decode(best.tokens))}")

# %% [markdown]
# The article takes the gender of a noun that is not there: the encoder has written it into the vector
# of *the*. Three models with general attention did the same (same script and day). So a weight tells
# which vector was mixed in, and not which word decided; change the vector and look.

# %% [markdown]
# ## Summary
#
# - Attention is three lines: scores, a softmax over S, a weighted sum.
# - The Jacobian of the softmax is $\text{diag}(a) - a a^\top$: only differences count, and what is saturated
#   or masked passes no gradient.
# - After the step (Luong) a pass is parallel, if no context is fed back; before it (Bahdanau) it is a loop.
# - A heat map says which vectors were mixed; whether it mattered shows when they are exchanged.
#
# | wrong version | weights of step 0 | what gives it away |
# |---|---|---|
# | right | .665 .245 .090, 0 0 | |
# | no mask | .144 .053 .020, .392 .392 | law 1: alone, or more PAD columns |
# | times mask after | .144 .053 .020, 0 0 | rows do not sum to 1; law 1 |
# | zero before | .564 .207 .076, .076 .076 | law 1 |
# | softmax over the batch | .818 .500 .269, 0 0 | law 1; a batch of one: all weights 1 |
#
# **Law**: law 1 judges masks and axes, law 4 the order of attention and step.
#
# **Common misconception**: "The cell is dark, so the model used that word."

# %% [markdown]
# ## In Transformers and LLMs
#
# - **Self-attention** is `attend` with q, k and v from one sequence. A **causal** mask, no later key, joins
#   the padding mask by `&`.
# - **What True means.** `F.scaled_dot_product_attention`: True may look. `nn.MultiheadAttention`: True may
#   not. The wrong way round there is no error, only another model
#   ([LLMs-from-scratch#1061](https://github.com/rasbt/LLMs-from-scratch/issues/1061)).
# - **Which pads matter.** Padded on the right, a real query never reaches a pad under a causal mask. Padded on
#   the left, it would.
# - **KV cache**: keys and values of earlier tokens are kept. It is law 4: one pass = step by step.
#
# First one head, causal and padded, by `attend_at_once` and by PyTorch:

# %%
import torch.nn.functional as F

causal = torch.ones(S, S, dtype=torch.bool).tril()  # a query sees itself and what is before
both = mask[:, None, :] & causal  # [B, 1, S] & [S, S] -> [B, S, S]
by_hand, _ = attend_at_once(memory, memory, memory, both)
sdpa = F.scaled_dot_product_attention(memory, memory, memory, attn_mask=both)
head = torch.nn.MultiheadAttention(d, 1, bias=False, batch_first=True).requires_grad_(False)
head.in_proj_weight.copy_(torch.eye(d).repeat(3, 1))  # no maps: it attends to what it gets
head.out_proj.weight.copy_(torch.eye(d))
heads, _ = head(memory, memory, memory, key_padding_mask=~mask, attn_mask=~causal)
inverted = F.scaled_dot_product_attention(memory, memory, memory, attn_mask=~both)
for name, theirs in {"SDPA": sdpa, "MultiheadAttention": heads, "SDPA, inverted": inverted}.items():
    print(f"{name:18} the same: {torch.allclose(by_hand, theirs, atol=1e-6)}")

# %% [markdown]
# Then a whole encoder-decoder, from PyTorch's own layers. It has no state but the tokens so far, so its
# step reads them all again. Laws 1 and 4 can judge it all the same.


# %%
from seq2seq_lib.masks import sequence_mask


class SmallTransformer(torch.nn.Module):
    def __init__(self, src_size=11, tgt_size=13, width=16):
        super().__init__()
        options = {"dropout": 0.0, "batch_first": True, "norm_first": True}
        encoder = torch.nn.TransformerEncoderLayer(width, 2, 32, **options)
        decoder = torch.nn.TransformerDecoderLayer(width, 2, 32, **options)
        self.encoder = torch.nn.TransformerEncoder(encoder, 1, enable_nested_tensor=False)
        self.decoder = torch.nn.TransformerDecoder(decoder, 1)
        self.source, self.target = (torch.nn.Embedding(n, width) for n in (src_size, tgt_size))
        self.position = torch.nn.Embedding(64, width)  # of itself, attention knows no order
        self.output = torch.nn.Linear(width, tgt_size)

    def embed(self, table, ids):
        return table(ids) + self.position(torch.arange(ids.size(1)))  # [B, T, width]

    def start(self, src, src_lengths):
        pad = ~sequence_mask(src_lengths, src.size(1))  # True: do not look
        memory = self.encoder(self.embed(self.source, src), src_key_padding_mask=pad)
        return src[:, :0], memory, pad  # no token yet

    def step(self, tokens, state):
        so_far = torch.cat([state[0], tokens[:, None]], 1)
        return decode(self, so_far, *state[1:])[:, -1], (so_far, *state[1:])

    def forward(self, batch, causal=True):
        return decode(self, batch.tgt_in, *self.start(batch.src, batch.src_lengths)[1:], causal)


# %% [markdown]
# Both ways through it, whole pass and step, meet in one function, which makes the causal mask:


# %%
def decode(model, tokens, memory, pad, causal=True):
    later = torch.ones(2 * (tokens.size(1),), dtype=torch.bool).triu(1) if causal else None
    x = model.embed(model.target, tokens)  # [B, T, width]
    x = model.decoder(x, memory, tgt_mask=later, memory_key_padding_mask=pad)
    return model.output(x)  # [B, T, V]


torch.manual_seed(0)
transformer = SmallTransformer().eval().requires_grad_(False)
law1 = laws.batch_invariance(logits=transformer, **sizes)
law4 = laws.parallel_stepwise(transformer, transformer.start, transformer.step, **sizes)
no_mask = laws.parallel_stepwise(lambda batch: transformer(batch, causal=False), **sizes)
print(f"law 1: {law1.holds}, law 4: {law4.holds}, without the causal mask: {no_mask.holds}")

# %% [markdown]
# ## Further reading
#
# - Bahdanau, Cho, Bengio 2015, [Neural Machine Translation by Jointly Learning to Align and
#   Translate](https://arxiv.org/abs/1409.0473): attention before the step.
# - Luong, Pham, Manning 2015, [Effective Approaches to Attention-based Neural Machine
#   Translation](https://arxiv.org/abs/1508.04025): after the step; dot, general, concat; local attention;
#   input feeding.
# - Jain, Wallace 2019, [Attention is not Explanation](https://arxiv.org/abs/1902.10186), and Wiegreffe,
#   Pinter 2019, [Attention is not not Explanation](https://arxiv.org/abs/1908.04626): other weights, the
#   same prediction, and what that proves.
# - Ghader, Monz 2017, [What does Attention in Neural Machine Translation Pay Attention
#   to?](https://arxiv.org/abs/1710.03348): where attention is not alignment.
# - Xiao et al. 2023, [Efficient Streaming Language Models with Attention
#   Sinks](https://arxiv.org/abs/2309.17453): weight that goes where nothing is read.
#
# **Next**: [the exercises](../exercises/ch08_attention/ch08_attention.ipynb) ask for other scores and masks.
# Then [chapter 9](ch09_real_translation.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# This cell guards the numbers against changes of the library.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert torch.allclose(weights[1, 0, :3], torch.tensor([0.6652, 0.2447, 0.0900]), atol=1e-4)
assert abs((scores.softmax(-1) * real)[1, 0].sum() - 0.217) < 1e-3
assert torch.allclose(linear.softmax(-1)[0, 0], linear.softmax(-1)[0, 1], atol=1e-6)
assert right.float().mean() > 0.97
assert all(kept[[1, 4, 7, 10]].min() > 0.9 and kept[3] < 0.5 for kept in stays.values())
assert all(sum(hits) / len(hits) > 0.95 for hits in on_gold(looked, unseen))
assert answer.text == "le petit chat rouge"
assert donor == 0 and own == len(days)
assert torch.allclose(by_hand, sdpa, atol=1e-6) and torch.allclose(by_hand, heads, atol=1e-6)
assert law1 and law4 and not no_mask
general = GeneralAttention(d, d)
assert general(q, general.precompute(memory), memory, mask)[1].sum(-1).allclose(torch.ones(B, T))
