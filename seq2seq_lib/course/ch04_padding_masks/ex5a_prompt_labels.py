"""Exercise 4.5a: labels for a chat model, -100 on the prompt and at the pads."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.probes import batches, fed
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_int64, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask

IGNORED = -100


def prompt_labels_spec(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    labels = torch.full_like(ids, IGNORED)
    B, T = ids.shape
    for b in range(B):
        for t in range(T):
            if prompt_lengths[b] <= t < lengths[b]:
                labels[b, t] = ids[b, t]
    return labels


def prompt_labels(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    positions = torch.arange(ids.size(1), device=ids.device)[None, :]  # [1, T]
    answer = (positions >= prompt_lengths[:, None]) & (positions < lengths[:, None])  # [B, T]
    return ids.masked_fill(~answer, -100)


def labels_by_two_masks(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    T = ids.size(1)
    answer = sequence_mask(lengths, T) ^ sequence_mask(prompt_lengths, T)
    return torch.where(answer, ids, -100)


def labels_row_by_row(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    labels = torch.full_like(ids, -100)
    for b, (start, end) in enumerate(zip(prompt_lengths, lengths, strict=True)):
        labels[b, start:end] = ids[b, start:end]
    return labels


# ---------------------------------------------------------------- wrong answers


def pads_alone(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    return ids.masked_fill(~sequence_mask(lengths, ids.size(1)), -100)


def prompt_alone(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    return ids.masked_fill(sequence_mask(prompt_lengths, ids.size(1)), -100)


def into_argument(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    ids[labels_by_two_masks(ids, prompt_lengths, lengths) == -100] = -100
    return ids


def shifted(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    labels = labels_by_two_masks(ids, prompt_lengths, lengths)
    return torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], -100)], 1)


def between(ids: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """As the reference, and ``end`` may lie beyond the row."""
    positions = torch.arange(ids.size(1))[None, :]
    return ids.where((positions >= start[:, None]) & (positions < end[:, None]), -100)


def pads_by_id(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    return prompt_alone(ids, prompt_lengths, lengths).masked_fill(ids == 0, -100)


def other_half(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> Tensor:
    answer = labels_by_two_masks(ids, prompt_lengths, lengths) != -100
    return ids.masked_fill(answer, -100)


def without_return(ids: Tensor, prompt_lengths: Tensor, lengths: Tensor) -> None:
    labels_by_two_masks(ids, prompt_lengths, lengths)


MUTANTS = (
    Mutant("no_return", without_return),
    Mutant("prompt_kept", pads_alone),
    Mutant("pads_kept", prompt_alone),
    Mutant("pads_by_id", pads_by_id),
    Mutant("late", lambda ids, start, end: labels_by_two_masks(ids, start + 1, end.clamp(min=1))),
    Mutant("early", lambda ids, start, end: labels_by_two_masks(ids, start - 1, end)),
    Mutant("no_end", lambda ids, start, end: labels_by_two_masks(ids, start, end - 1)),
    Mutant("late_end", lambda ids, start, end: between(ids, start, end + 1)),
    Mutant("added", lambda ids, start, end: between(ids, start, start + end)),
    Mutant("shifted", shifted),
    Mutant("minus_one", lambda *b: labels_by_two_masks(*b).clamp(min=-1)),
    Mutant("inverted", other_half),
    Mutant("zero", lambda *b: labels_by_two_masks(*b).clamp(min=0)),
    Mutant("mask", lambda *b: labels_by_two_masks(*b) != -100),
    Mutant("argument_changed", into_argument),
)


# ---------------------------------------------------------------- the exercise


def chats(generator: torch.Generator) -> list[tuple[Tensor, Tensor, int]]:
    """``(prompt_lengths, lengths, T)``: a prompt has a token at least, and so has an answer."""
    drawn = []
    for lengths, T in batches(generator):
        lengths = lengths + 1
        share = torch.rand(len(lengths), generator=generator)
        prompts = 1 + (share * (lengths - 1)).long()  # [B], from 1 to lengths - 1
        drawn.append((prompts, lengths, T + 1))
    drawn[0] = (torch.tensor([2, 1, 1]), drawn[0][1], drawn[0][2])
    drawn[1] = (torch.tensor([1, 1, 2]), torch.tensor([3, 2, 3]), 3)  # square
    return drawn


def probes(generator: torch.Generator) -> list[Probe]:
    """In two rows a token of the answer has id 0; the pads hold any id."""
    drawn = []
    for number, (prompts, lengths, T) in enumerate(chats(generator)):
        ids = torch.randint(1, 90, (len(lengths), T), generator=generator)
        if number < 2:
            ids = torch.arange(1, ids.numel() + 1).view_as(ids)
            ids = ids.where(sequence_mask(lengths, T), 0 if number == 0 else 99)
            ids[0, lengths[0] - 1] *= 1 - number  # in the second batch an answer ends with id 0
        elif number % 2:
            ids[:, lengths[0] - 1] = 0
        words = f"prompt_lengths = {prompts.tolist()}, {fed(lengths, T)}"
        words += f"; ids = {describe.rows(ids)}" if ids.numel() <= describe.MANY else ""
        drawn.append(Probe({"ids": ids, "prompt_lengths": prompts, "lengths": lengths}, words))
    return drawn


TASK = FunctionTask(
    spec=prompt_labels_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_int64),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "4.5a",
        "prompt_labels",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        task=TASK,
        reference=prompt_labels,
        words=words_beside(__file__),
        alternatives=(labels_by_two_masks, labels_row_by_row),
    ),
)
