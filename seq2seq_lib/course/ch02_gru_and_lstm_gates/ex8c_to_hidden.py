"""Exercise 2.8c: the way back, from a summary of both directions to a first state."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch02_gru_and_lstm_gates.probes import sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def to_hidden_spec(summary: Tensor, directions: int) -> Tensor:
    B, width = summary.shape
    H = width // directions
    h_0 = torch.empty(directions, B, H)
    for d in range(directions):
        for b in range(B):
            for unit in range(H):
                h_0[d, b, unit] = summary[b, d * H + unit]
    return h_0


def to_hidden(summary: Tensor, directions: int) -> Tensor:
    return torch.stack(summary.chunk(directions, dim=1))  # D of [B, H] -> [D, B, H]


def to_hidden_by_view(summary: Tensor, directions: int) -> Tensor:
    batch_first = summary.unflatten(1, (directions, -1))  # [B, D, H]
    return batch_first.transpose(0, 1).contiguous()


# ---------------------------------------------------------------- wrong answers


def viewed(summary: Tensor, directions: int) -> Tensor:
    return summary.reshape(directions, len(summary), -1)


def batch_first(summary: Tensor, directions: int) -> Tensor:
    return summary.unflatten(1, (directions, -1))


def interleaved(summary: Tensor, directions: int) -> Tensor:
    return summary.unflatten(1, (-1, directions)).permute(2, 0, 1)


def backward_first(summary: Tensor, directions: int) -> Tensor:
    return to_hidden(summary, directions).flip(0)


def same_for_both(summary: Tensor, directions: int) -> Tensor:
    return summary.chunk(directions, 1)[0].expand(directions, -1, -1)


def chunked_batch(summary: Tensor, directions: int) -> Tensor:
    """The whole summary for each direction."""
    return summary.expand(directions, *summary.shape)


def without_stack(summary: Tensor, directions: int) -> Tensor:
    return torch.cat(summary.chunk(directions, 1))


def always_two(summary: Tensor, directions: int) -> Tensor:
    return torch.stack(summary.chunk(2, 1))


MUTANTS = (
    Mutant("viewed", viewed),
    Mutant("batch_first", batch_first),
    Mutant("interleaved", interleaved),
    Mutant("backward_first", backward_first),
    Mutant("same_for_both", same_for_both),
    Mutant("whole_summary", chunked_batch),
    Mutant("along_the_batch", without_stack),
    Mutant("always_two", always_two),
    Mutant("squeezed", lambda summary, directions: to_hidden(summary, directions).squeeze()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = []
    cases = ((2, 3, 4), (2, 2, 3), (1, 3, 4), (2, 1, 3), (2, 4, 1), (1, 1, 1), (2, 2, 2))
    for number, (D, B, H) in enumerate(cases):
        summary = torch.rand(B, D * H, generator=generator)
        fed = sizes(("D", D), ("B", B), ("H", H))
        if number < 2:  # 1.02 is row 1, column 2
            rows, columns = torch.arange(B)[:, None], torch.arange(D * H)[None, :]
            summary = rows + columns / 100
            fed += ". 1.02 stands in row 1, column 2 of the summary"
        drawn.append(Probe({"summary": summary, "directions": D}, fed))
    return drawn


TASK = FunctionTask(
    spec=to_hidden_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "2.8c",
        "to_hidden",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=6,
        points=2,
        task=TASK,
        reference=to_hidden,
        words=words_beside(__file__),
        alternatives=(to_hidden_by_view,),
    ),
)
