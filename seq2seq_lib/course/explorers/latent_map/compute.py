"""What the latent map shows: sentences that trained models wrote, read from a record.

``record.json`` is made by ``python -m benchmarks.latent_schedules --write`` (seed 0). Nothing is
trained or decoded here: near ties of greedy search may fall differently on other machines.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seq2seq_lib.corpora.echo_task import ECHO_ENTROPY, is_mirrored

RECORD = Path(__file__).with_name("record.json")
TRAININGS = ("constant", "linear", "logistic", "cyclical", "free bits 3", "weight 0")
STEPS = (50, 100, 200, 300, 400)
VIEWS = ("map", "path 1", "path 2")
GRID = (-1.6, -0.8, 0.0, 0.8, 1.6)


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        training, step, view: as in ``compute``.
        sentences: 25 of the map, row by row from the top, or 7 of a path.
        numbers: for each of them, which different sentence it is, 1 for the first.
        different: how many different sentences the map has, whatever the view.
        mirrored: how many of its 25 say in the second half what the first one says.
        copies: how many different sentences the reconstructions of 400 sentences are.
        reconstruction: nats a sentence.
        kl: nats a sentence of each dimension, 8 numbers.
        axes: the two dimensions of the map, across and up.
        floor: the entropy of the language: no model's bound can, on average, be lower.
    """

    training: str
    step: int
    view: str
    sentences: tuple[str, ...]
    numbers: tuple[int, ...]
    different: int
    mirrored: int
    copies: int
    reconstruction: float
    kl: tuple[float, ...]
    axes: tuple[int, int]
    floor: float = ECHO_ENTROPY

    @property
    def bound(self) -> float:
        """−ELBO, nats a sentence."""
        return self.reconstruction + sum(self.kl)

    @property
    def commonest(self) -> tuple[int, int]:
        """The number of the sentence that occurs most often in this view, and how often."""
        return Counter(self.numbers).most_common(1)[0]


def compute(*, training: str = "constant", step: int = 400, view: str = "map") -> Result:
    """Look up what a model wrote.

    Args:
        training: the weight of its KL, one of ``TRAININGS``.
        step: after how many steps, one of ``STEPS``.
        view: ``"map"``, the plane of the two dimensions of largest KL, or one of two paths between
            the codes of two sentences.

    Raises:
        ValueError: there is no such record.
    """
    for name, value, valid in (
        ("training", training, TRAININGS),
        ("step", step, STEPS),
        ("view", view, VIEWS),
    ):
        if value not in valid:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, valid))}, not {value!r}.")
    kept = _record()[training][str(step)]
    sentences = kept["map"] if view == "map" else kept["paths"][VIEWS.index(view) - 1]
    first = {sentence: n for n, sentence in enumerate(dict.fromkeys(sentences), start=1)}
    return Result(
        training=training,
        step=step,
        view=view,
        sentences=tuple(sentences),
        numbers=tuple(first[sentence] for sentence in sentences),
        different=len(set(kept["map"])),
        mirrored=sum(is_mirrored(sentence.split()) for sentence in kept["map"]),
        copies=kept["copies"],
        reconstruction=kept["reconstruction"],
        kl=tuple(kept["kl"]),
        axes=tuple(kept["axes"]),
    )


@cache
def _record() -> Mapping[str, Mapping[str, Mapping]]:
    return json.loads(RECORD.read_text(encoding="utf-8"))
