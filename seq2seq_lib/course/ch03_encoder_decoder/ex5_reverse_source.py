"""Exercise 3.5: the tokens of each row backwards, its EOS and its pads where they are."""

from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_lib.course.ch03_encoder_decoder.probes import batches, fed
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_int64, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask
from seq2seq_lib.vocab import EOS_ID


def reverse_source_spec(src: Tensor, lengths: Tensor) -> Tensor:
    turned = src.clone()
    for b, length in enumerate(lengths.tolist()):
        words = length - 1  # the last token is EOS
        for t in range(words):
            turned[b, t] = src[b, words - 1 - t]
    return turned


def reverse_source(src: Tensor, lengths: Tensor) -> Tensor:
    t = torch.arange(src.size(1))[None, :]  # [1, S]
    words = lengths[:, None] - 1  # [B, 1], without EOS
    index = torch.where(t < words, words - 1 - t, t)  # [B, S]: where each token comes from
    return src.gather(1, index)


def reverse_source_by_rows(src: Tensor, lengths: Tensor) -> Tensor:
    rows = [
        torch.cat([row[: n - 1].flip(0), row[n - 1 :]])
        for row, n in zip(src, lengths.tolist(), strict=True)
    ]
    return torch.stack(rows)


def reverse_source_by_sorting(src: Tensor, lengths: Tensor) -> Tensor:
    t = torch.arange(src.size(1)).expand_as(src)
    keys = torch.where(t < lengths[:, None] - 1, -t, t)  # the words backwards, then the rest
    return src.gather(1, keys.argsort(dim=1, stable=True))


# ---------------------------------------------------------------- wrong answers


def no_return(src: Tensor, lengths: Tensor) -> None:
    reverse_source(src, lengths)


def turned(src: Tensor, words: Tensor) -> Tensor:
    """Each row's first ``words [B, 1]`` tokens backwards."""
    t = torch.arange(src.size(1))[None, :]
    index = torch.where(t < words, words - 1 - t, t)
    return src.gather(1, index.clamp(0, src.size(1) - 1))


def shifted(src: Tensor, lengths: Tensor) -> Tensor:
    t = torch.arange(src.size(1))[None, :]
    words = lengths[:, None] - 1
    index = torch.where(t < words, (words - t).clamp(max=src.size(1) - 1), t)
    return src.gather(1, index)


def into_argument(src: Tensor, lengths: Tensor) -> Tensor:
    src.copy_(reverse_source(src, lengths))
    return src


def bent(src: Tensor, lengths: Tensor, bend: Callable[[Tensor, int], Tensor]) -> Tensor:
    """One formula for all places: behind the words its index leaves the row, and is bent back."""
    S = src.size(1)
    return src.gather(1, bend(lengths[:, None] - 2 - torch.arange(S), S))


def flip_and_roll(src: Tensor, lengths: Tensor) -> Tensor:
    """Flipped, and rolled until the pads are behind again: EOS comes first."""
    rows = [row.flip(0).roll(n - len(row)) for row, n in zip(src, lengths.tolist(), strict=True)]
    return torch.stack(rows)


def pads_lost(src: Tensor, lengths: Tensor) -> Tensor:
    return reverse_source(src, lengths) * sequence_mask(lengths, src.size(1))


def by_id(src: Tensor, lengths: Tensor) -> Tensor:
    return turned(src, (src != 0).sum(1, keepdim=True) - 1)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("flipped", lambda src, lengths: src.flip(1)),
    Mutant("eos_turned", lambda src, lengths: turned(src, lengths[:, None])),
    Mutant("eos_turned", flip_and_roll),
    Mutant("longest", lambda src, lengths: turned(src, (lengths - 1).max().expand(len(src), 1))),
    Mutant("rows_turned", lambda src, lengths: src.flip(0)),
    Mutant("shifted", shifted),
    Mutant("pads_lost", pads_lost),
    Mutant("bent", lambda src, lengths: bent(src, lengths, lambda i, S: i.clamp(min=0))),
    Mutant("bent", lambda src, lengths: bent(src, lengths, lambda i, S: i % S)),
    Mutant("by_id", by_id),
    Mutant("word_left_out", lambda src, lengths: turned(src, lengths[:, None] - 2)),
    Mutant("not_turned", lambda src, lengths: src.clone()),
    Mutant("argument_changed", into_argument),
    Mutant("floats", lambda src, lengths: reverse_source(src, lengths).float()),
    Mutant("squeezed", lambda src, lengths: reverse_source(src, lengths).squeeze()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Words are 3 and up, sometimes 0; anything stands at the pads."""
    drawn = []
    for number, (lengths, S) in enumerate(batches(generator)):
        B, mask = len(lengths), sequence_mask(lengths, S)
        src = torch.randint(3, 90, (B, S), generator=generator)
        if number == 0:
            src = torch.tensor([[3, 1, 2, 0, 0], [7, 1, 8, 4, 2], [2, 0, 0, 0, 0]])
        elif number == 1:
            src = src.masked_fill(~mask, 0)
        elif lengths.max() > 2:
            src[lengths.argmax(), 1] = 0  # a word like any other
        src[torch.arange(B), lengths - 1] = EOS_ID
        words = f"; src = {describe.rows(src)}" if src.numel() <= describe.MANY else ""
        drawn.append(Probe({"src": src, "lengths": lengths}, fed(lengths, S, words)))
    return drawn


TASK = FunctionTask(
    spec=reverse_source_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_int64),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "3.5",
        "reverse_source",
        kind="I",
        difficulty=3,
        importance=3,
        minutes=15,
        points=4,
        task=TASK,
        reference=reverse_source,
        words=words_beside(__file__),
        alternatives=(reverse_source_by_rows, reverse_source_by_sorting),
    ),
)
