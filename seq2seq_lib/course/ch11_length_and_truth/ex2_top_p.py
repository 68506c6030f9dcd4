"""Exercise 11.2, ``top_p``: the smallest set that has at least p."""

import math
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, has_shape, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.filters import top_p_filter
from seq2seq_lib.laws.verdict import Check, Verdict

GAP = 1e-3  # between a sum of probabilities and p: no check turns on rounding

# ---------------------------------------------------------------- right answers


def top_p_spec(log_probs: Tensor, p: float) -> Tensor:
    filtered = torch.full_like(log_probs, -math.inf)
    for b, row in enumerate(log_probs.exp().tolist()):
        kept, mass = [], 0.0
        for token in sorted(range(len(row)), key=lambda token: -row[token]):
            kept.append(token)
            mass += row[token]
            if mass >= p:
                break
        for token in kept:
            filtered[b, token] = log_probs[b, token] - math.log(mass)
    return filtered


def top_p(log_probs: Tensor, p: float) -> Tensor:
    ranked, order = log_probs.sort(descending=True)  # [B, V] twice
    before = ranked.exp().cumsum(-1) - ranked.exp()  # [B, V], the mass of all better tokens
    ranked = ranked.masked_fill(before >= p, -math.inf)
    filtered = torch.empty_like(log_probs).scatter(-1, order, ranked)  # back in the order of ids
    return filtered.log_softmax(-1)


