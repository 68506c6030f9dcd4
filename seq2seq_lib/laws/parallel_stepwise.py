"""Law 4: one teacher-forced pass = feeding the tokens one by one.

Training runs the decoder over a whole target at once, inference token by token. They are two
programs for one function, and only if they agree does a model do at inference what it learned.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import probes, returned
from seq2seq_lib.laws import step_hints as hints
from seq2seq_lib.laws.batch_hints import kinds, noisy
from seq2seq_lib.laws.batch_subjects import read_log_probs
from seq2seq_lib.laws.calls import PROBABILITIES, finite, watched
from seq2seq_lib.laws.conventions import DEFAULT, Conventions, Layout, options
from seq2seq_lib.laws.second_look import with_more_digits
from seq2seq_lib.laws.trial import RUNNING, Trial
from seq2seq_lib.laws.verdict import AdapterError, Verdict, ids

LAW = "Law 4, parallel = stepwise"
ORDER = ("runs without", "no NaN", "the same call twice", "no view", "reads tgt_in", "parallel =")


def parallel_stepwise(
    logits: Callable[[Batch], Tensor],
    start: Callable[[Tensor, Tensor], Any] | None = None,
    step: Callable[[Tensor, Any], tuple[Tensor, Any]] | None = None,
    *,
    free_run: Callable[[Batch], Tensor] | None = None,
    src_vocab_size: int = 11,
    tgt_vocab_size: int = 13,
    conventions: Conventions = DEFAULT,
    tolerance: float | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
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
        conventions: ids, side of the pads, order, axes.
        tolerance: of log-probabilities; 1e-5 in float32, 1e-10 in float64.
        seed, device: of the probes. The device is that of the modules that the callables show.

    The parallel pass may not see later tokens, and position t must see ``tgt_in[t]``.
    """
    functions = (logits, start, step, free_run)
    device = probes.device_of(*functions) if device is None else device
    if step is not None and start is None:
        raise ValueError("parallel_stepwise got step= and no start=, which gives the first state.")
    sizes = src_vocab_size, tgt_vocab_size
    batches = probes.make_batches(*sizes, seed, device, conventions)

    def once() -> Verdict:
        trial = Trial(LAW, order=ORDER, **options(conventions))
        taught = watched(trial, logits, "batch")
        judge = _Judge(
            trial,
            functions,
            lambda batch: read_log_probs(taught, batch, conventions),
            watched(trial, start, "src", "src_lengths"),
            watched(trial, step, "tokens"),
            watched(trial, free_run, "batch"),
            conventions,
            tolerance,
        )
        with probes.undisturbed(*functions, seed=seed):
            for batch in batches:
                other = probes.noise(batch, *sizes, seed + 100, conventions)
                if not judge.all(batch, other, conventions.words(tgt_vocab_size)):
                    break
        return trial.verdict()

    return once() if tolerance is not None else with_more_digits(once, functions, ())


