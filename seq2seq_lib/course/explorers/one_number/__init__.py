"""The one-number machine: what gets through one state, and from where it must be read.

An encoder with a single number as its state reads digits, and a decoder that sees nothing else
writes them backwards. First question: what does one PAD do? Second, beside others: from which of
four readings does the decoder still say the right thing?
"""

from collections.abc import Set
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params, Text
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.one_number.compute import (
    MAX_EXTRA,
    MOST,
    READINGS,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.one_number.picture import draw, spaced

STATES = {
    "alone": State("3 1 4, and nothing behind it: the state is 314"),
    "one_pad": State("One PAD: the state is 3140, and the decoder says 0 4 1 3", {"extra_pads": 1}),
    "six_pads": State(
        "6 PADs: the decoder begins with six zeros that nobody wrote", {"extra_pads": 6}
    ),
    "neighbours": State(
        "A longer neighbour: two of four readings still give 314",
        {"neighbours": True, "readings": "four"},
    ),
    "six_pads_and_neighbours": State(
        "6 PADs and a longer neighbour: the same two of four readings still give 314",
        {"neighbours": True, "readings": "four", "extra_pads": 6},
    ),
    "packed_alone": State(
        "Alone, 6 PADs: the last column of a packed batch is right, as long as nobody is longer",
        {"readings": "four", "extra_pads": 6},
    ),
}
FOUR = {
    "outputs[b, length - 1] only": "gather",
    "packed h_n only": "packed",
    "both of these": "gather, packed",
    "all but unpacked outputs[:, -1]": "gather, packed_last, packed",
    "all four": "last_column, gather, packed_last, packed",
}


def _question(params: Params) -> Question:
    text = str(params["digits"])
    right = spaced("".join(text.replace(",", " ").split())[::-1])
    if params["readings"] == "four":
        return Question(
            f"{MAX_EXTRA} PADs and a longer neighbour join this row. From which readings of its "
            f"final state does the decoder still say {right}?",
            FOUR,
            about="four",
        )
    return Question(
        "You add one PAD, id 0, behind these digits. What does the decoder say then?",
        {right: "same", f"0 {right}": "pad_first", f"{right} 0": "pad_last", "nothing": "empty"},
        about=f"one {text}",
    )


def _judge(result: Result) -> Verdict:
    if result.readings == "four":
        return Verdict(
            ", ".join(result.still),
            "A state belongs to a position: outputs[b, length - 1] and packed h_n look at the "
            "row's own last digit. The last column of a packed batch is 0 for any shorter row.",
        )
    said = {
        result.right: "same",
        f"0{result.right}": "pad_first",
        f"{result.right}0": "pad_last",
        "": "empty",
    }
    state = int(result.digits)
    return Verdict(
        said[result.after_one_pad],
        f"PAD is read like a digit: 10 * {state} + 0 = {10 * state}, and the decoder begins at the "
        f"end of that.",
    )


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """With one reading there are no neighbours."""
    return params if params["readings"] == "four" else {**params, "neighbours": False}


EXPLORER = Explorer(
    name="one_number",
    title="A machine with one number",
    compute=compute,
    draw=draw,
    states=STATES,
    controls=(
        (
            Text(
                "digits",
                "the encoder reads",
                f"1 to {MOST} digits from 1 to 9",
                "read",
                examples=("3 1 4", "2 7 1 8", "5"),
            ),
        ),
        (Number("extra_pads", "extra PAD columns", 0, MAX_EXTRA, slider=True, plays=1200),),
        (
            Choice(
                "readings",
                "the final state is read",
                {"after the last column": "one", "in four ways": "four"},
            ),
        ),
        (
            Choice(
                "neighbours",
                "the row is",
                {"alone": False, "beside 2 7 1 8 2 and 5": True},
                when={"readings": ("four",)},
            ),
        ),
    ),
    question=_question,
    judge=_judge,
    tidy=_tidy,
)
explore = EXPLORER.open
__all__ = ["EXPLORER", "READINGS", "STATES", "compute", "draw", "explore"]
