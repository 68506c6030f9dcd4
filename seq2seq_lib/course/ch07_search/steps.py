"""Steps of this chapter: for lists of outputs, and for answers of several tensors.

An output is a pair (tokens, log-probability), best first; or a triple with a score behind, by which
they are sorted then. Tokens may be a list, a tuple or a tensor, a number may be a 0-dim tensor.
"""

import math
from collections.abc import Callable
from typing import Any

import torch

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem, is_tensor, plain
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

NEAR = 1e-4  # nats: float32 keeps 7 digits of a handful of numbers that are added up

HUGE = 10**9  # no sum of log-probabilities; float() has its limits

Output = tuple[tuple[int, ...], float]  # or with a score behind


def read(value: Any, size: int) -> list[Output] | None:
    """The outputs in one form, or None if an entry is none."""
    found = []
    for entry in value:
        if not isinstance(entry, list | tuple) or len(entry) != size:
            return None
        tokens, *numbers = (plain(item) for item in entry)
        if not isinstance(tokens, list | tuple):
            return None
        tokens = tuple(map(plain, tokens))
        if any(isinstance(part, bool) for part in (*tokens, *numbers)):
            return None
        if not all(isinstance(t, int) for t in tokens):
            return None
        if not all(isinstance(n, float) or (isinstance(n, int) and abs(n) < HUGE) for n in numbers):
            return None
        found.append((tokens, *map(float, numbers)))
    return found


def is_list_of(size: int) -> Callable[[Any, Any], Problem | None]:
    """Makes a step: a list of pairs (size 2) or triples (3) came back."""

    def step(value: Any, expected: Any) -> Problem | None:
        if value is None:
            return ("no_return" if expected else "none_for_empty"), {}
        if not isinstance(value, list | tuple):
            return "not_a_list", {}
        return None if read(value, size) is not None else ("not_outputs", {})

    return step


def is_its_own(value: Any, expected: Any) -> Problem | None:
    """A step: no two outputs are one and the same list, to which each has appended."""
    numbers = {}
    for tokens, number, *_ in value:
        known = numbers.setdefault(id(tokens), number)
        if isinstance(tokens, list) and plain(known) != plain(number):
            return "same_list", {}
    return None


def ends_once(value: Any, expected: Any) -> Problem | None:
    """A step: each output ends, and is over then."""
    every = [tuple(map(plain, tokens)) for tokens, *_ in value]
    if every and not any(EOS_ID in tokens for tokens in every):
        return ("no_end" if expected else "none_ends"), {"output": spelt(every[0])}
    for tokens in every:
        if EOS_ID in tokens[:-1]:
            return "after_end", {"output": spelt(tokens)}
    for tokens in every:
        if tokens[-1:] != (EOS_ID,):
            return "unfinished", {"output": spelt(tokens)}
    return None


def is_possible(value: Any, expected: Any) -> Problem | None:
    """A step: no PAD, no BOS, and no logarithm of 0."""
    for tokens, *numbers in value:
        facts = {"output": spelt(tokens), "yours": describe.number(numbers[0])}
        if {PAD_ID, BOS_ID} & set(map(plain, tokens)):
            return "special", facts
        if not all(math.isfinite(number) for number in numbers):
            return "impossible", facts
    return None


def keeps_its_words(value: Any, expected: Any) -> Problem | None:
    """A step: not the right numbers, all of them, beside other words."""
    found, right = (
        [entry[:2] for entry in read(v, len(v[0]))] if v else [] for v in (value, expected)
    )
    if sorted(len(tokens) for tokens, _ in found) != sorted(len(tokens) for tokens, _ in right):
        return None
    if not _near(sorted(number for _, number in found), sorted(number for _, number in right)):
        return None
    found, right = sorted(found), sorted(right)
    same = [tokens for tokens, _ in found] == [tokens for tokens, _ in right]
    if same and _near([number for _, number in found], [number for _, number in right]):
        return None
    return "words", {}


def _near(one: list[float], two: list[float]) -> bool:
    return all(abs(a - b) <= NEAR for a, b in zip(one, two, strict=True))


def is_distinct(value: Any, expected: Any) -> Problem | None:
    """A step: no output twice, neither with one number nor with two."""
    seen = {}
    for tokens, number, *_ in value:
        tokens, number = tuple(map(plain, tokens)), float(plain(number))
        if tokens not in seen:
            seen[tokens] = number
        elif abs(seen[tokens] - number) <= NEAR:
            return "twice", {"output": spelt(tokens)}
        else:
            numbers = {"one": seen[tokens], "two": number}
            facts = {name: describe.number(n) for name, n in numbers.items()}
            return "two_numbers", {"output": spelt(tokens)} | facts
    return None


def is_sorted(value: Any, expected: Any) -> Problem | None:
    """A step: best first, by their own last numbers."""
    numbers = [float(plain(entry[-1])) for entry in value]
    if all(one >= two - NEAR for one, two in zip(numbers, numbers[1:], strict=False)):
        return None
    facts = {"numbers": ", ".join(map(describe.number, numbers[:4]))}
    return ("worst_first" if numbers == sorted(numbers) else "not_sorted"), facts


STEPS = (is_its_own, ends_once, is_possible, keeps_its_words, is_distinct, is_sorted)


