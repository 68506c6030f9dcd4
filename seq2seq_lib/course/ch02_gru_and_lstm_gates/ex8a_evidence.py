"""Exercise 2.8a: what in the log no model can show that reads each row by itself."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQyskvLlbSUVByAnGS84uKUpNLQHxnED+9KDElMzUPLOACEkjMyc9LBfFcQbyk1Jz88vjkjMS85FSlWgB5xxbM"
)
EXERCISES = (
    Exercise(
        "2.8a",
        "the evidence",
        kind="P",
        difficulty=3,
        importance=5,
        minutes=5,
        points=2,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
