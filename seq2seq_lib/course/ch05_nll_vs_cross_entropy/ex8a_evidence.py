"""Exercise 5.8a: which mistake made the training log."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQyslPzywpVtJRUHICcYsz0/NAHGcQJzm/qCg1uQTEdwHxk/LzSsFKXUG8/LLUoviS/OzUvGKlWgAztRXt"
)
EXERCISES = (
    Exercise(
        "5.8a",
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
