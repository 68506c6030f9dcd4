"""1.1: which number is the mean."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "1.1",
        "which number is the mean",
        sealed="eNqrVnJUslJQKskvScxR0lFQcgLxkvOLilKTS0B8ZxA/J7EoPbW4RKkWACKjDQU=",
        difficulty=1,
        importance=3,
        minutes=2,
        points=1,
        words=words_beside(__file__),
    ),
)
