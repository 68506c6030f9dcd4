"""Slip and recover: a model is made to read one wrong token, and goes on in two lanes.

One lane reads the gold prefix behind the slip, as in training; the other reads what it says itself,
as at inference. Four small models, any source, a slip at any output. How many of the following
outputs are wrong in each lane, place by place, and how many edits is that? A third lane tosses a
coin for each input, as scheduled sampling does.
"""

from collections.abc import Set
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params, Text
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.slip_and_recover.compute import (
    DATES,
    LATEST,
    LONGEST,
    NUMBERS,
    SHARES,
    WRONG,
    Result,
    compute,
    last_place,
)
from seq2seq_lib.course.explorers.slip_and_recover.picture import draw, edits

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


def _source(params: Params) -> str:
    return params["date"] if params["task"] == "dates" else params["number"]


def _question(params: Params) -> Question:
    result = compute(**params)
    forced = "Nothing is forced."
    if params["slip"]:
        forced = f"It is made to read {params['wrong']} as output {params['slip']}."
    n = result.after
    outputs = f"the {n} outputs" if n > 1 else "the one output"
    behind = "behind it are" if params["slip"] else "are"
    asks = f"{forced} Compared with gold place by place, how many of {outputs} {behind} wrong?"
    about = [params[name] for name in ("task", "decoder", "slip", "wrong")]
    return Question(asks, _answers(result), f"{about} {_source(params)}")


def _answers(result: Result) -> dict[str, str]:
    """The true pair of counts among others that one might expect, in the order of the numbers."""
    n, gold, own = result.after, result.gold_lane.wrong, result.own_lane.wrong
    pairs = {(gold, own), (own, gold), (0, 0), (0, n), (n // 2, n // 2), (n, n)}
    return {f"gold prefix {g}, own prefix {o}": f"{g} {o}" for g, o in sorted(pairs)}


def _judge(result: Result) -> Verdict:
    gold, own, n = result.gold_lane.wrong, result.own_lane.wrong, result.after
    numbers = f"Wrong of {n}: gold prefix {gold}, own prefix {own}."
    if not result.slip and not gold:
        why = "No output is wrong, so both lanes have read the same all the way."
    elif not result.slip:
        why = "Up to the first mistake the lanes are one; what comes behind it is free."
    elif result.replaced == result.gold[result.slip - 1]:
        why = f"{result.replaced} is the gold token here, so this was no slip."
    elif len(result.late) > 1 and own > gold:
        why = (
            f"It said what it had missed and went on: {len(result.late)} tokens are those of gold, "
            f"one place late. Counted in edits that is {result.edits}."
        )
    elif own < gold:
        why = "Gold tokens that do not fit what it has read before need not help."
    else:
        why = edits(result)
    return Verdict(f"{gold} {own}", f"{numbers} {why}")


def _last(params: Params) -> int:
    return last_place(params["task"], params["decoder"], _source(params))


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """Outputs differ in length, and a slip is within one."""
    return {**params, "slip": min(params["slip"], _last(params))}


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
            Text(
                "date",
                "source",
                f"any date, at most {LONGEST['dates']} characters",
                "translate",
                examples=tuple(DATES),
                when={"task": ["dates"]},
            ),
            Text(
                "number",
                "source",
                f"a number below 10,000 in words, at most {LONGEST['numbers']}",
                "translate",
                examples=tuple(NUMBERS),
                when={"task": ["numbers"]},
            ),
        ),
        (
            Number("slip", "slip at output (0: none)", 0, _last, slider=True),
            Choice(
                "wrong",
                "reads",
                {digit: digit for digit in WRONG},
                when={"slip": list(range(1, LATEST + 1))},
                static=("5", "7"),
            ),
        ),
        (
            Choice(
                "share",
                "third lane: own tokens",
                {f"{share} %" if share else "off": share for share in SHARES},
                static=(0, 50),
            ),
            Number("seed", "coins' seed", 0, 99, when={"share": SHARES[1:]}, static=()),
        ),
    ),
    question=_question,
    judge=_judge,
    tidy=_tidy,
)
explore = EXPLORER.open
