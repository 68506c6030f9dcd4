"""Exercise 11.3: how many tokens three filters keep of one row."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "11.3",
        "kept by three filters",
        sealed="eNqrVnJUslJQSi7KLy7OzEtX0lFQcgIJ5OXHpyUml+QXgUScQSL5eanxuflFqSABF7Ce/KKi1OQSEN8VxE/KL8kAcdzAqtPiSzKAGlIT85RqAa2JHOE=",
        difficulty=2,
        importance=3,
        minutes=4,
        points=2,
        words=words_beside(__file__),
    ),
)
