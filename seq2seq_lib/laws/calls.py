"""How the laws call what they judge: on copies, and watching what it should not do."""

import warnings
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.batching import Batch
from seq2seq_lib.laws.conventions import TimeFirst
from seq2seq_lib.laws.rounding import rounding_of
from seq2seq_lib.laws.trial import Trial

INPUTS = (
    "a write into an argument: clone it first; masked_fill, not masked_fill_; no index assignment, "
    "no in-place sort or roll"
)
NAN = (
    "where the NaN is born: a softmax over a row that is masked everywhere, 0 / 0 for an empty "
    "row, log(0), -inf times 0. torch.autograd.set_detect_anomaly(True) names the operation"
)
PROBABILITIES = (
    "logits or log-probabilities: these rows sum to 1, so a softmax was already taken, and the "
    "comparison would see differences between probabilities alone"
)


class Exited(RuntimeError):
    """The implementation called ``exit``."""


def copy(value: Any) -> Any:
    """Tensors, batches, and lists of them, anew; anything else (a state, a model) as it is."""
    if isinstance(value, Tensor):
        return value.clone()
    if type(value) in (list, tuple):
        return type(value)(copy(part) for part in value)
    if isinstance(value, Batch | TimeFirst):
        return type(value)(*(copy(getattr(value, field.name)) for field in fields(value)))
    return value


def changed(now: Any, before: Any, name: str) -> list[str]:
    """Which tensors and numbers of such a value are no longer what they were, by their names."""
    if isinstance(now, Tensor):
        return [] if torch.equal(now, before) else [name]
    if type(now) in (list, tuple):
        if type(before) is not type(now) or len(now) != len(before):
            return [name]
        pairs = zip(now, before, strict=True)
        return [n for a, b in pairs for n in changed(a, b, name)]
    if isinstance(now, Batch | TimeFirst):
        names = [field.name for field in fields(now)]
        return [n for f in names for n in changed(getattr(now, f), getattr(before, f), f)]
    return [name] if isinstance(now, int) and now != before else []


def watched(trial: Trial, function: Callable | None, *names: str) -> Callable | None:
    """``function`` on copies of its arguments. A write into one of them breaks the law.

    ``names`` are those of the arguments, for the message; those without a name (a state, which a
    cache may well change) are handed on as they are. The first result says how coarse its numbers
    are.
    """
    if function is None:
        return None
    first = True

    def call(*args: Any) -> Any:
        nonlocal first
        watch, rest = args[: len(names)], args[len(names) :]
        given, before = copy(watch), copy(watch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what an implementation warns of is not judged
            try:
                result = function(*given, *rest)
            except SystemExit as error:
                raise Exited(f"it called exit({error.code!r})") from None
        if first:
            trial.rounding, first = max(trial.rounding, rounding_of(result)), False
        pairs = list(zip(names, given, before, strict=False))
        bad = [n for name, now, then in pairs for n in changed(now, then, name)]
        if bad:
            trial.claim(
                "arguments stay as they were",
                False,
                counterexample=f"the call changed its argument {', '.join(dict.fromkeys(bad))}",
                look_at=INPUTS,
            )
        return result

    return call


def finite(trial: Trial, what: str, values: Tensor, fed: str) -> bool:
    """Record a NaN as what it is. Infinities may be meant: a banned token has -inf."""
    where = values.detach().isnan().nonzero()
    if len(where):
        trial.claim(
            f"{what}: no NaN",
            False,
            counterexample=f"{fed}: it is nan at {where[0].tolist()}, and {len(where)} numbers are",
            look_at=NAN,
        )
    return not len(where)
