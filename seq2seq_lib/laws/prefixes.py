"""Between searches, which want a model that steps, and models that read whole prefixes.

``PrefixModel`` gives the decoding protocol to whatever scores prefixes, so laws 5 and 6 can judge a
search on it. ``Prefix`` is the other way: a search that is bound to its own model class gets a fake
model that asks ``Prefix`` for the next token.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.laws.returned import logits_of


class PrefixState(NamedTuple):
    """A hypothesis a row: its source, and all that it has read, BOS first."""

    src: Tensor  # [N, S]
    src_lengths: Tensor  # [N]
    read: Tensor  # [N, t]

    def select(self, rows: Tensor) -> "PrefixState":
        return PrefixState(*(part[rows] for part in self))


class PrefixModel:
    """The decoding protocol (``start``, ``step``, ``state.select``) over a function of prefixes.

    Args:
        scores: ``(src [N, S], src_lengths [N], prefixes [N, t]) -> [N, V]``, or ``[N, t, V]``, of
            which the last position is used: logits or log-probabilities of the next token. The
            prefixes begin with BOS. Any teacher-forced forward pass will do.
        name: for counterexamples.
    """

    def __init__(
        self, scores: Callable[[Tensor, Tensor, Tensor], Any], name: str = "PrefixModel"
    ) -> None:
        self.scores, self.name = scores, name

    def __repr__(self) -> str:
        return self.name

    def start(self, src: Tensor, src_lengths: Tensor) -> PrefixState:
        """Nothing is read yet."""
        return PrefixState(src, src_lengths.to(src.device), src.new_empty(len(src), 0))

    def step(self, tokens: Tensor, state: PrefixState) -> tuple[Tensor, PrefixState]:
        """Log-probabilities ``[N, V]`` after ``tokens [N]``."""
        read = torch.cat([state.read, tokens[:, None]], 1)  # [N, t]
        found = self.scores(state.src, state.src_lengths, read)
        if not isinstance(found, Tensor) or found.dim() == 3:
            found = logits_of(found, len(read), 1)[:, -1]
        return found.detach().log_softmax(-1), PrefixState(state.src, state.src_lengths, read)


class Prefix:
    """Next-token log-probabilities of a stepping model, for prefixes instead of states.

    A search that wants its own model class gets a fake one whose forward pass calls this::

        prefix = laws.Prefix(model, src, src_lengths)
        log_probs = prefix(rows, prefixes)        # [N], [N, t] -> [N, V]

    Args:
        model: with the decoding protocol, as laws 5 and 6 hand it to a search.
        src, src_lengths: the sources, one a sentence.
        conventions: for BOS, which is read first whether or not the prefixes begin with it.
    """

    def __init__(
        self, model: Any, src: Tensor, src_lengths: Tensor, conventions: Conventions = DEFAULT
    ) -> None:
        self.model, self.src, self.src_lengths = model, src, src_lengths
        self.bos_id = conventions.bos_id

    def __call__(self, rows: Tensor, prefixes: Tensor) -> Tensor:
        """For hypotheses of the sentences ``rows [N]`` that have read ``prefixes [N, t]``."""
        lengths = self.src_lengths[rows]
        longest = int(lengths.max())
        state = self.model.start(self.src[rows, :longest], lengths)
        bos = torch.full_like(prefixes[:, :1] if prefixes.size(1) else rows[:, None], self.bos_id)
        if not prefixes.size(1) or not torch.equal(prefixes[:, :1], bos):
            prefixes = torch.cat([bos, prefixes], 1)
        for column in prefixes.unbind(1):
            log_probs, state = self.model.step(column, state)
        return log_probs
