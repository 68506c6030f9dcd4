# %% [markdown]
# # 5. NLLLoss and CrossEntropyLoss
#
# A model returns numbers, and a loss takes numbers. They may be logits, log-probabilities or shares, all
# of one shape and one dtype, so no line of code complains about the wrong ones.
#
# Below are five lines that all claim to be the cross-entropy of one row. **Predict** which of them give
# the same number.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.logits_bench import explore

explore("row")

# %% [markdown]
# **After this chapter you can** say what each loss wants and how one printed number tells that it got
# it, derive the gradient, name what a mean divides by, keep a loss finite at logits of 1000, and say what
# temperature and smoothing change and what they cannot.
#
# **You need** [chapter 4](ch04_padding_masks.ipynb).
#
# **Time**: 45 minutes with its two stubs; it runs in half a minute.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | B, T | sentences, positions | N | real tokens in the batch |
# | V | words in the vocabulary | z | logits, any numbers |
# | p | shares: probabilities, softmax(z) | y | the target's id |
# | lse(z) | log-sum-exp, $\log \sum_j e^{z_j}$ | τ | temperature |
#
# Logarithms are natural, so losses are in nats.

# %% [markdown]
# ## 5.1 One row, four steps
#
# What does NLLLoss do? Think of **votes**: five words have 1, 2, 3, 6 and 8 of 20. A logit is the
# logarithm of a word's votes, softmax is its share of all votes. The target is "danke", with .30, so it
# is not the favourite.

# %%
import torch
import torch.nn.functional as F

from seq2seq_lib.course.ch05_nll_vs_cross_entropy import figures, given

z, y = given.row(), torch.tensor(3)  # [V], the id of "danke"
V = len(z)
log_p = z.log_softmax(-1)  # [V]
print("votes", z.exp().round(), "shares", log_p.exp().round(decimals=2), sep="\n")
print(f"logit {z[y]:.4f} -> log p {log_p[y]:.4f} -> minus {-log_p[y]:.4f}")
print(
    f"cross_entropy(z, y) {F.cross_entropy(z, y):.4f}, nll_loss(log_p, y) {F.nll_loss(log_p, y):.4f}"
)

# %% [markdown]
# Four steps: log-softmax, pick the target, minus, and a mean where there are several rows.
# `cross_entropy` does all four. `nll_loss` does the last three: **there is no logarithm in NLLLoss**. Its
# name says what must come in, as a reader found out in
# [pytorch#10033](https://github.com/pytorch/pytorch/issues/10033): shares of .9 and .1 give −.9.
#
# A batch `[B, T, V]` needs the same four steps. `gather` picks along the last axis, and wants the ids with
# an axis of size 1 there.

# %%
logits, targets, mask = given.batch()  # [2, 4, 5], [2, 4], [2, 4]; the last cell of row 0 is a pad
log_probs = logits.log_softmax(-1)  # [B, T, V]
nll = -log_probs.gather(-1, targets[..., None])[..., 0]  # [B, T, 1] -> [B, T]
print(nll.round(decimals=3))
right = nll[mask].mean()
print(f"{nll[mask].sum():.4f} / {mask.sum()} = {right:.4f}")

# %% [markdown]
# The library has both: `sequence_loss` of logits, `masked_nll_loss` of log-probabilities. Like
# `nn.NLLLoss`, the second believes its caller.

# %%
from seq2seq_lib.losses import LossSum, masked_nll_loss, sequence_loss

print(f"sequence_loss(logits) {sequence_loss(logits, targets, mask).mean:.4f}")
for name, given_in in (("log-probabilities", log_probs), ("logits", logits)):
    print(f"masked_nll_loss({name}) {masked_nll_loss(given_in, targets, mask):.4f}")

# %% [markdown]
# ### The loss and its gradient, with a pencil
#
# [Chapter 4](ch04_padding_masks.ipynb) found p − onehot; with lse it is shorter:
#
# 1. Take the logarithm of the share: $\log p_i = z_i - \mathrm{lse}(z)$.
# 2. So the loss is $-\log p_y = \mathrm{lse}(z) - z_y$. Cross-entropy is log-softmax, then NLL.
# 3. The derivative of lse by $z_i$ is $e^{z_i} / \sum_j e^{z_j}$, and that is $p_i$.
# 4. Hence $\partial\,\text{loss} / \partial z_i = p_i - [i = y]$. The row of the gradient adds up to
#    0, and adding 100 to all logits changes neither loss nor gradient.
# 5. A mean over N tokens gives each row 1/N of it.
#
# On our row: lse is log 20 = 2.9957, the target's logit log 6 = 1.7918, so the loss is 1.2040. The
# gradient must be the shares with 1 taken from the fourth.


