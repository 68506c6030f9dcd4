# %% [markdown]
# # 4. Padding masks and the masked loss
#
# Sentences have different lengths. A batch is a rectangle. So short sentences are filled up with
# padding, and from then on every line of code must know which cells are real. A line that does
# not know it still runs. This chapter is about that line.
#
# **After this chapter you can**
#
# - build a mask `bool[B, T]` from lengths in four ways, and prove that they are equal,
# - compute the loss of a padded batch in four ways that agree to 1e-6,
# - say what five ways to average do to long and to short sentences,
# - find a wrong mask with a test that needs no training: add PAD columns and look,
# - show that the gradient at pads is exactly zero.
#
# **You need** [chapter 0](ch00_start_here.ipynb), tensors, broadcasting, and the idea of a loss. No
# GPU and no network.
#
# **Time**: about 45 minutes to read. It runs in half a minute on a free core, in two minutes on a
# busy one. Seven exercises wait in [their own
# notebook](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb).

# %%
import torch
import torch.nn.functional as F

torch.set_num_threads(1)

# %% [markdown]
# ## 4.1 One batch for the whole chapter
#
# Three sentences, English to German. The first one is the example of many tutorials.

# %%
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, Vocab

pairs = [
    ("i love you", "ich liebe dich"),
    ("thank you", "danke"),
    ("i do not know", "ich weiß es nicht"),
]
english = Vocab(["i", "love", "you", "thank", "do", "not", "know"])
german = Vocab(["ich", "liebe", "dich", "danke", "weiß", "es", "nicht", "nein"])
print("PAD", PAD_ID, " BOS", BOS_ID, " EOS", EOS_ID, "  words:", len(english), "and", len(german))

# %% [markdown]
# `collate` turns them into tensors. Every source ends with EOS, which is 2. The rest of a row is
# PAD, which is 0.

# %%
from seq2seq_lib.batching import collate

batch = collate([(english.encode(s.split()), german.encode(t.split())) for s, t in pairs])
print(batch.src)
print("lengths", batch.src_lengths)

# %% [markdown]
# The target comes twice, shifted by one. The decoder reads `tgt_in`, and at each position it must
# say what stands in `tgt_out` at the same position.

# %%
targets, lengths = batch.tgt_out, batch.tgt_lengths
print("read", batch.tgt_in, "say ", targets, sep="\n")
print("lengths", lengths)

# %% [markdown]
# Many texts make the two halves from one padded tensor: drop the last column to get what is read,
# drop the first column to get what is said. **Predict**: which token stands in the last column,
# the one that is dropped, in each of the three rows?

# %%
from seq2seq_lib.batching import pad_sequences

whole, _ = pad_sequences([[BOS_ID, *german.encode(t.split()), EOS_ID] for _, t in pairs])
print(whole[:, -1])

# %% [markdown]
# A [much copied text](https://genban.org/teach/teach-64548.html) says that the dropped token is a
# pad. That is so in the short rows only. The longest row loses its EOS, as it should. In the
# short rows EOS stays in what is read. That does no harm, because nothing real is said there. So
# the two ways may differ at pads, and nowhere else:

# %%
mask = batch.tgt_mask  # the next section builds it
read, say = whole[:, :-1], whole[:, 1:]
assert torch.equal(say, targets)
assert torch.equal(read[mask], batch.tgt_in[mask]) and not torch.equal(read, batch.tgt_in)

# %% [markdown]
# ## 4.2 From lengths to a mask, four ways
#
# A **mask** says of each cell whether it is real:
#
# $$\text{mask}[b, t] = (t < \text{length}_b)$$
#
# **Way 1, the specification.** Two loops that anyone can read. Slow, and therefore the judge of
# the fast ways.

# %%
B, T = targets.shape


def mask_by_loops(lengths, T):
    mask = torch.zeros(len(lengths), T, dtype=torch.bool)
    for b, length in enumerate(lengths.tolist()):
        for t in range(T):
            mask[b, t] = t < length
    return mask


print(mask_by_loops(lengths, T).int())

# %% [markdown]
# **Way 2, broadcasting.** Compare all positions with all lengths at once. The naive line compares
# `[T]` with `[B]`:

# %%
positions = torch.arange(T)  # [T]
try:
    _ = positions < lengths
except RuntimeError:
    print(f"RuntimeError: [{T}] does not fit [{B}]")

# %% [markdown]
# An error is the lucky case. With as many positions as sentences the line runs. It compares
# position 0 with sentence 0, position 1 with sentence 1, and returns one row:

# %%
print(torch.arange(B) < lengths)

# %% [markdown]
# The cure is to say which axis is which. Positions lie along a row, lengths along a column.

# %%
row, column = positions[None, :], lengths[:, None]
mask_by_broadcast = row < column  # [1, T] < [B, 1] -> [B, T]
print(tuple(row.shape), "<", tuple(column.shape), "->", tuple(mask_by_broadcast.shape))

# %% [markdown]
# Now you: [exercise 4.2](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb) asks for this
# function.
#
# **Way 3, from the ids.** PAD has an id of its own, so a cell is real if it holds another id.

# %%
mask_by_ids = targets != PAD_ID
print(mask_by_ids.int())

# %% [markdown]
# This way rests on a promise: no real token has the id of PAD. Some tokenizers have no PAD, and a
# common remedy is to pad with EOS. **Predict** the row sums of the mask then. They should be the
# lengths, 4, 2 and 5.

# %%
padded_with_eos = targets.masked_fill(targets == PAD_ID, EOS_ID)
print((padded_with_eos != EOS_ID).sum(1))

# %% [markdown]
# Each row has lost one token: its EOS. A loss under this mask never asks for an end, so the model
# never learns to stop ([unsloth#416](https://github.com/unslothai/unsloth/issues/416)). The
# lengths know better than the ids. Our `Vocab` refuses a PAD that is also EOS.
#
# **Way 4, a running sum.** Put a 1 at the first position behind the sentence, which is its length.
# The running sum of that row is 0 before it, and 1 from there on.

