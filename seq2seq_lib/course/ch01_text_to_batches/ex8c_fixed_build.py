"""Exercise 1.8c: the patient healed, and the wrong arrays that the test of 1.8b must tell apart."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch01_text_to_batches.patient import patient_build
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, holds_numbers
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import EOS_ID, PAD_ID

Lines = list[list[int]]


def build_spec(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = [], []
    for line in lines:
        row = []
        for word in line:
            if len(row) < num_steps - 1:  # one cell is kept for EOS
                row.append(word)
        row.append(EOS_ID)
        lengths.append(len(row))
        while len(row) < num_steps:
            row.append(PAD_ID)
        ids.append(row)
    return torch.tensor(ids), torch.tensor(lengths)


def fixed_build(lines: list[list[int]], num_steps: int) -> tuple[Tensor, Tensor]:
    ids = torch.zeros(len(lines), num_steps, dtype=torch.int64)
    lengths = torch.zeros(len(lines), dtype=torch.int64)
    for row, line in enumerate(lines):
        sentence = [*line[: num_steps - 1], EOS_ID]  # cut first, then end
        ids[row, : len(sentence)] = torch.tensor(sentence)
        lengths[row] = len(sentence)
    return ids, lengths


def build_by_masks(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([len(line) + 1 for line in lines]).clamp(max=num_steps)  # [B]
    positions = torch.arange(num_steps)[None, :]
    longest = num_steps + max(map(len, lines))
    ids = torch.tensor([[*line, *[PAD_ID] * (longest - len(line))] for line in lines])
    ids = ids[:, :num_steps].masked_fill(positions == lengths[:, None] - 1, EOS_ID)
    return ids.masked_fill(positions >= lengths[:, None], PAD_ID), lengths


def build_of_lists(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    rows = [line[: num_steps - 1] + [EOS_ID] for line in lines]
    lengths = torch.tensor([len(row) for row in rows])
    return torch.tensor([row + [PAD_ID] * (num_steps - len(row)) for row in rows]), lengths


# ---------------------------------------------------------------- wrong answers


def length_before_cut(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, _ = fixed_build(lines, num_steps)
    return ids, torch.tensor([len(line) + 1 for line in lines])


def end_not_counted(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    return ids, lengths - 1


def length_of_the_line(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, _ = fixed_build(lines, num_steps)
    return ids, torch.tensor([len(line) for line in lines])


def end_in_last_column(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    ids[ids == EOS_ID] = PAD_ID
    ids[:, -1] = EOS_ID
    return ids, lengths


def cut_at_front(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    return fixed_build([line[max(0, len(line) - num_steps + 1) :] for line in lines], num_steps)


def cut_too_much(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    return fixed_build([line[: max(1, num_steps - 2)] for line in lines], num_steps)


def two_ends(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    for row, length in enumerate(lengths.tolist()):
        ids[row, length : length + 1] = EOS_ID
    return ids, lengths


def padded_with_ends(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    return ids.masked_fill(ids == PAD_ID, EOS_ID), lengths


def padded_left(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    turned = [
        row.roll(num_steps - length) for row, length in zip(ids, lengths.tolist(), strict=True)
    ]
    return torch.stack(turned), lengths


def without_end(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    return ids.masked_fill(ids == EOS_ID, PAD_ID), lengths - 1


def own_width(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    ids, lengths = fixed_build(lines, num_steps)
    return ids[:, : int(lengths.max())], lengths


def ended_in_place(lines: Lines, num_steps: int) -> tuple[Tensor, Tensor]:
    for line in lines:
        line[num_steps - 1 :] = [EOS_ID]
    return fixed_build([line[:-1] for line in lines], num_steps)


MUTANTS = (
    Mutant("end_cut", patient_build),
    Mutant("length_before_cut", length_before_cut),
    Mutant("end_not_counted", end_not_counted),
    Mutant("length_of_the_line", length_of_the_line),
    Mutant("end_in_last_column", end_in_last_column),
    Mutant("cut_at_front", cut_at_front),
    Mutant("cut_too_much", cut_too_much),
    Mutant("two_ends", two_ends),
    Mutant("padded_with_ends", padded_with_ends),
    Mutant("padded_left", padded_left),
    Mutant("without_end", without_end),
    Mutant("own_width", own_width),
    Mutant("argument_changed", ended_in_place),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    def line(size: int) -> list[int]:
        return torch.randint(4, 90, (size,), generator=generator).tolist()

    fed = [
        ([[13, 7, 4, 6, 15, 9], [16, 5], [9, 12, 8, 14]], 5),
        ([[5, 6, 7], [8], [9, 4]], 6),
        ([line(3), line(9), line(1), line(6), line(7)], 7),
        ([[7, 8]], 3),
        ([[7, 8, 9, 4], [5, 6, 4]], 2),
    ]
    return [
        Probe(
            {"lines": [list(words) for words in lines], "num_steps": width},
            f"lines = {lines}, num_steps = {width}",
        )
        for lines, width in fed
    ]


def are_two_tensors(value: Any, expected: Any) -> Problem | None:
    """A step: ids and lengths, in integers."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or len(value) != 2:
        return "not_two", {}
    if not all(map(holds_numbers, value)):
        return "not_two", {}
    for name, part in zip(("ids", "lengths"), value, strict=True):
        if part.is_floating_point() or part.dtype == torch.bool:
            dtype = str(part.dtype).removeprefix("torch.")
            return "not_integers", {"name": name, "dtype": dtype}
    shapes = [list(part.shape) for part in value]
    wanted = [list(part.shape) for part in expected]
    if shapes != wanted:
        return "shapes", {"shapes": str(shapes), "expected": str(wanted)}
    return None


TASK = FunctionTask(spec=build_spec, probes=probes, steps=(are_two_tensors,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "1.8c",
        "fixed_build",
        kind="D",
        difficulty=2,
        importance=4,
        minutes=6,
        points=3,
        task=TASK,
        reference=fixed_build,
        words=words_beside(__file__),
        alternatives=(build_by_masks, build_of_lists),
    ),
)
