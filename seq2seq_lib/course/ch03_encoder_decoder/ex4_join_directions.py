"""Exercise 3.4: the final states of both directions, joined for each sentence and layer."""

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def join_directions_spec(h_n: Tensor, num_layers: int) -> Tensor:
    _, B, U = h_n.shape
    joined = torch.zeros(B, num_layers, 2 * U)
    for b in range(B):
        for layer in range(num_layers):
            for u in range(U):
                joined[b, layer, u] = h_n[2 * layer, b, u]  # forward
                joined[b, layer, U + u] = h_n[2 * layer + 1, b, u]  # backward
    return joined


def join_directions(h_n: Tensor, num_layers: int) -> Tensor:
    _, B, U = h_n.shape
    apart = h_n.view(num_layers, 2, B, U)  # [2L, B, U] -> [L, 2, B, U]
    return apart.permute(2, 0, 1, 3).reshape(B, num_layers, 2 * U)  # [B, L, 2, U] -> [B, L, 2U]


def join_by_steps(h_n: Tensor, num_layers: int) -> Tensor:
    return torch.cat([h_n[0::2], h_n[1::2]], -1).transpose(0, 1)  # [L, B, 2U] -> [B, L, 2U]


def join_row_by_row(h_n: Tensor, num_layers: int) -> Tensor:
    rows = [state.reshape(num_layers, -1) for state in h_n.unbind(1)]
    return torch.stack(rows)


# ---------------------------------------------------------------- wrong answers


def no_return(h_n: Tensor, L: int) -> None:
    join_directions(h_n, L)


def sizes(h_n: Tensor, L: int) -> tuple[int, int, int]:
    return h_n.size(1), L, 2 * h_n.size(2)


def by_direction(h_n: Tensor, L: int) -> Tensor:
    return torch.cat([h_n[:L], h_n[L:]], -1).transpose(0, 1)


def backward_first(h_n: Tensor, L: int) -> Tensor:
    return torch.cat([h_n[1::2], h_n[0::2]], -1).transpose(0, 1)


def permuted(h_n: Tensor, L: int, *axes: int) -> Tensor:
    """Split as is right, and joined in another order of axes."""
    apart = h_n.view(L, 2, h_n.size(1), h_n.size(2))
    return apart.permute(*axes).reshape(*sizes(h_n, L))


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("rows_mixed", lambda h_n, L: h_n.view(*sizes(h_n, L))),
    Mutant("rows_mixed", lambda h_n, L: h_n.view(h_n.size(1), -1)),
    Mutant("rows_mixed", lambda h_n, L: h_n.transpose(1, 2).reshape(*sizes(h_n, L))),
    Mutant("rows_mixed", lambda h_n, L: permuted(h_n, L, 0, 2, 1, 3)),
    Mutant("rows_mixed", lambda h_n, L: permuted(h_n, L, 1, 2, 0, 3)),
    Mutant("crossed", lambda h_n, L: permuted(h_n, L, 2, 1, 0, 3)),
    Mutant("by_direction", by_direction),
    Mutant("backward_first", backward_first),
    Mutant("layers_first", lambda h_n, L: torch.cat([h_n[0::2], h_n[1::2]], -1)),
    Mutant("summed", lambda h_n, L: (h_n[0::2] + h_n[1::2]).transpose(0, 1)),
    Mutant("summed", lambda h_n, L: ((h_n[0::2] + h_n[1::2]) / 2).transpose(0, 1)),
    Mutant("one_direction", lambda h_n, L: h_n[:L].transpose(0, 1)),
    Mutant("one_direction", lambda h_n, L: h_n[0::2].transpose(0, 1)),
    Mutant("top_layer", lambda h_n, L: torch.cat([h_n[-2], h_n[-1]], -1)),
    Mutant("interleaved", lambda h_n, L: torch.stack([h_n[0::2], h_n[1::2]], -1)
           .transpose(0, 1).reshape(*sizes(h_n, L))),
    Mutant("squeezed", lambda h_n, L: join_by_steps(h_n, L).squeeze()),
)  # fmt: skip


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """The one-number machine first; then layers, rows and units that all differ; then edges."""
    table = torch.tensor([[314.0, 27182, 5], [413, 28172, 5]])[..., None]  # [2, B, U = 1]
    drawn = [Probe({"h_n": table, "num_layers": 1}, f"num_layers = 1, h_n[..., 0] = "
                   f"{describe.rows(table[..., 0])}")]  # fmt: skip
    for L, B, U in ((2, 3, 4), (3, 5, 2), (1, 4, 3), (2, 1, 3), (2, 2, 1), (1, 1, 1)):
        h_n = torch.randn(2 * L, B, U, generator=generator)
        drawn.append(Probe({"h_n": h_n, "num_layers": L}, f"num_layers = {L}, B = {B}, U = {U}"))
    return drawn


TASK = FunctionTask(
    spec=join_directions_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "3.4",
        "join_directions",
        kind="F",
        difficulty=2,
        importance=4,
        minutes=8,
        points=2,
        task=TASK,
        reference=join_directions,
        words=words_beside(__file__),
        alternatives=(join_by_steps, join_row_by_row),
    ),
)
