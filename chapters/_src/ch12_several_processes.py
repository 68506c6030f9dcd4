# %% [markdown]
# # 12. Several processes
#
# A batch is too large, so you cut it: into micro-batches, one after the other, or into
# shares for several processes. Is it still the same step? A **short chapter** about one number.
#
# The batch below was cut in two, each share with a mean loss. How do two means become one?

# %%
from seq2seq_lib import plots
from seq2seq_lib.course.ch12_several_processes import figures

plots.show(
    figures.shares([30, 3]),
    "Two rows of cells, a cell a token: share 1 has 30 tokens, share 2 has 3.",
)

# %% [markdown]
# **After this chapter you can** cut a batch without changing the step, and find a trainer that divides by
# the wrong number.
#
# **You need** masks and the loss from [chapter 4](ch04_padding_masks.ipynb), and
# [chapter 9](ch09_real_translation.ipynb). **Time**: 15 minutes.
#
# | symbol | meaning | symbol | meaning |
# |---|---|---|---|
# | R | shares: micro-batches or processes | $n_r$ | tokens of share r |
# | $L_r$ | their losses, added up | N | tokens of all shares |

# %% [markdown]
# ## 12.1 One token, one weight
#
# What must a cut leave as it is? The loss is a mean over tokens, so in one batch all weigh the same. A share
# knows its own tokens only, and the obvious way is to [average the means](ch04_padding_masks.ipynb).
#
# **Predict** how much a token of the short share weighs then, compared with one of the long share. There
# are two shares, and each has one vote.

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
plots.show(*figures.weighed([30, 3]))

# %% [markdown]
# Ten times as much: a vote is shared by 3 tokens here, by 30 there. With a pencil:
#
# 1. Wanted is $\sum_r L_r / N$, where each token weighs $1/N$.
# 2. Share r has the mean $L_r / n_r$. In the average of R means its tokens weigh $1/(R\,n_r)$.
# 3. So tokens of shares a and b weigh as $n_b$ to $n_a$. The sum of means keeps that ratio.
# 4. $L_r$ is $n_r$ times the mean, so weigh the means by $n_r/N$; or add up the sums and divide once.
#
# A tiny model in float64 checks it. On the batch its loss is 2.5351. **Predict** the average of the shares'
# means. The losses are the same, so is it 2.54, too?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
import torch

from seq2seq_lib.batching import collate
from seq2seq_lib.course.ch12_several_processes import LONG, SHORT, tiny_model
from seq2seq_lib.training import teacher_forced_loss, train_step

model, loss_of = tiny_model(seed=0), teacher_forced_loss()
whole, shares = collate([LONG, SHORT]), [collate([LONG]), collate([SHORT])]
loss = loss_of(model, whole, 0)  # LossSum: the summed loss, and the number of tokens
long, short = (loss_of(model, share, 0) for share in shares)
assert torch.isclose(loss.mean, (30 * long.mean + 3 * short.mean) / 33)
print(f"one batch {loss.mean:.4f}, of {int(loss.tokens)} tokens")
print(f"two means {long.mean:.4f}, {short.mean:.4f}; averaged {(long.mean + short.mean) / 2:.4f}")

# %% [markdown]
# The average is 3 % off; the assert is step 4. A share can be empty, too: a micro-batch
# of prompts, all labels −100. **Predict** what `F.cross_entropy` gives for it, as a mean and as a sum. There
# is nothing to lose, so 0 twice?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
import torch.nn.functional as F

logits, labels = torch.zeros(4, 13), torch.full((4,), -100)
for how in ("mean", "sum"):
    print(f"{how:5}", F.cross_entropy(logits, labels, reduction=how).item())

# %% [markdown]
# A mean of nothing is 0/0. **Your turn**: combine means, some of them NaN, as their share is empty.
# (`hint("12.1")` helps.)


# %%
def combine(means, tokens):
    """Floats [R] and int64 [R] -> the loss a token of all shares, a float []."""
    raise NotImplementedError  # your lines


# %%
from seq2seq_lib.course import check, hint

check("12.1", combine)

