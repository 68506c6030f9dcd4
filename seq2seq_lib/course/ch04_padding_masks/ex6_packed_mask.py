"""Exercise 4.6: who may look at whom in a row that holds several sentences."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_bool, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def packed_mask_spec(segments: Tensor) -> Tensor:
    B, T = segments.shape
    mask = torch.zeros(B, T, T, dtype=torch.bool)
    for b in range(B):
        for query in range(T):
            for key in range(query + 1):
                same = segments[b, query] == segments[b, key]
                mask[b, query, key] = same and segments[b, query] != 0
    return mask


def packed_mask(segments: Tensor) -> Tensor:
    same = segments[:, :, None] == segments[:, None, :]  # [B, T, 1] == [B, 1, T] -> [B, T, T]
    real = (segments != 0)[:, :, None]  # [B, T, 1]; its key is real too, if both are the same
    return (same & real).tril()


def packed_mask_by_positions(segments: Tensor) -> Tensor:
    positions = torch.arange(segments.size(1))
    earlier = positions[None, :] <= positions[:, None]  # [T, T]
    same = (segments.unsqueeze(2) - segments.unsqueeze(1)).eq(0)
    return same & earlier & segments.ne(0).unsqueeze(1)


def packed_mask_by_blocks(segments: Tensor) -> Tensor:
    masks = [
        torch.block_diag(
            *[
                torch.full((int(count), int(count)), float(number != 0)).tril()
                for number, count in zip(*row.unique_consecutive(return_counts=True), strict=True)
            ]
        )
        for row in segments
    ]
    return torch.stack(masks).bool()


# ---------------------------------------------------------------- wrong answers


def same_segment(segments: Tensor) -> Tensor:
    return segments[:, :, None] == segments[:, None, :]


def both_real(segments: Tensor) -> Tensor:
    real = segments != 0
    return real[:, :, None] & real[:, None, :]


def into_argument(segments: Tensor) -> Tensor:
    mask = packed_mask(segments)
    segments[segments == 0] = -1
    return mask


def without_return(segments: Tensor) -> None:
    packed_mask(segments)


def causal(segments: Tensor) -> Tensor:
    B, T = segments.shape
    return torch.ones(B, T, T, dtype=torch.bool).tril()


def real_keys(segments: Tensor) -> Tensor:
    return (segments != 0)[:, None, :].expand(-1, segments.size(1), -1)


MUTANTS = (
    Mutant("no_return", without_return),
    Mutant("causal_alone", lambda segments: both_real(segments).tril()),
    Mutant("causal_alone", causal),
    Mutant("causal_alone", lambda segments: causal(segments) & real_keys(segments)),
    Mutant("keys_alone", real_keys),
    Mutant("keys_alone", both_real),
    Mutant("not_causal", lambda segments: same_segment(segments) & both_real(segments)),
    Mutant("pads_look", lambda segments: same_segment(segments).tril()),
    Mutant("future", lambda segments: packed_mask(segments).mT),
    Mutant("not_itself", lambda segments: packed_mask(segments).tril(-1)),
    Mutant("inverted", lambda segments: ~packed_mask(segments)),
    Mutant("numbers", lambda segments: packed_mask(segments).float()),
    Mutant(
        "numbers",
        lambda segments: torch.zeros(packed_mask(segments).shape).masked_fill(
            ~packed_mask(segments), float("-inf")
        ),
    ),
    Mutant("first_row", lambda segments: packed_mask(segments[:1]).expand(len(segments), -1, -1)),
    Mutant("squeezed", lambda segments: packed_mask(segments).squeeze(0)),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def draw_segments(B: int, T: int, generator: torch.Generator) -> Tensor:
    """int64 ``[B, T]``: sentences 1, 2, ... side by side, a few pads (0) at the end of a row."""
    starts = torch.rand(B, T, generator=generator) < 0.35
    segments = 1 + starts[:, 1:].cumsum(1)
    segments = torch.cat([torch.ones(B, 1, dtype=torch.int64), segments], 1)
    pads = torch.randint(0, max(T // 3, 1) + 1, (B,), generator=generator)
    return segments.masked_fill(torch.arange(T) >= T - pads[:, None], 0)


def probes(generator: torch.Generator) -> list[Probe]:
    drawn = [
        torch.tensor([[1, 1, 2, 2, 0]]),
        torch.tensor([[1, 1, 1, 0], [1, 2, 2, 3]]),
        draw_segments(3, 7, generator),
        draw_segments(5, 5, generator),
        draw_segments(2, 9, generator),
        torch.tensor([[1]]),
        torch.tensor([[1, 2, 3, 4]]),  # a sentence of one token each
        torch.tensor([[1, 1, 1], [0, 0, 0]]),  # one whole sentence, and a row of pads alone
    ]
    return [
        Probe({"segments": segments}, f"segments = {describe.rows(segments)}") for segments in drawn
    ]


def looks(probe: Probe, value: Any) -> dict[str, str]:
    """How many keys each query of the first row sees."""
    if not isinstance(value, Tensor) or value.dim() != 3:
        return {}
    return {
        "seen": str(value[0].sum(-1).tolist()),
        "dtype": str(value.dtype).removeprefix("torch."),
    }


def first_wrong_row(probe: Probe, value: Tensor, expected: Tensor) -> Problem:
    """The first table that is wrong, beside the right one, both as the exercise prints them."""
    b = int((value != expected).flatten(1).any(1).nonzero()[0])
    return "table", {
        "segments": " ".join(map(str, probe.args["segments"][b].tolist())),
        "yours": describe.rows(value[b]),
        "right": describe.rows(expected[b]),
    }


TASK = FunctionTask(
    spec=packed_mask_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=MUTANTS,
    facts=looks,
    explain=first_wrong_row,
)
EXERCISES = (
    Exercise(
        "4.6",
        "packed_mask",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=12,
        points=4,
        task=TASK,
        reference=packed_mask,
        words=words_beside(__file__),
        alternatives=(packed_mask_by_positions, packed_mask_by_blocks),
    ),
)
