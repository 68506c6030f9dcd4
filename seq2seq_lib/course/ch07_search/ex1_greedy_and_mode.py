"""7.1: what greedy search writes on another card than the chapter's, and how probable it is."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "7.1",
        "greedy and the mode",
        sealed="eNqrVnJUslJQys1PSVXSUVByAnHSMouKS+KL8stBIs4gkdS8lPi0/KL4tKJUsDIXkGBiSkpqCojnCuIl5xcVpSaXgPhuIH5OItCM/LycSqVaAHGCHHE=",
        difficulty=1,
        importance=4,
        minutes=5,
        points=2,
        words=words_beside(__file__),
    ),
)
