"""Exercise 0.5: which law finds which bug."""

from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import words_beside

TASK = ChoiceTask(
    sealed="eNpNzDsOgEAIRdGtGGpXYOdvHRMEEgozkwCdce/K2Niem/cumGEawAWNtGDl4tRMHMYBliy1RQmVcjbvuP6RhRqLpW/pBwap+PejaNwne6b31YQC7gcfkyRR"
)
EXERCISES = (
    Exercise(
        "0.5",
        "which law finds it",
        kind="P",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        task=TASK,
        reference=TASK.answer,
        words=words_beside(__file__),
    ),
)
