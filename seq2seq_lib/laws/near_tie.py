"""Whether two outputs differ by more than rounding."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import returned
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, Layout

NEAR_TIE = 1e-4  # nats: a batch of another width moves log-probabilities by 1e-6


def near_tie(
    logits: Callable[[Batch], Tensor] | None,
    source: Batch,
    one: list[int],
    two: list[int],
    conventions: Conventions = DEFAULT,
) -> bool:
    """Whether rounding may choose between two outputs.

    They tie if their probabilities do, or those of the tokens where they part: the rest of a greedy
    output follows from there.

    Args:
        logits: ``(batch) -> [B, T, V]``, teacher forced; without it nothing ties.
        source: a batch of one, whose targets are replaced.
        one, two: outputs, ids without BOS.
    """
    if logits is None:
        return False
    try:
        return _tied(logits, source, one, two, conventions)
    except Exception:
        return False  # what is wrong with the logits is told where they are judged


def _tied(
    logits: Callable[[Batch], Tensor],
    source: Batch,
    one: list[int],
    two: list[int],
    conventions: Conventions,
) -> bool:
    totals, at_fork = [], []
    fork = next((t for t, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), None)
    for tokens in (one, two):
        if not tokens:
            return False
        target = torch.tensor([tokens], device=source.src.device)
        bos = torch.full_like(target[:, :1], conventions.bos_id)
        forced = replace(
            source,
            tgt_in=torch.cat([bos, target[:, :-1]], 1),
            tgt_out=target,
            tgt_lengths=torch.tensor([len(tokens)], device=source.src.device),
        )
        given = Layout(conventions, forced.src_lengths).batch(forced)
        scores = logits(given)
        if conventions.time_first:
            scores = returned.as_batch_first(scores)
        log_probs = (
            returned.logits_of(scores, 1, len(tokens))
            .detach()
            .log_softmax(-1)[0, torch.arange(len(tokens), device=target.device), target[0]]
        )
        totals.append(float(log_probs.sum()))
        at_fork.append(float(log_probs[fork]) if fork is not None else float("nan"))
    return abs(totals[0] - totals[1]) < NEAR_TIE or abs(at_fork[0] - at_fork[1]) < NEAR_TIE
