"""Exercise 8.6: attention that looks near the diagonal alone."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch08_attention.batches import fed, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_bool, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def window_mask_spec(src_lengths: Tensor, T: int, S: int, D: int) -> Tensor:
    may = torch.zeros(len(src_lengths), T, S, dtype=torch.bool)
    for b in range(len(src_lengths)):
        for t in range(T):
            for s in range(S):
                may[b, t, s] = abs(s - t) <= D and s < src_lengths[b]
    return may


def window_mask(src_lengths: Tensor, T: int, S: int, D: int) -> Tensor:
    source = torch.arange(S)
    near = (source[None, :] - torch.arange(T)[:, None]).abs() <= D  # [T, S]
    real = source[None, :] < src_lengths[:, None]  # [B, S]
    return near & real[:, None]  # [T, S] & [B, 1, S] -> [B, T, S]


def window_mask_by_triangles(src_lengths: Tensor, T: int, S: int, D: int) -> Tensor:
    band = torch.ones(T, S, dtype=torch.bool).tril(D).triu(-D)
    return band & (torch.arange(S) < src_lengths[:, None, None])


# ---------------------------------------------------------------- wrong answers


def wrong(make):
    """A wrong answer made of distances ``[T, S]``, positions ``[S]`` and lengths ``[B, 1, 1]``."""

    def answer(src_lengths: Tensor, T: int, S: int, D: int) -> Tensor:
        source = torch.arange(S)
        return make(source - torch.arange(T)[:, None], source, src_lengths[:, None, None], D)

    return answer


MUTANTS = (
    Mutant(
        "no_lengths", wrong(lambda far, s, n, D: (far.abs() <= D).expand(len(n), -1, -1).clone())
    ),
    Mutant("or", wrong(lambda far, s, n, D: (far.abs() <= D) | (s < n))),
    Mutant("narrow", wrong(lambda far, s, n, D: (far.abs() < D) & (s < n))),
    Mutant("one_sided", wrong(lambda far, s, n, D: (far <= 0) & (far >= -D) & (s < n))),
    Mutant("signed", wrong(lambda far, s, n, D: (far <= D) & (s < n))),
    Mutant("one_pad", wrong(lambda far, s, n, D: (far.abs() <= D) & (s <= n))),
    Mutant("inverted", wrong(lambda far, s, n, D: ~((far.abs() <= D) & (s < n)))),
    Mutant("turned", lambda n, T, S, D: window_mask(n, T, S, D).mT),
)


def probes(generator: torch.Generator) -> list[Probe]:
    """Windows of 0, 1 and 2; sources shorter than targets, so that some rows are empty."""
    drawn = []
    for number, (lengths, S, T) in enumerate(sizes(generator)):
        D = number % 3
        args = {"src_lengths": torch.tensor(lengths), "T": T, "S": S, "D": D}
        drawn.append(Probe(args, fed(src_lengths=lengths, T=T, S=S, D=D), False))
    return drawn


TASK = FunctionTask(
    spec=window_mask_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "8.6",
        "window_mask",
        kind="I",
        difficulty=3,
        importance=3,
        minutes=12,
        points=4,
        task=TASK,
        reference=window_mask,
        words=words_beside(__file__),
        alternatives=(window_mask_by_triangles,),
    ),
)
