"""Search: from a model that predicts one token to whole output sentences.

Everything here works on any object with the decoding protocol and asks nothing else of it:

    state            = model.start(src, src_lengths)       for a batch of sentences
    log_probs, state = model.step(tokens [N], state)        log_probs [N, V]
    state            = state.select(rows [N'])              keep, repeat or reorder rows

V is read from the log-probabilities. If the state has an attribute ``attention`` (``[N, S]``), the
hypotheses carry it. A ``torch.nn.Module`` is put into evaluation mode for the search and back.

A hypothesis scores ``log_prob / penalty(length)``, see ``length_penalty``. Search maximises the
score, so with a penalty of 0, the default, it looks for the most probable output.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from seq2seq_lib._arguments import check_choice, check_positive
from seq2seq_lib.filters import (
    apply_temperature,
    ban_repeated_ngrams,
    ban_tokens,
    top_k_filter,
    top_p_filter,
)
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

NEVER = (PAD_ID, BOS_ID)  # tokens that no output may hold
NINF = float("-inf")


class State(Protocol):
    """What ``start`` and ``step`` return."""

    def select(self, rows: Tensor) -> "State": ...


class Model(Protocol):
    """The decoding protocol."""

    def start(self, src: Tensor, src_lengths: Tensor) -> Any: ...

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]: ...


@dataclass(frozen=True)
class Hypothesis:
    """One output sentence.

    Attributes:
        tokens: ids without BOS; EOS is the last one if ``finished``.
        log_prob: log p(tokens | source) in nats, EOS scored: the sum of ``token_log_probs``.
        score: ``log_prob`` divided by the length penalty; what the search sorted by.
        token_log_probs: one number a token.
        attention: ``[len(tokens), S]`` if the model gives attention, else None.
        finished: whether it ended with EOS rather than at the maximal length.
    """

    tokens: list[int]
    log_prob: float
    score: float
    token_log_probs: list[float]
    attention: Tensor | None = field(default=None, compare=False, repr=False)
    finished: bool = True


def length_penalty(length: int, exponent: float, kind: str = "plain") -> float:
    """What a log-probability is divided by.

    ``"plain"``: length ** exponent. ``"gnmt"``: ((5 + length) / 6) ** exponent (Wu et al. 2016,
    eq. 14). An exponent **above 0 favours longer outputs**: log-probabilities are negative, so
    dividing by more brings them nearer to 0. The length counts EOS and not BOS.
    """
    check_choice(kind, ("plain", "gnmt"), "length_penalty_kind")
    base = float(length) if kind == "plain" else (5 + length) / 6
    return base**exponent


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
        banned_ids: never chosen. Bans leave the log-probabilities as the model gave them.
        no_repeat_ngram_size: no n-gram of this size occurs twice in an output.
        prefix: ids that every output must begin with; they are scored like all others.

    Returns:
        One list a sentence, with one ``Hypothesis``.

    Raises:
        ValueError: arguments out of range, or NaN from the model.
    """
    limits = _Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)
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
    generator: torch.Generator | None = None,
    min_new_tokens: int = 0,
    banned_ids: Sequence[int] = NEVER,
    no_repeat_ngram_size: int | None = None,
    prefix: Sequence[int] = (),
) -> list[list[Hypothesis]]:
    """Draw outputs token by token; first the temperature acts, then top-k, then top-p.

    ``log_prob`` stays the model's own, at temperature 1 and without filters, so that it can be
    compared with other searches.

    Args:
        num_samples: independent draws a sentence; two may be equal.
        temperature: > 0; below 1 sharpens, above 1 flattens.
        top_k, top_p: see ``filters``.
        generator: on the CPU, where the draws are made: the same on every device.
        Others as in ``greedy_search``.

    Returns:
        One list of ``num_samples`` hypotheses a sentence, sorted by log-probability.
    """
    check_positive(num_samples, "num_samples")
    limits = _Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)

    def reshape(log_probs: Tensor) -> Tensor:
        log_probs = apply_temperature(log_probs, temperature)
        if top_k is not None:
            log_probs = top_k_filter(log_probs, top_k)
        return log_probs if top_p is None else top_p_filter(log_probs, top_p)

    def choose(log_probs: Tensor) -> Tensor:
        probs = reshape(log_probs).exp().cpu()  # [N, V]
        return torch.multinomial(probs, 1, generator=generator).squeeze(1).to(log_probs.device)

    reshape(torch.zeros(1, 4))  # a bad temperature or filter is refused before the model runs
    found = _one_path(model, src, src_lengths, limits, choose, copies=num_samples)
    return [sorted(hyps, key=lambda h: -h.score) for hyps in found]


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

    Outputs that have not ended by then count too, as unfinished.

    Args:
        n_best: how many to return, best first; None for all.
        max_open: refuse a search that would hold more open outputs than this at once.
        Others as in ``beam_search``.
    """
    if n_best is not None:
        check_positive(n_best, "n_best")
    limits = _Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)
    score = _Score(length_penalty, length_penalty_kind)
    with _evaluation(model):
        results = []
        for row in range(_batch_size(src)):
            paths = _Paths.start(model, src[row : row + 1], src_lengths[row : row + 1], prefix)
            pool = _Pool(n_best)
            for new in range(max_new_tokens):
                log_probs = paths.step(model)  # [N, V]
                allowed = limits.apply(log_probs, paths.tokens, new)
                parent, token = torch.nonzero(allowed > NINF, as_tuple=True)  # every continuation
                if len(parent) > max_open:
                    raise ValueError(
                        f"exhaustive_search would hold {len(parent)} open outputs after {new + 1} "
                        f"tokens, more than max_open={max_open}: it grows as V^T; use beam_search."
                    )
                if len(parent) == 0:
                    break
                longer = paths.extend(parent, token, log_probs[parent, token])
                ended = token == EOS_ID
                for hypothesis in longer.at(ended).hypotheses(score, finished=True):
                    pool.add(hypothesis)
                paths = longer.at(~ended)
                if len(paths) == 0:
                    break
            for hypothesis in paths.hypotheses(score, finished=False):
                pool.add(hypothesis)
            results.append(pool.best)
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
    something to keep. With one beam this is greedy search; with as many beams as there are
    outputs it is exhaustive search.

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
        banned_ids: never chosen. Bans leave the log-probabilities as the model gave them.
        prefix: ids that every output must begin with; they are scored like all others.

    Returns:
        One list a sentence, sorted by score, best first.

    Raises:
        ValueError: arguments out of range, or NaN from the model.
    """
    check_positive(num_beams, "num_beams")
    check_positive(n_best, "n_best")
    if n_best > num_beams:
        raise ValueError(f"n_best must be ≤ num_beams, but {n_best} > {num_beams}.")
    limits = _Limits(max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix)
    score = _Score(length_penalty, length_penalty_kind)
    longest = len(prefix) + max_new_tokens
    with _evaluation(model):
        batch = _batch_size(src)
        pools = [_Pool(num_beams) for _ in range(batch)]
        sentences = list(range(batch))  # those still searched, in the order of the rows
        paths = _Paths.start(model, src, src_lengths, prefix)  # B x width rows; width is 1 at first
        for new in range(max_new_tokens):
            log_probs = paths.step(model)  # [B*w, V]
            allowed = limits.apply(log_probs, paths.tokens, new)
            parent, token, is_open = _rank(paths.total, allowed, len(sentences), num_beams)
            ended = (token == EOS_ID) & is_open  # [B, 2k] in rank order
            ended[:, num_beams:] = False  # an EOS counts only among the first k

            rows, ranks = torch.nonzero(ended, as_tuple=True)
            if len(rows):
                done = _continue(paths, log_probs, parent[rows, ranks], token[rows, ranks])
                for row, hypothesis in zip(
                    rows.tolist(), done.hypotheses(score, finished=True), strict=True
                ):
                    pools[sentences[row]].add(hypothesis)

            is_open &= token != EOS_ID
            best_first = torch.argsort(is_open, dim=1, descending=True, stable=True)
            width = min(num_beams, int(is_open.sum(1).max()))
            if width == 0:  # nothing can go on: what is open stays as it is
                _finish(paths, sentences, pools, score, skip=ended.any(1).tolist())
                sentences = []
                break
            keep = best_first[:, :width]  # [B, w]
            is_open = is_open.gather(1, keep)  # a sentence with few continuations has dead slots
            stuck = ~(is_open.any(1) | ended.any(1))
            if stuck.any():
                _finish(paths, sentences, pools, score, only=stuck.tolist())
            paths = _continue(
                paths, log_probs, parent.gather(1, keep).flatten(), token.gather(1, keep).flatten()
            )
            paths.total[~is_open.flatten()] = NINF

            best_open = paths.total.view(-1, width).amax(1).tolist()
            alive = [
                row
                for row, sentence in enumerate(sentences)
                if not _is_done(
                    pools[sentence], best_open[row], paths.length, longest, score,
                    num_beams if early_stopping else n_best, early_stopping,
                )
            ]  # fmt: skip
            if not alive:
                sentences = []
                break
            if len(alive) < len(sentences):
                rows = torch.tensor(alive, device=paths.tokens.device)[:, None] * width
                paths = paths.select(
                    (rows + torch.arange(width, device=rows.device)).flatten()  # [B', w] -> [B'*w]
                )
                sentences = [sentences[row] for row in alive]
        _finish(paths, sentences, pools, score)
    return [pool.best[:n_best] for pool in pools]


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
    score = _Score(length_penalty, length_penalty_kind)
    if len(outputs) != _batch_size(src):
        raise ValueError(f"outputs must have one list a sentence, {len(src)}, not {len(outputs)}.")
    with _evaluation(model):
        results = []
        for row, candidates in enumerate(outputs):
            one = slice(row, row + 1)
            results.append([])
            for tokens in candidates:
                if len(tokens) == 0:
                    raise ValueError(f"Sentence {row} has an empty output: not even EOS to score.")
                paths = _Paths.start(model, src[one], src_lengths[one], tokens)
                finished = tokens[-1] == EOS_ID
                results[row].extend(paths.hypotheses(score, finished=finished))
    return results


