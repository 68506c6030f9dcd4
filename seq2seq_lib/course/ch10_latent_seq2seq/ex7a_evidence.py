"""Exercise 10.7a: the column of a log that no right bound can have made."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKkpNzs8rLikqTS7JzM9T0lFQcgIJZ+eAmM4gZnJ+EVBRCYjvAuEXZKYWK9UCAHHcEr0="
)
EXERCISES = (
    Exercise(
        "10.7a",
        "the evidence",
        kind="P",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
