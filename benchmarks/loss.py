"""The masked loss against torch's own, and what skipping pads before the projection would save."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.report import Row
from benchmarks.timing import peak_bytes, side_by_side
from seq2seq_lib.laws import loss_ledger
from seq2seq_lib.losses import LossSum, sequence_loss
from seq2seq_lib.masks import sequence_mask

SHARES = (0.0, 0.1, 0.3, 0.6)  # of pads


def rows(device: torch.device, quick: bool) -> list[Row]:
    B, T, V, E = (4, 10, 11, 5) if quick else (64, 20, 6000, 256)
    turns = 1 if quick else 41
    found = []
    for share in SHARES:
        targets, mask = _padded(B, T, V, share, device)
        logits = torch.randn(B, T, V, device=device, requires_grad=True)
        ratio = _against_torch(logits, targets, mask, turns)
        what = "sequence_loss / F.cross_entropy(ignore_index), forward and backward"
        found.append(Row.at_most(f"{what}, {share:.0%} pads", ratio, 1.05))
    law = loss_ledger(skip_pads_first, device=device)
    found.append(Row.equal("law 3 for the loss of the real tokens alone", bool(law), "holds"))
    for share in SHARES[1:]:
        targets, mask = _padded(B, T, V, share, device)
        hidden = torch.randn(B, T, E, device=device, requires_grad=True)
        time, memory = _before_the_projection(hidden, targets, mask, V, turns)
        what = f"projection and loss of real tokens alone / of all, {share:.0%} pads"
        limit = 1 - share + 0.05  # in proportion to the padding
        found.append(Row.at_most(f"{what}: time", time, limit))
        found.append(Row.at_most(f"{what}: peak memory", memory, limit))
    return found


def skip_pads_first(logits: Tensor, targets: Tensor, mask: Tensor) -> LossSum:
    """``sequence_loss`` of the real rows alone: they stand as one sentence without pads."""
    return sequence_loss(logits[mask][None], targets[mask][None], mask[mask][None])


def _padded(B: int, T: int, V: int, share: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Targets and mask ``[B, T]`` with a share of pads; the longest row is full."""
    power = (T - 1) / ((1 - share) * T - 1) - 1  # the mean of u ** power is 1 / (power + 1)
    lengths = (1 + (T - 1) * torch.linspace(0, 1, B) ** power).round().long()  # [B], 1 .. T
    mask = sequence_mask(lengths, T).to(device)
    return torch.randint(V, (B, T)).to(device), mask


def _against_torch(logits: Tensor, targets: Tensor, mask: Tensor, turns: int) -> float:
    ignored = targets.masked_fill(~mask, -100)  # made beforehand, in torch's favour

    def torchs() -> Tensor:
        return torch.autograd.grad(_torch_loss(logits, ignored), logits)[0]

    def ours() -> Tensor:
        return torch.autograd.grad(sequence_loss(logits, targets, mask).total, logits)[0]

    Row.equal("the gradients of both losses", torch.allclose(ours(), torchs(), atol=1e-6))
    times = side_by_side({"ours": ours, "torch": torchs}, logits.device, turns=turns)
    return times.ratio("ours", "torch")


def _before_the_projection(
    hidden: Tensor, targets: Tensor, mask: Tensor, V: int, turns: int
) -> tuple[float, float]:
    """Time and peak memory of the real tokens alone, as shares of those of all cells."""
    device = hidden.device
    output = nn.Linear(hidden.size(-1), V).to(device)
    inputs = [hidden, *output.parameters()]
    ignored = targets.masked_fill(~mask, -100)

    def every_cell() -> tuple[Tensor, ...]:
        return torch.autograd.grad(_torch_loss(output(hidden), ignored), inputs)

    def real_tokens() -> tuple[Tensor, ...]:
        loss = sequence_loss(output(hidden[mask])[None], targets[mask][None], mask[mask][None])
        return torch.autograd.grad(loss.total, inputs)

    for a, b in zip(every_cell(), real_tokens(), strict=True):
        # float32: sums of a thousand terms, in another order
        Row.equal("the gradients with and without pads", torch.allclose(a, b, atol=1e-3))
    times = side_by_side({"all": every_cell, "real": real_tokens}, device, turns=turns)
    memory = peak_bytes(real_tokens, device) / peak_bytes(every_cell, device)
    return times.ratio("real", "all"), memory


def _torch_loss(logits: Tensor, ignored: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), ignored.flatten(), reduction="sum")
