"""Law 7: one large batch = accumulated micro-batches = several ranks.

How a batch is cut into pieces, for memory or for several machines, may change neither the loss nor
the gradient. It does as soon as means over pieces with unequal numbers of tokens are averaged.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.calls import finite, watched
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, Layout, options
from seq2seq_lib.laws.returned import as_tensor, described
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import (
    AdapterError,
    Verdict,
    default_tolerance,
    difference,
    ids,
)

LAW = "Law 7, shard invariance"
SHAPE = (7, 6, 5)  # B, S, T: seven sentences can be cut in several unequal ways
CUTS = {
    "one sentence, then six": ([0], [1, 2, 3, 4, 5, 6]),
    "two and five": ([2, 3], [0, 1, 4, 5, 6]),
    "three ranks": ([4, 1, 6], [0, 2], [5, 3]),
    "a sentence each": ([0], [1], [2], [3], [4], [5], [6]),
}

GENERAL = (
    "what is divided by what: add up the summed losses of all shards and divide once by the tokens "
    "of all shards (weights n_i / N are the same thing)"
)
LOOP = (
    "what is done for each shard and belongs behind the loop: clipping, unscaling, weight decay, "
    "optimizer.step()"
)
SOME = (
    "the gradients of these parameters alone, since those of all others are right: what is not "
    "accumulated or not synchronised, or is written by hand"
)
ROUNDED = (
    "the digits: all gradients are right to two of them. If the step computes in half precision "
    "(autocast), pass tolerance=2e-2, or judge it without"
)
SKIPPED = "which shards are passed over: alone, these give no gradient at all"
AGAIN = "dropout that is on (call .eval()), or .grad that piles up from call to call (zero_grad)"
PADS = (
    "the pads: with the width of the whole batch the same shards agree, so a sentence depends on "
    "how far its batch is padded. Law 1 (batch_invariance) says who reads the pads"
)
EXPECTED = "(loss a token, [gradient, ...]), the same parameters in every call"
EMPTY = "the shard without a real token: 0 tokens must add 0, not 0 / 0"


def shard_invariance(
    gradients: Callable[[list[Batch]], tuple[Any, Sequence[Tensor]]],
    *,
    empty_shard: bool = True,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    conventions: Conventions = DEFAULT,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Compare the update from one batch with the update from its pieces.

    Args:
        gradients: ``(shards) -> (loss, [gradient, ...])``, the loss a token and the gradients (of
            any parameters, always the same) of **one** update from a list of batches: the
            micro-batches of an accumulation window, or one batch a rank.
        empty_shard: also feed a shard whose targets are all pads (``tgt_lengths`` 0), as a rank
            may get at the end of an epoch.
        src_vocab_size, tgt_vocab_size: ids fed are below them.
        conventions: ids and side of the pads; each shard is laid out as it says.
        tolerance: relative to ``max(1, largest number)``; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes.
    """
    device = probes.device_of(gradients) if device is None else device
    said = {"no shard is of pads alone (empty_shard=False)": empty_shard}
    trial = Trial(LAW, **options(conventions, **said))
    sizes = src_vocab_size, tgt_vocab_size
    whole = probes.make_batch(SHAPE, *sizes, seed, device, conventions)
    given = watched(trial, gradients, "shards")

    def laid_out(shards: list[Batch]) -> Any:
        return given([Layout(conventions, s.src_lengths).batch(s) for s in shards])

    # what is fine with one batch, and is not with its pieces, is a counterexample
    with trial.on_probes(gradients, seed=seed, comparing=True):
        if _compare(trial, laid_out, "the same batch again", [whole], whole, tolerance):
            for name, cut in CUTS.items():
                for trim in (True, False):
                    shards = [probes.take(whole, rows, trim) for rows in cut]
                    _compare(trial, laid_out, f"cut: {name}", shards, whole, tolerance)
            if empty_shard:
                shards = [whole, _without_targets(whole, conventions.pad_id)]
                _compare(trial, laid_out, "a shard of pads", shards, whole, tolerance)
    return trial.verdict()


def _compare(
    trial: Trial,
    gradients: Callable,
    name: str,
    shards: list[Batch],
    whole: Batch,
    tolerance: float | None,
) -> bool:
    loss, grads = _call(gradients, [whole])
    for value in (loss, *grads):
        if not finite(trial, "loss and gradient of one batch", value, f"{len(whole)} sentences"):
            return False
    if not any(bool(grad.any()) for grad in grads):
        raise AdapterError(
            "every gradient of one batch is 0", f"{EXPECTED}, read before they are cleared"
        )
    new_loss, new_grads = _call(gradients, shards)
    tokens = [int(shard.tgt_lengths.sum()) for shard in shards]
    fed = f"{len(whole)} sentences in shards of {ids(tokens)} tokens"

    def look_at() -> str:
        if name == "a shard of pads":
            return EMPTY
        if _pads_matter(gradients, shards, whole):
            return f"{PADS}; if what it is divided by counts pads: {GENERAL}"
        return AGAIN if len(shards) == 1 else _explain(gradients, shards, new_grads, grads)

    options = {"look_at": look_at, "sides": ("from the shards", "from one batch")}
    good = trial.equal(f"loss, {name}", new_loss, loss, tolerance, fed=fed, **options)
    for i, (new, old) in enumerate(zip(new_grads, grads, strict=True)):
        named = f"{fed}; gradient {i}, shape {list(old.shape)}"
        good &= trial.equal(f"gradient, {name}", new, old, tolerance, fed=named, **options)
    return good


