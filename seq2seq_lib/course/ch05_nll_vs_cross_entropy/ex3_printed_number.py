"""Exercise 5.3: the number that a wrong pipeline prints."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNqrVnJUslJQKspMzyiJz8kvLlbSUVByAgkl5xcVpSaXgPjOIH5aZlExQokLWCgnP78IxHMF8YozEotS4/NS0xNLUlNAom4g0bL8EoRgLQAQZSEv"
)
EXERCISES = (
    Exercise(
        "5.3",
        "which number is printed",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
