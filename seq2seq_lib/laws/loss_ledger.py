"""Law 3, the loss ledger: the loss is the summed NLL of the real tokens, over their number.

Masked losses are where published code is wrong most often, and no training curve shows it. So the
number is compared with four ways of writing it down, and pads are changed to see who notices.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.laws import probes
from seq2seq_lib.laws.loss_suspects import name_suspect
from seq2seq_lib.laws.verdict import Trial, Verdict, default_tolerance, ids
from seq2seq_lib.masks import sequence_mask

LAW = "Law 3, the loss ledger"
# B, T, V: all different; B = T, where a transposed mask has the right shape; V = B * T, where a
# flat mask can be laid over the wrong axis
SHAPES = ((5, 6, 7), (4, 4, 6), (2, 3, 6))
# one token a sentence, one sentence, one token: an axis of size 1 vanishes in squeeze() and is
# stretched by broadcasting, and neither raises
EDGES = ((3, 1, 5), (1, 4, 5), (1, 1, 4))
HUGE = 1e4  # logits at pads
GAP = 300.0  # nats between two logits: exp(-300) is 0 in float32, log of that is -inf
FAR = 1000.0  # nats from 0: exp(1000) is inf and exp(-1000) is 0, in float64 as well

PADS = (
    "the pads: something at a position where the mask is False reached the loss. Is the mask "
    "applied before the reduction, to a loss of its own shape [B, T]?"
)
COLUMNS = (
    "what the sum is divided by: the number of real tokens, not B * T, which counts PAD columns"
)
EDGE = (
    "axes of size 1, since other batches come out right: squeeze() without an axis drops them all, "
    "and [B] against [B, 1] is broadcast to [B, B]"
)
GRADIENT = (
    "the gradient: (softmax(logits) - onehot(target)) / tokens at real positions, 0 elsewhere"
)
STABLE = "log(softmax(z)), which is log(0) for a large gap: use log_softmax or cross_entropy"
SHIFT = "exp of a large logit, which is inf: subtract each row's largest logit before exp"
EPOCH = (
    "how batches are added up: the mean of batch means weighs a token in a short batch more; add "
    "the sums and the counts, and divide once"
)
NOTHING = "the division by 0 tokens: return 0 (or a sum and a count, both 0), or raise a ValueError"
COUNT = "the count: the tokens where the mask is True, EOS among them"
INPUTS = "a write into an argument: masked_fill, not masked_fill_; no index assignment"

Loss = Callable[[Tensor, Tensor, Tensor], Any]
Example = tuple[Tensor, Tensor, Tensor]  # logits [B, T, V], targets [B, T], mask [B, T]


def loss_ledger(
    loss: Loss,
    *,
    epoch: Callable[[list[Example]], Any] | None = None,
    gradients: bool = True,
    dtype: torch.dtype = torch.float32,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Verdict:
    """Compare a masked loss with what it should be, and see what moves it.

    Args:
        loss: ``(logits [B, T, V], targets int64 [B, T], mask bool [B, T]) -> loss``. The mask is
            True at real tokens; lengths are ``mask.sum(1)``. It returns ``LossSum``, or
            ``(total, tokens)``, or a mean over tokens. Give ``lambda z, y, m: mine(z, y)`` if it
            finds pads by their id: targets are 0 there, and nowhere else.
        epoch: ``([(logits, targets, mask), ...]) -> number``: the loss of an epoch from its
            batches. When left out and ``loss`` returns sums, these are added up.
        gradients: also compare the gradient with respect to the logits.
        dtype: of the logits.
        tolerance: relative to ``max(1, largest number)``; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes.
    """
    trial = Trial(LAW)
    tolerance = default_tolerance(dtype) if tolerance is None else tolerance
    with probes.undisturbed(loss, epoch, seed=seed):
        try:
            examples = [_example(shape, seed + i, dtype, device) for i, shape in enumerate(SHAPES)]
            for example in examples:
                _value(trial, loss, example, tolerance)
                _pads(trial, loss, example, tolerance, gradients)
                if gradients:
                    _gradient(trial, loss, example, tolerance)
            _stable(trial, loss, dtype, device, tolerance)
            _epoch(trial, loss, epoch, dtype, device, seed, tolerance)
            _all_pads(trial, loss, examples[0], gradients)
            for i, shape in enumerate(EDGES):
                _edge(trial, loss, _example(shape, seed + 20 + i, dtype, device), tolerance)
        except Exception as error:
            trial.crashed(error, "while running it on the probes")
    return trial.verdict()


def four_ways(logits: Tensor, targets: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The mean NLL of the real tokens, written down in four ways that must agree."""
    log_probs = logits.log_softmax(-1)  # [B, T, V]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]  # [B, T]
    ignored = targets.masked_fill(~mask, -100)
    tokens = [(b, t) for b, t in mask.nonzero().tolist()]
    return {
        "mask x NLL": (nll * mask).sum() / mask.sum(),
        "masked_select": nll.masked_select(mask).mean(),
        "ignore_index": F.cross_entropy(logits.flatten(0, 1), ignored.flatten(), ignore_index=-100),
        "NLL of log-softmax, token by token": sum(
            -log_probs[b, t, targets[b, t]] for b, t in tokens
        )
        / len(tokens),
    }


