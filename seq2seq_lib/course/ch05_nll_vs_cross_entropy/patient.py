"""The patient of chapter 5's bug clinic: softmax before NLLLoss.

Rewritten from scratch, small. In 2018 the example in PyTorch's own documentation of NLLLoss had no
log-softmax, https://github.com/pytorch/pytorch/issues/12703; softmax in its place is reported in
https://github.com/AnubhavGupta3377/Text-Classification-Models-Pytorch/issues/9.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

VOCAB_SIZE, BOS = 7, 0
SENTENCES = ((3, 4, 6, 1), (5, 1), (3, 4, 2, 5, 1), (6, 1))  # 1 is the end
STEPS, LEARNING_RATE, SHOWN = 800, 2.0, (0, 12, 25, 50, 100, 200, 400, 800)

# What `reproduce_log()` returns, stored so that nobody waits for a training run.
LOG = """\
batch  4 sentences, 13 tokens, 7 ids
model  a table: the logits of the next id for each id before it, all 0 at the start

  step   loss     tokens right   gradient norm
     0   -0.143        0 of 13           0.044
    12   -0.208       10 of 13           0.061
    25   -0.343       10 of 13           0.081
    50   -0.593       10 of 13           0.052
   100   -0.713       10 of 13           0.021
   200   -0.749       10 of 13           0.008
   400   -0.761       10 of 13           0.004
   800   -0.765       10 of 13           0.002
"""


def patient_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Should be the mean of -log p(target). It runs, it falls, and it is wrong.

    Args:
        logits: floats ``[N, V]``.
        targets: int64 ``[N]``.
    """
    scores = F.softmax(logits, dim=-1)  # [N, V]
    return F.nll_loss(scores, targets)


def reproduce_log(loss_function: Callable[..., Tensor] = patient_loss) -> str:
    """Train the table with ``loss_function`` and write the log of it. No randomness is involved."""
    before = torch.tensor([word for s in SENTENCES for word in (BOS, *s[:-1])])  # [N]
    targets = torch.tensor([word for s in SENTENCES for word in s])  # [N]
    table = torch.zeros(VOCAB_SIZE, VOCAB_SIZE, dtype=torch.float64, requires_grad=True)
    lines = LOG.splitlines()[:4]  # what stands above the numbers
    for step in range(STEPS + 1):
        logits = table[before]  # [N, V]
        loss = loss_function(logits, targets)
        (gradient,) = torch.autograd.grad(loss, table)
        if step in SHOWN:
            right = int((logits.argmax(-1) == targets).sum())
            lines.append(
                f"{step:6d}   {loss.item():6.3f}   {right:6d} of {len(targets)}   "
                f"{gradient.norm().item():13.3f}"
            )
        with torch.no_grad():
            table -= LEARNING_RATE * gradient
    return "\n".join(lines) + "\n"


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG
