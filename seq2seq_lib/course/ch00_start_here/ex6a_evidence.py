"""Exercise 0.6a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "0.6a",
        "the evidence",
        sealed="eNodyzsKgEAMRdGtSGpXYOd3GzJMggxIIploI+5dn+W5cG/qqWvoSLxeksOc2oYGpGzuX4FHOEWIRjFFmVB2qxWYAZZsLP++wG6nctGNnhd55hxC",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
