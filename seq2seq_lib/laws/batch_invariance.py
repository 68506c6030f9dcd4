"""Law 1: a sentence alone = the same sentence in any padded batch, in any order.

Batching is a trick of the implementer, so it may change nothing: not the encoder's memory, its
final state, the logits, the loss, its gradient or the decoded output.

What is wrong in the same way in every batch is not seen here: the states of the wrong layer, say
(``h_n[:2]`` of a deep RNN that reads both ways). Law 2 sees that.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import batch_hints as hints
from seq2seq_lib.laws import probes, search_hints
from seq2seq_lib.laws.batch_loss import Loss
from seq2seq_lib.laws.batch_subjects import Rows, Subject, decoder, encoder, forced
from seq2seq_lib.laws.calls import finite
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, options
from seq2seq_lib.laws.near_tie import near_tie
from seq2seq_lib.laws.second_look import with_more_digits
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict, ids

LAW = "Law 1, batch invariance"
# of several broken checks the one that says most about the cause: noise first, then the encoder,
# and of the changes to a batch the one that leaves the fewest explanations
ORDER = (
    "runs without",
    *(f"{name}: the same batch again" for name in ("encoder", "logits", "summed loss", "decoded")),
    *("encoder", "logits", "the loss is that", "summed loss", "gradient", "decoded"),
)

BY_ID = "pads are found by their id: other ids at pads are read (plant_at_pads=True forbids)"


def batch_invariance(
    encode: Callable[[Tensor, Tensor], Any] | None = None,
    *,
    logits: Callable[[Batch], Any] | None = None,
    loss: Callable[[Batch], Any] | None = None,
    parameters: Iterable[Tensor] = (),
    decode: Callable[[Tensor, Tensor], Sequence[Any]] | None = None,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    plant_at_pads: bool | None = None,
    conventions: Conventions = DEFAULT,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Look for a sentence whose result depends on its batch.

    Give any of the callables; what is given is judged, each for itself: one that cannot be judged,
    or is broken, hides nothing of the others. Sources come as ids with EOS at the end, targets as
    in ``batching.Batch``, in the form that ``conventions`` says.

    Args:
        encode: ``(src [B, S], src_lengths [B]) -> (memory [B, S, ...], final_state, ...)``. The
            memory is a tensor or a nest of tensors, each ``[B, S, ...]``, the state such a nest of
            ``[B, ...]``; either may be None. Memory alone, or an object with
            ``last_hidden_state``, will do. What memory holds at pads is not looked at.
        logits: ``(batch) -> [B, T, V]``, teacher forced; also a tuple or an object that holds it.
        loss: ``(batch) -> LossSum``, or ``(total, tokens)``, or a mean over tokens, or an object
            with ``loss``. When left out, the summed cross-entropy of ``logits``. When both are
            given, the loss must be that of these logits and ``tgt_out``.
        parameters: leaves whose gradients of the loss are compared.
        decode: ``(src, src_lengths) -> B`` outputs: lists of ids or of hypotheses, or a tensor.
            They are compared up to their first EOS. With ``logits`` given, two outputs that differ
            by a near tie (1e-4 nats) count as equal.
        src_vocab_size, tgt_vocab_size: ids fed are below them.
        plant_at_pads: also put other ids at pads. Code that gets its mask from lengths may not
            notice, and with True it must not. Code that finds pads by their id (``src != pad_id``)
            is sound and does notice: pass False, or leave it out, and it is noted as assumed where
            nothing else depends on the pads.
        conventions: ids, side of the pads, order, axes.
        tolerance: relative to ``max(1, largest number)``; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes. The device is that of the modules that the callables show.
    """
    functions = (encode, logits, loss, decode)
    device = probes.device_of(*functions) if device is None else device
    plain = {"pads are found by their id (plant_at_pads=False)": plant_at_pads is not False}
    parameters = [p for _, p in probes.named(parameters)]
    sizes, plant = (src_vocab_size, tgt_vocab_size), plant_at_pads is not False
    batches = probes.make_batches(*sizes, seed, device, conventions)

    def judge() -> Verdict:
        trial = Trial(LAW, order=ORDER, **options(conventions, **plain))
        encoded = encode and encoder(trial, encode, conventions)
        taught = logits and forced(trial, logits, conventions)
        decoded = decode and decoder(trial, decode, conventions)
        summed = Loss.of(trial, logits, loss, parameters, conventions)
        with probes.undisturbed(*functions, seed=seed):
            for batch in batches:
                other = probes.noise(batch, *sizes, seed + 100, conventions)
                one = _Judge(trial, functions, conventions, batch, other, plant, tolerance)
                one.subject(encoded)
                one.subject(taught)
                if summed and not trial.failed("logits", "the same batch again"):
                    summed.compare(one)
                one.subject(decoded)
        if plant_at_pads is None:
            subjects = ("encoder", "logits", "summed loss", "gradient", "decoded")
            trial.forgive("other ids at the pads", subjects, BY_ID)
        return trial.verdict()

    if tolerance is not None:
        return judge()
    return with_more_digits(judge, functions, parameters)


