"""Exercise 0.2: which of four batches holds a pad."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "0.2",
        "batches that hold a pad",
        sealed="eNoVzEsKgDAMRdGtSMauwJnfbYQi0QqxwdgiIu5d3/CewX2opaaioMqLFae6og5gSW/O0UXY7TrhPVyOEpSzGWSAzOYuc0aP6ByFzy2tKmxJwBM4/cG2/E/Z6f0AXa8kfA==",
        difficulty=1,
        importance=4,
        minutes=2,
        points=1,
        words=words_beside(__file__),
    ),
)
