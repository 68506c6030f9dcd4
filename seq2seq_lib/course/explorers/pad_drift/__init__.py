"""Pad drift: what PAD columns and longer neighbours do to the final state, read in four ways.

One sentence of five tokens and a small GRU with fixed random weights, as before training. The
final state is read at the last column of the batch, at the last column of a packed batch, at the
last real token, or from what packing returns. Which of the four stays still?
"""

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.pad_drift.compute import (
    MAX_EXTRA,
    NAMES,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.pad_drift.picture import draw

PREDICTIONS = {
    "none of them": "none",
    "only packed h_n": "packed",
    "length − 1 and packed h_n": "gather, packed",
    "all but the raw one": "last_output, gather, packed",
    "all four": "raw, last_output, gather, packed",
}
STATES = {
    "no_pads": State("Alone and without pads: the state to keep"),
    "six_pads_raw": State("6 PADs, read at the end: the state drifts", {"extra_pads": 6}),
    "six_pads_packed": State(
        "6 PADs, packed: the state stays", {"extra_pads": 6, "reading": "packed"}
    ),
    "six_pads_gather": State(
        "6 PADs, read at length − 1: the state stays", {"extra_pads": 6, "reading": "gather"}
    ),
    "last_output_alone": State(
        "outputs[:, -1] of a packed batch: right, as long as the sentence is alone",
        {"extra_pads": 6, "reading": "last_output"},
    ),
    "last_output_neighbours": State(
        "outputs[:, -1] beside a longer sentence: all zeros",
        {"extra_pads": 6, "reading": "last_output", "neighbours": True},
    ),
    "neighbours_raw": State(
        "No extra PAD, but a longer neighbour: the state drifts", {"neighbours": True}
    ),
    "both_raw": State(
        "A longer neighbour and 6 PADs: the state drifts", {"neighbours": True, "extra_pads": 6}
    ),
    "neighbours_packed": State(
        "A longer neighbour, packed: the state stays", {"reading": "packed", "neighbours": True}
    ),
}


def _question(params: Params) -> Question:
    return Question(
        "A longer neighbour and 6 PADs join the sentence. Which of the four ways of reading its "
        "final state stay still?",
        PREDICTIONS,
        about="",
    )


def _judge(result: Result) -> Verdict:
    still = ", ".join(result.still) or "none"
    words = {value: text for text, value in PREDICTIONS.items()}[still]
    return Verdict(
        still,
        f"Still: {words}; the raw state goes on over the pads, and outputs[:, -1] of a packed "
        f"batch is zero where a row is shorter than the longest.",
    )


EXPLORER = Explorer(
    name="pad_drift",
    title="Pad drift",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("six_pads_raw", "last_output_neighbours", "six_pads_packed"),
    controls=(
        (Choice("reading", "read the state from", {words: n for n, words in NAMES.items()}),),
        (Choice("neighbours", "the sentence is", {"alone": False, "beside two others": True}),),
        (Number("extra_pads", "extra PAD columns", 0, MAX_EXTRA, slider=True),),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
