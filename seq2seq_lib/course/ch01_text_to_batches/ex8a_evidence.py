"""Exercise 1.8a: the line of the report that whole sentences cannot have made."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKstPTkwqzUksqlTSUVByAgkVF2Rmp4J4ziBecn5RUWpyCYjvAuLn5ceX5mXn5ZfngYRcQUJpqeXxBYkpxUq1AA8TGL0="
)
EXERCISES = (
    Exercise(
        "1.8a",
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
