# %% [markdown]
# # 4. Padding masks and the masked loss
#
# Sentences have different lengths, but a batch is a rectangle. So short sentences are filled up
# with padding, and then every line of code must know which cells are real. A line that does not
# know still runs: no error, only another number.
#
# The calculator holds the batch of this chapter, three sentences with the loss of each cell, and
# averages over all it sees. **Predict** what its loss does when you add ten columns of padding,
# which are no data: does it stay, fall or grow?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.mask_loss import explore

explore("naive")

# %% [markdown]
# **After this chapter you can** build a mask from lengths, write the loss of a padded batch in four
# ways that agree, say whom each average listens to, mask attention, and find a wrong mask without
# training.
#
# **You need** [chapter 0](ch00_start_here.ipynb), tensors, softmax, and the idea of a loss. 4.5 can
# be skipped: it needs a GRU ([chapter 2](ch02_gru_and_lstm_gates.ipynb)).
#
# **Time**: 45 minutes; it runs in seconds.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B | sentences in the batch | V | words in the vocabulary |
# | S, T | width of the source, of the target | H | numbers in a state |
# | mask[b, t] | True: a real token | N | real tokens in the batch: the mask's sum |
# | nll[b, t] | negative log-likelihood of one target, in nats (base e) | L | the loss: one number |

# %% [markdown]
# ## 4.1 One batch
#
# Three sentences are enough. `collate` makes tensors: each sentence ends with
# EOS (end of sentence), id 2, and the rest of its row is PAD, id 0.

# %%
from seq2seq_lib.batching import collate
from seq2seq_lib.vocab import EOS_ID, PAD_ID, Vocab

english = Vocab(["i", "love", "you", "thank", "do", "not", "know"])
german = Vocab(["ich", "liebe", "dich", "danke", "weiß", "es", "nicht", "nein"])
sources = ["i love you", "thank you", "i do not know"]
translations = ["ich liebe dich", "danke", "ich weiß es nicht"]
pairs = zip(sources, translations)
batch = collate([(english.encode(s.split()), german.encode(t.split())) for s, t in pairs])
print("source", batch.src, "lengths", batch.src_lengths, sep="\n")

# %% [markdown]
# The target comes twice, [shifted by one](ch01_text_to_batches.ipynb). The decoder reads a token of
# `tgt_in`, which begins with id 1, and must say the token of `tgt_out` at the same position: the
# loss needs a mask for `tgt_out`.

# %%
targets, lengths = batch.tgt_out, batch.tgt_lengths
print("read", batch.tgt_in, "say", targets, "lengths", lengths, sep="\n")

# %% [markdown]
# So 11 of these 15 cells are real: 4, 2 and 5.
#
# ## 4.2 From lengths to a mask
#
# How does a line of code know which cells are real? A **mask** tells it, cell by cell:
#
# $$\text{mask}[b, t] = (t < \text{length}_b)$$
#
# Two loops say the same. They are slow, so they judge faster ways. True means *real token* here;
# others mean the opposite.

# %%
import torch

B, T = targets.shape


def mask_by_loops(lengths, T):
    mask = torch.zeros(len(lengths), T, dtype=torch.bool)
    for b in range(len(lengths)):
        for t in range(T):
            mask[b, t] = t < lengths[b]
    return mask


print(mask_by_loops(lengths, T).int())

# %% [markdown]
# The **naive** way without a loop compares positions with lengths as they are. That is an error
# here, which is the lucky case: with as many positions as sentences the line runs, but it compares
# position 0 with sentence 0 and so on, and gives back one row:

# %%
try:
    _ = torch.arange(T) < lengths
except RuntimeError:
    print(f"[{T}] positions < [{B}] lengths: RuntimeError")
print(f"[{B}] positions < [{B}] lengths:", torch.arange(B) < lengths[[0, 2, 1]])

# %% [markdown]
# **Your turn.** Write the mask without a loop. An unsolved cell blocks nothing. (`hint("4.1")`
# helps.)


