"""Exercise 5.3: the number that a wrong pipeline prints."""

from seq2seq_lib.course.judging.choice_task import choice
from seq2seq_lib.course.judging.words import words_beside

EXERCISES = (
    choice(
        "5.3",
        "which number is printed",
        sealed="eNqrVnJUslJQKspMzyiJz8kvLlbSUVByAgkl5xcVpSaXgPjOIH5aZlExQokLWCgnP78IxHMF8YozEotS4/NS0xNLUlNAom4g0bL8EoRgLQAQZSEv",
        difficulty=2,
        importance=4,
        minutes=5,
        points=1,
        words=words_beside(__file__),
    ),
)
