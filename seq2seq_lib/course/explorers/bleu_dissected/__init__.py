"""BLEU dissected: a hypothesis against a reference, n-gram by n-gram, and what a deletion does.

Eight hypotheses, the first one also without any one of its words, or the reader's own. What is
matched, what is clipped, which penalty, which score: of the sentence and of a corpus of two.
"""

from seq2seq_lib.course.explorers.bleu_dissected.compute import (
    BASE,
    DOUBLED,
    LONGEST,
    OWN,
    PRESETS,
    Result,
    compute,
)
from seq2seq_lib.course.explorers.bleu_dissected.picture import draw
from seq2seq_lib.course.explorers.kit.controls import Choice, Params, Text
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict

DELETIONS = {
    "any word": "any",
    "one of “the the”, and no other": "the",
    "some other word": "other",
    "no word": "none",
}
COMPARED = {"higher": "higher", "lower": "lower", "the same": "same"}
STATES = {
    "base": State("A word is missing, and one is there twice"),
    "doubled_the": State("One of “the the” is gone", {"preset": "doubled_the"}),
    "too_short": State("All six words are right, and four are missing", {"preset": "too_short"}),
    "two_words": State("Two words, both right: no four in a row", {"preset": "two_words"}),
    "all_the": State("Ten times “the”: three count, seven are clipped", {"preset": "all_the"}),
    "reversed": State("All words, in the reverse order", {"preset": "reversed"}),
    "moved": State("All words, a part of them moved", {"preset": "moved"}),
    "one_more": State("The reference and a word more", {"preset": "one_more"}),
}
WHY = {
    "doubled_the": "A wrong word that goes lifts precision, here by more than the penalty takes.",
    "too_short": "What is left out costs through the penalty, however right the rest is.",
    "two_words": "A factor without n-grams makes the product 0; the penalty does the rest.",
    "all_the": "The reference has three, so seven of the ten are clipped.",
    "reversed": "Single words cannot tell the order; longer n-grams can.",
    "moved": "Only the n-grams across the two seams are lost.",
    "one_more": "A word too many costs precision of all orders, and no penalty.",
    "own": "Precision, order and length all have a say.",
}
NAMES = {
    "missing and doubled": "base",
    "no double": "doubled_the",
    "too short": "too_short",
    "two words": "two_words",
    "ten times the": "all_the",
    "reversed": "reversed",
    "moved": "moved",
    "one more": "one_more",
}


def _base(params: Params) -> Result:
    return compute(**{**params, "preset": "base", "delete": 0})


def _question(params: Params) -> Question:
    about = " ".join(str(value) for value in params.values())
    if params["preset"] == "base" and not params["delete"]:
        return Question(
            "You delete one word of this hypothesis. Which deletion raises the score?",
            DELETIONS,
            about,
        )
    base = _base(params).base
    return Question(
        f"“{BASE}” has {base:.2f}. Is the score of this hypothesis higher or lower?",
        COMPARED,
        about,
    )


def _judge(result: Result) -> Verdict:
    if result.problem:
        return Verdict("same" if result.preset == "own" else "none", result.problem)
    if result.preset == "base" and not result.delete:
        places = {
            (): "none",
            DOUBLED: "the",
            tuple(range(1, len(BASE.split()) + 1)): "any",
        }
        rest = [s for i, s in enumerate(result.deleted, 1) if i not in DOUBLED]
        return Verdict(
            places.get(result.raised, "other"),
            f"It has {result.base:.2f}. Without one of “the the” it has "
            f"{result.deleted[DOUBLED[0] - 1]:.2f}, without any other word {min(rest):.2f} to "
            f"{max(rest):.2f}: a wrong word that goes lifts precision, the penalty takes back what "
            "is left out, and a gap breaks the n-grams across it.",
        )
    score = result.shown.score
    close = abs(score - result.base) < 0.005
    answer = "same" if close else "higher" if score > result.base else "lower"
    if result.delete:
        why = (
            WHY["doubled_the"]
            if result.delete in DOUBLED
            else "The penalty takes its part, and the gap breaks the n-grams across it."
        )
    else:
        why = WHY[result.preset]
    return Verdict(answer, f"It is {score:.2f} against {result.base:.2f}. {why}")


EXPLORER = Explorer(
    name="bleu_dissected",
    title="BLEU dissected",
    compute=compute,
    draw=draw,
    states=STATES,
    film=("base", "doubled_the", "two_words"),
    controls=(
        (
            Choice(
                "preset",
                "hypothesis",
                NAMES | {"your own": "own"},
                static=tuple(PRESETS),
            ),
        ),
        (
            Choice(
                "delete",
                "delete",
                {"nothing": 0} | {f"{i} {w}": i for i, w in enumerate(BASE.split(), start=1)},
                when={"preset": ("base",)},
            ),
        ),
        (
            Text(
                "own",
                "your hypothesis",
                "up to 12 words, small letters, spaces between them",
                "score it",
                examples=(OWN,),
                when={"preset": ("own",)},
                static=(),
            ),
        ),
        (
            Choice(
                "smoothing",
                "smoothing",
                {"none": "none", "exp": "exp", "exp + effective order": "effective"},
            ),
            Choice("max_n", "longest n", {str(n): n for n in LONGEST}),
            Choice("scope", "score of", {"this sentence": "sentence", "both": "both"}),
        ),
    ),
    question=_question,
    judge=_judge,
)
explore = EXPLORER.open