# ---------------------------------------------------------------------------------------------
# The parts. _Paths is a set of outputs that grow together; _Pool is what has been found.


@dataclass
class _Paths:
    """N outputs of one length, and the model's state after all but their last token."""

    tokens: Tensor  # [N, t] int64, without BOS
    token_log_probs: Tensor  # [N, t]
    total: Tensor  # [N], -inf in a dead slot
    attention: Tensor | None  # [N, t, S]
    state: Any
    last: Tensor  # [N], what the model reads next: BOS at first

    @classmethod
    def start(cls, model: Model, src: Tensor, src_lengths: Tensor, prefix: Sequence[int]):
        rows = len(src)
        if EOS_ID in prefix[:-1]:
            raise ValueError(f"EOS may only be the last token, but the tokens are {prefix}.")
        state = model.start(src, src_lengths)
        empty = torch.empty(rows, 0, dtype=torch.int64, device=src.device)
        bos = torch.full((rows,), BOS_ID, device=src.device)
        paths = cls(empty, empty.float(), torch.zeros(rows, device=src.device), None, state, bos)
        every = torch.arange(rows, device=src.device)
        for token in prefix:
            log_probs = paths.step(model)
            if not 0 <= token < log_probs.size(-1):
                raise ValueError(
                    f"Token ids must be in 0 .. {log_probs.size(-1) - 1}, but one is {token}."
                )
            forced = torch.full_like(bos, token)
            paths = paths.extend(every, forced, log_probs[:, token])
        return paths

    def __len__(self) -> int:
        return len(self.last)

    @property
    def length(self) -> int:
        return self.tokens.size(1)

    def step(self, model: Model) -> Tensor:
        """Let the model read the last tokens: log-probabilities ``[N, V]`` of the next."""
        log_probs, self.state = model.step(self.last, self.state)
        if log_probs.dim() != 2 or len(log_probs) != len(self) or log_probs.size(1) <= EOS_ID:
            raise ValueError(
                f"step must return log-probabilities [N, V] with N = {len(self)} and V > {EOS_ID}, "
                f"but their shape is {list(log_probs.shape)}."
            )
        if log_probs.isnan().any():
            raise ValueError("The model returned NaN as a log-probability: no search can rank it.")
        return log_probs

    def extend(self, parent: Tensor, token: Tensor, log_prob: Tensor) -> "_Paths":
        """The outputs ``parent`` [M], each with one token [M] more. Everything moves together."""
        attention = getattr(self.state, "attention", None)
        if attention is not None:
            attention = attention[parent].unsqueeze(1)  # [M, 1, S]
            if self.attention is not None:
                attention = torch.cat([self.attention[parent], attention], 1)  # [M, t+1, S]
        return _Paths(
            torch.cat([self.tokens[parent], token[:, None]], 1),
            torch.cat([self.token_log_probs[parent], log_prob[:, None]], 1),
            self.total[parent] + log_prob,
            attention,
            self.state.select(parent),
            token,
        )

    def select(self, rows: Tensor) -> "_Paths":
        return _Paths(
            self.tokens[rows],
            self.token_log_probs[rows],
            self.total[rows],
            None if self.attention is None else self.attention[rows],
            self.state.select(rows),
            self.last[rows],
        )

    def at(self, where: Tensor) -> "_Paths":
        return self.select(torch.nonzero(where).squeeze(1))

    def hypotheses(self, score: "_Score", finished: bool) -> Iterator[Hypothesis]:
        totals, tokens = self.total.tolist(), self.tokens.tolist()
        parts = self.token_log_probs.tolist()
        for i in range(len(self)):
            attention = None if self.attention is None else self.attention[i].clone()
            yield Hypothesis(
                tokens[i], totals[i], score(totals[i], self.length), parts[i], attention, finished
            )