# %%
over = F.one_hot(lengths, T + 1)  # [B, T + 1], since a length may be T
print(over.cumsum(1))
mask_by_cumsum = over.cumsum(1)[:, :T] == 0

# %% [markdown]
# The library has one function for it. All four ways agree with it on our batch.

# %%
from seq2seq_lib.masks import padding_mask, sequence_mask

mask = sequence_mask(lengths, T)
ways = mask_by_loops(lengths, T), mask_by_broadcast, mask_by_ids, mask_by_cumsum
print([torch.equal(way, mask) for way in ways])
assert torch.equal(padding_mask(targets), mask) and mask.dtype == torch.bool

# %% [markdown]
# One batch proves little. Here are 200 random ones, with empty rows, full rows, and as many
# sentences as positions now and then.

# %%
generator = torch.Generator().manual_seed(0)
for _ in range(200):
    some_B, some_T = torch.randint(1, 7, (2,), generator=generator).tolist()
    some = torch.randint(0, some_T + 1, (some_B,), generator=generator)
    expected = mask_by_loops(some, some_T)
    assert torch.equal(sequence_mask(some, some_T), expected)
    assert torch.equal(F.one_hot(some, some_T + 1).cumsum(1)[:, :some_T] == 0, expected)

# %% [markdown]
# **The cheapest test of a mask** is its row sums. They must be the lengths, in their order. The
# *total* is not enough: a transposed mask has the same total.

# %%
print(mask.sum(1), lengths)
assert torch.equal(mask.sum(1), lengths)

# %% [markdown]
# ### What True means
#
# Here, True means *real token*. The field does not agree on that. Hugging Face's `attention_mask`
# has 1 for a real token too. PyTorch's `key_padding_mask` has True for a **pad**. Both are bool
# or 0 and 1, so a wrong sense raises no error. Watch how much attention "danke" pays to its three
# pads. (The vectors are random. For this question only the mask matters.)

# %%
torch.manual_seed(0)
attention = torch.nn.MultiheadAttention(4, 1, batch_first=True)
x = torch.randn(B, T, 4)
for sense, key_padding_mask in (("~mask", ~mask), ("mask", mask)):
    _, weights = attention(x, x, x, key_padding_mask=key_padding_mask)  # [B, T, T]
    on_pads = weights[1, 0, 2:].sum()  # of sentence 1, from its position 0
    print(f"key_padding_mask={sense:5}  attention on pads: {on_pads:.1f}")

# %% [markdown]
# With the mask in the wrong sense, all attention goes to the pads. Name your masks after what
# True means, or state it in the docstring.

# %% [markdown]
# ## 4.3 A loss for every cell
#
# A model gives **logits** `[B, T, V]`: a score for each of V words at each position. The loss of
# one cell is the negative log-likelihood of its target, in nats (the logarithm is the natural one):
#
# $$\text{nll}[b, t] = -\log \text{softmax}(\text{logits}[b, t])\,[\text{target}[b, t]]$$
#
# To calculate in our heads, we go backwards: we choose the losses, whole numbers, and make logits
# that give them. The target gets the probability $e^{-\text{nll}}$, and the other words share the
# rest.


# %%
def logits_with(nll, targets, V):
    rest = torch.log1p(-torch.exp(-nll)) - torch.log(torch.tensor(V - 1.0))  # [B, T]
    right = F.one_hot(targets, V).bool()  # [B, T, V]
    return torch.where(right, -nll[..., None], rest[..., None])


# %% [markdown]
# The word "danke" is hard for this model. At the pads it has never learned to say PAD, so the
# loss there is 8.

# %%
chosen = torch.tensor([[1.0, 2, 1, 2, 8], [4, 5, 8, 8, 8], [1, 2, 1, 2, 1]])
V = len(german)
logits = logits_with(chosen, targets, V)
print("logits", tuple(logits.shape))

# %% [markdown]
# `F.cross_entropy` with `reduction="none"` gives the cells back. It wants the words on axis 1,
# hence `transpose`. (A `reshape` would have the right shape and deal out the numbers anew.)


# %%
def cell_losses(logits, targets):
    return F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  # [B, T]


nll = cell_losses(logits, targets)
print(nll.round(decimals=3))

# %% [markdown]
# **Predict** before you go on, with paper and pencil: what is the loss of this batch, in nats a
# token? Choose one of 1.47, 2.00, 2.47, 3.60 and 22. That is also [exercise
# 4.1](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb), on another batch.
#
# ### Naive
#
# The default of `F.cross_entropy` is the mean over everything it gets.

# %%
print(f"{nll.mean():.2f}")

# %% [markdown]
# ### Why it is wrong
#
# Put the same three sentences into a batch with a longer neighbour. They are padded to 15 instead
# of 5. Same sentences, same model. **Predict**: does the loss go up, down, or stay?

# %%
wide_nll = F.pad(nll, (0, 10), value=8.0)  # [B, T + 10]
print(f"{wide_nll.mean():.2f}")

# %% [markdown]
# It went from 3.60 to 6.53. This number measures the padding. **Predict** the direction for a
# model that *has* learned to say PAD, so that a pad costs only 0.1:

# %%
easy_pads = torch.where(mask, nll, 0.1)
print(f"{easy_pads.mean():.2f} -> {F.pad(easy_pads, (0, 10), value=0.1).mean():.2f}")

# %% [markdown]
# Now padding makes the loss look good. The same formula, the other way round.
#
# ### Right
#
# Count real cells only, in the numerator **and** in the denominator:
#
# $$\mathcal{L} = \frac{\sum_{b,t} \text{mask}[b,t]\;\text{nll}[b,t]}{\sum_{b,t} \text{mask}[b,t]}$$

