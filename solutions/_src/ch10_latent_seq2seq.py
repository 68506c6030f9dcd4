# %% [markdown]
# # Exercises 10: A sentence from a point
#
# **You need** [chapter 10](../../chapters/ch10_latent_seq2seq.ipynb).
#
# Replace the two lines `# YOUR CODE HERE` and `raise NotImplementedError()` by your code, and run the
# cell below it, which checks. An open exercise blocks nothing.

# %% nbgrader={"grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
import torch
from torch import Tensor  # stands in what `solution` shows

from seq2seq_lib.course import check, hint, solution

torch.set_num_threads(1)

# %% [markdown]
# ## 10.1 The mean of a padded row
#
# *Implement* · difficulty 2 of 5 · importance 4 of 5 · spend up to 8 minutes · 2 points
#
# Row b of `values` has `lengths[b]` real cells, then padding, which may hold anything. Give back the
# mean of each row's real cells.


# %% nbgrader={"grade": false, "grade_id": "row_means", "locked": false, "schema_version": 3, "solution": true, "task": false}
def row_means(values, lengths):
    """Floats [B, T] and int64 [B], at least 1 -> floats [B]."""
    ### BEGIN SOLUTION
    mask = torch.arange(values.size(1)) < lengths[:, None]  # [B, T]
    return values.masked_fill(~mask, 0.0).sum(dim=1) / lengths  # [B]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "check-10-1", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from seq2seq_lib.course import grade as check  # whatever the name was made to mean

### END HIDDEN TESTS
check("10.1", row_means)

# %%
# Stuck? Remove the "# " of one line and run this cell.
# hint("10.1")
# hint("10.1", 2)
# hint("10.1", 3)
# solution("10.1")

# %% [markdown]
# **Continue from here.** Later exercises use `row_means`. This cell takes the course's, so nobody is
# blocked by this one.

# %% nbgrader={"grade": false, "grade_id": "continue-10-1", "locked": true, "schema_version": 3, "solution": false, "task": false}
from seq2seq_lib.course.ch10_latent_seq2seq import row_means
