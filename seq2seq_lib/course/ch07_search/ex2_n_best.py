"""7.2 ``n_best``: exact search that asks the model nothing which cannot matter."""

import bisect
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch

from seq2seq_lib.course.ch07_search import steps
from seq2seq_lib.course.ch07_search.given import NextLogProbs
from seq2seq_lib.course.ch07_search.mistakes import (
    as_probabilities,
    backwards,
    best_only,
    by_length,
    by_mean,
    no_return,
    or_none,
    shifted,
    tokens_only,
    without_end,
)
from seq2seq_lib.course.ch07_search.searches import Pairs, best_first
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.laws import HashModel, TableModel
from seq2seq_lib.laws.verdict import Check, Verdict
from seq2seq_lib.vocab import EOS_ID

ALL = 10**6  # outputs: more than there are
GAP = 1e-5  # nats between two outputs that are ranked: no check turns on rounding

# ---------------------------------------------------------------- right answers


def n_best_spec(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    """Right, and it asks about everything: the list is what counts here."""
    found = []

    def grow(tokens: tuple, total: float) -> None:
        for token, log_prob in enumerate(next_log_probs(tokens)):
            longer = (*tokens, token)
            if log_prob == -math.inf:
                continue
            if token == EOS_ID:
                found.append((longer, total + log_prob))
            elif len(longer) < max_len:
                grow(longer, total + log_prob)

    grow((), 0.0)
    return best_first(found)[:n]


def n_best(next_log_probs: Callable, max_len: int, n: int) -> list[tuple[tuple[int, ...], float]]:
    waiting, found = [(0.0, ())], []  # a heap of (cost, tokens): the cheapest comes first
    while waiting and len(found) < n:
        cost, tokens = heapq.heappop(waiting)
        if tokens[-1:] == (EOS_ID,):  # whatever still waits costs more, and so does its future
            found.append((tokens, -cost))
        elif len(tokens) < max_len:
            for token, log_prob in enumerate(next_log_probs(tokens)):
                if log_prob > -math.inf:
                    heapq.heappush(waiting, (cost - log_prob, (*tokens, token)))
    return found


def n_best_by_max(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    totals, found = {(): 0.0}, []
    while totals and len(found) < n:
        best = max(totals, key=totals.get)
        total = totals.pop(best)
        if best and best[-1] == EOS_ID:
            found.append([list(best), torch.tensor(total, dtype=torch.float64)])
            continue
        for token, log_prob in enumerate(next_log_probs(best) if len(best) < max_len else []):
            if math.isfinite(log_prob):
                totals[(*best, token)] = total + log_prob
    return found


def n_best_by_insertion(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    """The most probable first, in a list that stays sorted."""
    ranked, found = [(0.0, ())], []
    while ranked:
        total, tokens = ranked.pop()
        if tokens and tokens[-1] == EOS_ID:
            found.append((tokens, total))
            if len(found) == n:
                break
        elif len(tokens) < max_len:
            log_probs = next_log_probs(tokens)
            for token in (t for t in range(len(log_probs)) if log_probs[t] != -math.inf):
                bisect.insort(ranked, (total + log_probs[token], (*tokens, token)))
    return found


# ---------------------------------------------------------------- probes


SMALL = {  # and 5 is impossible
    (): {EOS_ID: 0.2, 3: 0.5, 4: 0.3},
    (3,): {EOS_ID: 0.6, 3: 0.3, 4: 0.1},
    (4,): {EOS_ID: 0.9, 4: 0.1},
}
GARDEN = {(): {3: 0.6, 4: 0.4}, (3,): {EOS_ID: 0.3, 3: 0.3, 4: 0.4}, (4,): {EOS_ID: 1.0}}
RARE = {(): {EOS_ID: 0.7, 3: 0.2999, 4: 0.0001}, (3,): {EOS_ID: 1.0}, (4,): {EOS_ID: 1.0}}


def n_best_probes(generator: torch.Generator) -> list[Probe]:
    """``(next_log_probs, max_len, n)``."""
    fixed = [
        _table_probe(SMALL, max_len=2, n=5),
        _table_probe(RARE, max_len=2, n=3),
        _hash_probe(HashModel(5, seed=2), max_len=3, n=40),  # more than there are
        _table_probe(GARDEN, max_len=3, n=1),  # the best one begins with the less probable word
        _table_probe(SMALL, max_len=1, n=2),  # the empty output, or nothing
        _table_probe({(): {3: 0.6, 4: 0.4}, (3,): {3: 1.0}, (4,): {4: 1.0}}, max_len=2, n=1),
    ]
    drawn = [_drawn(*case, generator) for case in ((6, 4, 3), (7, 2, 1), (5, 4, 6))]
    return fixed + drawn


def _drawn(V: int, max_len: int, n: int, generator: torch.Generator) -> Probe:
    while True:
        seed = int(torch.randint(10**6, (), generator=generator))
        probe = _hash_probe(HashModel(V, seed=seed), max_len, n)
        totals = [total for _, total in n_best_spec(probe.args["next_log_probs"], max_len, ALL)]
        if min(one - two for one, two in pairwise(totals)) > GAP:
            return probe


def _table_probe(table: dict[tuple[int, ...], dict[int, float]], max_len: int, n: int) -> Probe:
    rows = "; ".join(
        f"after {list(prefix) if prefix else 'nothing'} "
        + ", ".join(f"{'EOS' if token == EOS_ID else token} {prob}" for token, prob in row.items())
        for prefix, row in table.items()
    )
    reader = NextLogProbs(TableModel(table, vocab_size=6), max_len=max_len)
    return _probe(reader, f"the logarithms of: {rows}", max_len, n)


def _hash_probe(model: HashModel, max_len: int, n: int) -> Probe:
    reader = NextLogProbs(model, torch.tensor([[4, EOS_ID]]), torch.tensor([2]), max_len)
    words = f"words 3 to {model.vocab_size - 1}, EOS = 2, log-probabilities after any prefix"
    return _probe(reader, words, max_len, n)


def _probe(reader: NextLogProbs, words: str, max_len: int, n: int) -> Probe:
    args = {"next_log_probs": reader, "max_len": max_len, "n": n}
    return Probe(args, f"{words}; max_len = {max_len}, n = {n}")


@dataclass(frozen=True)
class Watched:
    """A model as a function of the prefix that writes down what it was asked."""

    model: NextLogProbs
    asked: list[tuple[int, ...]] = field(default_factory=list)

    def __call__(self, prefix: tuple[int, ...]) -> list[float]:
        self.asked.append(tuple(map(int, prefix)))
        return self.model(prefix)

    def total(self, tokens: tuple[int, ...]) -> float:
        """The log-probability of ``tokens``."""
        return sum(self.model(tokens[:t])[token] for t, token in enumerate(tokens))


def asks_only_what_can_win(answer: Callable) -> Verdict:
    """Whether no prefix is asked about that is less probable than all n outputs it returns."""
    max_len, n, name = 5, 3, "what the model was asked"
    needless = []
    for seed in range(3):
        model = Watched(NextLogProbs(HashModel(7, seed=seed, eos_bias=1.0), max_len=max_len))
        last = float(list(answer(model, max_len, n))[n - 1][1])
        worse = [prefix for prefix in model.asked if model.total(prefix) < last - steps.NEAR]
        if worse:
            first = steps.spelt(worse[0])
            needless.append(
                f"The model was asked {len(model.asked)} times, and {len(worse)} of the prefixes "
                f"could not win, for instance {first}: log-probability "
                f"{model.total(worse[0]):.3f}, where the last of the {n} best has {last:.3f}."
            )
    text = needless[0] if needless else ""
    check = Check(name, float(bool(text)), 0.0, not text, text)
    return Verdict("exact search", not text, check.max_diff, 0.0, text, "", (check,))


# ---------------------------------------------------------------- wrong answers


def exhaustive(
    number: Callable[[list[float]], float] = sum,
    *,
    kept: Callable[[tuple, int], bool] = lambda tokens, longest: tokens[-1] == EOS_ID,
    goes_on: Callable[[tuple, int], bool] = lambda tokens, longest: (
        tokens[-1] != EOS_ID and len(tokens) < longest
    ),
    skips: Callable[[int, float], bool] = lambda token, log_prob: log_prob == -math.inf,
    reads: Callable[[tuple], tuple] = lambda tokens: tokens,
) -> Callable:
    """All outputs, and the best n of them; each argument is a decision that can be wrong."""

    def n_best(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
        found, unfinished = [], [((), [])]
        while unfinished:
            tokens, parts = unfinished.pop(0)
            for token, log_prob in enumerate(next_log_probs(reads(tokens))):
                if not skips(token, log_prob):
                    longer = ((*tokens, token), [*parts, log_prob])
                    found.append(longer)
                    if goes_on(longer[0], max_len):
                        unfinished.append(longer)
        return best_first((t, number(parts)) for t, parts in found if kept(t, max_len))[:n]

    return n_best


def the_first_n(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    """Stops as soon as n outputs have ended, round by round."""
    finished, unfinished = [], [((), 0.0)]
    for _ in range(max_len):
        longer = []
        for tokens, total in unfinished:
            for token, log_prob in enumerate(next_log_probs(tokens)):
                if log_prob > -math.inf:
                    output = ((*tokens, token), total + log_prob)
                    (finished if token == EOS_ID else longer).append(output)
        if len(finished) >= n:
            break
        unfinished = longer
    return best_first(finished)[:n]


def taken_when_written(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    """The most probable one goes on, but an end counts as soon as it is written."""
    waiting, found = [(0.0, ())], []
    while waiting and len(found) < n:
        cost, tokens = heapq.heappop(waiting)
        for token, log_prob in enumerate(next_log_probs(tokens)):
            longer = (cost - log_prob, (*tokens, token))
            if log_prob == -math.inf:
                continue
            if token == EOS_ID:
                found.append((longer[1], -longer[0]))
            elif len(longer[1]) < max_len:
                heapq.heappush(waiting, longer)
    return best_first(found)[:n]


def beam_of_n(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    finished, unfinished = [], [((), 0.0)]
    for _ in range(max_len):
        longer = [
            ((*tokens, token), total + log_prob)
            for tokens, total in unfinished
            for token, log_prob in enumerate(next_log_probs(tokens))
            if log_prob > -math.inf
        ]
        finished += [output for output in longer if output[0][-1] == EOS_ID]
        unfinished = best_first(o for o in longer if o[0][-1] != EOS_ID)[:n]
    return best_first(finished)[:n]


def all_of_them(next_log_probs: Callable, max_len: int, n: int) -> Pairs:
    return n_best_spec(next_log_probs, max_len, ALL)


MUTANTS = (
    Mutant("no_return", no_return),
    Mutant("none_for_empty", or_none(n_best)),
    Mutant(
        "unfinished",
        exhaustive(kept=lambda tokens, longest: tokens[-1] == EOS_ID or len(tokens) == longest),
    ),
    Mutant("unfinished", exhaustive(kept=lambda tokens, longest: True)),
    Mutant("after_end", exhaustive(goes_on=lambda tokens, longest: len(tokens) < longest)),
    Mutant("no_end", without_end(n_best)),
    Mutant("special", exhaustive(skips=lambda token, log_prob: False)),
    Mutant("improbable", exhaustive(skips=lambda token, log_prob: log_prob < -8)),
    Mutant("end_not_scored", exhaustive(lambda parts: sum(parts[:-1]))),
    Mutant("probabilities", as_probabilities(n_best)),
    Mutant("product_of_logs", exhaustive(math.prod)),
    Mutant("divided", by_mean(n_best)),
    Mutant("last_only", exhaustive(lambda parts: parts[-1])),
    Mutant("last_as_prefix", exhaustive(reads=lambda tokens: tokens[-1:])),
    Mutant("worst_first", backwards(n_best)),
    Mutant("not_sorted", by_length(n_best)),
    Mutant("too_short", shifted(n_best, -1, place=1)),
    Mutant("too_long", shifted(n_best, 1, place=1)),
    Mutant("best_only", best_only(n_best)),
    Mutant("all_of_them", all_of_them),
    Mutant("first_to_end", the_first_n),
    Mutant("first_to_end", taken_when_written),
    Mutant("a_beam", beam_of_n),
    Mutant("not_outputs", tokens_only(n_best)),
)

# ---------------------------------------------------------------- the exercise


def explain(probe: Probe, value: Any, expected: Any) -> Problem | None:
    """Reads each output again with the function that was searched."""
    problem = steps.explain(probe, value, expected, probe.args["next_log_probs"])
    if problem is None or problem[0] == "extra":
        counts = {"yours": str(len(value)), "right": str(len(expected)), "n": str(probe.args["n"])}
        return ("all_of_them", counts) if len(value) > len(expected) else problem
    return problem


EXERCISES = (
    Exercise(
        "7.2",
        "n_best",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=15,
        points=3,
        task=FunctionTask(
            spec=n_best_spec,
            probes=n_best_probes,
            steps=(steps.is_list_of(2), *steps.STEPS),
            mutants=MUTANTS,
            explain=explain,
            law=asks_only_what_can_win,
        ),
        reference=n_best,
        alternatives=(n_best_by_max, n_best_by_insertion),
        words=words_beside(__file__),
    ),
)
