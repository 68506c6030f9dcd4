"""Exercise 9.6a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "9.6a",
        "the evidence",
        sealed="eNotyMsJgDAMANBVJGcn8OZ3jRJqlEJMQlsUEXeXgMf3Huiha0A0RE5mSXZoGxj+MxLkenuNXuVCM1rdk/sglKBb4CRUfGffqDlTrO7FrSdlRoP3A+lbIE8=",
        difficulty=3,
        importance=4,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
