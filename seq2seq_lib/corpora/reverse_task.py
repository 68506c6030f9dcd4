"""Reversal: "a b c" to "c b a", or "1 2 3" to "3 2 1".

The smallest task that needs an encoder: nothing to look up, everything to remember. The first
target token is the last source token and the last one is the first, so a decoder that sees only a
final state must carry the whole sequence in it.
"""

from collections.abc import Sequence

from seq2seq_lib.corpora.pair import Corpus, Pair
from seq2seq_lib.corpora.sampling import (
    check_lengths,
    check_sizes,
    count_strings,
    cut_splits,
    distinct_strings,
    make_rng,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


def reverse(
    num_train: int = 8000,
    num_valid: int = 1000,
    num_test: int = 1000,
    *,
    min_length: int = 3,
    max_length: int = 10,
    alphabet: Sequence[str] = LETTERS,
    seed: int = 0,
) -> Corpus:
    """Sequences of symbols to the same symbols backwards.

    Args:
        alphabet: the tokens, a string of characters or a sequence of strings: ``DIGITS`` for "1 2 3
            -> 3 2 1".
        min_length, max_length: of the source, both included; every length is as likely as every
            other (while it has sequences left), and within a length every sequence.

    Source and target have the same length; position i is aligned to position length - 1 - i. No
    sequence occurs twice in the corpus, so the splits are disjoint by source (the reverse of a
    training source may well be a test source: it asks for a different answer, unless it is a
    palindrome, which is its own reverse and hence the same source). entropy_floor is 0.0. The same
    arguments give the same corpus everywhere, and a larger ``num_train`` leaves valid and test
    unchanged.

    Raises:
        ValueError: negative sizes, lengths below 1 or in the wrong order, an empty alphabet or one
            that repeats a symbol, or more examples than there are sequences.
    """
    symbols = tuple(alphabet)
    if not symbols or "" in symbols or len(set(symbols)) < len(symbols):
        raise ValueError(
            f"alphabet must hold one or more distinct, non-empty symbols, but got {alphabet!r}"
        )
    check_lengths(min_length, max_length)
    available = count_strings(len(symbols), min_length, max_length)
    what = f"sequences of {min_length} to {max_length} of {len(symbols)} symbols"
    check_sizes(num_train, num_valid, num_test, available, what)
    sources = distinct_strings(make_rng(seed), symbols, min_length, max_length)

    def draw() -> Pair:
        source = next(sources)
        last = len(source) - 1
        return Pair(source, source[::-1], tuple((i, last - i) for i in range(len(source))))

    splits = cut_splits(draw, num_train, num_valid, num_test)
    return Corpus("reverse", **splits, entropy_floor=0.0)
