"""Exercise 8.8a: the column of the log that no masked attention can have made."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKs9MKclQ0lFQcgLxChJTikEcZxAnOb+oKDW5BMR3AfHzUjPTM5LyS4uUagHs/BDs"
)
EXERCISES = (
    Exercise(
        "8.8a",
        "the evidence",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=5,
        points=2,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
