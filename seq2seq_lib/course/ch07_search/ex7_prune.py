"""7.7 ``prune``: what has ended, and what stays open; asked in the chapter."""

from collections.abc import Callable
from numbers import Real
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.course.letter_cards import LETTERS, spelt
from seq2seq_lib.vocab import EOS_ID, PAD_ID

Some = list[tuple]  # of (output, total), with or without more behind
Two = tuple[Some, Some]

# ---------------------------------------------------------------- right answers


def prune_spec(candidates: Some, k: int) -> Two:
    ended, still_open = [], []
    for place, one in enumerate(sorted(candidates, key=lambda c: c[1], reverse=True)):
        if one[0][-1] == EOS_ID:
            if place < k:
                ended.append(one)
        elif len(still_open) < k:
            still_open.append(one)
    return ended, still_open


def prune(candidates: Some, k: int) -> Two:
    ranked = sorted(candidates, key=lambda candidate: -candidate[1])
    ended = [c for c in ranked[:k] if c[0][-1] == EOS_ID]
    still_open = [c for c in ranked if c[0][-1] != EOS_ID]
    return ended, still_open[:k]


# ---------------------------------------------------------------- probes


def prune_probes(generator: torch.Generator) -> list[Probe]:
    """``(candidates, k)``: ranked and not ranked, ends before and behind the first k, k = 1."""
    a, b, c, end = *LETTERS, EOS_ID
    first = [((a,), -0.9), ((b,), -1.4), ((c,), -1.2), ((end,), -3.0)]
    second = [
        *(((a, t), -0.9 - x) for t, x in zip((a, b, c, end), (1.9, 1.1, 1.0, 1.92), strict=True)),
        *(((b, t), -1.4 - x) for t, x in zip((a, b, c, end), (1.39, 1.6, 2.3, 0.8), strict=True)),
        *(((c, t), -1.2 - x) for t, x in zip((a, b, c, end), (1.9, 1.05, 1.2, 1.6), strict=True)),
    ]
    ends_first = [((a, end), -0.5), ((b, end), -0.7), ((a, b), -0.9), ((b, c), -1.1), ((b, a), -2)]
    cases = [
        (first, 2),
        (second, 3),
        (ends_first, 2),  # both places end, and two others stay open
        (ends_first, 1),
        ([((a, b), -1.0), ((a, end), -1.2)], 1),  # the end is second best: with k = 1 none ends
        ([((a, b), -1.0), ((a, c), -1.3), ((a, end), -1.2)], 2),
        ([((a, b), -1.0), ((a, c), -1.1), ((b, end), -1.2)], 2),  # just behind the first k
        ([((end,), -0.1)], 3),  # nothing is left
        ([((c,), -0.1)], 3),  # fewer candidates than beams
        ([((a, b), -1.5, 0), ((a, end), -0.8, 0), ((c, b), -1.3, 1)], 2),  # more behind
    ]
    cases += [(_drawn(n, generator), k) for n, k in ((7, 2), (9, 4))]
    return [
        Probe({"candidates": candidates, "k": k}, f"candidates = {_told(candidates)}, k = {k}")
        for candidates, k in cases
    ]


def _drawn(n: int, generator: torch.Generator) -> Some:
    totals = torch.randperm(90, generator=generator)[:n].tolist()
    last = torch.randint(4, 7, (n,), generator=generator).tolist()
    last[0], last[-1] = EOS_ID, EOS_ID
    prefixes = torch.randint(4, 7, (n, 2), generator=generator).tolist()
    return [
        ((*prefix, token), -total / 10 - 0.05)
        for prefix, token, total in zip(prefixes, last, totals, strict=True)
    ]


def _told(candidates: Some) -> str:
    told = (
        " ".join([spelt(tokens), f"{total:.2f}", *(f"(row {row})" for row in behind)])
        for tokens, total, *behind in candidates
    )
    return "[" + ", ".join(told) + "]"


# ---------------------------------------------------------------- wrong answers