def _pads_matter(gradients: Callable, shards: list[Batch], whole: Batch) -> bool:
    """Whether the same shards would agree if they kept the width of the whole batch."""
    if len(shards) == 1 or all(s.tgt_in.size(1) == whole.tgt_in.size(1) for s in shards):
        return False
    wide = []
    for shard in shards:
        columns = [whole.src.size(1) - shard.src.size(1), whole.tgt_in.size(1)]
        columns[1] -= shard.tgt_in.size(1)
        pads = whole.tgt_out[~whole.tgt_mask]
        wide.append(probes.widen(shard, *columns, pad_id=int(pads[0])))
    (_, found), (_, due) = _call(gradients, wide), _call(gradients, [whole])
    return all(
        float(difference(f, d).max()) < default_tolerance(d.dtype)
        for f, d in zip(found, due, strict=True)
    )


def _call(gradients: Callable, shards: list[Batch]) -> tuple[Tensor, list[Tensor]]:
    result = gradients(shards)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise AdapterError(f"gradients returned {described(result)}", EXPECTED)
    loss, grads = result
    if grads is None or isinstance(grads, Tensor) or any(g is None for g in grads):
        raise AdapterError(
            f"the gradients came as {described(grads)}",
            f"{EXPECTED}; None stands for a parameter that nothing reaches: leave it out, or give "
            f"zeros",
        )
    # clones: many implementations hand out .grad itself, and overwrite it in the next call
    return as_tensor(loss).detach().clone(), [g.detach().clone() for g in grads]


def _explain(
    gradients: Callable, shards: list[Batch], found: list[Tensor], expected: list[Tensor]
) -> str:
    """Which wrong way of combining the shards gives the gradients that were found."""
    alone = [_call(gradients, [shard])[1] for shard in shards]
    stacked = [torch.stack(parts) for parts in zip(*alone, strict=True)]  # [shards, ...]
    suspects = {
        "it is the plain mean of the shards' own gradients: averaging averages weighs a token in a "
        "short shard more than one in a long shard": [s.mean(0) for s in stacked],
        "it is the sum of the shards' own mean gradients: nothing divides by the number of shards, "
        "let alone by the tokens (in transformers: num_items_in_batch does not reach the loss)": [
            s.sum(0) for s in stacked
        ],
        "it is the gradient of the last shard alone: the others were cleared (zero_grad inside the "
        "loop)": [s[-1] for s in stacked],
        "it is the gradient of the first shard alone": [s[0] for s in stacked],
        "it is divided by the number of shards once too often: ranks that average their gradients "
        "must multiply by the number of ranks first": [g / len(shards) for g in expected],
    }
    lost = [i for i, grads in enumerate(alone) if not any(bool(g.any()) for g in grads)]
    if lost:
        return f"{SKIPPED}. They are shards {ids(lost)}"
    for text, suspect in suspects.items():
        pairs = list(zip(found, suspect, strict=True))
        if all(f.shape == s.shape and float(difference(f, s).max()) < 1e-6 for f, s in pairs):
            return f"{text}; {GENERAL}"
    off = [
        float((f - e).abs().max() / e.abs().max().clamp(min=1e-12)) if f.shape == e.shape else 1.0
        for f, e in zip(found, expected, strict=True)
    ]
    if max(off) < default_tolerance(torch.bfloat16):
        return ROUNDED
    unlike = [i for i, size in enumerate(off) if size > 1e-4]
    if len(unlike) < len(off):
        return f"{SOME}. They are {ids(unlike)} of {len(off)}"
    for name, place in (("last", -1), ("first", 0)):
        if _factor(found, [s[place] for s in stacked]):
            return f"it is a multiple of the gradient of the {name} shard: the others are lost"
    factor = _factor(found, expected)
    if factor:
        return f"all of it is {factor:.3g} times what it must be, so it is the divisor; {GENERAL}"
    return f"{GENERAL}; or {LOOP}"


def _factor(found: list[Tensor], suspect: list[Tensor]) -> float:
    """By what all gradients are to be multiplied to be these, or 0 if by no one number."""
    one, two = (torch.cat([g.flatten().double() for g in grads]) for grads in (suspect, found))
    if one.shape != two.shape or not one.any():
        return 0.0
    factor = float(one @ two / (one @ one))
    return factor if float(difference(two, factor * one).max()) < 1e-5 else 0.0


def _without_targets(batch: Batch, pad_id: int) -> Batch:
    pads = torch.full_like(batch.tgt_in, pad_id)
    nothing = torch.zeros_like(batch.tgt_lengths)
    empty = replace(batch, tgt_in=pads, tgt_out=pads, tgt_lengths=nothing)
    return probes.take(empty, [0, 1], trim=False)
