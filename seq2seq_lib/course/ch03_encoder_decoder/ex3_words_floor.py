"""Exercise 3.3: the blind floor of a corpus whose lengths are not equally likely."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "3.3",
        "the floor of words",
        sealed="eNoly0sKgDAMRdGtlIxdgTO/2wi1xAqGBmsqiLh3SR2e+3gPdNA6SIIkJzQOeuMlwS+Ffb4tDZZYIu6m0URH8YxMKepWb5PVIDlTUPNcP/+Oq+QoqpTg/QAI5CGn",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
