"""Exercise 6.8a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "6.8a",
        "the evidence",
        sealed="eNqrVnJUslJQKkhMKVbSUVByAnFS81LiS/OKk/OLUlNAgs4gwZLyzORUEM8FxEspyi/ILy0B8V1BfKDaotRkMN8NrDo/Pz4jsShFqRYAGo4bYg==",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
