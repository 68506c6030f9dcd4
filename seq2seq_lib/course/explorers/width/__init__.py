"""Width: what a small model of keywords writes with one beam, with fifty, and with exact search.

Eight sources, seven widths and exact search, three length penalties. What was found is stored, and
read here: exact search asks the model up to thousands of times. Is what a wider search finds more
probable, and is it a sentence?
"""

from seq2seq_lib.course.explorers.kit.controls import Choice, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.width.compute import EXACT, SAME, Result, compute
from seq2seq_lib.course.explorers.width.found import PENALTIES, SOURCES, WIDTHS
from seq2seq_lib.course.explorers.width.picture import draw, size

PROBABLE = {"more probable": "more", "as probable": "same", "less probable": "less"}
LENGTHS = {"longer": "longer", "as long": "equal", "shorter": "shorter"}
STATES = {
    "mode": State("The most probable sentence about owls and a boat has no words"),
    "greedy": State("One beam writes a sentence about owls and a boat", {"width": 1}),
    "wider_is_worse": State("Ten beams find less than one", {"width": 10}),
    "cat": State("Exact search for cat stops before the verb", {"source": "cat"}),
    "five_alike": State("Five beams, one thought", {"source": "cat", "width": 5}),
    "penalty": State("A length penalty brings the words back", {"width": 50, "alpha": 1.0}),
}


def _question(params: Params) -> Question:
    about = f"{params['source']} {params['width']} {params['alpha']}"
    if params["width"] == EXACT:
        asks = (
            "Exact search returns the output that the model finds most probable. Compared with the "
            "sentence above, is it longer or shorter?"
        )
        return Question(asks, LENGTHS, f"{params['source']} {EXACT}")
    beams = "one beam" if params["width"] == 1 else f"{params['width']} beams"
    asks = (
        f"Is what {beams} with α = {params['alpha']:g} return more probable than the sentence "
        "above, by the model's own log-probability?"
    )
    return Question(asks, PROBABLE, about)


def _judge(result: Result) -> Verdict:
    gain = result.best.log_prob - result.greedy.log_prob
    tokens, before = len(result.best.tokens), len(result.greedy.tokens)
    if result.width == EXACT:
        answer = "longer" if tokens > before else "shorter" if tokens < before else "equal"
        why = (
            f"{size(result.best)} with the end, greedy search has {before}: "
            "short pays for few tokens."
            if tokens < before
            else f"{size(result.best)} with the end, and greedy search has {before}."
        )
        return Verdict(answer, why)
    answer = "same" if abs(gain) < SAME else "more" if gain > 0 else "less"
    why = f"log p {result.best.log_prob:.2f}, greedy search {result.greedy.log_prob:.2f}."
    if answer == "less" and not result.alpha:
        why += " The beam dropped greedy's beginning for others that looked better then."
    elif answer == "less":
        why += " The penalty makes room for longer outputs, and each token costs."
    elif answer == "more" and tokens < before:
        why += " Short pays for few tokens."
    return Verdict(answer, why.replace("-", "−"))


EXPLORER = Explorer(
    name="width",
    title="Width, length and truth",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("greedy", "mode"),
    controls=(
        (Choice("source", "source", {source: source for source in SOURCES}),),
        (Choice("width", "beams", {**{str(k): k for k in WIDTHS}, "exact": EXACT}),),
        (
            Choice(
                "alpha",
                "length penalty α",
                {f"{alpha:g}": alpha for alpha in PENALTIES},
                when={"width": list(WIDTHS)},
            ),
        ),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
