"""Exercise 6.8a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKkhMKVbSUVByAnFS81LiS/OKk/OLUlNAgs4gwZLyzORUEM8FxEspyi/ILy0B8V1BfKDaotRkMN8NrDo/Pz4jsShFqRYAGo4bYg=="
)
EXERCISES = (
    Exercise(
        "6.8a",
        "the evidence",
        kind="P",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
