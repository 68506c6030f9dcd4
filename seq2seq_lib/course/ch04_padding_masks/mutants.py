"""Wrong answers to the exercises of chapter 4, as learners and published code give them."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks.answers import (
    masked_nll,
    masked_nll_by_ignore_index,
    masked_nll_by_select,
)
from seq2seq_lib.course.ch04_padding_masks.given import HAND_LENGTHS, HAND_LOSSES
from seq2seq_lib.course.ch04_padding_masks.patient import patient_loss
from seq2seq_lib.course.judging.exercise import Mutant
from seq2seq_lib.masks import sequence_mask


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
    Mutant("inverted", lambda lengths, T: positions(T) > lengths[:, None]),
    Mutant("left", lambda lengths, T: positions(T) >= T - lengths[:, None]),
    Mutant("numbers", lambda lengths, T: sequence_mask(lengths, T).float()),
    Mutant("numbers", lambda lengths, T: sequence_mask(lengths, T).long()),
    Mutant("pad_id", lambda lengths, T: positions(T)[:, None].expand(T, T) != 0),
    Mutant("own_width", lambda lengths, T: sequence_mask(lengths)),
    Mutant("sorted", lambda lengths, T: sequence_mask(lengths.sort(descending=True).values, T)),
    Mutant("frozen", lambda lengths, T: sequence_mask(HAND_LENGTHS, HAND_LOSSES.size(1))),
    Mutant("argument_changed", mask_edits_input),
)


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


def pads_by_id(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    return -log_probs.gather(-1, targets[..., None])[..., 0][targets != 0].mean()


def pads_by_id_multiplied(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)[0], targets != 0
    return (nll * mask).sum() / mask.sum()


def pads_by_id_and_length(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll, mask = parts(log_probs, targets, lengths)
    return nll[mask & (targets != 0)].mean()


def pads_by_id_over_tokens(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    nll = parts(log_probs, targets, lengths)[0]
    return (nll * (targets != 0)).sum() / lengths.sum()


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
    Mutant("pad_is_zero", pads_by_id),
    Mutant("pad_is_zero", pads_by_id_multiplied),  # differs where NaN stands at pads
    Mutant("pad_is_zero", pads_by_id_and_length),
    Mutant("pad_is_zero", pads_by_id_over_tokens),
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


def shares_of_another(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    share = (lengths.min() / lengths.sum()).item()
    return {"token": share, "sentence": 1 / len(lengths), "sum": share}


def shares_with_pads(log_probs: Tensor, targets: Tensor, lengths: Tensor) -> dict[str, float]:
    return dict.fromkeys(("token", "sentence", "sum"), 1 / len(lengths))


SHARE_MUTANTS = (
    Mutant("shortest", shares_of_another),
    Mutant("with_pads", shares_with_pads),
)