class _Pool:
    """The best hypotheses so far, at most ``size``; of two equal ones the first stays in front."""

    def __init__(self, size: int | None) -> None:
        self.size, self.best = size, []

    def add(self, hypothesis: Hypothesis) -> None:
        self.best.append(hypothesis)
        self.best.sort(key=lambda h: -h.score)
        del self.best[self.size :]


@dataclass(frozen=True)
class _Score:
    exponent: float
    kind: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.exponent):
            raise ValueError(f"length_penalty must be finite, but it is {self.exponent}.")
        check_choice(self.kind, ("plain", "gnmt"), "length_penalty_kind")

    def __call__(self, log_prob: float, length: int) -> float:
        # an empty prefix with no possible continuation has length 0 and probability 1
        return log_prob / length_penalty(max(length, 1), self.exponent, self.kind)

    def bound(self, log_prob: float, length: int, longest: int) -> float:
        """The best score that an open output can still reach: the penalty is monotone in length."""
        return max(self(log_prob, length + 1), self(log_prob, longest))


@dataclass(frozen=True)
class _Limits:
    """Which continuations are allowed."""

    max_new_tokens: int
    min_new_tokens: int
    banned_ids: Sequence[int]
    no_repeat_ngram_size: int | None
    prefix: Sequence[int]

    def __post_init__(self) -> None:
        check_positive(self.max_new_tokens, "max_new_tokens")
        if EOS_ID in self.prefix:
            raise ValueError(f"prefix must not hold EOS ({EOS_ID}): nothing follows it.")
        if not 0 <= self.min_new_tokens <= self.max_new_tokens:
            raise ValueError(
                f"min_new_tokens must be in 0 .. max_new_tokens = {self.max_new_tokens}, but it is "
                f"{self.min_new_tokens}."
            )
        if self.no_repeat_ngram_size is not None:
            check_positive(self.no_repeat_ngram_size, "no_repeat_ngram_size")

    def apply(self, log_probs: Tensor, tokens: Tensor, new: int) -> Tensor:
        banned = list(self.banned_ids)
        if new < self.min_new_tokens:
            banned.append(EOS_ID)
        allowed = ban_tokens(log_probs, banned) if banned else log_probs
        if self.no_repeat_ngram_size is not None:
            allowed = ban_repeated_ngrams(allowed, tokens, self.no_repeat_ngram_size)
        return allowed


