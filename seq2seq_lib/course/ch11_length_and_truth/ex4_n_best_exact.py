"""Exercise 11.4: the n most probable outputs, with proof."""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import Call, FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, plain
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws.verdict import Check, Verdict

Found = list[tuple[str, float]]
NEAR = 1e-6  # nats; Python's floats
GAP = 1e-4  # nats between two outputs that are ranked, but in the probe of ties


@dataclass(frozen=True)
class NextLetters:
    """A model as a function of the prefix, a string: ``{token: log-probability}``.

    Attributes:
        table: prefix -> probabilities; prefixes that are not in it use ``otherwise``.
        limit: refuse prefixes of so many tokens: nothing can follow that would still be an output.
        asked: what it was asked.
    """

    table: dict[str, dict[str, float]]
    otherwise: dict[str, float]
    limit: int
    asked: list[str] = field(default_factory=list, compare=False, repr=False)

    def __call__(self, prefix: str) -> dict[str, float]:
        if len(prefix) >= self.limit or "•" in prefix:
            raise ValueError(
                f"the model was asked what follows {prefix!r}, but outputs have at most "
                f"{self.limit} tokens and end at •: where does your loop stop?"
            )
        self.asked.append(prefix)
        row = self.table.get(prefix, self.otherwise)
        return {token: math.log(p) for token, p in row.items()}

    def __deepcopy__(self, memo: Any) -> "NextLetters":
        return NextLetters(self.table, self.otherwise, self.limit)

    def total(self, output: str) -> float:
        """The log-probability of an output or a prefix; -inf for tokens that there are none of."""
        rows = [self.table.get(output[:t], self.otherwise) for t in range(len(output))]
        return sum(
            math.log(row[token]) if token in row else -math.inf
            for row, token in zip(rows, output, strict=True)
        )


def n_best_exact_spec(next_log_probs: Callable, n: int, longest: int) -> Found:
    every = []

    def grow(output: str, total: float) -> None:
        for token, added in next_log_probs(output).items():
            if token == "•":
                every.append((output + token, total + added))
            elif len(output) + 1 < longest:
                grow(output + token, total + added)

    grow("", 0.0)
    return sorted(every, key=lambda found: (-found[1], found[0]))[:n]


def n_best_exact(next_log_probs: Callable, n: int, longest: int) -> list[tuple[str, float]]:
    found, heap = [], [(0.0, "")]
    while heap and len(found) < n:
        cost, output = heapq.heappop(heap)
        if output.endswith("•"):  # what still waits costs more, and so does all that grows from it
            found.append((output, -cost))
        elif len(output) < longest:
            for token, added in next_log_probs(output).items():
                heapq.heappush(heap, (cost - added, output + token))
    return found


def n_best_exact_with_bound(next_log_probs: Callable, n: int, longest: int) -> Found:
    order, ends, heap = count(), [], [(0.0, next(count()), "")]
    while heap:
        cost, _, output = heapq.heappop(heap)
        if len(ends) == n and cost > ends[-1][0]:
            break
        if len(output) == longest:
            continue
        for token, added in next_log_probs(output).items():
            if token == "•":
                ends = sorted([*ends, (cost - added, output + token)])[:n]
            else:
                heapq.heappush(heap, (cost - added, next(order), output + token))
    return [(output, -cost) for cost, output in ends]


# ---------------------------------------------------------------- wrong answers


def best_as_bound(next_log_probs: Callable, n: int, longest: int) -> Found:
    ends, heap, best = [], [(0.0, "")], math.inf
    while heap:
        cost, output = heapq.heappop(heap)
        if cost > best or len(output) == longest:
            continue
        for token, added in next_log_probs(output).items():
            if token == "•":
                ends.append((output + token, added - cost))
                best = min(best, cost - added)
            else:
                heapq.heappush(heap, (cost - added, output + token))
    return sorted(ends, key=lambda found: -found[1])[:n]