# %%
def length_mask(lengths, max_len):
    """int64 [B] and the width T -> bool [B, T], True = real token."""
    raise NotImplementedError  # your line


# %%
from seq2seq_lib.course import check, hint

check("4.1", length_mask)

# %% [markdown]
# **Right**: positions lie along a row, `[1, T]`, and lengths along a column, `[B, 1]`. Each is
# repeated along the axis where it has size 1, so every length meets every position.

# %%
from seq2seq_lib import plots
from seq2seq_lib.course.ch04_padding_masks import figures

mask_by_broadcast = torch.arange(T)[None, :] < lengths[:, None]  # [1, T] < [B, 1] -> [B, T]
plots.show(*figures.lengths_meet_positions(lengths.tolist(), T))

# %% [markdown]
# Or compare ids with PAD's. All three ways agree with the library.

# %%
from seq2seq_lib.masks import sequence_mask

mask = sequence_mask(lengths, T)
mask_by_ids = targets != PAD_ID
three_masks = mask_by_loops(lengths, T), mask_by_broadcast, mask_by_ids
print([torch.equal(way, mask) for way in three_masks])

# %% [markdown]
# The mask by ids rests on a promise: no real token has the id of PAD. Where a tokenizer has no PAD,
# one may pad with EOS. **Predict** the row sums of the mask by ids then. The pads are left out as
# before, so is all well?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
padded_with_eos = targets.masked_fill(targets == PAD_ID, EOS_ID)
print("row sums", (padded_with_eos != EOS_ID).sum(1), sep="\n")

# %% [markdown]
# One id now means both the end and nothing. Each row has lost its EOS, so a loss under this mask
# never asks for an end; [unsloth#416](https://github.com/unslothai/unsloth/issues/416) reports a
# model that did not stop for this reason.
#
# Row sums are also the cheapest test of a mask: they must be the lengths, **in order**. The total
# is not enough:

# %%
square = mask[:, :3]
plots.show(*figures.mask_beside(square, square.T, ("Right", "Transposed")))
assert torch.equal(mask.sum(1), lengths)

# %% [markdown]
# So a mask and its test are one line each: `mask.sum(1) == lengths`.
#
# ## 4.3 The loss of a batch
#
# Which number is the loss of this batch? A model gives **logits** `[B, T, V]`, a score for each
# word at each position. The loss of one cell is the negative log-likelihood of its target:
#
# $$\text{nll}[b, t] = -\log \text{softmax}(\text{logits}[b, t])\,[\text{target}[b, t]]$$
#
# To calculate in our heads we choose the losses and make logits that give them. The model has never
# learned to say PAD, so a pad costs 8 nats. `F.cross_entropy` wants the words on axis 1, hence
# `transpose`.

# %%
import torch.nn.functional as F

from seq2seq_lib.course.ch04_padding_masks import logits_with

chosen = torch.tensor([[1.0, 2, 1, 2, 8], [4, 5, 8, 8, 8], [1, 2, 1, 2, 1]])
V = len(german)
logits = logits_with(chosen, targets, V)  # [B, T, V]


def cell_losses(logits, targets):
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  # [B, T]


nll = cell_losses(logits, targets)
print(nll.round(decimals=3))

# %% [markdown]
# **Naive.** The default of `F.cross_entropy` is the mean over everything it gets. Beside a longer
# neighbour the same sentences are padded to 15 columns, and the loss is another:

# %%
wide_nll = F.pad(nll, (0, 10), value=8.0)  # [B, T + 10]
wide_mask = sequence_mask(lengths, T + 10)
print(f"5 columns {nll.mean():.2f}, 15 columns {wide_nll.mean():.2f}")

# %% [markdown]
# **Why it is wrong.** This number measures the padding. At least it is too large, so one would
# notice? **Predict** both numbers for a model that *has* learned to say PAD, at a cost of 0.1:
# which way does padding move it now?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
easy_nll = nll.where(mask, 0.1)
wide_easy = F.pad(easy_nll, (0, 10), value=0.1)
print(f"pads are easy:\n5 columns {easy_nll.mean():.2f}, 15 columns {wide_easy.mean():.2f}")

