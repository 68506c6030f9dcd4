"""7.5a: the column of the patient's log that no right search can give."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "7.5a",
        "the evidence",
        sealed="eNqrVnJUslJQKsovL1bSUVByAnGS84uKUpNLQHxnCL80D8xzAfFy8vPSU4tLlGoB1HYQUQ==",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
