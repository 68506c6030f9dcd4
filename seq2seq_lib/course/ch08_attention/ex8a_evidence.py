"""Exercise 8.8a: the column of the log that no masked attention can have made."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "8.8a",
        "the evidence",
        sealed="eNqrVnJUslJQKs9MKclQ0lFQcgLxChJTikEcZxAnOb+oKDW5BMR3AfHzUjPTM5LyS4uUagHs/BDs",
        difficulty=2,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
