"""Slip and recover: a model is made to read one wrong token, and goes on in two lanes.

One lane reads the gold prefix behind the slip, as in training; the other reads what it says itself,
as at inference. Four small models, a few sentences, a slip at the first three places. Which lane
gets more of the following outputs wrong, place by place, and how many edits is that?
"""

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.slip_and_recover.compute import (
    DATES,
    LATEST,
    NUMBERS,
    WRONG,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.slip_and_recover.picture import draw, edits

ANSWERS = {
    "more with its own prefix": "own",
    "more with the gold prefix": "gold",
    "as many with both": "same",
}
STATES = {
    "insertion": State("With its own prefix it writes the whole date, one place late"),
    "plain_lost": State(
        "Without attention both lanes lose the number",
        {"task": "numbers", "decoder": "plain", "wrong": "7"},
    ),
    "attention_steady": State(
        "With attention the same number survives the same slip",
        {"task": "numbers", "wrong": "7"},
    ),
    "no_slip": State("Without a slip both lanes read the same and say the same", {"slip": 0}),
}


def _question(params: Params) -> Question:
    sentence = params["date"] if params["task"] == "dates" else params["number"]
    if params["slip"]:
        asks = (
            f"It is made to read {params['wrong']} as output {params['slip']}. Compared with gold "
            "place by place, which lane says more wrong tokens behind it?"
        )
    else:
        asks = "Nothing is forced. Which lane says more wrong tokens?"
    about = f"{params['task']} {params['decoder']} {sentence} {params['slip']} {params['wrong']}"
    return Question(asks, ANSWERS, about)


def _judge(result: Result) -> Verdict:
    gold, own, n = result.gold_wrong, result.own_wrong, result.after
    numbers = f"Wrong of {n}: gold prefix {gold}, own prefix {own}."
    if not result.slip and not gold:
        why = "No output is wrong, so both lanes have read the same all the way."
    elif not result.slip:
        why = "Up to the first mistake the lanes are one; what comes behind it is free."
    elif len(result.late) > 1 and own > gold:
        why = (
            f"It said what it had missed and went on: {len(result.late)} tokens are those of gold, "
            f"one place late. Counted in edits that is {result.edits}."
        )
    elif result.wrong == result.gold[result.slip - 1]:
        why = f"{result.wrong} is the gold token here, so this was no slip."
    elif own < gold:
        why = "Gold tokens that do not fit what it has read before need not help."
    else:
        why = edits(result)
    return Verdict("own" if own > gold else "gold" if gold > own else "same", f"{numbers} {why}")


EXPLORER = Explorer(
    name="slip_and_recover",
    title="Slip and recover",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("insertion", "plain_lost"),
    controls=(
        (
            Choice("task", "task", {"dates": "dates", "numbers": "numbers"}),
            Choice("decoder", "decoder", {"plain": "plain", "attention": "attention"}),
        ),
        (
            Choice("date", "source", {d: d for d in DATES}, when={"task": ["dates"]}),
            Choice(
                "number",
                "source",
                {NUMBERS[n]: n for n in NUMBERS},
                when={"task": ["numbers"]},
            ),
        ),
        (
            Number("slip", "slip at output (0: none)", 0, LATEST, slider=True),
            Choice(
                "wrong", "reads", {w: w for w in WRONG}, when={"slip": list(range(1, LATEST + 1))}
            ),
        ),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
