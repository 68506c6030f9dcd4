"""Exercise 9.1a: what a lost word costs."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "9.1a",
        "a word is lost",
        sealed="eNoVyUsKgDAMRdGtSMauwJm/dYRSIxZKUtKCqLh3fcN77kMjDR3VI7iw7Xyab5X6jiZwcYmpJlMO2VTgMzya/6ehF7QaF9GQ2wVaQbe40fsBf3wc3A==",
        difficulty=2,
        importance=4,
        minutes=2,
        points=1,
        words=words_beside(__file__),
    ),
)
