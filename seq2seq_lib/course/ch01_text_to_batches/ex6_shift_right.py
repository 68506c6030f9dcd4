"""Exercise 1.6: the decoder's input from labels that hold -100 at their pads."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_int64, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

IGNORED = -100


def shift_right_spec(labels: Tensor) -> Tensor:
    B, T = labels.shape
    inputs = torch.zeros(B, T, dtype=torch.int64)
    for b in range(B):
        inputs[b, 0] = BOS_ID
        for t in range(1, T):
            before = labels[b, t - 1]
            inputs[b, t] = PAD_ID if before == IGNORED else before
    return inputs


def shift_right(labels: Tensor) -> Tensor:
    inputs = torch.full_like(labels, BOS_ID)
    inputs[:, 1:] = labels[:, :-1]  # the last column falls out
    return inputs.masked_fill(inputs == -100, PAD_ID)


def shift_right_by_padding(labels: Tensor) -> Tensor:
    shifted = F.pad(labels, (1, -1), value=BOS_ID)
    return torch.where(shifted < 0, PAD_ID, shifted)


def shift_right_by_joining(labels: Tensor) -> Tensor:
    start = labels.new_full((len(labels), 1), BOS_ID)
    return torch.cat([start, labels.clamp(min=PAD_ID)[:, :-1]], dim=1)


# ---------------------------------------------------------------- wrong answers


def kept_100(labels: Tensor) -> Tensor:
    return F.pad(labels, (1, -1), value=BOS_ID)


def filled(inputs: Tensor) -> Tensor:
    return inputs.masked_fill(inputs == IGNORED, PAD_ID)


def started_with(first: int) -> Callable[[Tensor], Tensor]:
    return lambda labels: filled(F.pad(labels, (1, -1), value=first))


def rolled(labels: Tensor) -> Tensor:
    return filled(labels.roll(1, 1))


def last_token_first(labels: Tensor) -> Tensor:
    """BART's way: the row's own last token, its EOS, begins what is read."""
    last = (labels != IGNORED).sum(1, keepdim=True) - 1
    return filled(torch.cat([labels.gather(1, last), labels[:, :-1]], 1))


def wider(labels: Tensor) -> Tensor:
    return filled(F.pad(labels, (1, 0), value=BOS_ID))


def to_the_left(labels: Tensor) -> Tensor:
    return filled(F.pad(labels, (-1, 1), value=IGNORED))


def start_written_over(labels: Tensor) -> Tensor:
    inputs = filled(labels)
    inputs[:, 0] = BOS_ID
    return inputs


def rows_moved(labels: Tensor) -> Tensor:
    return filled(F.pad(labels, (0, 0, 1, -1), value=BOS_ID))


def into_argument(labels: Tensor) -> Tensor:
    labels[:, 1:] = labels[:, :-1].clone()
    labels[:, 0] = BOS_ID
    return labels.masked_fill_(labels == IGNORED, PAD_ID)


def pads_as_start(labels: Tensor) -> Tensor:
    return kept_100(labels).masked_fill(kept_100(labels) == IGNORED, BOS_ID)


def end_hidden(labels: Tensor) -> Tensor:
    inputs = shift_right(labels)
    return inputs.masked_fill(inputs == EOS_ID, PAD_ID)


def flat(labels: Tensor) -> Tensor:
    """Shifted over the ends of the rows: each begins with the last label of the row above."""
    shifted = torch.cat([labels.new_tensor([BOS_ID]), labels.flatten()[:-1]])
    return filled(shifted).view_as(labels)


MUTANTS = (
    Mutant("ignored_left", kept_100),
    Mutant("rolled", rolled),
    Mutant("end_first", last_token_first),
    Mutant("wider", wider),
    Mutant("to_the_left", to_the_left),
    Mutant("not_shifted", filled),
    Mutant("start_written_over", start_written_over),
    Mutant("end_first", started_with(EOS_ID)),
    Mutant("pad_first", started_with(PAD_ID)),
    Mutant("rows_moved", rows_moved),
    Mutant("across_rows", flat),
    Mutant("pads_as_start", pads_as_start),
    Mutant("end_hidden", end_hidden),
    Mutant("squeezed", lambda labels: shift_right(labels).squeeze()),
    Mutant("floats", lambda labels: shift_right(labels).float()),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def padded(rows: list[list[int]]) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[IGNORED] * (width - len(row))] for row in rows])


def probes(generator: torch.Generator) -> list[Probe]:
    def row(length: int) -> list[int]:
        return [*torch.randint(4, 90, (length - 1,), generator=generator).tolist(), EOS_ID]

    fed = [
        padded([[7, 4, 2], [5, 2], [6, 8, 9, 11, 2]]),
        padded([[7, 4, 2], [5, 2], [6, 8, 2]]),  # square
        padded([row(4), row(1), row(8), row(2), row(8)]),
        padded([row(6), row(3)]),
        padded([row(5)]),
        padded([[2], [2], [2]]),
        padded([[2]]),
    ]
    return [
        Probe({"labels": labels}, f"labels = {describe.rows(labels)}")
        if labels.numel() <= describe.MANY
        else Probe({"labels": labels}, f"labels {list(labels.shape)}")
        for labels in fed
    ]


def facts(probe: Probe, value: object) -> dict[str, str]:
    """The dtype, where the message tells it."""
    dtype = getattr(value, "dtype", "")
    return {"dtype": str(dtype).removeprefix("torch.")}


TASK = FunctionTask(
    spec=shift_right_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_int64),
    mutants=MUTANTS,
    facts=facts,
)
EXERCISES = (
    Exercise(
        "1.6",
        "shift_right",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=12,
        points=4,
        task=TASK,
        reference=shift_right,
        words=words_beside(__file__),
        alternatives=(shift_right_by_padding, shift_right_by_joining),
    ),
)
