"""Outputs that grow token by token: what every search in ``decoding`` is made of.

    Hypothesis   one output with its score: what a search returns
    Paths        the outputs that are still open, all of one length, of all sentences together
    Candidates   one-token continuations of the open outputs
    Limits       which continuations are allowed
    Score        log-probability / length penalty
    Pool         the best hypotheses of each sentence so far

The numbers that a search compares are kept on the CPU in float64, whatever the model uses. There
is little of it, and sums in float32 would make ties where there are none.
"""

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_choice, check_positive, kind_of
from seq2seq_lib.filters import ban_repeated_ngrams, ban_tokens
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

NINF = float("-inf")


@dataclass(frozen=True)
class Hypothesis:
    """One output sentence.

    Attributes:
        tokens: ids without BOS; EOS is the last one if ``finished``.
        log_prob: log p(tokens | source) in nats, EOS scored: the sum of ``token_log_probs``.
        score: ``log_prob`` divided by the length penalty; what the search sorted by.
        token_log_probs: one number a token.
        attention: ``[len(tokens), S]`` if the model gives attention, else None.
        finished: whether it ended with EOS; otherwise it was cut off at the maximal length, or it
            could not go on.
    """

    tokens: list[int]
    log_prob: float
    score: float
    token_log_probs: list[float]
    attention: Tensor | None = field(default=None, compare=False, repr=False)
    finished: bool = True


def length_penalty(length: int, exponent: float, kind: str = "plain") -> float:
    """What a log-probability is divided by.

    ``"plain"``: length ** exponent. ``"gnmt"``: ((5 + length) / 6) ** exponent (Wu et al. 2016,
    eq. 14). An exponent **above 0 favours longer outputs**: log-probabilities are negative, so
    dividing by more brings them nearer to 0. The length counts EOS and not BOS.
    """
    check_choice(kind, ("plain", "gnmt"), "length_penalty_kind")
    if length < 1:
        raise ValueError(f"length must be ≥ 1, but it is {length}: EOS counts.")
    base = float(length) if kind == "plain" else (5 + length) / 6
    return base**exponent


@dataclass(frozen=True)
class Score:
    """What a search maximises: log-probability / length penalty."""

    exponent: float
    kind: str

    def __post_init__(self) -> None:
        check_choice(self.kind, ("plain", "gnmt"), "length_penalty_kind")
        if not -10 <= self.exponent <= 10:  # far beyond, length ** exponent overflows; also NaN
            raise ValueError(f"length_penalty must be in -10 .. 10, but it is {self.exponent}.")

    def __call__(self, log_prob: Any, length: int) -> Any:
        """The score of one log-probability or of a tensor of them."""
        # An output without tokens has log-probability 0, and 0 is its score.
        return log_prob / length_penalty(max(length, 1), self.exponent, self.kind)

    def bound(self, log_prob: Tensor, length: int, longest: int) -> Tensor:
        """The best score that open outputs ``[N]`` of this length can still reach.

        More tokens only lower the log-probability, so the best case adds none. The penalty rises
        or falls with the length throughout: its extremes are the next length and the longest.
        """
        return torch.maximum(self(log_prob, length + 1), self(log_prob, longest))


@dataclass(frozen=True)
class Limits:
    """Which continuations are allowed; the arguments are those of ``beam_search``."""

    max_new_tokens: int
    min_new_tokens: int
    banned_ids: Sequence[int]
    no_repeat_ngram_size: int | None
    prefix: Sequence[int]

    def __post_init__(self) -> None:
        for name in ("banned_ids", "prefix"):  # read at every step: an iterator would be used up
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_positive(self.max_new_tokens, "max_new_tokens")
        if not isinstance(self.min_new_tokens, int) or isinstance(self.min_new_tokens, bool):
            raise TypeError(
                f"min_new_tokens must be an integer, but it is {self.min_new_tokens!r}."
            )
        if not 0 <= self.min_new_tokens <= self.max_new_tokens:
            raise ValueError(
                f"min_new_tokens must be in 0 .. max_new_tokens = {self.max_new_tokens}, but it is "
                f"{self.min_new_tokens}."
            )
        if self.no_repeat_ngram_size is not None:
            check_positive(self.no_repeat_ngram_size, "no_repeat_ngram_size")
        if EOS_ID in self.prefix:
            raise ValueError(f"prefix must not hold EOS ({EOS_ID}): nothing follows it.")
        for token in self.prefix:
            check_token(token, None, "prefix")
            if token in (PAD_ID, BOS_ID):
                raise ValueError(
                    f"prefix must not hold PAD ({PAD_ID}) or BOS ({BOS_ID}): no output does, and a "
                    f"prefix begins with the first word."
                )

    @property
    def longest(self) -> int:
        """The length of the longest output, prefix and EOS counted."""
        return len(self.prefix) + self.max_new_tokens

    def apply(self, log_probs: Tensor, tokens: Tensor) -> Tensor:
        """Log-probabilities ``[N, V]`` with -inf where outputs ``tokens`` ``[N, t]`` may not go."""
        banned = list(self.banned_ids)
        if tokens.size(1) - len(self.prefix) < self.min_new_tokens:
            banned.append(EOS_ID)
        allowed = ban_tokens(log_probs, banned)
        if self.no_repeat_ngram_size is not None:
            tokens = tokens.to(log_probs.device)
            allowed = ban_repeated_ngrams(allowed, tokens, self.no_repeat_ngram_size)
        return allowed


