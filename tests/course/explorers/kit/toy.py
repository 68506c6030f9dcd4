"""An explorer of a few lines: how far one has walked around a triangle or a square."""

from dataclasses import dataclass

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.controls import Choice, Number
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict

CORNERS = {"triangle": 3, "square": 4}


@dataclass(frozen=True)
class Walk:
    shape: str
    size: int
    step: int
    turns: tuple[int, int]


def compute(*, shape="square", size=2, step=1, turns=(0, 1)) -> Walk:
    if size == 7:
        raise ZeroDivisionError("seven is too much")
    return Walk(shape, size, step, turns)


def draw(walk: Walk, *, veiled: bool = False) -> str:
    words = "veiled" if veiled else f"{walk.shape} {walk.size} {walk.step} {walk.turns}"
    return svg.picture(svg.WIDTH, 40, words, words, [svg.text(12, 24, words)])


def question(params) -> Question:
    corners = CORNERS[params["shape"]]
    answers = {f"{n} corners": str(n) for n in (corners - 1, corners, corners + 1)}
    return Question(f"How many corners has a {params['shape']}?", answers, params["shape"])


def judge(walk: Walk) -> Verdict:
    corners = CORNERS[walk.shape]
    return Verdict(str(corners), f"A {walk.shape} has {corners}.")


def tidy(params, locked):
    return {**params, "step": min(params["step"], CORNERS[params["shape"]])}


WALK = Explorer(
    name="walk",
    title="Walk",
    compute=compute,
    draw=draw,
    states={
        "square": State("A square"),
        "triangle": State("A triangle", {"shape": "triangle", "step": 0}),
        "large": State("A large square", {"size": 9}),
    },
    film=("square", "triangle"),
    controls=(
        (Choice("shape", "shape", {"three": "triangle", "four": "square"}),),
        (
            Number("size", "size", 1, 9, when={"shape": ("square",)}, static=(2, 3)),
            Number("turns", "turns", 0, 1, index=1, static=()),
        ),
        (Number("step", "step", 0, lambda p: CORNERS[p["shape"]], plays=500),),
    ),
    question=question,
    judge=judge,
    tidy=tidy,
)
