"""The loop that greedy search, sampling, exhaustive search and beam search share."""

from collections.abc import Callable

from torch import Tensor

from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.next_tokens import NextTokens
from seq2seq_lib.decoding.outputs import Candidates, Hypothesis, NBest, OpenOutputs
from seq2seq_lib.decoding.protocol import DecodingModel

# The continuations of the open outputs that are worth a look; none may have probability 0.
Expand = Callable[[OpenOutputs, NextTokens], Candidates]
# Those of them that are kept: the ones that end, and the ones that stay open.
Prune = Callable[[Candidates], tuple[Candidates, Candidates]]


def search(
    model: DecodingModel,
    outputs: OpenOutputs,
    constraints: Constraints,
    *,
    expand: Expand,
    prune: Prune = Candidates.split,
    found: NBest,
    dead_ends: NBest,
    can_win: Callable[[OpenOutputs], Tensor] | None = None,
) -> list[list[Hypothesis]]:
    """Let open outputs grow until none is left, or they have ``constraints.max_new_tokens`` more.

    Args:
        model: anything with the decoding protocol.
        outputs: where to begin.
        constraints: which continuations are allowed.
        expand, prune: the two halves of a step, what one search does differently from another.
        found: takes every output that ends, and what is open at last.
        dead_ends: takes the outputs that cannot go on, because all their continuations are banned
            or impossible. It may be ``found`` itself.
        can_win: which outputs are worth going on with, bool ``[N]``; all, if left out.

    Returns:
        For each sentence the best of ``found``, or of ``dead_ends`` if nothing was found.
    """
    for _ in range(constraints.max_new_tokens):
        log_probs, outputs = outputs.step(model)  # [N, V]
        following = constraints.following(log_probs, outputs.tokens)
        if following.stuck.any():
            dead_ends.add(outputs.select(following.stuck), finished=False)
        ended, still_open = prune(expand(outputs, following))
        if len(ended) > 0:
            found.add(outputs.extend(ended), finished=True)
        outputs = outputs.extend(still_open)
        if can_win is not None:
            worth_it = can_win(outputs)
            outputs = outputs if worth_it.all() else outputs.select(worth_it)
        if len(outputs) == 0:
            break
    found.add(outputs, finished=False)
    return [best or stuck for best, stuck in zip(found.best, dead_ends.best, strict=True)]
