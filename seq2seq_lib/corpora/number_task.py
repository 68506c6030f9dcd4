"""Numbers: "seven thousand and twelve" to "7 0 1 2".

English number words are a small language with a real grammar: "thousand" moves what stands before
it, a missing "hundred" writes a 0 that no word names, "and" and the hyphen come and go. Words are
source tokens, digits are target tokens.
"""

from seq2seq_lib._numbers import check_integer
from seq2seq_lib.corpora.pair import Corpus, Pair
from seq2seq_lib.corpora.sampling import check_sizes, cut_splits, distinct_numbers, make_rng, pick

UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
TENS = (
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip
MAX_LIMIT = 1_000_000

# A word and the powers of ten whose digits it says: ("twelve", (1, 0)), ("hundred", ()).
_Word = tuple[str, tuple[int, ...]]


def number_pair(number: int, use_and: bool = True, hyphens: bool = True) -> Pair:
    """One number in English words, with its decimal digits and the gold alignment.

    Args:
        number: 0 to 999,999.
        use_and: British "one hundred and five", "seven thousand and twelve"; without: American "one
            hundred five".
        hyphens: "twenty-one" as the tokens "twenty", "-", "one"; without: "twenty", "one". Some
            numbers are written the same either way.

    Returns:
        words and digits, most significant first. Each word that says a digit is linked to it; "ten"
        to "nineteen" say two. Not linked: "hundred", "thousand", "and", "-", and every digit 0 that
        no word says. ("twenty" is linked to its 2 and not to the 0 of 20.)

    >>> pair = number_pair(7012)
    >>> " ".join(pair.source), " ".join(pair.target), pair.alignment
    ('seven thousand and twelve', '7 0 1 2', ((0, 0), (3, 2), (3, 3)))
    """
    check_integer(number, "number", 0, MAX_LIMIT - 1)
    target = str(number)
    words = _words(number, use_and, hyphens)
    links = tuple(
        (place, len(target) - 1 - power)
        for place, (_, powers) in enumerate(words)
        for power in powers
    )
    return Pair(tuple(word for word, _ in words), tuple(target), links)


def numbers(
    num_train: int = 8000,
    num_valid: int = 1000,
    num_test: int = 1000,
    *,
    limit: int = 10_000,
    seed: int = 0,
) -> Corpus:
    """English number words to digits, for the numbers 0 to ``limit`` - 1.

    Each number is drawn at most once, and written with or without "and" and with or without
    hyphens, as two coins say; so the splits are disjoint **by number**, and with it by source. The
    default sizes use every number below 10,000 once. Below 10,000, sources have 1 to 8 tokens and
    targets 1 to 4; see ``number_pair`` for the alignment. entropy_floor is 0.0. The same arguments
    give the same corpus everywhere, and a larger ``num_train`` leaves valid and test unchanged.

    Raises:
        ValueError: negative sizes, a limit outside 1 to 1,000,000, or more examples than there are
            numbers.
    """
    check_integer(limit, "limit", 1, MAX_LIMIT)
    check_sizes(num_train, num_valid, num_test, limit, f"numbers below {limit}")
    rng = make_rng(seed)
    values = distinct_numbers(rng, limit)

    def draw() -> Pair:
        return number_pair(next(values), pick(rng, (True, False)), pick(rng, (True, False)))

    splits = cut_splits(draw, num_train, num_valid, num_test)
    return Corpus("numbers", **splits, entropy_floor=0.0)


def _words(number: int, use_and: bool, hyphens: bool) -> list[_Word]:
    thousands, rest = divmod(number, 1000)
    if not thousands:
        return _below_thousand(number, 0, use_and, hyphens)
    words = [*_below_thousand(thousands, 3, use_and, hyphens), ("thousand", ())]
    if use_and and 0 < rest < 100:
        words.append(("and", ()))
    return words + (_below_thousand(rest, 0, use_and, hyphens) if rest else [])


def _below_thousand(number: int, power: int, use_and: bool, hyphens: bool) -> list[_Word]:
    """0 to 999, where the last digit stands for 10**power."""
    hundreds, rest = divmod(number, 100)
    if not hundreds:
        return _below_hundred(number, power, hyphens)
    words: list[_Word] = [(UNITS[hundreds], (power + 2,)), ("hundred", ())]
    if use_and and rest:
        words.append(("and", ()))
    return words + (_below_hundred(rest, power, hyphens) if rest else [])


def _below_hundred(number: int, power: int, hyphens: bool) -> list[_Word]:
    if number < 10:
        return [(UNITS[number], (power,))]
    if number < 20:
        return [(UNITS[number], (power + 1, power))]
    tens, unit = divmod(number, 10)
    words: list[_Word] = [(TENS[tens], (power + 1,))]
    if unit:
        words += [("-", ())] if hyphens else []
        words.append((UNITS[unit], (power,)))
    return words
