"""Exercise 1.3: the PAD share of four fresh lines."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNo1yzsKgEAMRdGtDKldgZ3fbYRxjArKRJJoI+5dI1jew3sXVFAGGFgx8ZGNRigC1G6JRSiZd+NN72ZimdmMsmv7a1Tc43fsnITihrpEIafeiU8SNF4pK9wP3mYjLg=="
)
EXERCISES = (
    Exercise(
        "1.3",
        "the share of PAD",
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