# %%
def gradient(loss, z):
    z = z.detach().clone().requires_grad_()
    return torch.autograd.grad(loss(z), z)[0]


slope = gradient(lambda z: F.cross_entropy(z, y), z)
print(f"lse {z.logsumexp(-1):.4f} - logit {z[y]:.4f} = {z.logsumexp(-1) - z[y]:.4f}")
print("gradient", slope.round(decimals=2))
assert torch.allclose(slope, log_p.exp() - F.one_hot(y, V), atol=1e-6)
assert torch.allclose(F.nll_loss(log_p, y), F.cross_entropy(z, y))

# %% [markdown]
# So NLLLoss wants log-probabilities, CrossEntropyLoss wants logits, and the gradient is share minus
# one-hot.
#
# ## 5.2 Five pipelines
#
# What if they get something else? **Naive**: cross-entropy compares distributions, so give it a
# distribution, softmax first. An open pull request
# ([PyTorch-GAN#186](https://github.com/eriklindernoren/PyTorch-GAN/pull/186)) takes such a softmax out
# again. The bench can make the answer perfect, 100 nats ahead. **Predict** what line 4, softmax and
# then cross-entropy, costs for it.

# %% tags=["nbval-ignore-output"]
from seq2seq_lib.course.explorers.logits_bench import explore

explore("perfect")

# %% [markdown]
# A softmax leaves numbers between 0 and 1. The second softmax takes them for logits, and sees no gap
# above 1. For V words it cannot cost less than the loss of the shares 1, 0, …, 0:
#
# $$\text{floor} = \log(e + V - 1) - 1$$

# %%
pipelines = {
    "z -> cross_entropy": lambda z: F.cross_entropy(z, y),
    "log_softmax -> nll": lambda z: F.nll_loss(z.log_softmax(-1), y),
    "log_softmax twice -> nll": lambda z: F.nll_loss(z.log_softmax(-1).log_softmax(-1), y),
    "softmax -> cross_entropy": lambda z: F.cross_entropy(z.softmax(-1), y),
    "softmax -> nll": lambda z: F.nll_loss(z.softmax(-1), y),
    "z -> nll": lambda z: F.nll_loss(z, y),
}
perfect, wrong = 100.0 * F.one_hot(y, V), 8.0 * F.one_hot(torch.tensor(0), V)
print(" " * 29, "row   perfect  sure and wrong: loss, gradient at y")
for name, loss in pipelines.items():
    numbers = [loss(z), loss(perfect), loss(wrong), gradient(loss, wrong)[y]]
    print(f"{name:25}", *(f"{round(n.item(), 4) + 0.0:9.4f}" for n in numbers))  # -0 becomes 0
floor = (torch.tensor(V - 1.0) + torch.e).log() - 1
print(f"floor for V = {V}: {floor:.4f}")

# %% [markdown]
# Three lines agree. Log-softmax twice is harmless, because a row of log-probabilities has lse = log 1 =
# 0, so the second one takes nothing away. **Why a softmax before the loss is wrong** shows in the last
# column: where the model is sure of another word, the right loss pushes with .9997, the loss of shares
# with .0004 at most, so a sure mistake is hardly unlearned. Raw logits into `nll_loss` push with 1
# always, also where the answer is perfect, and push no other word down.

# %%
from seq2seq_lib import plots

plots.show(
    figures.loss_as_one_logit_grows(z, 3, floor.item()),
    "Left: the loss against the target's logit from -8 to 8. Cross-entropy of logits is a falling line "
    "that bends to 0; of shares it stays between 1.8 and 0.9; NLL of shares falls from 0 to -1. Right: "
    "the push on the logit. The right one starts at 1 and falls to 0; the others are a low hump in the "
    "middle and 0 at both ends.",
)

