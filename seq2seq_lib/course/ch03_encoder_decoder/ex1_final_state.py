"""Exercise 3.1, in the chapter: the state behind each sentence's own last token."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch03_encoder_decoder.probes import batches, fed
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask


def final_state_spec(outputs: Tensor, lengths: Tensor) -> Tensor:
    final = torch.zeros(outputs.size(0), outputs.size(2))
    for b, length in enumerate(lengths.tolist()):
        final[b] = outputs[b, length - 1]
    return final


def final_state(outputs: Tensor, lengths: Tensor) -> Tensor:
    rows = torch.arange(len(outputs), device=outputs.device)  # [B]
    return outputs[rows, lengths - 1]  # a pair of indices for each row: [B, S, H] -> [B, H]


def final_state_by_gather(outputs: Tensor, lengths: Tensor) -> Tensor:
    index = (lengths - 1)[:, None, None].expand(-1, 1, outputs.size(2))  # [B, 1, H]
    return outputs.gather(1, index).squeeze(1)


def final_state_by_mask(outputs: Tensor, lengths: Tensor) -> Tensor:
    last = torch.nn.functional.one_hot(lengths - 1, outputs.size(1)).bool()  # [B, S]
    return outputs[last]


# ---------------------------------------------------------------- wrong answers


def at(outputs: Tensor, positions: Tensor) -> Tensor:
    return outputs[torch.arange(len(outputs)), positions]


def no_return(outputs: Tensor, lengths: Tensor) -> None:
    final_state(outputs, lengths)


def mean_over_time(outputs: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, outputs.size(1))[..., None]
    return (outputs * mask).sum(1) / lengths[:, None]


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("last_column", lambda outputs, lengths: outputs[:, -1]),
    Mutant("last_column", lambda outputs, lengths: outputs[:, lengths.max() - 1]),
    Mutant("one_late", lambda o, lengths: at(o, lengths.clamp(max=o.size(1) - 1))),
    Mutant("one_early", lambda outputs, lengths: at(outputs, lengths - 2)),
    Mutant("pairs", lambda outputs, lengths: outputs[:, lengths - 1]),
    Mutant("mean", mean_over_time),
    Mutant("mean", lambda outputs, lengths: outputs.mean(1)),
    Mutant("first_column", lambda outputs, lengths: outputs[:, 0]),
    Mutant("sorted", lambda o, lengths: at(o, lengths.sort(descending=True).values - 1)),
    Mutant("axis_kept", lambda outputs, lengths: final_state(outputs, lengths)[:, None]),
    Mutant("squeezed", lambda outputs, lengths: final_state(outputs, lengths).squeeze()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """The chapter's table first; then random outputs."""
    table = torch.tensor(
        [[3, 31, 314, 3140, 31400], [2, 27, 271, 2718, 27182], [5, 50, 500, 5000, 50000]]
    )
    drawn = []
    for number, (lengths, S) in enumerate(batches(generator)):
        outputs = torch.randn(len(lengths), S, 3, generator=generator)
        if number == 0:
            outputs = table[..., None].float()  # [B, S, H = 1]
        words = f"; outputs[..., 0] = {table.tolist()}" if number == 0 else ""
        words = words or f", H = {outputs.size(2)}"
        drawn.append(Probe({"outputs": outputs, "lengths": lengths}, fed(lengths, S, words)))
    return drawn


TASK = FunctionTask(
    spec=final_state_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "3.1",
        "final_state",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=5,
        points=0,  # it is asked in the chapter
        task=TASK,
        reference=final_state,
        words=words_beside(__file__),
        alternatives=(final_state_by_gather, final_state_by_mask),
    ),
)
