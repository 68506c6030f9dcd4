"""Letters: a task whose right answers are many, and whose probabilities are known exactly.

Each source letter is rewritten, independently of the others, by one of a few outputs of different
lengths. No output of a letter begins another output of the same letter, so a target can be cut
into the outputs of its source letters in one way only, and

    p(target | source) = product over the letters of p(output | letter)          exactly.

What the letters are made for:
- ``a``: the two long outputs share their first token and 60 % of the probability, but the single
  most probable output is the short one. Greedy search takes ``x`` (0.6) and ends at 0.3, below the
  mode at 0.4. Most of the time the right answer is longer than the most probable one.
- ``b``: the same with three first tokens: one beam ends at 0.12, two at 0.18, three find 0.30.
- ``c``: greedy search is right. ``d``: nothing to choose. ``e``: the longest output is the mode.

So a wider beam finds more probable *and shorter* outputs in sources of ``a`` and ``b``: the length
bias of beam search, without a model to blame. Compare Stahlberg and Byrne 2019, "On NMT Search
Errors and Model Errors", https://aclanthology.org/D19-1331.
"""

import itertools
import math
import random
from collections.abc import Iterable, Sequence

from seq2seq_lib.corpora.pair import Corpus, Pair, Tokens
from seq2seq_lib.corpora.sampling import (
    check_lengths,
    check_sizes,
    count_strings,
    cut_splits,
    distinct_strings,
    make_rng,
)

# letter -> ((output tokens, probability), ...): probabilities sum to 1, outputs are prefix-free.
LETTER_RULES: dict[str, tuple[tuple[Tokens, float], ...]] = {
    "a": ((("w",), 0.4), (("x", "y"), 0.3), (("x", "z"), 0.3)),
    "b": (
        (("w",), 0.30),
        (("u", "x"), 0.12), (("u", "y"), 0.12), (("u", "z"), 0.12),
        (("v", "x"), 0.18), (("v", "y"), 0.16),
    ),
    "c": ((("z",), 0.7), (("y", "x"), 0.3)),
    "d": ((("v",), 1.0),),
    "e": ((("z", "y", "x"), 0.5), (("x",), 0.26), (("y",), 0.24)),
}  # fmt: skip
_MAX_OUTCOMES = 1_000_000


def letters(
    num_train: int = 8000,
    num_valid: int = 1000,
    num_test: int = 1000,
    *,
    min_length: int = 2,
    max_length: int = 8,
    seed: int = 0,
) -> Corpus:
    """Sources over "abcde", each with one target drawn from ``letters_distribution(source)``.

    Args:
        min_length, max_length: of the source, both included; every length is as likely as every
            other while it has sources left. Targets are 1 to 3 times as long.

    No source occurs twice, so the splits are disjoint by source. Each letter is aligned to the
    tokens that it was rewritten to. The same arguments give the same corpus everywhere, and a
    larger ``num_train`` leaves valid and test unchanged.

    entropy_floor is ``letters_entropy_floor`` of all sources of the corpus, in nats per target
    token, EOS counted: exact, an expectation over targets, not an estimate from the drawn ones. The
    loss of a perfect model on the *drawn* targets of a split lies around it, by chance on either
    side.

    Raises:
        ValueError: negative sizes, lengths below 1 or in the wrong order, or more examples than
            there are sources.
    """
    check_lengths(min_length, max_length)
    available = count_strings(len(LETTER_RULES), min_length, max_length)
    what = f"sources of {min_length} to {max_length} of {len(LETTER_RULES)} letters"
    check_sizes(num_train, num_valid, num_test, available, what)
    rng = make_rng(seed)
    sources = distinct_strings(rng, tuple(LETTER_RULES), min_length, max_length)
    splits = cut_splits(lambda: _rewrite(rng, next(sources)), num_train, num_valid, num_test)
    used = [pair.source for split in splits.values() for pair in split]
    floor = letters_entropy_floor(used) if used else None
    return Corpus("letters", **splits, entropy_floor=floor)


def letters_log_prob(source: Sequence[str], target: Sequence[str]) -> float:
    """log p(target | source) in nats; -inf for a target that the source cannot become.

    Args:
        source, target: tokens, or strings of one-character tokens. The EOS after the target has
            probability 1 there and 0 before, so this is also the log-probability of target and EOS.

    Raises:
        ValueError: a source letter without a rule.
    """
    rest, total = tuple(target), 0.0
    for options in _options(source):
        for output, probability in options:
            if rest[: len(output)] == output:
                rest, total = rest[len(output) :], total + math.log(probability)
                break
        else:
            return -math.inf
    return -math.inf if rest else total


