"""Exercise 0.4: exact match in groups of source lengths."""

from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Texts, Shares = list[str], list[float | None]


def exact_match_by_length_spec(
    answers: Texts, gold: Texts, lengths: list[int], edges: list[int]
) -> Shares:
    shares: Shares = []
    for g in range(len(edges) - 1):
        right = count = 0
        for i in range(len(gold)):
            if edges[g] <= lengths[i] < edges[g + 1]:
                count += 1
                right += answers[i] == gold[i]
        shares.append(right / count if count else None)
    return shares


def exact_match_by_length(
    answers: Texts, gold: Texts, lengths: list[int], edges: list[int]
) -> Shares:
    shares: Shares = []
    for low, high in zip(edges, edges[1:], strict=False):
        rows = [i for i, length in enumerate(lengths) if low <= length < high]
        hits = sum(answers[i] == gold[i] for i in rows)
        shares.append(hits / len(rows) if rows else None)
    return shares


def by_sorting_in(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> Shares:
    groups: list[list[bool]] = [[] for _ in edges[1:]]
    for said, right, length in zip(answers, gold, lengths, strict=True):
        place = sum(length >= edge for edge in edges) - 1
        if 0 <= place < len(groups):
            groups[place].append(said == right)
    return [sum(group) / len(group) if group else None for group in groups]


# ---------------------------------------------------------------- wrong answers


def grouped(inside: Any = None, share: Any = None, same: Any = None) -> Any:
    """The reference with another rule for who is in a group, what is right, or what it is worth."""
    inside = inside or (lambda low, length, high: low <= length < high)
    share = share or (lambda hits, count, total: hits / count if count else None)
    same = same or (lambda said, right: said == right)

    def answer(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> Any:
        shares = []
        for low, high in zip(edges, edges[1:], strict=False):
            rows = [i for i, length in enumerate(lengths) if inside(low, length, high)]
            hits = sum(same(answers[i], gold[i]) for i in rows)
            shares.append(share(hits, len(rows), len(gold)))
        return shares

    return answer


def no_return(*args: Any) -> None:
    exact_match_by_length(*args)


def lengths_of_gold(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> Shares:
    return exact_match_by_length(answers, gold, [len(text) for text in gold], edges)


def one_more(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> Shares:
    return exact_match_by_length(answers, gold, [length + 1 for length in lengths], edges)


def empty_left_out(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> Shares:
    shares = exact_match_by_length(answers, gold, lengths, edges)
    return [share for share in shares if share is not None]


def never_reset(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> Shares:
    """The counters go on from group to group."""
    groups = zip(edges, edges[1:], strict=False)
    return [
        exact_match_by_length(answers, gold, [n if n < high else -1 for n in lengths], [low, high])[
            0
        ]
        for low, high in ((edges[0], high) for _, high in groups)
    ]


def one_number(answers: Texts, gold: Texts, lengths: list[int], edges: list[int]) -> float:
    return sum(a == b for a, b in zip(answers, gold, strict=True)) / len(gold)


def characters(said: str, right: str) -> float:
    return sum(a == b for a, b in zip(said, right, strict=False)) / len(right)


def of_nothing(value: Any) -> Any:
    return lambda hits, count, total: hits / count if count else value


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("nan", grouped(share=of_nothing(float("nan")))),
    Mutant("zero", grouped(share=of_nothing(0.0))),
    Mutant("zero", grouped(share=lambda hits, count, total: hits / max(count, 1))),
    Mutant("upper_twice", grouped(lambda low, length, high: low <= length <= high)),
    Mutant("lower_lost", grouped(lambda low, length, high: low < length <= high)),
    Mutant("both_lost", grouped(lambda low, length, high: low < length < high)),
    Mutant("end_counted", one_more),
    Mutant("gold_lengths", lengths_of_gold),
    Mutant("of_all", grouped(share=lambda hits, count, total: hits / total if count else None)),
    Mutant("counts", grouped(share=lambda hits, count, total: hits if count else None)),
    Mutant("percent", grouped(share=lambda h, count, total: 100 * h / count if count else None)),
    Mutant("empty_left_out", empty_left_out),
    Mutant("characters", grouped(same=characters)),
    Mutant("one_number", one_number),
    Mutant("never_reset", never_reset),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Lengths on every edge and outside all groups, an empty group, one group, one text."""
    right, near, far = "1999-08-04", "1999-08-14", ""
    fixed = ([right, near, right, far, right], [5, 9, 10, 20, 14], [5, 10, 15, 18, 21])
    cases = [fixed, ([right], [7], [7, 8]), ([near], [3], [1, 2, 9]), ([right], [9], [1, 9])]
    count = 30
    drawn = torch.randint(0, 3, (count,), generator=generator).tolist()
    lengths = torch.randint(6, 31, (count,), generator=generator).tolist()
    cases.append(([(right, near, far)[kind] for kind in drawn], lengths, [6, 11, 12, 21, 40, 50]))
    cases.append((cases[-1][0], lengths, [10, 20]))
    return [
        Probe(
            {
                "answers": answers,
                "gold": [right] * len(answers),
                "lengths": lengths,
                "edges": edges,
            },
            f"answers = {answers if len(answers) < 9 else '30 dates'}, gold = {right} each, "
            f"lengths = {lengths if len(answers) < 9 else '6 to 30'}, edges = {edges}",
        )
        for answers, lengths, edges in cases
    ]


def is_a_list(value: Any, expected: Shares) -> Problem | None:
    """A step: a list with an entry a group."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple):
        return "one_number", {}
    if len(value) != len(expected):
        return "other_count", {"found": str(len(value)), "wanted": str(len(expected))}
    return None


TASK = FunctionTask(
    spec=exact_match_by_length_spec, probes=probes, steps=(is_a_list,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "0.4",
        "exact_match_by_length",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=10,
        points=3,
        task=TASK,
        reference=exact_match_by_length,
        words=words_beside(__file__),
        alternatives=(by_sorting_in,),
    ),
)
