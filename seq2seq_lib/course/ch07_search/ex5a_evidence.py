"""7.5a: the column of the patient's log that no right search can give."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask("eNqrVnJUslJQKsovL1bSUVByAnGS84uKUpNLQHxnCL80D8xzAfFy8vPSU4tLlGoB1HYQUQ==")

EXERCISES = (
    Exercise(
        "7.5a",
        "the evidence",
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
