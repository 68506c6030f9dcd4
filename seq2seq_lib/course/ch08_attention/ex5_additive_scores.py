"""Exercise 8.5: the additive score."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch08_attention.batches import fed, normal, sizes
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside


def additive_scores_spec(q: Tensor, keys: Tensor, W: Tensor, v: Tensor) -> Tensor:
    scores = torch.zeros(q.size(0), q.size(1), keys.size(1))
    for b in range(q.size(0)):
        for t in range(q.size(1)):
            for s in range(keys.size(1)):
                scores[b, t, s] = v @ torch.tanh(W @ q[b, t] + keys[b, s])
    return scores


def additive_scores(q: Tensor, keys: Tensor, W: Tensor, v: Tensor) -> Tensor:
    mapped = q @ W.T  # [B, T, Q] @ [Q, A] -> [B, T, A]
    mixed = torch.tanh(mapped[:, :, None] + keys[:, None])  # [B, T, 1, A] + [B, 1, S, A]
    return mixed @ v  # [B, T, S, A] @ [A] -> [B, T, S]


def additive_scores_step_by_step(q: Tensor, keys: Tensor, W: Tensor, v: Tensor) -> Tensor:
    steps = [torch.tanh(q[:, t] @ W.T + keys.transpose(0, 1)) @ v for t in range(q.size(1))]
    return torch.stack(steps).permute(2, 0, 1)  # [T, S, B] -> [B, T, S]


# ---------------------------------------------------------------- wrong answers


def both(q: Tensor, keys: Tensor, W: Tensor) -> tuple[Tensor, Tensor]:
    return (q @ W.T)[:, :, None], keys[:, None]


def last_query(q: Tensor, keys: Tensor, W: Tensor, v: Tensor) -> Tensor:
    return additive_scores(q[:, -1:].expand_as(q), keys, W, v)


def wrong(make):
    return lambda q, keys, W, v: make(*both(q, keys, W), v)


MUTANTS = (
    Mutant("no_tanh", wrong(lambda x, k, v: (x + k) @ v)),
    Mutant("tanh_each", wrong(lambda x, k, v: (torch.tanh(x) + torch.tanh(k)) @ v)),
    Mutant("tanh_last", wrong(lambda x, k, v: torch.tanh((x + k) @ v))),
    Mutant("product", wrong(lambda x, k, v: torch.tanh(x * k) @ v)),
    Mutant("mean", wrong(lambda x, k, v: (torch.tanh(x + k) * v).mean(-1))),
    Mutant("softmax", lambda q, keys, W, v: additive_scores(q, keys, W, v).softmax(-1)),
    Mutant("last_query", last_query),
    Mutant("turned", lambda q, keys, W, v: additive_scores(q, keys, W, v).mT),
)


def probes(generator: torch.Generator) -> list[Probe]:
    """B, T, S, Q and A differ; Q = A = 1 in the last one."""
    drawn = []
    for lengths, S, T in sizes(generator):
        B, Q = len(lengths), 1 if S == 1 else 2
        A = 1 if B == S == 1 else 5
        shapes = {"q": (B, T, Q), "keys": (B, S, A), "W": (A, Q), "v": (A,)}
        args = {name: normal(*shape, generator=generator) for name, shape in shapes.items()}
        drawn.append(Probe(args, fed(B=B, T=T, S=S, Q=Q, A=A), False))
    return drawn


TASK = FunctionTask(
    spec=additive_scores_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "8.5",
        "additive_scores",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=additive_scores,
        words=words_beside(__file__),
        alternatives=(additive_scores_step_by_step,),
    ),
)
