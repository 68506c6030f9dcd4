"""Exercise 10.4: rows of sampled ids become sentences, cut where they end."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch10_latent_seq2seq.common import is_list_of_lists
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside


def cut_at_eos_spec(ids: Tensor, eos_id: int) -> list[list[int]]:
    sentences = []
    for row in ids.tolist():
        sentence = []
        for token in row:
            if token == eos_id:
                break
            sentence.append(token)
        sentences.append(sentence)
    return sentences


def cut_at_eos(ids: Tensor, eos_id: int) -> list[list[int]]:
    sentences = []
    for row in ids.tolist():
        end = row.index(eos_id) if eos_id in row else len(row)
        sentences.append(row[:end])
    return sentences


def cut_at_eos_by_cumsum(ids: Tensor, eos_id: int) -> list[list[int]]:
    before = (ids == eos_id).cumsum(1) == 0  # [N, T], True until the first EOS
    return [row[kept].tolist() for row, kept in zip(ids, before, strict=True)]


# ---------------------------------------------------------------- wrong answers


def find(row: list[int], eos_id: int) -> int:
    """Position of the first EOS, −1 without one, as ``str.find`` has it."""
    return row.index(eos_id) if eos_id in row else -1


def minus_one(ids: Tensor, eos_id: int) -> list[list[int]]:
    return [row[: find(row, eos_id)] for row in ids.tolist()]


def by_argmax(ids: Tensor, eos_id: int) -> list[list[int]]:
    ends = (ids == eos_id).int().argmax(1).tolist()
    return [row[:end] for row, end in zip(ids.tolist(), ends, strict=True)]


def at_the_last(ids: Tensor, eos_id: int) -> list[list[int]]:
    rows = []
    for row in ids.tolist():
        back = find(row[::-1], eos_id)
        rows.append(row if back < 0 else row[: len(row) - 1 - back])
    return rows


def with_eos(ids: Tensor, eos_id: int) -> list[list[int]]:
    rows = ids.tolist()
    return [row[: row.index(eos_id) + 1] if eos_id in row else row for row in rows]


def filtered(ids: Tensor, eos_id: int) -> list[list[int]]:
    return [[token for token in row if token not in (eos_id, 0)] for row in ids.tolist()]


def without_eos(ids: Tensor, eos_id: int) -> list[list[int]]:
    return [[token for token in row if token != eos_id] for row in ids.tolist()]


def all_alike(ids: Tensor, eos_id: int) -> list[list[int]]:
    rows = ids.tolist()
    end = min((find(row, eos_id) for row in rows if eos_id in row), default=len(rows[0]))
    return [row[:end] for row in rows]


def without_the_empty(ids: Tensor, eos_id: int) -> list[list[int]]:
    return [sentence for sentence in cut_at_eos(ids, eos_id) if sentence]


def id_two(ids: Tensor, eos_id: int) -> list[list[int]]:
    return cut_at_eos(ids, 2)


MUTANTS = (
    Mutant("minus_one", minus_one),
    Mutant("argmax", by_argmax),
    Mutant("at_the_last", at_the_last),
    Mutant("with_eos", with_eos),
    Mutant("filtered", filtered),
    Mutant("filtered", without_eos),
    Mutant("all_alike", all_alike),
    Mutant("row_lost", without_the_empty),
    Mutant("id_two", id_two),
    Mutant("not_a_list", lambda ids, eos_id: ids.tolist()[0]),
)


def probes(generator: torch.Generator) -> list[Probe]:
    table = torch.tensor([[7, 5, 2, 9, 2], [8, 2, 0, 0, 0], [4, 9, 6, 5, 4], [2, 7, 2, 0, 0]])
    cases = [
        (table, 2),
        (torch.tensor([[5, 4, 3], [1, 6, 3]]), 6),  # another id ends; 2 is no end here
        (torch.randint(0, 5, (6, 8), generator=generator), 4),
        (torch.tensor([[2]]), 2),
        (torch.tensor([[7], [2], [9]]), 2),
        (torch.tensor([[1, 2, 5]]), 5),
    ]
    return [
        Probe({"ids": ids, "eos_id": eos}, f"ids = {ids.tolist()}, eos_id = {eos}")
        for ids, eos in cases
    ]


TASK = FunctionTask(spec=cut_at_eos_spec, probes=probes, steps=(is_list_of_lists,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "10.4",
        "cut_at_eos",
        kind="F",
        difficulty=2,
        importance=4,
        minutes=8,
        points=2,
        task=TASK,
        reference=cut_at_eos,
        words=words_beside(__file__),
        alternatives=(cut_at_eos_by_cumsum,),
    ),
)
