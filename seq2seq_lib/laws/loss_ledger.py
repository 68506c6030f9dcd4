"""Law 3, the loss ledger: the loss is the summed NLL of the real tokens, over their number.

Masked losses are where published code is wrong most often, and no training curve shows it. So the
number is compared with four ways of writing it down, and pads are changed to see who notices.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_choice
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.conventions import DEFAULT, Conventions
from seq2seq_lib.laws.loss_judge import EDGES, SHAPES, Judge, Loss, call_of, example_of
from seq2seq_lib.laws.loss_reference import PER, Example, Reference, smoothed
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import Verdict, default_tolerance

LAW = "Law 3, the loss ledger"


def loss_ledger(
    loss: Loss,
    *,
    epoch: Callable[[list[Example]], Any] | None = None,
    gradients: bool = True,
    label_smoothing: float = 0.0,
    per: str = "token",
    expected: Callable[[Tensor, Tensor], Tensor] | None = None,
    empty_batch: bool = True,
    conventions: Conventions = DEFAULT,
    dtype: torch.dtype = torch.float32,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Compare a masked loss with what it should be, and see what moves it.

    Args:
        loss: ``(logits [B, T, V], targets int64 [B, T], mask bool [B, T]) -> loss``. The mask is
            True at real tokens; lengths are ``mask.sum(1)``. It returns ``LossSum``, or
            ``(total, tokens)``, or a mean over tokens. Give ``lambda z, y, m: mine(z, y)`` if it
            finds pads by their id: targets are 0 there, and nowhere else.
        epoch: ``([(logits, targets, mask), ...]) -> number``: the loss of an epoch from its
            batches. When left out and ``loss`` returns sums, these are added up.
        gradients: also compare the gradient with respect to the logits.
        label_smoothing: ε, if it smooths. Four published formulas are known; the verdict says
            which one it found.
        per: what the sum is divided by: ``"token"``, ``"sentence"`` (the number of sentences), or
            ``"sentence_mean"`` (each sentence by its own length, then by the sentences). Counts
            that it returns are those of tokens, or of sentences.
        expected: ``(logits, targets) -> [B, T]``, the loss of each token, in place of the NLL.
        empty_batch: whether a batch of pads alone must give 0, and gradients of 0, or a
            ``ValueError``. torch's mean gives NaN: pass False if no batch is ever empty.
        conventions: only the ids are used: PAD at pads, EOS as the last real target.
        dtype: of the logits.
        tolerance: relative to ``max(1, largest number)``; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes.
    """
    device = probes.device_of(loss, epoch) if device is None else device
    tolerance = default_tolerance(dtype) if tolerance is None else tolerance
    check_choice(per, PER, "per")
    examples = [
        example_of(shape, seed + i, dtype, device, conventions) for i, shape in enumerate(SHAPES)
    ]
    edges = [
        example_of(shape, seed + 20 + i, dtype, device, conventions)
        for i, shape in enumerate(EDGES)
    ]
    with probes.undisturbed(loss, epoch, seed=seed):
        reference = Reference(per, expected, "yours" if expected else "NLL")
        if label_smoothing and expected is None:
            measure = lambda e: float(call_of(loss, e, reference)[0].detach())  # noqa: E731
            reference = smoothed(label_smoothing, per, measure, examples[0])
    said = reference.said()
    if not empty_batch:
        said += ("no batch is of pads alone (empty_batch=False)",)
    if conventions != DEFAULT:
        said += conventions.said()[:1]
    trial = Trial(LAW, assumed=said or ("a mean over tokens",), default=not said)
    judge = Judge(trial, loss, reference, tolerance, gradients)
    with trial.on_probes(loss, epoch, seed=seed, comparing=True):
        if not judge.same_twice(examples[0]):
            return trial.verdict()
        for example in examples:
            judge.check_value(example)
            judge.check_pads(example)
            if gradients:
                judge.check_gradient(example)
        judge.check_huge(dtype, device, conventions)
        judge.check_epoch(epoch, dtype, device, seed, conventions)
        if empty_batch:
            judge.check_all_pads(examples[0], conventions.pad_id)
        for example in edges:
            judge.check_edge(example)
    return trial.verdict()
