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
from seq2seq_lib.course.ch04_padding_masks.texts import TEXTS
from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.detective_task import DetectiveTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.function_task import FunctionTask
from seq2seq_lib.course.judging.probes import Probe
from seq2seq_lib.course.judging.steps import (
    Problem,
    has_shape,
    is_bool,
    is_finite_float,
    is_tensor,
)
from seq2seq_lib.course.judging.words import Words
from seq2seq_lib.laws import Verdict, loss_ledger

__all__ = [
    "EXERCISES",
    "HAND_LENGTHS",
    "HAND_LOSSES",
    "hand_batch",
    "options_4_1",
    "patient_loss",
    "training_log",
]

WHICH_NUMBER = ChoiceTask(
    "eNqrVnJUslJQyi9LLYpPTs3JKVbSUVByAgkl5xcVpSaXgPjOIH5xal5Jal5yanxuamIeWJkLSLgovxwh4goSKckvSc"
    "wB8dxAvPLMkoz4gsSUYqVaAL3rH/A="
)

EVIDENCE = ChoiceTask(
    "eNqrVnJUslJQyskvLlbSUVByAnHSixJTMlPzSkACziCBxOTk0qLE5EqQgAtIIDm/qCg1uUSpFgAeTBG7"
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


def behind_a_model(scores: Tensor) -> Tensor:
    """So who takes log_softmax once more changes no number and no gradient."""
    return scores.log_softmax(-1)


LOSS_STEPS = (is_tensor, has_shape, is_finite_float)
MASKED_NLL = FunctionTask(
    spec=right.masked_nll_spec,
    probes=log_prob_probes,
    steps=LOSS_STEPS,
    mutants=wrong.LOSS_MUTANTS,
    gradient_of="log_probs",
    leaf=behind_a_model,
    law=partial(law_3, log_probs=True),
)
SELECT = replace(MASKED_NLL, probes=nan_probes, mutants=wrong.SELECT_MUTANTS)
IGNORE = FunctionTask(
    spec=right.logits_spec,
    probes=logit_probes,
    steps=LOSS_STEPS,
    mutants=wrong.LOGIT_MUTANTS,
    gradient_of="logits",
    leaf=behind_a_model,
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

EXERCISES = (
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
        words=Words.from_dict(TEXTS["4.1"]),
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
        words=Words.from_dict(TEXTS["4.2"]),
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
        words=Words.from_dict(TEXTS["4.3"]),
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
        words=Words.from_dict(TEXTS["4.4"]),
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
        words=Words.from_dict(TEXTS["4.5"]),
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
        words=Words.from_dict(TEXTS["4.6a"]),
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
            task=DetectiveTask(
                INNOCENT,
                SUSPECTS,
                patient="broadcast",
                tiers=((needed, worth),),
                called=("loss", "losses"),
            ),
            reference=right.test_patient,
            words=Words.from_dict(TEXTS[f"4.6b{part}"]),
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
        words=Words.from_dict(TEXTS["4.6c"]),
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
        words=Words.from_dict(TEXTS["4.7"]),
        alternatives=(right.shares_by_arithmetic,),
        manual=True,
    ),
)