# %% [markdown]
# A pad now costs less than a word: the loss looks good.
#
# **Your turn.** Write the loss that counts real tokens only, in the numerator *and* in the
# denominator.
#
# $$L = \frac{1}{N} \sum_{b,t} \text{mask}[b,t]\;\text{nll}[b,t], \qquad N = \sum_{b,t} \text{mask}[b,t]$$


# %%
def token_mean(nll, mask):
    """floats [B, T] and bool [B, T] -> the mean loss of a real token, a tensor without axes."""
    raise NotImplementedError  # your line


# %%
check("4.2", token_mean)

# %% [markdown]
# **Right**: fill the pads with 0, add up, and divide by the mask's sum. Above, the padding decides;
# below, nothing moves.

# %%
print(f"{nll.masked_fill(~mask, 0).sum() / mask.sum():.2f}")
plots.show(*figures.more_pads(nll.round(), mask, 10, 8.0))

# %% [markdown]
# ### The same loss, four ways
#
# You will meet this loss in four dresses: multiply by the mask and divide by its sum; select the
# real cells; give the pads an id that `cross_entropy` ignores; or pack, which throws pads away.

# %%
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib.losses import sequence_loss


def by_product(logits, targets, mask):
    return (cell_losses(logits, targets) * mask).sum() / mask.sum()


def by_select(logits, targets, mask):
    return cell_losses(logits, targets).masked_select(mask).mean()


def by_index(logits, targets, mask):
    return F.cross_entropy(logits.transpose(1, 2), targets.masked_fill(~mask, -100))


def packed(tensor, lengths):
    return pack_padded_sequence(tensor, lengths, batch_first=True, enforce_sorted=False)


def by_packing(logits, targets, mask):
    real = mask.sum(1)  # [B]
    return F.cross_entropy(packed(logits, real).data, packed(targets, real).data)  # [N, V], [N]


four_ways = by_product, by_select, by_index, by_packing
print([f"{way.__name__} {way(logits, targets, mask):.2f}" for way in four_ways])
print(f"sequence_loss {sequence_loss(logits, targets, mask).mean:.2f}")

# %% [markdown]
# Whole numbers hide mistakes, so the ways must agree on random logits, with random ids at pads.

# %%
generator = torch.Generator().manual_seed(0)
noise = torch.randn(B, T, V, generator=generator)
anything = targets.where(mask, torch.randint(V, (B, T), generator=generator))
expected = sequence_loss(noise, anything, mask).mean
assert all(abs(way(noise, anything, mask) - expected) < 1e-6 for way in four_ways)
print("all four agree")

# %% [markdown]
# `by_index` has a trap: `ignore_index` is -100 by default and **not** your PAD id, so without
# `masked_fill` nothing is ignored.

# %%
print(f"without -100: {F.cross_entropy(logits.transpose(1, 2), targets):.2f}")

# %% [markdown]
# The ways differ at one edge: where a model gives a word the probability 0, the loss of a pad is
# infinite. The mask is 0 there, and zero times anything is zero. **Predict** the loss by
# multiplying, and by filling.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
infinite = nll.masked_fill(~mask, float("inf"))
print("an infinite loss at the pads")
print(f"multiply: {(infinite * mask).sum() / mask.sum():.2f}")
print(f"fill:     {infinite.masked_fill(~mask, 0).sum() / mask.sum():.2f}")