# %%
wide_mask = sequence_mask(lengths, T + 10)
print(f"{(nll * mask).sum():.0f} / {mask.sum()} = {(nll * mask).sum() / mask.sum():.2f}")
print(f"{(wide_nll * wide_mask).sum():.0f} / {wide_mask.sum()}, with 10 PAD columns more")

# %% [markdown]
# The next figure shows all four numbers. Blue cells are real. Hatched cells are pads: the orange
# ones are counted, the white ones are left out.

# %%
from seq2seq_lib import plots

panels = (  # `mask | True` counts every cell
    (nll, mask, mask | True, "Naive: pads are counted"),
    (wide_nll, wide_mask, wide_mask | True, "10 PAD columns more: 3.60 becomes 6.53"),
    (nll, mask, mask, "Right: real tokens over their number"),
    (wide_nll, wide_mask, wide_mask, "10 PAD columns more: nothing moves"),
)
axes = plots.axes_grid(2, 2, 10, 4.8)
for ax, (losses, real, counted, title) in zip(axes, panels):
    plots.loss_grid(losses.round(), real, counted, int(counted.sum()), title=title, ax=ax)
plots.show(
    axes[0].figure,
    "Four grids of losses. Counting every cell gives 54 / 15 = 3.60, and 294 / 45 = 6.53 with ten "
    "PAD columns more. Counting real cells gives 22 / 11 = 2.00 both times.",
)

# %% [markdown]
# Two of these numbers are the padding's, one is the model's:

# %%
assert abs(nll.mean() - 3.6) < 1e-5 and abs(wide_nll.mean() - 294 / 45) < 1e-5
assert abs((nll * mask).sum() / mask.sum() - 2) < 1e-6

# %% [markdown]
# ### Try it
#
# The calculator below does this with three other sentences, A, B and C. Choose your prediction,
# then the picture opens. Move the lengths. Add PAD columns with the slider. Divide by "all cells"
# and add some more. The call `explore("right_plus_10_pads")` starts with the right mask after ten
# columns, `explore("padded_mean")` with the wrong divisor. No running kernel? Then you see three
# stills.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.mask_loss import explore

explore("right")

# %% [markdown]
# ## 4.4 The same loss, four ways
#
# There are four common ways to write the right loss down. They must agree.
#
# **Way 1, multiply and divide.** You have just seen it. Take care that you divide by the *mask's*
# sum.


# %%
def by_product(logits, targets, mask):
    return (cell_losses(logits, targets) * mask).sum() / mask.sum()


# %% [markdown]
# **Way 2, select.** `masked_select` returns the real cells as a list. Both tensors must be `[B,
# T]`.


# %%
def by_select(logits, targets, mask):
    return cell_losses(logits, targets).masked_select(mask).mean()


print(nll.masked_select(mask).round(decimals=3))

# %% [markdown]
# **Way 3, `ignore_index`.** Cross-entropy skips targets with a certain id. The default is −100,
# and **not** your PAD id. So we write −100 where a pad stands. No word has that id, so nothing
# can clash.


# %%
def by_index(logits, targets, mask):
    return F.cross_entropy(logits.transpose(1, 2), targets.masked_fill(~mask, -100))


for name, index in (("-100", -100), ("PAD", PAD_ID)):
    loss = F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=index)
    print(f"targets padded with PAD, ignore_index {name:4}: {loss:.2f}")
print(f"targets padded with -100, the default     : {by_index(logits, targets, mask):.2f}")

# %% [markdown]
# The first line is the trap: the default ignores nothing, because no target is −100. The second
# line is right under the same promise as way 3 of the mask: no real token has PAD's id.
#
# **Way 4, pack.** `pack_padded_sequence` throws the pads away. What is left is `[N, V]` and
# `[N]`, N real tokens, and a plain mean is right. Section 4.8 says more about packing.

# %%
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def packed(tensor, lengths):
    return pack_padded_sequence(tensor, lengths, batch_first=True, enforce_sorted=False)


def by_packing(logits, targets, mask):
    real = mask.sum(1)  # [B]
    return F.cross_entropy(packed(logits, real).data, packed(targets, real).data)


print(tuple(packed(logits, lengths).data.shape), tuple(packed(targets, lengths).data.shape))

# %% [markdown]
# And the library: `masked_nll_loss` takes log-probabilities, `sequence_loss` takes logits and
# returns a sum and a count. Six numbers, one loss:

# %%
from seq2seq_lib.losses import masked_nll_loss, sequence_loss

ways = {
    way.__name__: way(logits, targets, mask)
    for way in (by_product, by_select, by_index, by_packing)
}
ways["masked_nll_loss"] = masked_nll_loss(logits.log_softmax(-1), targets, mask)
ways["sequence_loss"] = sequence_loss(logits, targets, mask).mean
for name, loss in ways.items():
    print(f"{name:16} {loss:.4f}")
    assert abs(loss - 2) < 1e-6

# %% [markdown]
# Whole numbers can hide a mistake. So we compare again on random logits. The targets at pads are
# random too: a right loss never looks at them.

# %%
noise = torch.randn(B, T, V, generator=generator)
anything = torch.where(mask, targets, torch.randint(0, V, (B, T), generator=generator))
expected = sequence_loss(noise, anything, mask).mean
for way in (by_product, by_select, by_index, by_packing):
    assert abs(way(noise, anything, mask) - expected) < 1e-6

# %% [markdown]
# ### Where the ways differ
#
# They differ at the edges. First, zero times infinity is not zero. A model can give a word the
# probability 0, so a loss at a pad can be infinite. **Predict** both numbers:

# %%
infinite = nll.masked_fill(~mask, float("inf"))
print(f"multiply: {(infinite * mask).sum() / mask.sum():.2f}")
print(f"fill:     {infinite.masked_fill(~mask, 0).sum() / mask.sum():.2f}")

# %% [markdown]
# That is why the library fills or selects, and never multiplies a loss by a mask.
#
# Second, a batch may hold no real token at all: the last shard on one of eight GPUs, for example.
# The mean of nothing is 0 / 0
# ([pytorch#116349](https://github.com/pytorch/pytorch/issues/116349)).