# %% [markdown]
# **Right**: weights $n_r/N$, and 0 for an empty share.


# %%
def combined(means, tokens):
    return torch.where(tokens > 0, means * tokens, 0.0).sum() / tokens.sum()  # [R] -> []


print(combined(torch.tensor([2.5203, 2.6834, torch.nan]), torch.tensor([30, 3, 0])))

# %% [markdown]
# So a share hands on its sum and its count, never its mean alone.

# %% [markdown]
# ## 12.2 Accumulate
#
# And in a training loop? **Gradient accumulation** saves memory: the gradients of small
# batches add up in `.grad`, and one update follows. The naive loop divides each mean by the number of
# micro-batches. Our `train_step` adds up gradients of *sums* and divides once.

# %%
parameters = list(model.parameters())
still = torch.optim.SGD(parameters, lr=0.0)  # look at the gradient, change nothing


def naive(shares):
    loss = sum(loss_of(model, share, 0).mean for share in shares) / len(shares)
    return loss.detach(), torch.autograd.grad(loss, parameters)


def ours(shares):
    loss = train_step(model, shares, still, loss_function=loss_of, clip_norm=None)
    return loss.mean, [p.grad for p in parameters]


def flat(gradients):
    return torch.cat([g.flatten() for g in gradients])


right = flat(ours([whole])[1])
for update in (naive, ours):
    found = flat(update(shares)[1])
    exact = torch.allclose(found, right, rtol=0, atol=1e-12)
    cosine = F.cosine_similarity(found, right, dim=0)
    print(f"{update.__name__:5} norm {found.norm():.2f}, cosine {cosine:.2f}, exact: {exact}")

# %% [markdown]
# The naive gradient is 41 % too short *and* turned. Adam would hide a constant factor, but $n_a/n_b$ is another
# number in each batch. **Law 7** tries several cuts, and an empty share ("off by" is relative):

# %%
from seq2seq_lib import laws

verdicts = [laws.shard_invariance(update) for update in (ours, naive)]
for verdict in verdicts:
    print(*str(verdict).split("; what is divided")[0].splitlines(), sep="\n")
assert verdicts[0] and not verdicts[1]

# %% [markdown]
# So accumulating is the same step, to rounding, if what accumulates is a sum.

# %% [markdown]
# ## 12.3 Two processes
#
# And if the shares are in different processes? In **data parallel** training each process, or *rank*, holds
# the whole model and computes some sentences; their gradients are combined for one update. PyTorch's
# [DistributedDataParallel](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html)
# (DDP) *averages* them over the ranks.
#
# `torchrun` starts a program once a rank. In ours,
# [`two_processes.py`](../seq2seq_lib/course/ch12_several_processes/two_processes.py), rank 0 has the long
# sentence and rank 1 the short one. A rank may call `backward` on its own mean $L_r/n_r$, on $L_r/N$, or on
# $R\,L_r/N$. **Predict** what the second one gives, where N is of both ranks. (Two processes take some ten
# seconds, on a busy machine a minute.)

# %% tags=["hide-output", "nbval-ignore-output"] jupyter={"outputs_hidden": true}
from seq2seq_lib.course.ch12_several_processes import two_processes

rows = two_processes.run()
for name, (error, norm, due) in rows.items():
    print(f"{name:15} largest error {error:.3f}, norm {norm / due:.2f} of one batch's")

# %% [markdown]
# Half the gradient, because DDP divides by R = 2 once more. `train_step` sums gradients and counts over the
# ranks, then divides, and needs no R. So two processes make the same step, if R undoes what DDP does.

# %% [markdown]
# ## 12.4 What to use when
#
# Which of these do you need? Go down the table only as far as you must.
#
# | too small is | what helps | in PyTorch |
# |---|---|---|
# | memory, for the batch | accumulate | `TrainConfig(accumulate=4)` |
# | time | data parallel | `torchrun` with our `fit`, or DDP |
# | memory, for the model | each rank keeps a part, gathered for a pass | [`fully_shard`](https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html) (FSDP2) |
# | all of these | cut matrices, deal out layers | tensor, pipeline parallel |
#
# The first three combine gradients of different tokens. So tokens are counted over everything before
# anything is divided.