# %% [markdown]
# Floating point has a rule of its own: `0 * inf` is NaN. So the library fills or selects.
#
# ### What a pad may not do: the gradient, with a pencil
#
# A pad must not change the **gradient** either, which trains the model. Take one real cell with
# logits $z_1 \dots z_V$ and target $y$.
#
# 1. The loss of the cell is $-\log \text{softmax}(z)_y = \log \sum_k e^{z_k} - z_y$.
# 2. Differentiated by $z_j$, the first term gives $e^{z_j} / \sum_k e^{z_k} = p_j$, the probability
#    of word j. The second gives $-1$ for the target's logit and 0 for the others.
# 3. So the gradient of the cell is $p - \text{onehot}(y)$: push the target up, the others down.
# 4. The batch's loss holds this cell with the factor mask / N. A pad's factor is 0:
#
# $$\frac{\partial L}{\partial\,\text{logits}[b,t]} = \frac{\text{mask}[b,t]}{N}\,
# \bigl(p[b,t] - \text{onehot}(\text{target}[b,t])\bigr)$$
#
# Autograd must find the same, and exact zeros at the pads.


# %%
def gradient(loss, *inputs):
    logits = inputs[0].clone().requires_grad_()
    return torch.autograd.grad(loss(logits, *inputs[1:]), logits)[0]  # [B, T, V]


def mean_loss(logits, targets, mask):
    return sequence_loss(logits, targets, mask).mean


def naive_loss(logits, targets):
    return cell_losses(logits, targets).mean()


ours = gradient(mean_loss, logits, targets, mask)
formula = (logits.softmax(-1) - F.one_hot(targets, V)) * mask[..., None] / mask.sum()
assert torch.allclose(ours, formula, atol=1e-7) and (ours[~mask] == 0).all()
naive = gradient(naive_loss, logits, targets).abs().sum(-1)  # [B, T], absolute values added up
print("ours, absolute values added up over words:", ours.abs().sum(-1).round(decimals=3), sep="\n")
print(f"naive: {naive[~mask].sum() / naive.sum():.0%} of such a sum stands at pads")

# %% [markdown]
# The calculator gave pads 27 % of the weights, as 4 of 15 cells. Of the gradient it is more: a cell
# adds 2 (1 − p) / 15, more where the target surprises. This third teaches the model to say PAD,
# which nobody will ask for. So the loss of a batch is one fraction, real tokens above and below,
# and its gradient at pads is exactly zero.
#
# ## 4.4 What each average weights
#
# Is the mean over tokens the only right average? Here are five ways to turn the cells into one
# number; all but the last use the mask. **Predict** which of the five keep their value with ten PAD
# columns more.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
averages = {
    "mean over tokens": lambda nll, mask: (nll * mask).sum() / mask.sum(),
    "mean of sentence means": lambda nll, mask: ((nll * mask).sum(1) / mask.sum(1)).mean(),
    "sum": lambda nll, mask: (nll * mask).sum(),
    "real sum / (B x T)": lambda nll, mask: (nll * mask).mean(),
    "mean over all cells": lambda nll, mask: nll.mean(),
}
print(" " * 22, " as is  +10 PADs")
for name, average in averages.items():
    print(f"{name:22} {average(nll, mask):6.2f} {average(wide_nll, wide_mask):8.2f}")

# %% [markdown]
# Three are stable; the sum weighs like the mean over tokens. The derivative of the loss by one cell's
# loss is that cell's **weight**. In the mean over tokens it is 1/N = 1/11; in the mean of sentence means
# 1/(B · length), so 1/6 for a token of "danke", but 1/15 for one of the longest sentence. Summed by
# sentence, the weights say whom the gradient listens to.


# %%
def shares(average, nll, mask):
    nll = nll.clone().requires_grad_()
    (weights,) = torch.autograd.grad(average(nll, mask), nll)  # [B, T]
    return [*(weights * mask).sum(1).tolist(), (weights * ~mask).sum().item()]


drawn = {}
for name, average in averages.items():
    if name != "sum":  # its weights add up to 11: another scale
        drawn[name] = shares(average, nll, mask)
        drawn[f"{name}, +10 PADs"] = shares(average, wide_nll, wide_mask)
parts = ["ich liebe dich (4)", "danke (2)", "ich weiß es nicht (5)", "pads"]
title = "Padding changes two of these four (the sum is left out)"
plots.show(*figures.weight_shares(drawn, parts, title=title))

