"""The search tree: greedy search, beam search, sampling and exhaustive search, step by step.

A model of four letters, whose 40 outputs can all be scored, and a small trained model that reads
dates. The tree shows which continuations a search looked at and what became of them; when it is
done, the truth stands beside. The searches are the library's own.
"""

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.search_tree.compute import KNOWS, Result, compute
from seq2seq_lib.course.explorers.search_tree.picture import draw
from seq2seq_lib.course.explorers.search_tree.steps import (
    DATES,
    LETTERS,
    STRATEGIES,
    WIDE,
    source_of,
)

MAX_WIDTH, MAX_SEED = 5, 99
PENALTIES = (0.0, 0.6, 0.7, 1.0, 1.5)
TEMPERATURES = (0.3, 0.6, 1.0, 2.0)
TOP_KS = (0, 1, 2, 3)  # 0: off
TOP_PS = (1.0, 0.5, 0.8, 0.95)  # 1: off
OUTPUTS = ("a•", "ab•", "acb•", "b•", "cb•")
SIZES = {"thousands": 1e3, "millions": 1e6, "billions": 1e9}
MANY = {f"some {size}": size for size in SIZES}
SAME = {"yes, the same": "yes", "no, another one": "no"}
OFTEN = {"more often": "more", "as often": "same", "less often": "less"}

STATES = {
    "greedy": State("Greedy search: acb•, 4 tokens, p = 0.0227"),
    "two_beams": State("2 beams: ab•, 3 tokens, p = 0.0612", {"strategy": "beam"}),
    "three_beams": State("3 beams: b•, 2 tokens, p = 0.1125", {"strategy": "beam", "width": 3}),
    "penalty": State(
        "3 beams and a length penalty of 0.7: the same list, another winner",
        {"strategy": "beam", "width": 3, "length_penalty": 0.7},
    ),
    "temperature": State(
        "20 samples at temperature 0.6: probable tokens come more often",
        {"strategy": "sampling", "temperature": 0.6},
    ),
    "nucleus": State(
        "20 samples with top-p 0.8: improbable tokens never come",
        {"strategy": "sampling", "top_p": 0.8},
    ),
    "dates": State(
        "A trained model reads “4 august”, and must choose a year",
        {"source": "4 august", "strategy": "beam", "width": 3, "step": 11},
    ),
}


# ---------------------------------------------------------------- the question


def _question(params: Params) -> Question:
    known = {name: params[name] for name in KNOWS[params["strategy"]] if name != "seed"}
    about = f"{params['source']} {params['strategy']} {known}"
    return Question(_asks(params), _answers(params), about)


def _answers(params: Params) -> Mapping[str, str]:
    """What can be answered, text -> value: it follows from the search and what is searched."""
    if params["strategy"] == "sampling":
        return OFTEN
    if params["source"] == LETTERS:
        return {output: output for output in OUTPUTS}
    return MANY if params["strategy"] == "exhaustive" else SAME


def _asks(params: Params) -> str:
    strategy = params["strategy"]
    if strategy == "sampling":
        return (
            "With these settings, how often is the most probable output drawn, compared with "
            "draws without temperature, top-k and top-p?"
        )
    if params["source"] != LETTERS:
        if strategy == "exhaustive":
            return "How many outputs of up to 11 characters can the model write?"
        who = (
            "greedy search" if strategy == "greedy" else f"a search with {_beams(params['width'])}"
        )
        return f"Does {who} find the same output as a search with {WIDE} beams?"
    if params["length_penalty"] and "length_penalty" in KNOWS[strategy]:
        goal = f"has the best score, log p / length^{params['length_penalty']:g}"
    else:
        goal = "comes out on top" if strategy == "beam" else "is the most probable"
    return {
        "greedy": "Each time the most probable next token: what does greedy search write?",
        "beam": f"Which of the outputs that {_beams(params['width'])} find {goal}?",
        "exhaustive": f"All outputs are scored. Which one {goal}?",
    }[strategy]