# %% [markdown]
# ## Summary
#
# - In an average of means a token weighs $1/(R\,n_r)$: 30 and 3 tokens differ tenfold.
# - The right weights are $n_r/N$; or add up sums and divide once. An empty share adds 0, not NaN.
# - `all_reduce` sums, DDP averages: under DDP a rank hands in $R\,L_r/N$.
#
# **Law established**: law 7, shard invariance. It needs no second process, but dropout off.
#
# **Common misconception**: "The loss looks right, so the step is."

# %% [markdown]
# ## In Transformers and LLMs
#
# - `Trainer` averaged means until October 2024
#   ([#34191](https://github.com/huggingface/transformers/pull/34191)). Since then it hands the model
#   `num_items_in_batch`, our N.
# - Across devices, N came with
#   [`average_tokens_across_devices`](https://github.com/huggingface/transformers/pull/34373).
# - Until 2026 N counted a label that the shift drops
#   ([#46204](https://github.com/huggingface/transformers/pull/46204)).
# - Also reported: [Lightning](https://github.com/Lightning-AI/pytorch-lightning/pull/21386),
#   [mlx-lm](https://github.com/ml-explore/mlx-lm/pull/1544).
# - A prompt is masked by −100, so $n_r$ differs even in rows of one length.
#
# Three micro-batches: 30 places with a prompt of 10, then 3, then 11.

# %%
torch.manual_seed(0)
micro = [(torch.randn(n, 13), torch.randint(13, (n,))) for n in (30, 3, 11)]
micro[0][1][:10] = -100  # the prompt
means = torch.stack([F.cross_entropy(*pair) for pair in micro])
tokens = torch.stack([(labels != -100).sum() for _, labels in micro])
print("tokens", tokens.tolist())
print(f"sum of means {means.sum():.3f}, average {means.mean():.3f}, ", end="")
print(f"right {combined(means, tokens):.3f}")
logits, labels = (torch.cat(parts) for parts in zip(*micro))
print(f"in one batch {F.cross_entropy(logits, labels):.3f}")

# %% [markdown]
# ## Further reading
#
# - [DistributedDataParallel](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html):
#   what is averaged, and when.
# - [`fully_shard`](https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html): the same of FSDP2.
# - [transformers#34242](https://github.com/huggingface/transformers/issues/34242): N for ranks, written out.
# - [torchtune#1917](https://github.com/meta-pytorch/torchtune/pull/1917): accumulation and DDP as one sum.
# - [transformers#47688](https://github.com/huggingface/transformers/issues/47688): the clinic's case.
#
# **Next**: [the exercises](../exercises/ch12_several_processes/ch12_several_processes.ipynb), then
# [your own model](../docs/laws.md).

# %% [markdown]
# ## What this chapter asserts
#
# The cell guards this chapter's numbers.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert f"{loss.mean:.4f}" == "2.5351" and f"{(long.mean + short.mean) / 2:.4f}" == "2.6019"
assert [w[1] / w[0] for w in figures.weights([30, 3]).values()] == [10, 10, 1]
assert len(verdicts[0].checks) == 12 and not verdicts[1].holds
for seed in range(3):  # the sentences above hold for other weights, too
    model = tiny_model(seed)
    parameters = list(model.parameters())
    still = torch.optim.SGD(parameters, lr=0.0)
    right, (off, wrong) = ours([whole]), naive(shares)
    one, two = flat(right[1]), flat(wrong)
    assert (one - flat(ours(shares)[1])).abs().max() < 1e-12
    assert 0.005 < abs(off / right[0] - 1) < 0.08
    assert 0.5 < two.norm() / one.norm() < 0.65
    assert 0.88 < F.cosine_similarity(one, two, dim=0) < 0.95
half, whole_step, own = (rows[name] for name in ("DDP, L_r / N", "DDP, R L_r / N", "train_step"))
assert abs(half[1] / half[2] - 0.5) < 1e-3 and rows["DDP, L_r / n_r"][0] > 0.3
assert whole_step[0] < 1e-12 and own[0] < 1e-12
