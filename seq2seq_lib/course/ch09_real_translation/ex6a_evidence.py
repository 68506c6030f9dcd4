"""Exercise 9.6a: the one of six suspects that explains the whole log."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNotyMsJgDAMANBVJGcn8OZ3jRJqlEJMQlsUEXeXgMf3Huiha0A0RE5mSXZoGxj+MxLkenuNXuVCM1rdk/sglKBb4CRUfGffqDlTrO7FrSdlRoP3A+lbIE8="
)
EXERCISES = (
    Exercise(
        "9.6a",
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
