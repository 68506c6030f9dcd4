"""Exercise 8.2: what one score can move. Asked in the chapter itself."""

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def jacobian_spec(a: Tensor) -> Tensor:
    J = torch.zeros(len(a), len(a))
    for i in range(len(a)):
        for j in range(len(a)):
            J[i, j] = a[i] * (float(i == j) - a[j])
    return J


def jacobian(a: Tensor) -> Tensor:
    return a.diag() - a[:, None] * a[None, :]  # [S, S] - [S, 1] * [1, S]


def jacobian_by_identity(a: Tensor) -> Tensor:
    return a[:, None] * (torch.eye(len(a)) - a)


def jacobian_by_autograd(a: Tensor) -> Tensor:
    return torch.autograd.functional.jacobian(lambda e: e.softmax(-1), a.log())


MUTANTS = (
    Mutant("no_diagonal", lambda a: -a[:, None] * a[None, :]),
    Mutant("diagonal_only", lambda a: (a * (1 - a)).diag()),
    Mutant("sign", lambda a: a[:, None] * a[None, :] - a.diag()),
    Mutant("identity", lambda a: torch.eye(len(a)) - a[:, None] * a[None, :]),
    Mutant("plus", lambda a: a.diag() + a[:, None] * a[None, :]),
    Mutant("one_number", lambda a: a.diag() - (a @ a)),
)


def probes(generator: torch.Generator) -> list[Probe]:
    """Weights of three tokens, equal ones, drawn ones, one token alone."""
    drawn = [torch.randn(n, generator=generator).softmax(-1) for n in (2, 5, 7)]
    rows = [torch.tensor([0.5, 0.3, 0.2]), torch.full((4,), 0.25), *drawn, torch.ones(1)]
    shown = [", ".join(f"{x:.3g}" for x in row.tolist()) for row in rows]
    return [
        Probe({"a": row}, f"a = [{text}]", False) for row, text in zip(rows, shown, strict=True)
    ]


TASK = FunctionTask(
    spec=jacobian_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "8.2",
        "jacobian",
        kind="I",
        difficulty=2,
        importance=3,
        minutes=4,
        points=0,
        task=TASK,
        reference=jacobian,
        words=words_beside(__file__),
        alternatives=(jacobian_by_identity, jacobian_by_autograd),
    ),
)
