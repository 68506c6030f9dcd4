"""Filters: a temperature and top-k, top-p or min-p on one row of probabilities.

Four rows, from sure to doubtful. How many tokens stay?
"""

from seq2seq_lib.course.explorers.filters.compute import (
    KS,
    PS,
    ROWS,
    SHARES,
    TEMPERATURES,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.filters.picture import draw
from seq2seq_lib.course.explorers.kit.controls import Choice, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict

STATES = {
    "cliff": State("min-p keeps the two that lead"),
    "peaked": State("top-p keeps one where the model is sure", {"row": "peaked", "kind": "top-p"}),
    "flat": State("and all where it is not", {"row": "flat", "kind": "top-p"}),
    "three": State("top-k keeps three of any row", {"row": "peaked", "kind": "top-k", "k": 3}),
    "hot": State("A temperature of 2 before min-p lets all pass", {"temperature": 2.0}),
}


def _question(params: Params) -> Question:
    count = len(ROWS[params["row"]])
    chosen = {"none": "", "top-k": params["k"], "top-p": params["p"], "min-p": params["share"]}
    about = f"{params['row']} {params['temperature']} {params['kind']} {chosen[params['kind']]}"
    asks = f"How many of the {count} tokens can still be drawn?"
    return Question(asks, {str(n): str(n) for n in range(1, count + 1)}, about)


def _judge(result: Result) -> Verdict:
    best = result.warm[0]
    if result.kind == "none":
        why = "No filter: a temperature changes shares and cuts nothing."
    elif result.kind == "top-k":
        why = "top-k counts, and looks at no probability."
    elif result.kind == "top-p":
        mass = sum(p for p, after in zip(result.warm, result.after, strict=True) if after)
        why = f"Together they have {mass:.3f}; the token that crosses p belongs to them."
    else:
        why = f"The best has {best:.3f}, so a token needs {result.threshold:.3f}."
    return Verdict(str(result.kept), why)


EXPLORER = Explorer(
    name="filters",
    title="Filters of one row",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("peaked", "flat"),
    controls=(
        (
            Choice("row", "row", {row: row for row in ROWS}),
            Choice("temperature", "temperature", {f"{t:g}": t for t in TEMPERATURES}),
        ),
        (
            Choice("kind", "filter", {n: n for n in ("none", "top-k", "top-p", "min-p")}),
            Choice("k", "k", {str(k): k for k in KS}, when={"kind": ["top-k"]}),
            Choice("p", "p", {f"{p:g}": p for p in PS}, when={"kind": ["top-p"]}),
            Choice("share", "share", {f"{p:g}": p for p in SHARES}, when={"kind": ["min-p"]}),
        ),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
