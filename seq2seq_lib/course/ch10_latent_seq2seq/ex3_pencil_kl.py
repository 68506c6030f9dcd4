"""Exercise 10.3: the KL from a prior that is not standard, with a pencil."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "10.3",
        "the KL from another prior",
        sealed="eNqrVnJUslJQKi5JzEtJLEpR0lFQcgIJ5OWXxKdklmWmpILFnEFiGYk5aSCOC4iTnF9UlJpcAuK7gvi5qYl5SrUAdVYV6g==",
        difficulty=2,
        importance=3,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