def returns_when_pushed(next_log_probs: Callable, n: int, longest: int) -> Found:
    found, heap = [], [(0.0, "")]
    while heap and len(found) < n:
        cost, output = heapq.heappop(heap)
        if len(output) == longest:
            continue
        for token, added in next_log_probs(output).items():
            if token == "•":
                found.append((output + token, added - cost))
            else:
                heapq.heappush(heap, (cost - added, output + token))
    return sorted(found[:n], key=lambda one: -one[1])


def worst_first(next_log_probs: Callable, n: int, longest: int) -> Found:
    found, heap = [], [(0.0, "")]
    while heap and len(found) < n:
        total, output = heapq.heappop(heap)
        if output.endswith("•"):
            found.append((output, total))
        elif len(output) < longest:
            for token, added in next_log_probs(output).items():
                heapq.heappush(heap, (total + added, output + token))
    return found


def unended_counted(next_log_probs: Callable, n: int, longest: int) -> Found:
    found, heap = [], [(0.0, "")]
    while heap and len(found) < n:
        cost, output = heapq.heappop(heap)
        if output.endswith("•") or len(output) == longest:
            found.append((output, -cost))
        else:
            for token, added in next_log_probs(output).items():
                heapq.heappush(heap, (cost - added, output + token))
    return found


def _other_limit(by: int) -> Callable:
    def answer(next_log_probs: Callable, n: int, longest: int) -> Found:
        return n_best_exact(next_log_probs, n, longest + by)

    return answer


def without_end(next_log_probs: Callable, n: int, longest: int) -> Found:
    return [(text[:-1], total) for text, total in n_best_exact(next_log_probs, n, longest)]


def end_not_scored(next_log_probs: Callable, n: int, longest: int) -> Found:
    def free(prefix: str) -> dict[str, float]:
        return {t: 0.0 if t == "•" else p for t, p in next_log_probs(prefix).items()}

    return n_best_exact(free, n, longest)


def best_only(next_log_probs: Callable, n: int, longest: int) -> Found:
    return n_best_exact(next_log_probs, 1, longest)


def costs(next_log_probs: Callable, n: int, longest: int) -> Found:
    return [(text, -total) for text, total in n_best_exact(next_log_probs, n, longest)]


def no_return(*args: Any) -> None:
    n_best_exact(*args)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("best_as_bound", best_as_bound),
    Mutant("returns_when_pushed", returns_when_pushed),
    Mutant("worst_first", worst_first),
    Mutant("unended_counted", unended_counted),
    Mutant("too_short", _other_limit(-1)),
    Mutant("without_end", without_end),
    Mutant("end_not_scored", end_not_scored),
    Mutant("best_only", best_only),
    Mutant("costs", costs),
)


# ---------------------------------------------------------------- the exercise


