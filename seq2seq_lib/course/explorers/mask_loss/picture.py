"""What the calculator looks like: code, the grid of losses, the division, and two charts."""

import math

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.mask_loss.compute import MAX_EXTRA, NAMES, Result

LEFT, CELL, NARROW, ROW = 40, 48, 22, 38  # the grid: names, columns of words, of extra pads, rows
UNITS = {
    "tokens": "nats per token",
    "cells": "nats per cell",
    "sentences": "nats per token, mean of sentence means",
    "sum": "nats",
}
CHART = 150  # pixels: what the charts need below the division


def draw(result: Result, *, veiled: bool = False) -> str:
    """Code, the losses under the mask, the division, the loss against extra columns, and shares."""
    parts, y = [], 4.0
    shape = f"  # [{', '.join(map(str, result.mask_shape))}]" if result.mask_shape else ""
    for code in result.code:
        y += 18
        note = shape if code.startswith("mask = ") else ""
        parts.append(svg.text(svg.MARGIN, y, code + note, size=12, mono=True))
    parts += _grid(result, y + 10, veiled)
    y += ROW * len(NAMES) + 34
    parts += _legend(result, y + 14)
    y += 26
    lines = [(_headline(result), 18, "bold"), (_division(result), 13, "normal")]
    lines.append((_counted(result), 13, "normal"))
    answer, bottom = [], y
    for words, size, weight in lines:
        made, bottom = svg.paragraph(bottom, words, size=size, weight=weight)
        answer += made
    height = bottom + CHART + 54
    if veiled:
        parts += svg.veil(y + 6, height - y - 18)
        description = f"{_setting(result)} The loss is hidden until you predict."
        return svg.picture(svg.WIDTH, height, "Predict first", description, parts)
    parts += [*answer, *_chart(result, bottom + 30), *_shares(result, bottom + 30)]
    description = (
        f"{_setting(result)} {_headline(result)}. {_division(result)}. {_counted(result)} "
        f"The right loss is {number(result.target)}. {_shares_in_words(result)}"
    )
    return svg.picture(svg.WIDTH, height, _headline(result), description, parts)


def number(value: float | None, without: str = "error") -> str:
    """A loss, with two digits after the point; ``without`` for no number at all."""
    if value is None:
        return without
    return "nan" if math.isnan(value) else f"{value:.2f}"


def _term(value: float) -> str:
    """A term of a sum: the losses of cells are whole numbers, and are written so."""
    return number(value).removesuffix(".00")


# ---------------------------------------------------------------- the grid


def _grid(result: Result, top: float, veiled: bool) -> list[str]:
    parts, base = [], result.width - result.extra_pads
    largest = max((max(map(abs, row)) for row in result.gradient or ()), default=0.0)
    for t in range(result.width):
        x, wide = _column(t, base)
        parts.append(
            svg.text(x + wide / 2 - 1, top + 14, str(t), size=12, anchor="middle", fill=svg.GREY)
        )
    for b, name in enumerate(NAMES):
        y = top + 20 + ROW * b
        parts.append(svg.text(LEFT - 10, y + 23, name, size=14, anchor="end", weight="bold"))
        for t, loss in enumerate(result.losses[b]):
            x, wide = _column(t, base)
            pad = t >= result.lengths[b]
            word = result.word(b, t)
            weight = result.gradient[b][t] if result.gradient and not veiled else 0.0
            tip = f"{name}, position {t}, {word}: loss {loss:g}"
            tip += "" if veiled or not result.gradient else f", weight {weight:.3f}"
            box = (x, y, wide - 2, ROW - 2)
            counts = weight > 0 and largest > 0
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="cell", tip=tip))
            if counts:
                shade = svg.SHADE * weight / largest
                parts.append(
                    svg.rect(*box, fill=svg.BLUE, opacity=shade, stroke=svg.BLUE, kind="counts")
                )
            if pad:
                parts.append(svg.hatch(*box))
            middle, halo = x + wide / 2 - 1, svg.PAPER if pad else None
            if t < base:
                parts.append(svg.text(middle, y + 14, word, size=12, anchor="middle", halo=halo))
            bold = "bold" if counts else "normal"
            low = y + (30 if t < base else 23)
            parts.append(
                svg.text(middle, low, f"{loss:g}", size=12, anchor="middle", weight=bold, halo=halo)
            )
    return parts


