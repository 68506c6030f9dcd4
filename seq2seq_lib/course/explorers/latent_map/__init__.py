"""The latent map: what a decoder writes at 25 points of its code, and what the code costs.

A model with a code of 8 numbers was trained with six weights of the KL term. The map holds the
sentences in the plane of the two dimensions that say most, a path those between two sentences.
"""

from seq2seq_lib.course.explorers.kit.controls import Choice, Params
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.explorers.latent_map.compute import (
    STEPS,
    TRAININGS,
    VIEWS,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.latent_map.picture import draw

PREDICTIONS = {"at most 9": "few", "10 to 18": "some", "19 or more": "many"}
STATES = {  # named after what was set, not after what comes out
    "constant": State("KL weight 1 from the start"),
    "linear": State("The weight grows from 0 to 1 in 200 steps", {"training": "linear"}),
    "logistic": State("The weight is an S around step 100", {"training": "logistic"}),
    "cyclical": State(
        "The weight rises four times; the last time is to come",
        {"training": "cyclical", "step": 300},
    ),
    "free_bits": State("3 nats a sentence are free", {"training": "free bits 3"}),
    "path": State(
        "3 free nats: a path from one sentence to another",
        {"training": "free bits 3", "view": "path 1"},
    ),
    "no_weight": State("Weight 0: no KL in training", {"training": "weight 0"}),
}


def _question(params: Params) -> Question:
    return Question(
        "A model decodes 25 points of its code, five by five. How many different sentences are on "
        "the map?",
        PREDICTIONS,
        about=f"{params['training']}, {params['step']}",
    )


def _judge(result: Result) -> Verdict:
    number = result.different
    answer = "few" if number <= 9 else "some" if number <= 18 else "many"
    kl = sum(result.kl)
    if kl < 0.1:
        why = "z hardly tells the decoder anything, so what it writes hardly depends on z"
    elif kl > 10:
        why = "no KL was paid in training, so nothing keeps the codes near the prior"
    else:
        why = "z tells the decoder something, so another z is another sentence"
    return Verdict(answer, f"{number} different, at a KL of {kl:.2f} nats: {why}.")


EXPLORER = Explorer(
    name="latent_map",
    title="The latent map",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("constant", "linear"),
    controls=(
        (Choice("training", "KL weight", {name: name for name in TRAININGS}),),
        (Choice("step", "after steps", {str(step): step for step in STEPS}),),
        (Choice("view", "show", {view: view for view in VIEWS}),),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
