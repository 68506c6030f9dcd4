"""Greedy search, and what it shares with sampling: every output has one continuation."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.loop import search
from seq2seq_lib.decoding.next_tokens import NextTokens
from seq2seq_lib.decoding.outputs import Candidates, Hypothesis, NBest, OpenOutputs
from seq2seq_lib.decoding.penalty import LengthPenalty
from seq2seq_lib.decoding.protocol import NEVER, DecodingModel
from seq2seq_lib.runtime import evaluation_mode


def greedy_search(
    model: DecodingModel,
    src: Tensor,
    src_lengths: Tensor,
    *,
    max_new_tokens: int,
    min_new_tokens: int = 0,
    banned_ids: Sequence[int] = NEVER,
    no_repeat_ngram_size: int | None = None,
    prefix: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """The most probable next token, again and again: O(V T) for T tokens.

    Args:
        model: anything with the decoding protocol.
        src, src_lengths: int64 ``[B, S]`` and ``[B]``, handed to ``model.start``.
        max_new_tokens: stop here at the latest; EOS counts, the prefix does not.
        min_new_tokens: so many tokens before EOS is allowed.
        banned_ids: never chosen, in place of the default, PAD and BOS. Bans leave the
            log-probabilities as the model gave them.
        no_repeat_ngram_size: no n-gram of this size occurs twice in an output.
        prefix: ids that every output must begin with, without BOS; they are scored like all others.
            The model must not give any of them the probability 0.

    Returns:
        One list a sentence, with one ``Hypothesis``. Of equally probable tokens the lowest id is
        taken. An output whose continuations are all banned ends there, unfinished.

    Raises:
        ValueError: arguments out of range, or NaN from the model.
    """
    constraints = Constraints(
        max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix
    )
    return one_token_each(model, src, src_lengths, constraints, lambda allowed: allowed.argmax(-1))


def one_token_each(
    model: DecodingModel,
    src: Tensor,
    src_lengths: Tensor,
    constraints: Constraints,
    choose: Callable[[Tensor], Tensor],
    copies: int = 1,
) -> list[list[Hypothesis]]:
    """Let every output grow by one chosen token until it ends or cannot go on.

    Args:
        choose: from log-probabilities ``[N, V]``, -inf where banned, the tokens ``[N]``.
        copies: outputs a sentence. A dead end counts as one of them.
    """

    def expand(outputs: OpenOutputs, following: NextTokens) -> Candidates:
        parent = torch.nonzero(~following.stuck).squeeze(1)  # [N'], what can go on
        token = choose(following.allowed[parent.to(following.allowed.device)])
        return outputs.candidates(following.log_probs, parent, token)

    found = NBest(len(src), copies, LengthPenalty())
    with evaluation_mode(model):
        outputs = OpenOutputs.start(model, src, src_lengths, constraints.prefix)
        outputs = outputs.select(torch.arange(len(src)).repeat_interleave(copies))
        return search(model, outputs, constraints, expand=expand, found=found, dead_ends=found)
