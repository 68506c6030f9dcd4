"""The decoding protocol: all that a search asks of a model, and what it refuses.

    state            = model.start(src, src_lengths)       for a batch of sentences
    log_probs, state = model.step(tokens [N], state)        log_probs [N, V] of the next tokens
    state            = state.select(rows [N'])              keep, repeat or reorder rows

If the state has an attribute ``attention`` (``[N, S]``), the hypotheses carry it. Nothing else is
asked for. How a state selects is its own affair: ``decoder.DecoderState`` keeps once what the rows
of a sentence have in common.
"""

import math
from typing import Any, Protocol, SupportsIndex, TypeVar

from torch import Tensor

from seq2seq_lib._arguments import kind_of
from seq2seq_lib._numbers import as_id
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

NEVER = (PAD_ID, BOS_ID)  # tokens that no output may hold
NINF = float("-inf")


class SearchState(Protocol):
    """What ``start`` and ``step`` return: one row a sentence or open output."""

    def select(self, rows: Tensor) -> "SearchState":
        """The state of these rows, int64 ``[N']``, repeated or left out as they say."""
        ...


S = TypeVar("S", bound=SearchState)


class DecodingModel(Protocol[S]):
    """Anything with these two methods can be searched."""

    def start(self, src: Tensor, src_lengths: Tensor) -> S:
        """The state before the first token: src int64 ``[B, S]``, lengths ``[B]``."""
        ...

    def step(self, tokens: Tensor, state: S) -> tuple[Tensor, S]:
        """Read tokens int64 ``[N]``: log-probabilities ``[N, V]`` of the next ones, new state."""
        ...


def check_state(state: Any) -> SearchState:
    """A state of the protocol. A tensor has a ``select``, too, but it is another function."""
    if isinstance(state, Tensor) or not callable(getattr(state, "select", None)):
        raise TypeError(
            f"start() must return a state with select(rows), which keeps, repeats or reorders its "
            f"rows, but it returned {kind_of(state)}: put it into a small class."
        )
    return state


def check_batch(src: Tensor, src_lengths: Tensor) -> None:
    """Refuse an empty batch, or lengths of another one."""
    if len(src) == 0:
        raise ValueError("src has no rows: there is nothing to search for.")
    if len(src_lengths) != len(src):
        raise ValueError(f"src has {len(src)} rows, but src_lengths has {len(src_lengths)}.")


def as_token(token: SupportsIndex, vocab_size: int | None, name: str) -> int:
    """An id in ``0 .. vocab_size - 1`` as a Python number; the size may not be known yet."""
    token = as_id(token, name)
    if vocab_size is not None and not 0 <= token < vocab_size:
        raise ValueError(f"{name} must hold ids in 0 .. {vocab_size - 1}, but one is {token}.")
    return token


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
    largest = log_probs.amax(1).max().item()  # NaN if one of them is NaN
    if math.isnan(largest):
        raise ValueError("The model returned NaN as a log-probability: no search can rank it.")
    if largest > 1e-3:  # what half precision may round to
        raise ValueError(
            f"The model returned {largest:.3g} as a log-probability, but they are at most 0: apply "
            f"log_softmax to the logits."
        )
