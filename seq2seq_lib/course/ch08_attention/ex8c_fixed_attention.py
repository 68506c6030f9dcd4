"""Exercise 8.8c: the patient, healed. Its alternatives are the innocents of 8.8b."""

import torch
from torch import Tensor

from seq2seq_lib.course.ch08_attention.batches import fed, normal, sizes
from seq2seq_lib.course.ch08_attention.patient import patient_attention
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside
from seq2seq_lib.masks import masked_softmax, sequence_mask


def attention_spec(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    contexts = []
    for b, length in enumerate(lengths.tolist()):
        scores = torch.stack([query[b] @ memory[b, s] for s in range(length)])
        weights = scores.exp() / scores.exp().sum()
        contexts.append(sum(w * memory[b, s] for s, w in enumerate(weights)))
    return torch.stack(contexts)


def fixed_attention(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, memory.size(1))  # [B, S], True = real token
    scores = torch.bmm(memory, query.unsqueeze(2)).squeeze(2)  # [B, S, H] @ [B, H, 1] -> [B, S]
    weights = scores.masked_fill(~mask, float("-inf")).softmax(1)
    return torch.bmm(weights.unsqueeze(1), memory).squeeze(1)  # [B, 1, S] @ [B, S, H] -> [B, H]


def by_masked_softmax(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    return torch.einsum("bs,bsh->bh", masked_softmax(scores, mask), memory)


def by_where(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    weights = torch.where(mask, scores, -1e9).softmax(1)
    return (weights[..., None] * memory).sum(1)


def row_by_row(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    rows = zip(query, memory, lengths.tolist(), strict=True)
    return torch.stack([(real[:n] @ q).softmax(0) @ real[:n] for q, real, n in rows])


# ---------------------------------------------------------------- wrong answers


def parts(query: Tensor, memory: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Scores ``[B, S]`` and mask ``[B, S]``."""
    scores = torch.einsum("bh,bsh->bs", query, memory)
    return scores, sequence_mask(lengths, memory.size(1))


def mixed(weights: Tensor, memory: Tensor) -> Tensor:
    return torch.einsum("bs,bsh->bh", weights, memory)


def mask_after(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    return mixed(scores.softmax(1) * mask, memory)


def zero_fill(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    return mixed(scores.masked_fill(~mask, 0.0).softmax(1), memory)


def over_batch(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    return mixed(masked_softmax(scores, mask, dim=0), memory)


def one_pad(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    return fixed_attention(query, memory, (lengths + 1).clamp(max=memory.size(1)))


def first_row_s_mask(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    return fixed_attention(query, memory, lengths[:1].expand_as(lengths))


def plain_mean(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    _, mask = parts(query, memory, lengths)
    return mixed(mask / lengths[:, None], memory)


def inverted(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    return mixed(scores.masked_fill(mask, -1e9).softmax(1), memory)


def scaled(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    return fixed_attention(query / query.size(1) ** 0.5, memory, lengths)


def renormalised(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    """Right on paper, and while pads leave the real tokens a weight that a float can hold."""
    scores, mask = parts(query, memory, lengths)
    weights = scores.softmax(1) * mask
    return mixed(weights / weights.sum(1, keepdim=True), memory)


def renormalised_and_guarded(query: Tensor, memory: Tensor, lengths: Tensor) -> Tensor:
    scores, mask = parts(query, memory, lengths)
    weights = scores.softmax(1) * mask
    return mixed(weights / weights.sum(1, keepdim=True).clamp(min=1e-30), memory)


MUTANTS = (
    Mutant("no_mask", patient_attention),
    Mutant("mask_after", mask_after),
    Mutant("zero_fill", zero_fill),
    Mutant("over_batch", over_batch),
    Mutant("one_pad", one_pad),
    Mutant("first_row", first_row_s_mask),
    Mutant("mean", plain_mean),
    Mutant("inverted", inverted),
    Mutant("scaled", scaled),
    Mutant("renormalised", renormalised),
    Mutant("renormalised", renormalised_and_guarded),
)


def probes(generator: torch.Generator) -> list[Probe]:
    """Memory is large at the pads: one leak and the context is far off. In the last batch the pads
    score so far beyond the real tokens that a softmax over all leaves these exactly 0.
    """
    drawn = []
    for lengths, S, _ in sizes(generator):
        B, H = len(lengths), 1 if S == 1 else 4
        n = torch.tensor(lengths)
        memory = normal(B, S, H, generator=generator)
        memory = memory.where(sequence_mask(n, S)[..., None], 7.0)
        args = {"query": normal(B, H, generator=generator), "memory": memory, "lengths": n}
        drawn.append(Probe(args, fed(lengths=lengths, S=S, H=H), gradient=False))
    n = torch.tensor([2, 5, 1])
    query = normal(3, 4, generator=generator)
    query = query.where(query != 0, 0.5)
    far = 1000 * query.sign()[:, None]  # a score of 1,000 x the sum of |query|
    memory = normal(3, 5, 4, generator=generator).where(sequence_mask(n, 5)[..., None], far)
    told = fed(lengths=n.tolist(), S=5, H=4, scores="above 400 at the pads")
    return [*drawn, Probe({"query": query, "memory": memory, "lengths": n}, told, gradient=False)]


TASK = FunctionTask(
    spec=attention_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
)
EXERCISES = (
    Exercise(
        "8.8c",
        "fixed_attention",
        kind="D",
        difficulty=2,
        importance=4,
        minutes=5,
        points=3,
        task=TASK,
        reference=fixed_attention,
        words=words_beside(__file__),
        alternatives=(by_masked_softmax, by_where, row_by_row),
    ),
)