# %%
nothing = torch.zeros_like(mask)
print("ignore_index: ", by_index(logits, targets, nothing).item())
print("sequence_loss:", sequence_loss(logits, targets, nothing).mean.item())

# %% [markdown]
# [Exercises 4.3, 4.4 and 4.5](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb) ask you
# for `masked_nll` from nothing, by selection and by `ignore_index`.

# %% [markdown]
# ## 4.5 What a pad may not do
#
# A pad must not change the loss. Nor may it change the **gradient**, because that is what trains
# the model. For the mean over $N$ real tokens the gradient is known:
#
# $$\frac{\partial \mathcal{L}}{\partial\,\text{logits}[b,t]} = \frac{\text{mask}[b,t]}{N}\,
# \bigl(\text{softmax}(\text{logits}[b,t]) - \text{onehot}(\text{target}[b,t])\bigr)$$
#
# Here is how strongly each cell pulls: the sum of the absolute values over the V words.


# %%
def gradient(loss, logits, targets, mask):
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(loss(logits, targets, mask), logits)[0]  # [B, T, V]


ours = gradient(lambda *batch: sequence_loss(*batch).mean, logits, targets, mask)
print(ours.abs().sum(-1).round(decimals=3))

# %% [markdown]
# The pads have zeros. Not small numbers: zeros. At the real cells it is the formula.

# %%
assert (ours[~mask] == 0).all() and (ours[mask].abs().sum(-1) > 0).all()
formula = (logits.softmax(-1) - F.one_hot(targets, V)) / mask.sum()
assert torch.allclose(ours[mask], formula[mask], atol=1e-7)

# %% [markdown]
# **Predict**: with the naive loss, which share of all this pulling comes from the four pads?

# %%
naive = gradient(
    lambda logits, targets, mask: cell_losses(logits, targets).mean(), logits, targets, mask
)
pull = naive.abs().sum(-1)  # [B, T]
print(f"{100 * pull[~mask].sum() / pull.sum():.0f} % from {(~mask).sum()} of {mask.numel()} cells")

# %% [markdown]
# A third of this gradient teaches the model one thing: after the end, say PAD. Nobody will ever
# ask it to.
#
# Next, ten more PAD columns. We also put huge logits there. The right loss and its gradient do
# not notice.

# %%
wide_targets = F.pad(targets, (0, 10))  # PAD is 0
wide_logits = torch.cat([logits, 1e4 * torch.randn(B, 10, V, generator=generator)], 1)
again = gradient(lambda *batch: sequence_loss(*batch).mean, wide_logits, wide_targets, wide_mask)
assert torch.equal(again[:, :T], ours) and (again[:, T:] == 0).all()
print(f"{sequence_loss(wide_logits, wide_targets, wide_mask).mean:.2f}")

# %% [markdown]
# And last, no batch at all: each sentence alone, without a single pad. The summed loss is that of
# the batch. This is **law 1, batch invariance**, for the loss: a sentence does not feel its
# neighbours.

# %%
total = 0.0
for b, length in enumerate(lengths.tolist()):
    alone = logits[b : b + 1, :length], targets[b : b + 1, :length], mask[b : b + 1, :length]
    total += sequence_loss(*alone).total
print(f"{total:.2f} and {sequence_loss(logits, targets, mask).total:.2f}")

# %% [markdown]
# ## 4.6 What each average weights
#
# Here are five ways to make one number from the cells. You will meet all of them.

# %%
averages = {
    "mean over tokens": lambda nll, mask: (nll * mask).sum() / mask.sum(),
    "mean of sentence means": lambda nll, mask: ((nll * mask).sum(1) / mask.sum(1)).mean(),
    "sum": lambda nll, mask: (nll * mask).sum(),
    "real sum / (B x T)": lambda nll, mask: (nll * mask).mean(),
    "mean over all cells": lambda nll, mask: nll.mean(),
}

# %% [markdown]
# **Predict**: which of the five stay the same when PAD columns are added?

# %%
print(" " * 24 + "as is  +10 PADs")
for name, average in averages.items():
    print(f"{name:22} {average(nll, mask):6.2f} {average(wide_nll, wide_mask):8.2f}")

# %% [markdown]
# Three are stable, and two are not: the last two measure the batch's shape. The first three are
# choices. What do they choose? The derivative of the loss with respect to one cell's loss is that
# cell's **weight**. These are exact fractions, so we print them as such: one token of each
# sentence, and one pad.

# %%
from fractions import Fraction


def weights_of(average, nll, mask):
    nll = nll.clone().requires_grad_()
    return torch.autograd.grad(average(nll, mask), nll)[0]  # [B, T]


print(" " * 24 + "ich   danke ich   pad")
for name, average in averages.items():
    weights = weights_of(average, nll, mask)
    cells = [weights[0, 0], weights[1, 0], weights[2, 0], weights[1, -1]]
    print(f"{name:22}", *(f"{Fraction(float(w)).limit_denominator(100)!s:>5}" for w in cells))

# %% [markdown]
# The mean over tokens treats every token alike: 1/11. In the mean of sentence means, a token of
# the short sentence weighs 1/6, and one of the longest 1/15: two and a half times less. Neither
# is a bug. The first one is minus the log-likelihood of the data, per token, and perplexity is its
# exponential. If you want the second one, say so.
#
# The sum gives the same shares as the mean over tokens, but a large batch takes a larger step.
# And the real sum over B x T gives a smaller step to a batch with much padding.
#
# Add up the weights of each sentence, and you see whom the gradient listens to:


# %%
def shares(average, nll, mask):
    weights = weights_of(average, nll, mask)
    return [*(weights * mask).sum(1).tolist(), (weights * ~mask).sum().item()]


