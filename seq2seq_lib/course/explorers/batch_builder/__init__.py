"""The batch builder: sentences become a rectangle, and a share of its cells holds nothing.

64 generated pairs, or the reader's own text, in batches that are made in four ways. The question is
always the same: what share of all cells is PAD?
"""

from collections.abc import Set
from typing import Any

from seq2seq_lib.course.explorers.batch_builder.compute import (
    BREAK,
    OWN,
    Result,
    compute,
    count_batches,
)
from seq2seq_lib.course.explorers.batch_builder.picture import draw, percent
from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params, Text
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict

# the largest share of each band in percent, as it is shown: what reads 35 % is in "20 to 35 %"
BANDS = {"below 5 %": 4.9, "5 to 20 %": 20, "20 to 35 %": 35, "above 35 %": 100}
STATES = {
    "came": State("64 phrases in the order in which they came, 8 rows a batch"),
    "sorted": State("The same 64 phrases, sorted by length", {"order": "sorted"}),
    "shift": State(
        "A target twice: what the decoder reads, and what it must say", {"view": "shift"}
    ),
    "large_batch": State("16 rows a batch instead of 8, as they came", {"batch_size": 16}),
    "pools": State("Sorted inside pools of 4 batches, the batches shuffled", {"order": "pools"}),
    "tokens": State("As many rows as fit: short sentences in large batches", {"order": "tokens"}),
    "dates": State("64 dates in characters, as they came", {"corpus": "dates"}),
    "own": State("Your own sentences, each its own target", {"corpus": "own", "batch_size": 4}),
}
WHY = {
    "came": "Every row is as wide as the longest in its batch, and the longest sets the price",
    "pools": "Within a pool neighbours have like lengths, so their longest is hardly longer",
    "sorted": "Rows of like length share a batch, so little is left to fill",
    "tokens": "Rows of like length share a batch, and a batch of short ones has more rows",
}
ALONE = "One batch is as wide as its longest row, and the longest sets the price"


def _where(params: Params) -> dict[str, Any]:
    return {name: params[name] for name in ("corpus", "own", "batch_size", "order", "view")}


def _question(params: Params) -> Question:
    about = _where(params)
    if params["corpus"] != "own":
        about["own"] = ""
    return Question(
        "All batches together: what share of their cells is PAD?",
        {band: band for band in BANDS},
        about=" ".join(map(str, about.values())),
    )


def _judge(result: Result) -> Verdict:
    shown = float(percent(result.waste).removesuffix(" %"))
    band = next(name for name, most in BANDS.items() if shown <= most)
    why = WHY[result.order] if len(result.batches) > 1 else ALONE
    return Verdict(
        band,
        f"{why}: {result.real} tokens in {result.cells} cells, {percent(result.waste)} PAD.",
    )


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """There may be fewer batches than before."""
    return {**params, "number": min(params["number"], count_batches(**_where(params)))}


EXPLORER = Explorer(
    name="batch_builder",
    title="Batch builder",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("came", "sorted", "shift"),
    controls=(
        (
            Choice("corpus", "text", {"phrases": "phrases", "dates": "dates", "your own": "own"}),
            Choice("view", "show", {"source": "source", "target, shifted": "shift"}),
        ),
        (
            Choice(
                "order",
                "batches",
                {
                    "as they came": "came",
                    "sorted pools of 4": "pools",
                    "sorted": "sorted",
                    "by tokens": "tokens",
                },
            ),
            Choice("batch_size", "rows a batch", {"4": 4, "8": 8, "16": 16}),
        ),
        (
            Text(
                "own",
                "your sentences",
                f"up to 64 of at most 20 words, with {BREAK} between two sentences",
                "make batches",
                examples=(OWN,),
                when={"corpus": ("own",)},
                static=(),
            ),
        ),
        (
            Number(
                "number",
                "batch to look at",
                1,
                lambda params: count_batches(**_where(params)),
                slider=True,
                static=(1, 2),
            ),
        ),
    ),
    question=_question,
    judge=_judge,
    tidy=_tidy,
)
explore = EXPLORER.open
