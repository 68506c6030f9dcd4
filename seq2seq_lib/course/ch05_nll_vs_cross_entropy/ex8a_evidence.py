"""Exercise 5.8a: which mistake made the training log."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "5.8a",
        "the evidence",
        sealed="eNqrVnJUslJQyslPzywpVtJRUHICcYsz0/NAHGcQJzm/qCg1uQTEdwHxk/LzSsFKXUG8/LLUoviS/OzUvGKlWgAztRXt",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