def explain(
    probe: Probe,
    value: Any,
    expected: Any,
    next_log_probs: Callable,
    *,
    size: int = 2,
    strange: str = "not_its_own",
) -> Problem | None:
    """What is wrong with a list of outputs: a number, one too many, or one that is missing.

    Args:
        next_log_probs: ``prefix -> list``; what each output is read again with.
        size: 2 for pairs, 3 with a score behind.
        strange: the finding for a number that no known mistake gives.
    """
    found, right = read(value, size), read(expected, size)
    longest, V = probe.args["max_len"], len(next_log_probs(()))
    for tokens, log_prob, *_ in found:
        facts = {"output": spelt(tokens), "max_len": str(longest)}
        if not all(0 <= token < V for token in tokens):
            return "no_such_token", facts
        if len(tokens) > longest:
            return "too_long", facts
        parts = parts_of(tokens, next_log_probs)
        if abs(log_prob - sum(parts)) > NEAR:
            numbers = {"yours": describe.number(log_prob), "right": describe.number(sum(parts))}
            return name_of_number(log_prob, parts) or strange, facts | numbers
    if size == 3:
        problem = explain_score(found, probe.args["alpha"])
        if problem:
            return problem
    known = {tokens for tokens, *_ in found}
    missing = [tokens for tokens, *_ in right if tokens not in known]
    extra = known - {tokens for tokens, *_ in right}
    if missing:
        too_short = not any(len(tokens) == longest for tokens in known)
        too_short &= all(len(tokens) == longest for tokens in missing)
        name = "too_short" if too_short and not extra else "missing"
        return name, {"output": spelt(missing[0]), "max_len": str(longest)}
    return ("extra", {"output": spelt(min(extra))}) if extra else None


def parts_of(tokens: tuple[int, ...], next_log_probs: Callable) -> list[float]:
    """The log-probability of each token after those before it."""
    return [next_log_probs(tokens[:t])[token] for t, token in enumerate(tokens)]


def name_of_number(yours: float, parts: list[float]) -> str | None:
    """Which known mistake gives this number for an output of these log-probabilities."""
    total = sum(parts)
    suspects = {
        "end_not_scored": sum(parts[:-1]),
        "probabilities": math.exp(total),
        "sign": -total,
        "product_of_logs": math.prod(parts),
        "divided": total / len(parts),
        "last_only": parts[-1],
    }
    near = (name for name, number in suspects.items() if abs(yours - number) <= NEAR)
    return next(near, None)


def explain_score(found: list[Output], alpha: float) -> Problem | None:
    """A score that is not log-probability / length ** alpha, and which known mistake it is."""
    for tokens, log_prob, score in found:
        n = len(tokens)
        if abs(score - log_prob / n**alpha) <= NEAR:
            continue
        suspects = {
            "wrong_sign": log_prob * n**alpha,
            "wrong_length": log_prob / (n + 1) ** alpha,
            "length_without_end": log_prob / max(n - 1, 1) ** alpha,
            "no_penalty": log_prob,
        }
        near = (name for name, number in suspects.items() if abs(score - number) <= NEAR)
        facts = {"output": spelt(tokens), "yours": describe.number(score), "alpha": str(alpha)}
        right = describe.number(log_prob / n**alpha)
        return next(near, "score"), facts | {"right": right, "length": str(n)}
    return None


def spelt(tokens: Any) -> str:
    """Ids in brackets."""
    return str([int(token) for token in tokens])


# ---------------------------------------------------------------- answers of several tensors


def are_tensors(count: int, name: str) -> Callable[[Any, Any], Problem | None]:
    """Makes a step: so many tensors came back."""

    def step(value: Any, expected: Any) -> Problem | None:
        if value is None:
            return "no_return", {}
        if not isinstance(value, list | tuple) or len(value) != count:
            return name, {}
        return next((problem for part in value if (problem := is_tensor(part, None))), None)

    return step


def are_rows_of_numbers(value: Any, expected: Any) -> Problem | None:
    """A step: 1-dim tensors; what names a place or a token is int64."""
    for part, like in zip(value, expected, strict=True):
        if part.dtype == torch.bool:
            return "masks", {}
        if part.is_floating_point() != like.is_floating_point():
            return "not_whole", {"dtype": str(part.dtype).removeprefix("torch.")}
        if part.dim() != 1:
            return "shape", {"shape": str(list(part.shape)), "expected": str(list(like.shape))}
    return None


def are_tables(value: Any, expected: Any) -> Problem | None:
    """A step: tensors ``[B, k]``; what names a row or a token is int64."""
    for part, like in zip(value, expected, strict=True):
        if part.dtype == torch.bool:
            return "masks", {}
        if part.is_floating_point() != like.is_floating_point():
            return "not_whole", {"dtype": str(part.dtype).removeprefix("torch.")}
        if part.shape != like.shape:
            return "shape", {"shape": str(list(part.shape)), "expected": str(list(like.shape))}
    return None


def are_in_order(value: Any, expected: Any) -> Problem | None:
    """A step: of three tensors the last one is the float."""
    floats = [part.is_floating_point() for part in value]
    return ("another_order", {}) if sum(floats) == 1 and not floats[-1] else None