# %% [markdown]
# Neither the mean over tokens nor the mean of sentence means is a bug; if you want the second, say
# so. Real sum / (B x T) makes all weights smaller where the batch is emptier.
#
# The question comes back one level up. Let "danke" be a batch of its own: the mean of two batch
# means gives its two tokens as much weight as the other nine. That is why `sequence_loss` returns a
# `LossSum`: totals and counts are added, and divided once.

# %%
first, second = (sequence_loss(logits[rows], targets[rows], mask[rows]) for rows in ([0, 2], [1]))
print(f"{first.total:.0f} / {first.tokens} and {second.total:.0f} / {second.tokens}")
print(f"mean of means {(first.mean + second.mean) / 2:.2f}, added {(first + second).mean:.2f}")

# %% [markdown]
# So an average is a decision about who is heard: tokens, sentences, or, by accident, pads.
#
# ## 4.5 Before the loss: the encoder and attention
#
# What comes before the loss? An encoder, which meets the pads at the end of a row. Here is a GRU
# with random weights; PAD's embedding is the zero vector. **Predict**: "thank you" has three tokens
# and two pads. Zero vectors carry nothing, so is its final state in the batch the same as alone?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
torch.manual_seed(2)
embedding = torch.nn.Embedding(len(english), 6, padding_idx=PAD_ID).requires_grad_(False)
gru = torch.nn.GRU(6, 4, batch_first=True).requires_grad_(False)
x = embedding(batch.src)  # [B, S, 6]
_, state_alone = gru(x[1:2, :3])  # [1, 1, H]: "thank you" and its EOS, nothing else
_, states = gru(x)  # [1, B, H]: all three rows, pads included
alone, in_batch = state_alone[0, 0], states[0, 1]  # [H] each
print("final state")
print("alone    ", [f"{unit:.2f}" for unit in alone.tolist()])
print("in batch ", [f"{unit:.2f}" for unit in in_batch.tolist()])

# %% [markdown]
# A GRU has biases and a state, so a step with a zero input is still a step, and the state moves
# on. The longest neighbour decides how many such steps there are
# ([tutorials#3643](https://github.com/pytorch/tutorials/issues/3643) asks about it).
#
# **Packing** cures it, as in [chapter 3](ch03_encoder_decoder.ipynb). `pack_padded_sequence` takes
# pads away and stores the sentences column by column, with the number that still run at each step.

# %%
pack = packed(x, batch.src_lengths)
print("batch_sizes", pack.batch_sizes, "data", tuple(pack.data.shape))
outputs, state = gru(pack)
print("packed   ", [f"{unit:.2f}" for unit in state[0, 1].tolist()])
plots.show(*figures.packing([[*source.split(), "EOS"] for source in sources]))

# %% [markdown]
# A longer neighbour and 6 PADs join a sentence: which of four ways to read its final state stay
# still?

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.pad_drift import explore as explore_drift

explore_drift("both_raw")

# %% [markdown]
# The output at the last real position is right if the GRU reads forward, but not if it reads both
# ways: its backward half *begins* in the pads. **Law 1**, batch invariance, asks whether each
# sentence gets the same state alone and in any batch.

# %%
from seq2seq_lib import laws

both = torch.nn.GRU(6, 4, batch_first=True, bidirectional=True).requires_grad_(False)


# (memory, final state) is what an encoder returns; the law passes over a memory that is None
def picked(rnn):
    return lambda src, n: (None, rnn(embedding(src))[0][torch.arange(len(src)), n - 1])


def stopped(rnn):
    return lambda src, n: (None, rnn(packed(embedding(src), n))[1].transpose(0, 1))


ways = {"picked, forward": picked(gru), "picked, both": picked(both), "packed, both": stopped(both)}
for name, way in ways.items():
    print(f"{name:15}", laws.batch_invariance(way, src_vocab_size=len(english)).holds)

