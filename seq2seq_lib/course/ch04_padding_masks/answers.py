"""Right answers to the exercises of chapter 4, each written in several ways.

The one without a suffix is what ``solution`` shows; ``_spec`` is the slow loop that says what is
right; the others are there so that no check takes one way of writing for the only one.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.masks import sequence_mask


def length_mask_spec(lengths: Tensor, max_len: int) -> Tensor:
    mask = torch.zeros(len(lengths), max_len, dtype=torch.bool)
    for b, length in enumerate(lengths.tolist()):
        for t in range(max_len):
            mask[b, t] = t < length
    return mask


def length_mask(lengths: Tensor, max_len: int) -> Tensor:
    positions = torch.arange(max_len, device=lengths.device)  # [T]
    return positions[None, :] < lengths[:, None]  # [1, T] < [B, 1] -> [B, T]


def length_mask_by_cumsum(lengths: Tensor, max_len: int) -> Tensor:
    counts = torch.ones(len(lengths), max_len, dtype=torch.int64).cumsum(1)  # 1, 2, ... T
    return counts.le(lengths.unsqueeze(-1))


def length_mask_by_table(lengths: Tensor, max_len: int) -> Tensor:
    triangle = torch.ones(max_len + 1, max_len).tril(-1).bool()  # row n has n ones
    return triangle[lengths]


def masked_nll_spec(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    losses = []
    for b, length in enumerate(lengths.tolist()):
        for t in range(length):
            losses.append(-log_probs[b, t, targets[b, t]])
    return torch.stack(losses).mean()


def masked_nll(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]  # [B, T]
    return (nll * mask).sum() / mask.sum()


def masked_nll_by_select(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    return F.nll_loss(log_probs[mask], targets[mask])  # [N, V], [N] -> []


def masked_nll_after_gather(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll = -log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)  # [B, T]
    return nll.masked_select(sequence_mask(lengths, nll.size(1))).mean()


def masked_nll_row_by_row(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total = torch.zeros(())
    for row, ids, length in zip(log_probs, targets, lengths.tolist(), strict=True):
        total = total - row[range(length), ids[:length]].sum()
    return total / lengths.sum()


def masked_nll_by_ignoring(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    # cross_entropy takes log_softmax once more, which changes nothing: it is idempotent
    ignored = targets.masked_fill(~sequence_mask(lengths, targets.size(1)), -100)
    return F.cross_entropy(log_probs.flatten(0, 1), ignored.flatten())


def fixed_loss(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t  # [B]
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1]).squeeze(1)  # [B], as the mask
        total = total + nll[mask].sum()
        tokens += int(mask.sum())
    return total / tokens


def logits_spec(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll_spec(logits.log_softmax(-1), targets, lengths)


def masked_nll_by_ignore_index(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    ignored = targets.masked_fill(~mask, -100)  # [B, T], a copy; no class has the id -100
    return F.cross_entropy(logits.transpose(1, 2), ignored, ignore_index=-100)  # [B, V, T]


def flat_cross_entropy(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    ids = torch.where(sequence_mask(lengths, targets.size(1)), targets, logits.size(-1))
    return F.cross_entropy(logits.flatten(0, 1), ids.flatten(), ignore_index=logits.size(-1))


def softmax_by_hand(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll_after_gather(logits - logits.logsumexp(-1, keepdim=True), targets, lengths)


def test_patient(loss_function: Any) -> None:
    nll = torch.tensor([[1.0, 50.0, 70.0], [2.0, 6.0, 90.0]])  # [B, T]; column 2: pads alone
    lengths = torch.tensor([1, 2])  # real: 1; 2, 6
    log_probs = torch.stack([-nll, torch.full_like(nll, -5.0)], -1)  # [B, T, V = 2]
    targets = torch.zeros(2, 3, dtype=torch.int64)
    found = loss_function(log_probs, targets, lengths)
    torch.testing.assert_close(found, torch.tensor((1.0 + 2.0 + 6.0) / 3))


def test_patient_twice(loss_function: Any) -> None:
    generator = torch.Generator().manual_seed(0)
    for lengths in ([4, 1, 2], [2, 5]):
        lengths = torch.tensor(lengths)
        log_probs = torch.randn(len(lengths), 5, 7, generator=generator).log_softmax(-1)
        targets = torch.randint(7, (len(lengths), 5), generator=generator)
        rows = zip(log_probs, targets, lengths, strict=True)
        nll = [-row[t, ids[t]] for row, ids, length in rows for t in range(length)]
        assert abs(loss_function(log_probs, targets, lengths) - sum(nll) / len(nll)) < 1e-4


def gradient_shares(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    log_probs = log_probs.detach().requires_grad_()  # [B, T, V]
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0] * mask  # [B, T]
    losses = {
        "token": nll.sum() / mask.sum(),
        "sentence": (nll.sum(1) / lengths).mean(),
        "sum": nll.sum(),
    }
    shares = {}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, log_probs, retain_graph=True)
        by_sentence = gradient.abs().sum((1, 2))  # [B]
        shares[name] = (by_sentence[lengths.argmax()] / by_sentence.sum()).item()
    return shares


def shares_by_arithmetic(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    share = (lengths.max() / lengths.sum()).item()
    return {"token": share, "sentence": 1 / len(lengths), "sum": share}