def _column(t: int, base: int) -> tuple[float, float]:
    """Left edge and width of a column; the extra PAD columns are narrow."""
    if t < base:
        return LEFT + CELL * t, CELL
    return LEFT + CELL * base + NARROW * (t - base), NARROW


def _legend(result: Result, y: float) -> list[str]:
    parts = [svg.text(svg.MARGIN, y, "loss of each cell, nats", size=12, fill=svg.GREY)]
    swatch = (160, y - 11, 18, 13)
    parts.append(svg.rect(*swatch, fill=svg.BLUE, opacity=svg.SHADE, stroke=svg.BLUE))
    parts.append(svg.text(184, y, "counts, by its weight", size=12))
    parts.append(svg.rect(332, y - 11, 18, 13, fill=svg.PAPER, stroke=svg.LIGHT))
    parts.append(svg.text(356, y, "does not count", size=12))
    parts.append(svg.rect(456, y - 11, 18, 13, fill=svg.PAPER, stroke=svg.LIGHT))
    parts.append(svg.hatch(456, y - 11, 18, 13))
    parts.append(svg.text(480, y, "PAD", size=12))
    return parts


# ---------------------------------------------------------------- the two charts


def _chart(result: Result, top: float) -> list[str]:
    """The loss against extra PAD columns, and the right one beside it."""
    left, right, height = 52.0, 316.0, CHART - 48.0
    values = [v for v in result.curve if v is not None and not math.isnan(v)]
    ticks = _ticks(1.1 * max([result.target, *values]))

    def place(extra: float, value: float) -> tuple[float, float]:
        x = left + 12 + (right - left - 16) * extra / MAX_EXTRA
        return x, top + height * (1 - value / ticks[-1])

    title = f"loss, {UNITS[result.divisor].partition(',')[0]}"
    parts = [svg.text(svg.MARGIN, top - 10, title, size=12, fill=svg.GREY)]
    for tick in ticks:
        y = place(0, tick)[1]
        parts.append(svg.line([(left, y), (right, y)], stroke=svg.LIGHT, width=1))
        parts.append(svg.text(left - 6, y + 4, f"{tick:g}", size=12, anchor="end", fill=svg.GREY))
    for extra in range(0, MAX_EXTRA + 1, 2):
        x, y = place(extra, 0)
        parts.append(svg.text(x, y + 17, str(extra), size=12, anchor="middle", fill=svg.GREY))
    middle = (left + right) / 2
    below = top + height + 36
    parts.append(
        svg.text(middle, below, "extra PAD columns", size=12, anchor="middle", fill=svg.GREY)
    )
    parts.append(svg.line([place(0, result.target), place(MAX_EXTRA, result.target)], dash="5 4"))
    missing = []
    for extra, value in enumerate(result.curve):
        if value is None or math.isnan(value):
            missing.append(extra)
            continue
        here = extra == result.extra_pads
        fill = svg.BLUE if here else svg.PAPER
        parts.append(svg.dot(*place(extra, value), 6 if here else 3.5, fill=fill))
    if missing:
        word = "an error" if result.curve[missing[0]] is None else "nan"
        some = f"{missing[0]} to {missing[-1]}" if len(missing) > 1 else f"{missing[0]}"
        between = place(0, (ticks[-1] + ticks[-2]) / 2)[1] + 4  # two lines of the grid
        parts.append(svg.text(left + 32, between, f"{word} with {some}", size=12, halo=svg.PAPER))
    y = top + height + 58
    parts += [
        svg.dot(left, y - 4, 3.5, fill=svg.PAPER),
        svg.text(left + 10, y, "this code", size=12),
        svg.line([(left + 82, y - 4), (left + 102, y - 4)], dash="5 4"),
        svg.text(left + 108, y, f"the right loss: {number(result.target)}", size=12),
    ]
    return parts


def _ticks(largest: float) -> list[float]:
    """Three or four round numbers from 0 to one that is not below the largest."""
    for power in range(-2, 6):
        for step in (1, 2, 5):
            size = step * 10.0**power
            if 3 * size >= largest:
                return [size * count for count in range(math.ceil(largest / size) + 1)]
    raise ValueError(f"no axis for {largest}")


