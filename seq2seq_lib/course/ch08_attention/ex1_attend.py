"""Exercise 8.1: scores, weights and context at once. Asked in the chapter itself."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch08_attention.batches import fed, normal, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import Problem
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import masked_softmax, sequence_mask

Pair = tuple[Tensor, Tensor]


def attend_spec(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    weights = torch.zeros(q.size(0), q.size(1), k.size(1))
    for b in range(q.size(0)):
        for t in range(q.size(1)):
            real = [s for s in range(k.size(1)) if mask[b, s]]
            scores = torch.stack([q[b, t] @ k[b, s] / q.size(-1) ** 0.5 for s in real])
            weights[b, t, real] = scores.softmax(0)
    return weights @ v, weights


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    scores = q @ k.mT / q.size(-1) ** 0.5  # [B, T, d] @ [B, d, S] -> [B, T, S]
    weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1)
    return weights @ v, weights


def attend_by_einsum(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    scores = torch.einsum("btd,bsd->bts", q, k) * q.size(-1) ** -0.5
    weights = masked_softmax(scores, mask.unsqueeze(1))
    return torch.einsum("bts,bsd->btd", weights, v), weights


# ---------------------------------------------------------------- wrong answers


def by(make, power: float = 0.5):
    """A wrong answer that differs in how scores ``[B, T, S]`` become weights."""

    def wrong(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
        weights = make(q @ k.mT / q.size(-1) ** power, mask[:, None])
        return weights @ v, weights

    return wrong


def filled(scores: Tensor, real: Tensor) -> Tensor:
    return scores.masked_fill(~real, -1e9)


def divided_again(least: float):
    """Times the mask after the softmax, then divided by the sum: right until that is 0."""

    def wrong(scores: Tensor, real: Tensor) -> Tensor:
        weights = scores.softmax(-1) * real
        return weights / weights.sum(-1, keepdim=True).clamp(min=least)

    return wrong


def swapped(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    context, weights = attend(q, k, v, mask)
    return weights, context


def keys_for_values(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Pair:
    return attend(q, k, k, mask)


MUTANTS = (
    Mutant("no_mask", by(lambda e, real: e.softmax(-1))),
    Mutant("mask_after", by(lambda e, real: e.softmax(-1) * real)),
    Mutant("divided_again", by(divided_again(0.0))),
    Mutant("divided_again", by(divided_again(1e-9))),
    Mutant("zero_fill", by(lambda e, real: e.masked_fill(~real, 0.0).softmax(-1))),
    Mutant("over_target", by(lambda e, real: filled(e, real).softmax(1) * real)),
    Mutant("over_target", by(lambda e, real: e.masked_fill(~real, -torch.inf).softmax(1))),
    Mutant("over_batch", by(lambda e, real: filled(e, real).softmax(0) * real)),
    Mutant("not_scaled", by(masked_softmax, 0.0)),
    Mutant("by_d", by(masked_softmax, 1.0)),
    Mutant("inverted", by(lambda e, real: e.masked_fill(real, -1e9).softmax(-1))),
    Mutant("inverted", by(lambda e, real: e.masked_fill(real, -torch.inf).softmax(-1))),
    Mutant("keys_for_values", keys_for_values),
    Mutant("swapped", swapped),
)


def is_pair(value: object, expected: Pair) -> Problem | None:
    """A step: two tensors of the expected shapes, in this order."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return "not_a_pair", {}
    for part, name in zip(value, ("context", "weights"), strict=True):
        if not isinstance(part, Tensor):
            return "no_tensor", {"part": name, "type": type(part).__name__}
    if [list(v.shape) for v in value] != [list(v.shape) for v in expected]:
        shapes = ", ".join(str(list(v.shape)) for v in value)
        wanted = ", ".join(str(list(v.shape)) for v in expected)
        return "shape", {"shape": shapes, "expected": wanted}
    return None


def probes(generator: torch.Generator) -> list[Probe]:
    """Keys and values differ; at the pads both are large, and once far beyond the real scores."""
    drawn = []
    for lengths, S, T in sizes(generator):
        B, d = len(lengths), 3
        mask = sequence_mask(torch.tensor(lengths), S)
        q = normal(B, T, d, generator=generator)
        k, v = (normal(B, S, d, generator=generator) for _ in range(2))
        k, v = (x.where(mask[..., None], 6.0) for x in (k, v))
        args = {"q": q, "k": k, "v": v, "mask": mask}
        drawn.append(Probe(args, fed(lengths=lengths, S=S, T=T, d=d), gradient=False))
    return [*drawn, far_pads(generator)]


def far_pads(generator: torch.Generator) -> Probe:
    """The pads score some 200 more than what is real, whose exponentials then are 0 in float32."""
    lengths, S, T, d = [2, 4], 4, 3, 3
    mask = sequence_mask(torch.tensor(lengths), S)
    q, k, v = (normal(2, n, d, generator=generator) for n in (T, S, S))
    q[..., 0] = 2.0
    k[0, 2:, 0] = 200.0
    args = {"q": q, "k": k, "v": v, "mask": mask}
    words = fed(lengths=lengths, S=S, T=T, d=d)
    return Probe(args, f"{words}; the pads' scores are about 230", gradient=False)


TASK = FunctionTask(spec=attend_spec, probes=probes, steps=(is_pair,), mutants=MUTANTS)
EXERCISES = (
    Exercise(
        "8.1",
        "attend",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=6,
        points=0,
        task=TASK,
        reference=attend,
        words=words_beside(__file__),
        alternatives=(attend_by_einsum,),
    ),
)
