"""What the notebooks of chapter 11 are given: rows, a counter of calls, n-gram F1, least risk."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from seq2seq_lib.course.assets.keywords import KeywordModel, keyword_model
from seq2seq_lib.decoding import Hypothesis
from seq2seq_lib.vocab import EOS_ID

Output = TypeVar("Output", bound=Hashable)

ROWS = {  # three distributions over five tokens
    "peaked": (0.90, 0.04, 0.03, 0.02, 0.01),
    "cliff": (0.40, 0.38, 0.10, 0.07, 0.05),
    "flat": (0.24, 0.22, 0.20, 0.18, 0.16),
}
CARD = {  # chapter 7's: after a letter, or at the beginning
    "": {"a": 0.40, "b": 0.25, "c": 0.30, "•": 0.05},
    "a": {"a": 0.15, "b": 0.34, "c": 0.36, "•": 0.15},
    "b": {"a": 0.25, "b": 0.20, "c": 0.10, "•": 0.45},
    "c": {"a": 0.15, "b": 0.35, "c": 0.30, "•": 0.20},
}
LETTERS = {EOS_ID: "•", 4: "a", 5: "b", 6: "c"}  # of ``laws.four_letters``, the same card
LONGEST = 20  # tokens of a sentence of keywords
NO_SOURCE = (torch.tensor([[EOS_ID]]), torch.tensor([1]))  # for models that read none


def card_next(prefix: str) -> dict[str, float]:
    """Log-probabilities of the next letter after a string of letters."""
    return {token: math.log(p) for token, p in CARD[prefix[-1:]].items()}


def spelled(hypothesis: Hypothesis) -> str:
    """An output of the card, as it is written on paper."""
    return "".join(LETTERS[token] for token in hypothesis.tokens)


class Counted:
    """A model with the decoding protocol that counts its calls: ``calls``."""

    def __init__(self, model: Any) -> None:
        self.model, self.calls = model, 0

    def start(self, src: Tensor, src_lengths: Tensor) -> Any:
        return self.model.start(src, src_lengths)

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        self.calls += 1
        return self.model.step(tokens, state)


class Writer:
    """The shipped model of keywords, from words to words."""

    def __init__(self, made: KeywordModel | None = None) -> None:
        made = made or keyword_model()
        self.model, self.src_vocab, self.tgt_vocab = made.model, made.src_vocab, made.tgt_vocab

    def source(self, keywords: str) -> tuple[Tensor, Tensor]:
        """int64 ``[1, S]`` and ``[1]`` of nouns such as "owls boat"."""
        ids = [*self.src_vocab.encode(keywords.split()), EOS_ID]
        return torch.tensor([ids]), torch.tensor([len(ids)])

    def words(self, hypothesis: Hypothesis) -> str:
        """What was written; an output that is its end alone reads "(nothing)"."""
        return " ".join(self.tgt_vocab.decode(hypothesis.tokens)) or "(nothing)"


def ngram_f1(candidate: Sequence[Hashable], reference: Sequence[Hashable]) -> float:
    """The harmonic mean of precision and recall of single tokens and pairs, counted together."""
    one, two = (
        Counter(tuple(y[i : i + n]) for n in (1, 2) for i in range(len(y) - n + 1))
        for y in (candidate, reference)
    )
    total = one.total() + two.total()
    return 2 * (one & two).total() / total if total else 1.0


def equal_places(candidate: Sequence[Hashable], reference: Sequence[Hashable]) -> float:
    """The share of places with the same token; 1 for two empty outputs."""
    longer = max(len(candidate), len(reference))
    same = sum(a == b for a, b in zip(candidate, reference, strict=False))
    return same / longer if longer else 1.0


def expected_utilities(
    outputs: dict[Output, float], utility: Callable[[Output, Output], float]
) -> dict[Output, float]:
    """What each output is worth on average, if the reference is drawn from ``outputs``.

    Args:
        outputs: output -> probability.
        utility: ``(candidate, reference)`` to a number.
    """
    return {y: sum(p * utility(y, ref) for ref, p in outputs.items()) for y in outputs}


def least_risk(samples: Sequence[Output], utility: Callable[[Output, Output], float]) -> Output:
    """The sample with the highest mean utility against all samples; of equals the first."""
    counts = Counter(samples)  # in the order of their first draw
    drawn = {y: count / len(samples) for y, count in counts.items()}
    worth = expected_utilities(drawn, utility)
    return max(worth, key=worth.__getitem__)
