# %% [markdown]
# # 10. A sentence from a point
#
# **Draft**: a skeleton that runs. Its example, the mean of padded rows, stands where yours will;
# `docs/authoring.md` says what each part is for.
#
# Rows of a batch have different lengths, so short ones are filled up with padding. The figure shows
# what that does to an average when more and more padding is added. Why does one line fall, and the
# other not?

# %%
import torch

from seq2seq_lib import plots
from seq2seq_lib.masks import masked_mean, sequence_mask

pads = list(range(9))
rows = [torch.tensor([[4.0, 2.0] + [0.0] * n]) for n in pads]  # [1, 2 + n]
real = [sequence_mask(torch.tensor([2]), row.size(1)) for row in rows]  # [1, 2 + n]
means = {
    "over all cells": [row.mean().item() for row in rows],
    "over real cells": [masked_mean(row, mask).item() for row, mask in zip(rows, real)],
}
ax = plots.curves(
    pads, means, xlabel="columns of padding", ylabel="mean", title="Two means of one row"
)
plots.show(
    ax.figure,
    "The mean of a row with two values against 0 to 8 columns of padding. Over all cells it falls "
    "from 3 to 0.6, over the real cells it stays at 3.",
)

# %% [markdown]
# **After this chapter you can** say what the reader will be able to do, in verbs.
#
# **You need** [chapter 0](ch00_start_here.ipynb). **Time**: 5 minutes.
#
# | symbol | meaning |
# |---|---|
# | B | rows in the batch |
# | T | columns, padding included |
# | n[b] | real cells of row b |

# %% [markdown]
# ## 10.1 One batch
#
# An opening paragraph says what the question is, and why it comes now. Then comes one worked
# example, on a batch that the whole chapter keeps: two rows, of which the second is shorter.

# %%
values = torch.tensor([[4.0, 2.0, 3.0], [5.0, 1.0, 0.0]])  # [B, T]
lengths = torch.tensor([3, 2])  # [B]
mask = sequence_mask(lengths, values.size(1))  # [B, T]
print(mask)

# %% [markdown]
# The mean of a row is
#
# $$m_b = \frac{1}{n_b} \sum_{t} \text{mask}_{b,t}\; v_{b,t}$$
#
# **Predict** the two means. The zero at the end of row 1 adds nothing to the sum, so does it matter
# that it is there?

# %% tags=["hide-output"] jupyter={"outputs_hidden": true}
print("means of the two rows, over all cells and over real cells:")
print(values.mean(dim=1).tolist(), masked_mean(values, mask, dim=1).tolist())

# %% [markdown]
# So padding that adds nothing to a sum still counts in what it is divided by.
#
# ## Summary
#
# - One sentence for each thing to keep.
#
# **Law**: name the law that this chapter shows, and what it says here.
#
# **Common misconception**: "A zero changes nothing."
#
# **Exercises**: [their own notebook](../exercises/ch10_latent_seq2seq/ch10_latent_seq2seq.ipynb).

# %% [markdown]
# ## In Transformers and LLMs
#
# - Six to ten lines: where the reader meets this chapter's idea today, and under which name.

# %%
hidden = torch.stack([values, 2 * values], dim=-1)  # [B, T, H]: what an encoder returns
print(masked_mean(hidden, mask, dim=1).tolist())  # mean pooling: one vector a sentence

# %% [markdown]
# ## Further reading
#
# - Five papers or pages, with a line each that says what is found there.

# %% [markdown]
# ## What this chapter asserts
#
# The cell below guards the numbers of this chapter against a change of the library. It has nothing
# new for a reader.

# %% tags=["hide-input"] jupyter={"source_hidden": true}
assert means["over real cells"] == [3.0] * 9
assert means["over all cells"][-1] < 0.7