# %% [markdown]
# In the bench, `"sure_and_wrong"` shows this push, `"large_vocabulary"` the floor for 10,000 words.
#
# **Right**: logits, as they are. Does training give the mistake away? A small model learns to write number
# words as digits, V = 14, once with logits and once with shares. **Predict**: does the loss *before training*
# betray the softmax?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.batching import collate
from seq2seq_lib.training import evaluate

task = given.numbers_task()
batches = [collate(task.train[i : i + 50]) for i in range(0, 2000, 50)]
losses = {"logits": given.cross_entropy_loss, "shares": given.softmax_first_loss}
fresh = task.fresh_model(0)
before = {n: evaluate(fresh, batches, loss_function=f).mean.item() for n, f in losses.items()}
log_V = torch.tensor(float(len(task.target_vocab))).log().item()
print("before training:", {name: round(loss, 1) for name, loss in before.items()})
print(f"log 14 = {log_V:.3f}")

# %% [markdown]
# It does not: a fresh model gives nearly equal shares, and what is equal stays equal under a second
# softmax. Both start at log 14. The epochs tell them apart.

# %% tags=["nbval-ignore-output"]
trained = {name: task.fit(loss, seed=0) for name, loss in losses.items()}
histories = {name: [before[name], *history] for name, (_, history) in trained.items()}
floor_14 = (torch.tensor(13.0) + torch.e).log().item() - 1
plots.show(
    figures.training(histories, {"log V": log_V, "floor of shares": floor_14}),
    "Loss over six epochs. Both curves start at log V, 2.64. With logits it falls to about 0.02; with "
    "shares it falls slowly and stays above 1.75, the dotted floor.",
)

# %% tags=["nbval-ignore-output"]
scores = {name: task.exact_match(model) for name, (model, _) in trained.items()}
print("exact match on 300 unseen numbers:", {n: f"{s:.2f}" for n, s in scores.items()})

# %% [markdown]
# Measured once, on 28 November 2026 ([`benchmarks/which_loss.py`](../benchmarks/which_loss.py), seeds 0
# to 4): with logits 97.7 to 99.3 % of the numbers are right, with shares 49.3 to 73.3 %, and with shares
# into `nll_loss`, whose loss goes from −.07 down to −.85, 9.3 to 45.0 %. All of them "train".
#
# So ask any loss for its floor: feed it a perfect answer. It must print 0.
#
# ## 5.3 Which axis? The first loss knows
#
# A softmax runs along an axis, and each axis is legal. Which one was it? Zero logits are the test: equal
# shares of K things cost log K, so the loss says how many things shared.

# %%
zeros = torch.zeros(2, 4, 5)  # B, T and V all differ
for dim in (0, 1, -1):
    picked = -zeros.log_softmax(dim).gather(-1, targets[..., None])
    print(f"[B, T, V], dim {dim:2}: {picked.mean():.3f} = log {zeros.size(dim)}")
flat, chosen = logits[mask], targets[mask]  # [N, V], [N]
print(f"[N, V],    dim  0: {F.nll_loss((flat * 0).log_softmax(0), chosen):.3f} = log {len(flat)}")

# %% [markdown]
# Only log V is right, so choose B, T and V all different. On votes, the two axes of `[N, V]` look like
# this. The rule is older than any loss: **what must add up to 1?**

# %%
plots.show(
    figures.softmax_over_axes(
        {"dim -1: a token's words": flat.softmax(-1), "dim 0: a word's tokens": flat.softmax(0)}
    ),
    "Two tables of 7 tokens by 5 words. With dim -1 each row adds up to 1, and the columns to 1.47, "
    "1.12, 1.05, 1.19, 2.17. With dim 0 each column adds up to 1, and the rows to between 0.40 and 1.45.",
)
print(f"right {right:.4f}, over tokens {F.nll_loss(flat.log_softmax(0), chosen):.4f}")
print(
    f"over positions {-logits.log_softmax(1).gather(-1, targets[..., None])[..., 0][mask].mean():.4f}"
)

