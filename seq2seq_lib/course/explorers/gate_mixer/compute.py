"""The numbers of the gate mixer: one recurrent unit over 30 steps, and one or two pulses.

The input is 1 at a pulse and 0 elsewhere, and the weights are chosen so that a pulse is written and
every other step only keeps. Each cell equals torch's with the same weights.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

STEPS, SECOND = 30, 15  # where the second pulse falls, if there is one
CELLS = ("rnn", "lstm", "gru")
WEIGHTS = (0.5, 0.9, 1.0, 1.1, 1.5)
BIASES = (-2, 0, 1, 2, 3, 4, 5)
WRITE, REST, CANDIDATE, SHOW, OPEN = 8.0, -4.0, 2.0, 2.0, -9.0


@dataclass(frozen=True)
class Step:
    """One step of the unit.

    Attributes:
        x: its input.
        before, stored: what is kept from step to step, before and after: h, or c of an LSTM.
        gates: by name, what the step was mixed with.
        shown: what an LSTM lets out, h = o tanh(c); else the same as ``stored``.
    """

    x: float
    before: float
    stored: float
    gates: Mapping[str, float]
    shown: float


@dataclass(frozen=True)
class Result:
    """A run, and what is asked about it.

    Attributes:
        cell, weight, bias, second, cursor: as they were set.
        steps: all 30 of them.
        keep: what a step without a pulse multiplies the stored value by: f or z; None for an RNN,
            where it depends on the value.
        half_life: ln 2 / −ln keep; None for an RNN.
        gone_after: the first whole number of steps after which at most half is left; None if that
            is not within the 30 steps. A second pulse does not count.
    """

    cell: str
    weight: float
    bias: int
    second: bool
    cursor: int
    steps: tuple[Step, ...]
    keep: float | None
    half_life: float | None
    gone_after: int | None


def compute(
    *, cell: str = "lstm", weight: float = 1.0, bias: int = 0, second: bool = False, cursor: int = 1
) -> Result:
    """Run one unit.

    Args:
        cell: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        weight: of an RNN's state on itself.
        bias: of the gate that keeps, f or z.
        second: whether a second pulse falls at step 15.
        cursor: the step whose numbers stand in the equation, 1 to 30.

    Raises:
        ValueError: no such cell, a cursor outside, or a number that is not finite.
    """
    if cell not in CELLS:
        raise ValueError(f"Unknown cell: {cell!r}. Valid: {', '.join(map(repr, CELLS))}.")
    if cursor not in range(1, STEPS + 1):
        raise ValueError(f"cursor must be a step, 1 to {STEPS}, but it is {cursor!r}.")
    if not (math.isfinite(weight) and math.isfinite(bias)):
        raise ValueError(f"weight and bias must be finite, but they are {weight} and {bias}.")
    keep = None if cell == "rnn" else sigmoid(bias)
    once = list(run(cell, weight, bias, pulses=(1,)))
    steps = list(run(cell, weight, bias, pulses=(1, SECOND))) if second else once
    half = abs(once[0].stored) / 2 * (1 + 1e-9)  # of .5, exactly half is left after one step
    gone = (n for n, step in enumerate(once) if n and abs(step.stored) <= half)
    return Result(
        cell, weight, bias, second, cursor, tuple(steps), keep,
        None if keep is None else half_life(keep), next(gone, None),
    )  # fmt: skip


def run(cell: str, weight: float, bias: float, pulses: tuple[int, ...]) -> Iterator[Step]:
    """The steps of a unit that begins with 0."""
    stored = 0.0
    for t in range(1, STEPS + 1):
        x, before = float(t in pulses), stored
        if cell == "rnn":
            stored = math.tanh(weight * before + x)
            yield Step(x, before, stored, {"w(1−h²)": weight * (1 - stored**2)}, stored)
        elif cell == "lstm":
            f, i, o = sigmoid(bias), sigmoid(WRITE * x + REST), sigmoid(SHOW)
            g = math.tanh(CANDIDATE * x)
            stored = f * before + i * g
            yield Step(x, before, stored, {"f": f, "i": i, "g": g, "o": o}, o * math.tanh(stored))
        else:
            z, n = sigmoid(OPEN * x + bias), math.tanh(CANDIDATE * x)
            stored = z * before + (1 - z) * n
            yield Step(x, before, stored, {"z": z, "1−z": 1 - z, "n": n}, stored)


def sigmoid(a: float) -> float:
    """1 / (1 + e^−a), for any finite a."""
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def half_life(keep: float) -> float:
    """After how many steps of a constant gate one half is left."""
    if keep <= 0:
        return 0.0
    return math.inf if keep >= 1 else math.log(2) / -math.log(keep)