@contextlib.contextmanager
def _evaluation(model: Any) -> Iterator[None]:
    """No gradients, no dropout; the mode is put back afterwards."""
    training = isinstance(model, nn.Module) and model.training
    with torch.no_grad():
        if training:
            model.eval()
        try:
            yield
        finally:
            if training:
                model.train()


def _batch_size(src: Tensor) -> int:
    if len(src) == 0:
        raise ValueError("src has no rows: there is nothing to search for.")
    return len(src)


def _one_path(
    model: Model, src: Tensor, src_lengths: Tensor, limits: _Limits, choose, copies: int = 1
) -> list[list[Hypothesis]]:
    """Greedy search and sampling: every output grows by one chosen token until it ends."""
    score = _Score(0.0, "plain")
    with _evaluation(model):
        batch = _batch_size(src)
        found: list[list[Hypothesis]] = [[] for _ in range(batch)]
        paths = _Paths.start(model, src, src_lengths, limits.prefix)
        owners = torch.arange(batch, device=src.device).repeat_interleave(copies)
        paths = paths.select(owners) if copies > 1 else paths

        def harvest(where: Tensor, finished: bool) -> None:
            done = paths.at(where)
            for owner, hypothesis in zip(
                owners[where].tolist(), done.hypotheses(score, finished), strict=True
            ):
                found[owner].append(hypothesis)

        for new in range(limits.max_new_tokens):
            log_probs = paths.step(model)  # [N, V]
            allowed = limits.apply(log_probs, paths.tokens, new)
            stuck = (allowed == NINF).all(1)
            if stuck.any():  # every token is banned: the output stays as it is
                harvest(stuck, finished=False)
                go_on = torch.nonzero(~stuck).squeeze(1)
                paths, owners = paths.select(go_on), owners[go_on]
                log_probs, allowed = log_probs[go_on], allowed[go_on]
            if len(paths) == 0:
                break
            token = choose(allowed)  # [N]
            every = torch.arange(len(paths), device=src.device)
            paths = paths.extend(every, token, log_probs[every, token])
            ended = token == EOS_ID
            if ended.any():
                harvest(ended, finished=True)
                paths, owners = paths.at(~ended), owners[~ended]
            if len(paths) == 0:
                break
        if len(paths):
            harvest(torch.ones_like(owners, dtype=torch.bool), finished=False)
    return found


