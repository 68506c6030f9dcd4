"""The answer is a test that the learner wrote."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import attempts, error_kinds, sandbox
from seq2seq_lib.course.judging.exercise import (
    CORRECT,
    ERROR,
    PARTLY,
    WRONG,
    Exercise,
    Finding,
)
from seq2seq_lib.course.judging.sandbox import Run
from seq2seq_lib.course.judging.words import Words


@dataclass(frozen=True)
class DetectiveTask:
    """The answer is a test: a function that raises AssertionError for a wrong implementation.

    Attributes:
        innocent: right implementations, written differently; the test must pass them all.
        suspects: wrong ones by the name of their finding.
        patient: the suspect that must be among the rejected, or nothing is earned.
        tiers: ``(suspects to reject, points)``, from few to all: who reaches one has its points and
            those of the tiers before it.
        called: what one implementation is called, and several.
        also_right: the first of the innocent once more, each by the name of the finding for a test
            that rejects it: ``last_digits`` for one that adds up in another order, ``other_form``
            for one that returns tuples where the first returns lists.
    """

    innocent: tuple[Callable, ...]
    suspects: dict[str, Callable]
    patient: str
    tiers: tuple[tuple[int, int], ...]
    called: tuple[str, str] = ("implementation", "implementations")
    also_right: Mapping[str, Callable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        needed = [count for count, _ in self.tiers]
        possible = range(1, len(self.suspects) + 1)
        if not needed or needed != sorted(set(needed) & set(possible)):
            raise ValueError(
                f"tiers must ask for more suspects each, up to {len(self.suspects)}, but they are "
                f"{self.tiers}."
            )
        if self.patient not in self.suspects:
            raise ValueError(
                f"The patient {self.patient!r} is none of the suspects: {', '.join(self.suspects)}."
            )

    @property
    def points(self) -> int:
        """Of all tiers."""
        return sum(points for _, points in self.tiers)

    def judge(self, answer: Any, generator: torch.Generator) -> Finding:
        """Two runs of the test on each implementation, and what it earns; the worse run counts.

        All runs come in one random order, so a test that counts its calls is right by luck alone:
        in one of 35 orders if each of 7 implementations came once, of 3,003 if each comes twice.
        """
        if none := attempts.no_function(answer):
            return none
        right = [("innocent_rejected", function) for function in self.innocent]
        right += self.also_right.items()
        ranks = {("right", rank): function for rank, (_, function) in enumerate(right)}
        all_of_them = ranks | {("wrong", name): f for name, f in self.suspects.items()}
        keys = list(all_of_them)
        runs: dict[Any, Run] = {}
        order = torch.randperm(2 * len(keys), generator=generator) % len(keys)
        for key in [keys[place] for place in order.tolist()]:
            run = _try(answer, all_of_them[key])
            if none := attempts.unfinished(answer, run.error):
                return none.finding
            if key not in runs or not _as_it_should(run, rejects=key[0] == "wrong"):
                runs[key] = run
        objected = [
            self._innocent(name, runs["right", rank]) for rank, (name, _) in enumerate(right)
        ]
        if any(objected):
            return self._first_objection(objected)
        return self._suspects({name: runs["wrong", name] for name in self.suspects})

    def _first_objection(self, objected: list[Finding | None]) -> Finding:
        """To right ones, in their order; where the first passes, to one with a name.

        A test that asks for equal digits rejects, besides the one that is there to tell it so, a
        few of the innocent, and which ones depends on the machine. But a test that rejects what
        the named one was made of stumbles over something else: NaN at pads, say.
        """
        found = [finding for finding in objected if finding]
        named = [finding for finding in found if finding.name in self.also_right]
        if found[0].name == "innocent_rejected" and objected[0] is None:
            return (named or found)[0]
        return found[0]

    def _innocent(self, name: str, run: Run) -> Finding | None:
        """What is wrong with a test that does this with a right implementation."""
        fed = f"a right {self.called[0]}"
        if run.value is not None:
            return Finding(WRONG, "test_returns", fed, sandbox.shown(run), self._facts())
        if run.error is None:
            return None
        accused = isinstance(run.error, AssertionError)
        return Finding(
            WRONG if accused else ERROR,
            name if accused else "raised",
            fed,
            sandbox.shown(run),
            self._facts(kind=error_kinds.kind(run.error)),
            run.noise,
        )

    def _suspects(self, runs: dict[str, Run]) -> Finding:
        survivors = {
            name: run for name, run in runs.items() if not _as_it_should(run, rejects=True)
        }
        killed = len(runs) - len(survivors)
        reached = [tier for tier in self.tiers if killed >= tier[0]]
        if self.patient in survivors:
            reached = []
        earned = sum(points for _, points in reached)
        facts = self._facts(
            killed=killed,
            suspects=len(runs),
            earned=earned,
            points=self.points,
            needed=self.tiers[min(len(reached), len(self.tiers) - 1)][0],
        )
        if len(reached) == len(self.tiers):
            return Finding(CORRECT, facts=facts)
        name, noise = self.patient if self.patient in survivors else next(iter(survivors)), ""
        stopped = [run.error for run in survivors.values() if run.error is not None]
        if stopped:
            name = "other_error"
            facts |= {"stopped": str(len(stopped)), "error": type(stopped[0]).__name__}
        elif killed == 0:
            name, noise = "nothing_rejected", runs[self.patient].noise  # printing rejects nothing
        return Finding(
            PARTLY if earned else WRONG,
            name,
            came_back=f"{killed} of {len(runs)} wrong {self.called[1]} rejected",
            facts=facts,
            printed=noise,
            earned=earned,
        )

    def _facts(self, **more: object) -> dict[str, str]:
        one, several = self.called
        return {"one": one, "several": several} | {key: str(fact) for key, fact in more.items()}


def detective(
    id: str,
    test: Callable,
    task: DetectiveTask,
    *,
    difficulty: int,
    importance: int = 5,
    minutes: int,
    words: Words,
    alternatives: tuple = (),
) -> Exercise:
    """An exercise whose answer is a test; its points are those of the tiers.

    Args:
        test: the one that ``solution`` shows; the exercise is named after it.
        task: what the test must tell apart.
        id, difficulty, importance, minutes, words, alternatives: as ``Exercise`` has them.
    """
    return Exercise(
        id,
        test.__name__,
        "D",
        difficulty,
        importance,
        minutes,
        task.points,
        task,
        test,
        words,
        alternatives,
    )


def last_digit(right: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``right`` but for the last bit, as another device or another order of adding gives it.

    The gradient is that of ``right``.
    """

    def nudged(*args: Any) -> Tensor:
        value = right(*args)
        up = torch.full_like(value, torch.inf)
        return torch.nextafter(value.detach(), up) + (value - value.detach())

    return nudged


def _as_it_should(run: Run, *, rejects: bool) -> bool:
    """Whether the test said what it should of an implementation: rejected it, or said nothing."""
    if rejects:
        return isinstance(run.error, AssertionError)
    return run.error is None and run.value is None


def _try(test: Callable, implementation: Callable) -> Run:
    return sandbox.run(test, {"implementation": unnamed(implementation)})


def unnamed(function: Callable) -> Callable:
    """Calls the function and tells nothing of it: no name, no module, no closure.

    ``lru_cache`` is written in C and has no attribute for what it calls; of size 0 it is no cache.
    """
    opaque = functools.lru_cache(maxsize=0)(function)
    vars(opaque).clear()
    opaque.__name__ = opaque.__qualname__ = "unnamed"
    opaque.__module__ = __name__
    opaque.__signature__, opaque.__closure__ = _ANY, None
    return opaque


_ANY = inspect.signature(lambda *args, **kwargs: None)
