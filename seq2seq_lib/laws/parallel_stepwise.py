"""Law 4: one teacher-forced pass = feeding the tokens one by one.

Training runs the decoder over a whole target at once, inference token by token. They are two
programs for one function, and only if they agree does a model do at inference what it learned.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes
from seq2seq_lib.laws.verdict import Trial, Verdict, ids
from seq2seq_lib.vocab import BOS_ID, EOS_ID

LAW = "Law 4, parallel = stepwise"

REPEATED = "dropout that is still on (call .eval()), or sampling in the forward pass"
FUTURE = (
    "how position t could know a later token: a bidirectional decoder, a missing or shifted causal "
    "mask, tgt_in that was not shifted against tgt_out"
)
ANSWER = (
    "what the decoder reads: it must be tgt_in, which begins with BOS, and never tgt_out, which is "
    "the answer (a model that reads it reaches loss 0.000 and says nothing right)"
)
STEPWISE = (
    "what inference does differently: a context computed once in one of the two and anew at each "
    "step in the other, a state that is not handed on (an LSTM's c, every layer), a first input "
    "other than BOS, an attention query of the step before"
)
LENGTHS = (
    "what tells the output where to stop: it was cut at, or masked by, the reference's length; it "
    "must end at its own EOS, or at a cap that the reference does not give"
)
FREE = (
    "teacher forcing at evaluation: the output changes with a reference it must not know "
    "(teacher_forcing_ratio must be 0 there)"
)


def parallel_stepwise(
    logits: Callable[[Batch], Tensor],
    start: Callable[[Tensor, Tensor], Any] | None = None,
    step: Callable[[Tensor, Any], tuple[Tensor, Any]] | None = None,
    *,
    free_run: Callable[[Batch], Tensor] | None = None,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> Verdict:
    """Compare the parallel pass with the stepwise one, and look for a view of the future.

    Args:
        logits: ``(batch) -> [B, T, V]``, teacher forced; logits or log-probabilities.
        start: ``(src [B, S], src_lengths [B]) -> state``; any object.
        step: ``(tokens [B], state) -> (logits or log-probabilities [B, V], state)``.
        free_run: ``(batch) -> tensor [B, ...]``: what the model says on its own, at evaluation. It
            gets the targets too, as many a ``forward(src, trg, ratio)`` does, and must not use
            more of them than their width.
        src_vocab_size, tgt_vocab_size: ids fed are below them.
        tolerance: of log-probabilities; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes.
    """
    trial = Trial(LAW)
    with probes.undisturbed(logits, start, step, free_run, seed=seed):
        try:
            for batch in probes.make_batches(src_vocab_size, tgt_vocab_size, seed, device):
                other = probes.noise(batch, src_vocab_size, tgt_vocab_size, seed + 100)
                if not _causal(trial, logits, batch, other, tolerance):
                    break  # with noise in the logits nothing else can be compared
                if start is not None and step is not None:
                    _stepwise(trial, logits, start, step, batch, tolerance)
                if free_run is not None:
                    _free(trial, free_run, batch, other, tolerance)
        except Exception as error:
            trial.crashed(error, "while running it on the probes")
    return trial.verdict()


def _log_probs(logits: Callable, batch: Batch) -> Tensor:
    result = logits(batch)
    B, T = batch.tgt_in.shape
    if result.dim() != 3 or result.shape[:2] != (B, T):
        raise ValueError(f"logits must be [B, T, V] = [{B}, {T}, V], not {list(result.shape)}")
    return result.detach().log_softmax(-1)  # changes nothing if they are log-probabilities


def _causal(
    trial: Trial, logits: Callable, batch: Batch, other: Batch, tolerance: float | None
) -> bool:
    before = _log_probs(logits, batch)
    sides = ("changed", "before")
    if not trial.equal(
        "the same call twice",
        _log_probs(logits, batch),
        before,
        tolerance,
        fed=_describe(batch, 1),
        look_at=REPEATED,
        sides=("second call", "first call"),
    ):
        return False
    answer = replace(batch, tgt_out=other.tgt_out)
    after = _log_probs(logits, answer)
    for row, length in enumerate(batch.tgt_lengths.tolist()):
        trial.equal(
            "no view of tgt_out",
            after[row, :length],
            before[row, :length],
            tolerance,
            fed=f"{_describe(batch, row)}, tgt_out replaced",
            look_at=ANSWER,
            sides=sides,
        )
    for t in range(1, batch.tgt_in.size(1)):
        tgt_in = torch.cat([batch.tgt_in[:, :t], other.tgt_in[:, t:]], 1)
        after = _log_probs(logits, replace(batch, tgt_in=tgt_in))
        for row, length in enumerate(batch.tgt_lengths.tolist()):
            end = min(t, length)
            trial.equal(
                "no view of the future",
                after[row, :end],
                before[row, :end],
                tolerance,
                fed=f"{_describe(batch, row)}, tgt_in replaced from position {t} on",
                look_at=FUTURE,
                sides=sides,
            )
    return True


def _stepwise(
    trial: Trial,
    logits: Callable,
    start: Callable,
    step: Callable,
    batch: Batch,
    tolerance: float | None,
) -> None:
    parallel = _log_probs(logits, batch)  # [B, T, V]
    state, steps = start(batch.src, batch.src_lengths), []
    for t in range(batch.tgt_in.size(1)):
        scores, state = step(batch.tgt_in[:, t], state)
        steps.append(scores.detach().log_softmax(-1))  # [B, V]
    stepwise = torch.stack(steps, 1)  # [B, T, V]
    for row, length in enumerate(batch.tgt_lengths.tolist()):
        trial.equal(
            "parallel = stepwise",
            stepwise[row, :length],
            parallel[row, :length],
            tolerance,
            fed=_describe(batch, row),
            look_at=STEPWISE,
            sides=("step by step", "in one pass"),
        )


def _free(
    trial: Trial, free_run: Callable, batch: Batch, other: Batch, tolerance: float | None
) -> None:
    bos = torch.full_like(other.tgt_in[:, :1], BOS_ID)
    reference = torch.cat([bos, other.tgt_in[:, 1:]], 1)
    shuffled = replace(batch, tgt_in=reference, tgt_out=other.tgt_out)
    trial.equal(
        "free running without the reference",
        free_run(shuffled).detach(),
        free_run(batch).detach(),
        tolerance,
        fed=f"{_describe(batch, 1)}, all targets replaced",
        look_at=FREE,
        sides=("other targets", "these targets"),
    )
    moved = _with_other_lengths(shuffled)
    trial.equal(
        "free running without the reference's lengths",
        free_run(moved).detach(),
        free_run(batch).detach(),
        tolerance,
        fed=f"{_describe(batch, 1)}, target lengths {moved.tgt_lengths.tolist()} in place of "
        f"{batch.tgt_lengths.tolist()}",
        look_at=LENGTHS,
        sides=("other lengths", "these lengths"),
    )


def _with_other_lengths(batch: Batch) -> Batch:
    """Each target as long as that of the row before; the widest length, T, stays in the batch."""
    lengths = batch.tgt_lengths.roll(1)
    rows = torch.arange(len(batch), device=lengths.device)
    tgt_out = batch.tgt_out.clone()
    tgt_out[rows, lengths - 1] = EOS_ID
    return probes.fill_pads(replace(batch, tgt_out=tgt_out, tgt_lengths=lengths), None)


def _describe(batch: Batch, row: int) -> str:
    length = int(batch.tgt_lengths[row])
    return f"sentence {row}, tgt_in {ids(batch.tgt_in[row, :length])} in a batch of {len(batch)}"
