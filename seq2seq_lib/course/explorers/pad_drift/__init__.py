"""Pad drift: what PAD columns and longer neighbours do to the final state, read in four ways.

One sentence of five tokens and a small GRU with fixed random weights, as before training. The
final state is read at the last column of the batch, at the last column of a packed batch, at the
last real token, or from what packing returns. Which of the four stays still?
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq_lib._arguments import check_choice
from seq2seq_lib.batching import pad_sequences
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.widget import SKIPPED, Choice, Explorer, Number, State
from seq2seq_lib.encoder import Encoder

WORDS = ("", "", "end", "", "the", "cat", "sat", "down", "a", "small", "dog", "ran", "to", "it")
SENTENCE = (4, 5, 6, 7, 2)  # the cat sat down, and its end
LONGER = (8, 9, 10, 11, 12, 4, 5, 2)
SHORTER = (13, 11, 2)
UNITS, MAX_EXTRA, SEED = 8, 12, 5

RAW = ("embedded = embedding(src)", "outputs, h_n = rnn(embedded)")
PACKED = (
    "packed = pack_padded_sequence("
    "embedding(src), lengths, batch_first=True, enforce_sorted=False)",
    "outputs, h_n = rnn(packed)",
)
READINGS = {
    "raw": (*RAW, "state = h_n[-1]"),
    "last_output": (*PACKED, "state = pad_packed_sequence(outputs, batch_first=True)[0][:, -1]"),
    "gather": (*RAW, "state = outputs[torch.arange(B), lengths - 1]"),
    "packed": (*PACKED, "state = h_n[-1]"),
}
NAMES = {
    "raw": "raw last state",
    "last_output": "packed, outputs[:, -1]",
    "gather": "outputs at length − 1",
    "packed": "packed h_n",
}
PREDICTIONS = {
    "none of them": "none",
    "only packed h_n": "packed",
    "length − 1 and packed h_n": "gather, packed",
    "all but the raw one": "last_output, gather, packed",
    "all four": "raw, last_output, gather, packed",
}


QUESTION = "6 PADs and a longer neighbour join the sentence. Which of the four ways stay still?"


@dataclass(frozen=True)
class Result:
    """What the explorer shows.

    Attributes:
        extra_pads, reading, neighbours, prediction: as in ``compute``.
        rows: the ids of the batch, padded; the sentence is the first row.
        lengths: of the rows.
        before: the final state of the sentence alone, without pads: all four ways agree on it.
        states: by reading, the final state of the sentence in this batch, 8 numbers.
        distances: by reading, the largest difference to ``before`` in any unit.
        still: the readings that stay at ``before`` with 6 extra pads and neighbours.
    """

    extra_pads: int
    reading: str
    neighbours: bool
    prediction: str | None
    rows: tuple[tuple[int, ...], ...]
    lengths: tuple[int, ...]
    before: tuple[float, ...]
    states: Mapping[str, tuple[float, ...]]
    distances: Mapping[str, float]
    still: tuple[str, ...]


def compute(
    *,
    extra_pads: int = 0,
    reading: str = "raw",
    neighbours: bool = False,
    prediction: str | None = SKIPPED,
) -> Result:
    """Encode the sentence in a padded batch and read its final state in four ways.

    Args:
        extra_pads: PAD columns after the longest sentence, 0 .. 12.
        reading: what the bars show: ``"raw"``, ``"last_output"``, ``"gather"`` or ``"packed"``.
        neighbours: whether a longer and a shorter sentence are in the batch.
        prediction: None hides the states until there is one.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_choice(reading, tuple(READINGS), "reading")
    if prediction is not None:
        check_choice(prediction, (SKIPPED, *PREDICTIONS.values()), "prediction")
    if not 0 <= extra_pads <= MAX_EXTRA:
        raise ValueError(f"extra_pads must be in 0 .. {MAX_EXTRA}, but it is {extra_pads}.")
    sentences = _sentences(neighbours)
    before = _read(0, False)["packed"]
    states = _read(extra_pads, neighbours)
    width = max(map(len, sentences)) + extra_pads
    return Result(
        extra_pads=extra_pads,
        reading=reading,
        neighbours=neighbours,
        prediction=prediction,
        rows=tuple((*ids, *[0] * (width - len(ids))) for ids in sentences),
        lengths=tuple(map(len, sentences)),
        before=before,
        states=states,
        distances={name: _distance(state, before) for name, state in states.items()},
        still=tuple(n for n, s in _read(6, True).items() if _distance(s, before) == 0),
    )