def _shares(result: Result, top: float) -> list[str]:
    """A bar a sentence: its share of the weights, and of it what falls on pads.

    The weight of a cell is the derivative of the loss by the loss of that cell.
    """
    left, scale = 350.0, 0.78
    parts = [svg.text(left, top - 10, "share of the weights, %", size=12, fill=svg.GREY)]
    if result.gradient is None:
        return [*parts, svg.text(left, top + 14, "there is none")]
    for b, name in enumerate(NAMES):
        y = top + 34 * b
        real, pads = _share(result, b)
        parts.append(svg.text(left, y + 14, name, size=13, weight="bold"))
        if math.isnan(real):
            parts.append(svg.text(left + 18, y + 14, "nan", size=12))
            continue
        start, bar = left + 18, (real + pads) * scale
        parts.append(
            svg.rect(
                *(start, y + 2, bar, 16),
                fill=svg.BLUE,
                opacity=svg.SHADE,
                stroke=svg.BLUE,
                kind="share",
            )
        )
        if pads:
            parts.append(svg.hatch(start + real * scale, y + 2, pads * scale, 16))
        words = f"{real + pads:.0f}" + (f", {pads:.0f} at PAD" if pads else "")
        parts.append(svg.text(start + bar + 6, y + 14, words, size=12))
    return parts


def _share(result: Result, b: int) -> tuple[float, float]:
    """Of all weights: what row b's real tokens get, and what its pads get; in percent."""
    whole = sum(map(sum, result.gradient))
    row, length = result.gradient[b], result.lengths[b]
    return 100 * sum(row[:length]) / whole, 100 * sum(row[length:]) / whole


# ---------------------------------------------------------------- in words


def _setting(result: Result) -> str:
    lengths = ", ".join(map(str, result.lengths))
    return (
        f"Three sentences of lengths {lengths} in a batch of width {result.width}. "
        f"Code: {'; '.join(result.code)}."
    )


def _headline(result: Result) -> str:
    if result.value is None:
        return "No loss: PyTorch raises a RuntimeError"
    return f"loss = {number(result.value)} {UNITS[result.divisor]}"


def _division(result: Result) -> str:
    if result.value is None:
        return result.error
    terms = [_term(term) for term in result.terms]
    if len(terms) > 8:
        terms = [*terms[:5], "…", terms[-1]]
    total = _term(sum(result.terms))
    values = f"{len(result.terms)} values: " if len(result.terms) > 8 else ""
    if result.divided_by == 1:
        return f"{values}{' + '.join(terms)} = {total}"
    quotient = f"{total} / {result.divided_by} = {number(result.value)}"
    return f"{values}({' + '.join(terms)}) / {result.divided_by} = {quotient}"


def _counted(result: Result) -> str:
    if result.value is None:
        rows, columns = result.mask_shape
        return (
            f"The losses are [{len(NAMES)}, {result.width}], the mask is [{rows}, {columns}]. "
            f"With B = T nothing would be raised."
        )
    if math.isnan(result.value):
        return "A row of the mask has no True in it, and 0 / 0 is not a number."
    real = sum(result.lengths)
    pads = len(NAMES) * result.width - real
    counted = [
        (t < result.lengths[b])
        for b, row in enumerate(result.gradient)
        for t, weight in enumerate(row)
        if weight > 0
    ]
    times = f", each {real} times" if result.mask == "broadcast" else ""
    too = result.divisor == "cells" and result.mask != "none" and pads
    return (
        f"Counted: {sum(counted)} of {real} real tokens and {len(counted) - sum(counted)} of "
        f"{pads} PAD cells{times}.{' The divisor counts PAD too.' if too else ''}"
    )


def _shares_in_words(result: Result) -> str:
    if result.gradient is None:
        return ""
    shares = [(name, *_share(result, b)) for b, name in enumerate(NAMES)]
    words = [f"{name} {real + pads:.0f} %, {pads:.0f} % at PAD" for name, real, pads in shares]
    return f"Share of the weights: {'; '.join(words)}."
