"""Exercise 9.6b: a test for a corpus score."""

import math
from collections.abc import Callable

from seq2seq_lib.course.ch09_real_translation import scores
from seq2seq_lib.course.ch09_real_translation.patient import patient_score
from seq2seq_lib.course.judging.detective_task import DetectiveTask, detective
from seq2seq_lib.course.judging.words import words_beside


def test_score(score: Callable) -> None:
    lines = ["the cat sees the old red house", "a dog sleeps", "the king has a small boat"]
    assert abs(score(lines, lines) - 100) < 1e-6
    said = ["the cat sees the old house", "a dog sleeps here", "the the the the king"]
    assert abs(score(said, lines) - score(said[::-1], lines[::-1])) < 1e-6
    assert score(["the the the the the"], ["the cat on the mat"]) < 30
    short = score(["the cat sees"], ["the cat sees the old red house"])  # nothing but the penalty
    assert abs(short - 100 * math.exp(1 - 7 / 3)) < 1e-6


def test_score_by_numbers(score: Callable) -> None:
    said, wanted = ["a b c d e x", "a a a a", "a b"], ["a b c d e f", "a b", "a b c d"]
    # 8 of 12, then (5 + 1)/(9 + 1), (3 + 1)/(6 + 1), (2 + 1)/(4 + 1), and as many words
    expected = 100 * ((8 / 12) * (6 / 10) * (4 / 7) * (3 / 5)) ** 0.25
    assert abs(score(said, wanted) - expected) < 1e-6
    assert abs(score(said[::-1], wanted[::-1]) - expected) < 1e-6
    assert abs(score(["a b c d"], ["a b c d e f g h"]) - 100 * math.exp(-1)) < 1e-6


SUSPECTS = {
    "last_line": patient_score,
    "no_clipping": scores.no_clipping,
    "no_penalty": scores.no_penalty,
    "exchanged": scores.exchanged,
}
TASK = DetectiveTask(
    (scores.right_score, scores.right_by_rows),
    SUSPECTS,
    patient="last_line",
    tiers=((1, 1), (len(SUSPECTS), 1)),
    called=("score", "scores"),
    also_right={"last_digits": scores.right_by_logs},
)
EXERCISES = (
    detective(
        "9.6b",
        test_score,
        TASK,
        difficulty=3,
        minutes=12,
        words=words_beside(__file__),
        alternatives=(test_score_by_numbers,),
    ),
)
