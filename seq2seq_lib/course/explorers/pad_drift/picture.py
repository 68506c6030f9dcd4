"""What pad drift looks like: the batch, the units of the final state, and four distances."""

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.pad_drift.compute import (
    NAMES,
    READINGS,
    SENTENCE,
    UNITS,
    WORDS,
    Result,
)

CELL, NARROW, ROW = 40, 17, 26  # columns that hold words, columns of pads alone, rows


def draw(result: Result, *, veiled: bool = False) -> str:
    """The batch, the units of the final state beside the unpadded ones, and four distances."""
    parts, y = [], 4.0
    for code in READINGS[result.reading]:
        y += 18
        parts.append(svg.text(svg.MARGIN, y, code, size=12, mono=True))
    y += 14
    parts += _batch(result, y)
    y += ROW * len(result.rows) + 8
    height = y + 272
    if veiled:
        parts += svg.veil(y + 6, height - y - 18)
        description = f"{_setting(result)} The final state is hidden until you predict."
        return svg.picture(svg.WIDTH, height, "Predict first", description, parts)
    parts.append(svg.text(svg.MARGIN, y + 24, _headline(result), size=18, weight="bold"))
    parts += _bars(result, y + 44)
    parts += _table(result, y + 44)
    distances = "; ".join(f"{NAMES[n]} {d:.2f}" for n, d in result.distances.items())
    units = ", ".join(f"{value:.2f}" for value in result.states[result.reading])
    alone = ", ".join(f"{value:.2f}" for value in result.before)
    description = (
        f"{_setting(result)} {_headline(result)}. Units: {units}. Alone and without pads: {alone}. "
        f"Distances to the state alone: {distances}."
    )
    return svg.picture(svg.WIDTH, height, _headline(result), description, parts)


def _batch(result: Result, top: float) -> list[str]:
    parts, longest = [], max(result.lengths)
    for b, ids in enumerate(result.rows):
        y = top + ROW * b
        for t, token in enumerate(ids):
            pad = t >= result.lengths[b]
            x = svg.MARGIN + CELL * min(t, longest) + NARROW * max(0, t - longest)
            wide = CELL if t < longest else NARROW
            word = "PAD" if pad else WORDS[token]
            tip = f"row {b}, position {t}: {word}"
            box = (x, y, wide - 2, ROW - 2)
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="cell", tip=tip))
            if b == 0 and not pad:
                parts.append(svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE))
            if pad:
                parts.append(svg.hatch(*box))
            if t < longest:
                halo = svg.PAPER if pad else None
                middle = x + CELL / 2 - 1
                parts.append(svg.text(middle, y + 16, word, size=12, anchor="middle", halo=halo))
    return parts


def _bars(result: Result, top: float) -> list[str]:
    """Eight units from −1 to 1: hollow as it is alone, solid as it is read in this batch."""
    left, height, step = 36.0, 150.0, 30.0
    middle = top + 22 + height / 2
    parts = [svg.text(svg.MARGIN, top + 6, "8 units of the final state", size=12, fill=svg.GREY)]
    for value, words in ((1, "1"), (0, "0"), (-1, "−1")):
        y = middle - value * height / 2
        ink = svg.GREY if value == 0 else svg.LIGHT
        parts.append(svg.line([(left, y), (left + step * UNITS, y)], stroke=ink, width=1))
        parts.append(svg.text(left - 6, y + 4, words, size=12, anchor="end", fill=svg.GREY))
    pairs = zip(result.before, result.states[result.reading], strict=True)
    for unit, (before, now) in enumerate(pairs):
        x = left + step * unit + 4
        for value, shift, fill in ((before, 0, svg.PAPER), (now, 11, svg.BLUE)):
            size = abs(value) * height / 2
            y = middle - size if value > 0 else middle
            tip = f"unit {unit + 1}: {value:.2f}"
            parts.append(
                svg.rect(x + shift, y, 10, size, fill=fill, stroke=svg.BLUE, kind="unit", tip=tip)
            )
    base = top + height + 46
    parts += [
        svg.rect(left, base - 10, 11, 11, fill=svg.PAPER, stroke=svg.BLUE),
        svg.text(left + 17, base, "alone, no pads", size=12),
        svg.rect(left + 122, base - 10, 11, 11, fill=svg.BLUE, stroke=svg.BLUE),
        svg.text(left + 139, base, "in this batch", size=12),
    ]
    return parts


def _table(result: Result, top: float) -> list[str]:
    left, right, scale = 312.0, 482.0, 44.0
    parts = [
        svg.text(left, top + 6, "distance to the state alone", size=12, fill=svg.GREY),
        svg.text(left, top + 22, "(largest difference of a unit)", size=12, fill=svg.GREY),
    ]
    for number, (name, distance) in enumerate(result.distances.items()):
        y = top + 50 + 26 * number
        weight = "bold" if name == result.reading else "normal"
        parts.append(svg.text(left, y, NAMES[name], size=12, weight=weight))
        parts.append(svg.text(right, y, f"{distance:.2f}", size=12, weight=weight, anchor="end"))
        bar = (right + 8, y - 10, distance * scale, 12)
        parts.append(svg.rect(*bar, fill=svg.BLUE, kind="distance"))
    return parts


def _setting(result: Result) -> str:
    around = "beside a longer and a shorter sentence" if result.neighbours else "alone"
    return (
        f"A sentence of {len(SENTENCE)} tokens, {around}, in a batch of width "
        f"{len(result.rows[0])}. Code: {' '.join(map(str.strip, READINGS[result.reading]))}."
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
