"""Chapter 4, padding masks and masked loss: the exercises.

| id | the notebook hands in | points |
|---|---|---|
| 4.1 | a letter out of ``options_4_1()`` for ``hand_batch()`` | 1 |
| 4.2 | ``length_mask(lengths, max_len)`` -> bool ``[B, T]`` | 4 |
| 4.3 | ``masked_nll(log_probs, targets, lengths)`` -> 0-dim | 4 |
| 4.4 | ``masked_nll_by_select(log_probs, targets, lengths)`` -> 0-dim | 3 |
| 4.5 | ``masked_nll_by_ignore_index(logits, targets, lengths)`` -> 0-dim | 3 |
| 4.6a | a letter, the suspicious column of ``training_log()`` | 2 |
| 4.6b1, 4.6b2, 4.6b3 | ``test_patient(loss_function)``, raises AssertionError | 2 + 2 + 1 |
| 4.6c | ``fixed_loss(log_probs, targets, lengths)`` -> 0-dim | 3 |
| 4.7 | ``gradient_shares(log_probs, targets, lengths)`` -> dict of three floats | 6, by hand |

nbgrader gives a part of the points only by separate cells, so 4.6b is one answer and three check
cells, each with its id: the patient is rejected and right losses pass; five of the eight wrong
losses are; all eight are. All three say how many were.

In all of them lengths are int64 ``[B]``, at least 1; log_probs and logits are floats
``[B, T, V]``; targets are int64 ``[B, T]``, ids of the vocabulary, also at the pads.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.checks.exercise import Exercise, Mutant, register
from seq2seq_lib.checks.patient import patient_loss, training_log
from seq2seq_lib.checks.probes import (
    Probe,
    log_prob_probes,
    logit_probes,
    mask_probes,
    nan_probes,
)
from seq2seq_lib.checks.tasks import (
    ChoiceTask,
    DetectiveTask,
    FunctionTask,
    Problem,
    has_shape,
    is_bool,
    is_finite_float,
    is_tensor,
)
from seq2seq_lib.laws import Verdict, loss_ledger
from seq2seq_lib.masks import sequence_mask

__all__ = [
    "HAND_LENGTHS",
    "HAND_LOSSES",
    "hand_batch",
    "options_4_1",
    "patient_loss",
    "training_log",
]

# ------------------------------------------------------------------ 4.1 which number is the loss

HAND_LOSSES = torch.tensor(
    [
        [2.0, 1.0, 3.0, 40.0, 70.0],
        [6.0, 90.0, 50.0, 80.0, 30.0],
        [1.0, 4.0, 2.0, 1.0, 60.0],
    ]
)  # [B, T]; what stands at the pads means nothing
HAND_LENGTHS = torch.tensor([3, 1, 4])  # [B]


def hand_batch() -> tuple[Tensor, Tensor]:
    """Losses ``[3, 5]`` and lengths ``[3]``: fresh copies, so that a cell may write into them."""
    return HAND_LOSSES.clone(), HAND_LENGTHS.clone()


def options_4_1() -> dict[str, float]:
    """Six numbers that are all called the loss of the hand batch somewhere, the smallest first."""
    losses, lengths = hand_batch()
    mask = sequence_mask(lengths, losses.size(1))
    real = losses * mask
    numbers = [
        losses.mean(),
        real.mean(),
        real.sum(),
        real.sum() / mask.sum(),
        (real.sum(1) / lengths).mean(),
        real.mean(1).sum(),
    ]
    return dict(zip("ABCDEF", sorted(round(n.item(), 3) for n in numbers), strict=True))


WHICH_NUMBER = ChoiceTask(
    letters=("A", "B", "C", "D", "E", "F"),
    salt="4.1",
    reasons={
        "12fa04d6": "correct",
        "18da51fe": "with_pads",
        "24e1d058": "sentence_means",
        "527d72cf": "row_means",
        "6b75adab": "total",
        "e8f3b5d2": "over_cells",
    },
)

# ------------------------------------------------------------------ 4.2 a mask from lengths


def length_mask_spec(lengths: Tensor, max_len: int) -> Tensor:
    mask = torch.zeros(len(lengths), max_len, dtype=torch.bool)
    for b, length in enumerate(lengths.tolist()):
        for t in range(max_len):
            mask[b, t] = t < length
    return mask


def length_mask(lengths: Tensor, max_len: int) -> Tensor:
    positions = torch.arange(max_len, device=lengths.device)  # [T]
    return positions[None, :] < lengths[:, None]  # [1, T] < [B, 1] -> [B, T]


def length_mask_by_cumsum(lengths: Tensor, max_len: int) -> Tensor:
    counts = torch.ones(len(lengths), max_len, dtype=torch.int64).cumsum(1)  # 1, 2, ... T
    return counts.le(lengths.unsqueeze(-1))


def length_mask_by_table(lengths: Tensor, max_len: int) -> Tensor:
    triangle = torch.ones(max_len + 1, max_len).tril(-1).bool()  # row n has n ones
    return triangle[lengths]


def positions(max_len: int) -> Tensor:
    return torch.arange(max_len)


def mask_edits_input(lengths: Tensor, max_len: int) -> Tensor:
    return positions(max_len) < lengths.unsqueeze_(1)


def mask_without_return(lengths: Tensor, max_len: int) -> None:
    sequence_mask(lengths, max_len)


MASK_MUTANTS = (
    Mutant("no_return", mask_without_return),
    Mutant("transposed", lambda lengths, T: positions(T)[:, None] < lengths[None, :]),
    Mutant(
        "reshaped",
        lambda lengths, T: (positions(T)[:, None] < lengths).reshape(len(lengths), T),
    ),
    Mutant("one_too_many", lambda lengths, T: positions(T) <= lengths[:, None]),
    Mutant("one_too_few", lambda lengths, T: positions(T) + 1 < lengths[:, None]),
    Mutant("inverted", lambda lengths, T: positions(T) >= lengths[:, None]),
    Mutant("left", lambda lengths, T: positions(T) >= T - lengths[:, None]),
    Mutant("not_bool", lambda lengths, T: sequence_mask(lengths, T).float()),
    Mutant("not_bool", lambda lengths, T: sequence_mask(lengths, T).long()),
    Mutant("pad_id", lambda lengths, T: positions(T)[:, None].expand(T, T) != 0),
    Mutant("own_width", lambda lengths, T: sequence_mask(lengths)),
    Mutant("sorted", lambda lengths, T: sequence_mask(lengths.sort(descending=True).values, T)),
    Mutant("frozen", lambda lengths, T: sequence_mask(HAND_LENGTHS, HAND_LOSSES.size(1))),
    Mutant("argument_changed", mask_edits_input),
)


def mask_facts(probe: Probe, value: Any) -> dict[str, str]:
    """How many positions are on in each row, beside the lengths."""
    if not isinstance(value, Tensor) or value.dim() != 2:
        return {}
    return {
        "row_sums": str(value.sum(1).tolist()),
        "lengths": str(probe.args["lengths"].tolist()),
        "dtype": str(value.dtype).removeprefix("torch."),
    }


MASK = FunctionTask(
    spec=length_mask_spec,
    probes=mask_probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=MASK_MUTANTS,
    facts=mask_facts,
)

# ------------------------------------------------------------------ 4.3 the masked loss


def masked_nll_spec(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    losses = []
    for b, length in enumerate(lengths.tolist()):
        for t in range(length):
            losses.append(-log_probs[b, t, targets[b, t]])
    return torch.stack(losses).mean()


def masked_nll(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]  # [B, T]
    return (nll * mask).sum() / mask.sum()


def masked_nll_by_select(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    return F.nll_loss(log_probs[mask], targets[mask])  # [N, V], [N] -> []


def masked_nll_after_gather(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll = -log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)  # [B, T]
    return nll.masked_select(sequence_mask(lengths, nll.size(1))).mean()


def masked_nll_row_by_row(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total = torch.zeros(())
    for row, ids, length in zip(log_probs, targets, lengths.tolist(), strict=True):
        total = total - row[range(length), ids[:length]].sum()
    return total / lengths.sum()


def masked_nll_by_ignoring(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    # cross_entropy takes log_softmax once more, which changes nothing: it is idempotent
    ignored = targets.masked_fill(~sequence_mask(lengths, targets.size(1)), -100)
    return F.cross_entropy(log_probs.flatten(0, 1), ignored.flatten())


def fixed_loss(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t  # [B]
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1]).squeeze(1)  # [B], as the mask
        total = total + nll[mask].sum()
        tokens += int(mask.sum())
    return total / tokens


def parts(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """NLL ``[B, T]`` and mask ``[B, T]``, for the wrong losses below."""
    nll = -log_probs.gather(-1, targets[..., None])[..., 0]
    return nll, sequence_mask(lengths, targets.size(1))


def mean_over_everything(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return parts(log_probs, targets, lengths)[0].mean()


def reduced_before_masked(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll.mean() * mask).sum() / mask.sum()


def flat_broadcast(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll.reshape(-1, 1).masked_select(mask.flatten()).mean()  # [B*T, 1] x [B*T]


def divided_by_cells(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll * mask).mean()


def mean_of_sentence_means(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return ((nll * mask).sum(1) / lengths).mean()


def mean_of_step_means(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return ((nll * mask).sum(0) / mask.sum(0).clamp(min=1))[mask.any(0)].mean()


def divided_by_sentences(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll * mask).sum() / len(nll)


def summed(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll * mask).sum()


def wrong_sign(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return -masked_nll(log_probs, targets, lengths)


def leaking(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll.sum() / mask.sum()


def mean_over_pads(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll * ~mask).sum() / (~mask).sum()


def without_last_token(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll(log_probs, targets, lengths - 1)


def best_instead_of_target(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll(log_probs, log_probs.argmax(-1), lengths)


def from_probabilities(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll(log_probs.exp(), targets, lengths)


def one_a_sentence(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return (nll * mask).sum(1) / lengths


def one_a_token(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll[mask]


def fills_in_place(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, targets.size(1))
    log_probs[~mask] = 0.0
    return masked_nll(log_probs, targets, lengths)


LOSS_MUTANTS = (
    Mutant("broadcast", patient_loss),
    Mutant("mask_without_effect", mean_over_everything),
    Mutant("mask_without_effect", reduced_before_masked),
    Mutant("mask_without_effect", flat_broadcast),
    Mutant("padded_cells", divided_by_cells),
    Mutant("sentence_mean", mean_of_sentence_means),
    Mutant("step_mean", mean_of_step_means),
    Mutant("per_sentence", divided_by_sentences),
    Mutant("sum", summed),
    Mutant("sign", wrong_sign),
    Mutant("leak", leaking),
    Mutant("inverted", mean_over_pads),
    Mutant("no_end", without_last_token),
    Mutant("best_not_target", best_instead_of_target),
    Mutant("probabilities", from_probabilities),
    Mutant("not_reduced", one_a_sentence),
    Mutant("not_reduced", one_a_token),
    Mutant("plain_number", lambda *args: masked_nll_by_select(*args).item()),
    Mutant("no_gradient", lambda *args: masked_nll_by_select(*args).detach()),
    Mutant("argument_changed", fills_in_place),
)


def law_of_log_probs(answer: Any) -> Verdict:
    """Law 3, for a loss of log-probabilities and lengths."""

    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        if not mask.any():  # lengths are at least 1 in these exercises
            return logits.sum() * 0
        return answer(logits.log_softmax(-1), targets, mask.sum(1))

    return loss_ledger(loss)


def law_of_logits(answer: Any) -> Verdict:
    """Law 3, for a loss of logits and lengths."""

    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        if not mask.any():
            return logits.sum() * 0
        return answer(logits, targets, mask.sum(1))

    return loss_ledger(loss)


LOSS_STEPS = (is_tensor, has_shape, is_finite_float)
MASKED_NLL = FunctionTask(
    spec=masked_nll_spec,
    probes=log_prob_probes,
    steps=LOSS_STEPS,
    mutants=LOSS_MUTANTS,
    gradient_of="log_probs",
    law=law_of_log_probs,
)

# ------------------------------------------------------------------ 4.4 by selection


def flat_mask(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, targets.size(1))
    kept = log_probs.masked_select(mask.view(-1)).view(-1, log_probs.size(-1))
    return F.nll_loss(kept, targets.masked_select(mask))


def flat_selection(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = sequence_mask(lengths, targets.size(1))
    kept = log_probs.masked_select(mask.unsqueeze(-1))  # [N * V], no longer rows
    return -kept[targets[mask]].mean()


def targets_cut(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    kept = log_probs[sequence_mask(lengths, targets.size(1))]  # [N, V]
    return F.nll_loss(kept, targets.flatten()[: len(kept)])


SELECT_MUTANTS = (
    Mutant("multiplied", masked_nll),
    Mutant("flat_mask", flat_mask),
    Mutant("flat_selection", flat_selection),
    Mutant("targets_not_selected", targets_cut),
    *LOSS_MUTANTS,
)
SELECT = FunctionTask(
    spec=masked_nll_spec,
    probes=nan_probes,
    steps=LOSS_STEPS,
    mutants=SELECT_MUTANTS,
    gradient_of="log_probs",
    law=law_of_log_probs,
)

# ------------------------------------------------------------------ 4.5 by ignore_index


def logits_spec(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll_spec(logits.log_softmax(-1), targets, lengths)


def masked_nll_by_ignore_index(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    ignored = targets.masked_fill(~mask, -100)  # [B, T], a copy; no class has the id -100
    return F.cross_entropy(logits.transpose(1, 2), ignored, ignore_index=-100)  # [B, V, T]


def flat_cross_entropy(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    ids = torch.where(sequence_mask(lengths, targets.size(1)), targets, logits.size(-1))
    return F.cross_entropy(logits.flatten(0, 1), ids.flatten(), ignore_index=logits.size(-1))


def softmax_by_hand(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll_after_gather(logits - logits.logsumexp(-1, keepdim=True), targets, lengths)


def ignored(targets: Tensor, lengths: Tensor) -> Tensor:
    return targets.masked_fill(~sequence_mask(lengths, targets.size(1)), -100)


def ignores_zero(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=0)


def fills_and_ignores_zero(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    targets = targets * sequence_mask(lengths, targets.size(1))
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=0)


def reshaped(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    B, T, V = logits.shape
    return F.cross_entropy(logits.reshape(B, V, T), ignored(targets, lengths))


def softmax_first(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return masked_nll_by_ignore_index(logits.softmax(-1), targets, lengths)


def sum_over_cells(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    ids = ignored(targets, lengths)
    return F.cross_entropy(logits.transpose(1, 2), ids, reduction="none").mean()


def no_mask(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return F.cross_entropy(logits.transpose(1, 2), targets)


def class_axis(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return F.cross_entropy(logits, ignored(targets, lengths))


def marks_in_place(logits: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    targets[~sequence_mask(lengths, targets.size(1))] = -100
    return F.cross_entropy(logits.transpose(1, 2), targets)


def of_log_softmax(loss: Any) -> Any:
    """A wrong loss of log-probabilities as a loss of logits."""
    return lambda logits, targets, lengths: loss(logits.log_softmax(-1), targets, lengths)


LOGIT_MUTANTS = (
    Mutant("pad_is_zero", ignores_zero),
    Mutant("pad_is_zero", fills_and_ignores_zero),
    Mutant("reshaped", reshaped),
    Mutant("softmax_first", softmax_first),
    Mutant("raw_logits", masked_nll),
    Mutant("padded_cells", sum_over_cells),
    Mutant("mask_without_effect", no_mask),
    Mutant("class_axis", class_axis),
    Mutant("argument_changed", marks_in_place),
    *(
        Mutant(m.finding, of_log_softmax(m.function))
        for m in LOSS_MUTANTS
        if m.finding not in ("argument_changed", "mask_without_effect", "padded_cells")
    ),
)
IGNORE = FunctionTask(
    spec=logits_spec,
    probes=logit_probes,
    steps=LOSS_STEPS,
    mutants=LOGIT_MUTANTS,
    gradient_of="logits",
    law=law_of_logits,
)

# ------------------------------------------------------------------ 4.6 the bug clinic

EVIDENCE = ChoiceTask(
    letters=("A", "B", "C", "D"),
    salt="4.6a",
    reasons={
        "44422823": "accuracy",
        "49edf9de": "gradient",
        "a8679698": "correct",
        "abee97e9": "loss",
    },
)

RIGHT_LOSSES = (
    masked_nll_spec,
    masked_nll,
    masked_nll_by_select,
    masked_nll_row_by_row,
    masked_nll_by_ignoring,
    fixed_loss,
)
SUSPECTS = {
    "broadcast": patient_loss,
    "mask_without_effect": mean_over_everything,
    "leak": leaking,
    "padded_cells": divided_by_cells,
    "sentence_mean": mean_of_sentence_means,
    "sum": summed,
    "no_end": without_last_token,
    "sign": wrong_sign,
}


def test_patient(loss_function: Any) -> None:
    nll = torch.tensor([[1.0, 50.0, 70.0], [2.0, 6.0, 90.0]])  # [B, T]; column 2: pads alone
    lengths = torch.tensor([1, 2])  # real: 1; 2, 6
    log_probs = torch.stack([-nll, torch.full_like(nll, -5.0)], -1)  # [B, T, V = 2]
    targets = torch.zeros(2, 3, dtype=torch.int64)
    found = loss_function(log_probs, targets, lengths)
    torch.testing.assert_close(found, torch.tensor((1.0 + 2.0 + 6.0) / 3))


def detective(needed: int) -> DetectiveTask:
    """4.6b, with so many suspects to reject."""
    # a batch made by hand need not be normalised, so no innocent normalises it
    innocent = tuple(loss for loss in RIGHT_LOSSES if loss is not masked_nll_by_ignoring)
    return DetectiveTask(innocent, SUSPECTS, "broadcast", needed)


# ------------------------------------------------------------------ 4.7 what a normaliser weighs


def gradient_shares(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    log_probs = log_probs.detach().requires_grad_()  # [B, T, V]
    mask = length_mask(lengths, targets.size(1))  # [B, T]
    nll = -log_probs.gather(-1, targets[..., None])[..., 0] * mask  # [B, T]
    losses = {
        "token": nll.sum() / mask.sum(),
        "sentence": (nll.sum(1) / lengths).mean(),
        "sum": nll.sum(),
    }
    shares = {}
    for name, loss in losses.items():
        (gradient,) = torch.autograd.grad(loss, log_probs, retain_graph=True)
        by_sentence = gradient.abs().sum((1, 2))  # [B]
        shares[name] = (by_sentence[lengths.argmax()] / by_sentence.sum()).item()
    return shares


def shares_by_arithmetic(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    share = (lengths.max() / lengths.sum()).item()
    return {"token": share, "sentence": 1 / len(lengths), "sum": share}


def shares_of_another(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    share = (lengths.min() / lengths.sum()).item()
    return {"token": share, "sentence": 1 / len(lengths), "sum": share}


def shares_with_pads(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    return dict.fromkeys(("token", "sentence", "sum"), 1 / len(lengths))


def is_three_shares(value: Any, expected: Any) -> Problem | None:
    """A step: a dict with three numbers between 0 and 1."""
    if value is None:
        return "no_return", {}
    if not isinstance(value, dict):
        return "not_a_dict", {}
    if value.keys() != expected.keys():
        return "keys", {"keys": ", ".join(map(repr, value))}
    for key, share in value.items():
        if isinstance(share, bool) or not isinstance(share, float | int):
            return "not_numbers", {"key": repr(key)}
        if not 0 <= share <= 1:
            return "range", {"key": repr(key), "value": f"{share:.4g}"}
    return None


def is_ordered(value: Any, expected: Any) -> Problem | None:
    """A step: the token mean weighs as the sum does, and favours the longest sentence."""
    if abs(value["token"] - value["sum"]) > 1e-5:
        return "token_is_sum", {}
    return None if value["sentence"] < value["token"] else ("ordering", {})


SHARES = FunctionTask(
    spec=shares_by_arithmetic,
    probes=log_prob_probes,
    steps=(is_three_shares, is_ordered),
    mutants=(
        Mutant("shortest", shares_of_another),
        Mutant("with_pads", shares_with_pads),
    ),
)

# ------------------------------------------------------------------ the register

register(
    Exercise("4.1", "which number is the loss", "P", 1, 4, 3, 1, WHICH_NUMBER, WHICH_NUMBER.answer),
    Exercise(
        "4.2",
        "length_mask",
        "I",
        2,
        5,
        12,
        4,
        MASK,
        length_mask,
        (length_mask_by_cumsum, length_mask_by_table, length_mask_spec),
        MASK_MUTANTS,
    ),
    Exercise(
        "4.3",
        "masked_nll",
        "I",
        3,
        5,
        15,
        4,
        MASKED_NLL,
        masked_nll,
        RIGHT_LOSSES,
        LOSS_MUTANTS,
    ),
    Exercise(
        "4.4",
        "masked_nll_by_select",
        "I",
        3,
        4,
        6,
        3,
        SELECT,
        masked_nll_by_select,
        (masked_nll_after_gather, masked_nll_spec, masked_nll_row_by_row, fixed_loss),
        SELECT_MUTANTS,
    ),
    Exercise(
        "4.5",
        "masked_nll_by_ignore_index",
        "I",
        3,
        4,
        6,
        3,
        IGNORE,
        masked_nll_by_ignore_index,
        (flat_cross_entropy, softmax_by_hand, logits_spec),
        LOGIT_MUTANTS,
    ),
    Exercise("4.6a", "the evidence", "P", 3, 4, 5, 2, EVIDENCE, EVIDENCE.answer),
    *(
        Exercise(f"4.6b{part}", title, "D", 4, 5, 15, worth, detective(needed), test_patient)
        for part, title, worth, needed in (
            (1, "test_patient rejects the patient", 2, 1),
            (2, "test_patient rejects five wrong losses", 2, 5),
            (3, "test_patient rejects all wrong losses", 1, len(SUSPECTS)),
        )
    ),
    Exercise(
        "4.6c",
        "fixed_loss",
        "I",
        2,
        4,
        5,
        3,
        MASKED_NLL,
        fixed_loss,
        RIGHT_LOSSES,
        LOSS_MUTANTS,
    ),
    Exercise(
        "4.7",
        "gradient_shares",
        "X",
        4,
        3,
        45,
        6,
        SHARES,
        gradient_shares,
        (shares_by_arithmetic,),
        SHARES.mutants,
        manual=True,
    ),
)