drawn = {}
for name, average in averages.items():
    if name != "sum":  # its weights add up to 11
        drawn[name] = shares(average, nll, mask)
        drawn[f"{name}, +10 PADs"] = shares(average, wide_nll, wide_mask)
ax = plots.weight_shares(
    drawn,
    ["ich liebe dich (4)", "danke (2)", "ich weiß es nicht (5)", "pads"],
    title="Padding changes two of these averages, and leaves two alone",
)
plots.show(
    ax.figure,
    "Stacked bars. Mean over tokens: 0.36, 0.18 and 0.45 for the three sentences, with and without "
    "more pads. Mean of sentence means: 0.33 each. Real sum / (B x T): 0.73 in all, 0.24 with 10 more "
    "PAD columns. Mean over all cells: the pads have 0.27, and 0.76 with 10 more PAD columns.",
)

# %% [markdown]
# With ten more PAD columns, three quarters of the naive loss listen to pads. The two averages on
# top do not move at all:

# %%
assert drawn["mean over tokens"] == drawn["mean over tokens, +10 PADs"]
assert abs(sum(drawn["real sum / (B x T), +10 PADs"]) - 11 / 45) < 1e-6
assert abs(drawn["mean over all cells, +10 PADs"][-1] - 34 / 45) < 1e-6  # 0.76

# %% [markdown]
# [Exercise 4.7](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb) continues here: how
# large is the gradient share of long sentences?
#
# ### A mean of means
#
# The same question comes back one level up. An epoch has many batches. Say sentences 0 and 2 are
# one batch and "danke" is another. **Predict**: is the mean of the two batch losses 2.00?

# %%
first, second = [0, 2], [1]
parts = [sequence_loss(logits[rows], targets[rows], mask[rows]) for rows in (first, second)]
print([f"{part.total:.0f} / {part.tokens}" for part in parts])
print(f"mean of means {(parts[0].mean + parts[1].mean) / 2:.2f},  sums added {sum(parts).mean:.2f}")

# %% [markdown]
# It is not: the two tokens of the short batch weighed as much as the nine of the other. That is
# why `sequence_loss` returns a `LossSum`, a total and a count. You add two of them, and divide
# once.

# %%
assert abs(sum(parts).mean - 2) < 1e-6
assert sum(parts).tokens == 11 and abs(sum(parts).total - 22) < 1e-5

# %% [markdown]
# ## 4.7 The law, and the wrong versions
#
# **Law 3, the loss ledger**: the loss is the summed NLL of the real tokens over their number. The
# law takes any loss function. It compares with four ways to write the loss down. It adds pads,
# plants huge logits there, looks at the gradient, and feeds a batch of pads alone.

# %%
from seq2seq_lib import laws

verdict = laws.loss_ledger(sequence_loss)
print(verdict)
assert verdict

# %% [markdown]
# And our own four ways? **Predict** before you read on: section 4.4 holds the answer.

# %%
for way in (by_product, by_select, by_index):
    verdict = laws.loss_ledger(way)
    print(f"{way.__name__:10}", verdict.counterexample)
    broken = [check.name for check in verdict.checks if not check.holds]
    assert broken == ["a batch of pads alone"]

# %% [markdown]
# They obey the law on every batch with a real token, and return NaN for a batch without one. A
# law that finds something in your own code, too, is a good law. (`by_packing` raises there: a row
# of length 0 cannot be packed.)
#
# Now the versions that are copied around. Each one is rewritten here in a few lines, and runs on
# our batch. The right answer is 2.00.

# %% [markdown]
# ### A mask that never looks at the ids
#
# [This page](https://genban.org/teach/teach-64548.html) and [its
# twin](https://www.womengda.org/itjc/python/121975.html) explain how to mask the loss, with the
# very sentences of our batch. The mask there compares the *id* of PAD with *positions*:


# %%
def positions_mask(T, pad_id=PAD_ID):
    return (torch.arange(T) != pad_id)[:, None].expand(T, T)


print(positions_mask(T).int())

# %% [markdown]
# It is `[T, T]`, whatever the batch, and row 0 is off because PAD happens to be 0. It does not
# even have the shape of the losses, `[B, T]`. Nobody notices, because the loss has been reduced
# before:


# %%
def reduced_before_masked(logits, targets, mask):
    wrong = positions_mask(targets.size(1))
    loss = F.cross_entropy(logits.transpose(1, 2), targets)  # already one number
    return (loss * wrong).sum() / wrong.sum()


print(f"{reduced_before_masked(logits, targets, mask):.2f}")

# %% [markdown]
# That is 3.60, the naive mean. A number times a mask, over the mask's sum, is the number. *Any*
# mask would give it. Two mistakes hide each other: the wrong mask is never noticed, because it
# has no effect.
#
# ### A mask that broadcasts
#
# The [chatbot tutorial of PyTorch](https://github.com/pytorch/tutorials/pull/306) computed its
# loss step by step. The loss of a step was `[B, 1]`, the mask `[B]`. `masked_select` broadcasts
# both to `[B, B]`. Take step 2 of our batch, where the losses are 1, 8 and 1, and "danke" is
# over. **Predict** how many values are selected.

# %%
step_loss, step_mask = nll[:, 2:3], mask[:, 2]  # [B, 1], [B]
selected = step_loss.masked_select(step_mask)
print(selected.round(decimals=3), f"mean {selected.mean():.2f}")

# %% [markdown]
# Six, and the pad's loss twice. Every row is selected once for each True, so the mean is the mean
# without any mask: 3.33, where 1.00 is right. A
# [patch](https://github.com/pytorch/tutorials/pull/338) explained it soon after, and the
# [cure](https://github.com/pytorch/tutorials/pull/382) is to make the loss `[B]`. All steps
# together:


# %%
def broadcast(logits, targets, mask):
    nll, total = cell_losses(logits, targets), 0.0
    for t in range(targets.size(1)):
        total = total + nll[:, t : t + 1].masked_select(mask[:, t]).mean() * mask[:, t].sum()
    return total / mask.sum()


