"""Exercise 9.1c: what a paired interval tells."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQyi9LLcpJLFDSUVByAvGLUpMzC1JBXGcQNzUxOSO+ODWvJDUvGSzqAhJNzi8CqisB8V3B/IxEkHQtAOlkF+w="
)
EXERCISES = (
    Exercise(
        "9.1c",
        "two systems",
        kind="P",
        difficulty=3,
        importance=4,
        minutes=1,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