# %% [markdown]
# The mistake has been published: `log_softmax(x, dim=0)` stood in
# [pointnet.pytorch#27](https://github.com/fxia22/pointnet.pytorch/issues/27) until March 2019, a softmax
# with `dim=0` in a [Chinese note on NLLLoss](https://blog.csdn.net/qq_15821487/article/details/119972200), and
# [pytorchfundamentals#21](https://github.com/MicrosoftDocs/pytorchfundamentals/pull/21) would repair it in
# course material. **Predict**: our number model, trained with a softmax over the tokens of its batch. Does
# it learn nothing, or how many of the 300 numbers does it write?

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
trained["over tokens"] = task.fit(given.over_tokens_loss, seed=0)
scores["over tokens"] = task.exact_match(trained["over tokens"][0])
print(f"last epoch {trained['over tokens'][1][-1]:.2f}, exact match {scores['over tokens']:.2f}")

# %% [markdown]
# It learns nearly all: with five seeds 97.7 to 100 %. Each token still competes with others for its word,
# which teaches the model which word belongs where. Its loss is no likelihood of anything, though: it
# starts at log N, so it depends on the size of the batch. So accuracy did not tell; the first loss
# does. **Check log V before you train.**
#
# ## 5.4 What the mean divides by
#
# `reduction="sum"` gives $\sum w_y \cdot \text{nll}$, `"none"` a number a token, `"mean"` divides. By
# what, if some words have a weight and some targets are ignored? Three rows of numbers .9, .3 and .65
# at their targets, weights 3, 1 and 2, and the target 2 is ignored. (They are no log-probabilities, which
# NLLLoss does not notice, so the arithmetic is easy.) **Predict** the mean: −(3 · .9 + 1 · .3) over what?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
x, kinds, weight = given.weighted_batch()  # [3, 3], [3], [3]
with_weights = dict(weight=weight, ignore_index=2)
for reduction in ("none", "sum", "mean"):
    print(reduction, F.nll_loss(x, kinds, **with_weights, reduction=reduction).round(decimals=4))

# %% [markdown]
# −3.00 / 4 = −.75: the mean divides by the **weights of the targets that were kept**, 3 + 1. It is neither
# N = 2 (−1.5) nor the number of rows (−1, what the mean of `"none"` would give, with a 0 where a target
# is ignored) nor the sum of all weights (−.5). A token of weight 3 counts as if it stood there three
# times.
#
# The same −.75 comes out of that note's
# [example](https://blog.csdn.net/qq_15821487/article/details/119972200), rows [.6 .2 .2] and [.4 1.2 .4],
# targets 0 and 1, weights .6 .2 .2: −(.6 · .6 + .2 · 1.2) / .8. A 1.2 is the log of no share, so this is
# arithmetic again. And all weights add up to 1, so a wrong divisor hides: dividing by them is the sum.

# %%
rows = torch.tensor([[0.6, 0.2, 0.2], [0.4, 1.2, 0.4]])
print(f"{F.nll_loss(rows, torch.tensor([0, 1]), weight=torch.tensor([0.6, 0.2, 0.2])):.2f}")
proper = x.log()  # x really is shares
whole = F.nll_loss(proper, kinds, **with_weights)
halves = [F.nll_loss(proper[r], kinds[r], weight=weight) for r in (slice(0, 1), slice(1, 2))]
print(f"one batch {whole:.4f}, mean of two batch means {sum(halves) / 2:.4f}")
ours = sequence_loss(proper[None], kinds[None], (kinds != 2)[None], weight=weight)
print(f"LossSum: {ours.total:.4f} / {ours.tokens} = {ours.mean:.4f}")

# %% [markdown]
# So weights bring back the mean of means from [chapter 4](ch04_padding_masks.ipynb), and the library's
# `LossSum` keeps the sum of the weights as its count. Three more edges: old code says `size_average=False`
# for `"sum"` and `reduce=False` for `"none"`, and these old arguments **win over** `reduction`. With targets
# that are distributions, weights do not enter the divisor at all. And where every target is ignored the mean
# is 0/0, NaN, as in chapter 4 ([pytorch#116349](https://github.com/pytorch/pytorch/issues/116349)).

# %%
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old = F.nll_loss(proper, kinds, size_average=False, reduction="mean")
print(
    f"old argument {old:.4f}, sum {F.nll_loss(proper, kinds, reduction='sum'):.4f}, warned:",
    bool(caught),
)
as_ids = F.cross_entropy(proper, kinds, weight=weight)
as_shares = F.cross_entropy(proper, F.one_hot(kinds, 3).float(), weight=weight)
print(f"ids / sum of weights {as_ids:.4f}; one-hot / rows {as_shares:.4f}")
assert torch.allclose(as_ids * 6, as_shares * 3)