print(f"{broadcast(logits, targets, mask):.2f}")

# %% [markdown]
# ### A mean over the padded length
#
# *Dive into Deep Learning* masked the right cells, and then took the mean over all of them. The
# [issue](https://github.com/d2l-ai/d2l-en/issues/2076) is from 2022. The same was reported of
# [gluon-nlp](https://github.com/dmlc/gluon-nlp/issues/238) in 2018.


# %%
def padded_mean(logits, targets, mask):
    return (cell_losses(logits, targets) * mask).mean()


print(f"{padded_mean(logits, targets, mask):.2f}")

# %% [markdown]
# That is 22 / 15 = 1.47, and 22 / 45 with ten PAD columns more. The loss looks *better* the more
# padding there is. The same code with the same data gives another number at another batch size.
#
# ### `masked_select` on the logits
#
# A natural wish: throw away the logits at pads, before the loss. The mask is flattened to
# `[B*T]`, and applied to logits `[B, T, V]`.

# %%
try:
    logits.masked_select(mask.flatten())
except RuntimeError:
    print(f"RuntimeError: [{B * T}] does not fit the last axis, {V}")

# %% [markdown]
# Again the lucky case. With a vocabulary of 15 words, B*T fits, and the mask throws away *words*.
# `mask.unsqueeze(-1)` keeps the right cells, but the result is one flat list. **Predict** its
# length.

# %%
print(tuple(torch.zeros(B, T, B * T).masked_select(mask.flatten()).shape), "with 15 words")
print(tuple(logits.masked_select(mask.unsqueeze(-1)).shape), "with unsqueeze(-1)")
print(tuple(logits[mask].shape), "what was wanted")

# %% [markdown]
# `logits[mask]` keeps the axis of words. `targets[mask]` belongs to it.

# %%
assert abs(F.cross_entropy(logits[mask], targets[mask]) - 2) < 1e-6

# %% [markdown]
# ### A transposed mask
#
# Mixed up rows and columns give a mask `[T, B]` ([Tensor
# Puzzles](https://github.com/srush/Tensor-Puzzles) has it as puzzle 14). As long as B and T
# differ, indexing with it raises. So cut the batch to its first three positions: B = T = 3.


# %%
def transposed(logits, targets, mask):
    T = targets.size(1)
    wrong = torch.arange(T)[:, None] < mask.sum(1)[None, :]  # [T, B]
    return cell_losses(logits, targets)[wrong].mean()


square = logits[:, :3], targets[:, :3], mask[:, :3]
print(f"transposed {transposed(*square):.3f}, right {by_product(*square):.3f}")
print("cells counted:", square[2].T.sum().item(), "and", square[2].sum().item())

# %% [markdown]
# No error, and the same number of cells. It trades a token of one sentence for a pad of another.
#
# ### What the law says about them
#
# The law does not know these functions. It sees numbers. **Predict**: will it only say "wrong",
# or also which mistake it is?

# %%
import textwrap

for wrong in (reduced_before_masked, broadcast, padded_mean):
    verdict = laws.loss_ledger(wrong)
    assert not verdict
    print(textwrap.fill(f"{wrong.__name__}: {verdict.look_at}", 88), end="\n\n")

# %% [markdown]
# Each one is named. And the transposed mask?

# %%
verdict = laws.loss_ledger(transposed)
print([check.name for check in verdict.checks if not check.holds])

# %% [markdown]
# It raises at the first probe, where B and T differ. That is a rule for your own tests: let all
# sizes differ, and let B equal T once, on purpose.

# %% [markdown]
# The calculator knows these mistakes as named states. Begin with `explore("transposed")`: as many
# cells as the right mask, no error, another loss. Then call `explore("blog")`, which is the mask
# of positions, `explore("broadcast")` and `explore("padded_mean")`. **Predict** each time what
# ten PAD columns do.

# %% tags=["nbval-ignore-output"]
explore("transposed")

# %% [markdown]
# [Exercise 4.6](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb) is the bug clinic: you
# get a training log and a patient, write the test that catches it, and cure it.

# %% [markdown]
# ## 4.8 The encoder: stop before the pads
#
# The loss is one half. The encoder reads pads as well, and it reads them *last*. Here is a GRU
# with random weights on our three sources. PAD's embedding is the zero vector.

# %%
torch.manual_seed(2)
embedding = torch.nn.Embedding(len(english), 6, padding_idx=PAD_ID)
gru = torch.nn.GRU(6, 4, batch_first=True)
x = embedding(batch.src)  # [B, S, E]
print(tuple(x.shape), "pads are zero:", bool((x[~batch.src_mask] == 0).all()))

# %% [markdown]
# **Predict**: "thank you" has three tokens with its EOS, and two pads. A zero vector is read
# twice. Is the final state the same as for the sentence alone?


# %%
def shown(vector):
    return " ".join(f"{value:5.2f}" for value in vector.tolist())


with torch.no_grad():
    _, alone = gru(x[1:2, :3])  # [1, 1, H]
    outputs, in_batch = gru(x)  # [B, S, H], [1, B, H]
print("alone   ", shown(alone[0, 0]))
print("in batch", shown(in_batch[0, 1]))
assert (alone[0, 0] - in_batch[0, 1]).abs().max() > 0.05

# %% [markdown]
# It is not. A GRU has biases and a state, and a step with a zero input is still a step. How many
# such steps there are depends on the longest neighbour
# ([pytorch/tutorials#3643](https://github.com/pytorch/tutorials/issues/3643), still open).
#
# **Packing** sorts the sentences by length and stores the real cells only, step by step. At step
# t it says how many sentences are still running. **Predict** these five numbers for the lengths
# 4, 3, 5.

# %%
pack = packed(x, batch.src_lengths)
print(pack.batch_sizes)
print(tuple(pack.data.shape), "cells stored, of", x.size(0) * x.size(1))

