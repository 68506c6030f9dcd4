"""Exercise 9.4: the paired bootstrap interval, for any score that is made of sums."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch09_real_translation.steps import is_two_counts
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.words import words_beside

Score = Callable[[Tensor], float]
Two = tuple[float, float]


def paired_interval_spec(stats_a: Tensor, stats_b: Tensor, picks: Tensor, score: Score) -> Two:
    gains = []
    for pick in picks.tolist():
        sums_a, sums_b = torch.zeros_like(stats_a[0]), torch.zeros_like(stats_b[0])
        for i in pick:
            sums_a = sums_a + stats_a[i]
            sums_b = sums_b + stats_b[i]
        gains.append(score(sums_b) - score(sums_a))
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
    low, high = torch.tensor(gains, dtype=torch.float64).quantile(ends).tolist()
    return low, high


def paired_interval(stats_a: Tensor, stats_b: Tensor, picks: Tensor, score: Score) -> Two:
    gains = [score(stats_b[pick].sum(0)) - score(stats_a[pick].sum(0)) for pick in picks]
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
    low, high = torch.tensor(gains, dtype=torch.float64).quantile(ends).tolist()
    return low, high


def paired_by_sorting(stats_a: Tensor, stats_b: Tensor, picks: Tensor, score: Score) -> Two:
    """The quantile by hand: straight lines between the sorted gains."""
    sums_a, sums_b = stats_a[picks].sum(1), stats_b[picks].sum(1)  # [R, N, K] -> [R, K]
    gains = sorted(score(b) - score(a) for a, b in zip(sums_a, sums_b, strict=True))

    def at(share: float) -> float:
        place = share * (len(gains) - 1)
        below = int(place)
        above = min(below + 1, len(gains) - 1)
        return gains[below] + (place - below) * (gains[above] - gains[below])

    return at(0.025), at(0.975)


# ---------------------------------------------------------------- wrong answers


def ends(gains: Any, low: float = 0.025, high: float = 0.975) -> Two:
    row = torch.as_tensor(gains, dtype=torch.float64)
    found = row.quantile(torch.tensor([low, high], dtype=torch.float64)).tolist()
    return found[0], found[1]


def of(stats: Tensor, picks: Tensor, score: Score) -> list[float]:
    return [score(stats[pick].sum(0)) for pick in picks]


def gains_of(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> list[float]:
    return [y - x for x, y in zip(of(a, picks, score), of(b, picks, score), strict=True)]


def own_picks(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> Two:
    other = picks.roll(1, 0)
    both = zip(of(a, picks, score), of(b, other, score), strict=True)
    return ends([y - x for x, y in both])


def mean_of_sentences(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> Two:
    def mean(stats: Tensor, pick: Tensor) -> float:
        return sum(score(row) for row in stats[pick]) / len(pick)

    return ends([mean(b, pick) - mean(a, pick) for pick in picks])


def sorted_first(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> Two:
    both = zip(sorted(of(a, picks, score)), sorted(of(b, picks, score)), strict=True)
    return ends([y - x for x, y in both])


def difference_of_ends(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> Two:
    one, two = ends(of(a, picks, score)), ends(of(b, picks, score))
    return two[0] - one[0], two[1] - one[1]


def high_first(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> Two:
    low, high = ends(gains_of(a, b, picks, score))
    return high, low


def means_for_sums(a: Tensor, b: Tensor, picks: Tensor, score: Score) -> Two:
    def mean(table: Tensor, pick: Tensor) -> float:
        return score(table[pick].double().mean(0))

    return ends([mean(b, pick) - mean(a, pick) for pick in picks])


MUTANTS = (
    Mutant("own_picks", own_picks),
    Mutant("mean_of_sentences", mean_of_sentences),
    Mutant("sorted_first", sorted_first),
    Mutant("difference_of_ends", difference_of_ends),
    Mutant("five_percent", lambda a, b, p, s: ends(gains_of(a, b, p, s), 0.05, 0.95)),
    Mutant("other_way", lambda a, b, p, s: ends(gains_of(b, a, p, s))),
    Mutant("one_system", lambda a, b, p, s: ends(of(b, p, s))),
    Mutant("high_first", high_first),
    Mutant("means_for_sums", means_for_sums),
    Mutant("not_two", lambda a, b, p, s: gains_of(a, b, p, s)),
)


# ---------------------------------------------------------------- the exercise


def ratio(sums: Tensor) -> float:
    """100 times the first sum over the second: not a mean of the rows' ratios."""
    return 100 * float(sums[0]) / float(sums[1])


def curved(sums: Tensor) -> float:
    """A score with a root in it."""
    return 100 * (float(sums[0]) / float(sums[1]) * float(sums[-1]) / float(sums[1])) ** 0.5


def difference(sums: Tensor) -> float:
    """Twice as large for twice as many sentences."""
    return float(sums[0] - sums[1])


SCORES = {
    ratio: "100 * sums[0] / sums[1]",
    curved: "a geometric mean of two shares",
    difference: "sums[0] - sums[1]",
}


def probes(generator: torch.Generator) -> list[Probe]:
    """Two or three sums, one sentence, one draw, as many draws as sentences."""
    drawn = []
    for N, K, R, score in (
        (3, 2, 4, ratio), (6, 2, 21, ratio), (7, 3, 30, curved), (5, 2, 5, ratio),
        (4, 3, 1, curved), (1, 2, 3, ratio), (9, 3, 50, curved), (4, 2, 5, difference),
    ):  # fmt: skip
        totals = torch.randint(3, 12, (N, 1), generator=generator)
        tables = []
        for _ in range(2):
            hits = (torch.rand(N, K, generator=generator) * totals).long() + 1
            hits[:, 1:2] = totals
            tables.append(hits)
        picks = torch.randint(N, (R, N), generator=generator)
        fed = (
            f"stats_a = {tables[0].tolist()}; stats_b = {tables[1].tolist()}; "
            f"picks = {picks.tolist()}; score = {SCORES[score]}"
        )
        if R > 5:
            fed = f"N = {N} sentences, K = {K} sums, R = {R} draws; score = {SCORES[score]}"
        args = {"stats_a": tables[0], "stats_b": tables[1], "picks": picks, "score": score}
        drawn.append(Probe(args, fed))
    return drawn


TASK = FunctionTask(
    spec=paired_interval_spec, probes=probes, steps=(is_two_counts,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "9.4",
        "paired_interval",
        kind="I",
        difficulty=4,
        importance=5,
        minutes=20,
        points=4,
        task=TASK,
        reference=paired_interval,
        words=words_beside(__file__),
        alternatives=(paired_by_sorting,),
    ),
)
