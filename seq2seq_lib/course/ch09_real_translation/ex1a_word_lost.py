"""Exercise 9.1a: what a lost word costs."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNoVyUsKgDAMRdGtSMauwJm/dYRSIxZKUtKCqLh3fcN77kMjDR3VI7iw7Xyab5X6jiZwcYmpJlMO2VTgMzya/6ehF7QaF9GQ2wVaQbe40fsBf3wc3A=="
)
EXERCISES = (
    Exercise(
        "9.1a",
        "a word is lost",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=2,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
