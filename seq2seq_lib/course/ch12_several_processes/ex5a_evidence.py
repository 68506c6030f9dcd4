"""Exercise 12.5a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "12.5a",
        "the evidence",
        sealed="eNodyz0KgDAQROGrhK09gZ2/91iSwSa4MiQ24t1lLL8H77HJxmTBAtqQbJYK44re5EX2G/QD8ir3M1c4UVQ2lRwk8n/sMr3B3g+mWxmr",
        difficulty=3,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
