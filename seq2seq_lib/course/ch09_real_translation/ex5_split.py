"""Exercise 9.5: a split in which no source stands on both sides."""

import random
from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Pairs = list[tuple[str, str]]
Two = tuple[Pairs, Pairs]
Key = Callable[[str], str]


def split_by_source_spec(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    keys: list[str] = []
    for source, _ in pairs:
        if key(source) not in keys:
            keys.append(key(source))
    keys.sort()
    random.Random(seed).shuffle(keys)
    count = max(1, round(share * len(keys)))
    train, test = [], []
    for pair in pairs:
        (test if key(pair[0]) in keys[:count] else train).append(pair)
    return train, test


def split_by_source(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    keys = sorted({key(source) for source, _ in pairs})
    random.Random(seed).shuffle(keys)
    chosen = set(keys[: max(1, round(share * len(keys)))])
    train = [pair for pair in pairs if key(pair[0]) not in chosen]
    return train, [pair for pair in pairs if key(pair[0]) in chosen]


def split_by_groups(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    places: dict[str, list[int]] = {}
    for i, (source, _) in enumerate(pairs):
        places.setdefault(key(source), []).append(i)
    order = sorted(places)
    random.Random(seed).shuffle(order)
    count = max(1, round(share * len(order)))
    parts = order[count:], order[:count]
    train, test = (sorted(i for k in part for i in places[k]) for part in parts)
    return [pairs[i] for i in train], [pairs[i] for i in test]


# ---------------------------------------------------------------- wrong answers


def split_with(
    of: Callable[..., Any], order: Callable = sorted, least: int = 1
) -> Callable[..., Two]:
    """The reference, with other groups, another order of them, or another least number."""

    def answer(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
        groups = [of(i, pair, key) for i, pair in enumerate(pairs)]
        keys = order(dict.fromkeys(groups))
        random.Random(seed).shuffle(keys)
        chosen = set(keys[: max(least, round(share * len(keys)))])
        parts: Two = [], []
        for group, pair in zip(groups, pairs, strict=True):
            parts[group in chosen].append(pair)
        return parts

    return answer


def by_key(i: int, pair: tuple[str, str], key: Key) -> str:
    return key(pair[0])


def drops_doubles(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    first = {key(source): (source, target) for source, target in reversed(pairs)}
    return split_by_source([p for p in pairs if first[key(p[0])] == p], share, seed, key)


def exchanged(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    train, test = split_by_source(pairs, share, seed, key)
    return test, train


def in_place(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    random.Random(seed).shuffle(pairs)
    return split_by_source(pairs, share, seed, key)


def rounded_down(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    count = len({key(source) for source, _ in pairs})
    return split_by_source(pairs, int(share * count) / count, seed, key)


def share_of_pairs(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    count = len({key(source) for source, _ in pairs})
    return split_by_source(pairs, share * len(pairs) / count, seed, key)


def keys_returned(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    train, test = split_by_source(pairs, share, seed, key)
    return [(key(s), t) for s, t in train], [(key(s), t) for s, t in test]


def doubles_once(pairs: Pairs, share: float, seed: int, key: Key) -> Two:
    return split_by_source(list(dict.fromkeys(pairs)), share, seed, key)


MUTANTS = (
    Mutant("by_pair", split_with(lambda i, pair, key: i)),
    Mutant("by_target", split_with(lambda i, pair, key: pair[1])),
    Mutant("key_forgotten", split_with(lambda i, pair, key: pair[0])),
    Mutant("drops_doubles", drops_doubles),
    Mutant("unsorted", split_with(by_key, order=list)),
    Mutant("empty_test", split_with(by_key, least=0)),
    Mutant("exchanged", exchanged),
    Mutant("rounded_down", rounded_down),
    Mutant("share_of_pairs", share_of_pairs),
    Mutant("keys_returned", keys_returned),
    Mutant("doubles_once", doubles_once),
    Mutant("argument_changed", in_place),
)


# ---------------------------------------------------------------- the exercise


def plain(source: str) -> str:
    """Lower case, without a full stop at the end: what counts as the same source."""
    return source.lower().rstrip(" .")


NAMES = {plain: "lower case, no full stop at the end", str: "str, the source itself"}


def probes(generator: torch.Generator) -> list[Probe]:
    """Sources that occur again, with other targets or in capitals; few keys; a single pair."""
    small = [
        ("Hello.", "salut"), ("the cat", "le chat"), ("hello", "bonjour"), ("a dog", "un chien"),
        ("a dog", "un chien"), ("go", "va"), ("Go.", "allez"), ("come", "viens"), ("run", "cours"),
    ]  # fmt: skip
    cases = [(small, 0.4, 1, plain), (small, 0.3, 5, str), (small, 0.01, 2, plain)]
    cases.append((small, 0.3, 3, plain))  # 1.8 of six keys
    cases.append(([("hi", "salut")], 0.5, 0, plain))
    for size in (12, 20):
        drawn = []
        for _ in range(size):
            word, form, target = (
                int(torch.randint(high, (), generator=generator)) for high in (7, 3, 5)
            )
            source = f"word {'gaxkbqz'[word]}"
            drawn.append(((source, source.title(), source + ".")[form], f"mot {target}"))
        seed = int(torch.randint(1000, (), generator=generator))
        cases.append((drawn, 0.35, seed, plain))
    return [
        Probe(
            {"pairs": list(pairs), "share": share, "seed": seed, "key": key},
            f"pairs = {pairs}; share = {share}; seed = {seed}; key = {NAMES[key]}",
        )
        for pairs, share, seed, key in cases
    ]


def are_two_lists(value: Any, expected: Two) -> Problem | None:
    """A step: two lists of pairs."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(
        isinstance(part, list | tuple) for part in value
    ):  # fmt: skip
        return "not_two_lists", {}
    return None


TASK = FunctionTask(
    spec=split_by_source_spec, probes=probes, steps=(are_two_lists,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "9.5",
        "split_by_source",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=15,
        points=4,
        task=TASK,
        reference=split_by_source,
        words=words_beside(__file__),
        alternatives=(split_by_groups,),
    ),
)
