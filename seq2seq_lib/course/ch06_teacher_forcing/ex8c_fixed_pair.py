"""Exercise 6.8c: the patient healed, so that no decoder reads the token that it must say."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from seq2seq_lib.course.ch06_teacher_forcing import pairs
from seq2seq_lib.course.ch06_teacher_forcing.patient import patient_pair
from seq2seq_lib.course.ch06_teacher_forcing.probes import draw_lengths, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, holds_numbers
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


def fixed_pair_spec(targets: list[list[int]]) -> tuple[Tensor, Tensor]:
    B, T = len(targets), max(map(len, targets)) + 1
    tgt_in, tgt_out = torch.zeros(2, B, T, dtype=torch.int64)
    for b, target in enumerate(targets):
        tgt_in[b, 0] = BOS_ID
        for t, token in enumerate(target):
            tgt_out[b, t] = token
            tgt_in[b, t + 1] = token
        tgt_out[b, len(target)] = EOS_ID
    return tgt_in, tgt_out


def fixed_pair(targets: list[list[int]]) -> tuple[Tensor, Tensor]:
    said = [torch.tensor([*target, EOS_ID]) for target in targets]
    read = [torch.tensor([BOS_ID, *target]) for target in targets]
    tgt_out = pad_sequence(said, batch_first=True, padding_value=PAD_ID)  # [B, T]
    tgt_in = pad_sequence(read, batch_first=True, padding_value=PAD_ID)  # [B, T]
    return tgt_in, tgt_out


def fixed_by_cutting(targets: list[list[int]]) -> tuple[Tensor, Tensor]:
    T = max(map(len, targets)) + 2
    rows = [[BOS_ID, *target, EOS_ID] for target in targets]
    table = torch.tensor([row + [PAD_ID] * (T - len(row)) for row in rows])  # [B, T + 1]
    return table[:, :-1].masked_fill(table[:, :-1] == EOS_ID, PAD_ID), table[:, 1:]


# ---------------------------------------------------------------- wrong answers


def no_return(*args: Any) -> None:
    fixed_pair(*args)


def both(change):
    """Something done to both of the right tables."""
    return lambda targets: tuple(map(change, fixed_pair(targets)))


def one_row_shifted(targets: list[list[int]]) -> tuple[Tensor, Tensor]:
    tgt_out = fixed_pair(targets)[1]
    return torch.cat([torch.full_like(tgt_out[:1], BOS_ID), tgt_out[:-1]]), tgt_out


def first_overwritten(targets: list[list[int]]) -> tuple[Tensor, Tensor]:
    tgt_out = fixed_pair(targets)[1]
    tgt_in = tgt_out.clone()
    tgt_in[:, 0] = BOS_ID
    return tgt_in, tgt_out


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("no_shift", patient_pair),
    Mutant("rolled", pairs.rolled),
    Mutant("next_but_one", pairs.next_but_one),
    Mutant("no_bos", pairs.no_bos),
    Mutant("no_end", pairs.no_end),
    Mutant("wrong_way", pairs.wrong_way),
    Mutant("longest_first", pairs.longest_first),
    Mutant("eos_read", pairs.one_table_cut_twice),
    Mutant("first_overwritten", first_overwritten),
    Mutant("rows_shifted", one_row_shifted),
    Mutant("not_two", lambda targets: fixed_pair(targets)[0]),
    Mutant("not_two", both(lambda table: table.tolist())),
    Mutant("other_shape", both(lambda table: table.T)),
    Mutant("other_shape", both(lambda table: table[:, :-1])),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Targets of several lengths, the longest not first, empty ones among them."""
    drawn = []
    for B, T in [*sizes(generator), (3, 6)]:
        lengths = (draw_lengths(B, T, generator) - 1).tolist()  # without EOS
        targets = [torch.randint(3, 30, (n,), generator=generator).tolist() for n in lengths]
        drawn.append(Probe({"targets": targets}, f"targets = {targets}"))
    return drawn


def are_two_tables(value: Any, expected: tuple[Tensor, Tensor]) -> Problem | None:
    """A step: two int64 tensors of the expected shape."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, tuple | list) or len(value) != 2 or not all(map(holds_numbers, value)):
        return "not_two", {}
    for name, found, table in zip(("tgt_in", "tgt_out"), value, expected, strict=True):
        if found.shape != table.shape:
            shape, wanted = str(list(found.shape)), str(list(table.shape))
            return "other_shape", {"name": name, "shape": shape, "expected": wanted}
        if found.dtype != torch.int64:
            return "not_ids", {"name": name, "dtype": str(found.dtype).removeprefix("torch.")}
    return None


TASK = FunctionTask(spec=fixed_pair_spec, probes=probes, steps=(are_two_tables,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "6.8c",
        "fixed_pair",
        kind="D",
        difficulty=2,
        importance=5,
        minutes=6,
        points=3,
        task=TASK,
        reference=fixed_pair,
        words=words_beside(__file__),
        alternatives=(fixed_by_cutting,),
    ),
)
