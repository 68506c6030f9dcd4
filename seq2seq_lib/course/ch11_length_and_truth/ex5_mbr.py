"""Exercise 11.5: minimum Bayes risk on samples."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside


def covered(candidate: str, reference: str) -> float:
    """The share of the candidate's letters that the reference holds; not symmetric."""
    left, hits = list(reference), 0
    for letter in candidate:
        if letter in left:
            left.remove(letter)
            hits += 1
    return hits / max(1, len(candidate))


def shared(candidate: str, reference: str) -> float:
    """How many letters the two share: a long output is worth more to itself than a short one."""
    return float(sum((Counter(candidate) & Counter(reference)).values()))


TENTHS = {"b": (0.3, 0.2, 0.1), "a": (0.1, 0.2, 0.3), "c": (0.0, 0.0, 0.0)}


def in_tenths(candidate: str, reference: str) -> float:
    """b and a are equally good, but 0.3 + 0.2 + 0.1 is less than 0.1 + 0.2 + 0.3 in Python."""
    return TENTHS[candidate]["bac".index(reference)]


def mbr_spec(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
    best, best_worth = None, None
    for candidate in samples:
        worth = 0.0
        for reference in samples:
            worth += utility(candidate, reference)
        if best_worth is None or worth > best_worth + 1e-9:
            best, best_worth = candidate, worth
    return best


def mbr(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
    def worth(candidate: str) -> float:
        return sum(utility(candidate, reference) for reference in samples)

    return max(samples, key=lambda candidate: round(worth(candidate), 9))  # of equals the first


def mbr_by_counts(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
    counts = Counter(samples)  # in the order of the first draw
    worth = {y: sum(n * utility(y, ref) for ref, n in counts.items()) for y in counts}
    top = max(worth.values())
    return next(y for y in counts if worth[y] > top - 1e-9)


# ---------------------------------------------------------------- wrong answers


def _rule(worth: Callable, last: bool = False) -> Callable:
    def answer(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
        ranked = samples[::-1] if last else samples
        return max(ranked, key=lambda y: round(worth(y, samples, utility), 9))

    return answer


references_once = _rule(lambda y, samples, u: sum(u(y, r) for r in set(samples)) / 64)
swapped = _rule(lambda y, samples, u: sum(u(r, y) for r in samples))
nearest = _rule(lambda y, samples, u: max(u(y, r) for r in samples))
worst_case = _rule(lambda y, samples, u: min(u(y, r) for r in samples))
least = _rule(lambda y, samples, u: -sum(u(y, r) for r in samples))
last_of_equals = _rule(lambda y, samples, u: sum(u(y, r) for r in samples), last=True)


def _left_out(same: Callable) -> Callable:
    def answer(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
        worth = [
            sum(utility(y, ref) for j, ref in enumerate(samples) if not same(i, j, samples))
            for i, y in enumerate(samples)
        ]
        return samples[max(range(len(samples)), key=lambda i: round(worth[i], 9))]

    return answer


itself_left_out = _left_out(lambda i, j, samples: i == j)
equals_left_out = _left_out(lambda i, j, samples: samples[i] == samples[j])


def all_in_a_set(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
    once = set(samples)
    return max(once, key=lambda y: round(sum(utility(y, r) for r in once), 9))


def all_in_a_set_unrounded(samples: Sequence[str], utility: Callable[[str, str], float]) -> str:
    once = set(samples)
    return max(once, key=lambda y: sum(utility(y, r) for r in once))


def most_frequent(samples: Sequence[str], utility: Callable) -> str:
    return max(samples, key=samples.count)


def the_worth(samples: Sequence[str], utility: Callable) -> float:
    return max(sum(utility(y, r) for r in samples) for y in samples)


def no_return(*args: Any) -> None:
    mbr(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("itself_left_out", itself_left_out),
    Mutant("itself_left_out", equals_left_out),
    Mutant("references_once", references_once),
    Mutant("references_once", all_in_a_set),
    Mutant("references_once", all_in_a_set_unrounded),
    Mutant("swapped", swapped),
    Mutant("nearest", nearest),
    Mutant("worst_case", worst_case),
    Mutant("least", least),
    Mutant("last_of_equals", last_of_equals),
    Mutant("most_frequent", most_frequent),
    Mutant("not_a_sample", the_worth),
)


# ---------------------------------------------------------------- the exercise


def is_a_sample(value: Any, expected: Any) -> Problem | None:
    """A step: a string came back."""
    if value is None:
        return "no_return", {}
    return None if isinstance(value, str) else ("not_a_sample", {})


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Equals in another order: a set's differs from run to run, so no mutant can have it."""
    samples, utility = probe.args["samples"], probe.args["utility"]
    if value not in samples:
        return None
    worth = {y: sum(utility(y, r) for r in samples) for y in samples}
    return ("not_the_first", {}) if abs(worth[value] - worth[expected]) < 1e-9 else None


def probes(generator: torch.Generator) -> list[Probe]:
    """Frequent against useful, ties, one sample, one three times, drawn ones, a long one."""
    fixed = (
        ["w", "ux", "w", "uy", "w", "uz", "vx"],
        ["abc", "d", "abd", "abe", "d"],
        ["xy", "yx"],  # equal: the first
        ["q"],
        ["pq", "pq", "pq"],
        ["aab", "ab", "ba", "aab", "c", "c", "c"],
        ["a", "abcd", "efgh", "abef"],
        ["abbc", "cb", "bbba", "bca", "ca"],
    )
    drawn = []
    for number in (4, 7, 9):
        ids = torch.randint(0, 3, (number, 4), generator=generator).tolist()
        sizes = torch.randint(1, 5, (number,), generator=generator).tolist()
        drawn.append(["".join("abc"[i] for i in r[:n]) for r, n in zip(ids, sizes, strict=True)])
    by_share = "utility = the share of the candidate's letters that the reference has, too"
    by_count = "utility = the number of letters that the two share"
    long = ["abcdef", "xy", "xz"]
    return [
        *(
            Probe({"samples": samples, "utility": covered}, f"samples = {samples}, {by_share}")
            for samples in (*fixed, *drawn)
        ),
        Probe({"samples": long, "utility": shared}, f"samples = {long}, {by_count}"),
        Probe(
            {"samples": list("bac"), "utility": in_tenths},
            f"samples = {list('bac')}, utilities with b, a, c in this order = {TENTHS}",
        ),
    ]


TASK = FunctionTask(
    spec=mbr_spec,
    probes=probes,
    steps=(is_a_sample,),
    mutants=MUTANTS,
    explain=explain,
)
EXERCISES = (
    Exercise(
        "11.5",
        "mbr",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=12,
        points=3,
        task=TASK,
        reference=mbr,
        words=words_beside(__file__),
        alternatives=(mbr_by_counts,),
    ),
)
