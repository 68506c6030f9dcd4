"""Reproducible draws for the generators.

Python promises the same ``random.Random(seed).random()`` on every version and platform, but not the
same ``shuffle``, ``sample`` or ``randrange``
(https://docs.python.org/3/library/random.html#notes-on-reproducibility). So everything here is
built on ``random()`` alone, and no result depends on the order of a set.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from seq2seq_lib._numbers import check_integer, check_positive, is_integer
from seq2seq_lib.corpora.pair import Pair

T = TypeVar("T")


def make_rng(seed: int) -> random.Random:
    """A generator of its own: the global ``random`` state is neither read nor moved."""
    if not is_integer(seed):
        raise TypeError(f"seed must be an integer, but it is {seed!r}.")
    return random.Random(seed)


def below(rng: random.Random, n: int) -> int:
    """A whole number, uniform on 0 .. n-1, for n of any size."""
    if n <= 2**32:
        return int(rng.random() * n)
    # One draw carries 53 bits: join 32 of each, 64 more than n has, so that the bias of the
    # remainder is below 2**-64.
    value = 0
    for _ in range(n.bit_length() // 32 + 3):
        value = value << 32 | int(rng.random() * 2**32)
    return value % n


def pick(rng: random.Random, options: Sequence[T]) -> T:
    """One of the options, each as likely."""
    return options[below(rng, len(options))]


def distinct_numbers(rng: random.Random, n: int) -> Iterator[int]:
    """All numbers 0 .. n-1, each once, in random order, without a list of them.

    Fisher and Yates' shuffle, where only the moved entries are stored: the first k numbers cost
    k steps and k entries, however large n is.
    """
    moved: dict[int, int] = {}
    for remaining in range(n, 0, -1):
        place = below(rng, remaining)
        last = moved.pop(remaining - 1, remaining - 1)
        if place == remaining - 1:
            yield last
        else:
            yield moved.get(place, place)
            moved[place] = last


def check_sizes(num_train: int, num_valid: int, num_test: int, available: int, what: str) -> None:
    """Refuse sizes that are not counts, or that ask for more examples than there are."""
    sizes = {"num_train": num_train, "num_valid": num_valid, "num_test": num_test}
    for name, size in sizes.items():
        check_integer(size, name, 0)
    total = sum(sizes.values())
    if total > available:
        raise ValueError(
            f"num_train + num_valid + num_test = {total}, but there are only {available} {what}, "
            "and no source may occur twice: ask for fewer, or widen the task"
        )


def cut_splits(
    draw: Callable[[], Pair], num_train: int, num_valid: int, num_test: int
) -> dict[str, tuple[Pair, ...]]:
    """Draw the three splits from an endless source of pairs that never repeats.

    Test and valid are drawn first: a larger training set leaves them as they were.
    """
    test = tuple(draw() for _ in range(num_test))
    valid = tuple(draw() for _ in range(num_valid))
    train = tuple(draw() for _ in range(num_train))
    return {"train": train, "valid": valid, "test": test}


def check_lengths(min_length: int, max_length: int) -> None:
    """Refuse lengths that are not counts, below 1, or in the wrong order."""
    check_positive(min_length, "min_length")
    check_integer(max_length, "max_length", min_length, why="it may not be below min_length")


def count_strings(symbols: int, min_length: int, max_length: int) -> int:
    """How many sequences of these lengths an alphabet of so many symbols has."""
    return sum(symbols**length for length in range(min_length, max_length + 1))


def distinct_strings(
    rng: random.Random, alphabet: Sequence[str], min_length: int, max_length: int
) -> Iterator[tuple[str, ...]]:
    """All sequences over the alphabet, each once, in random order.

    Every length is as likely as every other while it has sequences left: drawn uniformly from all
    of them, nearly all would have the full length.
    """
    left = {
        length: distinct_numbers(rng, len(alphabet) ** length)
        for length in range(min_length, max_length + 1)
    }
    while left:
        length = pick(rng, list(left))
        number = next(left[length], None)
        if number is None:
            del left[length]
        else:
            yield _spell(number, alphabet, length)


def _spell(number: int, alphabet: Sequence[str], length: int) -> tuple[str, ...]:
    """The number written in base len(alphabet) with the symbols as digits."""
    symbols = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        symbols.append(alphabet[digit])
    return tuple(symbols)
