"""Exercise 0.1: the smallest number of pads that changes an answer. Asked in the chapter itself."""

from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

TEXT = "24 december 1984"
RIGHT = "1984-12-24"  # of this text, whatever a model says


def depends_on_neighbours_spec(answer: Callable, text: str, longest: int = 24) -> int | None:
    found = None
    for pads in reversed(range(1, longest + 1)):
        if answer(text, pads) != answer(text, 0):
            found = pads
    return found


def depends_on_neighbours(answer: Callable, text: str, longest: int = 24) -> int | None:
    alone = answer(text, 0)
    for pads in range(1, longest + 1):
        if answer(text, pads) != alone:
            return pads
    return None


def depends_with_next(answer: Callable, text: str, longest: int = 24) -> int | None:
    alone = answer(text, 0)
    return next((n for n in range(1, longest + 1) if answer(text, n) != alone), None)


# ---------------------------------------------------------------- wrong answers


def searching(start: int = 1, beyond: int = 1, never: Any = None, found: Any = None):
    """A search from another place, to another one, or that returns something else."""

    def search(answer: Callable, text: str, longest: int = 24) -> Any:
        alone = answer(text, 0)
        for pads in range(start, longest + beyond):
            if answer(text, pads) != alone:
                return pads if found is None else found
        return never

    return search


def against_the_step_before(answer: Callable, text: str, longest: int = 24) -> int | None:
    # 0 against 1, 1 against 2, ...: gives the one before the change
    for pads in range(longest):
        if answer(text, pads) != answer(text, pads + 1):
            return pads
    return None


def against_the_right_date(answer: Callable, text: str, longest: int = 24) -> int | None:
    for pads in range(1, longest + 1):
        if answer(text, pads) != RIGHT:
            return pads
    return None


def last_change(answer: Callable, text: str, longest: int = 24) -> int | None:
    alone, found = answer(text, 0), None
    for pads in range(1, longest + 1):
        if answer(text, pads) != alone:
            found = pads
    return found


def how_many(answer: Callable, text: str, longest: int = 24) -> int:
    alone = answer(text, 0)
    return sum(answer(text, pads) != alone for pads in range(1, longest + 1))


def fixed_end(answer: Callable, text: str, longest: int = 24) -> int | None:
    return depends_on_neighbours(answer, text)


def only_the_longest(answer: Callable, text: str, longest: int = 24) -> int | None:
    return longest if answer(text, longest) != answer(text, 0) else None


def first_pair(answer: Callable, text: str, longest: int = 24) -> int | None:
    return 1 if answer(text, 1) != answer(text, 0) else None


def as_objects(answer: Callable, text: str, longest: int = 24) -> int | None:
    alone = answer(text, 0)
    return next((n for n in range(1, longest + 1) if answer(text, n) is not alone), None)


def no_return(*args: Any) -> None:
    depends_on_neighbours(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("step_before", against_the_step_before),
    Mutant("starts_late", searching(start=2)),
    Mutant("ends_early", searching(beyond=0)),
    Mutant("yes_or_no", searching(found=True)),
    Mutant("yes_or_no", searching(found=True, never=False)),
    Mutant("right_date", against_the_right_date),
    Mutant("zero_for_never", searching(never=0)),
    Mutant("longest_for_never", lambda a, t, longest=24: searching(never=longest)(a, t, longest)),
    Mutant("last_change", last_change),
    Mutant("how_many", how_many),
    Mutant("fixed_end", fixed_end),
    Mutant("only_the_longest", only_the_longest),
    Mutant("first_pair", first_pair),
    Mutant("own_text", lambda a, text, longest=24: depends_on_neighbours(a, TEXT, longest)),
    Mutant("as_objects", as_objects),
)


# ---------------------------------------------------------------- the exercise


class Model:
    """A model of strings: what it writes for a number of pads, the last one for all above.

    Pads change nothing in what it writes for another text. It refuses numbers that no caller may
    ask for, and writes a new string each time.
    """

    def __init__(self, *changes: tuple[int, str], text: str, most: int) -> None:
        self.changes, self.text, self.most = changes, text, most

    def __call__(self, text: str, pads: int) -> str:
        if not 0 <= pads <= self.most:
            return f"{pads} pads"  # an answer like no other, so a search that goes too far shows
        if text != self.text:
            return "another text"
        said = [said for start, said in self.changes if start <= pads][-1]
        return said[:4] + said[4:]


def probes(generator: torch.Generator) -> list[Probe]:
    """A change at 1, in the middle, at the end, nowhere; wrong but the same; there and back."""
    place = int(torch.randint(3, 9, (), generator=generator))
    longest = place + int(torch.randint(2, 6, (), generator=generator))
    right, wrong, other = RIGHT, "1984-11-24", "1984-04-24"
    cases = [
        ([(0, right), (8, wrong)], 24, "the answer changes with 8 pads"),
        ([(0, right), (1, wrong)], 6, "the answer changes with 1 pad"),
        ([(0, right)], 5, "the answer never changes"),
        ([(0, wrong)], 4, "the answer is wrong and never changes"),
        ([(0, right), (5, wrong)], 5, "the answer changes at the last number of pads"),
        ([(0, wrong), (place, right)], longest, f"the answer becomes right with {place} pads"),
        ([(0, right), (1, wrong), (3, right)], 4, "the answer changes with 1 pad and comes back"),
        (
            [(0, right), (place, wrong), (place + 1, other)],
            longest,
            f"changes from {place} pads on",
        ),
        ([(0, right), (9, wrong)], 4, "the answer changes with 9 pads, and longest is 4"),
        ([(0, right), (1, "")], 1, "with 1 pad nothing is written, and longest is 1"),
    ]
    fed = [(TEXT, *case) for case in cases]
    may = [(0, "2001-05-07"), (3, "2001-07-05")]
    fed.append(("7 may 2001", may, 5, "the answer to '7 may 2001' changes with 3 pads"))
    return [
        Probe(
            {"answer": Model(*changes, text=text, most=longest), "text": text, "longest": longest},
            f"longest = {longest}; {words}",
        )
        for text, changes, longest, words in fed
    ]


def is_a_number_or_none(value: Any, expected: int | None) -> Problem | None:
    """A step: an int or None; True is no number of pads."""
    if isinstance(value, bool):
        return "yes_or_no", {}
    return None


TASK = FunctionTask(
    spec=depends_on_neighbours_spec, probes=probes, steps=(is_a_number_or_none,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "0.1",
        "depends_on_neighbours",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=6,
        points=0,
        task=TASK,
        reference=depends_on_neighbours,
        words=words_beside(__file__),
        alternatives=(depends_with_next,),
    ),
)
