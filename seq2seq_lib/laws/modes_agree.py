"""Training mode = evaluation mode, dropout apart. A question beside the laws.

A model is trained in one mode and judged in the other. Apart from dropout (and a batch norm, whose
statistics differ on purpose) they should be one function: a causal mask that is built only in
training lets the validation loss read the answer.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.batch_subjects import read_logits
from seq2seq_lib.laws.calls import watched
from seq2seq_lib.laws.compare import ids
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, options
from seq2seq_lib.laws.trial import Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict

LAW = "Training mode = evaluation mode"
BRANCH = (
    "what asks self.training: a causal mask, a cache or teacher forcing in one of the modes alone; "
    "run law 4 in both"
)
NORM = "the batch norm, whose statistics differ between the modes on purpose; or: " + BRANCH


def modes_agree(
    logits: Callable[[Batch], Tensor],
    model: nn.Module,
    *,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    conventions: Conventions = DEFAULT,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> Verdict:
    """Compare the logits of ``model.train()`` and ``model.eval()`` with every dropout at 0.

    Args:
        logits: ``(batch) -> [B, T, V]``, teacher forced, computed by ``model``.
        model: the module that is switched; it gets its modes and dropouts back.
        src_vocab_size, tgt_vocab_size, conventions, tolerance, seed, device: as in law 4.
    """
    device = probes.device_of(model) if device is None else device
    trial = Trial(LAW, **options(conventions))
    batches = probes.make_batches(src_vocab_size, tgt_vocab_size, seed, device, conventions)
    call = watched(trial, logits, "batch")
    with trial.on_probes(logits, model, seed=seed), without_dropout(model):
        for batch in batches:
            model.eval()
            evaluated = read_logits(call, batch, conventions).detach()
            model.train()
            trained = read_logits(call, batch, conventions).detach()
            again = read_logits(call, batch, conventions).detach()
            if not torch.equal(trained[batch.tgt_mask], again[batch.tgt_mask]):
                raise AdapterError(
                    "two calls in training mode gave two results",
                    "dropout as nn.Dropout or as a number on a module, so that it can be set "
                    "to 0; or teacher_forcing_ratio=1",
                )
            norms = any("BatchNorm" in type(part).__name__ for part in model.modules())
            trial.equal(
                "logits in training = in evaluation",
                trained[batch.tgt_mask],
                evaluated[batch.tgt_mask],
                tolerance,
                fed=f"a batch of targets with lengths {ids(batch.tgt_lengths)}",
                look_at=NORM if norms else BRANCH,
                sides=("training", "evaluation"),
            )
    return trial.verdict()


@contextlib.contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Every probability of dropout that a module keeps as a number is 0, for a while."""
    kept: list[tuple[Any, str, float]] = []
    for part in model.modules():
        names = ["p"] if "ropout" in type(part).__name__ else []
        names += [name for name in vars(part) if "dropout" in name]
        kept += [
            (part, name, vars(part)[name])
            for name in names
            if isinstance(vars(part).get(name), float) and vars(part)[name] > 0
        ]
    try:
        for part, name, _ in kept:
            setattr(part, name, 0.0)
        yield
    finally:
        for part, name, value in kept:
            setattr(part, name, value)