def _example(shape: tuple[int, int, int], seed: int, dtype: torch.dtype, device: Any) -> Example:
    B, T, V = shape
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, T + 1, (B,), generator=generator)
    for row, length in enumerate((1, T, min(2, T))[: B if B > 1 else 0]):
        lengths[row] = length
    mask = sequence_mask(lengths, T)
    logits = torch.randn(B, T, V, generator=generator, dtype=torch.float64) * 2
    targets = torch.randint(1, V, (B, T), generator=generator).masked_fill(~mask, 0)
    return logits.to(device, dtype), targets.to(device), mask.to(device)


def _call(loss: Loss, example: Example) -> tuple[Tensor, int]:
    """Mean over tokens, with its graph, and the tokens counted; inputs are copies."""
    total, tokens = probes.total_and_tokens(
        loss(*(t.clone() for t in example)), max(1, int(example[2].sum()))
    )
    if total.dim():
        raise ValueError(f"the loss must be one number, but its shape is {list(total.shape)}")
    return total / max(1, tokens), tokens


def _value(trial: Trial, loss: Loss, example: Example, tolerance: float) -> None:
    value, tokens = _call(loss, example)
    fed = _describe(example)
    for way, expected in four_ways(*example).items():
        trial.equal(
            f"= {way}",
            value,
            expected,
            tolerance,
            fed=fed,
            look_at=lambda: name_suspect(float(value.detach()), *example),
        )
    trial.claim(
        "tokens counted",
        tokens == int(example[2].sum()),
        counterexample=f"{fed}: {tokens} tokens were counted, {int(example[2].sum())} are real",
        look_at=COUNT,
    )
    fed_in = tuple(t.clone() for t in example)
    loss(*fed_in)
    names = ("logits", "targets", "mask")
    changed = [n for n, a, b in zip(names, fed_in, example, strict=True) if not torch.equal(a, b)]
    trial.claim(
        "arguments stay as they were",
        not changed,
        counterexample=f"{fed}: the call changed its argument {', '.join(changed)}",
        look_at=INPUTS,
    )


def _pads(trial: Trial, loss: Loss, example: Example, tolerance: float, gradients: bool) -> None:
    logits, targets, mask = example
    B, T, V = logits.shape
    generator = torch.Generator().manual_seed(99)
    noise = (torch.randn(B, T, V, generator=generator, dtype=torch.float64) * HUGE).to(logits)
    planted = torch.where(mask[..., None], logits, noise), targets, mask
    wider = (
        torch.cat([logits, noise[:, :2]], 1),
        F.pad(targets, (0, 2)),
        F.pad(mask, (0, 2)),
    )
    expected, _ = _call(loss, example)
    sides = ("changed", "before")
    for name, changed, look_at in (
        ("huge logits at pads change nothing", planted, PADS),
        ("more PAD columns change nothing", wider, COLUMNS),
    ):
        fed = f"{_describe(example)}, {name.split(' change')[0]}"
        value, _ = _call(loss, changed)
        trial.equal(name, value, expected, tolerance, fed=fed, look_at=look_at, sides=sides)
        if gradients:
            found, before = _grad(loss, changed)[:, :T], _grad(loss, example)
            name = f"{name}, nor the gradient"
            fed = f"{fed}: gradient"
            real = mask[..., None]
            found, before = (g.masked_fill(~real, 0) for g in (found, before))
            trial.equal(name, found, before, tolerance, fed=fed, look_at=look_at, sides=sides)


def _grad(loss: Loss, example: Example) -> Tensor:
    logits = example[0].clone().requires_grad_()
    value, _ = _call(loss, (logits, *example[1:]))
    if not value.requires_grad:
        raise ValueError("the loss has no gradient: is there a .item(), .detach() or argmax in it?")
    return torch.autograd.grad(value, logits)[0]


