"""Exercise 6.8c: what a decoder reads, made from what it must say."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.ex1_free_run import are_ids
from seq2seq_lib.course.ch06_teacher_forcing.probes import draw_lengths, draw_targets, sizes
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


def shift_right_spec(tgt_out: Tensor) -> Tensor:
    tgt_in = torch.zeros_like(tgt_out)
    for b in range(tgt_out.size(0)):
        tgt_in[b, 0] = BOS_ID
        for t in range(1, tgt_out.size(1)):
            tgt_in[b, t] = tgt_out[b, t - 1]
    return tgt_in


def shift_right(tgt_out: Tensor) -> Tensor:
    bos = torch.full_like(tgt_out[:, :1], BOS_ID)  # [B, 1]
    return torch.cat([bos, tgt_out[:, :-1]], 1)  # [B, T]


def shift_right_by_padding(tgt_out: Tensor) -> Tensor:
    return F.pad(tgt_out[:, :-1], (1, 0), value=BOS_ID)


# ---------------------------------------------------------------- wrong answers


def begins_with(id: int):
    def answer(tgt_out: Tensor) -> Tensor:
        return F.pad(tgt_out[:, :-1], (1, 0), value=id)

    return answer


def in_place(tgt_out: Tensor) -> Tensor:
    tgt_out.copy_(shift_right(tgt_out))
    return tgt_out


def smeared(tgt_out: Tensor) -> Tensor:
    tgt_in = tgt_out.clone()
    for t in range(1, tgt_in.size(1)):
        tgt_in[:, t] = tgt_in[:, t - 1]
    tgt_in[:, 0] = BOS_ID
    return tgt_in


def first_overwritten(tgt_out: Tensor) -> Tensor:
    tgt_in = tgt_out.clone()
    tgt_in[:, 0] = BOS_ID
    return tgt_in


def rows_shifted(tgt_out: Tensor) -> Tensor:
    bos = torch.full_like(tgt_out[:1], BOS_ID)
    return torch.cat([bos, tgt_out[:-1]])


def no_return(*args: Any) -> None:
    shift_right(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("no_shift", lambda tgt_out: tgt_out.clone()),
    Mutant("rolled", lambda tgt_out: tgt_out.roll(1, 1)),
    Mutant("begins_with_pad", begins_with(PAD_ID)),
    Mutant("begins_with_eos", begins_with(EOS_ID)),
    Mutant("left", lambda tgt_out: F.pad(tgt_out[:, 1:], (0, 1))),
    Mutant("longer", lambda tgt_out: F.pad(tgt_out, (1, 0), value=BOS_ID)),
    Mutant("shorter", lambda tgt_out: tgt_out[:, :-1]),
    Mutant("twice", lambda tgt_out: shift_right(shift_right(tgt_out))),
    Mutant("first_overwritten", first_overwritten),
    Mutant("smeared", smeared),
    Mutant("rows_shifted", rows_shifted),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Targets of several lengths; one sentence, one position, one cell."""
    drawn = []
    for B, T in sizes(generator):
        tgt_out = draw_targets(draw_lengths(B, T, generator), T, 30, generator)[1]
        few = tgt_out.numel() <= describe.MANY
        words = describe.rows(tgt_out) if few else str(list(tgt_out.shape))
        drawn.append(Probe({"tgt_out": tgt_out}, f"tgt_out = {words}"))
    return drawn


TASK = FunctionTask(
    spec=shift_right_spec,
    probes=probes,
    steps=(is_tensor, has_shape, are_ids),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "6.8c",
        "shift_right",
        kind="D",
        difficulty=2,
        importance=5,
        minutes=5,
        points=3,
        task=TASK,
        reference=shift_right,
        words=words_beside(__file__),
        alternatives=(shift_right_by_padding,),
    ),
)
