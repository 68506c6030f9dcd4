"""BLEU and chrF of translations, and how sure they are.

`corpus_bleu` and `chrf` are sacreBLEU's numbers: report them with their `signature`, without
which two BLEU scores cannot be compared (Post 2018). `bleu_from_scratch` is the same metric,
written to be read, for pre-tokenised text; a test holds the two together to 1e-9.
`bleu_statistics` holds what BLEU adds up, a row a sentence, and `bootstrap_interval` draws rows.

**References are nested per hypothesis:** `references[i]` are the references of `hypotheses[i]`,
a list of one or more. (sacreBLEU itself wants the transposed layout, `references[r][i]`; feeding
one to the other scores nonsense without an error whenever the sizes happen to fit.)
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch
from torch import Tensor

from seq2seq_lib._arguments import kind_of


@dataclass(frozen=True)
class BleuScore:
    """BLEU with everything it is made of. `score` and `precisions` are in 0 .. 100."""

    score: float
    precisions: tuple[float, ...]  # of 1-grams .. max_n-grams, after smoothing
    brevity_penalty: float  # in 0 .. 1
    matches: tuple[int, ...]  # clipped n-gram matches, summed over the corpus
    totals: tuple[int, ...]  # n-grams in the hypotheses
    hypothesis_length: int  # tokens
    reference_length: int  # tokens of the closest references
    signature: str


@dataclass(frozen=True)
class ChrfScore:
    """chrF in 0 .. 100, with the signature to report beside it."""

    score: float
    signature: str


def corpus_bleu(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]] | Sequence[str],
    *,
    lowercase: bool = False,
    tokenize: str = "13a",
    smoothing: str = "exp",
    effective_order: bool = False,
) -> BleuScore:
    """BLEU of a corpus of plain sentences (Papineni et al. 2002), computed by sacreBLEU.

    Give **detokenised** text: sacreBLEU tokenises by itself, and already tokenised text scores
    too high or too low (sacrebleu#162). It logs a warning when 100 lines end in " .". For text
    that is meant to stay as it is, say `tokenize="none"`.

    BLEU is a corpus statistic: n-gram counts are summed over all sentences *before* dividing, so
    it is not the mean of sentence scores. Without 4-grams it is 0: a perfect corpus of 2-token
    sentences scores 0, and 100 with `effective_order=True`, which stops at the longest n-gram
    there is. Use that for single sentences: `corpus_bleu([h], [refs], effective_order=True)`.

    Args:
        hypotheses: N sentences; an empty one is allowed.
        references: N lists of one or more references, not necessarily equally many; or N strings,
            one reference each.
        lowercase: compare case-insensitively.
        tokenize: sacreBLEU's tokeniser: "13a", "none", "char", "intl", "zh", ...
        smoothing: of n-gram orders without a match: "exp", "none", "floor" or "add-k".
        effective_order: leave out the orders longer than every hypothesis.
    Returns: `BleuScore`, score in 0 .. 100.
    Raises: ValueError for an empty corpus, different numbers of hypotheses and references, a
        hypothesis without a reference, an unknown tokeniser or smoothing. TypeError for a bare
        string in place of a list, or elements that are not strings.
    """
    from sacrebleu.metrics import BLEU  # here, so that importing this module stays cheap

    references = _checked_corpus(hypotheses, references, tokens=False)
    _check_choice("tokenize", tokenize, BLEU.TOKENIZERS)
    _check_choice("smoothing", smoothing, BLEU.SMOOTH_DEFAULTS)
    metric = BLEU(
        lowercase=lowercase,
        tokenize=tokenize,
        smooth_method=smoothing,
        effective_order=effective_order,
        force=tokenize == "none",  # who asks for no tokeniser knows that the text is tokenised
    )
    result = metric.corpus_score(list(hypotheses), _transposed(references))
    return BleuScore(
        score=min(result.score, 100.0),  # exp and log of 100 may round to 100.00000000000004
        precisions=tuple(result.precisions),
        brevity_penalty=result.bp,
        matches=tuple(result.counts),
        totals=tuple(result.totals),
        hypothesis_length=result.sys_len,
        reference_length=result.ref_len,
        signature=str(metric.get_signature()),
    )


def chrf(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]] | Sequence[str],
    *,
    lowercase: bool = False,
    word_order: int = 0,
) -> ChrfScore:
    """chrF2, the F-score of character n-grams (Popovic 2015), computed by sacreBLEU.

    It needs no tokeniser and gives credit for a word that is nearly right. `word_order=2` is
    chrF++ (Popovic 2017). Arguments, layout of the references and errors: see `corpus_bleu`.

    Returns: `ChrfScore`, score in 0 .. 100.
    Raises: as `corpus_bleu`; ValueError for word_order < 0.
    """
    from sacrebleu.metrics import CHRF

    references = _checked_corpus(hypotheses, references, tokens=False)
    if word_order < 0:
        raise ValueError(f"word_order must be >= 0, but it is {word_order}: 0 is chrF, 2 chrF++")
    metric = CHRF(lowercase=lowercase, word_order=word_order)
    result = metric.corpus_score(list(hypotheses), _transposed(references))
    return ChrfScore(score=min(result.score, 100.0), signature=str(metric.get_signature()))


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
        max_n: longest n-gram, >= 1.
        smoothing: "exp" or "none".
        effective_order: leave out the orders longer than every hypothesis.
    Returns: `BleuScore`, equal to `corpus_bleu(..., tokenize="none")` of the joined tokens.
    Raises: ValueError and TypeError as `corpus_bleu`; ValueError for max_n < 1.
    """
    _check_choice("smoothing", smoothing, ("exp", "none"))
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

    Args and Raises: as `bleu_from_scratch`.
    Returns: int64 `[N, 2 + 2 max_n]`: length, length of the closest reference, clipped matches of
        1-grams .. max_n-grams, n-grams of each order.
    """
    references = _checked_corpus(hypotheses, references, tokens=True)
    if max_n < 1:
        raise ValueError(f"max_n must be >= 1, but it is {max_n}: BLEU is usually max_n = 4")
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
    """BLEU, 0 .. 100, of added rows of `bleu_statistics`: `bleu_of(statistics.sum(0).tolist())`.

    Raises: ValueError for anything but 2 + 2 max_n numbers, and an unknown smoothing.
    """
    numbers = list(sums)
    if len(numbers) < 4 or len(numbers) % 2:
        raise ValueError(
            f"sums must be the 2 + 2 max_n numbers of added rows, but they are {len(numbers)}"
        )
    _check_choice("smoothing", smoothing, ("exp", "none"))
    orders = len(numbers) // 2 - 1
    matches, totals = numbers[2 : 2 + orders], numbers[2 + orders :]
    precisions = _smoothed_precisions(matches, totals, smoothing)
    return _combined(precisions, brevity_penalty(numbers[0], numbers[1]))


def bootstrap_interval(
    statistics: Tensor,
    other: Tensor | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 12345,
) -> tuple[float, float]:
    """The percentile interval of a BLEU score, or of a difference (Koehn 2004).

    A test set of N sentences is drawn from the N with replacement, `resamples` times, and scored
    each time. With `other`, both systems are scored on the *same* drawn sentences, and the
    interval is that of `other`'s score minus `statistics`': it is paired. It tells what other test
    sentences might have said. It knows nothing of another seed of the training.

    Args:
        statistics, other: `[N, K]`, of `bleu_statistics`, row i of both the same source.
    Returns: the two ends, in BLEU points.
    Raises: ValueError for different shapes, no sentences, fewer than one resample, or a confidence
        outside 0 .. 1.
    """
    if other is not None and other.shape != statistics.shape:
        raise ValueError(
            f"both systems need the same sentences, but the shapes are {list(statistics.shape)} "
            f"and {list(other.shape)}"
        )
    if statistics.dim() != 2 or len(statistics) == 0 or resamples < 1 or not 0 < confidence < 1:
        raise ValueError(
            "statistics must be [N, K] with N >= 1, resamples >= 1 and confidence between 0 and "
            f"1, but they are {list(statistics.shape)}, {resamples} and {confidence}"
        )
    N = len(statistics)
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(N, (resamples, N), generator=generator)  # [R, N]
    drawn = torch.zeros(resamples, N, dtype=torch.float64)
    drawn.scatter_add_(1, picks, torch.ones_like(picks, dtype=torch.float64))  # how often each

    def scores(of: Tensor) -> Tensor:
        sums = drawn @ of.double()  # [R, N] @ [N, K] -> [R, K]
        return torch.tensor([bleu_of(row) for row in sums.tolist()], dtype=torch.float64)

    found = scores(statistics) if other is None else scores(other) - scores(statistics)  # [R]
    ends = torch.tensor([(1 - confidence) / 2, (1 + confidence) / 2], dtype=torch.float64)
    low, high = found.quantile(ends).tolist()
    return low, high


def count_ngrams(tokens: Sequence[str], n: int) -> Counter:
    """How often each n-gram (a tuple of n tokens) occurs; empty if there are fewer than n tokens.

    Raises: ValueError for n < 1; TypeError for a bare string.
    """
    if isinstance(tokens, str):
        raise TypeError(f"tokens must be a list of tokens, but they are the string {tokens!r}")
    if n < 1:
        raise ValueError(f"n must be >= 1, but it is {n}")
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def closest_length(hypothesis_length: int, reference_lengths: Sequence[int]) -> int:
    """The reference length closest to the hypothesis'; of two equally close ones the shorter.

    Raises: ValueError without any reference.
    """
    if len(reference_lengths) == 0:
        raise ValueError("reference_lengths must hold at least one length, but it is empty")
    return min(reference_lengths, key=lambda length: (abs(length - hypothesis_length), length))


def brevity_penalty(hypothesis_length: int, reference_length: int) -> float:
    """BP = 1 if c >= r, else exp(1 - r/c); 0 if c = 0 < r (Papineni et al. 2002, section 2.2.2).

    Raises: ValueError for a negative length.
    """
    if hypothesis_length < 0 or reference_length < 0:
        raise ValueError(
            f"lengths must be >= 0, but they are {hypothesis_length} and {reference_length}"
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


def _checked_corpus(hypotheses: Sequence, references: Sequence, *, tokens: bool) -> list[list]:
    """One list of references per hypothesis, or the error that says what is wrong.

    A sentence is a list of tokens with `tokens=True`, otherwise a string.
    """
    for name, items in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(items, str):
            raise TypeError(f"{name} must be a list, but it is the string {items!r}")
    if len(hypotheses) != len(references):
        raise ValueError(
            f"hypotheses and references must be equally many, but they are {len(hypotheses)} and "
            f"{len(references)}: references[i] lists the references of hypotheses[i] "
            "(sacreBLEU's own layout is the transpose of this)"
        )
    if len(hypotheses) == 0:
        raise ValueError("hypotheses are empty: the score of no sentences is undefined")
    nested = [[refs] if isinstance(refs, str) else list(refs) for refs in references]
    for i, (hypothesis, refs) in enumerate(zip(hypotheses, nested, strict=True)):
        if len(refs) == 0:
            raise ValueError(f"hypothesis {i} has no reference: give it at least one")
        for name, sentence in [("hypothesis", hypothesis)] + [("reference", ref) for ref in refs]:
            if tokens and not isinstance(sentence, list | tuple):
                raise TypeError(
                    f"{name} {i} must be a list of tokens (and references[{i}] a list of such "
                    f"lists), but it is a {kind_of(sentence)}: use corpus_bleu for plain text"
                )
            if not tokens and not isinstance(sentence, str):
                raise TypeError(
                    f"{name} {i} must be a string, but it is a {kind_of(sentence)}: "
                    "join its tokens, or use bleu_from_scratch for tokens"
                )
    return nested


def _transposed(references: list[list[str]]) -> list[list[str | None]]:
    """[hypothesis][reference] -> sacreBLEU's [reference][hypothesis], None where one has fewer."""
    return [list(column) for column in zip_longest(*references)]


def _check_choice(name: str, value: str, choices) -> None:
    if value not in choices:
        valid = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"unknown {name}: {value!r}. Valid: {valid}")
