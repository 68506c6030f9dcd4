"""Exercise 0.5: which law finds which bug."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "0.5",
        "which law finds it",
        sealed="eNpNzDsOgEAIRdGtGGpXYOdvHRMEEgozkwCdce/K2Niem/cumGEawAWNtGDl4tRMHMYBliy1RQmVcjbvuP6RhRqLpW/pBwap+PejaNwne6b31YQC7gcfkyRR",
        difficulty=2,
        importance=4,
        minutes=4,
        points=1,
        words=words_beside(__file__),
    ),
)
