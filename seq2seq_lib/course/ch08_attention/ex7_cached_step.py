"""Exercise 8.7: causal self-attention, one token at a time."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch08_attention.batches import fed, normal
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside

Cache = tuple[Tensor, Tensor] | None
Stepped = tuple[Tensor, Any]


def cached_step_spec(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    keys, values = ([], []) if cache is None else (list(x.unbind(1)) for x in cache)
    keys, values = [*keys, k], [*values, v]
    rows = []
    for b in range(len(q)):
        scores = torch.stack([q[b] @ key[b] / q.size(-1) ** 0.5 for key in keys])
        weights = scores.softmax(0)
        rows.append(sum(w * value[b] for w, value in zip(weights, values, strict=True)))
    return torch.stack(rows), (torch.stack(keys, 1), torch.stack(values, 1))


def cached_step(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    keys, values = k[:, None], v[:, None]  # [B, d] -> [B, 1, d]
    if cache is not None:
        keys = torch.cat([cache[0], keys], 1)  # [B, t, d] and [B, 1, d] -> [B, t + 1, d]
        values = torch.cat([cache[1], values], 1)
    scores = q[:, None] @ keys.mT / q.size(-1) ** 0.5  # [B, 1, d] @ [B, d, t + 1]
    return (scores.softmax(-1) @ values)[:, 0], (keys, values)


def cached_step_by_einsum(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    old = (q.new_empty(len(q), 0, q.size(-1)),) * 2 if cache is None else cache
    keys, values = (
        torch.cat([before, now.unsqueeze(1)], 1) for before, now in zip(old, (k, v), strict=True)
    )
    weights = torch.einsum("bd,btd->bt", q, keys).div(q.size(-1) ** 0.5).softmax(-1)
    return torch.einsum("bt,btd->bd", weights, values), (keys, values)


# ---------------------------------------------------------------- wrong answers


def before_appending(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    new = cached_step(q, k, v, cache)[1]
    if cache is None:
        return torch.zeros_like(v), new
    scores = q[:, None] @ cache[0].mT / q.size(-1) ** 0.5
    return (scores.softmax(-1) @ cache[1])[:, 0], new


def only_its_own(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    return v.clone(), cached_step(q, k, v, cache)[1]


def keys_as_values(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    return cached_step(q, k, k, cache)


def not_scaled(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    return cached_step(q * q.size(-1) ** 0.5, k, v, cache)


def not_handed_on(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    output, new = cached_step(q, k, v, cache)
    return output, new if cache is None else cache


def keys_in_front(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    keys, values = k[:, None], v[:, None]
    if cache is not None:
        keys, values = torch.cat([keys, cache[0]], 1), torch.cat([cache[1], values], 1)
    weights = (q[:, None] @ keys.mT / q.size(-1) ** 0.5).softmax(-1)
    return (weights @ values)[:, 0], (keys, values)


def newest_first(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    """The output is right, because attention does not know an order."""
    output, (keys, values) = cached_step(q, k, v, cache)
    keys, values = (torch.cat([x[:, -1:], x[:, :-1]], 1) for x in (keys, values))
    return output, (keys, values)


def summed(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    _, (keys, values) = cached_step(q, k, v, cache)
    return (q[:, None] @ keys.mT / q.size(-1) ** 0.5 @ values)[:, 0], (keys, values)


def over_the_query(q: Tensor, k: Tensor, v: Tensor, cache: Cache) -> Stepped:
    """A softmax over the axis of the one query: each weight is 1."""
    _, (keys, values) = cached_step(q, k, v, cache)
    return values.sum(1), (keys, values)


MUTANTS = (
    Mutant("before_appending", before_appending),
    Mutant("only_its_own", only_its_own),
    Mutant("keys_as_values", keys_as_values),
    Mutant("not_scaled", not_scaled),
    Mutant("not_handed_on", not_handed_on),
    Mutant("keys_in_front", keys_in_front),
    Mutant("newest_first", newest_first),
    Mutant("no_softmax", summed),
    Mutant("over_the_query", over_the_query),
)


def gives_output(value: Any, expected: Stepped) -> Problem | None:
    """A step: two things, and the first has the shape of the output."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return "not_a_pair", {}
    if not isinstance(value[0], Tensor):
        return "no_tensor", {"type": type(value[0]).__name__}
    shape, wanted = list(value[0].shape), list(expected[0].shape)
    return None if shape == wanted else ("shape", {"shape": str(shape), "expected": str(wanted)})


def probes(generator: torch.Generator) -> list[Probe]:
    """First steps and later ones; the cache is that of the slow loop."""
    drawn = []
    for B, T, d in ((2, 1, 3), (2, 3, 3), (4, 5, 2), (1, 4, 4), (1, 1, 1), (3, 2, 1)):
        q, k, v = (normal(B, T, d, generator=generator) for _ in range(3))
        cache = (k[:, :-1].clone(), v[:, :-1].clone()) if T > 1 else None
        args = {"q": q[:, -1], "k": k[:, -1], "v": v[:, -1], "cache": cache}
        drawn.append(Probe(args, fed(B=B, d=d, tokens_in_the_cache=T - 1), False))
    return drawn


TASK = FunctionTask(spec=cached_step_spec, probes=probes, steps=(gives_output,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "8.7",
        "cached_step",
        kind="I",
        difficulty=4,
        importance=5,
        minutes=20,
        points=5,
        task=TASK,
        reference=cached_step,
        words=words_beside(__file__),
        alternatives=(cached_step_by_einsum,),
    ),
)