@cache
def _encoder() -> Encoder:
    """Random weights, the same in every process; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        encoder = Encoder(len(WORDS), 6, UNITS, bidirectional=False).double()
    with torch.no_grad():
        for parameter in encoder.rnn.parameters():
            parameter *= 2.0  # livelier than torch's start, as trained weights are
    return encoder.eval()


def _sentences(neighbours: bool) -> tuple[tuple[int, ...], ...]:
    return (SENTENCE, LONGER, SHORTER) if neighbours else (SENTENCE,)


@cache
@torch.no_grad()
def _read(extra_pads: int, neighbours: bool) -> Mapping[str, tuple[float, ...]]:
    """The sentence's final state, read in four ways."""
    src, lengths = pad_sequences(_sentences(neighbours))  # [B, S], [B]
    src = torch.nn.functional.pad(src, (0, extra_pads))  # [B, S + extra]
    encoder, rows = _encoder(), torch.arange(len(src))
    outputs, state = encoder.rnn(encoder.embedding(src))  # pads are read like words
    packed, packed_state = encoder.rnn(
        pack_padded_sequence(
            encoder.embedding(src), lengths, batch_first=True, enforce_sorted=False
        )
    )
    unpacked, _ = pad_packed_sequence(packed, batch_first=True)  # as wide as the longest sentence
    return {
        "raw": _digits(state[-1]),
        "last_output": _digits(unpacked[:, -1]),
        "gather": _digits(outputs[rows, lengths - 1]),
        "packed": _digits(packed_state[-1]),
    }


def _digits(states: Tensor) -> tuple[float, ...]:
    # A matrix product may round differently for another batch size, in the 16th digit: 12 are kept.
    return tuple(round(value, 12) for value in states[0].tolist())  # [B, H] -> H numbers


def _distance(state: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(state, other, strict=True))


# ---------------------------------------------------------------- the picture

WIDTH, MARGIN, CELL, ROW = 720, 12, 34, 24


def draw(result: Result) -> str:
    """The batch, the units of the final state beside the unpadded ones, and four distances."""
    parts, y = [], 8.0
    for code in READINGS[result.reading]:
        y += 17
        parts.append(svg.text(MARGIN, y, code, size=12, mono=True))
    y += 14
    parts += _batch(result, y)
    y += ROW * len(result.rows) + 14
    if result.prediction is None:
        parts += svg.veil(WIDTH, y, QUESTION)
        description = f"{_setting(result)} Predict first: {QUESTION}"
        return svg.picture(WIDTH, y + svg.VEIL + MARGIN, "Predict first", description, parts)
    parts.append(svg.text(MARGIN, y + 20, _headline(result), size=18, weight="bold"))
    parts += _bars(result, y + 40)
    parts += _table(result, y + 40)
    distances = "; ".join(f"{NAMES[n]} {d:.2f}" for n, d in result.distances.items())
    units = ", ".join(f"{value:.2f}" for value in result.states[result.reading])
    alone = ", ".join(f"{value:.2f}" for value in result.before)
    description = (
        f"{_setting(result)} {_headline(result)}. Units: {units}. Alone and without pads: {alone}. "
        f"Distances to the state alone: {distances}. {' '.join(_reveal(result))}"
    )
    return svg.picture(WIDTH, y + 228, _headline(result), description, parts)


def _batch(result: Result, top: float) -> list[str]:
    parts = []
    for b, ids in enumerate(result.rows):
        y = top + ROW * b
        for t, token in enumerate(ids):
            x, pad = MARGIN + CELL * t, t >= result.lengths[b]
            fill, opacity = (svg.BLUE, 0.42) if b == 0 and not pad else (svg.PAPER, 1.0)
            word = "PAD" if pad else WORDS[token]
            parts.append(
                svg.rect(
                    x,
                    y,
                    CELL - 2,
                    ROW - 2,
                    fill=fill,
                    opacity=opacity,
                    stroke=svg.LIGHT,
                    kind="cell",
                    tip=f"row {b}, position {t}: {word}",
                )
            )
            if pad:
                parts.append(svg.hatch(x, y, CELL - 2, ROW - 2))
            else:
                parts.append(svg.text(x + CELL / 2 - 1, y + 15, word, size=10.5, anchor="middle"))
    return parts


def _bars(result: Result, top: float) -> list[str]:
    """Eight units from −1 to 1: hollow as it is alone, solid as it is read in this batch."""
    left, height, step = 48.0, 130.0, 36.0
    middle = top + 12 + height / 2
    parts = [
        svg.text(left, top + 6, "8 units of the final state", size=11, fill=svg.GREY),
        svg.text(left - 8, middle - height / 2 + 8, "1", size=11, anchor="end", fill=svg.GREY),
        svg.text(left - 8, middle + 4, "0", size=11, anchor="end", fill=svg.GREY),
        svg.text(left - 8, middle + height / 2, "−1", size=11, anchor="end", fill=svg.GREY),
        svg.line([(left, middle), (left + step * UNITS, middle)], stroke=svg.GREY, width=1),
    ]
    pairs = zip(result.before, result.states[result.reading], strict=True)
    for unit, (before, now) in enumerate(pairs):
        x = left + step * unit + 6
        for value, shift, fill in ((before, 0, svg.PAPER), (now, 13, svg.BLUE)):
            size = abs(value) * height / 2
            y = middle - size if value > 0 else middle
            tip = f"unit {unit + 1}: {value:.2f}"
            parts.append(
                svg.rect(x + shift, y, 11, size, fill=fill, stroke=svg.BLUE, kind="unit", tip=tip)
            )
    base = top + height + 34
    parts += [
        svg.rect(left, base - 10, 11, 11, fill=svg.PAPER, stroke=svg.BLUE),
        svg.text(left + 17, base, "alone, no pads", size=11.5),
        svg.rect(left + 122, base - 10, 11, 11, fill=svg.BLUE, stroke=svg.BLUE),
        svg.text(left + 139, base, "in this batch", size=11.5),
    ]
    return parts