def pruning(
    *,
    ranked: Callable[[Some], Some] = lambda some: sorted(some, key=lambda c: -c[1]),
    ends: Callable[[tuple], bool] = lambda tokens: tokens[-1] == EOS_ID,
    places: Callable[[int], int | None] = lambda k: k,
    stays: Callable[[Some, Some, int], Some] = lambda ranked, still_open, k: still_open[:k],
) -> Callable:
    """``prune``; each argument is a decision that can be wrong."""

    def prune(candidates: Some, k: int) -> Two:
        order = ranked(candidates)
        ended = [c for c in order[: places(k)] if ends(c[0])]
        return ended, stays(order, [c for c in order if not ends(c[0])], k)

    return prune


def first_places_only(ranked: Some, still_open: Some, k: int) -> Some:
    return [c for c in ranked[:k] if c[0][-1] != EOS_ID]


def ended_take_places(ranked: Some, still_open: Some, k: int) -> Some:
    taken = sum(c[0][-1] == EOS_ID for c in ranked[:k])
    return still_open[: max(0, k - taken)]


def no_return(*args: Any) -> None:
    prune(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("not_two", lambda candidates, k: prune(candidates, k)[0]),
    Mutant("late_end", pruning(places=lambda k: None)),
    Mutant("late_end", pruning(places=lambda k: k + 1)),
    Mutant("late_end", pruning(places=lambda k: 2 * k)),
    Mutant("ended_stay_open", pruning(stays=lambda ranked, still_open, k: ranked[:k])),
    Mutant("shrinks", pruning(stays=first_places_only)),
    Mutant("shrinks", pruning(stays=ended_take_places)),
    Mutant("too_wide", pruning(stays=lambda ranked, still_open, k: still_open)),
    Mutant("only_the_best_ends", pruning(places=lambda k: 1)),
    Mutant("not_ranked", pruning(ranked=list)),
    Mutant("worst_first", pruning(ranked=lambda some: sorted(some, key=lambda c: c[1]))),
    Mutant("anywhere", pruning(ends=lambda tokens: tokens[0] == EOS_ID)),
    Mutant("pad_ends", pruning(ends=lambda tokens: tokens[-1] == PAD_ID)),
    Mutant("by_output", pruning(ranked=lambda some: sorted(some, reverse=True))),
    Mutant("by_output", pruning(ranked=sorted)),
    Mutant("reshaped", lambda candidates, k: prune([c[:2] for c in candidates], k)),
    Mutant("exchanged", lambda candidates, k: prune(candidates, k)[::-1]),
    Mutant("tokens_only", lambda candidates, k: [[c[0] for c in p] for p in prune(candidates, k)]),
)

# ---------------------------------------------------------------- the exercise


def are_two_lists(value: Any, expected: Any) -> Problem | None:
    """A step: two lists of candidates came back."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or len(value) != 2:
        return "not_two", {}
    if not all(isinstance(part, list | tuple) for part in value):
        return "not_two", {}
    if any(p and isinstance(p[0], list | tuple) and isinstance(p[-1], Real) for p in value):
        return "not_two", {}  # two candidates
    candidates = [c for part in value for c in part]
    if not all(isinstance(c, list | tuple) and len(c) >= 2 for c in candidates):
        return "tokens_only", {}
    if not all(isinstance(c[0], list | tuple) and isinstance(c[1], Real) for c in candidates):
        return "tokens_only", {}
    parts = {len(c) for part in expected for c in part}
    if any(len(c) not in parts for c in candidates):
        return "reshaped", {}
    return None


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Which rule is broken."""
    (ended, still_open), k = value, probe.args["k"]
    if [c for c in ended if c not in expected[0] and c[0][-1] == EOS_ID]:
        return "late_end", {}
    if [c for c in still_open if c[0][-1] == EOS_ID]:
        return "ended_stay_open", {}
    if len(still_open) > k:
        return "too_wide", {}
    return ("shrinks", {}) if len(still_open) < len(expected[1]) else None


EXERCISES = (
    Exercise(
        "7.7",
        "prune",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=8,
        points=0,
        task=FunctionTask(
            spec=prune_spec,
            probes=prune_probes,
            steps=(are_two_lists,),
            mutants=MUTANTS,
            explain=explain,
        ),
        reference=prune,
        alternatives=(prune_spec,),
        words=words_beside(__file__),
    ),
)