# %% [markdown]
# So the library's `Encoder` packs.
#
# ### The mask of attention
#
# [Attention](ch08_attention.ipynb) turns a score for each *source* token into a weight, with a
# softmax. Its mask is the source's: lengths 4, 3, 5. The naive way multiplies the weights by the
# mask. **Predict**: does a row with pads then sum to 1, to more or to less?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
scores = torch.tensor([[2.0, 1, 0, 1, 3], [1, 2, 4, 0, 3], [0, 1, 2, 1, 0]])  # [B, S]
src_mask = batch.src_mask  # [B, S]
multiplied = scores.softmax(-1) * src_mask
print("row sums", multiplied.sum(1).round(decimals=2), sep="\n")

# %% [markdown]
# A softmax shares out 1, and the pads took their part before they were thrown away. Dividing by the
# sum again repairs that, but not a pad whose score is so large that the real weights have become 0.
# So fill the scores with $-\infty$ **before** the softmax: $e^{-\infty}$ is 0, and the rest sums to
# 1.
#
# One row can still go wrong: if *all* its scores are $-\infty$, the softmax is 0/0. An inverted
# mask does that to the third sentence, which has no pad.

# %%
filled = scores.masked_fill(~src_mask, float("-inf")).softmax(-1)
inverted = scores.masked_fill(src_mask, float("-inf")).softmax(-1)
tables = {"mask after": multiplied, "-inf first": filled, "mask inverted": inverted}
plots.show(*figures.weight_tables(tables, src_mask))

# %% [markdown]
# NaN in a row without pads points to an inverted mask. The library's `masked_softmax` gives zeros
# where nothing is real.

# %%
from seq2seq_lib.masks import masked_softmax

print("as -inf first:", torch.allclose(masked_softmax(scores, src_mask), filled))
print("a row of pads:", masked_softmax(scores, torch.zeros_like(src_mask))[0])
divided = scores.masked_fill(~src_mask, 200.0).softmax(-1) * src_mask  # a pad scores 200
print("divided again:", (divided / divided.sum(1, keepdim=True))[1])

# %% [markdown]
# So pads are stopped at three places: packing before the encoder, $-\infty$ before the softmax, the
# mask in the loss.
#
# ## 4.6 The law, and the wrong versions
#
# How would you find such a bug in code that runs? **Law 3, the loss ledger**: the loss is the
# summed NLL of the real tokens over their number. The law takes any loss function, compares it with
# four ways to write the loss down, adds pads, plants huge logits there, looks at the gradient, and
# feeds pads alone. It must also judge us:

# %%
verdict = laws.loss_ledger(sequence_loss)
print(verdict)
assert verdict
for way in (by_product, by_select, by_index):
    print(f"{way.__name__:10}", laws.loss_ledger(way).counterexample)

# %% [markdown]
# Our own lines from 4.3 fail on a batch of pads alone: the mean of nothing is 0/0
# ([pytorch#116349](https://github.com/pytorch/pytorch/issues/116349)). `by_packing` even raises
# there.
#
# Now three wrong losses, the last two of them published. The right answer is 2.00.
#
# **Reduced before it is masked.** Here the *id* of PAD is compared with *positions*, so the mask is
# `[T, T]`. Nothing is raised: the loss is already a number, and a number times a mask, over the
# mask's sum, is that number.


# %%
def reduced_before_masked(logits, targets, mask):
    T = targets.size(1)
    wrong = (torch.arange(T) != PAD_ID)[:, None].expand(T, T)
    loss = F.cross_entropy(logits.transpose(1, 2), targets)  # already one number
    return (loss * wrong).sum() / wrong.sum()


def padded_mean(logits, targets, mask):
    return (cell_losses(logits, targets) * mask).mean()


print(f"{reduced_before_masked(logits, targets, mask):.2f}")
print(f"{padded_mean(logits, targets, mask):.2f}")