# %% [markdown]
# `pack_padded_sequence` takes pads away, `pad_packed_sequence` puts them back. (Some texts have
# it the other way round.) There and back again, you get the tensor with zeros at its pads. For a
# tensor of ones that is the mask itself.

# %%
back, back_lengths = pad_packed_sequence(pack, batch_first=True)
assert torch.equal(back, x.masked_fill(~batch.src_mask[..., None], 0))
assert torch.equal(back_lengths, batch.src_lengths)
ones, _ = pad_packed_sequence(packed(torch.ones(B, T), lengths), batch_first=True)
assert torch.equal(ones.bool(), mask)  # a fifth way to a mask

# %% [markdown]
# A GRU that gets a packed sequence stops in time. Lengths must lie on the CPU, even beside a GPU
# ([pytorch/tutorials#1421](https://github.com/pytorch/tutorials/issues/1421)).
# `enforce_sorted=False` sorts for you, and back.

# %%
with torch.no_grad():
    packed_outputs, state = gru(pack)
print("packed  ", shown(state[0, 1]))
assert torch.allclose(state[0, 1], alone[0, 0], atol=1e-6)

# %% [markdown]
# Do not read the last column of the outputs instead. **Predict**: in which rows is it zero?

# %%
memory, _ = pad_packed_sequence(packed_outputs, batch_first=True)  # [B, S, H]
print((memory[:, -1] == 0).all(-1))

# %% [markdown]
# For a GRU that reads forward, you could also pick the output at the last real position. For one
# that reads backward you could not: it *begins* in the pads. Here are both ways to get a state,
# for any GRU.

# %%
double = torch.nn.GRU(6, 4, batch_first=True, bidirectional=True)


def picked(rnn):
    def encode(src, src_lengths):
        outputs, _ = rnn(embedding(src))  # reads the pads
        return None, outputs[torch.arange(len(src)), src_lengths - 1]

    return encode


def stopped(rnn):
    def encode(src, src_lengths):
        outputs, state = rnn(packed(embedding(src), src_lengths))
        return pad_packed_sequence(outputs, batch_first=True)[0], state.transpose(0, 1)

    return encode


# %% [markdown]
# **Predict** the three verdicts of law 1: does every sentence get the same state, alone and in
# any batch?

# %%
for name, encode in (
    ("output picked, forward  ", picked(gru)),
    ("output picked, two ways ", picked(double)),
    ("packed, two ways        ", stopped(double)),
):
    print(name, laws.batch_invariance(encode, src_vocab_size=len(english)).holds)

# %% [markdown]
# `seq2seq_lib.encoder.Encoder` packs. [Chapter 0](ch00_start_here.ipynb) measured what happens to
# many sentences if one does not. Here is one sentence, and four ways to read its final state.
# Which one stays still when pads are added? Predict, then try `explore_drift("six_pads_raw")`,
# where no neighbour is needed, and `explore_drift("last_output_neighbours")`, where the state is
# gone.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.pad_drift import explore as explore_drift

explore_drift("neighbours_raw")


# %% [markdown]
# ## 4.9 Accuracy hides the bug
#
# So you can find a wrong mask by looking at the accuracy? **Predict**: three models, alike in
# everything but the loss. One is trained with the right loss, one counts pads, one divides by the
# padded length. Which one is worst on unseen data? An
# [issue](https://github.com/d2l-ai/d2l-en/issues/2076) says that the padded mean teaches a model
# never to stop. A comment there reports that nothing changed. Let us measure.
#
# The task: read letters, write them backwards.

# %%
from seq2seq_lib.batching import encode_pairs, make_loader
from seq2seq_lib.corpora import reverse

corpus = reverse(4000, 100, 300, alphabet="abcdefgh", min_length=1, max_length=8)
letters = Vocab.build(pair.source for pair in corpus.train)
train, test = (encode_pairs(split, letters, letters) for split in (corpus.train, corpus.test))
print("".join(corpus.test[0].source), "->", "".join(corpus.test[0].target))

# %% [markdown]
# Our own loader puts sentences of similar lengths together. It hardly needs pads, so a padding
# bug has little to do. Here the batches are random, as in most tutorials. A quarter of all cells
# is padding:

# %%
from torch.utils.data import DataLoader


def loader(examples, batch_size, seed=None):
    order = None if seed is None else torch.Generator().manual_seed(seed)
    return DataLoader(
        examples, batch_size, shuffle=seed is not None, generator=order, collate_fn=collate
    )


def padding(batches):
    masks = [batch.tgt_mask for batch in batches]
    return 1 - sum(m.sum().item() for m in masks) / sum(m.numel() for m in masks)


print(f"random batches: {100 * padding(loader(train, 50, seed=0)):.0f} % padding")
print(f"similar lengths: {100 * padding(make_loader(train, 50)):.0f} % padding")

# %% [markdown]
# The three losses, as sums and counts. `fit` calls them with the model, a batch, and the number of
# the step, which none of them needs.

# %%
from seq2seq_lib.losses import LossSum


def right(model, batch, step):
    return sequence_loss(model(batch), batch.tgt_out, batch.tgt_mask)


def pads_counted(model, batch, step):
    return sequence_loss(model(batch), batch.tgt_out, torch.ones_like(batch.tgt_mask))


def over_padded_length(model, batch, step):
    loss = right(model, batch, step)
    return LossSum(loss.total, torch.full_like(loss.tokens, batch.tgt_out.numel()))


# %% [markdown]
# Same seed, same batches, same everything. Five passes over the data each.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.runtime import get_device, seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.training import TrainConfig, evaluate, fit

device = get_device()
config = Seq2SeqConfig(
    len(letters), len(letters), embed_size=32, hidden_size=64, dropout=0.0, attention="dot"
)
settings = TrainConfig(epochs=5, learning_rate=8e-3, cosine_decay=True)
models, reported = {}, {}
for loss in (right, pads_counted, over_padded_length):
    seed_everything(0)
    models[loss] = Seq2Seq(config)
    batches = loader(train, 50, seed=0)
    history = fit(
        models[loss], batches, None, settings, device=device, loss_function=loss, progress=False
    )
    reported[loss] = [record.train_loss for record in history.records]
    print(f"{loss.__name__:18}", [f"{value:.3f}" for value in reported[loss]])

