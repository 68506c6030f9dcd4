"""Exercise 4.3: which number is the loss, when only the answers count."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "4.3",
        "which number is the loss of the answers",
        sealed="eNqrVnJUslJQKs8syYgvSEwpVtJRUHJCiBTl5xaUgMScQWLJ+UVFqclgvguIX5RfHp+bmpgH1uUKEskvSy2KL0pNzAGJuMFFklNzcoqVagHd7yCA",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
