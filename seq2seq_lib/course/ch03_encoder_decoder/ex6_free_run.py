"""Exercise 3.6: a decoder that runs on its own words, for a whole batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch03_encoder_decoder.probes import Script
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, holds_numbers
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


def free_run_spec(
    step: Step, state: Any, num_rows: int, max_new_tokens: int
) -> tuple[Tensor, Tensor]:
    rows: list[list[int]] = [[] for _ in range(num_rows)]
    tokens = [BOS_ID] * num_rows
    for _ in range(max_new_tokens):
        log_probs, state = step(torch.tensor(tokens), state)
        tokens = [int(row.argmax()) for row in log_probs]
        for row, token in zip(rows, tokens, strict=True):
            if EOS_ID not in row:
                row.append(token)
        if all(EOS_ID in row for row in rows):
            break
    width = max(map(len, rows))
    ids = [row + [PAD_ID] * (width - len(row)) for row in rows]
    return torch.tensor(ids), torch.tensor([len(row) for row in rows])


def free_run(step: Step, state: Any, num_rows: int, max_new_tokens: int) -> tuple[Tensor, Tensor]:
    tokens = torch.full((num_rows,), BOS_ID)  # [B]
    ended = torch.zeros(num_rows, dtype=torch.bool)  # [B]
    said, lengths = [], torch.zeros(num_rows, dtype=torch.int64)
    for _ in range(max_new_tokens):
        log_probs, state = step(tokens, state)  # [B, V]
        tokens = torch.where(ended, PAD_ID, log_probs.argmax(-1))  # who has ended is silent
        lengths = lengths + ~ended
        said.append(tokens)
        ended = ended | (tokens == EOS_ID)
        if ended.all():
            break
    return torch.stack(said, 1), lengths  # [B, T], [B]


def free_run_then_cut(
    step: Step, state: Any, num_rows: int, max_new_tokens: int
) -> tuple[Tensor, Tensor]:
    """Everything is written down first, and cut behind the first EOS of each row afterwards."""
    columns = [torch.full((num_rows,), BOS_ID)]
    while len(columns) <= max_new_tokens:
        log_probs, state = step(columns[-1], state)
        columns.append(log_probs.max(-1).indices)
        if all((torch.stack(columns, 1) == EOS_ID).any(1)):
            break
    ids = torch.stack(columns[1:], 1)
    ends = (ids == EOS_ID).int()
    behind = ends.cumsum(1) - ends > 0  # an EOS stands before
    return ids.masked_fill(behind, PAD_ID), (~behind).sum(1)


# ---------------------------------------------------------------- wrong answers


def run(
    step: Step,
    state: Any,
    num_rows: int,
    most: int,
    *,
    enough: Callable[[Tensor], Tensor] = torch.all,
    hand_on: bool = True,
    silent: bool = True,
    keep_bos: bool = False,
    first: int = BOS_ID,
    feed: Callable[[Tensor, Tensor], Tensor] = lambda log_probs, tokens: tokens,
) -> tuple[Tensor, Tensor]:
    """A free run with something wrong."""
    tokens = torch.full((num_rows,), first)
    ended, said = torch.zeros(num_rows, dtype=torch.bool), [tokens] if keep_bos else []
    for _ in range(most):
        log_probs, new = step(tokens, state)
        state = new if hand_on else state
        tokens = log_probs.argmax(-1)
        tokens = torch.where(ended, PAD_ID, tokens) if silent else tokens
        said.append(tokens)
        ended = ended | (tokens == EOS_ID)
        if enough(ended):
            break
        tokens = feed(log_probs, tokens)
    ids = torch.stack(said, 1)
    return ids, (ids != PAD_ID).sum(1)


def until_all_at_once(step: Step, state: Any, num_rows: int, most: int) -> tuple[Tensor, Tensor]:
    """Nobody remembers who has ended."""
    tokens, said = torch.full((num_rows,), BOS_ID), []
    while len(said) < most and not (said and (tokens == EOS_ID).all()):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
    ids = torch.stack(said, 1)
    return ids, (ids != PAD_ID).sum(1)


def right_lengths(*args: Any, **flaw: Any) -> tuple[Tensor, Tensor]:
    return run(*args, **flaw)[0], free_run(*args)[1]


def no_return(*args: Any) -> None:
    free_run(*args)


def with_flaw(**flaw: Any) -> Callable:
    return lambda *args: run(*args, **flaw)


def eos_not_counted(*args: Any) -> tuple[Tensor, Tensor]:
    ids, lengths = free_run(*args)
    return ids, lengths - (ids == EOS_ID).any(1).int()


def place_of_eos(*args: Any) -> tuple[Tensor, Tensor]:
    ids, _ = free_run(*args)
    return ids, (ids == EOS_ID).int().argmax(1)


def width_for_all(*args: Any) -> tuple[Tensor, Tensor]:
    ids, lengths = free_run(*args)
    return ids, torch.full_like(lengths, ids.size(1))


def eos_overwritten(*args: Any) -> tuple[Tensor, Tensor]:
    ids, lengths = free_run(*args)
    return ids.masked_fill(ids == EOS_ID, PAD_ID), lengths - (ids == EOS_ID).any(1).int()


def one_more(step: Step, state: Any, num_rows: int, most: int) -> tuple[Tensor, Tensor]:
    return free_run(step, state, num_rows, most + 1)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("any_for_all", with_flaw(enough=torch.any)),
    Mutant("babbles", with_flaw(silent=False)),
    Mutant("babbles", lambda *args: right_lengths(*args, silent=False)),
    Mutant("all_at_once", until_all_at_once),
    Mutant("runs_on", with_flaw(enough=lambda ended: False)),
    Mutant("bos_kept", with_flaw(keep_bos=True)),
    Mutant("bos_kept", lambda *args: right_lengths(*args, keep_bos=True)),
    Mutant("first_state", with_flaw(hand_on=False)),
    Mutant("feeds_bos", with_flaw(feed=lambda log_probs, tokens: torch.full_like(tokens, BOS_ID))),
    Mutant("feeds_scores", with_flaw(feed=lambda log_probs, tokens: log_probs)),
    Mutant("feeds_scores", with_flaw(feed=lambda log_probs, tokens: log_probs.exp())),
    Mutant("other_start", with_flaw(first=PAD_ID)),
    Mutant("other_start", with_flaw(first=EOS_ID)),
    Mutant("eos_not_counted", eos_not_counted),
    Mutant("eos_not_counted", place_of_eos),
    Mutant("width_for_all", width_for_all),
    Mutant("eos_overwritten", eos_overwritten),
    Mutant("one_more", one_more),
    Mutant("ids_alone", lambda *args: free_run(*args)[0]),
    Mutant("transposed", lambda *args: (free_run(*args)[0].T, free_run(*args)[1])),
    Mutant("exchanged", lambda *args: free_run(*args)[::-1]),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Scripted decoders: what each row says is known, and it depends on what it is fed."""

    def words(n: int) -> list[int]:
        return torch.randint(3, Script.VOCAB_SIZE - 1, (n,), generator=generator).tolist()

    cases = [
        ([[6, 4, 5], [3], [5, 5, 7, 3, 6]], (), 10),
        ([words(4), words(2), words(6), words(1)], (), 9),
        ([words(2), words(7), words(3)], (1,), 4),  # one is cut off
        ([words(3), words(3)], (0, 1), 3),  # nobody ends
        ([[], []], (), 5),  # EOS at once
        ([words(4)], (), 8),
        ([words(2), []], (), 1),
        ([words(1)], (0,), 1),
    ]
    drawn = []
    for lines, never, most in cases:
        script = Script(lines, never)
        told = "; ".join(f"row {b} says {line}" for b, line in enumerate(script.lines))
        args = {
            "step": script,
            "state": script.state,
            "num_rows": len(lines),
            "max_new_tokens": most,
        }
        drawn.append(Probe(args, f"a decoder in which {told}; max_new_tokens = {most}"))
    return drawn


def is_ids_and_lengths(value: Any, expected: tuple[Tensor, Tensor]) -> Problem | None:
    """A step: two int64 tensors, [B, T] and [B]."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, tuple | list) or len(value) != 2:
        return "ids_alone", {}
    for name, one, due in zip(("ids", "lengths"), value, expected, strict=True):
        if not holds_numbers(one) or one.dtype != torch.int64:
            return "not_int64", {"name": name}
        if one.dim() != due.dim():
            return "axes", {"name": name, "shape": str(list(one.shape))}
        if one.shape != due.shape:
            return "width", {
                "name": name,
                "shape": str(list(one.shape)),
                "expected": str(list(due.shape)),
            }
    return None


TASK = FunctionTask(spec=free_run_spec, probes=probes, steps=(is_ids_and_lengths,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "3.6",
        "free_run",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=15,
        points=4,
        task=TASK,
        reference=free_run,
        words=words_beside(__file__),
        alternatives=(free_run_then_cut,),
    ),
)
