"""What the search tree shows: a search, stopped after some steps, and the truth to compare with."""

from dataclasses import dataclass

from seq2seq_lib.course.explorers.search_tree.steps import (
    LETTERS,
    Node,
    Reshape,
    Search,
    Source,
    Truth,
    chance_of,
    run,
    source_of,
    truth_of,
)
from seq2seq_lib.decoding import length_penalty as divisor
from seq2seq_lib.hypotheses import Hypothesis

KNOWS = {  # strategy -> the parameters that change it
    "greedy": (),
    "beam": ("width", "length_penalty"),
    "sampling": ("temperature", "top_k", "top_p", "seed"),
    "exhaustive": ("length_penalty",),
}


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        source, strategy, width, step: as in ``compute``.
        penalty: the exponent of the length penalty; 0 where none applies.
        reshape: what sampling does to the model's distributions; nothing in other searches.
        search: what the library found, and the whole tree.
        outputs: all that it found, best score first.
        truth: the best outputs there are.
        chance, plain_chance: the probability that one draw is the most probable output: with
            ``reshape``, and without.
    """

    source: str
    strategy: str
    width: int
    penalty: float
    reshape: Reshape
    step: int
    search: Search
    outputs: tuple[Hypothesis, ...]
    truth: Truth
    chance: float
    plain_chance: float

    @property
    def model(self) -> Source:
        return source_of(self.source)

    @property
    def done(self) -> bool:
        return self.step == self.model.steps

    @property
    def found(self) -> tuple[Hypothesis, ...]:
        """What ended in the steps so far, or was cut there, best score first."""
        return tuple(output for output in self.outputs if len(output.tokens) <= self.step)

    @property
    def scores(self) -> tuple[float, ...]:
        """Of what was found: log p / length ** penalty."""
        return tuple(_score(output, self.penalty) for output in self.found)

    @property
    def cost(self) -> int:
        """Next-token distributions asked for so far."""
        return sum(self.search.costs[: self.step])

    @property
    def levels(self) -> tuple[tuple[Node, ...], ...]:
        """The steps that are done."""
        return self.search.levels[: self.step]


def compute(
    *,
    source: str = LETTERS,
    strategy: str = "greedy",
    width: int = 2,
    length_penalty: float = 0.0,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    step: int = 4,
) -> Result:
    """Search, and stop after some steps.

    Args:
        source: ``"letters"``, or one of five dates.
        strategy: ``"greedy"``, ``"beam"``, ``"sampling"`` (20 draws) or ``"exhaustive"``.
        width: of the beam, 1 .. 5.
        length_penalty: α in log p / length^α; for beams and exhaustive search.
        temperature, top_k, top_p: of sampling; ``top_k=0`` and ``top_p=1`` are off.
        seed: of sampling, 0 .. 99.
        step: 0 .. the longest output, 4 letters or 11 characters of a date.

    What a strategy does not know (see ``KNOWS``) changes nothing.
    """
    knows = KNOWS[strategy]
    penalty = length_penalty if "length_penalty" in knows else 0.0
    reshape = Reshape(temperature, int(top_k), top_p) if "temperature" in knows else Reshape()
    search = run(
        source,
        strategy,
        width if "width" in knows else 1,
        penalty,
        reshape,
        seed if "seed" in knows else 0,
    )
    truth = truth_of(source, penalty)
    ranked = sorted(search.outputs, key=lambda h: (-_score(h, penalty), len(h.tokens), h.tokens))
    # Sampling never draws PAD or BOS and shares what the model gives them: so even a plain draw
    # may differ from the model's own probability in the third digit.
    chances = [chance_of(source, tuple(truth.probable.tokens), r) for r in (reshape, Reshape())]
    return Result(
        source=source,
        strategy=strategy,
        width=width,
        penalty=penalty,
        reshape=reshape,
        step=step,
        search=search,
        outputs=tuple(ranked),
        truth=truth,
        chance=chances[0],
        plain_chance=chances[1],
    )


def _score(output: Hypothesis, penalty: float) -> float:
    return output.log_prob / divisor(len(output.tokens), penalty)
