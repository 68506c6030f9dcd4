"""Law 2: a recurrent network written by hand = ``nn.GRU`` or ``nn.LSTM`` with the same weights.

There are two GRUs in the world, and textbooks, papers and libraries rarely say which they mean. So
when the numbers differ, this law says which one it found.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib.laws.parity_suspects import name_suspect
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict, ids
from seq2seq_lib.masks import sequence_mask

LAW = "Law 2, parity"
# the promise of the course: a rounding or two per step, over six steps and two layers
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-12}
B, T, INPUT, HIDDEN = 5, 6, 4, 3
MODULES = {"gru": nn.GRU, "lstm": nn.LSTM}
HUGE = 1e4  # what stands at the pads: nobody can read it and stay small

PACKED = (
    "the pads: a row must stop at its own length, and a backward RNN must start at the last real "
    "token of its row, not at the end of the padded tensor"
)
REVERSED = (
    "the two directions: torch concatenates forward | backward, and gives the backward output at "
    "the position of the token that was just read (flip it back)"
)
LAYERS = (
    "the layers: layer 1 reads the outputs of layer 0, both directions; states are ordered layer 0 "
    "forward, layer 0 backward, layer 1 forward, ..."
)
STATES = (
    "the final state alone, the outputs are right: it has one slice for every layer and direction "
    "(h_n[:n] keeps the bottom ones), ordered layer 0 forward, layer 0 backward, layer 1 ..."
)
SWAPPED = "the order of the two states: torch gives (h, c), and yours are (c, h)"
BIAS = "the biases: with bias=False there are none, neither bias_ih nor bias_hh"
GRADIENT = (
    "where the graph is cut: .detach(), .data, .item(), torch.no_grad(), weights copied instead of "
    "used, or an in-place write"
)


def parity(
    recompute: Callable[[nn.GRU | nn.LSTM, Tensor, Tensor], Any],
    *,
    cells: Sequence[str] = ("gru", "lstm"),
    num_layers: Sequence[int] = (1, 2),
    bidirectional: Sequence[bool] = (False, True),
    bias: Sequence[bool] = (True, False),
    padded: Sequence[bool] = (False, True),
    dtypes: Sequence[torch.dtype] = (torch.float64, torch.float32),
    weight_gradients: bool = True,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Verdict:
    """Recompute torch modules by hand, forward and gradient, from the simplest to the hardest.

    Args:
        recompute: ``(rnn, x [B, T, I], lengths [B]) -> (outputs [B, T, D*H], state, ...)`` with the
            parameters of ``rnn`` (``weight_ih_l0``, ...; the module is batch first). The state is
            ``[B, layers * D, H]``, or ``(h, c)`` of those, **batch first**; None if not computed.
            What outputs hold at pads is not looked at.
        cells, num_layers, bidirectional, bias, padded, dtypes: what it claims to do, for example
            ``cells=("gru",), num_layers=(1,), bidirectional=(False,), padded=(False,)``.
        weight_gradients: also compare the gradients of the weights; those of x always are.
        seed, device: of weights and inputs.

    The tolerance is 1e-6 in float32 and 1e-12 in float64, relative to ``max(1, largest number)``.
    """
    unknown = set(cells) - set(MODULES)
    if unknown:
        raise ValueError(f"Unknown cells: {sorted(unknown)}. Valid: 'gru', 'lstm'.")
    trial = Trial(LAW)
    with trial.on_probes(recompute, seed=seed, comparing=True):
        # the easy cases first: what breaks there is the cause of what breaks later
        for case in product(padded, bidirectional, num_layers, bias, cells, dtypes):
            _compare(trial, recompute, case, weight_gradients, seed, device)
    return trial.verdict()


def _compare(
    trial: Trial, recompute: Callable, case: tuple, weight_gradients: bool, seed: int, device: Any
) -> None:
    is_padded, both_ways, layers, has_bias, kind, dtype = case
    rnn = MODULES[kind](
        INPUT, HIDDEN, layers, bias=has_bias, bidirectional=both_ways, batch_first=True,
        dtype=dtype, device=device,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seed + 1)
    lengths = torch.tensor([3, T, 1, 4, T] if is_padded else [T] * B, device="cpu")
    real = sequence_mask(lengths, T)[..., None]  # [B, T, 1]
    x = torch.randn(B, T, INPUT, generator=generator, dtype=dtype, device="cpu")
    x = torch.where(real, x, x * HUGE).to(device).requires_grad_()
    real = real.to(device)

    expected = _parts(*_torch(rnn, x, lengths), real)
    outputs, state = recompute(rnn, x, lengths.to(device))[:2]
    found = _parts(outputs, state, real)
    if len(found) == 1:  # no state: compare the outputs alone
        expected = expected[:1]
    _check_shapes(found, expected)

    name = _name(kind, both_ways, layers, is_padded)
    where = f"nn.{kind.upper()}, {layers} layer(s), {'both ways' if both_ways else 'one way'}"
    where += f", {'with' if has_bias else 'without'} biases, {str(dtype).removeprefix('torch.')}"
    fed = f"{where}, lengths {ids(lengths)}"

    def why() -> str:
        return _explain(rnn, x, lengths, outputs, case)

    def forward(label: str, ours: Tensor, theirs: Tensor, look_at) -> bool:
        return trial.equal(
            f"{name}: forward",
            ours,
            theirs,
            TOLERANCE[dtype],
            fed=f"{fed}: {label}",
            look_at=look_at,
            sides=("yours", "torch"),
        )

    swapped = len(found) == 3 and torch.allclose(found[1], expected[2], atol=1e-5)
    states = SWAPPED if swapped else STATES
    good = forward("outputs", found[0], expected[0], why)
    for part, ours, theirs in zip("hc", found[1:], expected[1:], strict=False):
        good &= forward(f"final {part}", ours, theirs, why if is_padded or not good else states)
    if good:  # else the gradients differ for the same reason
        inputs = [("x", x), *(rnn.named_parameters() if weight_gradients else [])]
        _compare_gradients(
            trial, f"{name}: gradient", found, expected, inputs, fed, TOLERANCE[dtype]
        )


def _name(kind: str, both_ways: bool, layers: int, is_padded: bool) -> str:
    name = f"nn.{kind.upper()} {layers} layer{'s' * (layers > 1)}"
    return name + ", bidirectional" * both_ways + ", packed" * is_padded


def _torch(rnn: nn.Module, x: Tensor, lengths: Tensor) -> tuple[Tensor, Any]:
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, state = rnn(packed)
    outputs, _ = pad_packed_sequence(outputs, batch_first=True, total_length=T)
    if isinstance(state, tuple):
        return outputs, tuple(part.transpose(0, 1) for part in state)  # [L*D, B, H] -> [B, L*D, H]
    return outputs, state.transpose(0, 1)


def _parts(outputs: Tensor, state: Any, real: Tensor) -> list[Tensor]:
    if outputs.dim() == 3 and outputs.shape[:2] == real.shape[:2]:
        outputs = outputs.masked_fill(~real, 0)
    states = state if isinstance(state, tuple | list) else (state,)
    return [outputs, *(part for part in states if part is not None)]


def _check_shapes(found: list[Tensor], expected: list[Tensor]) -> None:
    ours, theirs = ([list(t.shape) for t in side] for side in (found, expected))
    if ours != theirs:
        raise AdapterError(
            f"recompute returned shapes {ours}",
            f"{theirs}: outputs [B, T, D*H] and states [B, layers * D, H]; torch's own states are "
            f"[layers * D, B, H]: transpose them",
        )


def _compare_gradients(
    trial: Trial,
    name: str,
    found: list[Tensor],
    expected: list[Tensor],
    inputs: list[tuple[str, Tensor]],
    fed: str,
    tolerance: float,
) -> None:
    tensors = [tensor for _, tensor in inputs]
    if not any(part.requires_grad for part in found):
        text = f"{fed}: the outputs have no gradient at all"
        trial.claim(name, False, counterexample=text, look_at=GRADIENT)
        return
    # a random weight for every number, or two errors could cancel in the sum
    generator = torch.Generator().manual_seed(7)
    weights = [
        torch.randn(part.shape, generator=generator, dtype=torch.float64, device="cpu").to(part)
        for part in expected
    ]

    def gradients(parts: list[Tensor]) -> Sequence[Tensor | None]:
        # over B, so that gradients of weights, sums over the batch, stay near 1
        total = sum((part * w).sum() / B for part, w in zip(parts, weights, strict=True))
        return torch.autograd.grad(total, tensors, allow_unused=True, retain_graph=True)

    for (label, tensor), ours, theirs in zip(
        inputs, gradients(found), gradients(expected), strict=True
    ):
        ours = torch.zeros_like(tensor) if ours is None else ours
        trial.equal(
            name,
            ours,
            theirs,
            tolerance,
            fed=f"{fed}: gradient of {label}",
            look_at=GRADIENT,
            sides=("yours", "torch"),
        )


def _explain(rnn: nn.Module, x: Tensor, lengths: Tensor, outputs: Tensor, case: tuple) -> str:
    is_padded, both_ways, layers, _, _, _ = case
    with torch.no_grad():
        if is_padded:
            real = sequence_mask(lengths, T)[..., None].to(x.device)
            unpacked = rnn(x)[0].masked_fill(~real, 0)
            same = torch.allclose(outputs.masked_fill(~real, 0), unpacked, atol=1e-5)
            return f"it equals the run over the pads; {PACKED}" if same else PACKED
        if not both_ways and layers == 1:
            return name_suspect(rnn, x, outputs) or BIAS
    hints: Iterator[str] = iter(
        hint for true, hint in ((both_ways, REVERSED), (layers > 1, LAYERS)) if true
    )
    return next(hints, BIAS)
