"""Search: from a model that predicts one token to whole output sentences.

Everything here works on any object with the decoding protocol and asks nothing else of it:

    state            = model.start(src, src_lengths)       for a batch of sentences
    log_probs, state = model.step(tokens [N], state)        log_probs [N, V]
    state            = state.select(rows [N'])              keep, repeat or reorder rows

V is read from the log-probabilities. If the state has an attribute ``attention`` (``[N, S]``), the
hypotheses carry it. A ``torch.nn.Module`` is put into evaluation mode for the search and back.

A hypothesis scores ``log_prob / penalty(length)``, see ``length_penalty``. Search maximises the
score, so with a penalty of 0, the default, it looks for the most probable output.

All searches have one shape: open outputs (``Paths``) grow by one token at a time until none is
left. They differ in the continuations that they keep: greedy search the best one, sampling a random
one, exhaustive search all, beam search the best ``num_beams``.
"""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, Protocol

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.filters import apply_temperature, min_p_filter, top_k_filter, top_p_filter
from seq2seq_lib.hypotheses import (
    NINF,
    Candidates,
    Hypothesis,
    Limits,
    Paths,
    Pool,
    Score,
    check_batch,
    check_token,
    is_stuck,
    length_penalty,
)
from seq2seq_lib.runtime import evaluation_mode
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

__all__ = [
    "Hypothesis",
    "Model",
    "State",
    "beam_search",
    "exhaustive_search",
    "expand",
    "greedy_search",
    "length_penalty",
    "prune",
    "rescore",
    "reshape",
    "sample",
]

NEVER = (PAD_ID, BOS_ID)  # tokens that no output may hold


class State(Protocol):
    """What ``start`` and ``step`` return."""

    def select(self, rows: Tensor) -> "State": ...


class Model(Protocol):
    """The decoding protocol."""

    def start(self, src: Tensor, src_lengths: Tensor) -> Any: ...

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...


def greedy_search(
    model: Model,
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
    limits = Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)
    return _one_path(model, src, src_lengths, limits, lambda log_probs: log_probs.argmax(-1))


def sample(
    model: Model,
    src: Tensor,
    src_lengths: Tensor,
    *,
    max_new_tokens: int,
    num_samples: int = 1,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    generator: torch.Generator | None = None,
    min_new_tokens: int = 0,
    banned_ids: Sequence[int] = NEVER,
    no_repeat_ngram_size: int | None = None,
    prefix: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """Draw outputs token by token; first the temperature acts, then top-k, top-p and min-p.

    ``log_prob`` stays the model's own, at temperature 1 and without filters, so that it can be
    compared with other searches.

    Args:
        num_samples: independent draws a sentence; two may be equal.
        temperature: > 0; below 1 sharpens, above 1 flattens.
        top_k, top_p, min_p: see ``filters``.
        generator: on the CPU, where the draws are made: the same on every device.
        Others as in ``greedy_search``.

    Returns:
        One list of ``num_samples`` hypotheses a sentence, sorted by log-probability.
    """
    check_positive(num_samples, "num_samples")
    limits = Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)

    def choose(log_probs: Tensor) -> Tensor:
        drawn_from = reshape(log_probs, temperature, top_k, top_p, min_p)  # [N, V]
        probs = drawn_from.cpu().double().exp()
        return torch.multinomial(probs, 1, generator=generator).squeeze(1)

    # a bad temperature or filter is refused before the model runs
    reshape(torch.zeros(1, 4), temperature, top_k, top_p, min_p)
    return _one_path(model, src, src_lengths, limits, choose, copies=num_samples)