# %% [markdown]
# **Mean over the padded length.** The second number is 22 / 15 = 1.47: the right cells, divided by
# all. *Dive into Deep Learning* divided each row by its padded length
# ([d2l#2076](https://github.com/d2l-ai/d2l-en/issues/2076), 2022; the text has been mended
# since, the package not by June 2026), as did [gluon-nlp#238](https://github.com/dmlc/gluon-nlp/issues/238).
#
# **A column meets a row.** PyTorch's chatbot tutorial added its loss up step by step. The losses of
# a step were `[B, 1]`, its mask `[B]`. At step 2 of our batch the losses are 1, 8 and 1, and
# "danke" is over. **Predict** how many values `masked_select` keeps; two sentences are still
# running.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
step_loss, step_mask = nll[:, 2:3], mask[:, 2]  # [B, 1], [B]
print("selected", step_loss.masked_select(step_mask).round(decimals=3), sep="\n")
plots.show(*figures.losses_meet_mask([1, 8, 1], step_mask.tolist()))

# %% [markdown]
# `[B, 1]` and `[B]` make a table `[B, B]`, and each of its rows is selected once for each True: six
# values, the pad's loss twice among them. The mean is 3.33 where 1.00 is right. Readers asked about
# it in [tutorials#306](https://github.com/pytorch/tutorials/pull/306) and
# [pytorch-chatbot#12](https://github.com/ywk991112/pytorch-chatbot/issues/12);
# [tutorials#382](https://github.com/pytorch/tutorials/pull/382) mended it.
#
# The law sees numbers only, and says which mistake fits.

# %%
import textwrap


def broadcast(logits, targets, mask):
    nll, total = cell_losses(logits, targets), 0.0
    for t in range(targets.size(1)):
        total = total + nll[:, t : t + 1].masked_select(mask[:, t]).mean() * mask[:, t].sum()
    return total / mask.sum()


for wrong in (reduced_before_masked, padded_mean, broadcast):
    print(f"{wrong.__name__} {wrong(logits, targets, mask):.2f}")
    print(textwrap.indent(textwrap.fill(laws.loss_ledger(wrong).look_at), "    "))

# %% [markdown]
# The calculator has such mistakes as named states. As long as B = T, `"transposed"` raises no error
# and counts as many cells as the right mask. For others write `explore("positions")` or
# `explore("broadcast")`, a cousin of ours with all steps in one column `[B·T, 1]`.

# %% tags=["nbval-ignore-output"]
explore("transposed")

# %% [markdown]
# Does a wrong loss show in the accuracy? Measured once, on 28 November 2026, with seeds 0, 1 and 2
# ([`benchmarks/padding_accuracy.py`](../benchmarks/padding_accuracy.py)): three models that write
# letters backwards and differ in the loss alone are right on 98.3 to 99.3 % of unseen strings. But
# measured in batches of 50, the mean over all cells and the padded mean report 22 to 24 % less than
# measured one string at a time; the right one does not change. It is one easy task.
#
# So test the loss itself: another batch size or ten PAD columns must not change it.

# %% [markdown]
# ## Summary
#
# - A mask is `arange(T)[None, :] < lengths[:, None]`. Its row sums are the lengths.
# - The loss of a batch is the summed NLL of its real tokens over their number. Keep sums and counts,
#   and divide once.
# - The gradient is (p - onehot) / N at tokens and exactly 0 at pads.
# - Fill or select, do not multiply: `0 * inf` is NaN. Mask scores before the softmax.
# - Pack the encoder's input, or its final state depends on the neighbours.
#
# | copied code | on our batch | what gives it away |
# |---|---|---|
# | right | 2.00 | |
# | loss reduced before it is masked | 3.60 | a pad's logit changes the loss |
# | `[B, 1]` loss, `[B]` mask | 3.21 | more values selected than tokens |
# | mean over the padded length | 1.47 | another batch size, another loss |
# | transposed mask | an error, unless B = T | row sums are not the lengths |
#
# **Law established**: law 3, the loss ledger. `laws.loss_ledger(your_loss)` judges any loss.
#
# **Common misconception**: "It runs, the loss falls and the accuracy is fine, so the mask is
# right."