class Variant(NamedTuple):
    """The sentences of a batch in another one.

    Attributes:
        name: what is different.
        rows: of each of its rows that is compared, the row of the original.
        look_at: a hint, or a function that finds one.
    """

    name: str
    batch: Batch
    rows: dict[int, int]
    look_at: Any


@dataclass(frozen=True)
class _Judge:
    """Compares subjects on one probe and its variants."""

    trial: Trial
    functions: tuple
    conventions: Conventions
    batch: Batch
    other: Batch
    plant: bool
    tolerance: float | None

    def subject(self, subject: Subject | None) -> None:
        """All variants of one subject. What raises on one of them alone is a counterexample."""
        if not subject or not subject.can_be_judged:
            return
        if self.trial.failed(subject.name, "the same batch again"):
            return  # it would break all other checks too
        try:
            expected = subject.look(self.batch)
        except Exception as error:
            subject.give_up(error)
            return
        for row, parts in enumerate(expected):
            for value in parts.values():
                if isinstance(value, Tensor) and not finite(
                    self.trial, subject.name, value, self.describe(row)
                ):
                    return
        for variant in self.variants(subject):
            if not self._variant(subject, expected, variant):
                return

    def _variant(self, subject: Subject, expected: Rows, variant: Variant) -> bool:
        """Whether to go on."""
        name, _, rows, look_at = variant
        try:
            found = subject.look(variant.batch)
            good = all(
                [
                    self._same(subject, part, found[here][part], value, name, row, look_at)
                    for here, row in rows.items()
                    for part, value in expected[row].items()
                ]
            )
        except AdapterError as error:
            subject.give_up(error)
            return False
        except Exception as error:
            said = self.describe(max(rows.values()))
            subject.raised(name, error, said, hints.RAISED.get(name, look_at))
            good = False
        return good or name != "the same batch again"

    def _same(self, subject, part, found, value, name, row, look_at) -> bool:
        check = f"{subject.name}{part}: {name}"
        if isinstance(value, Tensor):
            sides = (name, "in the batch")
            return self.trial.equal(
                check, found, value, self.tolerance,
                fed=self.describe(row), look_at=look_at, sides=sides,
            )  # fmt: skip
        logits = self.functions[1]
        alone = probes.take(self.batch, [row])
        same = found == value or near_tie(logits, alone, found, value, self.conventions)
        return self.trial.claim(
            check,
            same,
            counterexample=(
                f"{self.describe(row)}: {ids(found)} ({name}) but {ids(value)} (in the batch)"
            ),
            look_at=look_at,
        )

    def describe(self, row: int) -> str:
        B, S = self.batch.src.shape
        length = int(self.batch.src_lengths[row])
        return (
            f"sentence {row}, src {ids(self.batch.src[row, :length])}, length {length} in a batch "
            f"of {B} x {S}"
        )

    def variants(self, subject: Subject) -> Iterator[Variant]:
        """The same sentences in other batches, and what to look at if that matters."""
        batch, pad_id = self.batch, self.conventions.pad_id
        every = {row: row for row in range(len(batch))}
        again = "the same batch again"
        searches = subject.name == "decoded output" and not self.trial.failed("logits")
        mixed = search_hints.BATCH if searches else ""
        yield Variant(again, batch, every, lambda: hints.noisy(self.functions))
        for row in every:
            alone = probes.row_mask(batch, row)[:, None]
            mates = replace(
                batch,
                src=torch.where(alone, batch.src, self.other.src),
                tgt_in=torch.where(alone, batch.tgt_in, self.other.tgt_in),
                tgt_out=torch.where(alone, batch.tgt_out, self.other.tgt_out),
            )
            mates = probes.fill_pads(mates, None, pad_id)
            yield Variant("other sentences beside it", mates, {row: row}, mixed or hints.MATES)
        order = probes.reordered(batch)
        shuffled = probes.take(batch, order, trim=False)
        yield Variant("another order", shuffled, dict(enumerate(order)), mixed or hints.ORDER)
        if not self.conventions.trimmed:
            wider = probes.widen(batch, pad_id=pad_id)
            look_at = partial(self.who_reads_pads, subject)
            yield Variant("more PAD columns", wider, every, look_at)
        if self.plant:
            planted = probes.fill_pads(batch, self.other)
            look_at = partial(self.why_planted, subject)
            yield Variant("other ids at the pads", planted, every, look_at)
        for row in every:
            alone = probes.take(batch, [row])
            yield Variant("alone", alone, {0: row}, partial(self.why_alone, subject))

    def why_planted(self, subject: Subject) -> str:
        wider = self.trial.failed(subject.name, "more PAD columns")
        return self.who_reads_pads(subject) if wider else hints.PLANTED

    def why_alone(self, subject: Subject) -> str:
        wider = self.trial.failed(subject.name, "more PAD columns")
        if wider or subject.name == "encoder" or self.conventions.pad_side == "left":
            return self.who_reads_pads(subject)
        if subject.name == "logits" or self.trial.failed("logits"):
            return hints.ALONE
        return hints.SEARCH

    def who_reads_pads(self, subject: Subject) -> str:
        def moved(changed: Batch) -> bool:
            try:
                return subject.differs(subject.look(changed), subject.look(self.batch))
            except Exception:
                return True

        return hints.pads(subject.name, self, moved)
