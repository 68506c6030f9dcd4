"""Exercise 6.4: which sequences are right to the last real token."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.probes import draw_lengths, draw_targets, sizes
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_bool, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.vocab import EOS_ID


def sequence_correct_spec(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    correct = torch.ones(len(gold), dtype=torch.bool)
    for b in range(len(gold)):
        for t in range(int(lengths[b])):
            if pred[b, t] != gold[b, t]:
                correct[b] = False
    return correct


def sequence_correct(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    pad = torch.arange(gold.size(1))[None, :] >= lengths[:, None]  # [B, T]
    return ((pred == gold) | pad).all(1)  # [B, T] -> [B]


def sequence_correct_by_counting(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    wrong = (pred != gold) & sequence_mask(lengths, gold.size(1))
    return wrong.sum(1) == 0


# ---------------------------------------------------------------- wrong answers


def with_lengths(change: int):
    def answer(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
        return sequence_correct(pred, gold, lengths + change)

    return answer


def any_right(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return ((pred == gold) & sequence_mask(lengths, gold.size(1))).any(1)


def by_columns(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return ((pred == gold) | ~sequence_mask(lengths, gold.size(1))).all(0)


def share(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return ((pred == gold) & sequence_mask(lengths, gold.size(1))).sum(1) / lengths


def real_is_wrong(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return ((pred == gold) & sequence_mask(lengths, gold.size(1))).all(1)


def same_tokens(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, gold.size(1))
    one, two = (x.masked_fill(~mask, -1).sort(1).values for x in (pred, gold))
    return (one == two).all(1)


def one_answer(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return sequence_correct(pred, gold, lengths).all()


def last_only(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    last = (lengths - 1)[:, None]
    return (pred.gather(1, last) == gold.gather(1, last))[:, 0]


def no_return(*args: Any) -> None:
    sequence_correct(*args)


def unequal(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return ((pred != gold) | ~sequence_mask(lengths, gold.size(1))).all(1)


def real_excused(pred: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    return ((pred == gold) | sequence_mask(lengths, gold.size(1))).all(1)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("all_cells", lambda pred, gold, lengths: (pred == gold).all(1)),
    Mutant("no_end", with_lengths(-1)),
    Mutant("one_too_many", with_lengths(1)),
    Mutant("any_right", any_right),
    Mutant("columns", by_columns),
    Mutant("share", share),
    Mutant("all_real_needed", real_is_wrong),
    Mutant("same_tokens", same_tokens),
    Mutant("one_answer", one_answer),
    Mutant("last_only", last_only),
    Mutant("unequal", unequal),
    Mutant("real_excused", real_excused),
    Mutant("end_excused", lambda pred, gold, _: ((pred == gold) | (gold == EOS_ID)).all(1)),
    Mutant("counted", lambda pred, gold, lengths: (pred == gold).sum(1) == lengths),
    Mutant("counted", lambda pred, gold, lengths: (pred == gold).sum(1) >= lengths),
    Mutant("inverted", lambda *batch: ~sequence_correct(*batch)),
    Mutant("squeezed", lambda *batch: sequence_correct(*batch).squeeze()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Right rows with pads of all kinds, rows with one mistake, two tokens exchanged."""
    gold = torch.tensor([[5, 2, 0, 0], [6, 2, 0, 0], [7, 2, 0, 0], [4, 5, 2, 0], [8, 9, 7, 2]])
    pred = torch.tensor([[5, 2, 7, 7], [6, 2, 0, 0], [7, 2, 0, 9], [4, 5, 6, 0], [9, 8, 7, 2]])
    cases = [(pred, gold, torch.tensor([2, 2, 2, 3, 4]))]
    V = 30
    for B, T in sizes(generator):
        lengths = draw_lengths(B, T, generator)
        gold = draw_targets(lengths, T, V, generator)[1]
        pred = gold.clone()
        for b, length in enumerate(lengths.tolist()):
            kind = b % 3 if B > 1 else 0
            if kind == 1:
                pred[b, length - 1] = V + 1  # it goes on where EOS belongs
            elif kind == 2:
                pred[b, 0] = V + 2
        noise = torch.randint(3, V, (B, T), generator=generator)
        cases.append((torch.where(sequence_mask(lengths, T), pred, noise), gold, lengths))
    drawn = []
    for pred, gold, lengths in cases:
        words = f"lengths = {lengths.tolist()}, T = {gold.size(1)}"
        if pred.numel() <= describe.MANY:
            words = f"pred = {describe.rows(pred)}, gold = {describe.rows(gold)}, {words}"
        drawn.append(Probe({"pred": pred, "gold": gold, "lengths": lengths}, words))
    return drawn


TASK = FunctionTask(
    spec=sequence_correct_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "6.4",
        "sequence_correct",
        kind="F",
        difficulty=2,
        importance=4,
        minutes=8,
        points=2,
        task=TASK,
        reference=sequence_correct,
        words=words_beside(__file__),
        alternatives=(sequence_correct_by_counting,),
    ),
)
