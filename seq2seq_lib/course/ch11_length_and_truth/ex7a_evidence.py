"""Exercise 11.7a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "11.7a",
        "the evidence",
        sealed="eNpFzTsKgEAMRdGtSGpXYOd3G0EmKSxMhkwGC3HvTrCwvAce74YRhg5YCEUdk1ZxJug7mMJrLgcxkl4SNoclNePk0Ut0Nj2zY2n+LddQUSy+OwdsAa3sP3he0Kolfg==",
        difficulty=3,
        importance=4,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
