"""Exercise 5.5: cross-entropy of a batch with class weights and ignored targets."""

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch05_nll_vs_cross_entropy.probes import shown
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import Exercise, Mutant
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import has_shape, is_finite_float, is_tensor
from seq2seq_lib.course.judging.words import words_beside

IGNORED = -100
HUGE = 1e4  # logits where the target is ignored


def weighted_loss_spec(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    total, count = logits.sum() * 0, 0.0
    B, T = targets.shape
    for b in range(B):
        for t in range(T):
            y = int(targets[b, t])
            if y != IGNORED:
                total = total - weight[y] * logits[b, t].log_softmax(-1)[y]
                count += float(weight[y])
    return total / count if count else total


def weighted_loss(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    kept = targets != -100  # [B, T]
    chosen = targets[kept]  # [N]
    log_probs = logits[kept].log_softmax(-1)  # [N, V]
    nll = -log_probs.gather(-1, chosen[:, None])[:, 0]  # [N]
    weights = weight[chosen]  # [N], one for each token, looked up by its target
    if not kept.any():
        return nll.sum()  # 0 of no tokens, not 0 / 0
    return (weights * nll).sum() / weights.sum()


def weighted_loss_of_torch(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    if (targets == -100).all():
        return logits.sum() * 0
    return F.cross_entropy(logits.transpose(1, 2), targets, weight=weight)


def weighted_loss_filled(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    kept = targets != -100
    index = targets.masked_fill(~kept, 0)
    used = weight[index].masked_fill(~kept, 0)  # [B, T]
    nll = logits.logsumexp(-1) - logits.gather(-1, index[..., None])[..., 0]
    return (used * nll.masked_fill(~kept, 0)).sum() / used.sum().clamp(min=1e-30)


# ---------------------------------------------------------------- wrong answers


def cells(logits: Tensor, targets: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """NLL, weight and whether it counts, each ``[B, T]``; 0 where it does not."""
    kept = targets != IGNORED
    index = targets.masked_fill(~kept, 0)
    nll = -logits.log_softmax(-1).gather(-1, index[..., None])[..., 0].masked_fill(~kept, 0)
    return nll, weight[index].masked_fill(~kept, 0), kept


def over(divisor) -> object:
    """The weighted sum over ``divisor(weights, kept, weight)``."""

    def wrong(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        nll, used, kept = cells(logits, targets, weight)
        return (used * nll).sum() / divisor(used, kept, weight).clamp(min=1e-30)

    return wrong


def divisor_at_least_1(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    nll, used, _ = cells(logits, targets, weight)
    return (used * nll).sum() / used.sum().clamp(min=1)


def ignored_weights_below(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    nll, used, _ = cells(logits, targets, weight)
    return (used * nll).sum() / weight[targets.clamp(min=0)].sum()


def no_weight(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    nll, _, kept = cells(logits, targets, weight)
    return nll.sum() / kept.sum().clamp(min=1)


def weights_below_alone(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    nll, used, _ = cells(logits, targets, weight)
    return nll.sum() / used.sum().clamp(min=1e-30)


def row_means(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    nll, used, _ = cells(logits, targets, weight)
    return ((used * nll).sum(1) / used.sum(1).clamp(min=1e-30)).mean()


def counted_as_zero(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    index = targets.clamp(min=0)
    return F.cross_entropy(logits.transpose(1, 2), index, weight=weight)


def reshaped(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    B, T, V = logits.shape
    return weighted_loss_of_torch(logits.reshape(B, V, T).transpose(1, 2), targets, weight)


def weighted_logits(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    return no_weight(logits * weight, targets, weight)


def through(change) -> object:
    """The right arithmetic on what is no logit."""

    def wrong(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        kept = targets != IGNORED
        index = targets.masked_fill(~kept, 0)
        picked = -change(logits).gather(-1, index[..., None])[..., 0].masked_fill(~kept, 0)
        used = weight[index].masked_fill(~kept, 0)
        return (used * picked).sum() / used.sum().clamp(min=1e-30)

    return wrong


def nothing_kept(logits: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), targets, weight=weight)


MUTANTS = (
    Mutant("over_tokens", over(lambda used, kept, weight: kept.sum().float())),
    Mutant("over_all_weights", over(lambda used, kept, weight: weight.sum())),
    Mutant("over_cells", over(lambda used, kept, weight: torch.tensor(float(used.numel())))),
    Mutant("summed", over(lambda used, kept, weight: torch.ones(()))),
    Mutant("divisor_at_least_1", divisor_at_least_1),
    Mutant("ignored_weights_below", ignored_weights_below),
    Mutant("no_weight", no_weight),
    Mutant("weights_below_alone", weights_below_alone),
    Mutant("row_means", row_means),
    Mutant("counted_as_zero", counted_as_zero),
    Mutant("reshaped", reshaped),
    Mutant("weighted_logits", weighted_logits),
    Mutant("shares_first", through(lambda z: z.softmax(-1).log_softmax(-1))),
    Mutant("shares_to_nll", through(lambda z: z.softmax(-1))),
    Mutant("logits_to_nll", through(lambda z: z)),
    Mutant("over_positions", through(lambda z: z.log_softmax(1))),
    Mutant("over_sentences", through(lambda z: z.log_softmax(0))),
    Mutant("sign", lambda z, y, w: -weighted_loss(z, y, w)),
    Mutant("nothing_kept", nothing_kept),
    Mutant("plain_number", lambda z, y, w: weighted_loss(z, y, w).item()),
    Mutant("no_gradient", lambda z, y, w: weighted_loss(z, y, w).detach()),
)


# ---------------------------------------------------------------- the exercise


def probes(generator: torch.Generator) -> list[Probe]:
    """B, T and V differ, but once; ignored positions hold huge logits.

    In the last batch but one the weights add up to less than 1; in the last all is ignored.
    """
    B, T, V = (int(torch.randint(low, low + 2, (), generator=generator)) for low in (3, 5, 7))
    shapes = [
        (2, 3, 4),
        (B, T, V),
        (4, 4, 4),
        (1, 5, 3),
        (3, 1, 5),
        (2, 2, 1),
        (1, 2, 3),
        (2, 3, 4),
    ]
    drawn = []
    for number, (B, T, V) in enumerate(shapes):
        source = torch.Generator().manual_seed(5) if number == 0 else generator
        targets = torch.randint(0, V, (B, T), generator=source)
        ignored = torch.rand(B, T, generator=source) < 0.3
        ignored[0, 0] = False
        if number == 0:
            ignored = torch.tensor([[False, False, False], [False, True, True]])
            targets = torch.tensor([[1, 3, 0], [2, 0, 0]])
        if number == len(shapes) - 1:
            ignored = torch.ones(B, T, dtype=torch.bool)
        logits = torch.randn(B, T, V, generator=source) * 2
        huge = HUGE * torch.randn(B, T, V, generator=source)
        logits = torch.where(ignored[..., None], huge, logits)
        targets = targets.masked_fill(ignored, IGNORED)
        weight = (torch.randint(1, 9, (V,), generator=source) / 2).float()
        if number == len(shapes) - 2:
            weight = weight / 20  # at most 0.2 each: two add up to less than 1
        words = f"logits [{B}, {T}, {V}], targets = {describe.rows(targets)}, "
        words += shown(weight, "weight")
        args = {"logits": logits, "targets": targets, "weight": weight}
        drawn.append(Probe(args, words))
    return drawn


TASK = FunctionTask(
    spec=weighted_loss_spec,
    probes=probes,
    steps=(is_tensor, has_shape, is_finite_float),
    mutants=MUTANTS,
    gradient_of="logits",
)
EXERCISES = (
    Exercise(
        "5.5",
        "weighted_loss",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=15,
        points=4,
        task=TASK,
        reference=weighted_loss,
        words=words_beside(__file__),
        alternatives=(weighted_loss_of_torch, weighted_loss_filled),
    ),
)
