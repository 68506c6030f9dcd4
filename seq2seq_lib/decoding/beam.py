"""Beam search: the most probable open outputs of every length."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_flag, check_positive
from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.loop import search
from seq2seq_lib.decoding.next_tokens import NextTokens
from seq2seq_lib.decoding.outputs import Candidates, Hypothesis, NBest, OpenOutputs
from seq2seq_lib.decoding.penalty import LengthPenalty
from seq2seq_lib.decoding.protocol import NEVER, NINF, DecodingModel
from seq2seq_lib.decoding.shortlist import shortlist
from seq2seq_lib.runtime import evaluation_mode
from seq2seq_lib.vocab import EOS_ID


def beam_search(
    model: DecodingModel,
    src: Tensor,
    src_lengths: Tensor,
    *,
    num_beams: int,
    max_new_tokens: int,
    n_best: int = 1,
    min_new_tokens: int = 0,
    length_penalty: float = 0.0,
    length_penalty_kind: str = "plain",
    early_stopping: bool = False,
    no_repeat_ngram_size: int | None = None,
    banned_ids: Sequence[int] = NEVER,
    prefix: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """Keep the ``num_beams`` most probable open outputs at every length: O(k V T).

    At each step all continuations of the open outputs are ranked by log-probability. Those among
    the first ``num_beams`` that end go to a pool of finished ones, where their score is final; the
    first ``num_beams`` that do not end stay open, so the width never shrinks while there is
    something to keep. With one beam and no length penalty this is greedy search; with as many
    beams as there are outputs it is exhaustive search.

    Args:
        model: anything with the decoding protocol.
        src, src_lengths: int64 ``[B, S]`` and ``[B]``, handed to ``model.start``. The result for a
            sentence does not depend on its neighbours, and a sentence that is done leaves the
            batch.
        num_beams: k ≥ 1; may exceed the vocabulary.
        max_new_tokens: stop here at the latest; EOS counts, the prefix does not. What is still
            open then competes as unfinished.
        n_best: hypotheses to return a sentence, at most ``num_beams``. There may be fewer, if
            fewer exist; never duplicates.
        min_new_tokens: so many tokens before EOS is allowed.
        length_penalty, length_penalty_kind: the score is ``log_prob / len(tokens) **
            length_penalty``, or GNMT's form. Above 0 favours longer outputs; 0 is neutral.
        early_stopping: False: stop when no open output could still beat the n-th best finished
            one, so the result is exact for the beam. True: stop at ``num_beams`` finished ones.
        no_repeat_ngram_size: no n-gram of this size occurs twice in an output.
        banned_ids: never chosen, in place of the default, PAD and BOS. Bans leave the
            log-probabilities as the model gave them.
        prefix: ids that every output must begin with, without BOS; they are scored like all others.
            The model must not give any of them the probability 0.

    Returns:
        One list a sentence, sorted by score, best first. An output that cannot go on, because all
        its continuations are banned or impossible, counts only if the sentence has no other.

    Raises:
        ValueError: arguments out of range, or NaN from the model.
    """
    check_positive(num_beams, "num_beams")
    check_positive(n_best, "n_best")
    check_flag(early_stopping, "early_stopping")
    if n_best > num_beams:
        raise ValueError(f"n_best must be ≤ num_beams, but {n_best} > {num_beams}.")
    constraints = Constraints(
        max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix
    )
    penalty = LengthPenalty(length_penalty, length_penalty_kind)
    found = NBest(len(src), num_beams if early_stopping else n_best, penalty)

    def continuations(outputs: OpenOutputs, following: NextTokens) -> Candidates:
        few = shortlist(outputs, following, num_beams)
        if few is not None:
            return few
        return expand(outputs, following.log_probs, following.allowed, num_beams)

    def can_win(outputs: OpenOutputs) -> Tensor:
        # What cannot win goes, and with it all that would grow from it. Its place in the beam
        # goes to outputs that are less probable still, so no result changes.
        to_beat = found.worst()  # [B]
        if early_stopping:
            to_beat[to_beat > NINF] = float("inf")  # there are num_beams of them: enough
        bound = penalty.bound(outputs.total, outputs.length, constraints.longest)
        return bound >= to_beat[outputs.sentence]

    with evaluation_mode(model):
        best = search(
            model,
            OpenOutputs.start(model, src, src_lengths, constraints.prefix),
            constraints,
            expand=continuations,
            prune=partial(prune, num_beams=num_beams),
            found=found,
            dead_ends=NBest(len(src), n_best, penalty),
            can_win=can_win,
        )
    return [hypotheses[:n_best] for hypotheses in best]


def expand(outputs: OpenOutputs, log_probs: Tensor, allowed: Tensor, num_beams: int) -> Candidates:
    """The continuations that a beam of this width could keep, best first within each sentence.

    A beam keeps ``num_beams`` outputs that go on, so it cannot want more than ``num_beams + 1``
    continuations of one output: one of them may be EOS.

    Args:
        outputs: N open outputs.
        log_probs: ``[N, V]``, the model's.
        allowed: ``[N, V]``, the same with -inf where a continuation is banned.
        num_beams: the width.
    """
    wanted = min(num_beams + 1, allowed.size(1))
    worst = allowed.topk(wanted, dim=1).values[:, -1:]  # [N, 1]
    worst = worst.clamp(min=torch.finfo(worst.dtype).min)  # not -inf: those are banned
    # By threshold and not by topk's indices: which of equal values topk returns is not defined.
    parent, token = torch.nonzero(allowed >= worst, as_tuple=True)
    return outputs.candidates(log_probs, parent, token).best_first()


def prune(candidates: Candidates, num_beams: int) -> tuple[Candidates, Candidates]:
    """What a beam keeps of the ranked continuations: those that end, and those that stay open.

    An EOS counts only among the first ``num_beams`` of a sentence. The first ``num_beams`` others
    stay open, so outputs that end do not make the beam narrower.
    """
    ends = candidates.token == EOS_ID
    ended = candidates.select(ends & (candidates.rank < num_beams))
    still_open = candidates.select(~ends)
    return ended, still_open.select(still_open.rank < num_beams)
