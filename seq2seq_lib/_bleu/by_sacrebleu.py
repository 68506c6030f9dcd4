"""BLEU and chrF of plain text: sacreBLEU's numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from seq2seq_lib._arguments import check_choice, check_integer
from seq2seq_lib._bleu.corpus import checked_corpus
from seq2seq_lib._bleu.from_scratch import BleuScore


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
    that is meant to stay as it is, say ``tokenize="none"``.

    BLEU is a corpus statistic: n-gram counts are summed over all sentences *before* dividing, so
    it is not the mean of sentence scores. Without 4-grams it is 0: a perfect corpus of 2-token
    sentences scores 0, and 100 with ``effective_order=True``, which stops at the longest n-gram
    there is. Use that for single sentences: ``corpus_bleu([h], [refs], effective_order=True)``.

    Args:
        hypotheses: N sentences; an empty one is allowed.
        references: N lists of one or more references, not necessarily equally many; or N strings,
            one reference each.
        lowercase: compare case-insensitively.
        tokenize: sacreBLEU's tokeniser: "13a", "none", "char", "intl", "zh", ...
        smoothing: of n-gram orders without a match: "exp", "none", "floor" or "add-k".
        effective_order: leave out the orders longer than every hypothesis.

    Returns:
        ``BleuScore``, score in 0 .. 100.

    Raises:
        ValueError: an empty corpus, different numbers of hypotheses and references, a hypothesis
            without a reference, an unknown tokeniser or smoothing.
        TypeError: a bare string in place of a list, or elements that are not strings.
    """
    from sacrebleu.metrics import BLEU  # here, so that importing this module stays cheap

    references = checked_corpus(hypotheses, references, tokens=False)
    check_choice(tokenize, BLEU.TOKENIZERS, "tokenize")
    check_choice(smoothing, BLEU.SMOOTH_DEFAULTS, "smoothing")
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

    It needs no tokeniser and gives credit for a word that is nearly right. ``word_order=2`` is
    chrF++ (Popovic 2017). Arguments, layout of the references and errors: see ``corpus_bleu``.

    Returns:
        ``ChrfScore``, score in 0 .. 100.

    Raises:
        TypeError, ValueError: as ``corpus_bleu``.
        ValueError: word_order < 0.
    """
    from sacrebleu.metrics import CHRF

    references = checked_corpus(hypotheses, references, tokens=False)
    check_integer(word_order, "word_order", 0, why="0 is chrF, 2 chrF++")
    metric = CHRF(lowercase=lowercase, word_order=word_order)
    result = metric.corpus_score(list(hypotheses), _transposed(references))
    return ChrfScore(score=min(result.score, 100.0), signature=str(metric.get_signature()))


def _transposed(references: list[list[str]]) -> list[list[str | None]]:
    """[hypothesis][reference] -> sacreBLEU's [reference][hypothesis], None where one has fewer."""
    return [list(column) for column in zip_longest(*references)]
