"""Exact search: the most probable outputs of a model, with a proof that nothing beats them.

A beam may lose the best output. Exhaustive search cannot, but asks the model V^T times. Best-first
search (Stahlberg and Byrne 2019, algorithm 1, goes depth first with the same bound) looks at what
is most promising first, and leaves out all that can no longer win:

    a log-probability is at most 0, so no output is more probable than its beginning.

So an open output bounds all that grows from it, and once the best bound is below an output that
has ended, the search is over. How long that takes depends on the model and not on V^T: few calls
where it is sure, and very many where it is not.
"""

import heapq
from collections.abc import Sequence
from itertools import count

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.outputs import Hypothesis, NBest, OpenOutputs
from seq2seq_lib.decoding.penalty import LengthPenalty
from seq2seq_lib.decoding.protocol import NEVER, NINF, DecodingModel, check_batch
from seq2seq_lib.runtime import evaluation_mode

__all__ = ["NotProven", "best_first_search"]


class NotProven(RuntimeError):
    """A search has spent its calls before it was sure.

    Attributes:
        sentence: its place in the batch.
        best: the best hypotheses until then, best first; nothing says that they are the best.
    """

    def __init__(self, sentence: int, max_calls: int, best: list[Hypothesis]) -> None:
        super().__init__(
            f"best_first_search has asked the model max_calls = {max_calls} times for sentence "
            f"{sentence} and cannot prove yet what is best: raise max_calls, or use beam_search, "
            f"which promises nothing and is done in max_new_tokens calls."
        )
        self.sentence, self.best = sentence, best


def best_first_search(
    model: DecodingModel,
    src: Tensor,
    src_lengths: Tensor,
    *,
    max_new_tokens: int,
    n_best: int = 1,
    max_calls: int = 100_000,
    length_penalty: float = 0.0,
    length_penalty_kind: str = "plain",
    min_new_tokens: int = 0,
    banned_ids: Sequence[int] = NEVER,
    no_repeat_ngram_size: int | None = None,
    prefix: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """The ``n_best`` outputs with the highest score that exist, sentence by sentence.

    The same result as ``decoding.exhaustive_search``, unfinished outputs of ``max_new_tokens``
    tokens included, without writing down every output.

    Args:
        max_calls: refuse to ask ``model.step`` more often than this for one sentence, after the
            prefix. Each call reads one open output.
        Others as in ``decoding.beam_search``.

    Returns:
        One list a sentence, sorted by score, best first. An output that cannot go on, because all
        its continuations are banned or impossible, counts only if the sentence has no other.

    Raises:
        NotProven: a sentence needs more than ``max_calls`` calls; it carries the best found so far.
        ValueError: arguments out of range, or NaN from the model.
    """
    check_positive(n_best, "n_best")
    check_positive(max_calls, "max_calls")
    check_batch(src, src_lengths)
    constraints = Constraints(
        max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix
    )
    penalty = LengthPenalty(length_penalty, length_penalty_kind)
    results = []
    with evaluation_mode(model):
        for row in range(len(src)):
            one = slice(row, row + 1)
            start = OpenOutputs.start(model, src[one], src_lengths[one], constraints.prefix)
            try:
                results.append(_search(model, start, constraints, penalty, n_best, max_calls))
            except NotProven as error:
                raise NotProven(row, max_calls, error.best) from None
    return results


def _search(
    model: DecodingModel,
    start: OpenOutputs,
    constraints: Constraints,
    penalty: LengthPenalty,
    n_best: int,
    max_calls: int,
) -> list[Hypothesis]:
    """One sentence; ``start`` has one row."""
    found, dead_ends = (NBest(1, n_best, penalty) for _ in range(2))
    # (-bound, order, parent, place of the continuation): of equal bounds the older comes first,
    # and no two entries are ever compared beyond their order.
    order, first = count(), torch.zeros(1, dtype=torch.int64)
    heap: list[tuple] = [(float("-inf"), next(order), None, 0)]
    calls = 0
    while heap and -heap[0][0] >= found.worst().item():
        _, _, grown, place = heapq.heappop(heap)
        outputs = start if grown is None else grown[0].extend(grown[1].select(first + place))
        if calls == max_calls:
            raise NotProven(0, max_calls, found.best[0])
        calls += 1
        log_probs, outputs = outputs.step(model)  # [1, V]
        allowed = constraints.following(log_probs, outputs.tokens).allowed
        token = torch.nonzero(allowed[0] > NINF).squeeze(1)  # [M], every continuation
        if len(token) == 0:
            dead_ends.add(outputs, finished=False)
            continue
        every = outputs.candidates(log_probs, torch.zeros_like(token), token)
        ended, still_open = every.split()
        found.add(outputs.extend(ended), finished=True)
        length = outputs.length + 1
        if length == constraints.longest:
            found.add(outputs.extend(still_open), finished=False)
            continue
        bounds = penalty.bound(still_open.total, length, constraints.longest)  # [M]
        worth = bounds >= found.worst()
        for i in torch.nonzero(worth).squeeze(1).tolist():
            heapq.heappush(heap, (-bounds[i].item(), next(order), (outputs, still_open), i))
    return found.best[0] or dead_ends.best[0]