# %% [markdown]
# ## In Transformers and LLMs
#
# - **Causal x padding.** A decoder-only model may look at what is real *and* not later: a table `[B, T, T]`.
#   What a pad looks at does not matter: the loss leaves it out.
# - **What True means.** `scaled_dot_product_attention` reads a bool mask
#   [as we do](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html).
#   `key_padding_mask` is the
#   [opposite](https://docs.pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html): True is
#   left out.
# - **-100 on the prompt.** Fine-tuning on answers is this chapter's loss; its mask also leaves out the
#   question.
# - **Left padding.** To go on writing, all rows must end at one column, so pads go to the left, and
#   position ids (a token's place) count from the first real token.
# - **`num_items_in_batch`.** Accumulated micro-batches, pieces of a batch, were a mean of means in transformers until October
#   2024 ([#34191](https://github.com/huggingface/transformers/pull/34191)).
# - **Packing** became [`varlen`](https://docs.pytorch.org/docs/stable/nn.attention.varlen.html) attention:
#   sentences in a row, no pads.

# %%
causal = torch.ones(T, T, dtype=torch.bool).tril()
may_look = mask[:, None, :] & causal  # [B, 1, T] & [T, T] -> [B, T, T]
q = torch.randn(B, T, 8, generator=generator)
sdpa = F.scaled_dot_product_attention(q, q, q, attn_mask=may_look)
by_hand = masked_softmax(q @ q.mT / 8**0.5, may_look) @ q
left_padded = mask.flip(1)
print("SDPA is masked_softmax:", torch.allclose(sdpa, by_hand, atol=1e-6))
print("row 1 may look at", may_look[1].int(), "position ids of a left-padded row:", sep="\n")
print((left_padded.cumsum(1) - 1).clamp(min=0)[1])

# %% [markdown]
# ## Further reading
#
# - Vaswani et al. 2017, [Attention Is All You Need](https://arxiv.org/abs/1706.03762), section 3.2.3:
#   minus infinity before the softmax.
# - Krell et al. 2021, [Efficient Sequence Packing without
#   Cross-contamination](https://arxiv.org/abs/2107.02027): how much is padding.
# - Hugging Face 2024, [Fixing Gradient
#   Accumulation](https://huggingface.co/blog/gradient_accumulation): the mean of means.
# - Yu et al. 2025, [DAPO](https://arxiv.org/abs/2503.14476): token mean against sentence mean, our 1/11
#   against 1/6.
# - Rush, [Tensor Puzzles](https://github.com/srush/Tensor-Puzzles): broadcasting; puzzle 14 is
#   `sequence_mask`.
#
# **Next**: [the exercises](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb), then
# [chapter 5](ch05_nll_vs_cross_entropy.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# The cell below guards this chapter's numbers against changes of the library.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
from torch.nn.utils.rnn import pad_packed_sequence

assert all(torch.equal(way, mask) for way in three_masks) and mask.dtype == torch.bool
assert torch.equal(batch.src_mask.sum(1), batch.src_lengths)
assert abs(nll.mean() - 3.6) < 1e-5 and abs(wide_nll.mean() - 294 / 45) < 1e-5
assert abs(by_product(logits, targets, mask) - 2) < 1e-6
assert drawn["mean over tokens"] == drawn["mean over tokens, +10 PADs"]
assert abs(drawn["mean over all cells, +10 PADs"][-1] - 34 / 45) < 1e-6
assert abs((first + second).mean - 2) < 1e-6 and (first + second).tokens == 11
assert (alone - in_batch).abs().max() > 0.05
assert torch.allclose(state[0, 1], alone, atol=1e-6)
back, back_lengths = pad_packed_sequence(pack, batch_first=True)
assert torch.equal(back, x) and torch.equal(back_lengths, batch.src_lengths)
assert not any(laws.loss_ledger(wrong) for wrong in (reduced_before_masked, padded_mean, broadcast))
again = gradient(
    mean_loss,
    torch.cat([logits, 1e4 * torch.randn(B, 10, V, generator=generator)], 1),
    F.pad(targets, (0, 10)),
    wide_mask,
)
assert torch.equal(again[:, :T], ours) and (again[:, T:] == 0).all()
