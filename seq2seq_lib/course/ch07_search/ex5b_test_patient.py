"""7.5b ``test_patient``: a test that catches the patient, and other searches that are wrong."""

import math
from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib import decoding
from seq2seq_lib.course.ch07_search.ex5c_fixed_search import fixed_search
from seq2seq_lib.course.ch07_search.given import three_letters
from seq2seq_lib.course.ch07_search.mistakes import SUSPECTS
from seq2seq_lib.course.ch07_search.searches import (
    search_by_library,
    search_by_lists,
    search_without_states,
)
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.decoding import rescore as read_again
from seq2seq_lib.laws import HashModel
from seq2seq_lib.laws.plain_beam import Hyp
from seq2seq_lib.vocab import EOS_ID

# ---------------------------------------------------------------- right answers


def test_patient(search: Callable) -> None:
    src, src_lengths = torch.tensor([[5, 3, EOS_ID]]), torch.tensor([3])
    a, b, c = 4, 5, 6
    by_hand = {
        (c, EOS_ID): 0.25 * 0.45,
        (a, c, EOS_ID): 0.30 * 0.50 * 0.45,
        (b, c, EOS_ID): 0.35 * 0.30 * 0.45,
        (b, a, c, EOS_ID): 0.35 * 0.35 * 0.50 * 0.45,
        (a, c, c, EOS_ID): 0.30 * 0.50 * 0.30 * 0.45,
    }
    for alpha in (0.0, 1.0):
        found = search(three_letters(), src, src_lengths, 3, 4, alpha)
        assert sorted(tuple(hyp.tokens) for hyp in found) == sorted(by_hand)
        for hyp in found:
            log_prob = math.log(by_hand[tuple(hyp.tokens)])
            assert abs(hyp.log_prob - log_prob) < 1e-4
            assert abs(hyp.score - log_prob / len(hyp.tokens) ** alpha) < 1e-4
        assert found == sorted(found, key=lambda hyp: -hyp.score)
    model = HashModel(7, seed=1)  # it remembers all that it has read
    found = search(model, src, src_lengths, 3, 5, 0.0)
    (again,) = read_again(model, src, src_lengths, [[list(hyp.tokens) for hyp in found]])
    for hyp, true in zip(found, again, strict=True):
        assert abs(hyp.log_prob - true.log_prob) < 1e-4


def test_patient_by_exhaustion(search: Callable) -> None:
    src, src_lengths = torch.tensor([[4, EOS_ID]]), torch.tensor([2])
    model = HashModel(6, seed=3)
    for alpha in (0.0, 0.7):
        every = decoding.exhaustive_search(
            model, src, src_lengths, max_new_tokens=4, n_best=None, length_penalty=alpha
        )[0]
        right = [hyp for hyp in every if hyp.finished]
        found = search(model, src, src_lengths, len(every), 4, alpha)  # wide enough for all
        assert [list(hyp.tokens) for hyp in found] == [hyp.tokens for hyp in right]
        for one, two in zip(found, right, strict=True):
            assert abs(one.log_prob - two.log_prob) + abs(one.score - two.score) < 1e-4
    found = search(three_letters(), src, src_lengths, 3, 4, 0.0)
    assert len(found) == 5  # c, ac, bc, bac, acc


# ---------------------------------------------------------------- right searches


def in_float32(*args: Any) -> list[Hyp]:
    """A right search whose numbers were rounded on the way: they differ in the last digits."""
    rounded = [
        Hyp(hyp.tokens, *torch.tensor(hyp[1:], dtype=torch.float32).mul(1 + 2e-7).tolist())
        for hyp in fixed_search(*args)
    ]
    return rounded


def with_tuples(*args: Any) -> list[Hyp]:
    """A right search that gives tokens as a tuple."""
    return [hyp._replace(tokens=tuple(hyp.tokens)) for hyp in search_by_lists(*args)]


INNOCENT: tuple[Callable, ...] = (
    fixed_search,
    search_by_lists,
    search_without_states,
    search_by_library,
    in_float32,
    with_tuples,
)

EXERCISES = (
    detective(
        "7.5b",
        test_patient,
        DetectiveTask(
            INNOCENT,
            SUSPECTS,
            patient="runaway",
            tiers=((1, 2), (5, 1), (len(SUSPECTS), 1)),
            called=("search", "searches"),
        ),
        difficulty=4,
        minutes=22,
        words=words_beside(__file__),
        alternatives=(test_patient_by_exhaustion,),
    ),
)
