"""Exercise 12.2: what tokens weigh in an average of three means."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "12.2",
        "shares of 10, 10 and 20",
        sealed="eNodyksKgDAMRdGtlIxdgTN/6wilPqFgE0g/E3HvEof3cB9aaA6EAamsvdEUaHWx2LJyvFXgtrklNUP6n9279sJ6cUGU6ng4ZhmwhpPeD+roG5Y=",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
