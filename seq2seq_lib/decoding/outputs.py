"""Outputs that grow token by token: what every search is made of.

    Hypothesis    one output with its score: what a search returns
    OpenOutputs   the outputs that are still open, all of one length, of all sentences together
    Candidates    one-token continuations of the open outputs
    NBest         the best hypotheses of each sentence so far

The numbers that a search compares are kept on the CPU in float64, whatever the model uses. There
is little of it, and sums in float32 would make ties where there are none.
"""

import math
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace

import torch
from torch import Tensor

from seq2seq_lib.decoding.penalty import LengthPenalty
from seq2seq_lib.decoding.protocol import (
    NINF,
    DecodingModel,
    SearchState,
    as_token,
    check_batch,
    check_log_probs,
    check_state,
)
from seq2seq_lib.vocab import BOS_ID, EOS_ID


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

    def select(self, where: Tensor) -> "Candidates":
        """Those that a bool mask ``[M]`` or a list of rows names."""
        return Candidates(*(getattr(self, f.name)[where] for f in fields(self)))

    def best_first(self) -> "Candidates":
        """Sorted by sentence, and by log-probability within one; of equals the earlier first."""
        order = self.total.argsort(descending=True, stable=True)
        return self.select(order[self.sentence[order].argsort(stable=True)])

    def split(self) -> tuple["Candidates", "Candidates"]:
        """Those that end their output, and those that stay open."""
        ends = self.token == EOS_ID
        return self.select(ends), self.select(~ends)

    @property
    def rank(self) -> Tensor:
        """The place within the sentence, ``[M]``, 0 for the first. Needs sentences in order."""
        first = torch.searchsorted(self.sentence, self.sentence)  # [M] where the sentence begins
        return torch.arange(len(self)) - first


@dataclass(frozen=True)
class OpenOutputs:
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
    state: SearchState  # the model's, after all tokens but the last
    device: torch.device

    @classmethod
    def start(
        cls, model: DecodingModel, src: Tensor, src_lengths: Tensor, prefix: Sequence[int] = ()
    ) -> "OpenOutputs":
        """One open output a sentence, which holds the prefix."""
        check_batch(src, src_lengths)
        every = torch.arange(len(src))
        outputs = cls(
            sentence=every,
            tokens=torch.empty(len(src), 0, dtype=torch.int64),
            token_log_probs=torch.empty(len(src), 0, dtype=torch.float64),
            total=torch.zeros(len(src), dtype=torch.float64),
            attention=None,
            rows=every,
            state=check_state(model.start(src, src_lengths)),
            device=src.device,
        )
        for token in prefix:
            log_probs, outputs = outputs.step(model)
            as_token(token, log_probs.size(1), "prefix")
            forced = outputs.candidates(log_probs, every, torch.full_like(every, token))
            if (forced.log_prob == NINF).any():
                row = int((forced.log_prob == NINF).nonzero()[0])
                raise ValueError(
                    f"prefix is impossible: after {outputs.tokens[row].tolist()} the model gives "
                    f"{token} the probability 0, for sentence {row}."
                )
            outputs = outputs.extend(forced)
        return outputs

    def __len__(self) -> int:
        return len(self.sentence)

    @property
    def length(self) -> int:
        return self.tokens.size(1)

    def step(self, model: DecodingModel) -> tuple[Tensor, "OpenOutputs"]:
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

    def extend(self, chosen: Candidates) -> "OpenOutputs":
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

    def select(self, where: Tensor) -> "OpenOutputs":
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

    def hypothesis(self, row: int, penalty: LengthPenalty, *, finished: bool) -> Hypothesis:
        """Output ``row`` as it is now."""
        log_prob = self.total[row].item()
        return Hypothesis(
            tokens=self.tokens[row].tolist(),
            log_prob=log_prob,
            score=penalty.score(log_prob, self.length),
            token_log_probs=self.token_log_probs[row].tolist(),
            attention=None if self.attention is None else self.attention[row].clone(),
            finished=finished,
        )


class NBest:
    """The best hypotheses of each sentence, at most ``size`` (None: all), best first.

    Of equal scores the shorter output comes first, then the one with the lower ids.
    """

    def __init__(self, sentences: int, size: int | None, penalty: LengthPenalty) -> None:
        self.size, self.penalty = math.inf if size is None else size, penalty
        self.best: list[list[Hypothesis]] = [[] for _ in range(sentences)]

    def add(self, outputs: OpenOutputs, *, finished: bool) -> None:
        order = outputs.total.argsort(descending=True)
        sentences, totals = outputs.sentence[order].tolist(), outputs.total[order].tolist()
        for row, sentence, total in zip(order.tolist(), sentences, totals, strict=True):
            best = self.best[sentence]
            full = len(best) == self.size
            if full and self.penalty.score(total, outputs.length) < best[-1].score:
                continue  # seen before it costs anything
            found = outputs.hypothesis(row, self.penalty, finished=finished)
            insort(best, found, key=lambda h: (-h.score, len(h.tokens), h.tokens))
            if len(best) > self.size:
                best.pop()

    def worst(self) -> Tensor:
        """The score that a new hypothesis must beat, float64 ``[B]``: -inf while there is room."""
        return torch.tensor(
            [best[-1].score if len(best) == self.size else NINF for best in self.best],
            dtype=torch.float64,
        )