# %% [markdown]
# So name the divisor before you compare two losses.
#
# ## 5.5 exp(1000)
#
# Is $\mathrm{lse}(z)$ a formula or a program? In float32, exp overflows at 89 and is 0 below −104. Four
# lines for the same three log-probabilities. **Predict** which survive logits of 1000, and which a gap
# of 110 nats. Are overflow and underflow the same danger?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
lines = {
    "exp / sum, log": lambda z: (z.exp() / z.exp().sum()).log(),
    "z - log sum exp": lambda z: z - z.exp().sum().log(),
    "log(softmax)": lambda z: z.softmax(-1).log(),
    "log_softmax": lambda z: z.log_softmax(-1),
}
large, gap = torch.tensor([1000.0, 999, 998]), torch.tensor([0.0, -110, 1])
for name, line in lines.items():
    shown = [[f"{n:.2f}" for n in line(numbers).tolist()] for numbers in (large, gap)]
    print(f"{name:15}", *shown)

# %% [markdown]
# They are two dangers. The first two lines overflow. `softmax` subtracts the maximum, which changes no
# share, so it survives 1000; but a share below 10⁻⁴⁵ *is* 0, and the logarithm afterwards cannot bring it
# back. Only the last line survives both. The third is already broken where its number still looks right,
# and a small number in the logarithm is no cure, but a wall where no gradient is left:

# %% tags=["nbval-ignore-output"]
quiet, first = torch.tensor([0.0, -100.0]), torch.tensor(1)
repairs = {
    "log(softmax)": lambda z: -z.softmax(-1).log()[first],
    "log(softmax + 1e-9)": lambda z: -(z.softmax(-1) + 1e-9).log()[first],
    "cross_entropy": lambda z: F.cross_entropy(z, first),
}
for name, loss in repairs.items():
    print(
        f"{name:20} loss {loss(quiet):7.3f}, gradient", gradient(loss, quiet).round(decimals=4) + 0
    )

# %% [markdown]
# **Your turn.** Write the log-softmax that survives both, without the library's. (`hint("5.1")` helps.)