def _judge(result: Result) -> Verdict:
    search, truth, text = result.search, result.truth, result.model.text
    if result.strategy == "sampling":
        chance, plain = result.chance, result.plain_chance
        outcome = "more" if chance > plain else "less"
        if math.isclose(chance, plain, rel_tol=1e-4):  # a model may compute in float32
            outcome = "same"
        words = {value: words for words, value in OFTEN.items()}[outcome]
        return Verdict(
            outcome,
            f"{text(truth.probable.tokens)} comes {words}: one draw is it with p = {chance:.4f}, "
            f"and with p = {plain:.4f} when nothing is changed.",
        )
    if search.refusal:
        outcome = next(v for v in ("billions", "millions", "thousands") if truth.ended > SIZES[v])
        return Verdict(outcome, f"There are {truth.ended:,}, so the library refuses to try.")
    best, p = text(search.best.tokens), math.exp(search.best.log_prob)
    if result.source != LETTERS:
        if search.best.tokens == truth.scored.tokens:
            return Verdict("yes", f"It finds {best}, as {WIDE} beams do.")
        return Verdict("no", f"It finds {best}, and {WIDE} beams find {text(truth.scored.tokens)}.")
    if result.strategy == "greedy":
        why = f"It writes {best}: {best[0]} is the most probable letter at the start, and stays."
    elif result.penalty:
        score = search.best.log_prob / len(search.best.tokens) ** result.penalty
        why = f"{best} has the best score of what was found: {score:.2f}, with p = {p:.4f}."
    elif result.strategy == "beam":
        why = f"{best}, with p = {p:.4f}, is the best of what {_beams(result.width)} kept."
    else:
        why = f"{best}, with p = {p:.4f}: no other of the {truth.ended} outputs has more."
    return Verdict(best, why.replace("-", "−"))


def _beams(width: int) -> str:
    return f"{width} beam{'s' * (width > 1)}"


# ---------------------------------------------------------------- the controls


def _last(params: Params) -> int:
    return source_of(params["source"]).steps


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """Letters have fewer steps than dates."""
    return {**params, "step": min(params["step"], _last(params))}


def _known(name: str) -> dict[str, Sequence[str]]:
    """When a parameter matters: with the strategies that know it."""
    return {"strategy": [strategy for strategy, names in KNOWS.items() if name in names]}


EXPLORER = Explorer(
    name="search_tree",
    title="Search tree",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("greedy", "two_beams", "three_beams"),
    controls=(
        (
            Choice(
                "source",
                "model",
                {"four letters": LETTERS, **{f"date “{date}”": date for date in DATES}},
                static=(LETTERS, "4 august"),
            ),
        ),
        (Choice("strategy", "search", {strategy: strategy for strategy in STRATEGIES}),),
        (
            Number("width", "beams", 1, MAX_WIDTH, when=_known("width")),
            Choice(
                "length_penalty",
                "length penalty α",
                {f"{alpha:g}": alpha for alpha in PENALTIES},
                when=_known("length_penalty"),
                static=(0.0, 0.7, 1.5),
            ),
        ),
        (
            Choice(
                "temperature",
                "temperature",
                {f"{t:g}": t for t in TEMPERATURES},
                when=_known("temperature"),
                static=(0.6, 1.0, 2.0),
            ),
            Choice(
                "top_k",
                "top-k",
                {str(k or "off"): k for k in TOP_KS},
                when=_known("top_k"),
                static=(0,),
            ),
            Choice(
                "top_p",
                "top-p",
                {"off" if p == 1 else f"{p:g}": p for p in TOP_PS},
                when=_known("top_p"),
                static=(1.0, 0.8),
            ),
            Number("seed", "seed", 0, MAX_SEED, when=_known("seed"), static=()),
        ),
        (Number("step", "step", 0, _last, plays=1000),),
    ),
    question=_question,
    judge=_judge,
    tidy=_tidy,
)
explore = EXPLORER.open
