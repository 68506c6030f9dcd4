"""Exercise 8.3: which of six rows are the weights."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "8.3",
        "the weights of four scores",
        sealed="eNqrVnJUslJQKs5ILEqNz8kvLlHSUVByggsVg7jOIG5iUXpuYgWI6wLiJucXFaUmg1W7gvjlmSUZ8QWJKSABN5BAVWpRfnxaZk5OaopSLQDCvB1h",
        difficulty=1,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
