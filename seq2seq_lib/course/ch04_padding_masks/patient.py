"""The patient of chapter 4's bug clinic: the masked loss of PyTorch's chatbot tutorial in 2018.

Rewritten from scratch, small. A reader asked about the shapes in
https://github.com/pytorch/tutorials/pull/306; https://github.com/pytorch/tutorials/pull/382
repaired it.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

PAD, BOS, EOS = 0, 1, 2
VOCAB_SIZE = 7
SENTENCES = ((3, 4, EOS), (EOS,), (3, 6, 4, 5, EOS), (6, EOS))
STEPS, LEARNING_RATE, SHOWN = 400, 2.0, (0, 25, 50, 100, 200, 400)

# What `reproduce_log()` returns, stored so that nobody waits for a training run.
LOG = """\
batch  4 sentences, lengths [3, 1, 5, 2]:
       11 real tokens, 20 cells, 7 ids
model  a table: the logits of the next id for each
       id before it, all 0 at the start

A  the loss                B  P(id 0), mean of 9 cells
C  real tokens right       D  norm of the gradient

  step  A      B      C        D
     0  1.946  0.143  0 of 11  0.346
    25  0.783  0.933  6 of 11  0.058
    50  0.690  0.968  6 of 11  0.032
   100  0.639  0.985  6 of 11  0.016
   200  0.614  0.993  6 of 11  0.008
   400  0.603  0.996  6 of 11  0.004
"""


def patient_loss(log_probs: Tensor, targets: Tensor, lengths: Tensor):
    """Should be the mean of −log p over the real tokens.

    It runs, it falls, and it is wrong.

    Args:
        log_probs: floats ``[B, T, V]``.
        targets: int64 ``[B, T]``.
        lengths: int64 ``[B]``.
    """
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t  # True: sentence b still has a token
        if not mask.any():
            continue
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1])
        step_loss = nll.masked_select(mask).mean()
        total = total + step_loss * mask.sum()
        tokens += int(mask.sum())
    return total / tokens


def reproduce_log(loss_function: Callable[..., Tensor] = patient_loss) -> str:
    """Train the table with ``loss_function`` and write the log of it. No randomness is involved."""
    lengths = torch.tensor([len(sentence) for sentence in SENTENCES])  # [B]
    T = int(lengths.max())
    targets = torch.tensor([[*s, *[PAD] * (T - len(s))] for s in SENTENCES])  # [B, T]
    mask = targets != PAD  # right here: no real token has the id of PAD
    before = F.pad(targets[:, :-1], (1, 0), value=BOS).masked_fill(~mask, PAD)  # [B, T]
    table = torch.zeros(VOCAB_SIZE, VOCAB_SIZE, dtype=torch.float64, requires_grad=True)
    lines = LOG.partition("     0  ")[0].splitlines()  # what stands above the numbers
    for step in range(STEPS + 1):
        log_probs = table[before].log_softmax(-1)  # [B, T, V]
        loss = loss_function(log_probs, targets, lengths)
        (gradient,) = torch.autograd.grad(loss, table)
        if step in SHOWN:
            now = log_probs.detach()
            right = int(((now.argmax(-1) == targets) & mask).sum())
            at_pads = now[..., PAD].exp()[~mask].mean().item()
            lines.append(
                f"{step:6d}  {loss.item():.3f}  {at_pads:.3f}  "
                f"{right} of {int(mask.sum())}  {gradient.norm().item():.3f}"
            )
        with torch.no_grad():
            table -= LEARNING_RATE * gradient
    return "\n".join(lines) + "\n"


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG
