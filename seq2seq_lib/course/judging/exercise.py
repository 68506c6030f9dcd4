"""What an exercise is, and what a check finds."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from seq2seq_lib.course.judging.words import Words

CORRECT, PARTLY, WRONG, ERROR, NOT_ATTEMPTED = (
    "correct",
    "partly",
    "wrong",
    "error",
    "not_attempted",
)
KINDS = {"P": "predict", "F": "fill in", "I": "implement", "D": "debug", "X": "extend"}


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        state: ``correct``, ``partly``, ``wrong``, ``error`` or ``not_attempted``.
        name: of the mistake, a key into ``Words.findings``; empty if there is none.
        fed: what the answer was given, small.
        came_back: what it returned or raised.
        facts: numbers for the text of this mistake.
        printed: what the learner's code wrote in that call.
        earned: points, where the answer is correct in part.
    """

    state: str
    name: str = ""
    fed: str = ""
    came_back: str = ""
    facts: dict[str, str] | None = None
    printed: str = ""
    earned: int = 0


class Task(Protocol):
    """How an answer is judged."""

    def judge(self, answer: Any, generator: torch.Generator) -> Finding: ...


@dataclass(frozen=True)
class Mutant:
    """A wrong answer that learners give.

    Attributes:
        finding: the name of its message; two mutants share one where no value tells them apart.
        function: the wrong answer.
    """

    finding: str
    function: Callable


@dataclass(frozen=True)
class Exercise:
    """One exercise, in the form that the notebook's header shows, and all that its ``repr`` tells.

    Attributes:
        id: ``"4.2"``, or ``"4.6a"`` for a part of one.
        title: one line.
        kind: a key of ``KINDS``.
        difficulty, importance: 1 to 5.
        minutes: to spend at most.
        points: of its graded cell.
        task: judges answers.
        reference: the answer that ``solution`` shows.
        words: what is said about it: ``words_beside(__file__)``.
        alternatives: right answers, written differently.
        manual: the points are given by a person; the check only looks whether the answer can be
            right.
    """

    id: str
    title: str
    kind: str
    difficulty: int
    importance: int
    minutes: int
    points: int
    task: Task = field(repr=False)
    reference: Any = field(repr=False)
    words: Words = field(repr=False)
    alternatives: tuple = field(default=(), repr=False)
    manual: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d+\.\d+[a-z]?", self.id):
            raise ValueError(f'An id looks like "4.2" or "4.6a", but it is {self.id!r}.')
        if self.kind not in KINDS:
            raise ValueError(
                f"Exercise {self.id}: unknown kind {self.kind!r}. Valid: {', '.join(KINDS)}."
            )
        for name in ("difficulty", "importance"):
            if getattr(self, name) not in range(1, 6):
                raise ValueError(
                    f"Exercise {self.id}: {name} must be 1 to 5, but it is {getattr(self, name)!r}."
                )

        worth = getattr(self.task, "points", self.points)
        if worth != self.points:
            raise ValueError(
                f"Exercise {self.id}: points must be the {worth} of all tiers, but they are "
                f"{self.points}."
            )

    @property
    def chapter(self) -> str:
        """``"4"`` of ``"4.2"``."""
        return self.id.split(".")[0]

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        """Wrong functions that have a message of their own."""
        return getattr(self.task, "mutants", ())