def reshape(
    log_probs: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> Tensor:
    """What ``sample`` draws from: first the temperature acts, then top-k, top-p and min-p."""
    log_probs = apply_temperature(log_probs, temperature)
    if top_k is not None:
        log_probs = top_k_filter(log_probs, top_k)
    if top_p is not None:
        log_probs = top_p_filter(log_probs, top_p)
    return log_probs if min_p is None else min_p_filter(log_probs, min_p)


def exhaustive_search(
    model: Model,
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
    limits = Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)
    score = Score(length_penalty, length_penalty_kind)
    results = []
    with evaluation_mode(model):
        for row in range(len(src)):  # sentence by sentence: there is enough to hold
            one = slice(row, row + 1)
            paths = Paths.start(model, src[one], src_lengths[one], limits.prefix)
            found, dead_ends = Pool(1, n_best, score), Pool(1, n_best, score)
            for _ in range(max_new_tokens):
                log_probs, paths = paths.step(model)  # [N, V]
                allowed = limits.apply(log_probs, paths.tokens)
                parent, token = torch.nonzero(allowed > NINF, as_tuple=True)  # every continuation
                if len(parent) > max_open:
                    raise ValueError(
                        f"exhaustive_search would hold {len(parent)} outputs of length "
                        f"{paths.length + 1}, more than max_open = {max_open}: it grows as V^T; "
                        f"use beam_search."
                    )
                every = paths.candidates(log_probs, parent, token)
                ends = every.token == EOS_ID
                dead_ends.add(paths.at(is_stuck(allowed)), finished=False)
                found.add(paths.extend(every.at(ends)), finished=True)
                paths = paths.extend(every.at(~ends))
                if len(paths) == 0:
                    break
            found.add(paths, finished=False)
            results.append(found.best[0] or dead_ends.best[0])
    return results


def beam_search(
    model: Model,
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
    if n_best > num_beams:
        raise ValueError(f"n_best must be ≤ num_beams, but {n_best} > {num_beams}.")
    limits = Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)
    score = Score(length_penalty, length_penalty_kind)
    with evaluation_mode(model):
        paths = Paths.start(model, src, src_lengths, limits.prefix)  # one open output a sentence
        found = Pool(len(src), num_beams if early_stopping else n_best, score)
        dead_ends = Pool(len(src), n_best, score)
        for _ in range(max_new_tokens):
            log_probs, paths = paths.step(model)  # [N, V]
            allowed = limits.apply(log_probs, paths.tokens)
            ended, still_open = prune(expand(paths, log_probs, allowed, num_beams), num_beams)
            stuck = is_stuck(allowed)
            if stuck.any():
                dead_ends.add(paths.at(stuck), finished=False)
            if len(ended) > 0:
                found.add(paths.extend(ended), finished=True)
            paths = paths.extend(still_open)

            to_beat = found.worst()  # [B]
            if early_stopping:
                to_beat[to_beat > NINF] = float("inf")  # there are num_beams of them: enough
            # What cannot win goes, and with it all that would grow from it. Its place in the beam
            # goes to outputs that are less probable still, so no result changes.
            can_win = score.bound(paths.total, paths.length, limits.longest)
            hopeless = can_win < to_beat[paths.sentence]
            if hopeless.any():
                paths = paths.at(~hopeless)
            if len(paths) == 0:
                break
        found.add(paths, finished=False)
    return [
        (best or stuck)[:n_best] for best, stuck in zip(found.best, dead_ends.best, strict=True)
    ]


def expand(paths: Paths, log_probs: Tensor, allowed: Tensor, num_beams: int) -> Candidates:
    """The continuations that a beam of this width could keep, best first within each sentence.

    A beam keeps ``num_beams`` outputs that go on, so it cannot want more than ``num_beams + 1``
    continuations of one output: one of them may be EOS.

    Args:
        paths: N open outputs.
        log_probs: ``[N, V]``, the model's.
        allowed: ``[N, V]``, the same with -inf where a continuation is banned.
        num_beams: the width.
    """
    wanted = min(num_beams + 1, allowed.size(1))
    worst = allowed.topk(wanted, dim=1).values[:, -1:]  # [N, 1]
    worst = worst.clamp(min=torch.finfo(worst.dtype).min)  # not -inf: those are banned
    # By threshold and not by topk's indices: which of equal values topk returns is not defined.
    parent, token = torch.nonzero(allowed >= worst, as_tuple=True)
    return paths.candidates(log_probs, parent, token).best_first()


def prune(candidates: Candidates, num_beams: int) -> tuple[Candidates, Candidates]:
    """What a beam keeps of the ranked continuations: those that end, and those that stay open.

    An EOS counts only among the first ``num_beams`` of a sentence. The first ``num_beams`` others
    stay open, so outputs that end do not make the beam narrower.
    """
    ends = candidates.token == EOS_ID
    ended = candidates.at(ends & (candidates.rank < num_beams))
    still_open = candidates.at(~ends)
    return ended, still_open.at(still_open.rank < num_beams)


def rescore(
    model: Model,
    src: Tensor,
    src_lengths: Tensor,
    outputs: Sequence[Sequence[Sequence[int]]],
    *,
    length_penalty: float = 0.0,
    length_penalty_kind: str = "plain",
) -> list[list[Hypothesis]]:
    """Log-probabilities of given outputs, token by token: what a search should have returned.

    Args:
        outputs: for each sentence a list of outputs, each a non-empty list of ids without BOS.

    Returns:
        One list a sentence, in the given order.
    """
    score = Score(length_penalty, length_penalty_kind)
    check_batch(src, src_lengths)
    if len(outputs) != len(src):
        raise ValueError(f"outputs must have one list a sentence: {len(src)}, not {len(outputs)}.")
    if any(isinstance(tokens, int) for some in outputs for tokens in some):
        raise TypeError("outputs must hold a list of outputs a sentence: one more pair of [ ].")
    flat = [(row, list(tokens)) for row, some in enumerate(outputs) for tokens in some]
    for row, tokens in flat:
        if len(tokens) == 0:
            raise ValueError(f"Sentence {row} has an empty output: not even EOS to score.")
        if EOS_ID in tokens[:-1]:
            raise ValueError(f"EOS may only be the last token, but sentence {row} has {tokens}.")
    rescored: dict[int, Hypothesis] = {}
    with evaluation_mode(model):
        paths = Paths.start(model, src, src_lengths)
        paths = paths.at(torch.tensor([row for row, _ in flat], dtype=torch.int64))
        outputs_left = [(i, tokens) for i, (_, tokens) in enumerate(flat)]  # one a path
        while outputs_left:
            log_probs, paths = paths.step(model)  # [N, V]
            given = [tokens[paths.length] for _, tokens in outputs_left]
            for token in given:
                check_token(token, log_probs.size(1), "outputs")
            every = torch.arange(len(paths))
            paths = paths.extend(paths.candidates(log_probs, every, torch.tensor(given)))
            goes_on = [len(tokens) > paths.length for _, tokens in outputs_left]
            for row, (i, tokens) in enumerate(outputs_left):
                if not goes_on[row]:
                    finished = tokens[-1] == EOS_ID
                    rescored[i] = paths.hypothesis(row, score, finished=finished)
            outputs_left = list(compress(outputs_left, goes_on))
            paths = paths.at(torch.tensor(goes_on))
    results: list[list[Hypothesis]] = [[] for _ in outputs]
    for i, (row, _) in enumerate(flat):
        results[row].append(rescored[i])
    return results


def _one_path(
    model: Model,
    src: Tensor,
    src_lengths: Tensor,
    limits: Limits,
    choose: Callable[[Tensor], Tensor],
    copies: int = 1,
) -> list[list[Hypothesis]]:
    """Greedy search and sampling: every output grows by one chosen token until it ends."""
    with evaluation_mode(model):
        paths = Paths.start(model, src, src_lengths, limits.prefix)
        paths = paths.at(torch.arange(len(src)).repeat_interleave(copies))
        found = Pool(len(src), copies, Score(0.0, "plain"))
        for _ in range(limits.max_new_tokens):
            log_probs, paths = paths.step(model)  # [N, V]
            allowed = limits.apply(log_probs, paths.tokens)
            stuck = is_stuck(allowed)
            found.add(paths.at(stuck), finished=False)
            parent = torch.nonzero(~stuck).squeeze(1)  # [N']
            if len(parent) == 0:
                return found.best
            token = choose(allowed[parent.to(allowed.device)])
            chosen = paths.candidates(log_probs, parent, token)
            ends = chosen.token == EOS_ID
            found.add(paths.extend(chosen.at(ends)), finished=True)
            paths = paths.extend(chosen.at(~ends))
            if len(paths) == 0:
                break
        found.add(paths, finished=False)
    return found.best
