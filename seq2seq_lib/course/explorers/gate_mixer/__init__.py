"""The gate mixer: one unit of an RNN, LSTM or GRU, what it stores and how long.

A pulse is written at step 1, and nothing follows. After how many steps is half of it gone? The
weight of a plain RNN, or the bias of the gate that keeps, decides. With a second pulse the question
is another: an LSTM has one gate to keep and one to write, a GRU has one for both.
"""

from seq2seq_lib.course.explorers.gate_mixer.compute import (
    BIASES,
    SECOND,
    STEPS,
    WEIGHTS,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.gate_mixer.picture import draw, number
from seq2seq_lib.course.explorers.kit.controls import Choice, Number, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict

HALVES = {
    "within 2 steps": "soon",
    "3 to 9 steps": "some",
    "10 to 29 steps": "many",
    "not within 30 steps": "never",
}
SECOND_PULSES = {
    "it adds to what is there": "adds",
    "it replaces what is there": "replaces",
    "it adds, and the sum is squashed below 1": "squashes",
}
STATES = {
    "lstm_0": State("An LSTM with forget bias 0: f is one half"),
    "lstm_4": State("Forget bias 4: f is 0.982", {"bias": 4}),
    "gru_two_pulses": State(
        "A GRU with update bias 4, and a second pulse", {"cell": "gru", "bias": 4, "second": True}
    ),
    "lstm_two_pulses": State("The same for an LSTM", {"bias": 4, "second": True}),
    "rnn_half": State("A plain RNN with weight 0.5", {"cell": "rnn", "weight": 0.5}),
    "rnn_one": State("A plain RNN with weight 1", {"cell": "rnn"}),
    "rnn_latch": State("A plain RNN with weight 1.1: a latch", {"cell": "rnn", "weight": 1.1}),
}


def _question(params: Params) -> Question:
    about = f"{params['cell']} {params['second']} "
    if params["second"]:
        asks = f"A second pulse falls at step {SECOND}. What does it do to what is stored?"
        return Question(asks, SECOND_PULSES, about)
    setting = params["weight"] if params["cell"] == "rnn" else params["bias"]
    asks = "One pulse is stored at step 1. After how many steps is half of it gone?"
    return Question(asks, HALVES, about + str(setting))


def _judge(result: Result) -> Verdict:
    if result.second:
        return _second(result)
    return Verdict(_bucket(result.gone_after), _why(result))


def _bucket(steps: int | None) -> str:
    if steps is None:
        return "never"
    return "soon" if steps <= 2 else "some" if steps <= 9 else "many"


def _why(result: Result) -> str:
    first, last = (number(result.steps[t].stored) for t in (0, -1))
    if result.cell != "rnn":
        gate = "f" if result.cell == "lstm" else "z"
        steps = "1 step" if result.half_life == 1 else f"{result.half_life:.1f} steps"
        return (
            f"Each step multiplies by {gate}, the sigmoid of the bias: {gate} = {result.keep:.3f} "
            f"has a half-life of {steps}."
        )
    if result.gone_after is not None:
        return (
            f"Each step multiplies by {result.weight:g} at most, and tanh takes some more: after "
            f"{STEPS} steps {last} is left."
        )
    return (
        f"From {first} it settles at {last}, where tanh takes as much as the weight adds. Another "
        "pulse of this sign ends there too: it remembers that there was one, not how large."
    )


def _second(result: Result) -> Verdict:
    before, after = (number(result.steps[t - 1].stored) for t in (SECOND - 1, SECOND))
    if result.cell == "lstm":
        why = "f keeps and i writes, each as it likes, so c can grow"
        return Verdict("adds", f"{before} becomes {after}: {why}.")
    if result.cell == "gru":
        why = "1 − z writes and z keeps: one gate, so what is written pushes out what was there"
        return Verdict("replaces", f"{before} becomes {after}: {why}.")
    return Verdict("squashes", f"{before} becomes {after}: tanh of the sum stays below 1.")


EXPLORER = Explorer(
    name="gate_mixer",
    title="Gate mixer",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("lstm_0", "lstm_4", "gru_two_pulses"),
    controls=(
        (
            Choice("cell", "cell", {"plain RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}),
            Choice("second", "second pulse", {"none": False, f"at step {SECOND}": True}),
        ),
        (
            Choice("weight", "weight w", {f"{w:g}": w for w in WEIGHTS}, when={"cell": ("rnn",)}),
            Choice(
                "bias",
                "bias of the gate that keeps",
                {str(b).replace("-", "−"): b for b in BIASES},
                when={"cell": ("lstm", "gru")},
            ),
        ),
        (Number("cursor", "step", 1, STEPS, slider=True, plays=250),),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
