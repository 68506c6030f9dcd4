"""The search tree: a beam on the card of three letters, step by step.

The tree shows which continuations a step looked at and what became of them; when it is done, the
truth stands beside, because all 40 outputs can be written down. On a second card no letter is
written twice, so each row of the search has a memory, and the rows can be left where they are.
"""

import math
from collections.abc import Set
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.search_tree.compute import STEPS, Result, compute
from seq2seq_lib.course.explorers.search_tree.picture import draw
from seq2seq_lib.course.letter_cards import spelt

SEARCHES = {"beam": "beam", "all outputs": "everything", "beam with a memory": "memory"}
PENALTIES = (0.0, 0.6, 0.7, 1.0, 1.5)
WIDTHS = {"beam": (1, 4), "everything": (1, 4), "memory": (2, 3)}
OUTPUTS = ("•", "ab•", "acb•", "b•", "cb•")

STATES = {
    "greedy": State("Greedy search: acb•, p = 0.0227"),
    "two": State("2 beams: ab•, p = 0.0612", {"width": 2}),
    "three": State("3 beams: b•, p = 0.1125", {"width": 3}),
    "penalty": State(
        "3 beams and α = 0.7: the same list, another winner",
        {"width": 3, "length_penalty": 0.7},
    ),
    "stranger": State(
        "Rows not moved: ab goes on with the memory of c",
        {"search": "memory", "width": 2, "moved": False},
    ),
}


# ---------------------------------------------------------------- the question


def _question(params: Params) -> Question:
    search, k, alpha = params["search"], params["width"], params["length_penalty"]
    if search == "everything":
        asks, about = "Which of all 40 outputs is the most probable?", search
    elif search == "memory":
        how = "" if params["moved"] else ", if no row of the state moves after step 1"
        asks = f"No letter is written twice. What do {k} beams return first{how}?"
        about = f"{search} {k} {params['moved']}"
    else:
        about = f"{search} {k} {alpha}"
        beams = f"{k} beam{'s' * (k > 1)}"
        if alpha:
            asks = f"Of what {beams} find, which has the best log p / length^{alpha:g}?"
        elif k == 1:
            asks = "Each time the most probable next letter: what does greedy search write?"
        else:
            asks = f"Which of the outputs that {beams} find is the most probable?"
    return Question(asks, {output: output for output in OUTPUTS}, about)


def _judge(result: Result) -> Verdict:
    best, p = spelt(result.best.tokens), math.exp(result.best.log_prob)
    if result.search == "everything":
        why = f"{best}, with p = {p:.4f}: no other of the {result.ended} outputs has more."
    elif result.search == "memory":
        why = f"{best} comes first, with p = {p:.4f}."
        if not result.moved:
            wrong = next(o for o in result.ranked if not math.isclose(o.log_prob, o.true))
            claimed, true = (math.exp(x) for x in (wrong.log_prob, wrong.true))
            why += f" {spelt(wrong.tokens)} claims {claimed:.4f}, and has {true:.4f}."
    elif result.penalty:
        score = f"{result.best.score(result.penalty):.2f}".replace("-", "−")
        why = f"{best} has the best score of what was found: {score}, with p = {p:.4f}."
    elif result.width == 1:
        why = f"It writes {best}: {best[0]} is the most probable letter at the start, and stays."
    else:
        kept = [spelt(row.tokens) for row in result.whole.rows[0]]
        why = f"{best}, with p = {p:.4f}: at the start {', '.join(kept)} stayed open."
    return Verdict(best, why)


# ---------------------------------------------------------------- the controls


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """With a memory there are two widths to choose from."""
    low, high = WIDTHS[params["search"]]
    return {**params, "width": min(max(params["width"], low), high)}


EXPLORER = Explorer(
    name="search_tree",
    title="Search tree",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("greedy", "two", "three"),
    controls=(
        (
            Choice("search", "search", SEARCHES),
            Number(
                "width",
                "beams, k",
                lambda params: WIDTHS[params["search"]][0],
                lambda params: WIDTHS[params["search"]][1],
                slider=True,
                when={"search": ["beam", "memory"]},
            ),
        ),
        (
            Choice(
                "length_penalty",
                "length penalty α",
                {f"{alpha:g}": alpha for alpha in PENALTIES},
                when={"search": ["beam"]},
            ),
            Choice(
                "moved",
                "rows of the state",
                {"moved": True, "not moved": False},
                when={"search": ["memory"]},
            ),
            Number("step", "step", 0, STEPS, plays=1000),
        ),
    ),
    question=_question,
    judge=_judge,
    tidy=_tidy,
)
explore = EXPLORER.open
