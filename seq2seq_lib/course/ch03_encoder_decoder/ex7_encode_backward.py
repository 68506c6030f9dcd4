"""Exercise 3.7: an LSTMCell that reads a padded batch from the right end of each row."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from seq2seq_lib.course.ch03_encoder_decoder.probes import batches, fed
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, holds_numbers
from seq2seq_lib.course.judging.words import words_beside

States = tuple[Tensor, Tensor]
LOUD = 3.0  # what stands at pads: enough to move a state for good


def cell_encode_backward_spec(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    """Each row alone: there are no pads then."""
    finals = []
    for row, length in zip(embedded, lengths.tolist(), strict=True):
        state = (torch.zeros(1, cell.hidden_size), torch.zeros(1, cell.hidden_size))
        for t in range(length - 1, -1, -1):
            state = cell(row[None, t], state)
        finals.append(state)
    h, c = zip(*finals, strict=True)
    return torch.cat(h), torch.cat(c)


def cell_encode_backward(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    B, S, _ = embedded.shape
    h = c = embedded.new_zeros(B, cell.hidden_size)
    for t in reversed(range(S)):
        new_h, new_c = cell(embedded[:, t], (h, c))
        reading = (t < lengths)[:, None]  # [B, 1]: who has begun
        h, c = torch.where(reading, new_h, h), torch.where(reading, new_c, c)
    return h, c


def encode_by_turning(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    """Each row's own tokens backwards, then nn.LSTM forwards over the packed batch."""
    lstm = nn.LSTM(cell.input_size, cell.hidden_size, batch_first=True)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    lstm.load_state_dict({f"{name}_l0": getattr(cell, name) for name in names})
    turned = [row[:n].flip(0) for row, n in zip(embedded, lengths.tolist(), strict=True)]
    padded = nn.utils.rnn.pad_sequence(turned, batch_first=True)
    packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
    _, (h, c) = lstm(packed)  # [1, B, H] each
    return h[0], c[0]


# ---------------------------------------------------------------- wrong answers


def loop(
    cell: nn.LSTMCell,
    embedded: Tensor,
    lengths: Tensor,
    *,
    forward: bool = False,
    late: int = 0,
    freeze: str = "hc",
) -> States:
    """The loop with something wrong."""
    B, S, _ = embedded.shape
    h = c = embedded.new_zeros(B, cell.hidden_size)
    for t in range(S) if forward else reversed(range(S)):
        new_h, new_c = cell(embedded[:, t], (h, c))
        reading = (t < lengths + late)[:, None]
        h = torch.where(reading, new_h, h) if "h" in freeze else new_h
        c = torch.where(reading, new_c, c) if "c" in freeze else new_c
    return h, c


def no_return(*args: Any) -> None:
    cell_encode_backward(*args)


def no_memory(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    return cell(embedded[:, 0])


def from_the_longest(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    return loop(cell, embedded[:, : lengths.max()], lengths, freeze="")


def zeros_read(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    """Zero vectors at the pads: a step with a zero input is still a step."""
    real = torch.arange(embedded.size(1)) < lengths[:, None]
    return loop(cell, embedded * real[..., None], lengths, freeze="")


def sorted_lengths(cell: nn.LSTMCell, embedded: Tensor, lengths: Tensor) -> States:
    return loop(cell, embedded, lengths.sort(descending=True).values)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("in_the_pads", lambda *args: loop(*args, freeze="")),
    Mutant("in_the_pads", from_the_longest),
    Mutant("zeros_read", zeros_read),
    Mutant("sorted", sorted_lengths),
    Mutant("c_not_frozen", lambda *args: loop(*args, freeze="h")),
    Mutant("h_not_frozen", lambda *args: loop(*args, freeze="c")),
    Mutant("forward", lambda *args: loop(*args, forward=True)),
    Mutant("one_pad_read", lambda *args: loop(*args, late=1)),
    Mutant("last_unread", lambda *args: loop(*args, late=-1)),
    Mutant("exchanged", lambda *args: loop(*args)[::-1]),
    Mutant("no_memory", no_memory),
    Mutant("h_alone", lambda *args: loop(*args)[0]),
    Mutant("axis_kept", lambda *args: tuple(state[None] for state in loop(*args))),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """One cell with lively weights; what stands at the pads is loud, not NaN."""
    E, H = 3, 4
    cell = nn.LSTMCell(E, H).requires_grad_(False)
    for parameter in cell.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator))
    drawn = []
    for lengths, S in batches(generator):
        embedded = torch.randn(len(lengths), S, E, generator=generator)
        pads = torch.arange(S)[None, :] >= lengths[:, None]
        embedded = torch.where(pads[..., None], LOUD * embedded.sign(), embedded)
        args = {"cell": cell, "embedded": embedded, "lengths": lengths}
        drawn.append(Probe(args, fed(lengths, S, f", E = {E}, H = {H}")))
    return drawn


def is_two_states(value: Any, expected: States) -> Problem | None:
    """A step: a pair of float tensors [B, H]."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, tuple | list) or len(value) != 2:
        return "h_alone", {}
    for name, one, due in zip("hc", value, expected, strict=True):
        if not holds_numbers(one):
            return "not_a_tensor", {}
        if one.shape != due.shape:
            return "state_shape", {
                "name": name,
                "shape": str(list(one.shape)),
                "expected": str(list(due.shape)),
            }
    return None


TASK = FunctionTask(
    spec=cell_encode_backward_spec, probes=probes, steps=(is_two_states,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "3.7",
        "cell_encode_backward",
        kind="I",
        difficulty=4,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=cell_encode_backward,
        words=words_beside(__file__),
        alternatives=(encode_by_turning,),
    ),
)
