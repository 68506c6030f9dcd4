"""7.1b: how probable that output is."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    "eNqrVnJUslJQyslPV9JRUHICsdMyi4pL4ovyy0EiziCR5PyiotTkEhDfBcTPy49PzUsBcV1B3NzUxDwQ"
    "xw3EKS7NVaoFAOGRFtI="
)

EXERCISES = (
    Exercise(
        "7.1b",
        "and how probable that is",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=3,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
