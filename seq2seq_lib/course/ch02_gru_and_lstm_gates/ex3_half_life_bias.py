"""Exercise 2.3: which bias a half-life of ten steps needs."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQys9LjS9JzSvJUNJRUHICiZRkpManJ5akggScQQLJ+UVFqcklIL4LiJ8an5afk5KZlw4ScQWJ5OSnQ7TUAgAjRxjC"
)
EXERCISES = (
    Exercise(
        "2.3",
        "which bias",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
