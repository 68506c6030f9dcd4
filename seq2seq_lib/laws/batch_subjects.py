"""What law 1 judges: each callable, seen as what it says of every sentence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws import returned
from seq2seq_lib.laws.calls import PROBABILITIES, watched
from seq2seq_lib.laws.compare import default_tolerance, difference
from seq2seq_lib.laws.conventions import Conventions, Layout
from seq2seq_lib.laws.trial import Trial, in_words
from seq2seq_lib.laws.verdict import AdapterError

Rows = list[dict[str, Any]]  # for each sentence what was found, pads cut off


@dataclass
class Subject:
    """One of the callables of law 1.

    ``look(batch)`` gives a dictionary a sentence: the part's name to a tensor, or a list of ids.
    """

    trial: Trial
    name: str
    look: Callable[[Batch], Rows]
    can_be_judged: bool = True

    def give_up(self, error: Exception) -> None:
        """Record why it cannot be judged, once."""
        self.can_be_judged = False
        self.trial.crashed(error, f"calling {self.name} on the first batch")

    def raised(self, variant: str, error: Exception, fed: str, look_at: Any) -> None:
        """Record that it raised on a variant of a batch on which it did not."""
        self.trial.claim(
            f"{self.name}: {variant}",
            False,
            counterexample=f"{fed}: {in_words(error)} ({variant})",
            look_at=look_at,
        )

    def differs(self, found: Rows, expected: Rows) -> bool:
        """Whether any part of any sentence does."""
        for now, then in zip(found, expected, strict=True):
            for part, value in then.items():
                if not isinstance(value, Tensor):
                    if now[part] != value:
                        return True
                elif now[part].shape != value.shape:
                    return True
                elif value.numel():
                    limit = max(default_tolerance(value.dtype), self.trial.rounding)
                    if float(difference(now[part], value).max()) > limit:
                        return True
        return False


def encoder(trial: Trial, encode: Callable, conventions: Conventions) -> Subject:
    """Memory and the parts of the final state."""
    call = watched(trial, encode, "src", "src_lengths")

    def look(batch: Batch) -> Rows:
        layout = Layout(conventions, batch.src_lengths)
        lengths = batch.src_lengths[layout.order]
        result = call(layout.source(batch.src), lengths)
        memory, state = returned.encoded_of(result)
        memories = list(returned.tensors_in(memory, "memory"))
        states = list(returned.tensors_in(state))
        if not states and not memories:
            raise AdapterError(
                f"encode returned {returned.described(result)}, in which there is no tensor",
                "a tensor [B, S, ...], batch first, or None, and a state [B, ...] or None, but not "
                "None twice; nests of such tensors will do",
            )
        return _encoded(memories, states, batch, layout, conventions)

    return Subject(trial, "encoder", look)


def _encoded(
    memories: list[Tensor],
    parts: list[Tensor],
    batch: Batch,
    layout: Layout,
    conventions: Conventions,
) -> Rows:
    B, S = batch.src.shape
    longest = int(batch.src_lengths.max())
    read = []
    for memory in memories:
        came = list(memory.shape)
        if memory.dim() >= 2:
            memory = layout.memory(memory)
        if memory.dim() < 2 or memory.size(0) != B or memory.size(1) < longest:
            more = ""
            if came[:2] == [S, B] and S != B and not conventions.time_first:
                more = "; time stands first: pass Conventions(time_first=True)"
            raise AdapterError(
                f"encode returned memory {came} for src [{B}, {S}]",
                f"[B, S, ...], batch first{more}",
            )
        read.append(memory)
    states = []
    for part in parts:
        came, part = list(part.shape), layout.state(part)
        if part.dim() == 0 or part.size(0) != B:
            raise AdapterError(
                f"encode returned a state {came} for src [{B}, {S}]",
                f"[B, ...], batch first: transpose torch's [layers, B, H], or pass "
                f"Conventions(state_axis=1); and if no axis is {B}, the RNN runs across the batch "
                f"(batch_first)",
            )
        states.append(part)
    rows = []
    for b, length in enumerate(batch.src_lengths.tolist()):
        row = {f" final state {i}" if i else " final state": p[b] for i, p in enumerate(states)}
        row |= {f" memory {i}" if i else " memory": m[b, :length] for i, m in enumerate(read)}
        rows.append(row)
    return rows


def forced(trial: Trial, logits: Callable, conventions: Conventions) -> Subject:
    """Teacher-forced logits at real positions."""
    call = watched(trial, logits, "batch")

    def look(batch: Batch) -> Rows:
        result = read_logits(call, batch, conventions)
        return [{"": result[b, :n]} for b, n in enumerate(batch.tgt_lengths.tolist())]

    return Subject(trial, "logits", look)


def read_logits(call: Callable, batch: Batch, conventions: Conventions) -> Tensor:
    """Logits ``[B, T, V]`` of a batch, in the law's own order."""
    layout = Layout(conventions, batch.src_lengths)
    result = call(layout.batch(batch))
    if conventions.time_first:
        result = returned.as_batch_first(result)
    longest, largest = int(batch.tgt_lengths.max()), int((batch.tgt_out * batch.tgt_mask).max())
    return returned.logits_of(result, len(batch), longest, largest)[layout.back]


def read_log_probs(call: Callable, batch: Batch, conventions: Conventions) -> Tensor:
    """Log-probabilities ``[B, T, V]`` of logits, or of log-probabilities, without a graph."""
    result = read_logits(call, batch, conventions)
    B, T = batch.tgt_in.shape
    if result.shape[:2] != (B, T):
        raise AdapterError(
            f"logits must be [B, T, V] = [{B}, {T}, V], not {list(result.shape)}",
            f"logits [{B}, {T}, V], one row of scores for each position of tgt_in",
        )
    if returned.are_probabilities(result):
        raise AdapterError("logits came as probabilities", PROBABILITIES)
    return result.detach().log_softmax(-1)  # changes nothing if they are log-probabilities


def decoder(trial: Trial, decode: Callable, conventions: Conventions) -> Subject:
    """Decoded ids up to the first EOS."""
    call = watched(trial, decode, "src", "src_lengths")
    begins: list[bool] = []  # whether outputs begin with BOS: what the first batch shows

    def look(batch: Batch) -> Rows:
        layout = Layout(conventions, batch.src_lengths)
        outputs = call(layout.source(batch.src), batch.src_lengths[layout.order])
        outputs = returned.lists_of(outputs, len(batch), "decode", conventions.time_first)
        outputs = layout.rows(outputs)
        found = [returned.ids_of(output) for output in outputs]
        if not begins:
            begins.append(all(tokens[:1] == [conventions.bos_id] for tokens in found))
        return [{"": up_to_eos(tokens[begins[0] :], conventions.eos_id)} for tokens in found]

    return Subject(trial, "decoded output", look)


def up_to_eos(tokens: list[int], eos_id: int) -> list[int]:
    """Without what stands after the first EOS: pads, mostly. Nothing at all is an EOS, too."""
    if eos_id in tokens:
        tokens = tokens[: tokens.index(eos_id) + 1]
    return tokens or [eos_id]
