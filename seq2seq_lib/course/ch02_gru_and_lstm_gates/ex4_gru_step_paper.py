"""Exercise 2.4: one step of the papers' GRU, in the texts' notation."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import pencil_gru
from seq2seq_lib.course.ch02_gru_and_lstm_gates.probes import FIXED, normal, shown, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def gru_step_paper_spec(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    B, H = h.shape
    new = torch.empty(B, H)
    for row in range(B):
        reset = torch.empty(H)
        for unit in range(H):
            reset[unit] = torch.sigmoid(x[row] @ W_x[:, unit] + h[row] @ W_h[:, unit] + b[unit])
        for unit in range(H):
            z, n = H + unit, 2 * H + unit  # their columns
            update = torch.sigmoid(x[row] @ W_x[:, z] + h[row] @ W_h[:, z] + b[z])
            candidate = torch.tanh(x[row] @ W_x[:, n] + (reset * h[row]) @ W_h[:, n] + b[n])
            new[row, unit] = update * candidate + (1 - update) * h[row, unit]
    return new


def gru_step_paper(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    x_r, x_z, x_n = (x @ W_x + b).chunk(3, dim=1)  # each [B, H]
    W_r, W_z, W_n = W_h.chunk(3, dim=1)  # each [H, H]
    r = torch.sigmoid(x_r + h @ W_r)
    z = torch.sigmoid(x_z + h @ W_z)
    n = torch.tanh(x_n + (r * h) @ W_n)  # first the gate, then the matrix
    return z * n + (1 - z) * h


def gru_step_paper_by_lerp(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    H = h.size(1)
    gates = torch.addmm(b[: 2 * H], torch.cat([x, h], 1), torch.cat([W_x, W_h])[:, : 2 * H])
    reset, update = gates.sigmoid().split(H, dim=1)
    candidate = (x @ W_x[:, -H:] + (h * reset) @ W_h[:, -H:] + b[-H:]).tanh()
    return torch.lerp(h, candidate, update)


# ---------------------------------------------------------------- wrong answers


def variant(
    *,
    after: bool = False,
    keeps: bool = False,
    transposed: bool = False,
    order: str = "rzn",
    bias: str = "rzn",
    inside: bool = False,
    twice: bool = False,
    squash: Any = torch.tanh,
    reset: bool = True,
    bias_twice: bool = False,
    inverted: bool = False,
):
    """A step with one thing, or two, the other way round."""

    def step(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
        from_x = dict(zip(order, (x @ W_x).chunk(3, dim=1), strict=True))
        matrix = dict(zip(order, W_h.chunk(3, dim=1), strict=True))
        if transposed:
            matrix = {name: block.T for name, block in matrix.items()}
        shift = dict(zip(order, b.chunk(3), strict=True))
        shift = {name: s if name in bias else torch.zeros_like(s) for name, s in shift.items()}
        if bias_twice:
            shift = {name: 2 * part for name, part in shift.items()}
        r, z = (torch.sigmoid(from_x[g] + h @ matrix[g] + shift[g]) for g in "rz")
        r = torch.ones_like(r) if not reset else 1 - r if inverted else r
        if inside:
            n = squash(from_x["n"] + r * (h @ matrix["n"] + shift["n"]))
        elif after:
            n = squash(from_x["n"] + r * (h @ matrix["n"]) + shift["n"])
        else:
            n = squash(from_x["n"] + (r * h) @ matrix["n"] + shift["n"])
        old, new = (z, 1 - z) if keeps else (1 - z, z)
        return (new + old) * n + old * h if twice else new * n + old * h

    return step


def by_torch(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    cell = torch.nn.GRUCell(x.size(1), h.size(1))
    with torch.no_grad():
        cell.weight_ih.copy_(W_x.T)
        cell.weight_hh.copy_(W_h.T)
        cell.bias_ih.copy_(b)
        cell.bias_hh.zero_()
    return cell(x, h)


def resets_in_place(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    r, z, _ = (torch.sigmoid(part) for part in (x @ W_x + h @ W_h + b).chunk(3, dim=1))
    old = h.clone()
    h *= r
    n = torch.tanh((x @ W_x + h @ W_h + b).chunk(3, dim=1)[2])
    return z * n + (1 - z) * old


def old_state_was_reset(x: Tensor, h: Tensor, W_x: Tensor, W_h: Tensor, b: Tensor) -> Tensor:
    r, z, _ = (torch.sigmoid(part) for part in (x @ W_x + h @ W_h + b).chunk(3, dim=1))
    h = r * h
    n = torch.tanh((x @ W_x + h @ W_h + b).chunk(3, dim=1)[2])
    return z * n + (1 - z) * h


MUTANTS = (
    Mutant("torchs", by_torch),
    Mutant("torchs", variant(after=True, keeps=True)),
    Mutant("torchs", variant(inside=True, keeps=True)),
    Mutant("reset_after", variant(after=True)),
    Mutant("reset_after", variant(inside=True)),
    Mutant("keeps", variant(keeps=True)),
    Mutant("transposed", variant(transposed=True)),
    Mutant("order", variant(order="zrn")),
    Mutant("no_bias", variant(bias="")),
    Mutant("no_bias", variant(bias="rz")),
    Mutant("no_bias", variant(bias="n")),
    Mutant("bias_twice", variant(bias_twice=True)),
    Mutant("never_resets", variant(reset=False)),
    Mutant("inverted", variant(inverted=True)),
    Mutant("whole_candidate", variant(twice=True)),
    Mutant("sigmoid", variant(squash=torch.sigmoid)),
    Mutant("no_tanh", variant(squash=lambda a: a)),
    Mutant("old_state_reset", old_state_was_reset),
    Mutant("argument_changed", resets_in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    x, h, W, U = pencil_gru()  # with rows: the transposes
    drawn = [
        Probe(
            {"x": x, "h": h, "W_x": W.T, "W_h": U.T, "b": torch.zeros(6)},
            "the weights of the chapter's pencil, as rows, b = 0" + shown(x=x, h=h),
        )
    ]
    fixed = torch.Generator().manual_seed(4)
    for number, (B, width, H) in enumerate(((2, 3, 2), (3, 4, 5), (1, 2, 3), (2, 1, 1), (3, 3, 3))):
        source = fixed if number < FIXED - 1 else generator
        W_x, W_h, b = normal(source, width, 3 * H), normal(source, H, 3 * H), normal(source, 3 * H)
        x, h = normal(source, B, width), normal(source, B, H)
        fed = sizes(("B", B), ("I", width), ("H", H)) + shown(x=x, h=h)
        drawn.append(Probe({"x": x, "h": h, "W_x": W_x, "W_h": W_h, "b": b}, fed))
    return drawn


TASK = FunctionTask(
    spec=gru_step_paper_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "2.4",
        "gru_step_paper",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=15,
        points=4,
        task=TASK,
        reference=gru_step_paper,
        words=words_beside(__file__),
        alternatives=(gru_step_paper_by_lerp,),
    ),
)
