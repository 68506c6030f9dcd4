"""Exercise 0.6a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNodyzsKgEAMRdGtSGpXYOd3GzJMggxIIploI+5dn+W5cG/qqWvoSLxeksOc2oYGpGzuX4FHOEWIRjFFmVB2qxWYAZZsLP++wG6nctGNnhd55hxC"
)
EXERCISES = (
    Exercise(
        "0.6a",
        "the evidence",
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