# %%
def log_softmax(logits):
    """floats [..., V] -> log-probabilities [..., V], finite for any finite logits."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint

check("5.1", log_softmax)

# %% [markdown]
# **Right**: subtract the largest logit of *each row*, exponentiate, sum, and take the logarithm of a number
# that is at least 1. The shares themselves are never computed.


# %%
def by_maximum(z):
    shifted = z - z.amax(-1, keepdim=True)  # [..., V], at most 0
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


print(
    [f"{n:.2f}" for n in by_maximum(large).tolist()], [f"{n:.2f}" for n in by_maximum(gap).tolist()]
)
print("as log_softmax:", torch.allclose(by_maximum(logits), log_probs))
for dtype in (torch.float16, torch.bfloat16):
    print(dtype, torch.tensor([999.0, 14.8325]).to(dtype).tolist())

# %% [markdown]
# Half precision adds a third danger. bfloat16 keeps 8 binary digits, so 999 becomes 1000 and a loss of
# 14.8325 becomes 14.8125: convert logits to float32 *before* the loss. The library's `sequence_loss` does.
#
# ### Law 3 judges all of them
#
# Does anything find these mistakes in code that nobody reads? **Law 3**, the loss ledger, takes any
# loss of logits, targets and mask. Here is ours, and then one mistake of each section.

# %%
from seq2seq_lib import laws


def loss_from(log_softmax):
    def loss(logits, targets, mask):
        nll = -log_softmax(logits).gather(-1, targets[..., None])[..., 0]
        return LossSum(nll.masked_fill(~mask, 0).sum(), mask.sum())

    return loss


assert laws.loss_ledger(sequence_loss) and laws.loss_ledger(loss_from(by_maximum))
suspects = {
    "log_softmax twice": lambda z: z.log_softmax(-1).log_softmax(-1),
    "shares to cross_entropy": lambda z: z.softmax(-1).log_softmax(-1),
    "shares to nll_loss": lambda z: z.softmax(-1),
    "dim 1": lambda z: z.log_softmax(1),
    "log(softmax)": lambda z: z.softmax(-1).log(),
    "log(softmax + 1e-9)": lambda z: (z.softmax(-1) + 1e-9).log(),
    "z - log sum exp": lambda z: z - z.exp().sum(-1, keepdim=True).log(),
}
verdicts = {name: laws.loss_ledger(loss_from(line)) for name, line in suspects.items()}
for name, verdict in verdicts.items():
    print(f"{name:24}", "holds" if verdict else verdict.look_at.partition(":")[0])

# %% [markdown]
# The last one once passed: every logit of the law's old probes was small enough for exp. A law is as good
# as its probes, so now it also moves all logits by 1000. And `F.cross_entropy`, called as a mean, fails
# for another reason:


# %%
def torch_mean(logits, targets, mask):
    return F.cross_entropy(logits[mask], targets[mask])


print(laws.loss_ledger(torch_mean).counterexample)

# %% [markdown]
# So subtract the maximum, stay in logarithms, and convert before the loss.
#
# ## 5.6 Smoothing and temperature
#
# Must the target have all of the votes? **Label smoothing** asks for a mixture q instead: 1 − ε on the
# target, and ε/V on each word. The gradient becomes p − q, by the same derivation. It is 0 where p = q,
# so the loss has a floor, the entropy of q, and *being surer than that costs*.


# %%
def smooth(z):
    return F.cross_entropy(z, y, label_smoothing=0.1)


for sure in (2, 3.829, 10, 100):
    print(f"{sure:7} nats ahead: {smooth(sure * F.one_hot(y, V).float()):.4f}")
q = 0.9 * F.one_hot(y, V) + 0.1 / V
print(f"entropy of q {torch.special.entr(q).sum():.4f}")
print("gradient", gradient(smooth, z).round(decimals=2))

# %% [markdown]
# So a smoothed loss of .39 is perfect here, and its exp is no perplexity. Train with it, report without it.
#
# **Temperature** divides the logits by τ before the softmax. That raises votes to the power 1/τ: τ = .5
# squares them. On our row, the target is second of five. **Predict**: at τ = .6, does its share of .30
# go up or down, while the favourite gains?


# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
def at(tau, z):
    return F.cross_entropy(z / tau, y)


for tau in (0.5, 0.6, 1.0, 2.0):
    p = (z / tau).softmax(-1)
    entropy, slope = torch.special.entr(p).sum(), gradient(lambda z, tau=tau: at(tau, z), z)[y]
    print(f"τ {tau}: share {p[y]:.3f}, entropy {entropy:.3f}", end=", ")
    print(f"loss {at(tau, z):.4f}, gradient {slope:.3f}")

# %% [markdown]
# Up, to .318: when the row is cooled a little, each word gains whose logit is above the mean logit under
# p, which is 1.603 here at τ = 1. At .5 the share has passed its peak. The gradient is $(p_\tau - \text{onehot}) / \tau$: the
# chain rule brings a factor of 1/τ.
#
# **Your turn.** Logits and τ in, shares out. (`hint("5.2")`.)


# %%
def temper(logits, temperature):
    """floats [..., V] -> shares [..., V] at this temperature."""
    raise NotImplementedError  # your line


# %%
check("5.2", temper)

# %%
from seq2seq_lib.filters import apply_temperature

shares = {f"τ = {tau}": (z / tau).softmax(-1).tolist() for tau in (0.6, 1.0, 2.0)}
plots.show(
    figures.shares_by_temperature(given.WORDS, shares, 3),
    "Three bar charts of five shares. At 0.6: .02 .05 .10 .32 .51; at 1: .05 .10 .15 .30 .40; at 2: .11 "
    ".15 .18 .26 .30. The order of the words is the same in all three.",
)
divided = z.softmax(-1) / 0.6
try:
    apply_temperature(log_p, 0.0)
except ValueError as error:
    print(error)
print("dividing shares does nothing:", torch.allclose(divided / divided.sum(), z.softmax(-1)))
even, uneven = torch.tensor([0.5, 0.5]), torch.tensor([0.45, 0.28, 0.27])
for tau in (1.0, 0.6):
    one, two = (0.5 * (step.log() / tau).softmax(-1)[0] for step in (even, uneven))
    print(f"two sentences at τ {tau}: {one:.3f} and {two:.3f}")

# %% [markdown]
# The order in a row never changes, so neither does its argmax, nor greedy search, which is the limit
# that τ = 0 would be. Dividing *shares* has no effect
# at all, as the temperature of gemma.cpp had none until August 2026
# ([gemma.cpp#981](https://github.com/google/gemma.cpp/pull/981)). But the order of *sentences* can turn, as
# the last two lines show: .5 · .5 of one is more than .5 · .45 of another, until the second word of the
# other, which has two rivals and not one, gains more.
#
# τ is the unit of the logits, so it can be **fitted**: choose the τ under which validation data is most
# likely. Our number model is right in more than 99 % of its tokens. Guo et al. 2017 (see the end) found
# large networks over-confident. **Predict**: is its fitted τ above 1 (too sure) or below?

# %% tags=["nbval-ignore-output", "hide-output"] jupyter={"outputs_hidden": true}
model = trained["logits"][0]
(valid, valid_y, _), (test, test_y, _) = (given.forced(model, s) for s in (task.valid, task.test))
taus = [0.3 + 0.05 * i for i in range(21)]
on_valid = [F.cross_entropy(valid / tau, valid_y).item() for tau in taus]
fitted = taus[on_valid.index(min(on_valid))]
plots.show(
    plots.curves(taus, {"validation": on_valid}, xlabel="τ", ylabel="nats a token").figure,
    f"Loss on validation data against τ from {taus[0]:.1f} to {taus[-1]:.1f}, lowest at {fitted:.2f}.",
)
after = F.cross_entropy(test / fitted, test_y)
print(f"fitted τ {fitted:.2f}; test loss {F.cross_entropy(test, test_y):.4f} -> {after:.4f}")

# %% [markdown]
# Below 1: it is too modest. Measured once on five seeds (same script and date): fitted τ .44 to .63 for
# numbers, where one answer is right; but 1.50 to 1.64 for a task with many right answers, trained for 40
# epochs on 400 pairs, whose mean confidence, the share of the favourite, is .69 to .71 at an accuracy of
# .56 to .58. There τ brings the expected calibration error (the mean gap between confidence and accuracy
# over ten bins of confidence, 9,445 tokens) from .12 to .15 down to .04 to .05, and leaves the accuracy
# as it is.
#
# A τ in [*sampling*](ch11_length_and_truth.ipynb) is chosen after training; below 1 it makes the draws
# less random.
# A τ in the *training* loss is another matter, because the model learns its logits for it. Trained on
# `cross_entropy(z / .6)`, the number model has a fitted τ of .33 to .40. Read at 1, its calibration error is
# .076 to .093 and its loss .089 to .113; read at .6 they are .010 to .014 and .014 to .029. Exact match
# hardly moves: .973 to .993. So over-confidence is not a property of networks as such: keep the τ of the
# training, or measure one.

# %% [markdown]
# ## Summary
#
# - NLLLoss picks and negates; log-probabilities must come in. CrossEntropyLoss wants logits.
# - loss = lse(z) − z[y]; gradient = p − onehot, or p − q, over τ, over N.
# - Before training the loss is log V. A perfect answer costs 0, without smoothing. Both are
#   one line to check.
# - The mean divides by the weights of the targets that were kept.
# - Subtract each row's maximum, stay in logarithms, convert to float32 before the loss.
# - Temperature changes shares, entropy, loss and gradient, and no argmax.
#
# | what went in | on the row | what gives it away |
# |---|---|---|
# | logits → cross_entropy | 1.204 | |
# | log_softmax twice | 1.204 | nothing; it is right |
# | shares → cross_entropy | 1.518 | floor log(e + V − 1) − 1 |
# | shares → nll_loss | −.300 | begins at −1/V, never below −1 |
# | logits → nll_loss | −1.792 | no floor |
# | another axis | | the first loss is not log V |
#
# **Law met again**: law 3, now with logits of ±1000 and gaps of 300.
#
# **Common misconception**: "Two log-softmaxes are the bug." Two softmaxes are.
#
# | task | model | trained with | exact match | seconds |
# |---|---|---|---|---|
# | numbers, 2,000 pairs | GRU 48, dot attention, 6 epochs | logits | .977–.993 | 2 |
# | | | shares → cross_entropy | .493–.733 | 2 |

# %% [markdown]
# ## In Transformers and LLMs
#
# - **The shift.** Where `labels` are the input itself, the loss must shift: `logits[:, :-1]` against
#   `labels[:, 1:]`. If the library does so and you do as well, the model learns to skip a word.
# - **-100** on prompt and pads is `ignore_index`, and the divisor is what is left.
# - **Size.** Logits of 8,192 positions and 128,256 words fill 3.9 GiB in float32. So losses read the
#   vocabulary or the tokens in chunks;
#   [`linear_cross_entropy`](https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.linear_cross_entropy.html)
#   takes the output matrix as an argument. Sums and counts of chunks are added, and divided once.
# - **Sampling** divides logits by τ, then filters and draws. Scores of a search are those at τ = 1.

# %%
generator = torch.Generator().manual_seed(0)
ids = torch.randint(11, (2, 7), generator=generator)
labels = ids.clone()
labels[0, :2], labels[1, :4], labels[1, 6:] = -100, -100, -100  # prompts of 2 and 4, a pad
states, matrix = torch.randn(2, 7, 8, generator=generator), torch.randn(11, 8, generator=generator)
said, wanted = (states @ matrix.T)[:, :-1].flatten(0, 1), labels[:, 1:].flatten()  # [12, 11], [12]
print("asked for:", int((wanted != -100).sum()), "of", len(wanted))
total = sum(
    F.cross_entropy(part, want, reduction="sum")
    for part, want in zip(said.split(5), wanted.split(5))
)
print(
    "chunks agree:", torch.allclose(total / (wanted != -100).sum(), F.cross_entropy(said, wanted))
)

# %% [markdown]
# ## Further reading
#
# - Guo, Pleiss, Sun, Weinberger 2017, [On Calibration of Modern Neural
#   Networks](https://arxiv.org/abs/1706.04599): one τ, fitted afterwards.
# - Hinton, Vinyals, Dean 2015, [Distilling the Knowledge in a Neural
#   Network](https://arxiv.org/abs/1503.02531): temperature and soft targets.
# - Szegedy et al. 2015, [Rethinking the Inception
#   Architecture](https://arxiv.org/abs/1512.00567), section 7: label smoothing.
# - Wijmans et al. 2024, [Cut Your Losses in Large-Vocabulary Language
#   Models](https://arxiv.org/abs/2411.09009): a loss that stores no logits.
# - Karpathy 2019, [A Recipe for Training Neural Networks](https://karpathy.github.io/2019/04/25/recipe/):
#   verify the loss at the start.
#
# **Next**: [the exercises](../exercises/ch05_nll_vs_cross_entropy/ch05_nll_vs_cross_entropy.ipynb), then
# [chapter 6](ch06_teacher_forcing.ipynb).

# %% [markdown]
# ## What this chapter asserts
#
# The cell below guards this chapter's numbers against changes of the library.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert abs(right - sequence_loss(logits, targets, mask).mean) < 1e-6 and abs(right - 1.1350) < 1e-4
assert abs(pipelines["softmax -> cross_entropy"](perfect) - floor) < 1e-6
assert all(abs(loss - log_V) < 0.06 for loss in before.values())
assert histories["logits"][-1] < 0.1 and histories["shares"][-1] > floor_14
assert scores["logits"] > 0.95 and scores["shares"] < 0.8 and scores["over tokens"] > 0.95
assert trained["over tokens"][1][-1] > log_V
assert abs(F.nll_loss(x, kinds, **with_weights) + 0.75) < 1e-6
assert abs(ours.mean - whole) < 1e-6 and ours.tokens == 4
slopes = [gradient(loss, quiet) for loss in repairs.values()]
assert not slopes[0].isfinite().all() and slopes[1].abs().max() < 1e-30
assert torch.allclose(slopes[2], torch.tensor([1.0, -1.0]))
assert {name for name, verdict in verdicts.items() if verdict} == {"log_softmax twice"}
cooled = apply_temperature(z.log_softmax(-1), 0.6).exp()
assert torch.allclose(cooled, (z / 0.6).softmax(-1)) and abs(cooled[y] - 0.318) < 1e-3
assert 0.3 < fitted < 0.8 and after < F.cross_entropy(test, test_y)
