"""Law 1: a sentence alone = the same sentence in any padded batch, in any order.

Batching is a trick of the implementer, so it may change nothing: not the encoder's memory, its
final state, the logits, the loss, its gradient or the decoded output.

What is wrong in the same way in every batch is not seen here: the states of the wrong layer, say
(``h_n[:2]`` of a deep RNN that reads both ways). Law 2 sees that.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.near_tie import near_tie
from seq2seq_lib.laws.verdict import Trial, Verdict, ids
from seq2seq_lib.losses import sequence_loss

LAW = "Law 1, batch invariance"

REPEATED = (
    "the same call twice: dropout is on (call .eval()), or something is kept from call to call"
)
MATES = (
    "which axis is the batch: is batch_first missing somewhere, does a view or reshape join "
    "numbers of two sentences (h_n.view(B, -1)), does a softmax or a batch norm run over the batch?"
)
ORDER = "what is sorted by length and must be sorted back, in states and memory alike"
PADS = (
    "who reads the pads: an RNN that is not packed (its final state then lies after the pads, and "
    "a backward RNN starts in them), output[:, -1], attention or a mean without a mask"
)
PLANTED = (
    "the mask: only the ids at the pads were changed. If yours finds pads by their id "
    "(src != pad_id), which is sound, pass plant_at_pads=False"
)
ALONE = (
    "the checks of this verdict that fail beside this one: they tell mates, order and pads apart"
)


def batch_invariance(
    encode: Callable[[Tensor, Tensor], Any] | None = None,
    *,
    logits: Callable[[Batch], Tensor] | None = None,
    loss: Callable[[Batch], Any] | None = None,
    parameters: Iterable[Tensor] = (),
    decode: Callable[[Tensor, Tensor], Sequence[Any]] | None = None,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    plant_at_pads: bool = True,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Verdict:
    """Look for a sentence whose result depends on its batch.

    Give any of the callables; what is given is judged. Sources come as ids with EOS at the end,
    targets as in ``batching.Batch``.

    Args:
        encode: ``(src [B, S], src_lengths [B]) -> (memory [B, S, ...], final_state, ...)``. The
            state is a tensor or a nest of tensors, each ``[B, ...]``, or None; so may the memory
            be. What memory holds at pads is not looked at.
        logits: ``(batch) -> [B, T, V]``, teacher forced.
        loss: ``(batch) -> LossSum``, or ``(total, tokens)``, or a mean over tokens. When left out,
            the summed cross-entropy of ``logits``.
        parameters: leaves whose gradients of the loss are compared.
        decode: ``(src, src_lengths) -> B`` outputs: lists of ids or of hypotheses. With ``logits``
            given, two outputs that differ by a near tie (1e-4 nats) count as equal.
        src_vocab_size, tgt_vocab_size: ids fed are below them.
        plant_at_pads: also put other ids at pads, for code that gets its mask from lengths.
        tolerance: relative to ``max(1, largest number)``; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes.
    """
    trial = Trial(LAW)
    parameters = [p for p in parameters if p.requires_grad]
    with probes.undisturbed(encode, logits, loss, decode, seed=seed):
        try:
            for batch in probes.make_batches(src_vocab_size, tgt_vocab_size, seed, device):
                other = probes.noise(batch, src_vocab_size, tgt_vocab_size, seed + 100)
                variants = list(_variants(batch, other, plant_at_pads))
                if encode is not None:
                    look = lambda b: _encoded(encode, b)  # noqa: E731
                    _compare(trial, "encoder", look, batch, variants, tolerance)
                if logits is not None:
                    look = lambda b: _logits(logits, b)  # noqa: E731
                    _compare(trial, "logits", look, batch, variants, tolerance)
                total = loss or (logits and (lambda b: _cross_entropy(logits, b)))
                if total is not None:
                    _compare_loss(trial, total, parameters, batch, other, plant_at_pads, tolerance)
                if decode is not None:
                    _compare_decoded(trial, decode, logits, batch, variants)
        except _Noise:
            pass  # it would break all other checks too
        except Exception as error:
            trial.crashed(error, "while running it on the probes")
    return trial.verdict()


class _Noise(Exception):
    """The same call gave two results."""


Rows = list[dict[str, Tensor]]  # for each sentence what was found, pads cut off
Variant = tuple[str, Batch, list[int], str]  # name, batch, rows of the original, look at


def _variants(batch: Batch, other: Batch, plant: bool) -> Iterator[Variant]:
    every = list(range(len(batch)))
    yield "the same batch again", batch, every, REPEATED
    for row in every:
        alone = probes.row_mask(batch, row)[:, None]
        mates = replace(
            batch,
            src=torch.where(alone, batch.src, other.src),
            tgt_in=torch.where(alone, batch.tgt_in, other.tgt_in),
            tgt_out=torch.where(alone, batch.tgt_out, other.tgt_out),
        )
        mates = probes.fill_pads(mates, None)
        yield (
            "other sentences beside it",
            probes.take(mates, every, trim=False),
            [r if r == row else -1 for r in every],
            MATES,
        )
    turned = every[2:] + every[:2][::-1]  # no row stays where it was
    yield "another order", probes.take(batch, turned, trim=False), turned, ORDER
    yield "more PAD columns", probes.widen(batch), every, PADS
    if plant:
        yield "other ids at the pads", probes.fill_pads(batch, other), every, PLANTED
    for row in every:
        yield "alone", probes.take(batch, [row]), [row], ALONE


def _compare(
    trial: Trial,
    what: str,
    look: Callable[[Batch], Rows],
    batch: Batch,
    variants: list[Variant],
    tolerance: float | None,
) -> None:
    expected = look(batch)
    for name, variant, rows, look_at in variants:
        found = look(variant)
        for here, row in enumerate(rows):
            if row < 0:
                continue
            for part, value in expected[row].items():
                trial.equal(
                    f"{what}{part}: {name}",
                    found[here][part],
                    value,
                    tolerance,
                    fed=_describe(batch, row),
                    look_at=look_at,
                    sides=(name, "in the batch"),
                )
        if look_at == REPEATED and trial.broken():
            raise _Noise


def _describe(batch: Batch, row: int) -> str:
    B, S = batch.src.shape
    length = int(batch.src_lengths[row])
    return (
        f"sentence {row}, src {ids(batch.src[row, :length])}, length {length} in a batch of "
        f"{B} x {S}"
    )


def _encoded(encode: Callable, batch: Batch) -> Rows:
    memory, state = encode(batch.src, batch.src_lengths)[:2]
    B, S = batch.src.shape
    longest = int(batch.src_lengths.max())
    if memory is not None and (memory.dim() < 2 or memory.size(0) != B or memory.size(1) < longest):
        raise ValueError(
            f"encode returned memory {list(memory.shape)} for src [{B}, {S}], but it must be "
            f"[B, S, ...], batch first"
        )
    parts = list(_tensors(state))
    for part in parts:
        if part.dim() == 0 or part.size(0) != B:
            raise ValueError(
                f"encode returned a state {list(part.shape)} for src [{B}, {S}], but it must be "
                f"[B, ...], batch first: transpose torch's [layers, B, H]; and if no axis is {B}, "
                f"the RNN runs across the batch (batch_first)"
            )
    rows = []
    for b, length in enumerate(batch.src_lengths.tolist()):
        row = {f" final state {i}" if i else " final state": p[b] for i, p in enumerate(parts)}
        if memory is not None:
            row[" memory"] = memory[b, :length]
        rows.append(row)
    return rows


def _tensors(state: Any) -> Iterator[Tensor]:
    if isinstance(state, Tensor):
        yield state
    elif state is not None:
        for part in state:
            yield from _tensors(part)


def _logits(logits: Callable, batch: Batch) -> Rows:
    result = logits(batch)
    B, T = batch.tgt_out.shape
    if result.dim() != 3 or result.size(0) != B or result.size(1) < int(batch.tgt_lengths.max()):
        raise ValueError(f"logits must be [B, T, V] = [{B}, {T}, V], not {list(result.shape)}")
    return [{"": result[b, :n]} for b, n in enumerate(batch.tgt_lengths.tolist())]


def _cross_entropy(logits: Callable, batch: Batch) -> Any:
    result = logits(batch)
    mask = batch.tgt_mask[:, : result.size(1)]
    return sequence_loss(result, batch.tgt_out[:, : result.size(1)], mask)


def _compare_loss(
    trial: Trial,
    loss: Callable,
    parameters: list[Tensor],
    batch: Batch,
    other: Batch,
    plant: bool,
    tolerance: float | None,
) -> None:
    def measure(batches: list[Batch]) -> tuple[Tensor, list[Tensor]]:
        total = sum(probes.total_and_tokens(loss(b), b.tgt_lengths.sum())[0] for b in batches)
        if not parameters:
            return total, []
        grads = torch.autograd.grad(total, parameters, allow_unused=True)
        pairs = zip(grads, parameters, strict=True)
        return total, [torch.zeros_like(p) if g is None else g for g, p in pairs]

    every = list(range(len(batch)))
    variants = [
        ("the same batch again", [batch], REPEATED),
        ("another order", [probes.take(batch, every[::-1], trim=False)], ORDER),
        ("more PAD columns", [probes.widen(batch)], PADS),
        ("each sentence alone", [probes.take(batch, [row]) for row in every], ALONE),
    ]
    if plant:
        variants.insert(3, ("other ids at the pads", [probes.fill_pads(batch, other)], PLANTED))
    total, grads = measure([batch])
    fed = f"a batch of {len(batch)} targets with lengths {ids(batch.tgt_lengths)}"
    for name, batches, look_at in variants:
        new_total, new_grads = measure(batches)
        options = {"fed": fed, "look_at": look_at, "sides": (name, "in the batch")}
        trial.equal(f"summed loss: {name}", new_total, total, tolerance, **options)
        for i, (new, old) in enumerate(zip(new_grads, grads, strict=True)):
            options["fed"] = f"{fed}; gradient of parameter {i}, shape {list(old.shape)}"
            trial.equal(f"gradient: {name}", new, old, tolerance, **options)


def _compare_decoded(
    trial: Trial,
    decode: Callable,
    logits: Callable | None,
    batch: Batch,
    variants: list[Variant],
) -> None:
    expected = [probes.first_tokens(output) for output in decode(batch.src, batch.src_lengths)]
    for name, variant, rows, look_at in variants:
        outputs = decode(variant.src, variant.src_lengths)
        if len(outputs) != len(variant):
            raise ValueError(f"decode returned {len(outputs)} outputs for {len(variant)} sentences")
        for here, row in enumerate(rows):
            if row < 0:
                continue
            found, source = probes.first_tokens(outputs[here]), probes.take(batch, [row])
            same = found == expected[row] or near_tie(logits, source, found, expected[row])
            trial.claim(
                f"decoded output: {name}",
                same,
                counterexample=(
                    f"{_describe(batch, row)}: {ids(found)} ({name}) but {ids(expected[row])} "
                    f"(in the batch)"
                ),
                look_at=look_at,
            )
