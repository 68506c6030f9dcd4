"""The attention lens: scores, weights and context by hand; and what a trained model's weights say.

In the scene ``tokens`` the scale, the mask and the axis of the softmax can be set wrongly, one
score can be edited, and all tokens can be made pads. In the scene ``date`` single vectors of the
memory can be exchanged for those of another date: what the answer then is shows what a vector does,
which a dark cell does not.
"""

from collections.abc import Set
from typing import Any

from seq2seq_lib.course.explorers.attention_lens.compute import (
    SOURCES,
    UNEDITED,
    Reading,
    Tokens,
    compute,
)
from seq2seq_lib.course.explorers.attention_lens.picture import AXES, MASKS, SCALES, draw
from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict

STATES = {
    "date": State("Where a date model looks, digit by digit"),
    "column9": State("One foreign vector changes one digit", {"change": "column", "column": 9}),
    "transplant": State("The month is read from its letters alone", {"change": "letters"}),
    "rest": State("All the rest comes from the other date", {"change": "rest"}),
    "long": State("Another form of date: the same digits look elsewhere", {"source": "long"}),
    "tokens": State("Three tokens and two pads, the pads masked", {"scene": "tokens"}),
    "leak": State("No mask: the pads take most of the weight", {"scene": "tokens", "mask": "none"}),
    "after": State(
        "Masked after the softmax: the rest does not sum to 1", {"scene": "tokens", "mask": "after"}
    ),
    "dim0": State(
        "Softmax over a batch of one: all weights are 1",
        {"scene": "tokens", "mask": "none", "axis": "batch", "beside": False},
    ),
    "edited": State(
        "One score is raised: its weight grows, and all others of the row give way",
        {"scene": "tokens", "edited": 1},
    ),
    "empty": State(
        "A row of pads alone: minus infinity everywhere, and 0 / 0 is NaN",
        {"scene": "tokens", "real": 0},
    ),
}
CHANGES = {
    "nothing": "own",
    "one vector": "column",
    "the month's characters": "letters",
    "all but these": "rest",
    "equal weights": "uniform",
    "only the largest": "largest",
    "shuffled weights": "shuffled",
}
MONTH = (5, 6)  # where it stands in the answer
ABOUT_DATE = {"all of them": "all", "the month alone": "month", "none": "none"}
ABOUT_TOKENS = {"nothing": "none", "about a fifth": "fifth", "more than half": "half"}


WHY = {
    "none": "the decoder reads the month from other vectors than these",
    "month": "the decoder reads the month from these vectors, and all else from others",
    "all": "other digits are read from these vectors, too",
}


def _question(params: Params) -> Question:
    if params["scene"] == "date":
        source = SOURCES[params["source"]]
        ours, theirs = (
            "".join(text[s] for s in source.month) for text in (source.text, source.donor)
        )
        asks = (
            f"The vectors of “{ours}” are replaced by those of “{theirs}” from another date. Which "
            f"digits of the answer change?"
        )
        return Question(asks, ABOUT_DATE, about=f"date {source.text}")
    asks = (
        "The raw scores of step 0 are 4, 2, 0 for the three tokens and 6, 6 for the two pads. "
        "Divided by 2 and without a mask: how much of the weight do the pads take?"
    )
    return Question(asks, ABOUT_TOKENS, about="tokens")


def _judge(result: Tokens | Reading) -> Verdict:
    if isinstance(result, Reading):
        changed = {
            i
            for i, (old, new) in enumerate(zip(result.before, result.with_letters, strict=True))
            if old != new
        }
        answer = "none" if not changed else "month" if changed <= set(MONTH) else "all"
        return Verdict(
            answer,
            f"{result.before} becomes {result.with_letters}: {WHY[answer]}.",
        )
    answer = "half" if result.leak > 0.5 else "fifth" if result.leak > 0.1 else "none"
    return Verdict(
        answer,
        f"They take {result.leak:.0%}: a softmax compares all scores of its row, and knows nothing "
        f"of what is a word.",
    )


TOKENS = {"scene": ("tokens",)}
DATE = {"scene": ("date",)}
EDITED = {"no score": UNEDITED, "the": 0, "cat": 1, "•": 2, "position 3": 3}
RAW = {"−4": -4.0, "0": 0.0, "4": 4.0, "8": 8.0, "NaN": "nan"}
FORMS = {source.text: name for name, source in SOURCES.items()}


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """A column that the source has."""
    last = len(SOURCES[params["source"]].text)
    return params if "column" in locked else {**params, "column": min(params["column"], last)}


EXPLORER = Explorer(
    name="attention_lens",
    title="Attention lens",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("date", "transplant", "leak"),
    controls=(
        (Choice("scene", "scene", {"a date": "date", "three tokens": "tokens"}),),
        (Choice("source", "source", FORMS, when=DATE),),
        (Choice("change", "exchange", CHANGES, when=DATE),),
        (
            Number(
                "column",
                "column",
                0,
                lambda params: len(SOURCES[params["source"]].text),
                slider=True,
                when={**DATE, "change": ("column",)},
            ),
        ),
        (
            Choice("step", "step", {"0": 0, "1": 1, "2": 2}, when=TOKENS),
            Choice("beside", "sentence 0", {"beside it": True, "not there": False}, when=TOKENS),
        ),
        (Choice("scale", "scores", {words: name for name, words in SCALES.items()}, when=TOKENS),),
        (Choice("mask", "mask", {words: name for name, words in MASKS.items()}, when=TOKENS),),
        (Choice("axis", "softmax over", {w: name for name, w in AXES.items()}, when=TOKENS),),
        (
            Choice(
                "real",
                "real tokens",
                {"3": 3, "1": 1, "none": 0},
                when={**TOKENS, "edited": (UNEDITED,), "axis": ("source",)},
                static=(3, 0),
            ),
        ),
        (
            Choice(
                "edited",
                "edit",
                EDITED,
                when={**TOKENS, "real": (3,)},
                static=(UNEDITED, 1),
            ),
            Choice(
                "raw",
                "its raw score",
                RAW,
                when={**TOKENS, "edited": tuple(range(4))},
                static=(8.0, "nan"),
            ),
        ),
    ),
    tidy=_tidy,
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
