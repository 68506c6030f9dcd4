"""What an exercise is, what a check finds, and the register of all exercises."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

CORRECT, WRONG, ERROR, NOT_ATTEMPTED = "correct", "wrong", "error", "not_attempted"
KINDS = {"P": "predict", "F": "fill in", "I": "implement", "D": "debug", "X": "extend"}


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        state: ``correct``, ``wrong``, ``error`` or ``not_attempted``.
        name: of the mistake, a key into ``texts``; empty if there is none.
        fed: what the answer was given, small.
        came_back: what it returned or raised.
        facts: numbers for the text of this mistake.
        printed: what the learner's code wrote in that call.
    """

    state: str
    name: str = ""
    fed: str = ""
    came_back: str = ""
    facts: dict[str, str] | None = None
    printed: str = ""


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
    """One exercise, in the form that the notebook's header shows.

    Attributes:
        id: ``"4.2"``; ``"4.6b1"`` where a learner hands in one answer for several graded cells.
        title: one line.
        kind: a key of ``KINDS``.
        difficulty, importance: 1 to 5.
        minutes: to spend at most.
        points: of its graded cell.
        task: judges answers.
        reference: the answer that ``solution`` shows.
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
    task: Task
    reference: Any
    alternatives: tuple = ()
    manual: bool = False

    @property
    def chapter(self) -> str:
        """``"4"`` of ``"4.2"``."""
        return self.id.split(".")[0]

    @property
    def mutants(self) -> tuple[Mutant, ...]:
        """Wrong functions that have a message of their own."""
        return getattr(self.task, "mutants", ())


REGISTER: dict[str, Exercise] = {}


def register(*new: Exercise) -> None:
    """Add exercises; an id is given once."""
    for exercise in new:
        if exercise.id in REGISTER:
            raise ValueError(f"Exercise {exercise.id} is registered twice.")
        if exercise.kind not in KINDS:
            raise ValueError(f"Unknown kind: {exercise.kind!r}. Valid: {', '.join(KINDS)}.")
        REGISTER[exercise.id] = exercise


def find(id: str) -> Exercise:
    """The exercise of this id."""
    if not isinstance(id, str) or id not in REGISTER:
        parts = [other for other in REGISTER if isinstance(id, str) and other.startswith(id)]
        raise ValueError(f"There is no exercise {id!r}. Valid: {', '.join(parts or REGISTER)}.")
    return REGISTER[id]


def exercises(chapter: str | None = None) -> tuple[Exercise, ...]:
    """All exercises in order, or those of one chapter: ``exercises("4")``."""
    chosen = tuple(e for e in REGISTER.values() if chapter in (None, e.chapter))
    if not chosen:
        known = sorted({e.chapter for e in REGISTER.values()}, key=int)
        raise ValueError(f"No exercises in chapter {chapter!r}. Valid: {', '.join(known)}.")
    return chosen


def points(id: str) -> int:
    """Points of an exercise, ``points("4.2")``, or of a chapter and its bonus, ``points("4")``."""
    if isinstance(id, str) and "." not in id:
        return sum(exercise.points for exercise in exercises(id))
    return find(id).points
