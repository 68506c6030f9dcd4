"""Exercise 8.4: who may look at whom in a padded batch of a language model."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch08_attention.batches import fed, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_bool, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask


def causal_and_padding_spec(lengths: Tensor, T: int) -> Tensor:
    may = torch.zeros(len(lengths), T, T, dtype=torch.bool)
    for b in range(len(lengths)):
        for query in range(T):
            for key in range(T):
                may[b, query, key] = key <= query and key < lengths[b]
    return may


def causal_and_padding(lengths: Tensor, T: int) -> Tensor:
    positions = torch.arange(T)
    causal = positions[None, :] <= positions[:, None]  # [T, T], query by key
    real = positions[None, :] < lengths[:, None]  # [B, T], the keys
    return causal & real[:, None, :]  # [T, T] & [B, 1, T] -> [B, T, T]


def causal_and_padding_by_tril(lengths: Tensor, T: int) -> Tensor:
    return sequence_mask(lengths, T)[:, None].expand(-1, T, T).tril()


# ---------------------------------------------------------------- wrong answers


def parts(lengths: Tensor, T: int) -> tuple[Tensor, Tensor]:
    """Causal ``[T, T]`` and real ``[B, T]``."""
    return torch.ones(T, T, dtype=torch.bool).tril(), sequence_mask(lengths, T)


def wrong(make):
    return lambda lengths, T: make(*parts(lengths, T))


MUTANTS = (
    Mutant("queries_masked", wrong(lambda causal, real: causal & real[:, :, None])),
    Mutant("triu", wrong(lambda causal, real: causal.T & real[:, None])),
    Mutant("strict", wrong(lambda causal, real: causal.tril(-1) & real[:, None])),
    Mutant("or", wrong(lambda causal, real: causal | real[:, None])),
    Mutant("other_sense", wrong(lambda causal, real: ~(causal & real[:, None]))),
    Mutant("causal_only", wrong(lambda causal, real: causal.expand(len(real), -1, -1).clone())),
    Mutant("one_pad", lambda lengths, T: causal_and_padding((lengths + 1).clamp(max=T), T)),
    Mutant("padding_only", wrong(lambda causal, real: real[:, None].expand(-1, real.size(1), -1))),
)


def probes(generator: torch.Generator) -> list[Probe]:
    """Lengths from 1 to T."""
    return [
        Probe({"lengths": torch.tensor(lengths), "T": S}, fed(lengths=lengths, T=S), False)
        for lengths, S, _ in sizes(generator)
    ]


TASK = FunctionTask(
    spec=causal_and_padding_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "8.4",
        "causal_and_padding",
        kind="F",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        task=TASK,
        reference=causal_and_padding,
        words=words_beside(__file__),
        alternatives=(causal_and_padding_by_tril,),
    ),
)
