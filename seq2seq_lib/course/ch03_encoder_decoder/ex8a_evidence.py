"""Exercise 3.8a: the column of the training log that convicts a decoder of not looking."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "3.8a",
        "the evidence",
        sealed="eNqrVnJUslJQyskvLlbSUVByAnHy8otyQRxnEKcktbgkHibtAhJJzi8qSk0uUaoFAOFPEL4=",
        difficulty=2,
        importance=5,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
