"""Sampling: outputs drawn token by token, from the model's distribution or a sharper one."""

from collections.abc import Sequence

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_positive
from seq2seq_lib.decoding.constraints import Constraints
from seq2seq_lib.decoding.greedy import one_token_each
from seq2seq_lib.decoding.outputs import Hypothesis
from seq2seq_lib.decoding.protocol import NEVER, DecodingModel
from seq2seq_lib.filters import apply_temperature, min_p_filter, top_k_filter, top_p_filter


def sample(
    model: DecodingModel,
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
        generator: on the CPU, where the draws are made: the same on every device, but not
            with every torch: 2.6 and 2.13 draw other tokens from one seed.
        Others as in ``greedy_search``.

    Returns:
        One list of ``num_samples`` hypotheses a sentence, sorted by log-probability.
    """
    check_positive(num_samples, "num_samples")
    constraints = Constraints(
        max_new_tokens, min_new_tokens, banned_ids, no_repeat_ngram_size, prefix
    )

    def choose(allowed: Tensor) -> Tensor:
        drawn_from = sampling_distribution(allowed, temperature, top_k, top_p, min_p)  # [N, V]
        probs = drawn_from.cpu().double().exp()
        return torch.multinomial(probs, 1, generator=generator).squeeze(1)

    # a bad temperature or filter is refused before the model runs
    sampling_distribution(torch.zeros(1, 4), temperature, top_k, top_p, min_p)
    return one_token_each(model, src, src_lengths, constraints, choose, copies=num_samples)


def sampling_distribution(
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
