"""Exercise 9.1b: the BLEU of a corpus of short lines."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "9.1b",
        "short lines",
        sealed="eNqrVnJUslJQqkotylfSUVByAnFyUxPzQBxnECc5v6goNbkExHcB8YszEotS4/PT4nPy89JBoq5g0dz8/JKM1BSlWgBxxBbu",
        difficulty=3,
        importance=4,
        minutes=2,
        points=1,
        words=words_beside(__file__),
    ),
)
