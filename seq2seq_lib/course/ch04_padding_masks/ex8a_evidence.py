"""Exercise 4.8a: the column of the training log that no masked loss can have made."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQyskvLlbSUVByAnGS84uKUpNLQHxnED8xObm0KDG5EiTgAhJIL0pMyUzNK1GqBQAbkBG7"
)
EXERCISES = (
    Exercise(
        "4.8a",
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