@dataclass(frozen=True)
class Candidates:
    """M continuations: an open output (``parent``) and one token more."""

    sentence: Tensor  # [M] int64
    parent: Tensor  # [M] int64, the row of the open output
    token: Tensor  # [M] int64
    log_prob: Tensor  # [M] float64, of the token
    total: Tensor  # [M] float64, of output and token together

    def __len__(self) -> int:
        return len(self.token)

    def at(self, where: Tensor) -> "Candidates":
        """Those that a bool mask ``[M]`` or a list of rows names."""
        return Candidates(*(getattr(self, f.name)[where] for f in fields(self)))

    def best_first(self) -> "Candidates":
        """Sorted by sentence, and by log-probability within one; of equals the earlier first."""
        order = self.total.argsort(descending=True, stable=True)
        return self.at(order[self.sentence[order].argsort(stable=True)])

    @property
    def rank(self) -> Tensor:
        """The place within the sentence, ``[M]``, 0 for the first. Needs sentences in order."""
        first = torch.searchsorted(self.sentence, self.sentence)  # [M] where the sentence begins
        return torch.arange(len(self)) - first


@dataclass(frozen=True)
class Paths:
    """N open outputs of one length t. A sentence may have none, one or many; rows are in order.

    The state is not reordered when outputs are chosen, only ``rows`` is, and the state follows
    once, in ``step``.
    """

    sentence: Tensor  # [N] int64, ascending: which sentence of the batch the output belongs to
    tokens: Tensor  # [N, t] int64, without BOS
    token_log_probs: Tensor  # [N, t] float64
    total: Tensor  # [N] float64
    attention: Tensor | None  # [N, t, S], on the model's device
    rows: Tensor  # [N] int64: output i goes on from row rows[i] of the state
    state: Any  # the model's, after all tokens but the last
    device: torch.device

    @classmethod
    def start(cls, model: Any, src: Tensor, src_lengths: Tensor, prefix: Sequence[int] = ()):
        """One open output a sentence, which holds the prefix."""
        check_batch(src, src_lengths)
        every = torch.arange(len(src))
        paths = cls(
            sentence=every,
            tokens=torch.empty(len(src), 0, dtype=torch.int64),
            token_log_probs=torch.empty(len(src), 0, dtype=torch.float64),
            total=torch.zeros(len(src), dtype=torch.float64),
            attention=None,
            rows=every,
            state=_selectable(model.start(src, src_lengths)),
            device=src.device,
        )
        for token in prefix:
            log_probs, paths = paths.step(model)
            check_token(token, log_probs.size(1), "prefix")
            forced = paths.candidates(log_probs, every, torch.full_like(every, token))
            if (forced.log_prob == NINF).any():
                row = int((forced.log_prob == NINF).nonzero()[0])
                raise ValueError(
                    f"prefix is impossible: after {paths.tokens[row].tolist()} the model gives "
                    f"{token} the probability 0, for sentence {row}."
                )
            paths = paths.extend(forced)
        return paths

    def __len__(self) -> int:
        return len(self.sentence)

    @property
    def length(self) -> int:
        return self.tokens.size(1)

    def step(self, model: Any) -> tuple[Tensor, "Paths"]:
        """Let the model read the last tokens: log-probabilities ``[N, V]`` of the next ones."""
        last = self.tokens[:, -1] if self.length else torch.full_like(self.sentence, BOS_ID)
        state = self.state.select(self.rows.to(self.device))
        log_probs, state = model.step(last.to(self.device), state)
        check_log_probs(log_probs, len(self))
        weights, attention = getattr(state, "attention", None), self.attention
        if weights is not None and attention is None:
            attention = weights.new_empty(len(self), 0, weights.size(1))
        rows = torch.arange(len(self))  # now the state has one row an output, in their order
        return log_probs, replace(self, attention=attention, state=state, rows=rows)

    def candidates(self, log_probs: Tensor, parent: Tensor, token: Tensor) -> Candidates:
        """The continuations that ``parent`` ``[M]`` and ``token`` ``[M]`` name."""
        log_prob = log_probs[parent.to(log_probs.device), token.to(log_probs.device)]
        parent, token, log_prob = parent.cpu(), token.cpu(), log_prob.cpu().double()
        return Candidates(
            self.sentence[parent], parent, token, log_prob, self.total[parent] + log_prob
        )

    def extend(self, chosen: Candidates) -> "Paths":
        """The outputs one token longer. All that belongs to an output moves with it."""
        parent, attention = chosen.parent, self.attention
        rows = self.rows[parent]
        if attention is not None:
            before = attention[parent.to(self.device)]  # [M, t, S]
            now = self.state.attention[rows.to(self.device)].unsqueeze(1)  # [M, 1, S]
            attention = torch.cat([before, now], 1)
        return replace(
            self,
            sentence=chosen.sentence,
            tokens=torch.cat([self.tokens[parent], chosen.token[:, None]], 1),  # [M, t+1]
            token_log_probs=torch.cat([self.token_log_probs[parent], chosen.log_prob[:, None]], 1),
            total=chosen.total,
            attention=attention,
            rows=rows,
        )

    def at(self, where: Tensor) -> "Paths":
        """Those that a bool mask ``[N]`` or a list of rows names."""
        return replace(
            self,
            sentence=self.sentence[where],
            tokens=self.tokens[where],
            token_log_probs=self.token_log_probs[where],
            total=self.total[where],
            attention=None if self.attention is None else self.attention[where.to(self.device)],
            rows=self.rows[where],
        )

    def hypothesis(self, row: int, score: Score, *, finished: bool) -> Hypothesis:
        """Output ``row`` as it is now."""
        log_prob = self.total[row].item()
        return Hypothesis(
            tokens=self.tokens[row].tolist(),
            log_prob=log_prob,
            score=score(log_prob, self.length),
            token_log_probs=self.token_log_probs[row].tolist(),
            attention=None if self.attention is None else self.attention[row].clone(),
            finished=finished,
        )