def _gradient(trial: Trial, loss: Loss, example: Example, tolerance: float) -> None:
    logits, targets, mask = example
    grad = _grad(loss, example)
    fed = f"{_describe(example)}: gradient"
    real = mask[..., None]
    expected = (logits.softmax(-1) - F.one_hot(targets, logits.size(-1))) / mask.sum()
    trial.equal(
        "gradient at real tokens",
        grad.masked_fill(~real, 0),
        expected.masked_fill(~real, 0),
        tolerance,
        fed=fed,
        look_at=GRADIENT,
    )
    at_pads = grad.masked_fill(real, 0)
    trial.equal(
        "gradient at pads is exactly 0",
        at_pads,
        torch.zeros_like(at_pads),
        0.0,
        fed=fed,
        look_at=PADS,
    )


def _edge(trial: Trial, loss: Loss, example: Example, tolerance: float) -> None:
    B, T, _ = example[0].shape
    real = int(example[2].sum())
    trial.equal(
        f"a batch of {B} x {T}",
        _call(loss, example)[0],
        four_ways(*example)["mask x NLL"],
        tolerance,
        fed=f"{_describe(example)}, {real} real token{'s' * (real > 1)}",
        look_at=EDGE,
    )


def _stable(trial: Trial, loss: Loss, dtype: torch.dtype, device: Any, tolerance: float) -> None:
    # two rows and a pad: who stumbles over a batch of one must not be told of the gap
    logits = torch.zeros(2, 2, 3, dtype=dtype, device=device)
    logits[:, :, 1] = -GAP
    logits[0, 1, 2] = -2 * GAP
    targets = torch.tensor([[1, 2], [1, 0]], device=device)
    example = logits, targets, targets > 0
    expected = four_ways(*example)["ignore_index"]
    trial.equal(
        "a gap of 300 nats",
        _call(loss, example)[0],
        expected,
        tolerance,
        fed=f"logits {logits.tolist()}, targets {targets.tolist()}, the last one a pad",
        look_at=STABLE,
    )
    for shift in (FAR, -FAR):
        near = torch.tensor([[[0.0, -1, -2], [-1, 0, -3]]] * 2, dtype=dtype, device=device)
        moved = near + shift, *example[1:]
        trial.equal(
            f"all logits near {shift:+.0f}",
            _call(loss, moved)[0],
            four_ways(*moved)["ignore_index"],
            tolerance * FAR,  # lse(z) - z[y] rounds to the digits of z
            fed=f"logits {moved[0].tolist()}, targets {targets.tolist()}, the last one a pad",
            look_at=SHIFT,
        )


def _epoch(
    trial: Trial,
    loss: Loss,
    epoch: Callable | None,
    dtype: torch.dtype,
    device: Any,
    seed: int,
    tolerance: float,
) -> None:
    shapes = ((4, 7, 6), (3, 2, 6), (2, 5, 6))
    batches = [_example(shape, seed + 50 + i, dtype, device) for i, shape in enumerate(shapes)]
    # the short batch is much easier, so it matters how much it weighs
    logits, targets, mask = batches[1]
    batches[1] = logits + 9 * F.one_hot(targets, 6).to(dtype), targets, mask
    sums = [four_ways(*b)["mask x NLL"] * b[2].sum() for b in batches]
    tokens = [int(b[2].sum()) for b in batches]
    expected = sum(sums) / sum(tokens)
    if epoch is not None:
        value = torch.as_tensor(epoch([tuple(t.clone() for t in b) for b in batches])).detach()
        value = value.to(expected)
    else:
        parts = [_call(loss, b) for b in batches]
        value = sum(mean * count for mean, count in parts) / max(1, sum(c for _, c in parts))
    trial.equal(
        "an epoch = summed NLL / summed tokens",
        value,
        expected,
        tolerance,
        fed=f"three batches with {ids(tokens)} tokens",
        look_at=EPOCH,
    )


def _all_pads(trial: Trial, loss: Loss, example: Example, gradients: bool) -> None:
    logits, targets, mask = example
    pads = logits, torch.zeros_like(targets), torch.zeros_like(mask)
    name, fed = "a batch of pads alone", f"a batch of {list(mask.shape)} pads"
    try:
        value, _ = _call(loss, pads)
    except ValueError:
        trial.claim(name, True, counterexample="", look_at="")  # it says so: that is fine too
        return
    zero = torch.zeros_like(value)
    trial.equal(name, value, zero, 0.0, fed=fed, look_at=NOTHING)
    if gradients and value.requires_grad:
        grad = _grad(loss, pads)
        trial.equal(
            name, grad, torch.zeros_like(grad), 0.0, fed=f"{fed}: gradient", look_at=NOTHING
        )


def _describe(example: Example) -> str:
    B, T, V = example[0].shape
    return f"logits [{B}, {T}, {V}], target lengths {ids(example[2].sum(1))}"
