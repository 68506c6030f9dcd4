"""BLEU of pre-tokenised text, written to be read."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_choice, check_positive
from seq2seq_lib._bleu.corpus import checked_corpus


@dataclass(frozen=True)
class BleuScore:
    """BLEU with everything it is made of. ``score`` and ``precisions`` are in 0 .. 100."""

    score: float
    precisions: tuple[float, ...]  # of 1-grams .. max_n-grams, after smoothing
    brevity_penalty: float  # in 0 .. 1
    matches: tuple[int, ...]  # clipped n-gram matches, summed over the corpus
    totals: tuple[int, ...]  # n-grams in the hypotheses
    hypothesis_length: int  # tokens
    reference_length: int  # tokens of the closest references
    signature: str


def bleu_from_scratch(
    hypotheses: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
    *,
    max_n: int = 4,
    smoothing: str = "exp",
    effective_order: bool = False,
) -> BleuScore:
    """BLEU of pre-tokenised text, step by step (Papineni et al. 2002, section 2.3).

    Equation: BLEU = 100 * BP * exp(1/N sum_n log p_n),   N = max_n
        p_n = clipped n-gram matches / n-grams in the hypotheses, both summed over the corpus;
        BP  = 1 if c > r, else exp(1 - r/c), c and r the lengths of hypotheses and references.
    A match is clipped: an n-gram counts at most as often as in the one reference that holds it
    most often. r sums, sentence by sentence, the length of the reference **closest** to the
    hypothesis, the shorter one of two equally close.

    smoothing="exp" (sacreBLEU's default; Chen & Cherry 2014, method 3): the first order without a
    match counts as 1/2 of a match, the second as 1/4, ... "none": one such order makes the score
    0. Smoothing never helps an order that has no n-grams at all, nor a corpus without any match.

    Args:
        hypotheses: N lists of tokens; an empty one is allowed.
        references: N lists of one or more references, each a list of tokens.
        max_n: longest n-gram, ≥ 1.
        smoothing: "exp" or "none".
        effective_order: leave out the orders longer than every hypothesis.

    Returns:
        ``BleuScore``, equal to ``corpus_bleu(..., tokenize="none")`` of the joined tokens.

    Raises:
        TypeError, ValueError: as ``corpus_bleu``.
        ValueError: max_n < 1.
    """
    check_choice(smoothing, ("exp", "none"), "smoothing")
    sums = bleu_statistics(hypotheses, references, max_n=max_n).sum(0).tolist()
    hypothesis_length, reference_length = sums[:2]
    matches, totals = sums[2 : 2 + max_n], sums[2 + max_n :]

    precisions = _smoothed_precisions(matches, totals, smoothing)
    orders = sum(total > 0 for total in totals) if effective_order else max_n
    bp = brevity_penalty(hypothesis_length, reference_length)
    score = _combined(precisions[:orders], bp)

    numbers = {1 if isinstance(refs, str) else len(refs) for refs in references}
    nrefs = numbers.pop() if len(numbers) == 1 else "var"
    order = "yes" if effective_order else "no"
    return BleuScore(
        score=score,
        precisions=tuple(100 * p for p in precisions),
        brevity_penalty=bp,
        matches=tuple(matches),
        totals=tuple(totals),
        hypothesis_length=hypothesis_length,
        reference_length=reference_length,
        signature=f"nrefs:{nrefs}|case:mixed|eff:{order}|tok:none|smooth:{smoothing}"
        f"|max_n:{max_n}|by:bleu_from_scratch",
    )


def bleu_statistics(
    hypotheses: Sequence[Sequence[str]],
    references: Sequence[Sequence[Sequence[str]]],
    *,
    max_n: int = 4,
) -> Tensor:
    """What BLEU adds up, a row a sentence: a corpus of these sentences has the sums of their rows.

    Arguments and errors are those of ``bleu_from_scratch``.

    Returns:
        int64 ``[N, 2 + 2 max_n]``: length, length of the closest reference, clipped matches of
        1-grams .. max_n-grams, n-grams of each order.
    """
    references = checked_corpus(hypotheses, references, tokens=True)
    check_positive(max_n, "max_n", "BLEU is usually max_n = 4")
    rows = []
    for hypothesis, refs in zip(hypotheses, references, strict=True):
        matches, totals = [], []
        for n in range(1, max_n + 1):
            counts = count_ngrams(hypothesis, n)
            most_in_one_reference = Counter()
            for ref in refs:
                most_in_one_reference |= count_ngrams(ref, n)  # | keeps the larger count
            matches.append((counts & most_in_one_reference).total())  # & the smaller: clipping
            totals.append(counts.total())
        closest = closest_length(len(hypothesis), [len(ref) for ref in refs])
        rows.append([len(hypothesis), closest, *matches, *totals])
    return torch.tensor(rows)  # [N, 2 + 2 max_n]


def bleu_of(sums: Sequence[float], *, smoothing: str = "exp") -> float:
    """BLEU, 0 .. 100, of added rows of ``bleu_statistics``: of ``statistics.sum(0).tolist()``.

    Raises:
        ValueError: anything but 2 + 2 max_n numbers, and an unknown smoothing.
    """
    numbers = list(sums)
    if len(numbers) < 4 or len(numbers) % 2:
        raise ValueError(
            f"sums must be the 2 + 2 max_n numbers of added rows, but they are {len(numbers)}"
        )
    check_choice(smoothing, ("exp", "none"), "smoothing")
    orders = len(numbers) // 2 - 1
    matches, totals = numbers[2 : 2 + orders], numbers[2 + orders :]
    precisions = _smoothed_precisions(matches, totals, smoothing)
    return _combined(precisions, brevity_penalty(numbers[0], numbers[1]))


def count_ngrams(tokens: Sequence[str], n: int) -> Counter:
    """How often each n-gram (a tuple of n tokens) occurs; empty if there are fewer than n tokens.

    Raises:
        ValueError: n < 1.
        TypeError: a bare string.
    """
    if isinstance(tokens, str):
        raise TypeError(f"tokens must be a list of tokens, but they are the string {tokens!r}")
    check_positive(n, "n")
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def closest_length(hypothesis_length: int, reference_lengths: Sequence[int]) -> int:
    """The reference length closest to the hypothesis'; of two equally close ones the shorter.

    Raises:
        ValueError: there is no reference.
    """
    if len(reference_lengths) == 0:
        raise ValueError("reference_lengths must hold at least one length, but it is empty")
    return min(reference_lengths, key=lambda length: (abs(length - hypothesis_length), length))


def brevity_penalty(hypothesis_length: int, reference_length: int) -> float:
    """BP = 1 if c ≥ r, else exp(1 - r/c); 0 if c = 0 < r (Papineni et al. 2002, section 2.2.2).

    Raises:
        ValueError: a negative length.
    """
    if hypothesis_length < 0 or reference_length < 0:
        raise ValueError(
            f"lengths must be ≥ 0, but they are {hypothesis_length} and {reference_length}"
        )
    if hypothesis_length >= reference_length:
        return 1.0
    if hypothesis_length == 0:
        return 0.0
    return math.exp(1 - reference_length / hypothesis_length)


def _combined(precisions: Sequence[float], penalty: float) -> float:
    """The geometric mean of the precisions times the brevity penalty, 0 .. 100."""
    if not precisions or not all(p > 0 for p in precisions):
        return 0.0
    return 100 * penalty * math.exp(sum(math.log(p) for p in precisions) / len(precisions))


def _smoothed_precisions(
    matches: Sequence[float], totals: Sequence[float], smoothing: str
) -> list[float]:
    """p_n in 0 .. 1 for each order; 0 for an order without n-grams."""
    precisions = [0.0] * len(totals)
    if not any(matches):
        return precisions  # no match of any order: nothing to smooth
    credit = 1.0
    for n, (match, total) in enumerate(zip(matches, totals, strict=True)):
        if total == 0:
            break  # no hypothesis is this long, so none is longer
        if match == 0 and smoothing == "exp":
            credit /= 2
            precisions[n] = credit / total
        else:
            precisions[n] = match / total
    return precisions
