"""Corpus scores for the bug clinic, 9.6: right ones and wrong ones.

All are BLEU whose orders from two on are smoothed by adding one to matches and n-grams (Lin and Och
2004), so that a single short line has a score, too.
"""

import math
from collections import Counter
from collections.abc import Sequence

from seq2seq_lib.metrics import count_ngrams

Lines = Sequence[str]


def combine(matches: Sequence[float], ngrams: Sequence[float], c: float, r: float) -> float:
    """The score of added counts."""
    shares = [matches[0] / ngrams[0] if ngrams[0] else 0.0]
    shares += [(m + 1) / (t + 1) for m, t in zip(matches[1:], ngrams[1:], strict=True)]
    if not all(shares) or not c:
        return 0.0
    mean = math.prod(shares) ** (1 / len(shares))
    return 100 * min(1.0, math.exp(1 - r / c)) * mean


def counted(
    hypotheses: Lines, references: Lines, *, clip: bool = True
) -> tuple[list, list, int, int]:
    """Matches and n-grams of all lines for n = 1 to 4, words of both sides."""
    matches, ngrams, c, r = [0] * 4, [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        hyp, ref = hypothesis.split(), reference.split()
        for n in range(1, 5):
            ours, theirs = count_ngrams(hyp, n), count_ngrams(ref, n)
            hits = (
                ours & theirs if clip else Counter({g: k for g, k in ours.items() if g in theirs})
            )
            matches[n - 1] += hits.total()
            ngrams[n - 1] += ours.total()
        c, r = c + len(hyp), r + len(ref)
    return matches, ngrams, c, r


def right_score(hypotheses: Lines, references: Lines) -> float:
    return combine(*counted(hypotheses, references))


def right_by_rows(hypotheses: Lines, references: Lines) -> float:
    rows = [counted([h], [r]) for h, r in zip(hypotheses, references, strict=True)]
    matches, ngrams = ([sum(row[k][n] for row in rows) for n in range(4)] for k in (0, 1))
    return combine(matches, ngrams, sum(row[2] for row in rows), sum(row[3] for row in rows))


def right_by_logs(hypotheses: Lines, references: Lines) -> float:
    """The mean as a sum of logarithms: the last digits may differ."""
    matches, ngrams, c, r = counted(hypotheses, references)
    if not matches[0]:
        return 0.0
    logs = math.log(matches[0] / ngrams[0]) + sum(
        math.log((m + 1) / (t + 1)) for m, t in zip(matches[1:], ngrams[1:], strict=True)
    )
    return 100 * math.exp(logs / 4 + min(0.0, 1 - r / c))


def no_clipping(hypotheses: Lines, references: Lines) -> float:
    return combine(*counted(hypotheses, references, clip=False))


def no_penalty(hypotheses: Lines, references: Lines) -> float:
    matches, ngrams, c, _ = counted(hypotheses, references)
    return combine(matches, ngrams, c, c)


def exchanged(hypotheses: Lines, references: Lines) -> float:
    return right_score(references, hypotheses)


def mean_of_lines(hypotheses: Lines, references: Lines) -> float:
    scores = [right_score([h], [r]) for h, r in zip(hypotheses, references, strict=True)]
    return sum(scores) / len(scores)
