"""Exercise 4.9: who gets the gradient, in one batch and in accumulated micro-batches."""

from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.probes import log_prob_probes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import sequence_mask

KEYS = ("token", "sentence", "accumulated")


def gradient_shares(log_probs: Tensor, targets: Tensor, lengths: Tensor, micro_size: int) -> dict:
    log_probs = log_probs.detach().clone().requires_grad_()  # [B, T, V]
    mask = sequence_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0].masked_fill(~mask, 0)  # [B, T]
    parts = zip(nll.split(micro_size), mask.split(micro_size), strict=True)
    losses = {
        "token": nll.sum() / mask.sum(),
        "sentence": (nll.sum(1) / lengths).mean(),
        "accumulated": torch.stack([part.sum() / real.sum() for part, real in parts]).mean(),
    }
    shares = {}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, log_probs, retain_graph=True)
        by_sentence = gradient.abs().sum((1, 2))  # [B, T, V] -> [B]
        shares[name] = (by_sentence[lengths.argmax()] / by_sentence.sum()).item()
    return shares


def shares_by_arithmetic(
    log_probs: Tensor, targets: Tensor, lengths: Tensor, micro_size: int
) -> dict[str, float]:
    parts = lengths.split(micro_size)
    longest, at = lengths.max().item(), lengths.argmax().item()
    return {
        "token": longest / lengths.sum().item(),
        "sentence": 1 / len(lengths),
        "accumulated": longest / parts[at // micro_size].sum().item() / len(parts),
    }


# ---------------------------------------------------------------- wrong answers


def of_the_shortest(
    log_probs: Tensor, targets: Tensor, lengths: Tensor, micro_size: int
) -> dict[str, float]:
    parts, at = lengths.split(micro_size), lengths.argmin().item()
    return {
        "token": lengths.min().item() / lengths.sum().item(),
        "sentence": 1 / len(lengths),
        "accumulated": lengths.min().item() / parts[at // micro_size].sum().item() / len(parts),
    }


def with_pads(
    log_probs: Tensor, targets: Tensor, lengths: Tensor, micro_size: int
) -> dict[str, float]:
    everything = torch.full_like(lengths, targets.size(1))
    shares = shares_by_arithmetic(log_probs, targets, everything, micro_size)
    at, parts = lengths.argmax().item(), everything.split(micro_size)
    return shares | {"accumulated": 1 / len(parts[at // micro_size]) / len(parts)}


def sums_accumulated(*batch: Any) -> dict[str, float]:
    shares = shares_by_arithmetic(*batch)
    return shares | {"accumulated": shares["token"]}


def of_the_loss(
    log_probs: Tensor, targets: Tensor, lengths: Tensor, micro_size: int
) -> dict[str, float]:
    mask = sequence_mask(lengths, targets.size(1))
    nll = -log_probs.gather(-1, targets[..., None])[..., 0].masked_fill(~mask, 0)  # [B, T]
    sums, longest = nll.sum(1), lengths.argmax()  # [B]
    tokens = torch.cat([part.sum().expand(len(part)) for part in lengths.split(micro_size)])
    by_name = {"token": sums, "sentence": sums / lengths, "accumulated": sums / tokens}
    return {name: (part[longest] / part.sum()).item() for name, part in by_name.items()}


MUTANTS = (
    Mutant("of_the_loss", of_the_loss),
    Mutant("shortest", of_the_shortest),
    Mutant("with_pads", with_pads),
    Mutant("sums_accumulated", sums_accumulated),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """Batches with one longest sentence, in micro-batches of two."""
    drawn = []
    for probe in log_prob_probes(generator):
        lengths = probe.args["lengths"]
        if len(lengths) > 2 and (lengths == lengths.max()).sum() == 1:
            drawn.append(Probe(probe.args | {"micro_size": 2}, f"{probe.fed}, micro_size = 2"))
    return drawn


def are_three_shares(value: Any, expected: Any) -> Problem | None:
    """A step: a dict with three numbers between 0 and 1."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict):
        return "not_a_dict", {}
    if value.keys() != expected.keys():
        return "keys", {"keys": ", ".join(map(repr, value)) or "none"}
    for key, share in value.items():
        if isinstance(share, bool) or not isinstance(share, float | int):
            return "not_numbers", {"key": repr(key)}
        if not 0 <= share <= 1:
            return "range", {"key": repr(key), "value": f"{share:.4g}"}
    return None


def are_ordered(value: Any, expected: Any) -> Problem | None:
    """A step: the sentence mean gives the longest sentence less than the token mean does."""
    if value["sentence"] < value["token"]:
        return None
    return "ordering", {name: f"{value[name]:.3g}" for name in ("token", "sentence")}


TASK = FunctionTask(
    spec=shares_by_arithmetic,
    probes=probes,
    steps=(are_three_shares, are_ordered),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "4.9",
        "gradient_shares",
        kind="X",
        difficulty=4,
        importance=3,
        minutes=45,
        points=6,
        task=TASK,
        reference=gradient_shares,
        words=words_beside(__file__),
        alternatives=(shares_by_arithmetic,),
        manual=True,
    ),
)