def letters_next(source: Sequence[str], prefix: Sequence[str]) -> dict[str | None, float]:
    """p(next token | source, prefix): what a perfect model says at one step of a search.

    The key None stands for EOS. Probabilities are positive and sum to 1.

    Raises:
        ValueError: a prefix that the source cannot begin with.
    """
    rest = tuple(prefix)
    for options in _options(source):
        for output, _ in options:
            if rest[: len(output)] == output:
                rest = rest[len(output) :]
                break
        else:
            # This letter is half written: the outputs that go on as `rest` does share the rest.
            weights: dict[str | None, float] = {}
            for output, probability in options:
                if output[: len(rest)] == rest:
                    token = output[len(rest)]
                    weights[token] = weights.get(token, 0.0) + probability
            if not weights:
                break
            total = sum(weights.values())
            return {token: weight / total for token, weight in weights.items()}
    else:
        if not rest:
            return {None: 1.0}
    raise ValueError(f"{''.join(source)!r} is never rewritten to begin with {list(prefix)}")


def letters_distribution(source: Sequence[str]) -> dict[Tokens, float]:
    """Every target that the source can become, with its probability; the sum is 1.

    In the order of the rules, not sorted.

    Raises:
        ValueError: a source letter without a rule, or where there are more than a million targets
            (9 times ``b`` has ten million).
    """
    options = _options(source)
    outcomes = math.prod(len(choices) for choices in options)
    if outcomes > _MAX_OUTCOMES:
        raise ValueError(
            f"{''.join(source)!r} has {outcomes:,} targets, more than {_MAX_OUTCOMES:,}: take a "
            "shorter source (letters_log_prob, letters_mode and letters_entropy need no list)"
        )
    return {
        tuple(itertools.chain.from_iterable(output for output, _ in choice)): math.prod(
            probability for _, probability in choice
        )
        for choice in itertools.product(*options)
    }


def letters_mode(source: Sequence[str]) -> Tokens:
    """The most probable target: the most probable output of each letter."""
    best = (max(options, key=lambda option: option[1]) for options in _options(source))
    return tuple(itertools.chain.from_iterable(output for output, _ in best))


def letters_entropy(source: Sequence[str]) -> float:
    """H(target | source) in nats, exact: the sum of the letters' entropies."""
    return sum(-p * math.log(p) for options in _options(source) for _, p in options)


def letters_expected_length(source: Sequence[str]) -> float:
    """E[number of target tokens | source], EOS not counted."""
    return sum(p * len(output) for options in _options(source) for output, p in options)


def letters_entropy_floor(sources: Iterable[Sequence[str]]) -> float:
    """The least expected loss on these sources, in nats per target token, EOS counted.

    Sum of ``letters_entropy`` over sum of (``letters_expected_length`` + 1): see ``Corpus``.

    Raises:
        ValueError: there is no source.
    """
    nats = tokens = 0.0
    for source in sources:
        nats += letters_entropy(source)
        tokens += letters_expected_length(source) + 1
    if not tokens:
        raise ValueError("an entropy floor needs at least one source, but got none")
    return nats / tokens


def _options(source: Sequence[str]) -> list[tuple[tuple[Tokens, float], ...]]:
    unknown = [letter for letter in source if letter not in LETTER_RULES]
    if unknown:
        raise ValueError(
            f"Unknown source letter: {unknown[0]!r}. Valid: {', '.join(map(repr, LETTER_RULES))}"
        )
    return [LETTER_RULES[letter] for letter in source]


def _rewrite(rng: random.Random, source: Tokens) -> Pair:
    target: list[str] = []
    links: list[tuple[int, int]] = []
    for place, options in enumerate(_options(source)):
        output = _choose(rng, options)
        links += [(place, len(target) + k) for k in range(len(output))]
        target += output
    return Pair(source, tuple(target), tuple(links))


def _choose(rng: random.Random, options: Sequence[tuple[Tokens, float]]) -> Tokens:
    level = rng.random()
    for output, probability in options:
        level -= probability
        if level < 0:
            return output
    return options[-1][0]  # the probabilities sum to 1 but for rounding
