"""1.1: which number is the mean."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask("eNqrVnJUslJQKskvScxR0lFQcgLxkvOLilKTS0B8ZxA/J7EoPbW4RKkWACKjDQU=")

EXERCISES = (
    Exercise(
        "1.1",
        "which number is the mean",
        kind="P",
        difficulty=1,
        importance=3,
        minutes=2,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
