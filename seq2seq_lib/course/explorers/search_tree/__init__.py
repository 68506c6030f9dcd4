"""The search tree: greedy search, beam search, sampling and exhaustive search, step by step.

A model of four letters, whose 40 outputs can all be scored, and a small trained model that reads
dates. The tree shows which continuations a search looked at and what became of them; beside it
stands the truth. The searches are the library's own.
"""

import math
from collections.abc import Mapping, Set
from typing import Any

from seq2seq_lib._arguments import check_choice
from seq2seq_lib.course.explorers.kit.widget import SKIPPED, Choice, Explorer, Number, State
from seq2seq_lib.course.explorers.search_tree.compute import (
    DATES,
    LETTERS,
    STRATEGIES,
    WIDE,
    Reshape,
    Search,
    Truth,
    chance_of,
    run,
    source_of,
    truth_of,
)
from seq2seq_lib.course.explorers.search_tree.picture import Result, draw
from seq2seq_lib.decoding import length_penalty as divisor

__all__ = ["EXPLORER", "STATES", "Result", "compute", "draw", "explore"]

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
_SAMPLING = {"temperature", "top_k", "top_p", "seed"}
IDLE = {  # by strategy: what it does not know
    "greedy": frozenset({"width", "length_penalty"} | _SAMPLING),
    "beam": frozenset(_SAMPLING),
    "sampling": frozenset({"width", "length_penalty"}),
    "exhaustive": frozenset({"width"} | _SAMPLING),
}


