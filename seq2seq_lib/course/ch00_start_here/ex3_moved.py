"""Exercise 0.3: the texts whose answer in a batch is not the one alone."""

from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside


def moved_by_company_spec(read_batch: Callable, texts: list[str]) -> list[str]:
    moved = []
    for i in range(len(texts)):
        together = read_batch(list(texts))
        alone = read_batch([texts[i]])
        if together[i] != alone[0]:
            moved.append(texts[i])
    return moved


def moved_by_company(read_batch: Callable, texts: list[str]) -> list[str]:
    together = read_batch(texts)
    alone = [read_batch([text])[0] for text in texts]
    return [text for text, a, b in zip(texts, together, alone, strict=True) if a != b]


def moved_by_place(read_batch: Callable, texts: list[str]) -> list[str]:
    together, moved = read_batch(texts), []
    for place, text in enumerate(texts):
        (alone,) = read_batch([text])
        if alone != together[place]:
            moved += [text]
    return moved


# ---------------------------------------------------------------- wrong answers


def no_return(*args: Any) -> None:
    moved_by_company(*args)


def padded_to_itself(read_batch: Callable, texts: list[str]) -> list[str]:
    """Every text is read alone, twice."""
    return [text for text in texts if read_batch([text]) != read_batch([text])]


def sorted_and_left(read_batch: Callable, texts: list[str]) -> list[str]:
    together = read_batch(sorted(texts, key=len))
    return [t for t, a in zip(texts, together, strict=True) if a != read_batch([t])[0]]


def sorted_output(read_batch: Callable, texts: list[str]) -> list[str]:
    return sorted(moved_by_company(read_batch, texts))


def by_pairs(read_batch: Callable, texts: list[str]) -> list[str]:
    """Each text beside the next one alone."""
    pairs = zip(texts, texts[1:], strict=False)
    return [a for a, b in pairs if read_batch([a, b])[0] != read_batch([a])[0]]


def beside_the_longest(read_batch: Callable, texts: list[str]) -> list[str]:
    longest = max(texts, key=len)
    return [t for t in texts if read_batch([t, longest])[0] != read_batch([t])[0]]


def in_a_dictionary(read_batch: Callable, texts: list[str]) -> list[str]:
    """A text that comes twice is one key."""
    together = dict(zip(texts, read_batch(texts), strict=True))
    return [t for t, answer in together.items() if answer != read_batch([t])[0]]


def unmoved(read_batch: Callable, texts: list[str]) -> list[str]:
    return [t for t in texts if t not in moved_by_company(read_batch, texts)]


def answers_instead(read_batch: Callable, texts: list[str]) -> list[str]:
    moved = moved_by_company(read_batch, texts)
    return [a for t, a in zip(texts, read_batch(texts), strict=True) if t in moved]


def places(read_batch: Callable, texts: list[str]) -> list[int]:
    moved = moved_by_company(read_batch, texts)
    return [i for i, t in enumerate(texts) if t in moved]


def yes_or_no(read_batch: Callable, texts: list[str]) -> list[bool]:
    moved = moved_by_company(read_batch, texts)
    return [t in moved for t in texts]


def first_only(read_batch: Callable, texts: list[str]) -> list[str]:
    return moved_by_company(read_batch, texts)[:1]


def as_sets(read_batch: Callable, texts: list[str]) -> list[str]:
    """Whether the answer alone occurs anywhere among those of the batch."""
    together = set(read_batch(texts))
    return [t for t in texts if read_batch([t])[0] not in together]


def against_the_text(read_batch: Callable, texts: list[str]) -> list[str]:
    return [t for t, a in zip(texts, read_batch(texts), strict=True) if a != t]


def list_of_one(read_batch: Callable, texts: list[str]) -> list[str]:
    """The answer alone is left in its list."""
    return [t for t, a in zip(texts, read_batch(texts), strict=True) if a != read_batch([t])]


def letters(read_batch: Callable, texts: list[str]) -> list[str]:
    """A text for a list of texts: each of its letters is read."""
    return [t for t, a in zip(texts, read_batch(texts), strict=True) if a != read_batch(t)[0]]


def without_the_longest(read_batch: Callable, texts: list[str]) -> list[str]:
    longest = max(map(len, texts))
    return [t for t in texts if len(t) < longest]


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("alone_twice", padded_to_itself),
    Mutant("not_sorted_back", sorted_and_left),
    Mutant("other_order", sorted_output),
    Mutant("pairs", by_pairs),
    Mutant("beside_the_longest", beside_the_longest),
    Mutant("once_each", in_a_dictionary),
    Mutant("unmoved", unmoved),
    Mutant("answers", answers_instead),
    Mutant("places", places),
    Mutant("places", yes_or_no),
    Mutant("first_only", first_only),
    Mutant("sets", as_sets),
    Mutant("not_alone", against_the_text),
    Mutant("by_length", without_the_longest),
    Mutant("never_equal", list_of_one),
    Mutant("never_equal", letters),
)


# ---------------------------------------------------------------- the exercise


class Reader:
    """Reads texts in a batch: with too many pads behind it, a text gets another answer.

    So it does in a batch of more than ``rows``. What it says is a text in capitals, or with one pad
    too many the one of its neighbour, so that answers in a batch may be those of others.
    """

    def __init__(self, patience: int, rows: int = 9) -> None:
        self.patience, self.rows = patience, rows

    def __call__(self, texts: list[str]) -> list[str]:
        width = max(map(len, texts))
        said = [text.upper() for text in texts]
        crowded = len(texts) > self.rows
        return [
            said[i - 1] if crowded or width - len(text) > self.patience else said[i]
            for i, text in enumerate(texts)
        ]


def probes(generator: torch.Generator) -> list[Probe]:
    """Short and long texts, not sorted; one text; equal lengths; a reader that nothing moves; one
    text twice; a reader that a third text moves.
    """
    one, two = (int(torch.randint(1, 10, (), generator=generator)) for _ in range(2))
    texts = [f"{one} may 2001", f"wednesday, {two} august 1999", f"{two} july 1969", "1999.8.4"]
    long = "the 22nd of september, 2001"
    cases = [
        (["4 may 2001", "monday, 1 june 2020", "1999.8.4", "12 october 1987"], 2),
        (texts, 0),
        ([*texts, long], 9),
        ([texts[2], texts[0], long, texts[3], texts[1]], 17),
        ([texts[0]], 0),
        ([f"{one} may 2001", f"{one} may 2002", "3 may 1999"], 0),
        (texts, 99),
    ]
    cases.append(([texts[0], long, texts[0], "1999.8.4"], 0))
    told = "this reader is moved by more than"
    return [
        *(
            Probe(
                {"read_batch": Reader(patience), "texts": texts},
                f"texts = {texts}; {told} {patience} pads",
            )
            for texts, patience in cases
        ),
        Probe(
            {"read_batch": Reader(99, rows=2), "texts": texts},
            f"texts = {texts}; {told} 2 texts in a batch",
        ),
    ]


def is_a_list_of_texts(value: Any, expected: list[str]) -> Problem | None:
    """A step: a list, or a tuple."""
    if value is None:
        return "no_return", {}
    return None if isinstance(value, list | tuple) else ("no_list", {})


TASK = FunctionTask(
    spec=moved_by_company_spec, probes=probes, steps=(is_a_list_of_texts,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "0.3",
        "moved_by_company",
        kind="F",
        difficulty=2,
        importance=5,
        minutes=6,
        points=2,
        task=TASK,
        reference=moved_by_company,
        words=words_beside(__file__),
        alternatives=(moved_by_place,),
    ),
)
