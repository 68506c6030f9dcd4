"""The patient of chapter 12's bug clinic: a loss that takes ``**kwargs``, and drops what it needs.

Rewritten from scratch, small. https://github.com/huggingface/transformers/issues/47688 reports
heads whose forward takes ``**kwargs``, so that the trainer leaves the division to them, and which
then compute a mean of their own. The micro-batches' means are added up.
"""

import inspect
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

MicroBatches = Sequence[tuple[Tensor, Tensor]]  # logits [n, V], labels [n], where -100 is no label
SIZES = (1, 2, 4, 8)

# What `reproduce_log()` returned on 28 November 2026. Another processor may change the last digits.
LOG = """\
task   8 fixed sentences of 2 to 12 labels, always in this order; one linear layer; no dropout
       Adam with a learning rate of 0.05; each run begins with the same weights

  micro-batches     loss, step 1     gradient norm, step 1     validation loss, step 40
              1             2.85                      0.67                          1.20
              2             5.70                      1.33                          1.21
              4            11.38                      2.67                          1.20
              8            22.22                      5.32                          1.22
"""


def head_loss(logits: Tensor, labels: Tensor, **kwargs: object) -> Tensor:
    """The loss of a model's head, which takes whatever the trainer knows about the batch."""
    return F.cross_entropy(logits, labels)  # labels of -100 are left out


def patient_loss(micro_batches: MicroBatches) -> Tensor:
    """Should be the loss a label of all micro-batches, as if they were one batch."""
    count = sum((labels != -100).sum() for _, labels in micro_batches)
    parameters = inspect.signature(head_loss).parameters.values()
    head_divides = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    total = torch.zeros(())
    for logits, labels in micro_batches:
        if head_divides:  # it is told by how many
            loss = head_loss(logits, labels, num_items_in_batch=count)
        else:
            loss = head_loss(logits, labels) / len(micro_batches)
        total = total + loss  # what backward adds up
    return total


def sentences() -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """Eight sentences (inputs ``[n, 6]``, labels ``[n]``) and the weights ``[6, 13]`` at first."""
    generator = torch.Generator().manual_seed(12)
    weights = torch.randn(6, 13, generator=generator)
    drawn = []
    for length in (12, 3, 9, 2, 6, 11, 4, 7):
        inputs = torch.randn(length, 6, generator=generator)
        drawn.append((inputs, (inputs @ weights).argmax(-1)))
    return drawn, torch.randn(6, 13, generator=generator) / 4


def training(window_loss: Callable, pieces: int) -> tuple[float, float, float]:
    """Loss and gradient norm of the first step, and the validation loss after 40.

    Args:
        window_loss: the loss of a list of micro-batches.
        pieces: so many micro-batches are made of the 8 sentences.
    """
    data, first = sentences()
    weight = first.clone().requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=0.05)
    size = len(data) // pieces
    windows = [data[start : start + size] for start in range(0, len(data), size)]
    losses, norms = [], []
    for _ in range(40):
        parts = [(torch.cat([x for x, _ in w]), torch.cat([y for _, y in w])) for w in windows]
        loss = window_loss([(inputs @ weight, labels) for inputs, labels in parts])
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        norms.append(weight.grad.norm().item())
        optimizer.step()
    generator = torch.Generator().manual_seed(13)
    inputs = torch.randn(200, 6, generator=generator)
    truth = torch.randn(6, 13, generator=torch.Generator().manual_seed(12))
    with torch.no_grad():
        valid = F.cross_entropy(inputs @ weight, (inputs @ truth).argmax(-1))
    return losses[0], norms[0], valid.item()


def reproduce_log() -> str:
    """Train with the patient, cut in four ways, and say what happened."""
    lines = LOG.splitlines()[:4]
    for pieces in SIZES:
        loss, norm, valid = training(patient_loss, pieces)
        lines.append(f"{pieces:15d}   {loss:14.2f}   {norm:23.2f}   {valid:27.2f}")
    return "\n".join(lines) + "\n"


def training_log() -> str:
    """The log that the bug really produces."""
    return LOG
