"""Exhaustive search: every output there is, the oracle of other searches."""

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.loop import search
from seq2seq_lib.decoding.next_tokens import NextTokens
from seq2seq_lib.decoding.outputs import Candidates, Hypothesis, NBest, OpenOutputs
from seq2seq_lib.decoding.penalty import LengthPenalty
from seq2seq_lib.decoding.protocol import NEVER, NINF, DecodingModel, check_batch
from seq2seq_lib.runtime import evaluation_mode


def exhaustive_search(
    model: DecodingModel,
    src: Tensor,
    src_lengths: Tensor,
    *,
    max_new_tokens: int,
    n_best: int | None = 1,
    length_penalty: float = 0.0,
    length_penalty_kind: str = "plain",
    min_new_tokens: int = 0,
    banned_ids: Sequence[int] = NEVER,
    no_repeat_ngram_size: int | None = None,
    prefix: Sequence[int] = (),
    max_open: int = 200_000,
) -> list[list[Hypothesis]]:
    """Score every output of up to ``max_new_tokens`` tokens: O(V^T), the oracle of other searches.

    Outputs that have not ended by then count too, as unfinished. An output that cannot go on,
    because all its continuations are banned or impossible, counts only if there is no other.

    Args:
        n_best: how many to return, best first; None for all.
        max_open: refuse a search that would hold more outputs of a sentence than this at once.
        Others as in ``beam_search``.
    """
    if n_best is not None:
        check_positive(n_best, "n_best")
    check_positive(max_open, "max_open")
    check_batch(src, src_lengths)
    constraints = Constraints(
        max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix
    )
    penalty = LengthPenalty(length_penalty, length_penalty_kind)

    def expand(outputs: OpenOutputs, following: NextTokens) -> Candidates:
        parent, token = torch.nonzero(following.allowed > NINF, as_tuple=True)  # every continuation
        if len(parent) > max_open:
            raise ValueError(
                f"exhaustive_search would hold {len(parent)} outputs of length "
                f"{outputs.length + 1}, more than max_open = {max_open}: it grows as V^T; "
                f"use beam_search."
            )
        return outputs.candidates(following.log_probs, parent, token)

    results = []
    with evaluation_mode(model):
        for row in range(len(src)):  # sentence by sentence: there is enough to hold
            one = slice(row, row + 1)
            outputs = OpenOutputs.start(model, src[one], src_lengths[one], constraints.prefix)
            found, dead_ends = (NBest(1, n_best, penalty) for _ in range(2))
            results += search(
                model, outputs, constraints, expand=expand, found=found, dead_ends=dead_ends
            )
    return results