def compute(
    *,
    source: str = LETTERS,
    strategy: str = "greedy",
    width: int = 1,
    length_penalty: float = 0.0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    step: int | None = None,
    prediction: str | None = SKIPPED,
) -> Result:
    """Search, and stop after some steps.

    Args:
        source: ``"letters"``, or one of five dates.
        strategy: ``"greedy"``, ``"beam"``, ``"sampling"`` (20 draws) or ``"exhaustive"``.
        width: of the beam, 1 .. 5.
        length_penalty: α in log p / length^α; for beams and exhaustive search.
        temperature, top_k, top_p: of sampling; ``top_k=0`` and ``top_p=1`` are off.
        seed: of sampling, 0 .. 99.
        step: 0 .. the longest output, 4 letters or 11 characters of a date; the last if left out.
        prediction: None hides the search until there is one; see ``predictions``.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_choice(source, (LETTERS, *DATES), "source")
    check_choice(strategy, STRATEGIES, "strategy")
    last = source_of(source).steps
    step = last if step is None else step
    for name, value, low, high in (
        ("width", width, 1, MAX_WIDTH),
        ("seed", seed, 0, MAX_SEED),
        ("step", step, 0, last),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{name} must be an integer in {low} .. {high}, but it is {value!r}.")
    for name, value, valid in (
        ("length_penalty", length_penalty, PENALTIES),
        ("temperature", temperature, TEMPERATURES),
        ("top_k", top_k, TOP_KS),
        ("top_p", top_p, TOP_PS),
    ):
        if isinstance(value, bool) or value not in valid:
            raise ValueError(f"{name} must be one of {valid}, but it is {value!r}.")
    params = {"source": source, "strategy": strategy, "width": width}
    params |= {"length_penalty": length_penalty}
    answers = predictions(params)
    if prediction is not None:
        check_choice(prediction, (SKIPPED, *answers.values()), "prediction")
    ignored = idle(params)
    penalty = 0.0 if "length_penalty" in ignored else length_penalty
    reshape = Reshape() if "temperature" in ignored else Reshape(temperature, int(top_k), top_p)
    search = run(
        source,
        strategy,
        1 if "width" in ignored else width,
        penalty,
        reshape,
        0 if "seed" in ignored else seed,
    )
    truth = truth_of(source, penalty)
    found = [output for output in search.outputs if len(output.tokens) <= step]
    score = {id(h): h.log_prob / divisor(len(h.tokens), penalty) for h in found}
    found.sort(key=lambda h: (-score[id(h)], len(h.tokens), h.tokens))
    # Sampling never draws PAD or BOS and shares what the model gives them: so even a plain draw
    # may differ from the model's own probability in the third digit.
    chances = [chance_of(source, tuple(truth.probable.tokens), r) for r in (reshape, Reshape())]
    outcome, answer = _outcome(params, search, truth, *chances)
    return Result(
        source=source,
        strategy=strategy,
        width=width,
        penalty=penalty,
        reshape=reshape,
        step=step,
        prediction=prediction,
        search=search,
        found=tuple(found),
        scores=tuple(score[id(h)] for h in found),
        truth=truth,
        chance=chances[0],
        plain_chance=chances[1],
        outcome=outcome,
        question=question(params),
        answer=answer,
        predicted={value: words for words, value in answers.items()}.get(prediction, ""),
    )


# ---------------------------------------------------------------- the question


def predictions(params: Mapping[str, Any]) -> Mapping[str, str]:
    """What can be answered, text -> value: it follows from the search and what is searched."""
    if params["strategy"] == "sampling":
        return OFTEN
    if params["source"] == LETTERS:
        return {output: output for output in OUTPUTS}
    return MANY if params["strategy"] == "exhaustive" else SAME


def ask(params: Mapping[str, Any]) -> str:
    """What stands before the buttons."""
    if params["strategy"] == "sampling":
        return "The most probable output comes"
    if params["source"] != LETTERS:
        return "How many?" if params["strategy"] == "exhaustive" else "The same as 50 beams?"
    return {
        "greedy": "Greedy search writes",
        "beam": f"Best of {_beams(params)}",
        "exhaustive": "Best of all",
    }[params["strategy"]]


def question(params: Mapping[str, Any]) -> str:
    """What is asked before the tree is shown."""
    if params["strategy"] == "sampling":
        return "With these settings, is the most probable output drawn more often than without?"
    if params["source"] != LETTERS:
        if params["strategy"] == "exhaustive":
            return "How many outputs of up to 11 characters can the model write?"
        return f"Does {_who(params)} find the same output as a search with {WIDE} beams?"
    if params["length_penalty"] and "length_penalty" not in idle(params):
        goal = f"has the best score, log p / length^{params['length_penalty']:g}"
    else:
        goal = "comes out on top" if params["strategy"] == "beam" else "is the most probable"
    return {
        "greedy": "Each time the most probable next token: what does greedy search write?",
        "beam": f"Which of the outputs that {_beams(params)} find {goal}?",
        "exhaustive": f"All outputs are scored. Which one {goal}?",
    }[params["strategy"]]


def _outcome(
    params: Mapping[str, Any], search: Search, truth: Truth, chance: float, plain: float
) -> tuple[str, str]:
    """The answer as one of ``predictions``, and in words."""
    text = source_of(params["source"]).text
    if params["strategy"] == "sampling":
        outcome = "more" if chance > plain else "less"
        if math.isclose(chance, plain, rel_tol=1e-4):  # a model may compute in float32
            outcome = "same"
        words = {value: words for words, value in OFTEN.items()}[outcome]
        numbers = f"p {chance:.4f} in a draw, {plain:.4f} without"
        return outcome, f"It comes {words}: {numbers}."
    if search.refusal:
        outcome = next(v for v in ("billions", "millions", "thousands") if truth.ended > SIZES[v])
        return outcome, f"There are {outcome}: {truth.ended:,}."
    best = text(search.best.tokens)
    if params["source"] == LETTERS:
        who = {"greedy": "Greedy search writes", "beam": f"Best of {_beams(params)}:"}
        return best, f"{who.get(params['strategy'], 'Best of all:')} {best}."
    same = search.best.tokens == truth.scored.tokens
    there = text(truth.scored.tokens)
    if same:
        return "yes", f"It finds {best}, as {WIDE} beams do."
    return "no", f"It finds {best}, and {WIDE} beams {there}."


def _beams(params: Mapping[str, Any]) -> str:
    return f"{params['width']} beam{'s' * (params['width'] > 1)}"


def _who(params: Mapping[str, Any]) -> str:
    return "greedy search" if params["strategy"] == "greedy" else f"a search with {_beams(params)}"


# ---------------------------------------------------------------- the widget


def idle(params: Mapping[str, Any]) -> Set[str]:
    """The controls that the search does not know."""
    return IDLE[params["strategy"]]


def _last(params: Mapping[str, Any]) -> int:
    return source_of(params["source"]).steps


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """Letters have fewer steps than dates."""
    return {**params, "step": min(params["step"], _last(params))}


def _key(params: Mapping[str, Any]) -> Any:
    """Each search is another question; the seed and the step ask nothing new."""
    unasked = idle(params) | {"seed", "step"}
    return tuple((name, value) for name, value in params.items() if name not in unasked)


def _params(**changes: Any) -> dict[str, Any]:
    default = {
        "source": LETTERS,
        "strategy": "greedy",
        "width": 1,
        "length_penalty": 0.0,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
        "seed": 0,
        "step": 4,
    }
    return {**default, **changes}


STATES = {
    "greedy": State("Greedy search: acb•, 4 tokens, p = 0.0227", _params()),
    "two_beams": State("2 beams: ab•, 3 tokens, p = 0.0612", _params(strategy="beam", width=2)),
    "three_beams": State("3 beams: b•, 2 tokens, p = 0.1125", _params(strategy="beam", width=3)),
    "penalty": State(
        "3 beams and a length penalty of 0.7: the same list, another winner",
        _params(strategy="beam", width=3, length_penalty=0.7),
    ),
    "temperature": State(
        "20 samples at temperature 0.6: probable tokens come more often",
        _params(strategy="sampling", temperature=0.6),
    ),
    "nucleus": State(
        "20 samples with top-p 0.8: improbable tokens never come",
        _params(strategy="sampling", top_p=0.8),
    ),
    "dates": State(
        "A trained model reads “4 august”, and must choose a year",
        _params(source="4 august", strategy="beam", width=3, step=11),
    ),
}

EXPLORER = Explorer(
    name="SearchTreeExplorer",
    compute=compute,
    draw=draw,
    states=STATES,
    controls=(
        (
            Choice(
                "source",
                "search for",
                {"four letters": LETTERS, **{f"“{date}”": date for date in DATES}},
            ),
        ),
        (
            Choice("strategy", "search", {strategy: strategy for strategy in STRATEGIES}),
            Number("width", "beams", 1, MAX_WIDTH),
            Choice(
                "length_penalty", "length penalty α", {f"{alpha:g}": alpha for alpha in PENALTIES}
            ),
        ),
        (
            Choice("temperature", "temperature", {f"{t:g}": t for t in TEMPERATURES}),
            Choice("top_k", "top-k", {str(k or "off"): k for k in TOP_KS}),
            Choice("top_p", "top-p", {"off" if p == 1 else f"{p:g}": p for p in TOP_PS}),
            Number("seed", "seed", 0, MAX_SEED),
        ),
        (Number("step", "step", 0, _last, slider=True, play=1000),),
    ),
    ask=ask,
    predictions=predictions,
    question=_key,
    tidy=_tidy,
    idle=idle,
)


def explore(state: str = "greedy", lock: tuple[str, ...] = ()) -> Any:
    """Open the explorer.

    Args:
        state: one of ``STATES``.
        lock: controls that stay as they are: ``"source"``, ``"strategy"``, ``"width"``,
            ``"length_penalty"``, ``"temperature"``, ``"top_k"``, ``"top_p"``, ``"seed"``,
            ``"step"``.

    Returns:
        The widget; without a kernel, or under nbgrader, a still or three.
    """
    return EXPLORER.open(state, lock)
