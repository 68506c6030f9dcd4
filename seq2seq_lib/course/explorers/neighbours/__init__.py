"""Neighbours: one date, a neighbour in its batch that grows longer, and the answers of two models.

Both models read each of 500 unseen dates rightly, or nearly, when it is alone. One of them also
reads the pads that a longer neighbour brings. Whose answer changes?
"""

from seq2seq_lib.course.explorers.kit.controls import Number, Params, Text
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.neighbours.compute import DATES, MOST, Result, compute
from seq2seq_lib.course.explorers.neighbours.picture import draw, shown

ANSWERS = {
    "both stay": "none",
    "one changes": "one",
    "both change": "both",
}
STATES = {
    "alone": State("Without pads both models read the date"),
    "christmas": State("8 pads, and the careless model reads November", {"longer": 8}),
    "moon": State(
        "16 pads, and the Moon landing is eight years early",
        {"date": "20 july 1969", "longer": 16},
    ),
    "lucky": State(
        "A date that no number of pads here moves: one lucky test proves nothing",
        {"date": "july 4, 1976", "longer": 24},
    ),
}


def _question(params: Params) -> Question:
    asks = (
        f"The neighbour grows until it is {MOST} characters longer than this date. "
        "What happens to the two models' answers?"
    )
    return Question(asks, ANSWERS, about=params["date"])


def _judge(result: Result) -> Verdict:
    if result.message:
        return Verdict("none", "There is no date to read yet, so there is no answer to change.")
    last = compute(date=result.date, longer=MOST)
    moved = {
        name: a for name, a in (("ours", last.ours), ("careless", last.careless)) if not a.same
    }
    answer = ("none", "one", "both")[len(moved)]
    if "ours" in moved:
        return Verdict(answer, f"With {MOST} pads ours writes {shown(last.ours.text)}.")
    if "careless" in moved:
        why = (
            f"With {MOST} pads the careless one writes {shown(last.careless.text)}: it reads them "
            f"as {MOST} more characters, in its encoder and in its attention. Move the slider to "
            "see where it turns."
        )
        return Verdict(answer, why)
    why = (
        "Ours stops at the end of the date. The careless one reads the pads, too, and this date "
        "survives it: try another one."
    )
    return Verdict(answer, why)


EXPLORER = Explorer(
    name="neighbours",
    title="A longer neighbour",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("alone", "christmas", "moon", "lucky"),
    controls=(
        (
            Text(
                "date",
                "a date",
                "Type one of your own, or take one of these.",
                "Read",
                DATES,
            ),
        ),
        (Number("longer", "the neighbour is longer by", 0, MOST, slider=True),),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
