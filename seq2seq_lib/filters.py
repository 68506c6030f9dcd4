"""Reshape next-token distributions: temperature, top-k, top-p, banned tokens, no repeats.

Log-probabilities ``[..., V]`` go in, log-probabilities ``[..., V]`` come out, in the same dtype and
on the same device; nothing is changed in place. The functions come in two kinds, and the
difference decides whether a score still means anything:

* ``apply_temperature``, ``top_k_filter``, ``top_p_filter`` and ``min_p_filter`` make a **new
  distribution** to sample from, so they **renormalise**: every row sums to one. They treat rows
  that do not (logits, or log-probabilities with banned tokens) as unnormalised, so they can be
  chained.
* ``ban_tokens`` and ``ban_repeated_ngrams`` only forbid: a banned entry becomes -inf and the others
  **keep the model's own log-probability**. A search that adds these up returns the true
  log-probability of what it found.

The order of ``decoding.sample``, and of Transformers: ban, temperature, top-k, top-p, min-p,
sample.

Half precision is computed in float32 inside, because exp and cumulative sums over a vocabulary
lose too much in 11 bits. -inf is an impossible token everywhere and stays impossible.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_number, check_positive, kind_of

# What a sum of V float32 probabilities may miss: a set whose mass reaches p up to this counts.
_ROUNDING = 1e-6


def apply_temperature(log_probs: Tensor, temperature: float) -> Tensor:
    """Sharpen (T < 1) or flatten (T > 1) a distribution: log_softmax(log_probs / T).

    Equation: q_i = p_i^(1/T) / sum_j p_j^(1/T)   (Hinton et al. 2015, equation 1). Dividing
    *probabilities* by T does nothing, as the normalisation cancels it; dividing *log*-probabilities
    does. T = 1 gives the distribution back, T -> 0 its argmax (ties share), T -> inf the uniform
    distribution over the tokens that are possible.

    Args:
        log_probs: float ``[..., V]``, normalised or not (logits give the same result).
        temperature: T, finite and > 0.

    Returns:
        normalised log-probabilities ``[..., V]``.

    Raises:
        ValueError: a temperature ≤ 0, NaN or infinite; NaN or +inf in log_probs, or a row in
            which every token is -inf.
        TypeError: log_probs that are not floating point.
    """
    why = "use greedy_search for the limit T -> 0"
    check_number(temperature, "temperature", "> 0 and finite", low=0, open_low=True, why=why)
    scores = _checked(log_probs)
    # The largest entry becomes 0 first. Then a tiny T cannot overflow all of them to -inf.
    scores = scores - scores.amax(dim=-1, keepdim=True)
    # In this dtype 1e-400 is 0 and 1e+400 is inf: either would make NaN out of 0/0 or inf/inf.
    limits = torch.finfo(scores.dtype)
    scores = scores / min(max(temperature, limits.tiny), limits.max)
    return scores.log_softmax(dim=-1).to(log_probs.dtype)


def top_k_filter(log_probs: Tensor, k: int) -> Tensor:
    """Keep the k most probable tokens and renormalise (Fan et al. 2018, "Hierarchical Neural Story
    Generation").

    **Ties:** exactly k tokens stay; of equally probable ones the lower id wins. So k = 1 is greedy
    search whatever the ties. (Hugging Face keeps every token tied with the k-th: k = 2 of five
    equal tokens keeps five.) k ≥ V keeps everything; impossible tokens never come back, so fewer
    than k stay when fewer than k are possible.

    Args:
        log_probs: float ``[..., V]``, normalised or not.
        k: how many to keep, ≥ 1.

    Returns:
        normalised log-probabilities ``[..., V]``, -inf where a token was dropped.

    Raises:
        ValueError: k < 1 and bad log_probs (see ``apply_temperature``).
        TypeError: a k that is not an int, or log_probs that are not floating point.
    """
    check_positive(k, "k", "k = 1 keeps the most probable token")
    scores = _checked(log_probs)
    ranking = scores.argsort(dim=-1, descending=True, stable=True)  # [..., V] ids, best first
    rank = ranking.argsort(dim=-1)  # [..., V] rank of each id: the inverse permutation
    return _keep_and_renormalise(scores, rank < k).to(log_probs.dtype)


def top_p_filter(log_probs: Tensor, p: float) -> Tensor:
    """Keep the smallest set of most probable tokens whose probability is ≥ p; renormalise.

    Nucleus sampling (Holtzman et al. 2020, equations 2 and 3): take tokens from the top until
    their probabilities sum to at least p. The token that crosses p **belongs to the set**, so at
    least one token always stays, however small p is. A sum that misses p by rounding alone
    (1e-6) has reached it: p = .8 keeps 2 of (.5, .3, .15, .05). Of equally probable tokens the
    lower id comes first. p = 1 keeps every token.

    Args:
        log_probs: float ``[..., V]``, normalised or not (p is a share of the row's own total).
        p: probability in (0, 1].

    Returns:
        normalised log-probabilities ``[..., V]``, -inf where a token was dropped.

    Raises:
        ValueError: p outside (0, 1], NaN, and bad log_probs (see ``apply_temperature``).
        TypeError: a p that is not a number, or log_probs that are not floating point.
    """
    why = "p = 1 keeps every token"
    check_number(p, "p", "in (0, 1]", low=0, high=1, open_low=True, open_high=False, why=why)
    scores = _checked(log_probs)
    if p == 1:  # summed probabilities may reach 1 before the last token
        return scores.log_softmax(dim=-1).to(log_probs.dtype)
    ranking = scores.argsort(dim=-1, descending=True, stable=True)  # [..., V] ids, best first
    probs = scores.softmax(dim=-1).gather(-1, ranking)  # [..., V] best first
    mass_before = probs.cumsum(dim=-1) - probs  # [..., V] of all better tokens; 0 for the best
    keep_ranked = mass_before < max(p - _ROUNDING, torch.finfo(scores.dtype).tiny)
    keep = keep_ranked.gather(-1, ranking.argsort(dim=-1))  # [..., V] back in the order of ids
    return _keep_and_renormalise(scores, keep).to(log_probs.dtype)


def min_p_filter(log_probs: Tensor, p: float) -> Tensor:
    """Keep the tokens that are at least p times as probable as the best one; renormalise.

    Min-p sampling (Nguyen et al. 2024, equation 1). The threshold follows the best token: where
    the model is sure few tokens stay, where it is not, many. The best token always stays, and of
    equally probable tokens all stay or none. A token that misses the threshold by rounding alone
    (a share of 1e-6) has reached it.

    Args:
        log_probs: float ``[..., V]``, normalised or not.
        p: share of the best token's probability, in [0, 1]; 0 keeps every token, 1 the best ones.

    Returns:
        normalised log-probabilities ``[..., V]``, -inf where a token was dropped.

    Raises:
        ValueError: p outside [0, 1], NaN, and bad log_probs (see ``apply_temperature``).
        TypeError: a p that is not a number, or log_probs that are not floating point.
    """
    why = "p = 0 keeps every token"
    check_number(p, "p", "in [0, 1]", low=0, high=1, open_high=False, why=why)
    scores = _checked(log_probs)
    if p == 0:
        return scores.log_softmax(dim=-1).to(log_probs.dtype)
    best = scores.amax(dim=-1, keepdim=True)  # [..., 1]
    threshold = best + math.log(p) - _ROUNDING  # a product of probabilities is a sum of logarithms
    return _keep_and_renormalise(scores, scores >= threshold).to(log_probs.dtype)


def ban_tokens(log_probs: Tensor, ids: Sequence[int] | Tensor) -> Tensor:
    """Forbid some tokens: -inf at their ids, every other score as it was (**not** renormalised).

    The scores stay the model's own log-probabilities, so a hypothesis found this way still has
    its true score. Banning all tokens is not an error here: the row is all -inf, and the next
    filter or the search says that nothing is left.

    Args:
        log_probs: float ``[..., V]``.
        ids: token ids, a sequence of ints or an int64 tensor ``[K]``; may be empty or repeat.

    Returns:
        ``[..., V]``, a new tensor.

    Raises:
        ValueError: an id outside 0 .. V-1, and NaN or +inf in log_probs.
        TypeError: ids that are not integers, or log_probs that are not floating point.
    """
    _checked(log_probs, empty_rows=True)
    banned = ids if isinstance(ids, Tensor) else torch.tensor(list(ids))
    if banned.numel() == 0:
        return log_probs.clone()
    if banned.dtype != torch.int64 or banned.dim() != 1:
        raise TypeError(
            "ids must be a flat sequence of ints or an int64 tensor [K], "
            f"but they are {banned.dtype} of shape {tuple(banned.shape)}"
        )
    banned = banned.to(log_probs.device)
    _check_ids("ids", banned, log_probs.shape[-1])
    return log_probs.index_fill(-1, banned, float("-inf"))


def ban_repeated_ngrams(log_probs: Tensor, prefixes: Tensor, n: int, *, pad_id: int = 0) -> Tensor:
    """Forbid every token that would complete an n-gram its prefix already holds.

    If the last n-1 tokens of a prefix occurred in it before, what followed them then is banned
    now (Paulus et al. 2018, section 2.5, with n = 3). n = 1 bans each token already used. **Not**
    renormalised: see ``ban_tokens``. PAD entries take no part, on whichever side they stand: they
    are skipped, so a padded row and the same row alone ban the same tokens.

    Args:
        log_probs: float ``[N, V]``, the scores of the next token.
        prefixes: int64 ``[N, T]``, the tokens so far; T may be 0. Put BOS there or not: with n > 1
            it only matters if BOS can be generated.
        n: length of the n-grams, ≥ 1.
        pad_id: the id to skip.

    Returns:
        ``[N, V]``, a new tensor, -inf where a token is banned.

    Raises:
        ValueError: n < 1, shapes that do not fit, prefix ids outside 0 .. V-1, and NaN or +inf in
            log_probs.
        TypeError: an n that is not an int, prefixes that are not int64, or log_probs that are not
            floating point.
    """
    check_positive(n, "n", "n = 1 bans every token that was used before")
    _checked(log_probs, empty_rows=True)
    if not isinstance(prefixes, Tensor) or prefixes.dtype != torch.int64:
        raise TypeError(f"prefixes must be an int64 tensor, but they are {kind_of(prefixes)}.")
    if log_probs.dim() != 2 or prefixes.dim() != 2 or len(log_probs) != len(prefixes):
        raise ValueError(
            "expected log_probs [N, V] and prefixes [N, T], but their shapes are "
            f"{tuple(log_probs.shape)} and {tuple(prefixes.shape)}"
        )
    N, V = log_probs.shape
    _check_ids("prefixes", prefixes, V)
    if prefixes.shape[1] < n:
        return log_probs.clone()

    # Pads move to the left, real tokens keep their order: now every row ends with its last token.
    order = (prefixes != pad_id).long().argsort(dim=1, stable=True)  # [N, T]
    tokens = prefixes.gather(1, order)  # [N, T]
    ngrams = tokens.unfold(1, n, 1)  # [N, T-n+1, n]
    context = tokens[:, tokens.shape[1] - (n - 1) :]  # [N, n-1]
    seen = (ngrams[..., :-1] == context[:, None]).all(dim=-1)  # [N, T-n+1]
    seen = seen & (ngrams != pad_id).all(dim=-1)  # an n-gram with a PAD in it is none
    counts = torch.zeros(N, V, dtype=torch.int64, device=log_probs.device)
    counts = counts.scatter_add(1, ngrams[..., -1], seen.long())  # [N, V]
    return log_probs.masked_fill(counts > 0, float("-inf"))


def _keep_and_renormalise(scores: Tensor, keep: Tensor) -> Tensor:
    """Log-probabilities ``[..., V]`` of the kept tokens alone; -inf for the others."""
    return scores.masked_fill(~keep, float("-inf")).log_softmax(dim=-1)


def _checked(log_probs: Tensor, *, empty_rows: bool = False) -> Tensor:
    """The scores in at least float32, or the error that says what is wrong with them."""
    if not isinstance(log_probs, Tensor) or not log_probs.is_floating_point():
        came = kind_of(log_probs)
        raise TypeError(f"log_probs must be a floating-point tensor [..., V], but they are {came}.")
    if log_probs.dim() == 0 or log_probs.shape[-1] == 0:
        raise ValueError(
            f"log_probs must have the vocabulary as last dimension, [..., V] with V ≥ 1, "
            f"but their shape is {tuple(log_probs.shape)}"
        )
    best = log_probs.detach().amax(dim=-1)  # [...]; NaN wins, so one look at it is enough
    if not best.isfinite().all():
        if best.isnan().any():
            raise ValueError("log_probs contain NaN: the model's output is broken upstream")
        if (best == float("inf")).any():
            raise ValueError("log_probs contain +inf: no probability has that logarithm")
        if not empty_rows:
            raise ValueError(
                "log_probs have a row in which every token is -inf: nothing is left to choose; "
                "were all tokens banned?"
            )
    return log_probs.float() if log_probs.dtype in (torch.float16, torch.bfloat16) else log_probs


def _check_ids(name: str, ids: Tensor, vocab_size: int) -> None:
    outside = (ids < 0) | (ids >= vocab_size)
    if outside.any():
        raise ValueError(
            f"{name} must be in 0 .. {vocab_size - 1} (the vocabulary has {vocab_size} tokens), "
            f"but one is {ids[outside][0].item()}"
        )
