"""The loss in law 1: it may not depend on the batch, and it must be that of the logits."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import batch_hints as hints
from seq2seq_lib.laws import loss_suspects, probes
from seq2seq_lib.laws.batch_subjects import read_logits
from seq2seq_lib.laws.calls import finite, watched
from seq2seq_lib.laws.compare import ids
from seq2seq_lib.laws.conventions import Conventions, Layout
from seq2seq_lib.laws.loss_reference import SMOOTHINGS, pad_of
from seq2seq_lib.laws.returned import is_bare, sum_of
from seq2seq_lib.laws.trial import Trial, in_words
from seq2seq_lib.laws.verdict import AdapterError
from seq2seq_lib.losses import sequence_loss

SUM = "a loss a token: (total, number of tokens), LossSum, or the mean over tokens"
BELONGS = (
    "which numbers go into the loss: it is not the summed NLL of these logits at tgt_out. It is "
    "none of the mistakes known here; labels over a prompt must be -100, one whole target must be "
    "shifted (the decoder reads target[:, :-1], the labels are target[:, 1:]), with label "
    "smoothing pass Conventions(label_smoothing=), and a loss with a further term (a KL, a "
    "coverage) is judged in a call of its own, without logits="
)
NO_GRADIENT = (
    "a loss with a graph, since parameters= were given: no torch.no_grad(), .item() or .detach() "
    "on its way"
)


@dataclass
class Loss:
    """``loss``, or the cross-entropy of ``logits``, as law 1 compares it."""

    trial: Trial
    call: Callable[[Batch], tuple[Tensor, int]]
    logits: Callable | None  # where loss was given too
    parameters: list[Tensor]
    conventions: Conventions
    bare: list[bool]  # whether the last loss was a number without a count
    can_be_judged: bool = True

    @classmethod
    def of(
        cls,
        trial: Trial,
        logits: Callable | None,
        loss: Callable | None,
        parameters: list[Tensor],
        conventions: Conventions,
    ) -> "Loss | None":
        """None if neither was given."""
        taught, bare = watched(trial, logits, "batch"), [False]
        if loss is not None:
            given = watched(trial, loss, "batch")

            def call(batch: Batch) -> tuple[Tensor, int]:
                layout = Layout(conventions, batch.src_lengths)
                result = given(layout.batch(batch))
                bare[:] = [is_bare(result)]
                return sum_of(result, batch.tgt_lengths.sum())
        elif logits is not None:

            def call(batch: Batch) -> tuple[Tensor, int]:
                result = read_logits(taught, batch, conventions)
                T = min(result.size(1), batch.tgt_out.size(1))
                mask, targets = batch.tgt_mask[:, :T], batch.tgt_out[:, :T]
                found = sequence_loss(result[:, :T], targets, mask)
                return found.total, int(found.tokens)
        else:
            return None
        both = taught if loss is not None else None
        return cls(trial, call, both, parameters, conventions, bare)

    def compare(self, judge: Any) -> None:
        """On one probe and its variants."""
        if not self.can_be_judged or self.trial.failed("summed loss", "the same batch again"):
            return
        batch = judge.batch
        fed = f"a batch of {len(batch)} targets with lengths {ids(batch.tgt_lengths)}"
        try:
            total, grads = self.measure([batch])
            self._is_no_sum(batch)
        except Exception as error:
            # logits that cannot be judged were reported already
            self.can_be_judged = False
            if self.logits is not None or not self.trial.failed("runs without an error, calling l"):
                self.trial.crashed(error, "calling loss on the first batch")
            return
        if not finite(self.trial, "summed loss", total, fed):
            return
        for name, batches, look_at in self.variants(judge):
            try:
                found, new_grads = self.measure(batches)
            except Exception as error:
                text = f"{fed}: {in_words(error)} ({name})"
                look_at = hints.RAISED.get(name, look_at)
                name = f"summed loss: {name}"
                self.trial.claim(name, False, counterexample=text, look_at=look_at)
                continue
            options = {"fed": fed, "look_at": look_at, "sides": (name, "in the batch")}
            check, limit = f"summed loss: {name}", judge.tolerance
            good = self.trial.equal(check, found, total, limit, **options)
            for i, (new, old) in enumerate(zip(new_grads, grads, strict=True)):
                options["fed"] = f"{fed}; gradient of parameter {i}, shape {list(old.shape)}"
                good &= self.trial.equal(f"gradient: {name}", new, old, limit, **options)
            if name == "the same batch again" and not good:
                return
        if self.logits is not None:
            self._belongs(judge, total, fed)

    def measure(self, batches: list[Batch]) -> tuple[Tensor, list[Tensor]]:
        """The summed loss of some batches, and its gradients."""
        total = sum(self.call(batch)[0] for batch in batches)
        if not self.parameters:
            return total, []
        if not total.requires_grad:
            raise AdapterError("the loss came without a graph", NO_GRADIENT)
        grads = torch.autograd.grad(total, self.parameters, allow_unused=True)
        pairs = zip(grads, self.parameters, strict=True)
        return total, [torch.zeros_like(p) if g is None else g for g, p in pairs]

    def variants(self, judge: Any) -> list[tuple[str, list[Batch], Any]]:
        batch, pad_id = judge.batch, self.conventions.pad_id
        every = list(range(len(batch)))

        def who() -> str:
            return hints.pads("summed loss", judge, lambda changed: self._moved(judge, changed))

        def planted() -> str:
            wider = self.trial.failed("summed loss", "more PAD columns")
            return who() if wider else f"{hints.PLANTED}. Or {hints.LABELS}"

        def alone() -> str:
            if self.trial.failed("summed loss", "more PAD columns"):
                return who()
            return hints.ALONE if self.trial.failed("logits", ": alone") else hints.ALONE_LOSS

        singles = [probes.take(batch, [row]) for row in every]
        found = [
            ("the same batch again", [batch], lambda: hints.noisy(judge.functions)),
            ("another order", [probes.take(batch, every[::-1], trim=False)], hints.ORDER),
            ("more PAD columns", [probes.widen(batch, pad_id=pad_id)], who),
            ("other ids at the pads", [probes.fill_pads(batch, judge.other)], planted),
            ("each sentence alone", singles, alone),
        ]
        skip = {
            "more PAD columns": self.conventions.trimmed,
            "other ids at the pads": not judge.plant,
        }
        return [variant for variant in found if not skip.get(variant[0])]

    def _moved(self, judge: Any, changed: Batch) -> bool:
        try:
            one, two = (float(self.call(b)[0].detach()) for b in (changed, judge.batch))
        except Exception:
            return True
        return not math.isclose(one, two, rel_tol=1e-4)

    def _is_no_sum(self, batch: Batch) -> None:
        """A bare number is taken as a mean over tokens. Does it add up as a sum does?"""
        if not self.bare[0]:
            return
        whole, *parts = (
            float(total.detach()) / max(1, count)
            for total, count in (
                self.call(b)
                for b in (batch, *(probes.take(batch, [row]) for row in range(len(batch))))
            )
        )
        if whole and math.isclose(whole, sum(parts), rel_tol=1e-4):
            raise AdapterError(
                "the loss came as one number that is a sum: those of the sentences alone add up "
                "to that of the batch",
                SUM,
            )

    def _belongs(self, judge: Any, total: Tensor, fed: str) -> None:
        try:
            logits = read_logits(self.logits, judge.batch, self.conventions).detach()
        except Exception:
            return  # it was reported with the logits
        batch = judge.batch
        T = min(logits.size(1), batch.tgt_out.size(1))
        logits, targets, mask = logits[:, :T], batch.tgt_out[:, :T], batch.tgt_mask[:, :T]
        expected = sequence_loss(logits, targets, mask).total
        if smoothing := self.conventions.label_smoothing:
            known = smoothed_totals(logits, targets, mask, smoothing).values()
            expected = min(known, key=lambda each: abs(float(each - total.detach())))
        self.trial.equal(
            "the loss is that of the logits",
            total.detach().to(expected),
            expected,
            judge.tolerance,
            fed=fed,
            look_at=lambda: self._which(float(total.detach()), logits, batch),
            sides=("loss", "summed NLL of logits at tgt_out"),
        )

    def _which(self, found: float, logits: Tensor, batch: Batch) -> str:
        named = which_loss(found, logits, batch)
        failed = self.trial.failed
        if named == BELONGS and failed("summed loss: more PAD") and not failed("logits: more PAD"):
            return hints.LABELS
        return named


def smoothed_totals(
    logits: Tensor, targets: Tensor, mask: Tensor, smoothing: float
) -> dict[str, Tensor]:
    """The summed loss under each published formula of label smoothing."""
    pad, inside = pad_of(targets, mask), targets.masked_fill(~mask, 0)
    each = {name: formula(logits, inside, smoothing, pad) for name, formula in SMOOTHINGS.items()}
    return {name: losses[mask].sum() for name, losses in each.items()}


def which_loss(found: float, logits: Tensor, batch: Batch) -> str:
    """Which known mistake gives this summed loss from these logits."""
    T = logits.size(1)
    mask, last = batch.tgt_mask[:, :T], logits.size(-1) - 1
    # an id above the vocabulary is no target: PAD, or a BOS that is never written
    tgt_in, tgt_out = batch.tgt_in[:, :T].clamp(max=last), batch.tgt_out[:, :T].clamp(max=last)
    tokens = int(mask.sum())
    nll = -logits.log_softmax(-1)

    def at(targets: Tensor, mask: Tensor, shift: int = 0) -> float:
        kept = nll[:, : T - shift]
        index = targets[:, shift:]
        chosen = kept.gather(-1, index[..., None])[..., 0]
        return float((chosen * mask[:, shift:]).sum())

    right = at(tgt_out, mask)
    shifted = at(tgt_out, mask, 1)
    to_mean = tokens / max(1, int(mask[:, 1:].sum()))
    before = F.pad(tgt_in, (0, 1))[:, 1:]
    everywhere = torch.ones_like(mask)
    suspects = {}
    for smoothing in (0.05, 0.1, 0.15, 0.2):
        totals = smoothed_totals(logits, tgt_out, mask, smoothing).values()
        name = f"smoothed by {smoothing}: pass Conventions(label_smoothing={smoothing})"
        suspects[name] = tuple(map(float, totals))
    suspects |= {
        "shifted twice: logits[:, :-1] against tgt_out[:, 1:], but tgt_out is shifted already (a "
        "model that shifts labels itself must be given them unshifted)": (
            shifted, shifted * to_mean,
        ),
        "taken at tgt_in, what the decoder reads, and not at tgt_out, what it must predict: the "
        "model learns to copy": (at(tgt_in, mask),),
        "taken at tgt_in shifted, which has no EOS: nothing learns to stop": (at(before, mask),),
        "counting the pads: labels there must be -100, or ignore_index=PAD": (
            at(tgt_out, everywhere),
            at(tgt_out, everywhere) / mask.numel() * tokens,
        ),
        "the sum over real tokens divided by B * T, which counts pads: divide by mask.sum(), the "
        "real tokens": (right / mask.numel() * tokens,),
        "a sum given as if it were a mean over tokens: return (total, tokens)": (right * tokens,),
        "a mean over sentences given as if it were one over tokens: return (total, tokens)": (
            right / len(batch) * tokens,
        ),
        "without EOS: the last real token of each row is not counted": (
            at(tgt_out, mask & F.pad(mask, (0, 1))[:, 1:]),
        ),
    }  # fmt: skip
    for name, values in suspects.items():
        if any(math.isclose(found, value, rel_tol=1e-5) for value in values):
            return f"the loss is {name}"
    for name, mean in loss_suspects.suspects(logits.double(), tgt_out, mask):
        if math.isclose(found, float(mean) * tokens, rel_tol=1e-5):
            return f"the loss is {name}"
    return BELONGS
