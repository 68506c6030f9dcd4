"""Exercise 4.1, in the chapter: the mask of a batch from its lengths."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.probes import batches
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_bool, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask


def length_mask_spec(lengths: Tensor, max_len: int) -> Tensor:
    mask = torch.zeros(len(lengths), max_len, dtype=torch.bool)
    for b, length in enumerate(lengths.tolist()):
        for t in range(max_len):
            mask[b, t] = t < length
    return mask


def length_mask(lengths: Tensor, max_len: int) -> Tensor:
    positions = torch.arange(max_len, device=lengths.device)  # [T]
    return positions[None, :] < lengths[:, None]  # [1, T] < [B, 1] -> [B, T]


def length_mask_by_cumsum(lengths: Tensor, max_len: int) -> Tensor:
    counts = torch.ones(len(lengths), max_len, dtype=torch.int64).cumsum(1)  # 1, 2, ... T
    return counts.le(lengths.unsqueeze(-1))


def length_mask_by_table(lengths: Tensor, max_len: int) -> Tensor:
    triangle = torch.ones(max_len + 1, max_len).tril(-1).bool()  # row n has n ones
    return triangle[lengths]


# ---------------------------------------------------------------- wrong answers


def positions(max_len: int) -> Tensor:
    return torch.arange(max_len)


def edits_input(lengths: Tensor, max_len: int) -> Tensor:
    return positions(max_len) < lengths.unsqueeze_(1)


def without_return(lengths: Tensor, max_len: int) -> None:
    sequence_mask(lengths, max_len)


MUTANTS = (
    Mutant("no_return", without_return),
    Mutant("transposed", lambda lengths, T: positions(T)[:, None] < lengths[None, :]),
    Mutant(
        "reshaped",
        lambda lengths, T: (positions(T)[:, None] < lengths).reshape(len(lengths), T),
    ),
    Mutant("one_too_many", lambda lengths, T: positions(T) <= lengths[:, None]),
    Mutant("one_too_few", lambda lengths, T: positions(T) + 1 < lengths[:, None]),
    Mutant("inverted", lambda lengths, T: positions(T) >= lengths[:, None]),
    Mutant("inverted", lambda lengths, T: positions(T) > lengths[:, None]),
    Mutant("left", lambda lengths, T: positions(T) >= T - lengths[:, None]),
    Mutant("numbers", lambda lengths, T: sequence_mask(lengths, T).float()),
    Mutant("numbers", lambda lengths, T: sequence_mask(lengths, T).long()),
    Mutant("pad_id", lambda lengths, T: positions(T)[:, None].expand(T, T) != 0),
    Mutant("own_width", lambda lengths, T: sequence_mask(lengths)),
    Mutant("sorted", lambda lengths, T: sequence_mask(lengths.sort(descending=True).values, T)),
    Mutant("squeezed", lambda lengths, T: sequence_mask(lengths, T).squeeze()),
    Mutant("frozen", lambda lengths, T: sequence_mask(torch.tensor([4, 2, 5]), 5)),
    Mutant("argument_changed", edits_input),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    return [
        Probe({"lengths": lengths, "max_len": T}, f"lengths = {lengths.tolist()}, max_len = {T}")
        for lengths, T in batches(generator)
    ]


def facts(probe: Probe, value: Any) -> dict[str, str]:
    """How many positions are on in each row, beside the lengths."""
    if not isinstance(value, Tensor) or value.dim() != 2:
        return {}
    return {
        "row_sums": str(value.sum(1).tolist()),
        "lengths": str(probe.args["lengths"].tolist()),
        "dtype": str(value.dtype).removeprefix("torch."),
    }


TASK = FunctionTask(
    spec=length_mask_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=MUTANTS,
    facts=facts,
)
EXERCISES = (
    Exercise(
        "4.1",
        "length_mask",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=length_mask,
        words=words_beside(__file__),
        alternatives=(length_mask_by_cumsum, length_mask_by_table),
    ),
)
