"""Exercise 2.6: how much of what was written at step s is left at step t."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch02_gru_and_lstm_gates.probes import shown, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def influence_spec(f: Tensor) -> Tensor:
    B, T = f.shape
    left = torch.zeros(B, T, T)
    for b in range(B):
        for t in range(T):
            for s in range(t + 1):
                share = 1.0
                for step in range(s + 1, t + 1):
                    share = share * f[b, step].item()
                left[b, t, s] = share
    return left


def influence(f: Tensor) -> Tensor:
    B, T = f.shape
    rows, row = [], f.new_zeros(B, T)
    for t in range(T):
        row = row * f[:, t, None]  # what was written before loses a share
        row[:, t] = 1.0  # what is written now is all there
        rows.append(row)
    return torch.stack(rows, dim=1)  # [B, T, T]


def influence_by_cumprod(f: Tensor) -> Tensor:
    B, T = f.shape
    step, written = torch.arange(T)[:, None], torch.arange(T)[None, :]
    gates = torch.where(step > written, f[:, :, None], torch.ones(B, T, T))  # 1 up to s
    return gates.cumprod(dim=1).tril()


# ---------------------------------------------------------------- wrong answers


def includes_own_gate(f: Tensor) -> Tensor:
    return influence_spec(f) * f[:, None, :]


def excludes_last_gate(f: Tensor) -> Tensor:
    """The product of f[s..t-1]: shifted by one."""
    shifted = torch.cat([torch.ones_like(f[:, :1]), f[:, :-1]], dim=1)
    return influence_spec(shifted)


def without_triangle(f: Tensor) -> Tensor:
    full = influence_spec(f)
    return full + full.mT - torch.diag_embed(torch.ones_like(f))


def ones_above(f: Tensor) -> Tensor:
    return influence_spec(f) + torch.ones(f.size(1), f.size(1)).triu(1)


def by_quotient(f: Tensor) -> Tensor:
    left = f.cumprod(dim=1)
    return (left[:, :, None] / left[:, None, :]).tril()


def by_quotient_masked(f: Tensor) -> Tensor:
    left = f.cumprod(dim=1)
    quotient = left[:, :, None] / left[:, None, :]
    return quotient.masked_fill(torch.ones(f.size(1), f.size(1)).triu(1).bool(), 0)


def by_logs(f: Tensor) -> Tensor:
    total = f.log().cumsum(dim=1)
    return (total[:, :, None] - total[:, None, :]).exp().tril()


def by_logs_masked(f: Tensor) -> Tensor:
    total = f.log().cumsum(dim=1)
    above = torch.ones(f.size(1), f.size(1)).triu(1).bool()
    return (total[:, :, None] - total[:, None, :]).masked_fill(above, -torch.inf).exp()


def by_small_number(f: Tensor) -> Tensor:
    return by_quotient(f.clamp(min=1e-8))


def first_row_for_all(f: Tensor) -> Tensor:
    return influence_spec(f[:1].expand_as(f))


def constant_gate(f: Tensor) -> Tensor:
    """f[t] to the power t - s: right where all gates are equal."""
    age = torch.arange(f.size(1))[:, None] - torch.arange(f.size(1))[None, :]
    return (f[:, :, None] ** age.clamp(min=0)).tril()


def nothing_of_now(f: Tensor) -> Tensor:
    return influence_spec(f).tril(-1)


def forgotten(f: Tensor) -> Tensor:
    return influence_spec(1 - f)


MUTANTS = (
    Mutant("own_gate", includes_own_gate),
    Mutant("last_gate", excludes_last_gate),
    Mutant("transposed", lambda f: influence_spec(f).mT),
    Mutant("no_triangle", without_triangle),
    Mutant("no_triangle", ones_above),
    Mutant("quotient", by_quotient),
    Mutant("quotient", by_quotient_masked),
    Mutant("quotient", by_logs),
    Mutant("quotient", by_logs_masked),
    Mutant("clamped", by_small_number),
    Mutant("one_row", first_row_for_all),
    Mutant("constant", constant_gate),
    Mutant("nothing_of_now", nothing_of_now),
    Mutant("forgotten", forgotten),
    Mutant("squeezed", lambda f: influence_spec(f).squeeze()),
)


# ---------------------------------------------------------------- the exercise


def is_finite(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: floats without NaN or inf, which a shut gate makes of a quotient."""
    if not value.is_floating_point():
        return "not_float", {"dtype": str(value.dtype).removeprefix("torch.")}
    return None if bool(value.isfinite().all()) else ("quotient", {})


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """The first wrong cell, by the steps that it is about."""
    b, t, s = ((value - expected).abs() > 1e-4).nonzero()[0].tolist()
    facts = {"b": str(b), "t": str(t), "s": str(s)}
    numbers = {"yours": f"{value[b, t, s]:.4g}", "right": f"{expected[b, t, s]:.4g}"}
    return ("future" if s > t else "one_cell"), facts | numbers


def probes(generator: torch.Generator) -> list[Probe]:
    hand = torch.tensor([[0.9, 0.5, 0.8, 1.0, 0.25]])
    gates = [hand, torch.tensor([[0.5, 0.5, 0.0, 0.5], [0.2, 1.0, 0.6, 0.3]])]
    for B, T in ((3, 6), (1, 1), (2, 1), (1, 4), (4, 4)):
        drawn = torch.rand(B, T, generator=generator)
        if T > 3:
            drawn[-1, T // 2] = 0.0  # a gate may shut
        gates.append(drawn)
    shut = torch.rand(2, 12, generator=generator)
    gates.append(shut.where(shut > 0.4, 0.0))  # several gates that shut: products underflow
    gates.append(torch.zeros(2, 9))
    return [Probe({"f": f}, sizes(("B", len(f)), ("T", f.size(1))) + shown(f=f)) for f in gates]


TASK = FunctionTask(
    spec=influence_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite),
    mutants=MUTANTS,
    explain=explain,
)
EXERCISES = (
    Exercise(
        "2.6",
        "influence",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=influence,
        words=words_beside(__file__),
        alternatives=(influence_by_cumprod,),
    ),
)
