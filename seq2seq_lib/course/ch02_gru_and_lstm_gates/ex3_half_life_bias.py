"""Exercise 2.3: which bias a half-life of ten steps needs."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "2.3",
        "which bias",
        sealed="eNqrVnJUslJQys9LjS9JzSvJUNJRUHICiZRkpManJ5akggScQQLJ+UVFqcklIL4LiJ8an5afk5KZlw4ScQWJ5OSnQ7TUAgAjRxjC",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