def are_outputs(value: Any, expected: Any) -> Problem | None:
    """A step: a list of pairs of a string and a number."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, list | tuple):
        return "not_outputs", {}
    for entry in value:
        if not isinstance(entry, list | tuple) or len(entry) != 2 or not isinstance(entry[0], str):
            return "not_outputs", {}
        number = plain(entry[1])
        if isinstance(number, bool) or not isinstance(number, int | float):
            return "not_outputs", {}
    return None


def same_outputs(value: Any, expected: Any) -> Problem | None:
    """A step: these outputs in this order; of equally probable ones any order will do."""
    found = [(text, float(plain(total))) for text, total in value]
    if len({text for text, _ in found}) < len(found):
        return "twice", {}
    for place, (text, total) in enumerate(found):
        if place < len(expected) and abs(total - expected[place][1]) > NEAR:
            facts = {"place": str(place + 1), "yours": f"{text} {describe.number(total)}"}
            due = expected[place]
            return "another", facts | {"right": f"{due[0]} {describe.number(due[1])}"}
    if len(found) != len(expected):
        return "count", {"yours": str(len(found)), "right": str(len(expected))}
    return None


def asks_only_what_can_win(answer: Callable) -> Verdict:
    """Whether no prefix is read that is less probable than all n outputs that come back."""
    rows = {"a": 0.5, "b": 0.1, "•": 0.4}
    model = NextLetters({"": {"a": 0.6, "b": 0.3, "•": 0.1}}, rows, 6)
    found = list(answer(model, 3, 6))
    last = min(float(plain(total)) for _, total in found)
    needless = [prefix for prefix in model.asked if model.total(prefix) < last - NEAR]
    text = ""
    if needless:
        text = (
            f"{len(needless)} of {len(model.asked)} prefixes that were read could not win, such as "
            f"{needless[0]!r} with {model.total(needless[0]):.3f}, where the last of the 3 best "
            f"has {last:.3f}"
        )
    check = Check("what the model was asked", float(bool(text)), 0.0, not text, text)
    return Verdict("exact search", not text, check.max_diff, 0.0, text, "", (check,))


GARDEN = {"": {"a": 0.6, "b": 0.4}, "a": {"•": 0.3, "a": 0.3, "b": 0.4}, "b": {"•": 1.0}}
TIED = {"a": 0.25, "b": 0.25, "c": 0.25, "•": 0.25}


def probes(generator: torch.Generator) -> list[Probe]:
    """The card's cousins, equal totals, one token, fewer outputs than asked for, drawn ones."""
    ends = {"a": 0.3, "b": 0.3, "•": 0.4}
    fixed = [
        _probe(GARDEN, ends, 2, 3),
        _probe({"": {"a": 0.7, "•": 0.3}}, {"a": 0.2, "•": 0.8}, 3, 3),
        _probe({"": {"a": 0.7, "•": 0.3}}, {"a": 0.2, "•": 0.8}, 1, 3),  # an end is seen too early
        _probe({}, TIED, 5, 2),  # equal totals
        _probe({}, ends, 2, 1),  # • alone
        _probe({"": {"a": 1.0}, "a": {"•": 1.0}}, ends, 4, 2),  # fewer than asked for
        _probe({"": {"a": 0.5, "b": 0.5}}, {"a": 1.0}, 2, 3),  # nothing ends
    ]
    return fixed + [_drawn(n, longest, generator) for n, longest in ((1, 4), (3, 4), (6, 3))]


def _drawn(n: int, longest: int, generator: torch.Generator) -> Probe:
    while True:
        rows = torch.randn(5, 4, generator=generator).softmax(-1).tolist()
        named = [dict(zip("abc•", row, strict=True)) for row in rows]
        table = dict(zip(["", "a", "b", "c"], named, strict=False))
        probe = _probe(table, named[4], n, longest)
        every = n_best_exact_spec(probe.args["next_log_probs"], 99, longest)
        totals = [total for _, total in every]
        if all(a - b > GAP for a, b in zip(totals, totals[1:], strict=False)):
            return probe


def _probe(table: dict, otherwise: dict, n: int, longest: int) -> Probe:
    rows = [f"after {prefix or 'nothing'!r}: {_row(row)}" for prefix, row in table.items()]
    rows.append(f"after anything{' else' if table else ''}: {_row(otherwise)}")
    args = {"next_log_probs": NextLetters(table, otherwise, longest), "n": n, "longest": longest}
    return Probe(args, f"{'; '.join(rows)}; n = {n}, longest = {longest}")


def _row(row: dict[str, float]) -> str:
    return ", ".join(f"{token} {p:.3g}" for token, p in row.items())


class _AnyOrderOfTies(FunctionTask):
    """Equally probable outputs may come in any order, so outputs are read again one by one."""

    def _value(self, call: Call) -> Problem | None:
        model = call.probe.args["next_log_probs"]
        for place, (text, total) in enumerate(call.run.value, start=1):
            if abs(model.total(text) - float(plain(total))) > NEAR:
                facts = {"place": str(place), "yours": f"{text} {describe.number(plain(total))}"}
                return "another", facts | {"right": describe.number(model.total(text))}
        return None


TASK = _AnyOrderOfTies(
    spec=n_best_exact_spec,
    probes=probes,
    steps=(are_outputs, same_outputs),
    mutants=MUTANTS,
    law=asks_only_what_can_win,
)
EXERCISES = (
    Exercise(
        "11.4",
        "n_best_exact",
        kind="I",
        difficulty=4,
        importance=5,
        minutes=25,
        points=5,
        task=TASK,
        reference=n_best_exact,
        words=words_beside(__file__),
        alternatives=(n_best_exact_with_bound,),
    ),
)
