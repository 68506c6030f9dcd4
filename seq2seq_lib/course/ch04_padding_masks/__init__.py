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

from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor

from seq2seq_lib.course.ch04_padding_masks import answers as right
from seq2seq_lib.course.ch04_padding_masks import mutants as wrong
from seq2seq_lib.course.ch04_padding_masks.given import (
    HAND_LENGTHS,
    HAND_LOSSES,
    hand_batch,
    options_4_1,
)
from seq2seq_lib.course.ch04_padding_masks.patient import patient_loss, training_log
from seq2seq_lib.course.ch04_padding_masks.probes import (
    log_prob_probes,
    logit_probes,
    mask_probes,
    nan_probes,
)
from seq2seq_lib.course.judging.compare import (
    Problem,
    has_shape,
    is_bool,
    is_finite_float,
    is_tensor,
)
from seq2seq_lib.course.judging.exercise import Exercise, register
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.tasks import ChoiceTask, DetectiveTask, FunctionTask
from seq2seq_lib.laws import Verdict, loss_ledger

__all__ = [
    "HAND_LENGTHS",
    "HAND_LOSSES",
    "hand_batch",
    "options_4_1",
    "patient_loss",
    "training_log",
]

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
    spec=right.length_mask_spec,
    probes=mask_probes,
    steps=(is_tensor, has_shape, is_bool),
    mutants=wrong.MASK_MUTANTS,
    facts=mask_facts,
)


def law_3(answer: Any, log_probs: bool) -> Verdict:
    """Law 3, for a loss of lengths, and of log-probabilities or logits."""

    def loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        if not mask.any():  # lengths are at least 1 in these exercises
            return logits.sum() * 0
        return answer(logits.log_softmax(-1) if log_probs else logits, targets, mask.sum(1))

    return loss_ledger(loss)


LOSS_STEPS = (is_tensor, has_shape, is_finite_float)
MASKED_NLL = FunctionTask(
    spec=right.masked_nll_spec,
    probes=log_prob_probes,
    steps=LOSS_STEPS,
    mutants=wrong.LOSS_MUTANTS,
    gradient_of="log_probs",
    law=partial(law_3, log_probs=True),
)
SELECT = replace(MASKED_NLL, probes=nan_probes, mutants=wrong.SELECT_MUTANTS)
IGNORE = FunctionTask(
    spec=right.logits_spec,
    probes=logit_probes,
    steps=LOSS_STEPS,
    mutants=wrong.LOGIT_MUTANTS,
    gradient_of="logits",
    law=partial(law_3, log_probs=False),
)

# A batch made by hand need not be normalised, so none of the innocent normalises it.
INNOCENT = (
    right.masked_nll_spec,
    right.masked_nll,
    right.masked_nll_by_select,
    right.masked_nll_row_by_row,
    right.fixed_loss,
)
RIGHT_LOSSES = (*INNOCENT, right.masked_nll_after_gather, right.masked_nll_by_ignoring)
SUSPECTS = {
    "broadcast": patient_loss,
    "mask_without_effect": wrong.mean_over_everything,
    "leak": wrong.leaking,
    "padded_cells": wrong.divided_by_cells,
    "sentence_mean": wrong.mean_of_sentence_means,
    "sum": wrong.summed,
    "no_end": wrong.without_last_token,
    "sign": wrong.wrong_sign,
}
DETECTIVE = (  # part, title, points, suspects to reject
    (1, "test_patient rejects the patient", 2, 1),
    (2, "test_patient rejects five wrong losses", 2, 5),
    (3, "test_patient rejects all wrong losses", 1, len(SUSPECTS)),
)


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
    spec=right.shares_by_arithmetic,
    probes=log_prob_probes,
    steps=(is_three_shares, is_ordered),
    mutants=wrong.SHARE_MUTANTS,
)

register(
    Exercise(
        "4.1",
        "which number is the loss",
        kind="P",
        difficulty=1,
        importance=4,
        minutes=3,
        points=1,
        task=WHICH_NUMBER,
        reference=WHICH_NUMBER.answer,
    ),
    Exercise(
        "4.2",
        "length_mask",
        kind="I",
        difficulty=2,
        importance=5,
        minutes=12,
        points=4,
        task=MASK,
        reference=right.length_mask,
        alternatives=(right.length_mask_by_cumsum, right.length_mask_by_table),
    ),
    Exercise(
        "4.3",
        "masked_nll",
        kind="I",
        difficulty=3,
        importance=5,
        minutes=15,
        points=4,
        task=MASKED_NLL,
        reference=right.masked_nll,
        alternatives=RIGHT_LOSSES,
    ),
    Exercise(
        "4.4",
        "masked_nll_by_select",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=6,
        points=3,
        task=SELECT,
        reference=right.masked_nll_by_select,
        alternatives=(right.masked_nll_after_gather, right.masked_nll_row_by_row, right.fixed_loss),
    ),
    Exercise(
        "4.5",
        "masked_nll_by_ignore_index",
        kind="I",
        difficulty=3,
        importance=4,
        minutes=6,
        points=3,
        task=IGNORE,
        reference=right.masked_nll_by_ignore_index,
        alternatives=(right.flat_cross_entropy, right.softmax_by_hand),
    ),
    Exercise(
        "4.6a",
        "the evidence",
        kind="P",
        difficulty=3,
        importance=4,
        minutes=5,
        points=2,
        task=EVIDENCE,
        reference=EVIDENCE.answer,
    ),
    *(
        Exercise(
            f"4.6b{part}",
            title,
            kind="D",
            difficulty=4,
            importance=5,
            minutes=15,
            points=worth,
            task=DetectiveTask(INNOCENT, SUSPECTS, patient="broadcast", needed=needed),
            reference=right.test_patient,
            alternatives=(right.test_patient_twice,),
        )
        for part, title, worth, needed in DETECTIVE
    ),
    Exercise(
        "4.6c",
        "fixed_loss",
        kind="I",
        difficulty=2,
        importance=4,
        minutes=5,
        points=3,
        task=MASKED_NLL,
        reference=right.fixed_loss,
        alternatives=RIGHT_LOSSES,
    ),
    Exercise(
        "4.7",
        "gradient_shares",
        kind="X",
        difficulty=4,
        importance=3,
        minutes=45,
        points=6,
        task=SHARES,
        reference=right.gradient_shares,
        alternatives=(right.shares_by_arithmetic,),
        manual=True,
    ),
)
