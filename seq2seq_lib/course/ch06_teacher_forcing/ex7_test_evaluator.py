"""Exercise 6.7: a test that finds evaluations which look at the answer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.course.ch06_teacher_forcing.given import small_batch, small_model
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.decoding import greedy_search
from seq2seq_lib.vocab import BOS_ID, EOS_ID, UNK_ID

CAP = 12  # tokens of an output
Lists = list[list[int]]


def test_evaluator(evaluate: Callable) -> None:
    model = small_model()
    words = small_batch([[4, 5, 6, 7], [8, 4], [5, 5, 7]])
    said = [list(row) for row in evaluate(model, words)]
    other_words = small_batch([[7, 8, 5, 4], [6, 7], [8, 4, 6]])
    longer = small_batch([[4], [5, 6, 7, 8, 4, 5, 6, 7, 8], [6, 7]])
    shorter = small_batch([[], [], [4]])
    for batch in (other_words, longer, shorter):
        assert [list(row) for row in evaluate(model, batch)] == said


def test_evaluator_with_search(evaluate: Callable) -> None:
    model = small_model()
    for length in (1, 2, 4, 15):
        batch = small_batch([[8] * length, [7, 6] * length, [5]])
        right = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=CAP)
        found = evaluate(model, batch)
        for row, (best,) in zip(found, right, strict=True):
            assert list(row) == best.tokens


# ---------------------------------------------------------------- right evaluations


def greedy(model: Any, batch: Batch) -> Lists:
    found = greedy_search(model, batch.src, batch.src_lengths, max_new_tokens=CAP)
    return [best.tokens for (best,) in found]


def one_by_one(model: Any, batch: Batch) -> Lists:
    said = []
    for src, length in zip(batch.src, batch.src_lengths, strict=True):
        found = greedy_search(model, src[None, :length], length[None], max_new_tokens=CAP)
        said.append(found[0][0].tokens)
    return said


def by_steps(model: Any, batch: Batch) -> Lists:
    return _run(model, batch, lambda t, own: torch.zeros(len(own), dtype=torch.bool))


def in_tuples(model: Any, batch: Batch) -> list[tuple[int, ...]]:
    return [tuple(row) for row in greedy(model, batch)]


# ---------------------------------------------------------------- evaluations that look


def _run(model: Any, batch: Batch, gold: Callable[[int, Tensor], Tensor], cap: int = CAP) -> Lists:
    """Step by step; ``gold(t, own)`` says which rows read the reference at place t."""
    state, own, said = model.start(batch.src, batch.src_lengths), None, []
    for t in range(cap):
        tokens = torch.full((len(batch),), BOS_ID) if own is None else own
        if t and t < batch.tgt_in.size(1):
            reads = gold(t, own) & (t < batch.tgt_lengths)
            tokens = torch.where(reads, batch.tgt_in[:, t], own)
        scores, state = model.step(tokens, state)
        own = scores.argmax(-1)
        said.append(own)
    rows = torch.stack(said, 1).tolist()
    return [row[: row.index(EOS_ID) + 1] if EOS_ID in row else row for row in rows]


def teacher_forced(model: Any, batch: Batch) -> Lists:
    return _run(model, batch, lambda t, own: torch.ones(len(own), dtype=torch.bool))


def half(model: Any, batch: Batch) -> Lists:
    coins = torch.Generator().manual_seed(0)
    return _run(model, batch, lambda t, own: torch.rand(len(own), generator=coins) < 0.5)


def first_gold(model: Any, batch: Batch) -> Lists:
    return _run(model, batch, lambda t, own: torch.full((len(own),), t == 1))


def gold_after_unk(model: Any, batch: Batch) -> Lists:
    return _run(model, batch, lambda t, own: own == UNK_ID)


def gold_end(model: Any, batch: Batch) -> Lists:
    lengths = batch.tgt_lengths.tolist()
    return [row[:length] for row, length in zip(greedy(model, batch), lengths, strict=True)]


def gold_width(model: Any, batch: Batch) -> Lists:
    return [row[: batch.tgt_out.size(1)] for row in greedy(model, batch)]


SUSPECTS = {
    "teacher_forced": teacher_forced,
    "half": half,
    "first_gold": first_gold,
    "gold_after_unk": gold_after_unk,
    "gold_end": gold_end,
    "gold_width": gold_width,
}
TASK = DetectiveTask(
    (greedy, one_by_one, by_steps),
    SUSPECTS,
    patient="teacher_forced",
    tiers=((1, 2), (4, 2), (len(SUSPECTS), 1)),
    called=("evaluation", "evaluations"),
    also_right={"other_form": in_tuples},
)
EXERCISES = (
    detective(
        "6.7",
        test_evaluator,
        TASK,
        difficulty=4,
        minutes=20,
        words=words_beside(__file__),
        alternatives=(test_evaluator_with_search,),
    ),
)
