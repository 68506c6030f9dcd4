"""Exercise 11.6: which tokens would repeat an n-gram."""

from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import PAD_ID


def banned_spec(prefix: list[int], n: int) -> list[int]:
    tokens = []
    for token in prefix:
        if token != PAD_ID:
            tokens.append(token)
    banned = set()
    for candidate in set(tokens):
        longer = [*tokens, candidate]
        for start in range(len(longer) - n):
            if longer[start : start + n] == longer[len(longer) - n :]:
                banned.add(candidate)
    return sorted(banned)


def banned(prefix: list[int], n: int) -> list[int]:
    tokens = [token for token in prefix if token != PAD_ID]
    context = tokens[len(tokens) - (n - 1) :] if len(tokens) >= n else None
    starts = range(len(tokens) - n + 1)
    return sorted({tokens[s + n - 1] for s in starts if tokens[s : s + n - 1] == context})


def banned_by_dictionary(prefix: list[int], n: int) -> list[int]:
    tokens = [token for token in prefix if token != PAD_ID]
    follows: dict[tuple[int, ...], set[int]] = {}
    for end in range(n - 1, len(tokens)):
        follows.setdefault(tuple(tokens[end - n + 1 : end]), set()).add(tokens[end])
    last = tuple(tokens[-(n - 1) :]) if n > 1 else ()
    return sorted(follows.get(last, ()))


# ---------------------------------------------------------------- wrong answers


def _other_n(by: int):
    def answer(prefix: list[int], n: int) -> list[int]:
        return banned(prefix, max(1, n + by))

    return answer


def bans_the_context(prefix: list[int], n: int) -> list[int]:
    tokens = [token for token in prefix if token != PAD_ID]
    return sorted(set(tokens[-(n - 1) :])) if n > 1 and banned(prefix, n) else banned(prefix, n)


def pads_count(prefix: list[int], n: int) -> list[int]:
    context = prefix[len(prefix) - (n - 1) :]
    starts = range(len(prefix) - n + 1)
    return sorted({prefix[s + n - 1] for s in starts if prefix[s : s + n - 1] == context})


def last_match_only(prefix: list[int], n: int) -> list[int]:
    tokens = [token for token in prefix if token != PAD_ID]
    context = tokens[len(tokens) - (n - 1) :]
    for start in range(len(tokens) - n, -1, -1):
        if tokens[start : start + n - 1] == context:
            return [tokens[start + n - 1]]
    return []


def every_token(prefix: list[int], n: int) -> list[int]:
    return sorted({token for token in prefix if token != PAD_ID})


def negative_slice(prefix: list[int], n: int) -> list[int]:
    tokens = [token for token in prefix if token != PAD_ID]
    context = tokens[-(n - 1) :]  # of n = 1 that is everything
    starts = range(len(tokens) - n + 1)
    return sorted({tokens[s + n - 1] for s in starts if tokens[s : s + n - 1] == context})


def with_repeats(prefix: list[int], n: int) -> list[int]:
    due = banned(prefix, n)
    return [token for token in sorted(prefix) if token in due]


def no_return(*args: Any) -> None:
    banned(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("n_too_small", _other_n(-1)),
    Mutant("n_too_large", _other_n(1)),
    Mutant("bans_the_context", bans_the_context),
    Mutant("pads_count", pads_count),
    Mutant("last_match_only", last_match_only),
    Mutant("every_token", every_token),
    Mutant("negative_slice", negative_slice),
    Mutant("twice", with_repeats),
)


# ---------------------------------------------------------------- the exercise


def are_ids(value: Any, expected: Any) -> Problem | None:
    """A step: a list of ints, each once, in order."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or not all(type(token) is int for token in value):
        return "not_a_list", {}
    if len(set(value)) < len(value):
        return "twice", {}
    return None if list(value) == sorted(value) else ("not_sorted", {})


def same_ids(value: Any, expected: Any) -> Problem | None:
    """A step: the same tokens."""
    if missing := set(expected) - set(value):
        return "missing", {"token": str(min(missing))}
    if extra := set(value) - set(expected):
        return "extra", {"token": str(min(extra))}
    return None


def probes(generator: torch.Generator) -> list[Probe]:
    """Prefixes shorter than n, empty, with pads on either side, several matches, drawn ones."""
    cases = [
        ([5, 6, 7, 5, 6, 8, 5, 6], 3),
        ([5, 6, 8, 5, 6, 7, 5, 6], 3),  # the larger one first
        ([0, 0, 5, 6, 5], 2),
        ([5, 6, 5, 0, 0], 2),
        ([5, 0, 6, 5, 0], 2),
        ([], 2),
        ([7], 3),
        ([7, 7], 2),
        ([4, 9, 4], 1),
        ([9, 4, 4], 1),  # the first token comes once
        ([5, 6], 3),
        ([0, 0, 0], 1),
    ]
    for n, size in ((1, 5), (2, 9), (3, 14), (2, 12), (4, 16)):
        cases.append((torch.randint(3, 6, (size,), generator=generator).tolist(), n))
    return [Probe({"prefix": p, "n": n}, f"prefix = {p}, n = {n}") for p, n in cases]


TASK = FunctionTask(
    spec=banned_spec,
    probes=probes,
    steps=(are_ids, same_ids),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "11.6",
        "banned",
        kind="F",
        difficulty=3,
        importance=3,
        minutes=10,
        points=2,
        task=TASK,
        reference=banned,
        words=words_beside(__file__),
        alternatives=(banned_by_dictionary,),
    ),
)
