"""What the attention lens looks like: tables of numbers, or a heat map under an answer."""

import math

from seq2seq_lib.course.explorers.attention_lens.compute import (
    UNEDITED,
    WORDS,
    Reading,
    Tokens,
)
from seq2seq_lib.course.explorers.kit import svg

CELL, ROW = 42, 26  # of the small tables
COLUMN, LINE, LEFT = 36, 22, svg.MARGIN + 44.0  # of the heat map
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
    "letters": "the month’s characters from “{donor}”",
    "rest": "all but the month’s characters from “{donor}”",
    "column": "column {column} from “{donor}”, the others from “{text}”",
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
        f"sentence 1 {'beside sentence 0' if result.beside else 'alone'}"
        f"{'' if result.real else ', and all of it pads'}."
    )
    parts, y = svg.paragraph(6, setting)
    headline = _headline(result)
    parts.append(
        svg.text(
            svg.MARGIN, y + 24, "Predict first" if veiled else headline, size=17, weight="bold"
        )
    )
    top, right = y + 40, svg.MARGIN + 292
    edit = _edit(result)
    height = top + (ROW + 4) * 3 + (190 if result.beside else 80) + 22 * bool(edit)
    if veiled:
        parts += svg.veil(top, height - top - 10)
        return svg.picture(svg.WIDTH, height, "Predict first", f"{setting} Hidden.", parts)
    parts += _table(svg.MARGIN, top, "scores of sentence 1", result.scores, result, False)
    parts += _table(right, top, "weights of sentence 1", result.weights, result, True)
    y = top + 40 + 3 * ROW + 26
    if edit:
        parts.append(svg.text(svg.MARGIN, y, edit, size=14))
        y += 22
    context = ", ".join(map(_number, result.context))
    parts.append(svg.text(svg.MARGIN, y, f"context of step {result.step}: ({context})", size=14))
    if result.beside:
        parts += _table(right, y + 10, "weights of sentence 0", result.neighbour, None, True)
    weights = ", ".join(
        f"{word} {_number(w)}"
        for word, w in zip(_words(result), result.weights[result.step], strict=True)
    )
    description = (
        f"{setting} {headline}. {edit + '. ' if edit else ''}"
        f"Weights of sentence 1 at step {result.step}: {weights}. "
        f"Context: {context}."
    )
    return svg.picture(svg.WIDTH, height, headline, description, parts)


def _words(result: Tokens) -> list[str]:
    return [word if s < result.real else "PAD" for s, word in enumerate(WORDS)]


def _edit(result: Tokens) -> str:
    """What was edited, and what that did to the weight of the same position; empty without."""
    if result.raw is None:
        return ""
    word, new = WORDS[result.edited], result.weights[result.step][result.edited]
    old_score, score = map(_number, result.raw)
    return (
        f"edited, raw score of “{word}”: {old_score} → {score}; "
        f"its weight: {_number(result.unedited)} → {_number(new)}"
    )


def _table(
    left: float,
    top: float,
    title: str,
    rows: tuple[tuple[float, ...], ...],
    result: Tokens | None,
    shaded: bool,
) -> list[str]:
    """Three steps by five positions; shaded by weight.

    Of sentence 1, whose ``result`` is given, pads are hatched, the chosen step is framed, and so
    is an edited score. Sentence 0 has no pads.
    """
    parts = [svg.text(left, top + 12, title, size=13, weight="bold")]
    sums = shaded
    chosen = result.step if result else None
    for s, word in enumerate(_words(result) if result else "abcd•"):
        x = left + CELL * s + CELL / 2
        parts.append(svg.text(x, top + 30, word, size=12, anchor="middle", fill=svg.GREY))
    if sums:
        x = left + CELL * 5 + 20
        parts.append(svg.text(x, top + 30, "sum", size=12, anchor="middle", fill=svg.GREY))
    for t, row in enumerate(rows):
        y = top + 36 + ROW * t
        for s, value in enumerate(row):
            pad = result is not None and s >= result.real
            box = (left + CELL * s, y, CELL - 2, ROW - 2)
            tip = f"step {t}, position {s}: {_number(value)}"
            kind = "weight" if shaded else "score"
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind=kind, tip=tip))
            if shaded and value > 0:
                parts.append(svg.rect(*box, fill=svg.BLUE, opacity=svg.DARKEST * min(1.0, value)))
            if pad:
                parts.append(svg.hatch(*box))
            halo = svg.PAPER if pad else None
            x = left + CELL * (s + 0.5) - 1
            parts.append(svg.text(x, y + 17, _number(value), size=12, anchor="middle", halo=halo))
        if sums:
            total = _number(sum(row))
            parts.append(svg.text(left + CELL * 5 + 20, y + 17, total, size=12, anchor="middle"))
        if t == chosen and not shaded and result.edited != UNEDITED:
            box = (left + CELL * result.edited + 1, y + 1, CELL - 4, ROW - 4)
            parts.append(svg.rect(*box, stroke=svg.INK, dash="3 2", kind="edited"))
        if t == chosen:
            frame = (left - 2, y - 2, CELL * 5 + 2, ROW + 2)
            parts.append(svg.rect(*frame, stroke=svg.INK, kind="chosen"))
    return parts


