"""Exercise 3.3: the blind floor of a corpus whose lengths are not equally likely."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNoly0sKgDAMRdGtlIxdgTO/2wi1xAqGBmsqiLh3SR2e+3gPdNA6SIIkJzQOeuMlwS+Ffb4tDZZYIu6m0URH8YxMKepWb5PVIDlTUPNcP/+Oq+QoqpTg/QAI5CGn"
)
EXERCISES = (
    Exercise(
        "3.3",
        "the floor of words",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
