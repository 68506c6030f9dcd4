"""The answer is a letter."""

import re
from dataclasses import dataclass
from typing import Any

import torch

from seq2seq_lib.course.judging import attempts, describe
from seq2seq_lib.course.judging.exercise import CORRECT, NOT_ATTEMPTED, WRONG, Exercise, Finding
from seq2seq_lib.course.judging.seal import unseal
from seq2seq_lib.course.judging.words import Words


@dataclass(frozen=True)
class ChoiceTask:
    """A choice between letters.

    Attributes:
        sealed: what each letter means, as ``judging.seal`` prints it: the name of a finding, or
            ``correct``.
    """

    sealed: str

    @property
    def reasons(self) -> dict[str, str]:
        """What each letter means."""
        return unseal(self.sealed)

    @property
    def letters(self) -> tuple[str, ...]:
        """The choices."""
        return tuple(self.reasons)

    @property
    def answer(self) -> str:
        """The right letter."""
        return next(letter for letter, reason in self.reasons.items() if reason == CORRECT)

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        """A letter may be small, and stand in spaces, parentheses, or before a full stop."""
        if attempts.is_placeholder(answer):
            return Finding(NOT_ATTEMPTED)
        text = answer if isinstance(answer, str) else ""
        letter = "".join(re.findall(r"^\W*([A-Za-z])\W*$", text)).upper()
        reason = self.reasons.get(letter)
        if reason is None:
            facts = {"choices": ", ".join(self.letters)}
            return Finding(WRONG, "not_a_choice", came_back=describe.value(answer), facts=facts)
        if reason == CORRECT:
            return Finding(CORRECT)
        return Finding(WRONG, reason, came_back=letter)


def choice(
    id: str,
    title: str,
    *,
    sealed: str,
    difficulty: int,
    importance: int,
    minutes: int,
    points: int,
    words: Words,
) -> Exercise:
    """An exercise whose answer is a letter; what each letter means stays sealed.

    Args:
        title: a few words, since a letter has no function to be named after.
        sealed: as ``ChoiceTask`` takes it.
        id, difficulty, importance, minutes, points, words: as ``Exercise`` has them.
    """
    task = ChoiceTask(sealed)
    return Exercise(
        id, title, "P", difficulty, importance, minutes, points, task, task.answer, words
    )
