"""Five lines that all claim to be the cross-entropy of one row of logits.

Five words have names; a larger vocabulary adds words with one vote each, which all behave alike, so
they are counted and not stored. With smoothing the target is a distribution q, and every line costs
minus the mean under q of what it picks from.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WORDS = ("ich", "liebe", "dich", "danke", "•")
VOTES = (1, 2, 3, 6, 8)
CODE = {  # name -> the line
    "ce": "cross_entropy(z, y)",
    "ls_nll": "nll_loss(log_softmax(z), y)",
    "ls_ls_nll": "nll_loss(log_softmax(log_softmax(z)), y)",
    "s_ce": "cross_entropy(softmax(z), y)",
    "s_nll": "nll_loss(softmax(z), y)",
}
LIMIT = 10  # of a logit that the reader sets
NEAR = 1e-9

Row = Sequence[float]  # the five named words, and last one of the others, if there are any


@dataclass(frozen=True)
class Result:
    """The row and what the five lines make of it.

    Attributes:
        logits_name, target, temperature, vocab, smoothing: as given.
        logits: of the five words, before the temperature.
        shares: of the five words, at the temperature.
        entropy: of all shares, nats.
        losses: by line, nats.
        gradients: of line 1 and line 4, by the five logits.
        log_sum: log-sum-exp of the logits over the temperature.
        floor: the least that line 1 and line 4 can cost with these targets.
        same: the lines whose number is that of line 1.
    """

    logits_name: str
    target: int
    temperature: float
    vocab: int
    smoothing: float
    logits: tuple[float, ...]
    shares: tuple[float, ...]
    entropy: float
    losses: dict[str, float]
    gradients: dict[str, tuple[float, ...]]
    log_sum: float
    floor: dict[str, float]
    same: tuple[str, ...]


def compute(
    *,
    logits: str = "row",
    target: int = 3,
    temperature: float = 1.0,
    vocab: int = 5,
    smoothing: float = 0.0,
    own: tuple[float, ...] = (0, 0, 0, 0, 0),
) -> Result:
    """Five losses of one row.

    Args:
        logits: ``"row"`` (logs of 1, 2, 3, 6, 8 votes), ``"shifted"`` (the same plus 100),
            ``"uniform"``, ``"perfect"`` (100 on the target), ``"wrong"`` (8 on another word) or
            ``"own"``.
        target: 0 .. 4.
        temperature: above 0.
        vocab: V, at least 5.
        smoothing: ε, 0 .. 1, spread over all V words.
        own: five logits, used with ``logits="own"``.

    Raises:
        ValueError: a number that is not finite or not in its range, an unknown name.
    """
    named = _named(logits, target, own)
    if not all(map(math.isfinite, named)):
        raise ValueError(f"Logits must be finite, but they are {', '.join(map(str, named))}.")
    if not 0 < temperature < math.inf:
        raise ValueError(f"The temperature must be above 0 and finite, but it is {temperature}.")
    others = vocab - len(named)
    if others < 0 or not 0 <= smoothing < 1:
        raise ValueError(
            f"V must be at least 5 and ε in [0, 1), but they are {vocab}, {smoothing}."
        )
    z = [value / temperature for value in (*named, *[_of_others(logits)] * (others > 0))]
    q = [smoothing / vocab + (1 - smoothing) * (word == target) for word in range(len(z))]
    many = [1] * len(named) + [others] * (others > 0)  # how many words each entry stands for

    def mean(values: Row) -> float:
        return sum(n * a * b for n, a, b in zip(many, q, values, strict=True))

    log_probs = _log_softmax(z, many)
    shares = list(map(math.exp, log_probs))
    twice, squeezed = _log_softmax(log_probs, many), _log_softmax(shares, many)
    picked = {"ce": log_probs, "ls_nll": log_probs, "ls_ls_nll": twice}
    picked |= {"s_ce": squeezed, "s_nll": shares}
    losses = {name: -mean(values) for name, values in picked.items()}

    def through_softmax(by_share: Row) -> list[float]:
        """The chain rule of a softmax at a temperature."""
        middle = sum(n * p * g for n, p, g in zip(many, shares, by_share, strict=True))
        pairs = zip(shares, by_share, strict=True)
        return [p * (g - middle) / temperature for p, g in pairs]

    gradients = {
        "ce": [(p - a) / temperature for p, a in zip(shares, q, strict=True)],
        "s_ce": through_softmax([math.exp(s) - a for s, a in zip(squeezed, q, strict=True)]),
    }
    return Result(
        logits_name=logits,
        target=target,
        temperature=temperature,
        vocab=vocab,
        smoothing=smoothing,
        logits=tuple(named),
        shares=tuple(shares[: len(WORDS)]),
        entropy=-sum(n * p * s for n, p, s in zip(many, shares, log_probs, strict=True)),
        losses=losses,
        gradients={name: tuple(g[: len(WORDS)]) for name, g in gradients.items()},
        log_sum=z[target] - log_probs[target],
        floor={
            "ce": -sum(n * a * math.log(a) for n, a in zip(many, q, strict=True) if a > 0),
            "s_ce": _least(lambda share: _squeezed_loss(share, vocab, smoothing)),
        },
        same=tuple(n for n, loss in losses.items() if abs(loss - losses["ce"]) < NEAR),
    )


def _named(logits: str, target: int, own: Row) -> tuple[float, ...]:
    if target not in range(len(WORDS)):
        raise ValueError(f"The target must be 0 .. {len(WORDS) - 1}, but it is {target!r}.")
    row = tuple(math.log(votes) for votes in VOTES)
    wrong = 0 if target else 1
    known = {
        "row": row,
        "shifted": tuple(z + 100 for z in row),
        "uniform": (0.0,) * len(WORDS),
        "perfect": tuple(100.0 * (word == target) for word in range(len(WORDS))),
        "wrong": tuple(8.0 * (word == wrong) for word in range(len(WORDS))),
        "own": tuple(own),
    }
    if len(own) != len(WORDS):
        raise ValueError(f"own must be {len(WORDS)} logits, but it is {tuple(own)}.")
    if logits not in known:
        raise ValueError(f"Unknown logits: {logits!r}. Valid: {', '.join(map(repr, known))}.")
    return known[logits]


def _of_others(logits: str) -> float:
    """The logit of a word without a name: one vote, and 100 more where all have 100 more."""
    return 100.0 if logits == "shifted" else 0.0


def _log_softmax(z: Row, many: Sequence[int]) -> list[float]:
    top = max(z)
    log_sum = top + math.log(sum(n * math.exp(a - top) for n, a in zip(many, z, strict=True)))
    return [a - log_sum for a in z]


def _squeezed_loss(share: float, vocab: int, smoothing: float) -> float:
    """Line 4, if the target has this share and the others have equal parts of the rest."""
    rest = (1 - share) / (vocab - 1)
    log_sum = math.log(math.exp(share) + (vocab - 1) * math.exp(rest))
    q = 1 - smoothing + smoothing / vocab
    return log_sum - q * share - (1 - q) * rest


def _least(loss: Callable[[float], float]) -> float:
    """The least over shares 0 .. 1; the loss is convex in the share."""
    low, high = 0.0, 1.0
    for _ in range(60):
        third = (high - low) / 3
        low, high = (
            (low + third, high) if loss(low + third) > loss(high - third) else (low, high - third)
        )
    return loss(high)