def _table(result: Result, top: float) -> list[str]:
    left, scale = 390.0, 60.0
    parts = [
        svg.text(
            left, top + 6, "distance to the state alone (largest unit)", size=11, fill=svg.GREY
        )
    ]
    for number, (name, distance) in enumerate(result.distances.items()):
        y = top + 30 + 24 * number
        weight = "bold" if name == result.reading else "normal"
        parts.append(svg.text(left, y, NAMES[name], size=12.5, weight=weight))
        parts.append(svg.text(left + 158, y, f"{distance:.2f}", size=12.5, weight=weight))
        parts.append(
            svg.rect(left + 192, y - 10, distance * scale, 12, fill=svg.BLUE, opacity=0.42)
        )
    for number, words in enumerate(_reveal(result)):
        parts.append(svg.text(left, top + 134 + 17 * number, words, size=12.5, weight="bold"))
    return parts


def _setting(result: Result) -> str:
    around = "beside a longer and a shorter sentence" if result.neighbours else "alone"
    return (
        f"A sentence of {len(SENTENCE)} tokens, {around}, in a batch of width "
        f"{len(result.rows[0])}. Code: {'; '.join(READINGS[result.reading])}."
    )


def _headline(result: Result) -> str:
    distance = result.distances[result.reading]
    name = NAMES[result.reading]
    if not result.extra_pads and not result.neighbours:
        return "No pads yet: all four ways agree"
    if distance == 0:
        return f"{name}: the state stays where it was"
    if not any(result.states[result.reading]):
        return f"{name}: the state is all zeros"
    return f"{name}: the state moves by {distance:.2f}"


def _reveal(result: Result) -> list[str]:
    answers = {value: words for words, value in PREDICTIONS.items()}
    still = ", ".join(result.still) or "none"
    lines = []
    if result.prediction in answers:
        lines.append(f"You predicted: {answers[result.prediction]}.")
    lines.append("Still, with 6 PADs and a longer neighbour:")
    lines.append(f"{answers[still]}.")
    return lines


# ---------------------------------------------------------------- the widget


def _params(**changes: Any) -> dict[str, Any]:
    return {"extra_pads": 0, "reading": "raw", "neighbours": False, **changes}


STATES = {
    "no_pads": State("Alone and without pads: the state to keep", _params()),
    "six_pads_raw": State("6 PADs, read at the end: the state drifts", _params(extra_pads=6)),
    "six_pads_packed": State(
        "6 PADs, packed: the state stays", _params(extra_pads=6, reading="packed")
    ),
    "six_pads_gather": State(
        "6 PADs, read at length − 1: the state stays", _params(extra_pads=6, reading="gather")
    ),
    "last_output_alone": State(
        "outputs[:, -1] of a packed batch: right, as long as the sentence is alone",
        _params(extra_pads=6, reading="last_output"),
    ),
    "last_output_neighbours": State(
        "outputs[:, -1] beside a longer sentence: all zeros",
        _params(reading="last_output", neighbours=True),
    ),
    "neighbours_raw": State(
        "No extra PAD, but a longer neighbour: the state drifts", _params(neighbours=True)
    ),
    "neighbours_packed": State(
        "A longer neighbour, packed: the state stays", _params(reading="packed", neighbours=True)
    ),
}

EXPLORER = Explorer(
    name="PadDriftExplorer",
    compute=compute,
    draw=draw,
    states=STATES,
    controls=(
        (Choice("reading", "read the state from", {words: n for n, words in NAMES.items()}),),
        (
            Choice("neighbours", "the sentence is", {"alone": False, "beside two others": True}),
            Number("extra_pads", "extra PAD columns", 0, MAX_EXTRA, slider=True),
        ),
    ),
    ask="Which stay still?",
    predictions=PREDICTIONS,
)


def explore(state: str = "no_pads", lock: tuple[str, ...] = ()) -> Any:
    """Open the explorer.

    Args:
        state: one of ``STATES``.
        lock: controls that stay as they are: ``"reading"``, ``"neighbours"``, ``"extra_pads"``.

    Returns:
        The widget; without a kernel, or under nbgrader, a still or three.
    """
    return EXPLORER.open(state, lock)
