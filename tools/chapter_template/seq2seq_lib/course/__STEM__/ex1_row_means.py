"""__NUMBER__.1: the mean of each row's real cells, floats ``[B]``."""

import torch
from torch import Tensor

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def row_means_spec(values: Tensor, lengths: Tensor) -> Tensor:
    """The slow loop: add up the first ``lengths[b]`` cells of row b, and divide by their number."""
    means = torch.zeros(len(values))
    for b, length in enumerate(lengths.tolist()):
        for t in range(length):
            means[b] += values[b, t] / length
    return means


def row_means(values: Tensor, lengths: Tensor) -> Tensor:
    mask = torch.arange(values.size(1)) < lengths[:, None]  # [T] < [B, 1] -> [B, T]
    return values.masked_fill(~mask, 0.0).sum(dim=1) / lengths  # [B]


def row_means_by_running_sum(values: Tensor, lengths: Tensor) -> Tensor:
    last = (lengths - 1).unsqueeze(1)  # [B, 1]
    return values.double().cumsum(dim=1).gather(1, last).squeeze(1).div(lengths).float()


def over_all_cells(values: Tensor, lengths: Tensor) -> Tensor:
    return values.mean(dim=1)


def one_cell_too_many(values: Tensor, lengths: Tensor) -> Tensor:
    mask = torch.arange(values.size(1)) <= lengths[:, None]
    return (values * mask).sum(dim=1) / lengths


def one_cell_too_few(values: Tensor, lengths: Tensor) -> Tensor:
    mask = torch.arange(values.size(1)) < lengths[:, None] - 1
    return (values * mask).sum(dim=1) / lengths


def by_the_width(values: Tensor, lengths: Tensor) -> Tensor:
    return row_means(values, lengths) * lengths / values.size(1)


def sums(values: Tensor, lengths: Tensor) -> Tensor:
    return row_means(values, lengths) * lengths


def probes(generator: torch.Generator) -> list[Probe]:
    """One that is fixed and small, one that is drawn; rows of one cell and full rows in both."""
    lengths = torch.randint(2, 6, (5,), generator=generator)
    lengths[:2] = torch.tensor([1, 6])
    drawn = torch.randn(5, 6, generator=generator)  # what stands at pads is not 0
    cases = [
        (torch.tensor([[4.0, 2.0, 3.0], [5.0, 9.0, 8.0]]), torch.tensor([3, 1])),
        (drawn, lengths),
    ]
    return [
        Probe(
            {"values": values, "lengths": lengths},
            f"values of shape {list(values.shape)}, lengths = {lengths.tolist()}",
        )
        for values, lengths in cases
    ]


TASK = FunctionTask(
    spec=row_means_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=(
        Mutant("all_cells", over_all_cells),
        Mutant("one_too_many", one_cell_too_many),
        Mutant("one_too_few", one_cell_too_few),
        Mutant("by_the_width", by_the_width),
        Mutant("sums", sums),
    ),
)

EXERCISES = (
    Exercise(
        "__NUMBER__.1",
        "row_means",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=8,
        points=2,
        task=TASK,
        reference=row_means,
        words=words_beside(__file__),
        alternatives=(row_means_by_running_sum,),
    ),
)
