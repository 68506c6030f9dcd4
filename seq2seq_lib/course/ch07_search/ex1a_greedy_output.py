"""7.1a: what greedy search writes, on a table that the chapter does not have."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    "eNqrVnJUslJQKinPj09KTcwtVtJRUHICieTlx6fmpYC4zmBuallqEUgErMIFJJScX1SUmlwC4ruC+GmZ"
    "RcUl8UX55SARN5BIbn5KqlItAHerHCk="
)

EXERCISES = (
    Exercise(
        "7.1a",
        "what greedy writes",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=2,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
