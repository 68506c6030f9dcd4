"""Exercise 12.4: the loss of each accumulation window, of which the last may be short."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def window_losses_spec(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    losses = []
    for first in range(0, len(totals), size):
        total, count = 0.0, 0
        for m in range(first, min(first + size, len(totals))):
            total, count = total + float(totals[m]), count + int(tokens[m])
        losses.append(total / count)
    return torch.tensor(losses)


def window_losses(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    sums = torch.stack([part.sum() for part in totals.split(size)])  # [W]; the last may be short
    counts = torch.stack([part.sum() for part in tokens.split(size)])  # [W]
    return sums / counts


def window_losses_by_index(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    window = torch.arange(len(totals)) // size  # [M], the window of each micro-batch
    zeros = torch.zeros(int(window[-1]) + 1)
    return zeros.index_add(0, window, totals) / zeros.index_add(0, window, tokens.float())


# ---------------------------------------------------------------- wrong answers


def with_windows(loss):
    """An answer that computes each window's loss from its totals and its tokens."""

    def answer(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
        pairs = zip(totals.split(size), tokens.split(size), strict=True)
        return torch.stack([loss(total, count, size) for total, count in pairs])

    return answer


def means(total: Tensor, count: Tensor) -> Tensor:
    return total / count.clamp(min=1)


def drops_short(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    whole = len(totals) // size * size
    if not whole:
        return torch.zeros(0)
    return window_losses(totals[:whole], tokens[:whole], size)


def never_cleared(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    sums = torch.stack([part.sum() for part in totals.split(size)]).cumsum(0)
    return sums / torch.stack([part.sum() for part in tokens.split(size)])


def all_tokens(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    return torch.stack([part.sum() for part in totals.split(size)]) / tokens.sum()


def dealt(totals: Tensor, tokens: Tensor, size: int) -> Tensor:
    W = -(-len(totals) // size)
    return torch.stack([totals[w::W].sum() / tokens[w::W].sum().clamp(min=1) for w in range(W)])


def planned_count(total: Tensor, count: Tensor, size: int) -> Tensor:
    return total.sum() / (count.float().mean() * size)


def no_return(*args: Any) -> None:
    window_losses(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("mean_of_means", with_windows(lambda t, n, size: means(t, n).mean())),
    Mutant("mean_of_means", with_windows(lambda t, n, size: (t / n).mean())),
    Mutant("mean_of_means", with_windows(lambda t, n, size: (t / n).nanmean())),
    Mutant("planned_size", with_windows(lambda t, n, size: means(t, n).sum() / size)),
    Mutant("planned_size", with_windows(lambda t, n, size: (t / n).sum() / size)),
    Mutant("planned_size", with_windows(planned_count)),
    Mutant("sum_of_means", with_windows(lambda t, n, size: means(t, n).sum())),
    Mutant("last_only", with_windows(lambda t, n, size: means(t, n)[-1])),
    Mutant("last_only", with_windows(lambda t, n, size: t[-1] / n[-1])),
    Mutant("cleared_inside", with_windows(lambda t, n, size: t[-1] / n.sum())),
    Mutant("a_micro_batch", with_windows(lambda t, n, size: t.sum() / len(t))),
    Mutant("a_micro_batch", with_windows(lambda t, n, size: t.sum() / size)),
    Mutant("sums", with_windows(lambda t, n, size: t.sum())),
    Mutant("drops_short", drops_short),
    Mutant("never_cleared", never_cleared),
    Mutant("all_tokens", all_tokens),
    Mutant("dealt", dealt),
    Mutant("micro_batches", lambda totals, tokens, size: totals / tokens),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Windows that are full and not; a size of 1; a window longer than the epoch; empty shares."""
    M = int(torch.randint(7, 11, (), generator=generator))
    cases = [([30, 3, 7], 2), ([5, 5, 0, 8, 2], 2), ([6, 2, 9], 1), ([4, 1], 5), ([3], 1)]
    cases += [((torch.randint(1, 40, (M,), generator=generator)).tolist(), 3), ([1, 2, 3, 9], 2)]
    drawn = []
    for counts, size in cases:
        tokens = torch.tensor(counts)
        each = torch.randint(10, 60, tokens.shape, generator=generator) / 10
        totals = each * tokens  # [M]
        words = f"totals = {describe.rows(totals[None])}, tokens = {counts}, size = {size}"
        drawn.append(Probe({"totals": totals, "tokens": tokens, "size": size}, words))
    return drawn


TASK = FunctionTask(
    spec=window_losses_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "12.4",
        "window_losses",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=10,
        points=3,
        task=TASK,
        reference=window_losses,
        words=words_beside(__file__),
        alternatives=(window_losses_by_index,),
    ),
)
