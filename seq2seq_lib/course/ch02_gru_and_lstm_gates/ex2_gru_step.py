"""Exercise 2.2, in the chapter: the two missing lines of a GRU step without biases."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch02_gru_and_lstm_gates.given import pencil_gru
from seq2seq_lib.course.ch02_gru_and_lstm_gates.probes import normal, shown, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

Parts = tuple[Tensor, ...]


def gru_step_spec(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    B, H = h.shape
    new = torch.empty(B, H)
    for b in range(B):
        for unit in range(H):
            r, z, n = ((W[gate * H + unit] @ x[b], U[gate * H + unit] @ h[b]) for gate in range(3))
            reset, update = torch.sigmoid(sum(r)), torch.sigmoid(sum(z))
            candidate = torch.tanh(n[0] + reset * n[1])
            new[b, unit] = (1 - update) * candidate + update * h[b, unit]
    return new


def gru_step(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    x_r, x_z, x_n = (x @ W.T).chunk(3, dim=1)  # each [B, H]
    h_r, h_z, h_n = (h @ U.T).chunk(3, dim=1)  # each [B, H]
    r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    n = torch.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h


def gru_step_by_lerp(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    r, z, from_x, from_h = parts(x, h, W, U)
    return torch.lerp(torch.tanh(torch.addcmul(from_x, r, from_h)), h, z)


# ---------------------------------------------------------------- wrong answers


def parts(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Parts:
    """What the cell hands out: both gates, and the two parts of the candidate."""
    x_r, x_z, x_n = (x @ W.T).chunk(3, dim=1)
    h_r, h_z, h_n = (h @ U.T).chunk(3, dim=1)
    return torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z), x_n, h_n


def candidate(x: Tensor, h: Tensor, W: Tensor, U: Tensor, *, before: bool = False) -> Parts:
    """z and n, with the reset gate after the product or before it."""
    r, z, x_n, h_n = parts(x, h, W, U)
    inner = (r * h) @ U.chunk(3)[2].T if before else r * h_n
    return z, torch.tanh(x_n + inner)


def replaces(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    z, n = candidate(x, h, W, U)
    return z * n + (1 - z) * h


def reset_before(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    z, n = candidate(x, h, W, U, before=True)
    return (1 - z) * n + z * h


def both(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    z, n = candidate(x, h, W, U, before=True)
    return z * n + (1 - z) * h


def resets_everything(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    r, z, x_n, h_n = parts(x, h, W, U)
    return (1 - z) * torch.tanh(r * (x_n + h_n)) + z * h


def gates_swapped(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    r, z, x_n, h_n = parts(x, h, W, U)
    return (1 - r) * torch.tanh(x_n + z * h_n) + r * h


def without_matrix(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    r, z, x_n, _ = parts(x, h, W, U)
    return (1 - z) * torch.tanh(x_n + r * h) + z * h


def never_resets(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    _, z, x_n, h_n = parts(x, h, W, U)
    return (1 - z) * torch.tanh(x_n + h_n) + z * h


def no_tanh(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    r, z, x_n, h_n = parts(x, h, W, U)
    return (1 - z) * (x_n + r * h_n) + z * h


def sigmoid_candidate(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    r, z, x_n, h_n = parts(x, h, W, U)
    return (1 - z) * torch.sigmoid(x_n + r * h_n) + z * h


def keeps_the_product(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    _, _, _, h_n = parts(x, h, W, U)
    z, n = candidate(x, h, W, U)
    return (1 - z) * n + z * h_n


def as_an_lstm(x: Tensor, h: Tensor, W: Tensor, U: Tensor) -> Tensor:
    z, n = candidate(x, h, W, U)
    return n + z * h


MUTANTS = (
    Mutant("replaces", replaces),
    Mutant("reset_before", reset_before),
    Mutant("both", both),
    Mutant("resets_everything", resets_everything),
    Mutant("never_resets", never_resets),
    Mutant("gates_swapped", gates_swapped),
    Mutant("without_matrix", without_matrix),
    Mutant("no_tanh", no_tanh),
    Mutant("sigmoid", sigmoid_candidate),
    Mutant("keeps_the_product", keeps_the_product),
    Mutant("adds", as_an_lstm),
    Mutant("candidate", lambda x, h, W, U: candidate(x, h, W, U)[1]),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    x, h, W, U = pencil_gru()
    drawn = [Probe({"x": x, "h": h, "W": W, "U": U}, "the step of 2.3" + shown(x=x, h=h))]
    fixed = torch.Generator().manual_seed(2)
    for number, (B, width, H) in enumerate(((2, 3, 2), (3, 4, 5), (1, 2, 3), (2, 1, 1), (3, 3, 3))):
        source = fixed if number == 0 else generator
        W, U = normal(source, 3 * H, width), normal(source, 3 * H, H)
        x, h = normal(source, B, width), normal(source, B, H)
        fed = sizes(("B", B), ("I", width), ("H", H)) + shown(x=x, h=h)
        drawn.append(Probe({"x": x, "h": h, "W": W, "U": U}, fed))
    return drawn


TASK = FunctionTask(
    spec=gru_step_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "2.2",
        "gru_step",
        kind="F",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=gru_step,
        words=words_beside(__file__),
        alternatives=(gru_step_by_lerp,),
    ),
)
