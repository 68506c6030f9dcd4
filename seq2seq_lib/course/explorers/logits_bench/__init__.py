"""The logits bench: five lines that all claim to be the cross-entropy, on one row of logits.

Logits, log-probabilities and shares are all floats of one shape, and no loss complains about the
wrong ones. Which of the five lines agree, and what does a perfect answer cost in each?
"""

from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.logits_bench.compute import (
    CODE,
    LIMIT,
    WORDS,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.logits_bench.picture import draw, number

AGREE = {
    "1 and 2": "ce, ls_nll",
    "1, 2 and 3": "ce, ls_nll, ls_ls_nll",
    "1, 2, 3 and 4": "ce, ls_nll, ls_ls_nll, s_ce",
    "all five": "ce, ls_nll, ls_ls_nll, s_ce, s_nll",
}
COST = {"less than 0": "below", "0": "zero", "more than 0": "above"}
STATES = {
    "row": State("1, 2, 3, 6 and 8 votes: three lines agree"),
    "perfect": State("The target 100 nats ahead: line 4 does not reach 0", {"logits": "perfect"}),
    "sure_and_wrong": State(
        "Sure of another word: line 1 pushes hard, line 4 hardly", {"logits": "wrong"}
    ),
    "cool": State("The row at τ = 0.6: sharper shares", {"temperature": 0.6}),
    "large_vocabulary": State("10,000 words: the room of line 4 is one nat", {"vocab": 10_000}),
    "smoothed": State(
        "ε = 0.1, and the target 100 nats ahead: too sure", {"logits": "perfect", "smoothing": 0.1}
    ),
}


def _question(params: Params) -> Question:
    if params["logits"] == "perfect":
        asks = "The target is 100 nats ahead of all others. What does line 4 cost?"
        return Question(asks, COST, about="perfect")
    return Question("Which of the five lines give the same number?", AGREE, about=params["logits"])


def _judge(result: Result) -> Verdict:
    if result.logits_name == "perfect":
        loss = result.losses["s_ce"]
        name = "zero" if abs(loss) < 0.0005 else "above" if loss > 0 else "below"
        return Verdict(
            name,
            "Softmax squeezes the logits into 0 .. 1, so the softmax inside cross_entropy never "
            f"sees a gap above 1: line 4 costs {number(loss)}.",
        )
    if "s_ce" in result.same:
        why = "Equal shares stay equal however often they are normalised, so line 4 agrees by luck."
    else:
        why = (
            "Log-softmax of log-softmax changes nothing, softmax of softmax does: line 4 gives "
            f"{number(result.losses['s_ce'])}, line 5 {number(result.losses['s_nll'])}."
        )
    return Verdict(", ".join(result.same), why)


EXPLORER = Explorer(
    name="logits_bench",
    title="Logits bench",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("row", "perfect", "sure_and_wrong"),
    controls=(
        (
            Choice(
                "logits",
                "logits",
                {
                    "the row": "row",
                    "the row + 100": "shifted",
                    "all equal": "uniform",
                    "perfect": "perfect",
                    "sure and wrong": "wrong",
                    "your own": "own",
                },
                static=("row", "shifted", "uniform", "perfect", "wrong"),
            ),
        ),
        tuple(
            Number("own", word, -LIMIT, LIMIT, index=i, when={"logits": ("own",)}, static=())
            for i, word in enumerate(WORDS)
        ),
        (
            Choice("target", "target y", {WORDS[i]: i for i in (0, 3, 4)}),
            Choice("vocab", "words V", {"5": 5, "14": 14, "10,000": 10_000}),
        ),
        (
            Choice("temperature", "temperature τ", {"0.5": 0.5, "0.6": 0.6, "1": 1.0, "2": 2.0}),
            Choice("smoothing", "smoothing ε", {"0": 0.0, "0.1": 0.1}),
        ),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open

__all__ = ["CODE", "EXPLORER", "WORDS", "compute", "draw", "explore"]
