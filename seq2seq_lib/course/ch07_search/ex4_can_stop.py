"""7.4 ``can_stop``: whether nothing that is open can win any more."""

from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Numbers = list[float]

# ---------------------------------------------------------------- right answers


def can_stop_spec(
    ended: Numbers, open_totals: Numbers, length: int, longest: int, alpha: float
) -> bool:
    for total in open_totals:
        for n in range(length + 1, longest + 1):  # wherever it may end, at no further cost
            if not ended or total / n**alpha > max(ended):
                return False
    return True


def can_stop(ended: Numbers, open_totals: Numbers, length: int, longest: int, alpha: float) -> bool:
    if not open_totals:
        return True
    if not ended:
        return False
    best = max(open_totals)
    bound = max(best / n**alpha for n in (length + 1, longest))
    return bound <= max(ended)


def can_stop_by_sign(
    ended: Numbers, open_totals: Numbers, length: int, longest: int, alpha: float
) -> bool:
    n = longest if alpha >= 0 else length + 1
    return all(ended and total / n**alpha <= max(ended) for total in open_totals)


# ---------------------------------------------------------------- probes


def probes(generator: torch.Generator) -> list[Probe]:
    """``(ended, open_totals, length, longest, alpha)``; the numbers of the card, and edges."""
    x = torch.rand(2, generator=generator).tolist()
    cases = [
        ([-2.185], [-1.938, -1.995, -2.254], 2, 4, 0.0),  # the card, k = 3, step 2: go on
        ([-2.185, -2.794, -3.052], [-2.988, -3.142, -3.378], 3, 4, 0.0),  # step 3: stop
        ([-1.0925, -0.931], [-2.988, -3.142], 3, 4, 1.0),  # go on; present length says stop
        ([-1.0], [-3.0, -3.5], 1, 4, 1.0),  # go on: only the longest ones can win
        ([-1.0], [-2.4], 3, 4, 1.0),  # go on at any length; without a penalty it looks hopeless
        ([-9.0, -2.0], [-3.0], 1, 3, 0.0),  # the best ended one does not stand first: stop
        ([-1.0, -9.0], [-4.0], 2, 4, 1.0),  # a tie: it cannot win
        ([-4.0, -9.0], [-4.001], 1, 5, 0.0),  # the worst ended one is not what must be beaten
        ([-4.0], [-4.0], 3, 6, 0.0),  # a tie without a penalty
        ([-3.0], [-1.0, -1.5], 1, 5, -1.0),  # alpha < 0: short is the best case, -2: go on
        ([-2.0 + x[0] / 2], [-1.0 - x[1] / 9], 1, 4, -1.0),  # and here it has at most -2: stop
        ([], [-2.0], 1, 3, 0.5),
        ([], [], 2, 4, 1.0),
        ([-3.0 - x[0]], [], 2, 4, 1.0),
        ([-2.0], [-9.0, -1.5], 2, 3, 0.0),  # the best open one stands last
        ([-2.0 - x[1]], [-9.0 - x[0], -8.9], 4, 5, 0.6),
    ]
    names = ("ended", "open_totals", "length", "longest", "alpha")
    return [
        Probe(
            dict(zip(names, case, strict=True)),
            ", ".join(f"{n} = {_told(v)}" for n, v in zip(names, case, strict=True)),
        )
        for case in cases
    ]


def _told(value: Any) -> str:
    return str([round(x, 3) for x in value] if isinstance(value, list) else value)


# ---------------------------------------------------------------- wrong answers


def stopping(
    *,
    reach: Callable[[int, int, float], tuple[int, ...]] = lambda length, longest, alpha: (
        length + 1,
        longest,
    ),
    beat: Callable[[Numbers], float] = max,
    best: Callable[[Numbers], float] = max,
    nothing_open: bool = True,
    nothing_ended: bool = False,
    tie: bool = True,
) -> Callable:
    """``can_stop``; each argument is a decision that can be wrong."""

    def can_stop(
        ended: Numbers, open_totals: Numbers, length: int, longest: int, alpha: float
    ) -> bool:
        if not open_totals:
            return nothing_open
        if not ended:
            return nothing_ended
        bound = max(best(open_totals) / n**alpha for n in reach(length, longest, alpha))
        return bound <= beat(ended) if tie else bound < beat(ended)

    return can_stop


def asks_first_what_ended(ended: Numbers, *args: Any) -> bool:
    return bool(ended) and can_stop(ended, *args)


def no_return(*args: Any) -> None:
    can_stop(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("present_length", stopping(reach=lambda length, longest, alpha: (length,))),
    Mutant("next_length", stopping(reach=lambda length, longest, alpha: (length + 1,))),
    Mutant("present_too", stopping(reach=lambda length, longest, alpha: (length, longest))),
    Mutant("always_longest", stopping(reach=lambda length, longest, alpha: (longest,))),
    Mutant("no_penalty", stopping(reach=lambda length, longest, alpha: (1,))),
    Mutant("worst_ended", stopping(beat=min)),
    Mutant("first_ended", stopping(beat=lambda ended: ended[0])),
    Mutant("worst_open", stopping(best=min)),
    Mutant("first_open", stopping(best=lambda totals: totals[0])),
    Mutant("nothing_open", stopping(nothing_open=False)),
    Mutant("both_empty", asks_first_what_ended),
    Mutant("nothing_ended", stopping(nothing_ended=True)),
    Mutant("tie", stopping(tie=False)),
    Mutant("first_end", lambda ended, *_: bool(ended)),
    Mutant("inverted", lambda *args: not can_stop(*args)),
)

# ---------------------------------------------------------------- the exercise


def is_yes_or_no(value: Any, expected: Any) -> Problem | None:
    """A step: True or False came back."""
    if value is None:
        return "no_return", {}
    kind = f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")
    return None if isinstance(value, bool) else ("not_yes_or_no", {"kind_of_value": kind})


EXERCISES = (
    Exercise(
        "7.4",
        "can_stop",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=20,
        points=3,
        task=FunctionTask(
            spec=can_stop_spec, probes=probes, steps=(is_yes_or_no,), mutants=MUTANTS
        ),
        reference=can_stop,
        alternatives=(can_stop_spec, can_stop_by_sign),
        words=words_beside(__file__),
    ),
)
