"""The numbers of the BLEU explorer: one hypothesis, its n-grams, its precisions, its penalty."""

from collections import Counter
from dataclasses import dataclass
from functools import cache

from seq2seq_lib.metrics import BleuScore, bleu_from_scratch, count_ngrams

REFERENCE = tuple("the king sees the small red cat near the house".split())
BASE = "the king sees the small cat near the the house"
SECOND = (tuple("a bee sings".split()), tuple("the bee sings loudly".split()))
PRESETS = {
    "base": BASE,
    "doubled_the": "the king sees the small cat near the house",
    "too_short": "the king sees the small cat",
    "two_words": "the king",
    "all_the": " ".join(["the"] * 10),
    "reversed": " ".join(reversed(REFERENCE)),
    "moved": "near the house the king sees the small red cat",
    "one_more": " ".join(REFERENCE) + " today",
}
OWN = "the king sees a red cat"  # what the field for your own text begins with
DOUBLED = (8, 9)  # places of "the the" in BASE, from 1
MOST_WORDS, MOST_LETTERS = 12, 52
SMOOTHING = ("none", "exp", "effective")
LONGEST = (1, 2, 3, 4)
SCOPES = ("sentence", "both")
MATCH, CLIPPED, MISS = "match", "clipped", "miss"


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        preset, delete, smoothing, max_n, scope: as in ``compute``.
        words: the hypothesis.
        ngrams: for n = 1 .. max_n what each n-gram of the hypothesis is: ``match``, ``clipped``
            (the reference has it, but not so often) or ``miss``.
        alone, both: BLEU of the sentence, and of the corpus of two.
        second: BLEU of the second sentence alone.
        base: the score of the first screen's hypothesis with the same settings, of ``scope``.
        raised: the places, from 1, of BASE whose deletion raises that score.
        deleted: the score of ``scope`` for each place of BASE that is deleted.
        problem: why there is nothing to draw; empty if there is.
    """

    preset: str
    delete: int
    smoothing: str
    max_n: int
    scope: str
    words: tuple[str, ...]
    ngrams: tuple[tuple[str, ...], ...]
    alone: BleuScore
    both: BleuScore
    second: BleuScore
    base: float
    raised: tuple[int, ...]
    deleted: tuple[float, ...]
    problem: str

    @property
    def shown(self) -> BleuScore:
        """The score of the chosen scope."""
        return self.alone if self.scope == "sentence" else self.both


def compute(
    *,
    preset: str = "base",
    delete: int = 0,
    own: str = OWN,
    smoothing: str = "none",
    max_n: int = 4,
    scope: str = "sentence",
) -> Result:
    """Score a hypothesis against the reference of the first screen.

    Args:
        preset: a key of ``PRESETS``, or "own".
        delete: the place of BASE to leave out, from 1; 0 for none. For the preset "base" alone.
        own: the hypothesis of the preset "own".
        smoothing: "none", "exp", or "effective": exp, and no order longer than any hypothesis.
        max_n: the longest n-gram, 1 to 4.
        scope: "sentence", or "both" for the corpus of two sentences.
    """
    return _compute(preset, delete, own if preset == "own" else OWN, smoothing, max_n, scope)


@cache
def _compute(preset: str, delete: int, own: str, smoothing: str, max_n: int, scope: str) -> Result:
    text = own.lower() if preset == "own" else PRESETS[preset]
    words, problem = text.split(), ""
    if preset == "base" and delete:
        del words[delete - 1]
    if not words:
        problem = "Type a sentence: there is no word to look at."
    elif len(words) > MOST_WORDS or sum(map(len, words)) > MOST_LETTERS:
        problem = (
            f"At most {MOST_WORDS} words and {MOST_LETTERS} letters can be drawn; yours are "
            f"{len(words)} and {sum(map(len, words))}. Shorten the sentence."
        )
        words = words[:MOST_WORDS]
    base = BASE.split()
    settings = smoothing, max_n, scope
    of_base = _score(tuple(base), *settings)
    deleted = tuple(_score(tuple(base[:i] + base[i + 1 :]), *settings) for i in range(len(base)))
    return Result(
        preset=preset, delete=delete, smoothing=smoothing, max_n=max_n, scope=scope,
        words=tuple(words),
        ngrams=tuple(marked(words, REFERENCE, n) for n in range(1, max_n + 1)),
        alone=_bleu((tuple(words),), (REFERENCE,), smoothing, max_n),
        both=_bleu((tuple(words), SECOND[0]), (REFERENCE, SECOND[1]), smoothing, max_n),
        second=_bleu((SECOND[0],), (SECOND[1],), smoothing, max_n),
        base=of_base,
        raised=tuple(i for i, one in enumerate(deleted, 1) if one > of_base + 1e-9),
        deleted=deleted,
        problem=problem,
    )  # fmt: skip


def marked(words: list[str], reference: tuple[str, ...], n: int) -> tuple[str, ...]:
    """What each n-gram is, from the left: the first ones use the reference's up."""
    left = Counter(count_ngrams(reference, n))
    found = []
    for i in range(len(words) - n + 1):
        ngram = tuple(words[i : i + n])
        known = ngram in left
        found.append(MATCH if left[ngram] > 0 else CLIPPED if known else MISS)
        if left[ngram] > 0:
            left[ngram] -= 1
    return tuple(found)


def _bleu(hypotheses, references, smoothing: str, max_n: int) -> BleuScore:
    return bleu_from_scratch(
        hypotheses,
        [[reference] for reference in references],
        max_n=max_n,
        smoothing="none" if smoothing == "none" else "exp",
        effective_order=smoothing == "effective",
    )


def _score(words: tuple[str, ...], smoothing: str, max_n: int, scope: str) -> float:
    pairs = ((words, REFERENCE),) if scope == "sentence" else ((words, REFERENCE), SECOND)
    hypotheses, references = zip(*pairs, strict=True)
    return _bleu(hypotheses, references, smoothing, max_n).score
