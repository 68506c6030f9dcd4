"""Exercise 9.1c: what a paired interval tells."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "9.1c",
        "two systems",
        sealed="eNqrVnJUslJQyi9LLcpJLFDSUVByAvGLUpMzC1JBXGcQNzUxOSO+ODWvJDUvGSzqAhJNzi8CqisB8V3B/IxEkHQtAOlkF+w=",
        difficulty=3,
        importance=4,
        minutes=1,
        points=1,
        words=words_beside(__file__),
    ),
)
