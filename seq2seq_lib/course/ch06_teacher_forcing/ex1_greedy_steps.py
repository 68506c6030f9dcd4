"""Exercise 6.1: the loop of inference, in which a decoder reads what it has said."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch06_teacher_forcing.probes import FIXED, TableModel, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID


def greedy_steps_spec(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said = torch.zeros(len(first), T, dtype=torch.int64)
    tokens = first
    for t in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said[:, t] = tokens
    return said


def greedy_steps(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)  # what it says now is what it reads next
        said.append(tokens)
    return torch.stack(said, 1)  # T times [B] -> [B, T]


def greedy_steps_by_columns(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    read = first[:, None]  # [B, 1], and a column more at each step
    while read.size(1) <= T:
        scores, state = step(read[:, -1], state)
        read = torch.cat([read, scores.max(-1, keepdim=True).indices], 1)
    return read[:, 1:]


# ---------------------------------------------------------------- wrong answers


def reads_first(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said = []
    for _ in range(T):
        log_probs, state = step(first, state)
        said.append(log_probs.argmax(-1))
    return torch.stack(said, 1)


def forgets(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first
    for _ in range(T):
        tokens = step(tokens, state)[0].argmax(-1)
        said.append(tokens)
    return torch.stack(said, 1)


def one_tensor(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first.clone()
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens[:] = log_probs.argmax(-1)
        said.append(tokens)
    return torch.stack(said, 1)


def inputs(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    return torch.cat([first[:, None], greedy_steps(step, state, first, T)], 1)[:, :-1]


def with_bos(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    return torch.cat([first[:, None], greedy_steps(step, state, first, T)], 1)


def scores(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(log_probs)
    return torch.stack(said, 1)


def pads_after_end(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said = greedy_steps(step, state, first, T)
    ended = (said == EOS_ID).cumsum(1) - (said == EOS_ID).long()  # EOS said before this place
    return said.masked_fill(ended > 0, PAD_ID)


def stops(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens, ended = [], first, torch.zeros_like(first, dtype=torch.bool)
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
        ended = ended | (tokens == EOS_ID)
        if ended.all():
            break
    return torch.stack(said, 1)


def stops_filled(fill: int) -> Callable:
    """It stops, too, and writes ``fill`` into the places that are left."""

    def wrong(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
        said = torch.full((len(first), T), fill)
        short = stops(step, state, first, T)
        said[:, : short.size(1)] = short
        return said

    return wrong


def ends_together(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
        if (tokens == EOS_ID).all():
            break
    return torch.stack(said, 1)


def stops_at_first(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs.argmax(-1)
        said.append(tokens)
        if (tokens == EOS_ID).any():
            break
    return torch.stack(said, 1)


def eos_again(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said = greedy_steps(step, state, first, T)
    return said.masked_fill((said == EOS_ID).cumsum(1) > 0, EOS_ID)


def one_row(step: Callable, state: Any, first: Tensor, T: int) -> Tensor:
    said, tokens = [], first
    for _ in range(T):
        log_probs, state = step(tokens, state)
        tokens = log_probs[0].argmax().expand(len(first))
        said.append(tokens)
    return torch.stack(said, 1)


def no_return(*args: Any) -> None:
    greedy_steps(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("reads_first", reads_first),
    Mutant("forgets", forgets),
    Mutant("one_tensor", one_tensor),
    Mutant("inputs", inputs),
    Mutant("with_bos", with_bos),
    Mutant("scores", scores),
    Mutant("one_row", one_row),
    Mutant("pads_after_end", pads_after_end),
    Mutant("eos_again", eos_again),
    Mutant("stops_at_first", stops_at_first),
    Mutant("stops", stops),
    Mutant("stops", ends_together),
    Mutant("stops", stops_filled(PAD_ID)),
    Mutant("stops", stops_filled(EOS_ID)),
    Mutant("time_first", lambda *args: greedy_steps(*args).T),
    Mutant("last_only", lambda *args: greedy_steps(*args)[:, -1]),
)


# ---------------------------------------------------------------- the exercise

ALL_END = (12, 2, 9)  # states from which the rows say EOS at place 0 and 2, at 2, at 2; of five


def _probe(model: TableModel, state: Tensor, T: int) -> Probe:
    B, V = len(state), model.table.size(1)
    first = torch.full((B,), BOS_ID)
    args = {"step": model.step, "state": state, "first": first, "T": T}
    return Probe(args, f"a model of V = {V} ids, B = {B} rows, T = {T} steps")


def probes(generator: torch.Generator) -> list[Probe]:
    """Models that are tables. B, T and V differ; one sentence, one step.

    The third is fixed: all its rows say EOS before the last step, the last two in the same one.
    """
    drawn = []
    for number, (B, T) in enumerate(sizes(generator)):
        seed = number if number < FIXED else int(torch.randint(1000, (), generator=generator))
        V = 9 + number % 3
        drawn.append(_probe(TableModel(V, seed), torch.arange(B) * 2 + number, T))
    drawn.insert(FIXED, _probe(TableModel(6, seed=5), torch.tensor(ALL_END), 5))
    return drawn


def are_ids(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: int64."""
    if value.dtype == torch.int64:
        return None
    return "not_ids", {"dtype": str(value.dtype).removeprefix("torch.")}


def not_the_best(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """For ``explain``: the first step, which read BOS alone, has another id than the argmax."""
    if (value[:, 0] != expected[:, 0]).any():
        return "not_the_best", {}
    return None


TASK = FunctionTask(
    spec=greedy_steps_spec,
    probes=probes,
    steps=(is_tensor, has_shape, are_ids),
    mutants=MUTANTS,
    explain=not_the_best,
)
EXERCISES = (
    Exercise(
        "6.1",
        "greedy_steps",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=6,
        points=0,
        task=TASK,
        reference=greedy_steps,
        words=words_beside(__file__),
        alternatives=(greedy_steps_by_columns,),
    ),
)
