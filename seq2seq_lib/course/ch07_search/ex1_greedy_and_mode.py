"""7.1: what greedy search writes on another card than the chapter's, and how probable it is."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    "eNqrVnJUslJQys1PSVXSUVByAnHSMouKS+KL8stBIs4gkdS8lPi0/KL4tKJUsDIXkGBiSk"
    "pqCojnCuIl5xcVpSaXgPhuIH5OItCM/LycSqVaAHGCHHE="
)

EXERCISES = (
    Exercise(
        "7.1",
        "greedy and the mode",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=5,
        points=2,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
