"""Exercise 5.9: what a smoothed loss is made of."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown, sizes, targets_of
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside


def loss_parts_spec(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    N, V = logits.shape
    nll = loss = floor = 0.0
    for row, target in zip(logits.double(), targets.tolist(), strict=True):
        log_probs = row.log_softmax(0).tolist()
        nll -= log_probs[target] / N
        for word in range(V):
            q = smoothing / V + (1 - smoothing) * (word == target)
            if q > 0:
                loss -= q * log_probs[word] / N
                floor -= q * float(torch.tensor(q, dtype=torch.float64).log()) / N
    return {"nll": nll, "loss": loss, "floor": floor}


def loss_parts(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    N, V = logits.shape
    wanted = F.one_hot(targets, V) * (1 - smoothing) + smoothing / V  # [N, V], q
    loss = F.cross_entropy(logits, targets, label_smoothing=smoothing)
    return {
        "nll": F.cross_entropy(logits, targets).item(),
        "loss": loss.item(),
        "floor": torch.special.entr(wanted).sum(-1).mean().item(),  # -q log q, and 0 for q = 0
    }


def loss_parts_by_hand(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    V = logits.size(-1)
    log_probs = logits.log_softmax(-1)
    nll = -log_probs.gather(-1, targets[:, None]).mean()
    loss = (1 - smoothing) * nll - smoothing * log_probs.mean()
    q = torch.full((V,), smoothing / V, dtype=torch.float64)
    q[0] += 1 - smoothing
    floor = -torch.xlogy(q, q).sum()
    return {"nll": nll.item(), "loss": loss.item(), "floor": floor.item()}


# ---------------------------------------------------------------- wrong answers


def no_floor(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    return loss_parts(logits, targets, smoothing) | {"floor": 0.0}


def others_only(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    """ε shared by the other V - 1 words, as fairseq has it."""
    V = logits.size(-1)
    return loss_parts(logits, targets, smoothing * V / max(1, V - 1) if V > 1 else 0.0)


def tempered(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    return loss_parts(logits * (1 - smoothing), targets, 0.0) | {
        "floor": loss_parts(logits, targets, smoothing)["floor"]
    }


def smoothed_as_nll(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    parts = loss_parts(logits, targets, smoothing)
    return parts | {"nll": parts["loss"]}


def changed(name: str, change: Any) -> Any:
    """The reference with one number replaced: ``change(logits, targets, smoothing, parts)``."""

    def wrong(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
        parts = loss_parts(logits, targets, smoothing)
        return parts | {name: float(change(logits, targets, smoothing, parts))}

    return wrong


def summed(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    parts = loss_parts(logits, targets, smoothing)
    return parts | {name: parts[name] * len(targets) for name in ("nll", "loss")}


def swapped(logits: Tensor, targets: Tensor, smoothing: float) -> dict[str, float]:
    parts = loss_parts(logits, targets, smoothing)
    return parts | {"nll": parts["loss"], "loss": parts["nll"]}


def nan_floor(logits: Tensor, targets: Tensor, smoothing: float) -> float:
    q = F.one_hot(targets, logits.size(-1)) * (1 - smoothing) + smoothing / logits.size(-1)
    return float(-(q * q.log()).sum(-1).mean())


def target_alone(logits: Tensor, smoothing: float) -> float:
    """The target's entry of q without its own share of ε."""
    V = logits.size(-1)
    q = torch.tensor([1 - smoothing] + [smoothing / V] * (V - 1))
    return float(torch.special.entr(q).sum())


MUTANTS = (
    Mutant("swapped", swapped),
    Mutant("summed", summed),
    Mutant("floor_summed", changed("floor", lambda z, y, e, parts: parts["floor"] * len(y))),
    Mutant("floor_negative", changed("floor", lambda z, y, e, parts: -parts["floor"])),
    Mutant("floor_in_bits", changed("floor", lambda z, y, e, parts: parts["floor"] / math.log(2))),
    Mutant("floor_uniform", changed("floor", lambda z, y, e, parts: math.log(z.size(-1)))),
    Mutant("floor_uniform", changed("floor", lambda z, y, e, parts: e * math.log(z.size(-1)))),
    Mutant("floor_not_one", changed("floor", lambda z, y, e, parts: target_alone(z, e))),
    Mutant("floor_nan", changed("floor", lambda z, y, e, parts: nan_floor(z, y, e))),
    Mutant("no_uniform", changed("loss", lambda z, y, e, parts: (1 - e) * parts["nll"])),
    Mutant("divergence", changed("loss", lambda z, y, e, parts: parts["loss"] - parts["floor"])),
    Mutant("fixed_smoothing", lambda z, y, e: loss_parts(z, y, 0.1)),
    Mutant("no_floor", no_floor),
    Mutant("others_only", others_only),
    Mutant("tempered", tempered),
    Mutant("smoothed_as_nll", smoothed_as_nll),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Smoothing of .1, .2, none and much; one row, one word."""
    drawn = []
    for (N, V), smoothing in zip(sizes(generator), (0.1, 0.2, 0.0, 0.5, 0.1, 0.1), strict=True):
        source = torch.Generator().manual_seed(5) if not drawn else generator
        logits = torch.randn(N, V, generator=source) * 2
        targets = targets_of(N, V, source)
        words = f"{shown(logits)}, targets = {targets.tolist()}, smoothing = {smoothing}"
        args = {"logits": logits, "targets": targets, "smoothing": smoothing}
        drawn.append(Probe(args, words, gradient=False))
    return drawn


def are_three_numbers(value: Any, expected: Any) -> Problem | None:
    """A step: a dict of three numbers with the right keys."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict):
        return "not_a_dict", {}
    if value.keys() != expected.keys():
        return "keys", {"keys": ", ".join(map(repr, value)) or "none"}
    for key, number in value.items():
        if isinstance(number, bool) or not isinstance(number, float | int):
            return "not_numbers", {"key": repr(key)}
    return None


TASK = FunctionTask(
    spec=loss_parts_spec, probes=probes, steps=(are_three_numbers,), mutants=MUTANTS
)
EXERCISES = (
    Exercise(
        "5.9",
        "loss_parts",
        kind="X",
        difficulty=4,
        importance=3,
        minutes=45,
        points=6,
        task=TASK,
        reference=loss_parts,
        words=words_beside(__file__),
        alternatives=(loss_parts_by_hand,),
        manual=True,
    ),
)
