"""Do the decoder's inputs, the labels and the masks of a collator fit together?

The laws feed their own batches, so no law sees how a project makes its own. Here a collator gets
sentences, and what it makes of them is read back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.laws.calls import watched
from seq2seq_lib.laws.compare import ids
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, options
from seq2seq_lib.laws.returned import described
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict

LAW = "Collator and label shift"
NAMES = {
    "source": ("input_ids", "src", "source"),
    "mask": ("attention_mask", "src_mask"),
    "labels": ("labels", "tgt_out"),
    "inputs": ("decoder_input_ids", "tgt_in"),
}
EXPECTED = (
    "a dict or an object with input_ids (or src), labels (or tgt_out), and where they exist "
    "attention_mask (or src_mask) and decoder_input_ids (or tgt_in)"
)
LOST = "what becomes of a sentence: truncation, order, special ids put where words were"
NO_EOS = (
    "the end of the labels: each row needs one EOS that is scored, or nothing learns to stop. Was "
    "it ignored because PAD has the same id? Mask by length, not by labels == pad_id"
)
COUNTED = "the pads of the labels: they must be {ignore}, which the loss leaves out; PAD is not"
SHIFT = (
    "the shift: the decoder reads BOS (decoder_start_token_id) and then the labels without their "
    "last. Shifted twice? A model that shifts labels itself must be given them unshifted"
)
NOT_SHIFTED = (
    "the shift: labels and decoder inputs are the same row, so the labels are not shifted, and the "
    "model learns to copy the token it reads. The decoder reads BOS and then the labels without "
    "their last"
)
IGNORED = "the id that stands for 'ignore' in what the decoder reads: {ignore} has no embedding"
MASK = (
    "the mask: 1 (or True) at real tokens, EOS among them, 0 at pads, by length and not by id "
    "where PAD = EOS"
)
SENTENCES = (([5], [6, 7, 8]), ([6, 7, 8, 9], [9]), ([8, 5], [7, 6]))  # words, counted from 0


def label_shift(
    collate: Callable[[list[tuple[list[int], list[int]]]], Any],
    *,
    shift: Callable[[Tensor], Tensor] | None = None,
    ignore_id: int = -100,
    vocab_size: int = 16,
    conventions: Conventions = DEFAULT,
) -> Verdict:
    """Feed a collator three pairs of unlike lengths and read the batch back.

    Args:
        collate: ``([(source ids, target ids), ...]) -> batch``. The ids are words, without special
            ones; sources and labels may come back with EOS, and sources with anything in front.
        shift: ``(labels [B, T]) -> decoder input ids [B, T]``: the model's own, where the batch
            has none (``model.prepare_decoder_input_ids_from_labels``).
        ignore_id: what stands in labels at pads; PAD's id where the loss ignores that.
        vocab_size: words are below it.
        conventions: ids, and the side of the pads.
    """
    words = conventions.words(max(vocab_size, max(conventions.special) + 12))
    pairs = [([words[i] for i in s], [words[i] for i in t]) for s, t in SENTENCES]
    said = {f"labels are {ignore_id} at pads": ignore_id == -100}
    order = ("runs", "labels", "pads are", "decoder")
    trial = Trial(LAW, order=order, **options(conventions, **said))
    with trial.on_probes(collate, shift):
        batch = watched(trial, collate, "pairs")([(list(s), list(t)) for s, t in pairs])
        _judge(trial, batch, pairs, shift, ignore_id, conventions)
    return trial.verdict()


def _part(batch: Any, what: str) -> Tensor | None:
    for name in NAMES[what]:
        value = batch.get(name) if isinstance(batch, Mapping) else getattr(batch, name, None)
        if value is not None:
            return torch.as_tensor(value)
    return None


def _judge(
    trial: Trial,
    batch: Any,
    pairs: Sequence[tuple[list[int], list[int]]],
    shift: Callable | None,
    ignore: int,
    conventions: Conventions,
) -> None:
    source, labels, inputs = (_part(batch, what) for what in ("source", "labels", "inputs"))
    mask = _part(batch, "mask")
    if source is None or labels is None:
        raise AdapterError(f"collate returned {described(batch)}", EXPECTED)
    if inputs is None and shift is not None:
        inputs = shift(labels.clone())
    for row, (words, target) in enumerate(pairs):
        fed = f"sentence {row}, {ids(words)} -> {ids(target)}"
        read = source[row].tolist()
        place = next((i for i in range(len(read)) if read[i : i + len(words)] == words), None)
        text = f"{fed}: the source came back as {ids(read)}"
        found = trial.claim("sources are what they were", place is not None, counterexample=text,
                            look_at=LOST)  # fmt: skip
        if mask is not None and found:
            text = f"{fed}: ids {ids(read)} under the mask {ids([int(m) for m in mask[row]])}"
            good = _shows(mask[row].tolist(), read, place, len(words), conventions)
            trial.claim("the mask is that of the sources", good, counterexample=text, look_at=MASK)
        due = [*target, conventions.eos_id]
        came = labels[row].tolist()
        text = f"{fed}: labels {ids(came)}, but expected {ids(due)} and then {ignore}"
        claim = trial.claim
        read = None if inputs is None else inputs[row].tolist()
        same = read is not None and read[: len(target)] == came[: len(target)]
        shift_hint = NOT_SHIFTED if same else SHIFT
        good = came[: len(target)] == target
        claim("labels are the target", good, counterexample=text, look_at=shift_hint)
        if good:
            ended = came[len(target) : len(due)] == [conventions.eos_id]
            claim("labels end with EOS", ended, counterexample=text, look_at=NO_EOS)
            rest = all(token == ignore for token in came[len(due) :])
            look_at = COUNTED.format(ignore=ignore)
            claim("pads are no labels", rest, counterexample=text, look_at=look_at)
        if read is None:
            continue
        text = f"{fed}: decoder inputs {ids(read)} for labels {ids(came)}"
        look_at = IGNORED.format(ignore=ignore)
        claim("decoder inputs are ids", min(read) >= 0, counterexample=text, look_at=look_at)
        due = [conventions.bos_id, *target]
        text += f", but expected {ids(due)} and then pads"
        good = read[: len(due)] == due
        name = "decoder inputs = BOS and the labels"
        claim(name, good, counterexample=text, look_at=shift_hint)


def _shows(mask: list, read: list[int], place: int, count: int, conventions: Conventions) -> bool:
    """Whether a mask shows the words at ``place``, and no pads: one special id a side may stand."""
    real = [i for i, one in enumerate(mask) if one]
    if not real or real != list(range(real[0], real[-1] + 1)):
        return False
    if any(token != conventions.pad_id and not one for token, one in zip(read, mask, strict=True)):
        return False
    before, after = range(real[0], place), range(place + count, real[-1] + 1)
    if real[0] > place or real[-1] < place + count - 1 or max(len(before), len(after)) > 1:
        return False
    pad, bos, eos = conventions.pad_id, conventions.bos_id, conventions.eos_id
    return all(read[i] != pad or pad == bos for i in before) and all(
        read[i] != pad or pad == eos for i in after
    )