# %% [markdown]
# These are the training losses that each run reports, pass by pass. The wrong ones are lower.
# After the first pass this was so with every seed we tried:

# %%
assert reported[right][0] > reported[pads_counted][0] > reported[over_padded_length][0]

# %% [markdown]
# Now the models write. `exact_match` counts an answer only if every letter is right, and the end,
# too.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.metrics import exact_match

together = collate(test).to(device)
accuracy, ended = {}, {}
for loss, model in models.items():
    found = [
        best
        for (best,) in greedy_search(model, together.src, together.src_lengths, max_new_tokens=14)
    ]
    accuracy[loss] = exact_match(
        [letters.decode(best.tokens) for best in found], [list(p.target) for p in corpus.test]
    )
    ended[loss] = sum(best.finished for best in found) / len(found)
    print(
        f"{loss.__name__:18} exact match {accuracy[loss]:.3f}, stopped by itself {ended[loss]:.3f}"
    )

# %% [markdown]
# The picture has both columns side by side: what the runs report, and what the models can do.

# %% tags=["nbval-ignore-output"]
axes = plots.axes_grid(1, 2, 10, 2.2)
names = ["right", "pads counted", "over padded length"]
plots.compared_bars(
    names,
    [values[0] for values in reported.values()],
    xlabel="reported loss (nats), first pass",
    title="The wrong losses look better",
    ax=axes[0],
)
plots.compared_bars(
    names,
    list(accuracy.values()),
    xlabel="exact match on 300 unseen strings",
    title="The models are about equally good",
    limit=1.2,
    ax=axes[1],
)
plots.show(
    axes[0].figure,
    "Two bar charts. Left: the reported loss is highest for the right loss and lowest for the mean "
    "over the padded length. Right: exact match is high, and nearly the same for all three.",
)

# %% [markdown]
# All three are good, and all three stop. Is there at least a small difference? We ran these cells
# with the seeds 0, 1 and 2: each of the three losses was the best one once. Another seed changes
# as much as another loss does. So accuracy does not tell which model has the bug.

# %%
assert min(accuracy.values()) > 0.88
assert max(accuracy.values()) - min(accuracy.values()) < 0.1
assert min(ended.values()) > 0.97

# %% [markdown]
# It is one task and one optimizer, not a law of nature. Saying PAD after the end is easy to
# learn. And to divide by a larger number only scales the gradient, which Adam scales back; plain
# gradient descent would take smaller steps.
#
# What *can* tell is the batch size. Take each model with its own loss, and evaluate it twice on
# the same test set: 50 sentences at a time, and one at a time. **Predict** for which loss the two
# numbers agree.

# %% tags=["nbval-ignore-output"]
fifty, one = {}, {}
for loss, model in models.items():
    fifty[loss] = evaluate(model, loader(test, 50), device=device, loss_function=loss).mean.item()
    one[loss] = evaluate(model, loader(test, 1), device=device, loss_function=loss).mean.item()
    print(f"{loss.__name__:18} batches of 50: {fifty[loss]:.4f}   one by one: {one[loss]:.4f}")

# %% [markdown]
# The right loss does not notice. In batches of 50 the others are smaller by about a third, and
# nobody changed the model. A third is also the share of pads there. It was a quarter in training:
# there are only 72 strings of one or two letters, and most of them are in the test set. For the
# padded mean, the factor is exactly the share of real cells:

# %%
print(f"test set in batches of 50: {100 * padding(loader(test, 50)):.0f} % padding")
assert abs(fifty[right] - one[right]) < 1e-5
assert all(0.58 < fifty[wrong] / one[wrong] < 0.76 for wrong in (pads_counted, over_padded_length))
factor = fifty[over_padded_length] / one[over_padded_length]
assert abs(factor - (1 - padding(loader(test, 50)))) < 1e-3

# %% [markdown]
# Compare two papers, or two settings, by such a number, and the one with more padding wins.

# %% [markdown]
# ## Summary
#
# - A mask is `mask[b, t] = t < length[b]`: `arange(T)[None, :] < lengths[:, None]`. Its row sums are
#   the lengths. Say what True means.
# - The loss of a batch is the summed NLL of its real tokens over their number. Product, selection,
#   `ignore_index=-100` and packing agree to 1e-6.
# - Fill or select, do not multiply: `0 * inf` is NaN. Keep sums and counts, and divide once.
# - The gradient at pads is exactly 0. More PAD columns change neither loss nor gradient.
# - Mean over tokens: every token weighs the same. Mean of sentence means: every sentence does. Over
#   all cells, or over B x T: the padding decides.
# - Pack the encoder's input, or its final state lies behind the pads.
#
# | copied code | on our batch | what gives it away |
# |---|---|---|
# | right | 2.00 | |
# | mask of positions, loss reduced before | 3.60 | a pad's logit changes the loss |
# | `[B, 1]` loss, `[B]` mask | 3.21 | more values selected than tokens |
# | mean over the padded length | 1.47 | another batch size, another loss |
# | flat mask on logits | an error, or a flat list | `logits[mask]` is `[N, V]` |
# | transposed mask | an error, unless B = T | row sums are not the lengths |
#
# - **Law established**: law 3, the loss ledger. `laws.loss_ledger(your_loss)` judges any loss.
# - **Common misconception**: "If it runs, the loss falls and the accuracy is fine, the mask is right."
#
# **Next**: [the exercises](../exercises/ch04_padding_masks/ch04_padding_masks.ipynb) of this
# chapter. Then [chapter 9](ch09_real_translation.ipynb) uses this loss on real German sentences.
