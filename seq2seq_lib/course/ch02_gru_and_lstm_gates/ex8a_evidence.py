"""Exercise 2.8a: what in the log no model can show that reads each row by itself."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "2.8a",
        "the evidence",
        sealed="eNqrVnJUslJQyskvLlbSUVByAnGS84uKUpNLQHxnED+9KDElMzUPLOACEkjMyc9LBfFcQbyk1Jz88vjkjMS85FSlWgB5xxbM",
        difficulty=3,
        importance=5,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
