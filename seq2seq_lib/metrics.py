"""Measure translations and predictions: BLEU, chrF, exact match, token accuracy, perplexity.

BLEU and chrF are written in the package ``_bleu``; this is where to import them from.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq_lib._arguments import is_number, kind_of
from seq2seq_lib._bleu import (
    BleuScore,
    ChrfScore,
    bleu_from_scratch,
    bleu_of,
    bleu_statistics,
    bootstrap_interval,
    brevity_penalty,
    chrf,
    closest_length,
    corpus_bleu,
    count_ngrams,
)

__all__ = [
    "BleuScore",
    "ChrfScore",
    "bleu_from_scratch",
    "bleu_of",
    "bleu_statistics",
    "bootstrap_interval",
    "brevity_penalty",
    "chrf",
    "closest_length",
    "corpus_bleu",
    "count_ngrams",
    "exact_match",
    "perplexity",
    "token_accuracy",
]


def exact_match(predictions: Sequence, targets: Sequence) -> float:
    """The share of predictions that equal their target, in 0 .. 1.

    Args:
        predictions, targets: equally many (at least one) strings, or sequences of tokens or ids.
            A list and a tuple of the same tokens are equal. Cut EOS and PAD off first, or leave
            them in both: nothing is stripped here.

    Raises:
        ValueError: an empty corpus or different numbers.
        TypeError: a bare string or a tensor in place of a list, or a string compared with a list of
            tokens.
    """
    for name, items in (("predictions", predictions), ("targets", targets)):
        if isinstance(items, str | Tensor):
            raise TypeError(f"{name} must be a list of sequences, but it is a {kind_of(items)}")
    if len(predictions) != len(targets):
        raise ValueError(
            f"predictions and targets must be equally many, but they are "
            f"{len(predictions)} and {len(targets)}"
        )
    if len(predictions) == 0:
        raise ValueError("predictions are empty: exact match of nothing is undefined")
    hits = 0
    for i, (prediction, target) in enumerate(zip(predictions, targets, strict=True)):
        if isinstance(prediction, Tensor) or isinstance(target, Tensor):
            raise TypeError(f"sentence {i} is a tensor: turn it into a list first, x.tolist()")
        if isinstance(prediction, str) != isinstance(target, str):
            raise TypeError(
                f"sentence {i} compares a {kind_of(prediction)} with a {kind_of(target)}: "
                "they would never be equal"
            )
        hits += tuple(prediction) == tuple(target)
    return hits / len(predictions)


def token_accuracy(predictions: Tensor, targets: Tensor, mask: Tensor) -> float:
    """The share of real tokens that were predicted, in 0 .. 1: sum(hit * mask) / sum(mask).

    Measured with teacher forcing it flatters a model, which saw the right prefix at each step;
    see ``exact_match`` for what cannot be flattered.

    Args:
        predictions: int64 ids ``[B, T]``, or float logits (or log-probabilities) ``[B, T, V]``, of
            which the argmax counts.
        targets: int64 ``[B, T]``.
        mask: bool ``[B, T]``, True = real token.

    Raises:
        ValueError: shapes that do not fit, a mask without a real token, NaN logits.
        TypeError: a wrong dtype.
    """
    for name, tensor, dtype in (("targets", targets, torch.int64), ("mask", mask, torch.bool)):
        if not isinstance(tensor, Tensor) or tensor.dtype != dtype:
            raise TypeError(f"{name} must be a tensor of {dtype}, but it is {kind_of(tensor)}")
    if not isinstance(predictions, Tensor):
        raise TypeError(f"predictions must be a tensor, but they are {kind_of(predictions)}")
    if predictions.dim() == 3 and predictions.is_floating_point():
        if predictions.isnan().any():
            raise ValueError("predictions contain NaN: an argmax of NaN is no prediction")
        predictions = predictions.argmax(dim=-1)  # [B, T, V] -> [B, T]
    elif predictions.dim() != 2 or predictions.dtype != torch.int64:
        raise TypeError(
            "predictions must be int64 ids [B, T] or float logits [B, T, V], "
            f"but they are {predictions.dtype} {tuple(predictions.shape)}"
        )
    # Compared without broadcasting: [B, 1] against [B] would count each sentence B times.
    if not predictions.shape == targets.shape == mask.shape:
        raise ValueError(
            "predictions, targets and mask must all be [B, T], but they are "
            f"{tuple(predictions.shape)}, {tuple(targets.shape)} and {tuple(mask.shape)}"
        )
    tokens = int(mask.sum())
    if tokens == 0:
        raise ValueError("mask has no real token: the accuracy of no tokens is undefined")
    hits = (predictions == targets) & mask  # [B, T]
    return int(hits.sum()) / tokens


def perplexity(total_nll: float | Tensor, total_tokens: float | Tensor) -> float:
    """exp(summed negative log-likelihood / number of tokens), in 1 .. inf.

    Sum both over the *whole* data set first: the mean of batch perplexities is another number,
    and so is exp of the mean of batch means. V for a uniform model, 1 for a perfect one, inf when
    it is too large for a float.

    Args:
        total_nll: summed NLL in nats, ≥ 0; a number or a tensor with one element.
        total_tokens: how many tokens were summed over, > 0; same types.

    Raises:
        ValueError: a negative or NaN NLL, and a number of tokens that is not positive and finite.
        TypeError: anything but a number or a tensor with one element.
    """
    nll = _as_float("total_nll", total_nll)
    tokens = _as_float("total_tokens", total_tokens)
    if not nll >= 0:  # also refuses NaN
        raise ValueError(
            f"total_nll must be ≥ 0, but it is {nll}: a sum of -log p is never negative; "
            "were softmax outputs fed to NLLLoss?"
        )
    if not 0 < tokens < math.inf:
        raise ValueError(f"total_tokens must be > 0 and finite, but it is {tokens}")
    try:
        return math.exp(nll / tokens)
    except OverflowError:
        return math.inf


def _as_float(name: str, value: float | Tensor) -> float:
    if isinstance(value, Tensor) and value.numel() == 1:
        return float(value.detach())
    if not is_number(value):
        raise TypeError(
            f"{name} must be a number or a tensor with one element, but it is {kind_of(value)}"
        )
    return float(value)
