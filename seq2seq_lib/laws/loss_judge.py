"""How law 3 looks at a loss: example by example, and each of its changes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.laws import loss_hints as hints
from seq2seq_lib.laws.calls import INPUTS, copy
from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.laws.loss_reference import Example, Reference
from seq2seq_lib.laws.loss_suspects import name_suspect, why_not
from seq2seq_lib.laws.probes import plain_tensors
from seq2seq_lib.laws.returned import as_tensor, sum_of
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, ids, number
from seq2seq_lib.masks import sequence_mask

# B, T, V: all different; B = T, where a transposed mask has the right shape; V = B * T, where a
# flat mask can be laid over the wrong axis
SHAPES = ((5, 6, 7), (4, 4, 6), (2, 3, 6))
# one token a sentence, one sentence, one token: an axis of size 1 vanishes in squeeze() and is
# stretched by broadcasting, and neither raises
EDGES = ((3, 1, 5), (1, 4, 5), (1, 1, 4))
HUGE = 1e4  # logits at pads
GAP = 300.0  # nats between two logits: exp(-300) is 0 in float32, log of that is -inf
FAR = 1000.0  # nats from 0: exp(1000) is inf and exp(-1000) is 0, in float64 as well

Loss = Callable[[Tensor, Tensor, Tensor], Any]


@plain_tensors()
def example_of(
    shape: tuple[int, int, int],
    seed: int,
    dtype: torch.dtype,
    device: Any,
    conventions: Conventions = DEFAULT,
) -> Example:
    B, T, V = shape
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, T + 1, (B,), generator=generator)
    for row, length in enumerate((1, T, min(2, T))[: B if B > 1 else 0]):
        lengths[row] = length
    mask = sequence_mask(lengths, T)
    if conventions != DEFAULT:  # ids of any size, so a vocabulary in which they are
        V = max(V, max(conventions.special) + 3)
    logits = torch.randn(B, T, V, generator=generator, dtype=torch.float64) * 2
    targets = torch.randint(1, V, (B, T), generator=generator)
    if conventions != DEFAULT:
        words = torch.tensor(conventions.words(V))
        targets = words[targets % len(words)]
        targets[range(B), lengths - 1] = conventions.eos_id
    targets = targets.masked_fill(~mask, conventions.pad_id)
    return logits.to(device, dtype), targets.to(device), mask.to(device)


def call_of(loss: Loss, example: Example, reference: Reference) -> tuple[Tensor, int]:
    """The loss with its graph, and the tokens or sentences counted; inputs are copies."""
    total, units = sum_of(loss(*copy(example)), reference.units(example))
    return total / max(1, units), units


@dataclass(frozen=True)
class Judge:
    trial: Trial
    loss: Loss
    reference: Reference
    tolerance: float
    gradients: bool

    def call(self, example: Example) -> tuple[Tensor, int]:
        return call_of(self.loss, example, self.reference)

    def equal(self, name: str, found: Tensor, due: Tensor, **options: Any) -> bool:
        options.setdefault("sides", ("yours", "expected"))
        tolerance = options.pop("tolerance", self.tolerance)
        due = due.to(found.device)
        return self.trial.equal(name, found, due, tolerance, **options)

    def same_twice(self, example: Example) -> bool:
        """Whether a second call gives the same number, NaN or not."""
        one, two = (self.call(example)[0].detach() for _ in range(2))
        same = torch.equal(one.nan_to_num(), two.nan_to_num())
        if not same:
            text = f"{_describe(example)}: {number(one)} in one call and {number(two)} in the next"
            self.trial.claim("the same call twice", False, counterexample=text, look_at=hints.TWICE)
        return same

    def check_value(self, example: Example) -> None:
        value, units = self.call(example)
        fed = _describe(example)

        def why() -> str:
            found = float(value.detach())
            if self.reference.plain:
                return name_suspect(found, *example)
            return why_not(self.reference, found, example)

        for way, due in self.reference.ways(example).items():
            self.equal(f"= {way}", value, due, fed=fed, look_at=why)
        real = self.reference.units(example)
        what = "tokens" if self.reference.per == "token" else "sentences"
        self.trial.claim(
            f"{what} counted",
            units == real,
            counterexample=f"{fed}: {units} {what} were counted, {real} are real",
            look_at=hints.COUNT,
        )
        fed_in = copy(example)
        self.loss(*fed_in)
        names = ("logits", "targets", "mask")
        bad = [n for n, a, b in zip(names, fed_in, example, strict=True) if not torch.equal(a, b)]
        self.trial.claim(
            "arguments stay as they were",
            not bad,
            counterexample=f"{fed}: the call changed its argument {', '.join(bad)}",
            look_at=INPUTS,
        )

    def check_pads(self, example: Example) -> None:
        logits, targets, mask = example
        B, T, V = logits.shape
        generator = torch.Generator().manual_seed(99)
        noise = torch.randn(B, T, V, generator=generator, dtype=torch.float64, device="cpu")
        noise = (noise * HUGE).to(logits)
        planted = torch.where(mask[..., None], logits, noise), targets, mask
        pad = int(targets[~mask][0]) if not mask.all() else 0
        wider = (
            torch.cat([logits, noise[:, :2]], 1),
            F.pad(targets, (0, 2), value=pad),
            F.pad(mask, (0, 2)),
        )
        due, _ = self.call(example)
        sides = ("changed", "before")
        for name, changed, look_at in (
            ("huge logits at pads change nothing", planted, hints.PADS),
            ("more PAD columns change nothing", wider, hints.COLUMNS),
        ):
            fed = f"{_describe(example)}, {name.split(' change')[0]}"
            value, _ = self.call(changed)
            if bool(value.isnan()) and not bool(due.isnan()):
                here = changed is planted or self.trial.failed("huge logits at pads")
                look_at = hints.TIMES_ZERO if here else hints.NO_STEP
            self.equal(name, value, due, fed=fed, look_at=look_at, sides=sides)
            if self.gradients:
                found, before = self.grad(changed)[:, :T], self.grad(example)
                name = f"{name}, nor the gradient"
                fed = f"{fed}: gradient"
                real = mask[..., None]
                found, before = (g.masked_fill(~real, 0) for g in (found, before))
                self.equal(name, found, before, fed=fed, look_at=look_at, sides=sides)

    def grad(self, example: Example) -> Tensor:
        logits = example[0].clone().requires_grad_()
        value, _ = self.call((logits, *example[1:]))
        if not value.requires_grad:
            raise AdapterError(
                "the loss has no gradient",
                "a loss with a graph (is there a .item(), .detach() or argmax in it?), or pass "
                "gradients=False",
            )
        return torch.autograd.grad(value, logits)[0]

    def check_gradient(self, example: Example) -> None:
        grad = self.grad(example)
        fed = f"{_describe(example)}: gradient"
        real = example[2][..., None]
        due = self.reference.gradient(example)
        self.equal(
            "gradient at real tokens",
            grad.masked_fill(~real, 0),
            due.masked_fill(~real, 0),
            fed=fed,
            look_at=hints.GRADIENT,
        )
        at_pads = grad.masked_fill(real, 0)
        self.equal(
            "gradient at pads is exactly 0",
            at_pads,
            torch.zeros_like(at_pads),
            tolerance=0.0,
            fed=fed,
            look_at=hints.PADS,
        )

    def check_edge(self, example: Example) -> None:
        B, T, _ = example[0].shape
        real = int(example[2].sum())
        self.equal(
            f"a batch of {B} x {T}",
            self.call(example)[0],
            self.reference.value(example),
            fed=f"{_describe(example)}, {real} real token{'s' * (real > 1)}",
            look_at=hints.EDGE,
        )

    def check_huge(self, dtype: torch.dtype, device: Any, conventions: Conventions) -> None:
        # two rows and a pad: who stumbles over a batch of one must not be told of the gap
        columns, V, pad = [0, 1, 2], 3, 0
        if conventions != DEFAULT:
            V, pad = max(conventions.special) + 4, conventions.pad_id
            columns = conventions.words(V)[:3]
        targets = torch.tensor([[columns[1], columns[2]], [columns[1], pad]], device=device)
        mask = torch.tensor([[True, True], [True, False]], device=device)

        def check(name: str, three: list, look_at: str, tolerance: float) -> None:
            lowest = float(min(min(map(min, row)) for row in three))
            logits = torch.full((2, 2, V), lowest, device=device)
            logits[:, :, columns] = torch.tensor(three, device=device)
            example = logits.to(device, dtype), targets, mask
            self.equal(
                name,
                self.call(example)[0],
                self.reference.value(example),
                tolerance=tolerance,
                fed=f"logits {logits.tolist()}, targets {targets.tolist()}, the last one a pad",
                look_at=look_at,
            )

        gap = [[[0.0, -GAP, 0.0], [0.0, -GAP, -2 * GAP]], [[0.0, -GAP, 0.0]] * 2]
        check("a gap of 300 nats", gap, hints.STABLE, self.tolerance)
        for shift in (FAR, -FAR):
            near = [[[x + shift for x in row] for row in ([0.0, -1, -2], [-1, 0, -3])]] * 2
            # lse(z) - z[y] rounds to the digits of z
            check(f"all logits near {shift:+.0f}", near, hints.SHIFT, self.tolerance * FAR)

    def check_epoch(
        self,
        epoch: Callable | None,
        dtype: torch.dtype,
        device: Any,
        seed: int,
        conventions: Conventions,
    ) -> None:
        shapes = ((4, 7, 6), (3, 2, 6), (2, 5, 6))
        batches = [
            example_of(shape, seed + 50 + i, dtype, device, conventions)
            for i, shape in enumerate(shapes)
        ]
        # the short batch is much easier, so it matters how much it weighs
        logits, targets, mask = batches[1]
        easier = 9 * F.one_hot(targets, logits.size(-1)).to(dtype)
        batches[1] = logits + easier, targets, mask
        units = [self.reference.units(batch) for batch in batches]
        sums = [self.reference.value(b) * n for b, n in zip(batches, units, strict=True)]
        due = sum(sums) / sum(units)
        if epoch is not None:
            value = as_tensor(epoch([copy(batch) for batch in batches])).detach().to(due)
        else:
            parts = [self.call(batch) for batch in batches]
            value = sum(mean * n for mean, n in parts) / max(1, sum(n for _, n in parts))
        what = "tokens" if self.reference.per == "token" else "sentences"
        self.equal(
            f"an epoch = summed NLL / summed {what}",
            value,
            due,
            fed=f"three batches with {ids(units)} {what}",
            look_at=hints.EPOCH,
        )

    def check_all_pads(self, example: Example, pad_id: int) -> None:
        logits, targets, mask = example
        logits = logits.clone().requires_grad_(self.gradients)
        pads = logits, torch.full_like(targets, pad_id), torch.zeros_like(mask)
        name, fed = "a batch of pads alone", f"a batch of {list(mask.shape)} pads"
        try:
            value, _ = self.call(pads)
        except AdapterError:
            raise
        except ValueError:
            self.trial.claim(name, True, counterexample="", look_at="")  # it says so: fine too
            return
        found = value.detach()
        zero = torch.zeros_like(found)
        self.equal(name, found, zero, tolerance=0.0, fed=fed, look_at=hints.NOTHING)
        if value.requires_grad and not self.trial.failed(name):
            grad = torch.autograd.grad(value, logits)[0]
            zero = torch.zeros_like(grad)
            fed = f"{fed}: gradient"
            self.equal(name, grad, zero, tolerance=0.0, fed=fed, look_at=hints.HIDDEN)


def _describe(example: Example) -> str:
    B, T, V = example[0].shape
    return f"logits [{B}, {T}, {V}], target lengths {ids(example[2].sum(1))}"
