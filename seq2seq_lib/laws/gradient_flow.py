"""Does the gradient reach every parameter, and is it the gradient? A question beside the laws.

A ``detach()`` that should not be there, a copied weight, a parameter that is not used: training
runs, the loss falls, and a part of the model never learns. Backpropagation is therefore compared
with what it computes: the loss is measured a small step before and after, and the difference must
be what the gradient promised.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.calls import finite, watched
from seq2seq_lib.laws.compare import default_tolerance, number
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, Layout, options
from seq2seq_lib.laws.returned import sum_of
from seq2seq_lib.laws.rounding import rounding_of
from seq2seq_lib.laws.second_look import in_float64
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict

LAW = "Does the gradient reach every parameter"
# steps, relative tolerance and floor of a central difference. In float64 what parts of a model
# still round to float32 (a softmax in .float()) makes 1e-7 of a loss, so 5e-4 over 2e-4. In float32
# itself it is 2e-5 over 2e-2; where the loss bends more than that, the smaller step decides.
DOUBLE = ((1e-3, 1e-4, 1e-5, 1e-6), 5e-3, 1e-3)
SINGLE = ((1e-2, 2e-3), 2e-2, 1e-3)

UNUSED = (
    "who uses it: the loss does not change with it either. A layer that forward() skips, a memory "
    "that is never read, weights that were copied instead of shared"
)
CUT = (
    "where the graph is cut: the loss does change with it. detach(), no_grad(), .data, item(), an "
    "argmax, a tensor rebuilt with torch.tensor(...)"
)
PARTLY = (
    "where a part of the graph is cut: backpropagation gives another slope than the loss has. "
    "detach() on one of several paths (the memory, the state), a custom backward, a write in "
    "place. Or it is an nn.Embedding(padding_idx=), whose row of PAD gets no gradient and is read "
    "all the same: law 1 says by whom, unless PAD is also your BOS"
)


def gradient_flow(
    loss: Callable[[Batch], Any],
    parameters: Iterable[Tensor | tuple[str, Tensor]],
    *,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    conventions: Conventions = DEFAULT,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Compare the gradient of every parameter with a finite difference of the loss.

    Args:
        loss: ``(batch) -> LossSum``, ``(total, tokens)``, a mean over tokens, or an object with
            ``loss``; without dropout.
        parameters: ``model.parameters()`` or ``model.named_parameters()``: all that shall learn.
            Frozen ones (``requires_grad=False``) are passed over.
        src_vocab_size, tgt_vocab_size, conventions, seed, device: of the probe.
    """
    device = probes.device_of(loss) if device is None else device
    trial = Trial(LAW, order=("runs", "no NaN", "a gradient reaches"), **options(conventions))
    named = probes.named(parameters)
    if not named:
        raise ValueError("gradient_flow needs parameters with requires_grad=True, and got none.")
    batch = probes.make_batch(
        probes.SHAPES[0], src_vocab_size, tgt_vocab_size, seed, device, conventions
    )
    call = watched(trial, loss, "batch")
    layout = Layout(conventions, batch.src_lengths)

    def mean() -> Tensor:
        total, tokens = sum_of(call(layout.batch(batch)), batch.tgt_lengths.sum())
        return total / max(1, tokens)

    with trial.on_probes(loss, seed=seed):
        with in_float64([loss], [p for _, p in named]) as kept:
            try:
                possible = mean().dtype == torch.float64
            except Exception:
                possible = False
            if not possible:
                for tensor, data in kept:
                    tensor.data = data
            _compare(trial, mean, named, seed)
    return trial.verdict()


def _compare(
    trial: Trial, mean: Callable[[], Tensor], named: list[tuple[str, Tensor]], seed: int
) -> None:
    value = mean()
    if not finite(trial, "loss", value, "one batch"):
        return
    if not value.requires_grad:
        raise AdapterError(
            "the loss came without a graph", "a loss of these parameters, not .item() or .detach()"
        )
    if rounding_of(value) > default_tolerance(torch.float32):
        raise AdapterError(
            "the loss is computed in half precision",
            "float32 or float64, whose digits a finite difference needs: model.float(), and no "
            "autocast",
        )
    if not torch.equal(mean().detach(), value.detach()):
        raise AdapterError(
            "the same batch gave two losses",
            "a loss without noise: call .eval(), or switch dropout off",
        )
    grads = torch.autograd.grad(value, [p for _, p in named], allow_unused=True)
    generator = torch.Generator().manual_seed(seed)
    cut, wrong = [], []
    for (name, parameter), grad in zip(named, grads, strict=True):
        grad = torch.zeros_like(parameter) if grad is None else grad.detach()
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64, device="cpu")
        direction = noise.to(parameter) / noise.norm()
        size = float(grad.norm())
        if size:  # towards the gradient: against it the sum may be nothing, above all in one number
            side = 1 if float((grad * direction).sum()) >= 0 else -1
            direction = side * direction + grad / size
        direction = direction / direction.norm()
        double = parameter.dtype == torch.float64
        steps, relative, floor = DOUBLE if double else SINGLE
        promised = float((grad * direction).sum())
        for step in steps:
            slope = _slope(mean, parameter, direction, step)
            if abs(slope - promised) <= relative * max(abs(slope), abs(promised)) + floor:
                break
        else:
            if size:
                wrong.append((name, slope, promised))
        if not size:
            cut.append((name, slope != 0.0))  # what is not used moves not even the last digit
    names = ", ".join(name for name, _ in cut)
    moved = any(moves for _, moves in cut)
    trial.claim(
        "a gradient reaches every parameter",
        not cut,
        counterexample=f"{len(cut)} of {len(named)} parameters get none: {names}",
        look_at=CUT if moved else UNUSED,
    )
    name, slope, promised = wrong[0] if wrong else ("", 0.0, 0.0)
    trial.claim(
        "gradient = finite difference",
        not wrong,
        counterexample=(
            f"parameter {name}: the loss changes by {number(slope)} a unit step, and its gradient "
            f"says {number(promised)}; so with {len(wrong)} of {len(named)} parameters"
        ),
        look_at=PARTLY,
    )


def _slope(mean: Callable[[], Tensor], parameter: Tensor, direction: Tensor, step: float) -> float:
    before = parameter.detach().clone()
    values = []
    try:
        for sign in (1, -1):
            parameter.data.copy_(before + sign * step * direction)
            values.append(float(mean().detach().double()))
    finally:
        parameter.data.copy_(before)
    return (values[0] - values[1]) / (2 * step)
