"""Exercise 10.7a: the column of a log that no right bound can have made."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "10.7a",
        "the evidence",
        sealed="eNqrVnJUslJQKkpNzs8rLikqTS7JzM9T0lFQcgIJZ+eAmM4gZnJ+EVBRCYjvAuEXZKYWK9UCAHHcEr0=",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
