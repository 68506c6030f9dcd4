"""Exercise 0.2: which of four batches holds a pad."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNoVzEsKgDAMRdGtSMauwJnfbYQi0QqxwdgiIu5d3/CewX2opaaioMqLFae6og5gSW/O0UXY7TrhPVyOEpSzGWSAzOYuc0aP6ByFzy2tKmxJwBM4/cG2/E/Z6f0AXa8kfA=="
)
EXERCISES = (
    Exercise(
        "0.2",
        "batches that hold a pad",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=2,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
