"""Exercise 6.3: what a teacher-forced token accuracy says about exact match."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "6.3",
        "exact match from token accuracy",
        sealed="eNoVyEsKgDAMRdGtSMauwJm/dRStr1poE0krDsS9ayYX7nmop66hsmQ4vvIKpbahwSzyhhN/2MNwNPSiCl/tJ3uWekTeXZCU5C7ms3mIWqqDqii9HwqqH1E=",
        difficulty=3,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
