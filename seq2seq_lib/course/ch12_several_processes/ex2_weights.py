"""Exercise 12.2: what tokens weigh in an average of three means."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    "eNodyksKgDAMRdGtlIxdgTN/6wilPqFgE0g/E3HvEof3cB9aaA6EAamsvdEUaHWx2LJyvFXgtrklNUP6n9279sJ6cUGU6ng4ZhmwhpPeD+roG5Y="
)

EXERCISES = (
    Exercise(
        "12.2",
        "shares of 10, 10 and 20",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