@dataclass(frozen=True)
class _Judge:
    trial: Trial
    functions: tuple
    log_probs: Callable[[Batch], Tensor]
    start: Callable | None
    step: Callable | None
    run: Callable | None
    conventions: Conventions
    tolerance: float | None

    def all(self, batch: Batch, other: Batch, words: list[int]) -> bool:
        """Everything on one probe; whether the next one can be looked at."""
        _, start, step, free_run = self.functions
        try:
            if not self.causal(batch, other):
                return False  # with noise in the logits nothing else can be compared
            self.reads_its_input(batch, words)
        except (Exception, SystemExit) as error:
            self.trial.crashed(error, RUNNING)
            return False
        self.each(lambda: self.stepwise(batch), "feeding tokens one by one", start, step)
        self.each(lambda: self.free(batch, other), "running freely", free_run)
        return True

    def each(self, judge: Callable[[], None], doing: str, *given: Callable | None) -> None:
        """One part, if all it needs was given; what it raises hides nothing of the others."""
        if any(function is None for function in given):
            return
        try:
            judge()
        except (Exception, SystemExit) as error:
            self.trial.crashed(error, doing)

    def causal(self, batch: Batch, other: Batch) -> bool:
        before = self.log_probs(batch)
        if not finite(self.trial, "logits", before[batch.tgt_mask], _describe(batch, 1)):
            return False
        sides = ("changed", "before")
        if not self.trial.equal(
            "the same call twice",
            self.log_probs(batch),
            before,
            self.tolerance,
            fed=_describe(batch, 1),
            look_at=lambda: noisy(self.functions, hints.REPEATED),
            sides=("second call", "first call"),
        ):
            return False
        after = self.log_probs(replace(batch, tgt_out=other.tgt_out))
        for row, length in enumerate(batch.tgt_lengths.tolist()):
            self.trial.equal(
                "no view of tgt_out",
                after[row, :length],
                before[row, :length],
                self.tolerance,
                fed=f"{_describe(batch, row)}, tgt_out replaced",
                look_at=hints.ANSWER,
                sides=sides,
            )

        def same(t: int, after: Tensor, changed: str, look_at: Any) -> None:
            for row, length in enumerate(batch.tgt_lengths.tolist()):
                end = min(t, length)
                self.trial.equal(
                    "no view of the future",
                    after[row, :end],
                    before[row, :end],
                    self.tolerance,
                    fed=f"{_describe(batch, row)}, {changed}",
                    look_at=look_at,
                    sides=sides,
                )

        T = batch.tgt_in.size(1)
        for t in range(1, T):
            after, changed = self.replaced(batch, other, t), f"tgt_in replaced from position {t} on"
            same(t, after, changed, lambda: self.how_far(batch, other, before))
        if not self.trial.failed("no view of the future"):
            ends = batch.tgt_lengths.clamp(max=T // 2)
            short = probes.with_lengths(batch, ends, self.conventions)
            after = self.log_probs(probes.take(short, range(len(batch))))
            same(T // 2, after, f"the targets cut to {T // 2} tokens", hints.LENGTH)
        return True

    def replaced(self, batch: Batch, other: Batch, t: int) -> Tensor:
        """Log-probabilities ``[B, T, V]`` where ``tgt_in`` is another's from position ``t`` on."""
        tgt_in = torch.cat([batch.tgt_in[:, :t], other.tgt_in[:, t:]], 1)
        return self.log_probs(replace(batch, tgt_in=tgt_in))

    def how_far(self, batch: Batch, other: Batch, before: Tensor) -> str:
        """Whether a position knows its own label alone, or what comes after that, too."""
        for t in range(2, batch.tgt_in.size(1)):
            real = batch.tgt_mask[:, : t - 1]
            moved = self.replaced(batch, other, t)[:, : t - 1] - before[:, : t - 1]
            if float(moved[real].abs().max()) > 1e-4:  # nats: rounding is 1e-6
                return hints.FUTURE
        return hints.NEXT

    def reads_its_input(self, batch: Batch, words: list[int]) -> None:
        before, still, looked = self.log_probs(batch), [], 0
        for t in range(1, batch.tgt_in.size(1)):  # at 0 stands BOS
            column = [words[(words.index(i) + 1) % len(words)] if i in words else i
                      for i in batch.tgt_in[:, t].tolist()]  # fmt: skip
            tgt_in = batch.tgt_in.clone()
            tgt_in[:, t] = torch.tensor(column, device=tgt_in.device)
            after = self.log_probs(replace(batch, tgt_in=tgt_in))
            for row, length in enumerate(batch.tgt_lengths.tolist()):
                if t < length:
                    looked += 1
                    if torch.equal(after[row, t], before[row, t]):
                        still.append((row, t))
        row, t = still[0] if still else (0, 0)
        self.trial.claim(
            "position t reads tgt_in[t]",
            not still,
            counterexample=(
                f"{_describe(batch, row)}: another token at tgt_in[{t}] changes nothing at "
                f"position {t}; so at {len(still)} of {looked} positions"
            ),
            look_at=hints.LAG,
        )

    def steps(self, batch: Batch, tgt_in: Tensor) -> Tensor:
        """Log-probabilities ``[B, T, V]``, step by step."""
        layout = Layout(self.conventions, batch.src_lengths)
        state = self.start(layout.source(batch.src), batch.src_lengths[layout.order])
        steps = []
        for t in range(tgt_in.size(1)):
            result = self.step(tgt_in[layout.order, t], state)
            if not isinstance(result, tuple | list) or len(result) < 2:
                raise AdapterError(
                    f"step returned {returned.described(result)}", "(scores [B, V], next state)"
                )
            scores, state = result[:2]
            scores = returned.scores_of(scores, len(batch))
            if returned.are_probabilities(scores):
                raise AdapterError("step returned probabilities", PROBABILITIES)
            steps.append(scores.detach().log_softmax(-1)[layout.back])  # [B, V]
        return torch.stack(steps, 1)

    def stepwise(self, batch: Batch) -> None:
        parallel, stepwise = self.log_probs(batch), self.steps(batch, batch.tgt_in)
        if not finite(self.trial, "steps", stepwise[batch.tgt_mask], _describe(batch, 1)):
            return
        for row, length in enumerate(batch.tgt_lengths.tolist()):
            self.trial.equal(
                "parallel = stepwise",
                stepwise[row, :length],
                parallel[row, :length],
                self.tolerance,
                fed=_describe(batch, row),
                look_at=lambda: self.why(batch, parallel, stepwise),
                sides=("step by step", "in one pass"),
            )

    def why(self, batch: Batch, parallel: Tensor, stepwise: Tensor) -> str:
        """What inference does differently, as far as steps can tell."""
        made_of = kinds(*self.functions)
        hint = {
            frozenset({"rnn"}): hints.STEPWISE,
            frozenset({"attention"}): hints.TRANSFORMER,
        }.get(frozenset(made_of), f"{hints.STEPWISE}; in a Transformer {hints.TRANSFORMER}")
        if bool((parallel.isinf() != stepwise.isinf()).any()):
            return hints.BANNED
        if not torch.allclose(parallel[:, 0], stepwise[:, 0], atol=1e-4):
            return hints.FIRST_STEP + hint
        past = batch.tgt_in.roll(1, 0)
        past = torch.cat([past[:, :-1], batch.tgt_in[:, -1:]], 1)  # another past, the same end
        if torch.equal(self.steps(batch, past)[:, -1], stepwise[:, -1]):
            return hints.FORGETS
        return hint

    def free(self, batch: Batch, other: Batch) -> None:
        bos = torch.full_like(other.tgt_in[:, :1], self.conventions.bos_id)
        reference = torch.cat([bos, other.tgt_in[:, 1:]], 1)
        shuffled = replace(batch, tgt_in=reference, tgt_out=other.tgt_out)
        said = self.said(batch)
        self.trial.equal(
            "free running without the reference",
            self.said(shuffled),
            said,
            self.tolerance,
            fed=f"{_describe(batch, 1)}, all targets replaced",
            look_at=hints.FREE,
            sides=("other targets", "these targets"),
        )
        # each target as long as that of the row before; the widest length, T, stays in the batch
        moved = probes.with_lengths(shuffled, batch.tgt_lengths.roll(1), self.conventions)
        self.trial.equal(
            "free running without the reference's lengths",
            self.said(moved),
            said,
            self.tolerance,
            fed=f"{_describe(batch, 1)}, target lengths {moved.tgt_lengths.tolist()} in place of "
            f"{batch.tgt_lengths.tolist()}",
            look_at=hints.LENGTHS,
            sides=("other lengths", "these lengths"),
        )

    def said(self, batch: Batch) -> Tensor:
        layout = Layout(self.conventions, batch.src_lengths)
        result = self.run(layout.batch(batch))
        if not isinstance(result, Tensor):
            given = f"free_run returned {returned.described(result)}"
            raise AdapterError(given, "a tensor [B, ...]")
        return layout.over_time(result.detach())


def _describe(batch: Batch, row: int) -> str:
    length = int(batch.tgt_lengths[row])
    return f"sentence {row}, tgt_in {ids(batch.tgt_in[row, :length])} in a batch of {len(batch)}"
