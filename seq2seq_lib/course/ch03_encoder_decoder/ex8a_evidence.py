"""Exercise 3.8a: the column of the training log that convicts a decoder of not looking."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(sealed="eNqrVnJUslJQyskvLlbSUVByAnHy8otyQRxnEKcktbgkHibtAhJJzi8qSk0uUaoFAOFPEL4=")
EXERCISES = (
    Exercise(
        "3.8a",
        "the evidence",
        kind="P",
        difficulty=2,
        importance=5,
        minutes=4,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
