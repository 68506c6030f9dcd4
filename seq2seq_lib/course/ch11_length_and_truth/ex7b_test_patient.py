"""Exercise 11.7b: a test for a ranking by score."""

import math
from collections.abc import Callable

from seq2seq_lib.course.ch11_length_and_truth import ranks
from seq2seq_lib.course.ch11_length_and_truth.patient import patient_rank
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside


def test_patient(rank: Callable) -> None:
    outputs = [((5, 2), -2.0), ((4, 6, 5, 2), -3.0), ((2,), -2.5)]
    for prompt_length in (0, 6):
        for alpha in (0.0, 0.5, 1.0):
            right = {tokens: lp / len(tokens) ** alpha for tokens, lp in outputs}
            best_first = sorted(right, key=lambda tokens: -right[tokens])
            ranked = rank(outputs, prompt_length, alpha)
            assert [tuple(tokens) for tokens, _ in ranked] == best_first
            for tokens, score in ranked:
                assert math.isclose(score, right[tuple(tokens)], abs_tol=1e-6)


def test_patient_by_numbers(rank: Callable) -> None:
    outputs = [((4, 2), -2.0), ((4, 4, 4, 2), -3.6), ((2,), -1.5)]
    ranked = rank(outputs, 3, 2.0)
    assert [len(tokens) for tokens, _ in ranked] == [4, 2, 1]
    wanted = (-0.225, -0.5, -1.5)
    for (_, score), right in zip(ranked, wanted, strict=True):
        assert abs(score - right) < 1e-5


SUSPECTS = {
    "prompt_counted": patient_rank,
    "end_not_counted": ranks.end_not_counted,
    "start_counted": ranks.start_counted,
    "multiplied": ranks.multiplied,
    "no_penalty": ranks.no_penalty,
    "always_mean": ranks.always_mean,
    "not_ranked_anew": ranks.not_ranked_anew,
}
TASK = DetectiveTask(
    (ranks.fixed_rank, ranks.in_lists),
    SUSPECTS,
    patient="prompt_counted",
    tiers=((1, 1), (5, 1), (len(SUSPECTS), 1)),
    called=("ranking", "rankings"),
    also_right={"other_form": ranks.as_lists, "last_digits": ranks.by_insertion},
)
EXERCISES = (
    detective(
        "11.7b",
        test_patient,
        TASK,
        difficulty=3,
        minutes=12,
        words=words_beside(__file__),
        alternatives=(test_patient_by_numbers,),
    ),
)