class Pool:
    """The best hypotheses of each sentence, at most ``size`` (None: all), best first.

    Of equal scores the shorter output comes first, then the one with the lower ids.
    """

    def __init__(self, sentences: int, size: int | None, score: Score) -> None:
        self.size, self.score = math.inf if size is None else size, score
        self.best: list[list[Hypothesis]] = [[] for _ in range(sentences)]

    def add(self, paths: Paths, *, finished: bool) -> None:
        order = paths.total.argsort(descending=True)
        sentences, totals = paths.sentence[order].tolist(), paths.total[order].tolist()
        for row, sentence, total in zip(order.tolist(), sentences, totals, strict=True):
            best = self.best[sentence]
            full = len(best) == self.size
            if full and self.score(total, paths.length) < best[-1].score:
                continue  # seen before it costs anything
            found = paths.hypothesis(row, self.score, finished=finished)
            insort(best, found, key=lambda h: (-h.score, len(h.tokens), h.tokens))
            if len(best) > self.size:
                best.pop()

    def worst(self) -> Tensor:
        """The score that a new hypothesis must beat, float64 ``[B]``: -inf while there is room."""
        return torch.tensor(
            [best[-1].score if len(best) == self.size else NINF for best in self.best],
            dtype=torch.float64,
        )


def _selectable(state: Any) -> Any:
    """A state of the protocol. A tensor has a ``select``, too, but it is another function."""
    if isinstance(state, Tensor) or not callable(getattr(state, "select", None)):
        raise TypeError(
            f"start() must return a state with select(rows), which keeps, repeats or reorders its "
            f"rows, but it returned {kind_of(state)}: put it into a small class."
        )
    return state


def is_stuck(allowed: Tensor) -> Tensor:
    """Which outputs cannot go on, bool ``[N]``: every continuation is banned or impossible."""
    return (allowed.amax(1) == NINF).cpu()


def check_batch(src: Tensor, src_lengths: Tensor) -> None:
    """Refuse an empty batch, or lengths of another one."""
    if len(src) == 0:
        raise ValueError("src has no rows: there is nothing to search for.")
    if len(src_lengths) != len(src):
        raise ValueError(f"src has {len(src)} rows, but src_lengths has {len(src_lengths)}.")


def check_token(token: int, vocab_size: int | None, name: str) -> None:
    """Refuse anything but an id in ``0 .. vocab_size - 1``; the size may not be known yet."""
    if not isinstance(token, int) or isinstance(token, bool):
        raise TypeError(f"{name} must hold integer ids, but one is {token!r}.")
    if vocab_size is not None and not 0 <= token < vocab_size:
        raise ValueError(f"{name} must hold ids in 0 .. {vocab_size - 1}, but one is {token}.")


def check_log_probs(log_probs: Tensor, rows: int) -> None:
    """Refuse what a model's ``step`` must not return."""
    if not isinstance(log_probs, Tensor) or not log_probs.is_floating_point():
        came = getattr(log_probs, "dtype", type(log_probs).__name__)
        raise TypeError(f"step must return log-probabilities as floats, but they are {came}.")
    if log_probs.dim() != 2 or len(log_probs) != rows or log_probs.size(1) <= EOS_ID:
        raise ValueError(
            f"step must return log-probabilities [N, V] with N = {rows} and V > {EOS_ID}, the id "
            f"of EOS, but their shape is {list(log_probs.shape)}."
        )
    largest = log_probs.max().item()  # NaN if one of them is NaN
    if math.isnan(largest):
        raise ValueError("The model returned NaN as a log-probability: no search can rank it.")
    if largest > 1e-3:  # what half precision may round to
        raise ValueError(
            f"The model returned {largest:.3g} as a log-probability, but they are at most 0: apply "
            f"log_softmax to the logits."
        )
