"""The mask and loss calculator: which losses of a padded batch count, and what they are divided by.

Three sentences, their losses, no mask and four ways to build one (the first of them right), and
four ways to average. The code that is shown is the code that runs. The question: you add 10 PAD
columns, which are no data; what does the loss do? A transposed mask does not survive other columns,
so there the question is what it counts.
"""

import math
from collections.abc import Set
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.mask_loss.compute import (
    MAX_EXTRA,
    MAX_LENGTH,
    MAX_WIDTH,
    NAMES,
    Result,
    compute,
    transposed_hits,
)
from seq2seq_lib.course.explorers.mask_loss.picture import draw, number

OUTCOMES = {
    "it stays the same": "same",
    "it gets smaller": "smaller",
    "it gets larger": "larger",
    "an error, or nan": "nothing",
}
COUNTS = {
    "all of them, and no PAD": "right",
    "fewer, and a PAD for each that is missing": "mixed",
    "there is no number: an error, or nan": "nothing",
}
PADDED = {"extra_pads": MAX_EXTRA}
SQUARE = {"lengths": (3, 1, 2), "width": 3}  # B = T
STATES = {
    "naive": State("The mean over all cells: the pads count"),
    "naive_plus_10_pads": State("The mean over all cells, 10 more PAD columns", PADDED),
    "right": State(
        "The right mask: real tokens count, and nothing else",
        {"mask": "right", "divisor": "tokens"},
    ),
    "right_plus_10_pads": State(
        "The right mask after 10 more PAD columns: the same loss",
        {"mask": "right", "divisor": "tokens", **PADDED},
    ),
    "transposed": State(
        "Transposed, B = T: as many cells, the wrong ones, and no error",
        {"mask": "transposed", "divisor": "tokens", **SQUARE},
    ),
    "transposed_b_not_t": State(
        "Transposed, B ≠ T: PyTorch raises", {"mask": "transposed", "divisor": "tokens"}
    ),
    "positions": State(
        "Pad id against positions: the mask picks no token",
        {"mask": "positions", "divisor": "tokens"},
    ),
    "positions_plus_10_pads": State(
        "Pad id against positions, 10 more PAD columns",
        {"mask": "positions", "divisor": "tokens", **PADDED},
    ),
    "broadcast": State(
        "[B·T, 1] against [B·T]: every loss counts, once for each real token",
        {"mask": "broadcast", "divisor": "tokens"},
    ),
    "broadcast_plus_10_pads": State(
        "[B·T, 1] against [B·T], 10 more PAD columns",
        {"mask": "broadcast", "divisor": "tokens", **PADDED},
    ),
    "padded_mean": State("The right mask, divided by all cells: too small", {"mask": "right"}),
    "padded_mean_plus_10_pads": State(
        "Divided by all cells, 10 more PAD columns: smaller still", {"mask": "right", **PADDED}
    ),
    "per_sentence": State(
        "Each sentence weighs the same, whatever its length",
        {"mask": "right", "divisor": "sentences"},
    ),
    "sum": State("The sum: more tokens, a larger loss", {"mask": "right", "divisor": "sum"}),
}
WHY = {  # one sentence for each mask; {change} is what happens to the loss
    "none": "Every new cell counts as data: {change}.",
    "positions": "Pad id against positions picks no token, and the mean counts pads: {change}.",
    "broadcast": "[B·T, 1] against [B·T] keeps all losses, pads too, once a real token: {change}.",
}
WHY_RIGHT = {
    "same": "PAD counts in neither the sum nor the divisor: {change}.",
    "smaller": "The sum leaves PAD out, and the divisor counts it: {change}.",
}


def _question(params: Params) -> Question:
    if params["mask"] == "transposed":
        lengths, width = params["lengths"], params["width"]
        return Question(
            f"Rows and columns of this mask are swapped. Of the {sum(lengths)} real tokens in "
            f"{width} columns, how many does this code count?",
            COUNTS,
            about=f"transposed {params['divisor']} {lengths} {width}",
        )
    return Question(
        f"You add {MAX_EXTRA} PAD columns, which are no data. What does this code's loss do?",
        OUTCOMES,
        about=f"{params['mask']} {params['divisor']}",
    )


def _judge(result: Result) -> Verdict:
    if result.mask == "transposed":
        return _judge_transposed(result)
    before, after = (number(loss, "an error") for loss in result.curve[::MAX_EXTRA])
    if result.outcome == "same":
        change = f"it stays at {before}"
    else:
        change = f"from {before} to {after}" if before != after else f"{before}, before and after"
    sentence = WHY_RIGHT[result.outcome] if result.mask == "right" else WHY[result.mask]
    return Verdict(result.outcome, sentence.format(change=change))


def _judge_transposed(result: Result) -> Verdict:
    B, T, real = len(NAMES), result.width - result.extra_pads, sum(result.lengths)
    loss = result.curve[0]
    if loss is None:
        return Verdict("nothing", f"The mask is [{T}, {B}], the losses are [{B}, {T}]: an error.")
    if math.isnan(loss):
        return Verdict("nothing", "A row of this mask has no True in it: 0 / 0 is nan.")
    hit = transposed_hits(result.lengths)
    if hit == real:
        return Verdict("right", f"All {real}: with these lengths the mask is its own transpose.")
    return Verdict(
        "mixed",
        f"{hit} of {real}, and {real - hit} of {B * T - real} PAD cells. B = T, so the shapes fit, "
        f"nothing is raised, and {real} cells are counted, as with the right mask.",
    )


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """No sentence is longer than the batch is wide: the width follows, unless it is locked."""
    if "width" in locked:
        lengths = tuple(min(length, params["width"]) for length in params["lengths"])
        return {**params, "lengths": lengths}
    return {**params, "width": max(params["width"], *params["lengths"])}


EXPLORER = Explorer(
    name="mask_loss",
    title="Mask and loss",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("naive", "naive_plus_10_pads", "right_plus_10_pads"),
    controls=(
        (
            Choice(
                "mask",
                "mask",
                {
                    "none": "none",
                    "right": "right",
                    "transposed": "transposed",
                    "pad id against positions": "positions",
                    "[B·T,1] against [B·T]": "broadcast",
                },
            ),
        ),
        (
            Choice(
                "divisor",
                "divide by",
                {
                    "all cells": "cells",
                    "tokens": "tokens",
                    "per sentence": "sentences",
                    "nothing (sum)": "sum",
                },
            ),
        ),
        (Number("extra_pads", "extra PAD columns", 0, MAX_EXTRA, slider=True),),
        (
            *(
                Number("lengths", f"length of {name}", 1, MAX_LENGTH, index=i, static=())
                for i, name in enumerate(NAMES)
            ),
            Number("width", "width T", lambda p: max(p["lengths"]), MAX_WIDTH, static=()),
        ),
    ),
    question=_question,
    judge=_judge,
    tidy=_tidy,
)
explore = EXPLORER.open
