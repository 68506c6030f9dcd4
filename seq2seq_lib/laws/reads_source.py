"""Does the decoder read its source? A question beside the seven laws.

A law says what must *not* change. A decoder that never looks at its source obeys laws 1 and 4
perfectly: its output depends on no neighbour, and is the same in one pass and step by step. So ask
also what *must* change: another source token moves the logits of its own row, and the encoder gets
a gradient.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.batch_subjects import read_logits
from seq2seq_lib.laws.calls import finite, watched
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, options
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict, ids

LAW = "Does it read its source"

BLIND = (
    "how the source gets to the decoder: a state that starts at zero, a context or cross-attention "
    "that was never passed on, a flag that switches it off"
)
ONE_TOKEN = (
    "what of the source is thrown away: only the last or the first token is read, the state is "
    "taken before the end, or a mask hides real tokens"
)
OTHER_ROW = (
    "which axis is the sentence: a view or reshape that mixes rows, a mean over the batch, rows "
    "that were sorted and not sorted back"
)
CUT = (
    "where the graph is cut: detach(), no_grad(), .data, item(), or parameters that are not used "
    "at all; and whether the optimiser knows them"
)
NOISE = "dropout that is on (call .eval()), or sampling: with noise nothing can be told to move"
MOVED = 1e-9  # of a logit around 1: any change of the source is larger, also after tanh


def reads_source(
    logits: Callable[[Batch], Tensor],
    *,
    parameters: Iterable[Tensor] = (),
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    conventions: Conventions = DEFAULT,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Change the source, one token at a time, and look whether its own row's logits move.

    Args:
        logits: ``(batch) -> [B, T, V]``, teacher forced.
        parameters: those of the encoder: each must get a gradient from the logits.
        src_vocab_size, tgt_vocab_size: ids fed are below them.
        conventions: ids, side of the pads, order, axes.
        seed, device: of the probes.

    Returns:
        A verdict as the laws give it. Other rows must stay as they are: a model that reads some
        other sentence is not reading its own. The last token of a row, its EOS, is not changed.
    """
    device = probes.device_of(logits) if device is None else device
    trial = Trial(LAW, **options(conventions))
    parameters = [p for _, p in probes.named(parameters)]
    words = conventions.words(src_vocab_size)
    call = watched(trial, logits, "batch")

    def real(batch: Batch) -> Tensor:
        return _real(call, batch, conventions)

    batches = probes.make_batches(src_vocab_size, tgt_vocab_size, seed, device, conventions)
    batches.append(probes.take(batches[0], probes.reordered(batches[0])))
    with trial.on_probes(logits, seed=seed):
        for batch in batches:
            before = real(batch)
            if not finite(trial, "logits", before, f"a batch of {len(batch)}"):
                break
            if not torch.equal(real(batch), before):
                text = "the same batch gives other logits in a second call"
                trial.claim("the same call twice", False, counterexample=text, look_at=NOISE)
                break
            _tokens(trial, real, batch, words, conventions.source_eos)
            if parameters:
                _gradients(trial, real, parameters, batch)
    return trial.verdict()


def _tokens(trial: Trial, real: Callable, batch: Batch, words: list[int], source_eos: bool) -> None:
    before = real(batch).detach()
    for row, length in enumerate(batch.src_lengths.tolist()):
        moved = []
        for t in range(length - source_eos):
            src = batch.src.clone()
            src[row, t] = words[(words.index(int(src[row, t])) + 1) % len(words)]
            after = real(replace(batch, src=src)).detach()
            moved.append(bool(((after[row] - before[row]).abs() > MOVED).any()))
            others = [b for b in range(len(batch)) if b != row]
            trial.equal(
                "other rows stay",
                after[others],
                before[others],
                fed=f"one token of sentence {row} was changed",
                look_at=OTHER_ROW,
                sides=("after", "before"),
            )
        if not moved:
            continue
        said = f"sentence {row}, src {ids(batch.src[row, :length])}"
        still = [t for t, one in enumerate(moved) if not one]
        trial.claim(
            "every source token moves its row",
            not still,
            counterexample=f"{said}: another token at position {ids(still)} changes no logit",
            look_at=BLIND if len(still) == len(moved) else ONE_TOKEN,
        )


def _real(call: Callable, batch: Batch, conventions: Conventions) -> Tensor:
    """Logits ``[B, T, V]`` with their graph, 0 at pads, where anything may stand."""
    result = read_logits(call, batch, conventions)
    B, T = batch.tgt_out.shape
    if result.size(1) != T:
        raise AdapterError(
            f"logits must be [B, T, V] = [{B}, {T}, V], not {list(result.shape)}",
            f"logits [{B}, {T}, V]",
        )
    return result.masked_fill(~batch.tgt_mask[..., None], 0)


def _gradients(trial: Trial, real: Callable, parameters: list[Tensor], batch: Batch) -> None:
    result = real(batch)
    weights = torch.linspace(-1, 1, result.numel(), device=result.device)  # none cancels out
    weights = weights.view_as(result).to(result)
    total = (result * weights)[batch.tgt_mask].sum()
    if total.requires_grad:
        grads = torch.autograd.grad(total, parameters, allow_unused=True)
    else:
        grads = [None] * len(parameters)
    cut = [i for i, g in enumerate(grads) if g is None or not bool((g != 0).any())]
    trial.claim(
        "the encoder gets gradients",
        not cut,
        counterexample=f"no gradient reaches parameters {ids(cut)} of {len(parameters)}",
        look_at=CUT,
    )