def top_p_by_threshold(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp()
    ranked = probs.sort(descending=True).values
    crossing = (ranked.cumsum(1) < p).sum(1, keepdim=True)  # [B, 1], the place that crosses p
    kept = torch.where(probs >= ranked.gather(1, crossing), probs, 0.0)
    return (kept / kept.sum(1, keepdim=True)).log()


# ---------------------------------------------------------------- probes


# Powers of two, whose logarithms and sums are exact in float64: 0.5 reaches p = 0.5, and no more is
# kept.
TIE = torch.tensor([[0.125, 0.25, 0.5, 0.0625, 0.0625]], dtype=torch.float64)


def top_p_probes(generator: torch.Generator) -> list[Probe]:
    """``(log_probs, p)``; no sum of probabilities comes near to p, but one that is p exactly."""
    small = torch.tensor([[0.15, 0.5, 0.05, 0.3], [0.7, 0.04, 0.06, 0.2], [0.3, 0.25, 0.1, 0.35]])
    return [
        _top_p_probe(small, 0.6),
        _top_p_probe(small, 0.1),  # less than any best token has
        *(
            _top_p_probe(_probabilities(B, V, p, generator), p)
            for B, V, p in ((3, 7, 0.85), (5, 5, 0.45), (2, 11, 0.97), (1, 6, 0.7))
        ),
        _top_p_probe(TIE, 0.5),
    ]


def _probabilities(B: int, V: int, p: float, generator: torch.Generator) -> Tensor:
    while True:
        probs = torch.randn(B, V, generator=generator).mul(1.5).softmax(-1)
        sums = probs.sort(descending=True).values.cumsum(-1)  # [B, V]
        counts = (sums < p).sum(-1)  # [B]
        if (sums - p).abs().min() > GAP and (B == 1 or len(set(counts.tolist())) > 1):
            return probs


def _top_p_probe(probs: Tensor, p: float) -> Probe:
    fed = f"p = {p}, log_probs {list(probs.shape)}"
    if probs.numel() <= describe.MANY:
        fed += f", the logarithms of {describe.rows(probs)}"
    return Probe({"log_probs": probs.log(), "p": p}, fed)


# ---------------------------------------------------------------- wrong answers


def no_return(log_probs: Tensor, p: float) -> None:
    top_p(log_probs, p)


def kept(log_probs: Tensor, keep: Tensor) -> Tensor:
    return log_probs.masked_fill(~keep, -math.inf).log_softmax(-1)


def ranks(log_probs: Tensor) -> Tensor:
    """The rank of each token in its row, 0 for the best."""
    return log_probs.argsort(descending=True).argsort()


def drops_the_crossing(log_probs: Tensor, p: float) -> Tensor:
    sums = log_probs.exp().sort(descending=True).values.cumsum(-1)
    keep = (sums < p).gather(-1, ranks(log_probs))
    return kept(log_probs, keep)


def keeps_one_at_least(log_probs: Tensor, p: float) -> Tensor:
    sums = log_probs.exp().sort(descending=True).values.cumsum(-1)
    keep = sums < p
    keep[..., 0] = True
    return kept(log_probs, keep.gather(-1, ranks(log_probs)))


def keeps_one_more(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort(descending=True).values
    before = probs.cumsum(-1) - probs
    keep = torch.ones_like(before, dtype=torch.bool)
    keep[..., 1:] = before[..., :-1] < p
    return kept(log_probs, keep.gather(-1, ranks(log_probs)))


def not_renormalised(log_probs: Tensor, p: float) -> Tensor:
    return log_probs.masked_fill(top_p(log_probs, p) == -math.inf, -math.inf)


def by_threshold(log_probs: Tensor, p: float) -> Tensor:
    return kept(log_probs, log_probs.exp() >= p)


def by_other_threshold(log_probs: Tensor, p: float) -> Tensor:
    return kept(log_probs, log_probs.exp() >= 1 - p)


def order_not_undone(log_probs: Tensor, p: float) -> Tensor:
    return top_p(log_probs, p).sort(descending=True).values


def keep_not_moved(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort(descending=True).values
    return kept(log_probs, probs.cumsum(-1) - probs < p)


def as_probabilities(log_probs: Tensor, p: float) -> Tensor:
    return top_p(log_probs, p).exp()


def same_for_all_rows(log_probs: Tensor, p: float) -> Tensor:
    count = int((log_probs[0].exp().sort(descending=True).values.cumsum(0) < p).sum()) + 1
    return kept(log_probs, ranks(log_probs) < count)


def whole_batch(log_probs: Tensor, p: float) -> Tensor:
    flat = (log_probs - math.log(len(log_probs))).reshape(1, -1)
    keep = (top_p(flat, p) > -math.inf).reshape(log_probs.shape)
    return kept(log_probs, keep)


def along_the_batch(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort(descending=True).values
    before = probs.cumsum(0) - probs
    return kept(log_probs, (before < p).gather(-1, ranks(log_probs)))


def worst_of_them(log_probs: Tensor, p: float) -> Tensor:
    probs = log_probs.exp().sort().values
    keep = probs.cumsum(-1) - probs < p
    return kept(log_probs, keep.gather(-1, (-log_probs).argsort(descending=True).argsort()))


def sums_of_logs(log_probs: Tensor, p: float) -> Tensor:
    sums = log_probs.sort(descending=True).values.cumsum(-1)
    return kept(log_probs, (sums < p).gather(-1, ranks(log_probs)))


def zeros(log_probs: Tensor, p: float) -> Tensor:
    return log_probs * (top_p(log_probs, p) > -math.inf)


def very_small(log_probs: Tensor, p: float) -> Tensor:
    dropped = top_p(log_probs, p) == -math.inf
    return log_probs.masked_fill(dropped, -1e9).log_softmax(-1)


def fills_in_place(log_probs: Tensor, p: float) -> Tensor:
    log_probs[top_p(log_probs, p) == -math.inf] = -math.inf
    return log_probs.log_softmax(-1)


def keeps_what_reaches(log_probs: Tensor, p: float) -> Tensor:
    """The tokens before have to have more than p, not p."""
    probs = log_probs.exp().sort(descending=True).values
    return kept(log_probs, (probs.cumsum(-1) - probs <= p).gather(-1, ranks(log_probs)))


def zeros_then_normalised(log_probs: Tensor, p: float) -> Tensor:
    return zeros(log_probs, p).log_softmax(-1)


def divided_by_p(log_probs: Tensor, p: float) -> Tensor:
    return not_renormalised(log_probs, p) - math.log(p)


def divided_by_log(log_probs: Tensor, p: float) -> Tensor:
    """The logarithms themselves are made to sum to one."""
    cut = not_renormalised(log_probs, p)
    total = cut.masked_fill(cut == -math.inf, 0).sum(-1, keepdim=True)
    return torch.where(cut == -math.inf, cut, cut / total)


def squeezed(log_probs: Tensor, p: float) -> Tensor:
    return top_p(log_probs, p).squeeze()


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("drops_the_crossing", keeps_one_at_least),
    Mutant("empty", drops_the_crossing),
    Mutant("one_more", keeps_one_more),
    Mutant("not_renormalised", not_renormalised),
    Mutant("threshold", by_threshold),
    Mutant("threshold", by_other_threshold),
    Mutant("order", order_not_undone),
    Mutant("order", keep_not_moved),
    Mutant("probabilities", as_probabilities),
    Mutant("one_row_for_all", same_for_all_rows),
    Mutant("one_row_for_all", whole_batch),
    Mutant("one_row_for_all", along_the_batch),
    Mutant("worst_first", worst_of_them),
    Mutant("all_kept", sums_of_logs),
    Mutant("zeros", zeros),
    Mutant("zeros", zeros_then_normalised),
    Mutant("divided_by_p", divided_by_p),
    Mutant("divided_by_logs", divided_by_log),
    Mutant("tie", keeps_what_reaches),
    Mutant("shape", squeezed),
    Mutant("nearly_impossible", very_small),
    Mutant("argument_changed", fills_in_place),
)

# ---------------------------------------------------------------- the exercise


def is_float(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: floats, and none of them NaN."""
    if not value.is_floating_point():
        return "not_float", {"dtype": str(value.dtype).removeprefix("torch.")}
    nan = value.isnan()
    if bool(nan.all(-1).any()):  # log_softmax of a row in which nothing is left
        return "empty", {"row": str(int(nan.all(-1).nonzero()[0]))}
    return ("nan", {}) if bool(nan.any()) else None


def are_distributions(value: Tensor, expected: Tensor) -> Problem | None:
    """A step: the rows are log-probabilities that sum to one."""
    if bool(((value >= 0) & (value <= 1)).all()) and bool((value.sum(-1) - 1).abs().max() < 1e-3):
        return "probabilities", {}
    total = value.double().exp().sum(-1)  # [B]
    rows = (total - 1).abs() > 1e-3
    if not bool(rows.any()):
        return None
    dropped = expected == -math.inf
    if bool((value[dropped] == 0).all()) and bool(dropped.any()):
        return "zeros", {}
    high = (value > 1e-4).nonzero()
    if len(high):
        row, token = high[0].tolist()
        return "above_one", {"row": str(row), "yours": describe.number(value[row, token])}
    row = int(rows.nonzero()[0])
    name = "empty" if bool((value[row] == -math.inf).all()) else "not_renormalised"
    return name, {"row": str(row), "total": describe.number(total[row])}


def explain_top_p(probe: Probe, value: Tensor, expected: Tensor) -> Problem | None:
    """Too many tokens, too few, or the wrong ones."""
    yours, due = (part.isfinite() for part in (value, expected))
    nearly = value[yours & ~due & (value < -100)]  # exp of it is 0 in float32
    if len(nearly):
        return "nearly_impossible", {"yours": describe.number(nearly[0])}
    for row in range(len(due)):
        count, right_count = int(yours[row].sum()), int(due[row].sum())
        facts = {"row": str(row), "yours": str(count), "right": str(right_count)}
        if count != right_count:
            return ("too_few" if count < right_count else "too_many"), facts
        if not torch.equal(yours[row], due[row]):
            return "others", facts
    return None


def is_written_by_hand(answer: Callable) -> Verdict:
    """Whether the library's ``top_p_filter`` does not do the work."""
    called = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code is top_p_filter.__code__:
            called.append(frame.f_back.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        answer(torch.tensor([[0.5, 0.3, 0.2]]).log(), 0.6)
    finally:
        sys.setprofile(before)
    text = f"{called[0]} calls filters.top_p_filter" if called else ""
    check = Check("who filters", float(bool(text)), 0.0, not text, text)
    return Verdict("your own filter", not text, check.max_diff, 0.0, text, "", (check,))


EXERCISES = (
    Exercise(
        "11.2",
        "top_p",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=12,
        points=3,
        task=FunctionTask(
            spec=top_p_spec,
            probes=top_p_probes,
            steps=(is_tensor, has_shape, is_float, are_distributions),
            mutants=MUTANTS,
            explain=explain_top_p,
            law=is_written_by_hand,
        ),
        reference=top_p,
        alternatives=(top_p_spec, top_p_by_threshold),
        words=words_beside(__file__),
    ),
)
