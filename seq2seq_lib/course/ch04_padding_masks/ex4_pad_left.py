"""Exercise 4.4: move a batch that is padded on the right to padding on the left."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.probes import batches, fed
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_int64, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask


def pad_left_spec(ids: Tensor, lengths: Tensor) -> Tensor:
    moved = torch.zeros_like(ids)
    B, T = ids.shape
    for b in range(B):
        length = int(lengths[b])
        for t in range(length):
            moved[b, T - length + t] = ids[b, t]
    return moved


def pad_left(ids: Tensor, lengths: Tensor) -> Tensor:
    positions = torch.arange(ids.size(1))[None, :]  # [1, T]
    right = positions < lengths[:, None]  # [B, T], where the tokens are
    left = positions >= ids.size(1) - lengths[:, None]  # [B, T], where they go
    moved = torch.zeros_like(ids)
    moved[left] = ids[right]  # both read row by row: equally many in each row, in the same order
    return moved


def pad_left_by_gather(ids: Tensor, lengths: Tensor) -> Tensor:
    came_from = torch.arange(ids.size(1)) - (ids.size(1) - lengths[:, None])  # [B, T]
    return ids.gather(1, came_from.clamp(min=0)).masked_fill(came_from < 0, 0)


def pad_left_by_rolling(ids: Tensor, lengths: Tensor) -> Tensor:
    T = ids.size(1)
    rows = [
        F.pad(row[:length], (T - length, 0))
        for row, length in zip(ids, lengths.tolist(), strict=True)
    ]
    return torch.stack(rows)


# ---------------------------------------------------------------- wrong answers


def without_pads(ids: Tensor, lengths: Tensor) -> Tensor:
    return ids * sequence_mask(lengths, ids.size(1))


def flipped(ids: Tensor, lengths: Tensor) -> Tensor:
    return without_pads(ids, lengths).flip(1)


def into_argument(ids: Tensor, lengths: Tensor) -> Tensor:
    ids.copy_(pad_left(ids, lengths))
    return ids


def pads_kept(ids: Tensor, lengths: Tensor) -> Tensor:
    return torch.stack(
        [row.roll(-length) for row, length in zip(ids, lengths.tolist(), strict=True)]
    )


def one_shift(ids: Tensor, lengths: Tensor) -> Tensor:
    return without_pads(ids, lengths).roll(int(ids.size(1) - lengths.max()), 1)


def by_id(ids: Tensor, lengths: Tensor) -> Tensor:
    return pad_left(ids, (ids != 0).sum(1))


def mask_alone(ids: Tensor, lengths: Tensor) -> Tensor:
    return ids * sequence_mask(lengths, ids.size(1)).flip(1)


def one_off(ids: Tensor, lengths: Tensor) -> Tensor:
    return pad_left(ids, lengths).roll(-1, 1)


def swapped(ids: Tensor, lengths: Tensor) -> Tensor:
    positions = torch.arange(ids.size(1))[None, :]
    moved = torch.zeros_like(ids)
    moved[positions < lengths[:, None]] = ids[positions >= ids.size(1) - lengths[:, None]]
    return moved


def places(right: Callable, left: Callable) -> Callable:
    """The stub with a wrong blank: ``(positions, lengths [B, 1], T) -> mask`` for both masks."""

    def wrong(ids: Tensor, lengths: Tensor) -> Tensor:
        positions = torch.arange(ids.size(1))[None, :]
        moved = torch.zeros_like(ids)
        now = left(positions, lengths[:, None], ids.size(1))
        moved[now] = ids[right(positions, lengths[:, None], ids.size(1))]
        return moved

    return wrong


def no_return(ids: Tensor, lengths: Tensor) -> None:
    pad_left(ids, lengths)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("not_moved", without_pads),
    Mutant("not_moved", lambda ids, lengths: ids.clone()),
    Mutant("backwards", flipped),
    Mutant("backwards", lambda ids, lengths: ids.flip(1)),
    Mutant("pads_kept", pads_kept),
    Mutant("one_shift", one_shift),
    Mutant("by_id", by_id),
    Mutant("mask_alone", mask_alone),
    Mutant("one_off", one_off),
    Mutant("swapped", swapped),
    Mutant("left_is_pads", places(lambda t, n, T: t < n, lambda t, n, T: t >= n)),
    Mutant("not_as_many", places(lambda t, n, T: t < n, lambda t, n, T: t > T - n)),
    Mutant("not_as_many", places(lambda t, n, T: t <= n, lambda t, n, T: t >= T - n)),
    Mutant("squeezed", lambda ids, lengths: pad_left(ids, lengths).squeeze(0)),
    Mutant("floats", lambda ids, lengths: pad_left(ids, lengths).float()),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Ids from 1, but one token of a longer sentence is 0; anything stands at the pads."""
    drawn = []
    for number, (lengths, T) in enumerate(batches(generator)):
        mask = sequence_mask(lengths, T)
        ids = torch.randint(1, 90, mask.shape, generator=generator)
        if number < 2:
            ids = torch.arange(1, mask.numel() + 1).view_as(mask)
            ids = ids.where(mask, 99)
        elif lengths.max() > 1:
            ids[lengths.argmax(), 1] = 0
        words = f"; ids = {describe.rows(ids)}" if ids.numel() <= describe.MANY else ""
        drawn.append(Probe({"ids": ids, "lengths": lengths}, fed(lengths, T, words)))
    return drawn


TASK = FunctionTask(
    spec=pad_left_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_int64),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "4.4",
        "pad_left",
        kind="F",
        difficulty=2,
        importance=4,
        minutes=8,
        points=2,
        task=TASK,
        reference=pad_left,
        words=words_beside(__file__),
        alternatives=(pad_left_by_gather, pad_left_by_rolling),
    ),
)
