"""Exercise 8.3: which of six rows are the weights."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKs5ILEqNz8kvLlHSUVByggsVg7jOIG5iUXpuYgWI6wLiJucXFaUmg1W7gvjlmSUZ8QWJKSABN5BAVWpRfnxaZk5OaopSLQDCvB1h"
)
EXERCISES = (
    Exercise(
        "8.3",
        "the weights of four scores",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=4,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
