"""Exercise 10.3: the KL from a prior that is not standard, with a pencil."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKi5JzEtJLEpR0lFQcgIJ5OWXxKdklmWmpILFnEFiGYk5aSCOC4iTnF9UlJpcAuK7gvi5qYl5SrUAdVYV6g=="
)
EXERCISES = (
    Exercise(
        "10.3",
        "the KL from another prior",
        kind="P",
        difficulty=2,
        importance=3,
        minutes=5,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
