"""Exercise 9.7: what kind of error an output has, and a report on 200 outputs."""

from collections import Counter
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

KINDS = ("right", "order", "one word", "missing", "added", "other")


def kind_of_error_spec(hypothesis: str, reference: str) -> str:
    ours, theirs = hypothesis.split(), reference.split()
    if ours == theirs:
        return "right"
    if sorted(ours) == sorted(theirs):
        return "order"
    if len(ours) == len(theirs):
        different = 0
        for one, two in zip(ours, theirs, strict=True):
            different += one != two
        return "one word" if different == 1 else "other"
    left = list(theirs)
    if len(ours) < len(theirs):
        for word in ours:
            if word not in left:
                return "other"
            left.remove(word)
        return "missing"
    for word in ours:
        if word in left:
            left.remove(word)
    return "other" if left else "added"


def kind_of_error(hypothesis: str, reference: str) -> str:
    ours, theirs = hypothesis.split(), reference.split()
    if ours == theirs:
        return "right"
    more, less = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
    if not more:
        return "missing" if less else "order"
    if not less:
        return "added"
    same_length = len(ours) == len(theirs)
    if same_length and sum(a != b for a, b in zip(ours, theirs, strict=True)) == 1:
        return "one word"
    return "other"


def kind_by_rules(hypothesis: str, reference: str) -> str:
    ours, theirs = hypothesis.split(), reference.split()
    a, b = Counter(ours), Counter(theirs)
    places = [x == y for x, y in zip(ours, theirs, strict=False)]
    rules = {
        "right": ours == theirs,
        "order": a == b,
        "missing": a < b,
        "added": a > b,
        "one word": len(ours) == len(theirs) and places.count(False) == 1,
    }
    return next((name for name, holds in rules.items() if holds), "other")


# ---------------------------------------------------------------- wrong answers


def with_sets(hypothesis: str, reference: str) -> str:
    ours, theirs = hypothesis.split(), reference.split()
    a, b = set(ours), set(theirs)
    if ours == theirs:
        return "right"
    if a == b:
        return "order"
    if a < b:
        return "missing"
    if a > b:
        return "added"
    same_length = len(ours) == len(theirs)
    one = same_length and sum(x != y for x, y in zip(ours, theirs, strict=True)) == 1
    return "one word" if one else "other"


def by_length(hypothesis: str, reference: str) -> str:
    kind, c, r = (
        kind_of_error(hypothesis, reference),
        *map(len, (hypothesis.split(), reference.split())),
    )
    return "missing" if c < r else "added" if c > r else kind


def one_word_anywhere(hypothesis: str, reference: str) -> str:
    ours, theirs = Counter(hypothesis.split()), Counter(reference.split())
    kind = kind_of_error(hypothesis, reference)
    if kind == "other" and (ours - theirs).total() == (theirs - ours).total() == 1:
        return "one word"
    return kind


def letters(hypothesis: str, reference: str) -> str:
    return kind_of_error(" ".join(hypothesis), " ".join(reference))


def exchanged(hypothesis: str, reference: str) -> str:
    return kind_of_error(reference, hypothesis)


def no_order(hypothesis: str, reference: str) -> str:
    kind = kind_of_error(hypothesis, reference)
    return "right" if kind == "order" else kind


def as_lines(hypothesis: str, reference: str) -> str:
    return (
        "order"
        if hypothesis.split() == reference.split() and hypothesis != reference
        else (kind_of_error(hypothesis, reference))
    )


def empty_words(hypothesis: str, reference: str) -> str:
    """An empty word, written as a letter, wherever split(" ") finds one."""
    one, two = (" ".join(w or "∅" for w in t.split(" ")) for t in (hypothesis, reference))
    return kind_of_error(one, two)


MUTANTS = (
    Mutant("with_sets", with_sets),
    Mutant("by_length", by_length),
    Mutant("one_word_anywhere", one_word_anywhere),
    Mutant("letters", letters),
    Mutant("exchanged", exchanged),
    Mutant("no_order", no_order),
    Mutant("as_lines", as_lines),
    Mutant("empty_words", empty_words),
    Mutant("small_letters", lambda h, r: kind_of_error(h.lower(), r.lower())),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Each kind, words that repeat, nothing at all."""
    cases = [
        ("le chat dort", "le chat dort"),
        ("chat le dort", "le chat dort"),
        ("le chien dort", "le chat dort"),
        ("le chat", "le chat dort"),
        ("le chat dort ici", "le chat dort"),
        ("le chat le chat", "le chat le le chat"),
        ("le le chat", "le chat"),
        ("un chien dort", "le chat dort"),
        ("dort le chien", "le chat dort"),
        ("un chien", "le chat dort"),
        ("un chien dort bien ici", "le chat dort"),
        ("", "le chat"),
        ("le", "la"),
        ("Le chat dort", "le chat dort"),
        ("le  chat dort", "le chat dort "),
        ("un  chat", "un chien  dort"),
    ]
    for size in (4, 6, 8):
        words = torch.randint(4, (2, size), generator=generator).tolist()
        one, two = (" ".join(("un", "le", "chat", "dort")[k] for k in row) for row in words)
        cases += [(one, two), (one, one + " bien")]
    return [
        Probe({"hypothesis": h, "reference": r}, f"hypothesis = {h!r}; reference = {r!r}")
        for h, r in cases
    ]


def is_a_kind(value: Any, expected: str) -> Problem | None:
    """A step: one of the six names."""
    if value is None:
        return "no_return", {}
    return None if value in KINDS else ("no_kind", {"kinds": ", ".join(KINDS)})


TASK = FunctionTask(spec=kind_of_error_spec, probes=probes, steps=(is_a_kind,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "9.7",
        "kind_of_error",
        kind="X",
        difficulty=3,
        importance=4,
        minutes=60,
        points=6,
        task=TASK,
        reference=kind_of_error,
        words=words_beside(__file__),
        alternatives=(kind_by_rules,),
        manual=True,
    ),
)
