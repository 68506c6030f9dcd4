"""Exercise 1.3: the PAD share of four fresh lines."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "1.3",
        "the share of PAD",
        sealed="eNo1yzsKgEAMRdGtDKldgZ3fbYRxjArKRJJoI+5dI1jew3sXVFAGGFgx8ZGNRigC1G6JRSiZd+NN72ZimdmMsmv7a1Tc43fsnITihrpEIafeiU8SNF4pK9wP3mYjLg==",
        difficulty=1,
        importance=4,
        minutes=3,
        points=1,
        words=words_beside(__file__),
    ),
)
