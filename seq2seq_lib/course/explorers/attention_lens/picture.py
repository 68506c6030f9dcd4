"""What the attention lens looks like: tables of numbers, or a heat map under an answer."""

import math

from seq2seq_lib.course.explorers.attention_lens.compute import (
    DONOR,
    MASK,
    SOURCE,
    WORDS,
    Reading,
    Tokens,
)
from seq2seq_lib.course.explorers.kit import svg

CELL, ROW = 42, 26  # of the small tables
COLUMN, LINE = 36, 22  # of the heat map
SCALES = {"none": "not scaled", "root": "divided by √d = 2", "d": "divided by d = 4"}
MASKS = {
    "none": "no mask",
    "before": "−∞ before the softmax",
    "after": "times the mask after the softmax",
    "zero": "0 filled in before the softmax",
}
AXES = {"source": "the source, S", "target": "the target, T", "batch": "the batch, B"}
TITLES = {
    "own": "as trained",
    "letters": f"the letters of the month from “{DONOR}”",
    "rest": f"all but the letters of the month from “{DONOR}”",
    "uniform": "all weights equal",
    "largest": "all on the largest weight",
    "shuffled": "the weights shuffled",
}


def draw(result: Tokens | Reading, *, veiled: bool = False) -> str:
    """Either scene. Veiled, it shows what goes in and neither weights nor answer."""
    return _tokens(result, veiled) if isinstance(result, Tokens) else _reading(result, veiled)


# ---------------------------------------------------------------- three tokens


def _tokens(result: Tokens, veiled: bool) -> str:
    setting = (
        f"Scores {SCALES[result.scale]}; {MASKS[result.mask]}; softmax over {AXES[result.axis]}; "
        f"sentence 1 {'beside sentence 0' if result.beside else 'alone'}."
    )
    parts, y = svg.paragraph(6, setting)
    headline = _headline(result)
    parts.append(
        svg.text(
            svg.MARGIN, y + 24, "Predict first" if veiled else headline, size=17, weight="bold"
        )
    )
    top, right = y + 40, svg.MARGIN + 292
    height = top + (ROW + 4) * 3 + (190 if result.beside else 80)
    if veiled:
        parts += svg.veil(top, height - top - 10)
        return svg.picture(svg.WIDTH, height, "Predict first", f"{setting} Hidden.", parts)
    parts += _table(svg.MARGIN, top, "scores of sentence 1", result.scores, result.step, False)
    parts += _table(right, top, "weights of sentence 1", result.weights, result.step, True)
    y = top + 40 + 3 * ROW + 26
    context = ", ".join(map(_number, result.context))
    parts.append(svg.text(svg.MARGIN, y, f"context of step {result.step}: ({context})", size=14))
    if result.beside:
        parts += _table(right, y + 10, "weights of sentence 0", result.neighbour, None, True, False)
    weights = ", ".join(
        f"{word} {_number(w)}" for word, w in zip(WORDS, result.weights[result.step], strict=True)
    )
    description = (
        f"{setting} {headline}. Weights of sentence 1 at step {result.step}: {weights}. "
        f"Context: {context}."
    )
    return svg.picture(svg.WIDTH, height, headline, description, parts)


def _table(
    left: float,
    top: float,
    title: str,
    rows: tuple[tuple[float, ...], ...],
    chosen: int | None,
    shaded: bool,
    padded: bool = True,
) -> list[str]:
    """Three steps by five positions; shaded by weight, pads hatched, the chosen step framed."""
    parts = [svg.text(left, top + 12, title, size=13, weight="bold")]
    sums = shaded
    for s, word in enumerate(WORDS if padded else "abcd•"):
        x = left + CELL * s + CELL / 2
        parts.append(svg.text(x, top + 30, word, size=12, anchor="middle", fill=svg.GREY))
    if sums:
        x = left + CELL * 5 + 20
        parts.append(svg.text(x, top + 30, "sum", size=12, anchor="middle", fill=svg.GREY))
    for t, row in enumerate(rows):
        y = top + 36 + ROW * t
        for s, value in enumerate(row):
            pad = padded and not bool(MASK[1, s])
            box = (left + CELL * s, y, CELL - 2, ROW - 2)
            tip = f"step {t}, position {s}: {_number(value)}"
            kind = "weight" if shaded else "score"
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind=kind, tip=tip))
            if shaded and value > 0:
                parts.append(svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE * min(1.0, value)))
            if pad:
                parts.append(svg.hatch(*box))
            halo = svg.PAPER if pad else None
            x = left + CELL * (s + 0.5) - 1
            parts.append(svg.text(x, y + 17, _number(value), size=12, anchor="middle", halo=halo))
        if sums:
            total = _number(sum(row))
            parts.append(svg.text(left + CELL * 5 + 20, y + 17, total, size=12, anchor="middle"))
        if t == chosen:
            frame = (left - 2, y - 2, CELL * 5 + 2, ROW + 2)
            parts.append(svg.rect(*frame, stroke=svg.INK, kind="chosen"))
    return parts


