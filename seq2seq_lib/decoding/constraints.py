"""Constraints: which continuations of an output a search may choose."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from seq2seq_lib._arguments import check_positive
from seq2seq_lib._numbers import is_integer
from seq2seq_lib.decoding.next_tokens import NextTokens
from seq2seq_lib.decoding.protocol import NEVER, as_token
from seq2seq_lib.filters import ban_repeated_ngrams, ban_tokens
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


@dataclass(frozen=True)
class Constraints:
    """Which continuations are allowed; the arguments are those of ``greedy_search``."""

    max_new_tokens: int
    min_new_tokens: int = 0
    banned_ids: Sequence[int] = NEVER
    no_repeat_ngram_size: int | None = None
    prefix: Sequence[int] = ()

    def __post_init__(self) -> None:
        for name in ("banned_ids", "prefix"):  # read at every step: an iterator would be used up
            ids = tuple(as_token(token, None, name) for token in getattr(self, name))
            object.__setattr__(self, name, ids)
        check_positive(self.max_new_tokens, "max_new_tokens")
        if not is_integer(self.min_new_tokens):
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
            if token in (PAD_ID, BOS_ID):
                raise ValueError(
                    f"prefix must not hold PAD ({PAD_ID}) or BOS ({BOS_ID}): no output does, and a "
                    f"prefix begins with the first word."
                )

    @property
    def longest(self) -> int:
        """The length of the longest output, prefix and EOS counted."""
        return len(self.prefix) + self.max_new_tokens

    def following(self, log_probs: Tensor, tokens: Tensor) -> NextTokens:
        """What may follow the outputs ``tokens`` ``[N, t]``: of log-probabilities ``[N, V]``."""
        banned = list(self.banned_ids)
        if tokens.size(1) - len(self.prefix) < self.min_new_tokens:
            banned.append(EOS_ID)
        ban_tokens(log_probs[:1], banned)  # refuses what are no ids
        if self.no_repeat_ngram_size is None:
            return NextTokens(log_probs, tuple(banned))
        tokens = tokens.to(log_probs.device)
        masked = ban_repeated_ngrams(log_probs, tokens, self.no_repeat_ngram_size)
        return NextTokens(log_probs, tuple(banned), masked)
