"""Exercise 1.8a: the line of the report that whole sentences cannot have made."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "1.8a",
        "the evidence",
        sealed="eNqrVnJUslJQKstPTkwqzUksqlTSUVByAgkVF2Rmp4J4ziBecn5RUWpyCYjvAuLn5ceX5mXn5ZfngYRcQUJpqeXxBYkpxUq1AA8TGL0=",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
