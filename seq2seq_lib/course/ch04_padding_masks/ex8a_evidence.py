"""Exercise 4.8a: the column of the training log that no masked loss can have made."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "4.8a",
        "the evidence",
        sealed="eNqrVnJUslJQyskvLlbSUVByAnGS84uKUpNLQHxnED8xObm0KDG5EiTgAhJIL0pMyUzNK1GqBQAbkBG7",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
