"""Exercise 11.7a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNpFzTsKgEAMRdGtSGpXYOd3G0EmKSxMhkwGC3HvTrCwvAce74YRhg5YCEUdk1ZxJug7mMJrLgcxkl4SNoclNePk0Ut0Nj2zY2n+LddQUSy+OwdsAa3sP3he0Kolfg=="
)
EXERCISES = (
    Exercise(
        "11.7a",
        "the evidence",
        kind="P",
        difficulty=3,
        importance=4,
        minutes=5,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
