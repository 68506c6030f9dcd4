"""Exercise 9.1b: the BLEU of a corpus of short lines."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQqkotylfSUVByAnFyUxPzQBxnECc5v6goNbkExHcB8YszEotS4/PT4nPy89JBoq5g0dz8/JKM1BSlWgBxxBbu"
)
EXERCISES = (
    Exercise(
        "9.1b",
        "short lines",
        kind="P",
        difficulty=3,
        importance=4,
        minutes=2,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
