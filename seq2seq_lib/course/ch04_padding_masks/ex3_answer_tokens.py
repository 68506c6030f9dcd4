"""Exercise 4.3: which number is the loss, when only the answers count."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKs8syYgvSEwpVtJRUHJCiBTl5xaUgMScQWLJ+UVFqclgvguIX5RfHp+bmpgH1uUKEskvSy2KL0pNzAGJuMFFklNzcoqVagHd7yCA"
)
EXERCISES = (
    Exercise(
        "4.3",
        "which number is the loss of the answers",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