def _headline(result: Tokens) -> str:
    row = result.weights[result.step]
    if any(map(math.isnan, row)):
        return f"Step {result.step}: NaN. No real score is left where the softmax divides"
    pads = sum(w for w, real in zip(row, MASK[1].tolist(), strict=True) if not real)
    total = sum(row)
    if abs(total - 1) > 1e-3:
        return f"Step {result.step}: the weights sum to {total:.2f} and not to 1"
    if pads > 0:
        return f"Step {result.step}: the pads take {pads:.0%} of the weight"
    return f"Step {result.step}: the weights sum to 1, and pads get nothing"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "−∞" if value < 0 else "∞"
    return f"{value:.2f}".replace("-", "−")


# ---------------------------------------------------------------- the date model


def _reading(result: Reading, veiled: bool) -> str:
    left = svg.MARGIN + 44.0
    what = TITLES.get(
        result.change, f"column {result.column} from “{DONOR}”, the others from “{SOURCE}”"
    )
    parts, y = svg.paragraph(6, f"“{SOURCE}”: {what}.", size=14)
    top = y + 54
    height = top + 50 + LINE * len(result.weights) + 34
    if veiled:
        parts += _columns(left, y + 14, ())
        parts += svg.veil(top, height - top - 10)
        description = f"The source is {SOURCE}, the other one {DONOR}. The answer is hidden."
        return svg.picture(svg.WIDTH, height, "Predict first", description, parts)
    parts += _columns(left, y + 14, result.foreign)
    headline = f"{result.before} → {result.answer}"
    if result.change == "own":
        headline = result.answer
    parts.append(svg.text(left, top + 20, headline, size=18, weight="bold", mono=True))
    top += 36
    for t, (token, row) in enumerate(zip(result.rows, result.weights, strict=True)):
        y = top + LINE * t
        moved = t < len(result.before) and token != result.before[t]
        weight = "bold" if moved else "normal"
        parts.append(svg.text(left - 8, y + 15, token, size=14, anchor="end", weight=weight))
        if moved:
            frame = (svg.MARGIN, y, 36, LINE - 2)
            parts.append(svg.rect(*frame, stroke=svg.INK, kind="moved"))
        for s, value in enumerate(row):
            box = (left + COLUMN * s, y, COLUMN - 2, LINE - 2)
            tip = f"{token} looks at column {s}: {value:.2f}"
            shade = svg.SHADE * value
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="cell", tip=tip))
            if shade >= 0.005:
                parts.append(svg.rect(*box, fill=svg.BLUE, opacity=shade))
            if value >= 0.095:
                x = left + COLUMN * (s + 0.5) - 1
                parts.append(svg.text(x, y + 15, f"{value:.1f}", size=12, anchor="middle"))
    y = top + LINE * len(result.weights) + 16
    note = "Rows: the answer; framed: changed. Numbers: the weight, from 0.1 on."
    parts.append(svg.text(left, y, note, size=12, fill=svg.GREY))
    columns = [*SOURCE, "end"]
    looks = "; ".join(
        f"{token} most at {columns[row.index(max(row))]!r} ({max(row):.2f})"
        for token, row in zip(result.rows, result.weights, strict=True)
    )
    description = (
        f"Heat map. Source {SOURCE}: {what}. The answer is {result.answer}, without a change "
        f"{result.before}. {looks}."
    )
    return svg.picture(svg.WIDTH, height, f"Answer: {headline}", description, parts)


def _columns(left: float, top: float, foreign: tuple[int, ...]) -> list[str]:
    """The source's characters; where a vector comes from the donor, its character, framed."""
    parts = []
    for s in range(len(SOURCE) + 1):
        x, ours = left + COLUMN * (s + 0.5) - 1, s not in foreign
        token = "end" if s == len(SOURCE) else (SOURCE if ours else DONOR)[s]
        token = "␣" if token == " " else token
        parts.append(svg.text(x, top + 8, str(s), size=12, anchor="middle", fill=svg.GREY))
        if not ours:
            box = (left + COLUMN * s, top + 14, COLUMN - 2, 22)
            parts.append(svg.rect(*box, stroke=svg.INK, dash="3 2", kind="foreign"))
        weight = "normal" if ours else "bold"
        parts.append(svg.text(x, top + 30, token, size=14, anchor="middle", weight=weight))
    return parts