def _headline(result: Tokens) -> str:
    row = result.weights[result.step]
    if any(map(math.isnan, row)):
        if result.raw and math.isnan(result.raw[1]):
            return f"Step {result.step}: NaN. One score that is NaN takes its whole row along"
        return f"Step {result.step}: NaN. No real score is left where the softmax divides"
    pads = sum(row[result.real :])
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
    left, source = LEFT, result.source
    what = TITLES[result.change].format(column=result.column, donor=source.donor, text=source.text)
    wide = _wide(result)
    parts, y = svg.paragraph(6, f"“{source.text}”: {what}.", size=14)
    top = y + 54
    height = top + 50 + LINE * len(result.weights) + 34
    if veiled:
        parts += _columns(result, y + 14, ())
        parts += svg.veil(top, height - top - 10)
        description = (
            f"The source is {source.text}, the other one {source.donor}. The answer is hidden."
        )
        return svg.picture(svg.WIDTH, height, "Predict first", description, parts)
    parts += _columns(result, y + 14, result.foreign)
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
            frame = (svg.MARGIN, y, left - 4 - svg.MARGIN, LINE - 2)
            parts.append(svg.rect(*frame, stroke=svg.INK, kind="moved"))
        for s, value in enumerate(row):
            box = (left + wide * s, y, wide - 2, LINE - 2)
            tip = f"{token} looks at column {s}: {value:.2f}"
            shade = svg.DARKEST * value
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="cell", tip=tip))
            if shade >= 0.005:
                parts.append(svg.rect(*box, fill=svg.BLUE, opacity=shade))
            if value >= 0.095:
                x = left + wide * (s + 0.5) - 1
                parts.append(svg.text(x, y + 15, f"{value:.1f}", size=12, anchor="middle"))
    y = top + LINE * len(result.weights) + 16
    note = "Rows: the answer; framed: changed. Numbers: the weight, from 0.1 on."
    parts.append(svg.text(left, y, note, size=12, fill=svg.GREY))
    columns = [*source.text, "end"]
    looks = "; ".join(
        f"{token} most at {columns[row.index(max(row))]!r} ({max(row):.2f})"
        for token, row in zip(result.rows, result.weights, strict=True)
    )
    description = (
        f"Heat map. Source {source.text}: {what}. The answer is {result.answer}, without a change "
        f"{result.before}. {looks}."
    )
    return svg.picture(svg.WIDTH, height, f"Answer: {headline}", description, parts)


def _wide(result: Reading) -> float:
    """The width of a column: a longer source has narrower ones."""
    room = (svg.WIDTH - svg.MARGIN - LEFT) / (len(result.source.text) + 1)
    return min(COLUMN, math.floor(room))


def _columns(result: Reading, top: float, foreign: tuple[int, ...]) -> list[str]:
    """The source's characters; where a vector comes from the donor, its character, framed."""
    parts, wide, source = [], _wide(result), result.source
    for s in range(len(source.text) + 1):
        x, ours = LEFT + wide * (s + 0.5) - 1, s not in foreign
        token = "end" if s == len(source.text) else (source.text if ours else source.donor)[s]
        token = "␣" if token == " " else token
        parts.append(svg.text(x, top + 8, str(s), size=12, anchor="middle", fill=svg.GREY))
        if not ours:
            box = (LEFT + wide * s, top + 14, wide - 2, 22)
            parts.append(svg.rect(*box, stroke=svg.INK, dash="3 2", kind="foreign"))
        weight = "normal" if ours else "bold"
        parts.append(svg.text(x, top + 30, token, size=14, anchor="middle", weight=weight))
    return parts