def _rank(total: Tensor, allowed: Tensor, batch: int, num_beams: int):
    """The best 2k continuations of each sentence, best first.

    2k are enough: each open output has one continuation that ends, so at least k do not.

    Returns:
        parent ``[B, 2k]`` (row in 0 .. B*w - 1), token ``[B, 2k]``, is_open ``[B, 2k]`` (False
        where there is no such continuation).
    """
    width, vocab_size = len(total) // batch, allowed.size(-1)
    candidates = (total[:, None] + allowed).view(batch, width * vocab_size)
    best, index = candidates.topk(min(2 * num_beams, width * vocab_size), dim=1)  # sorted
    first_row = torch.arange(batch, device=total.device)[:, None] * width
    return index // vocab_size + first_row, index % vocab_size, best > NINF


def _continue(paths: _Paths, log_probs: Tensor, parent: Tensor, token: Tensor) -> _Paths:
    return paths.extend(parent, token, log_probs[parent, token])


def _is_done(
    pool: _Pool, best_open: float, length: int, longest: int, score: _Score, enough: int, early: bool
) -> bool:
    if best_open == NINF:
        return True
    if len(pool.best) < enough:
        return False
    return early or pool.best[enough - 1].score >= score.bound(best_open, length, longest)


def _finish(paths: _Paths, sentences, pools, score: _Score, only=None, skip=None) -> None:
    """Let what is still open compete as unfinished."""
    if not sentences:
        return
    width = len(paths) // len(sentences)
    for i, hypothesis in enumerate(paths.hypotheses(score, finished=False)):
        row = i // width
        if hypothesis.log_prob == NINF or (only and not only[row]) or (skip and skip[row]):
            continue
        pools[sentences[row]].add(hypothesis)
