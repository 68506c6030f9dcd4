"""Every word that a check says, in one place, to be translated file by file.

A finding is (what it means, one question); braces are filled with facts. No text holds the code of
a solution; the third hint is a skeleton with blanks.
"""

from seq2seq_lib.course.ch04_padding_masks import texts as chapter04
from seq2seq_lib.course.ch07_search import texts as chapter07
from seq2seq_lib.course.judging import general

CHAPTERS = {**chapter04.TEXTS, **chapter07.TEXTS}


def say(key: str, **facts: object) -> str:
    """A general text."""
    return general.TEXTS[key].format(**facts)


def of(id: str) -> dict:
    """An exercise's texts: ``correct``, ``hints``, ``solution``, ``findings``."""
    return CHAPTERS[id]


def finding(id: str, name: str, error: str = "") -> tuple[str, str]:
    """Meaning and question of a finding: the exercise's own, else the general one.

    Where the code just stopped, the kind of the ``error`` chooses the question.
    """
    meaning, question = of(id)["findings"].get(name) or general.FINDINGS[name]
    return meaning, general.ERRORS.get(error, question) if name == "raised" else question
