"""What the batch builder looks like: a batch as a grid of ids, and the PAD share of all batches."""

from seq2seq_lib.course.explorers.batch_builder.compute import Result, Row
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID, UNK_ID

LEFT, RIGHT = 30, 76  # room for row numbers, and for lengths
WIDEST, CELL, LINE = 34, 20, 17  # pixels: a cell at most, its height, a line of text
SHOWN = {"source": 8, "shift": 4}  # rows of a batch that the picture has room for
STRIP = 96  # pixels: the bars of all batches
ORDERS = {
    "came": "as they came",
    "pools": "from sorted pools",
    "sorted": "sorted by length",
    "tokens": "by tokens",
}
SIDES = {"source": "source", "shift": "target"}


def draw(result: Result, *, veiled: bool = False) -> str:
    """Text over ids, row by row; below it the share of PAD, in this batch and in all."""
    shown = result.rows[: SHOWN[result.view]]
    parts, y = [], 8.0
    parts.append(svg.text(svg.MARGIN, y + 12, _heading(result, len(shown)), size=13, weight="bold"))
    y += 24
    for b, row in enumerate(shown):
        drawn, y = _row(row, b, result, y, veiled)
        parts += drawn
    parts += _legend(result, y + 14, veiled)
    y += 28
    head, bottom = svg.paragraph(y, _headline(result), size=17, weight="bold")
    line, bottom = svg.paragraph(bottom - 4, _counts(result))
    height = bottom + STRIP + 24
    if veiled:
        parts += svg.veil(y + 4, height - y - 14)
        words = f"{_heading(result, len(shown))} Without padding, so of different lengths: "
        words += (
            f"{_lengths(result)}. How much of the rectangle is PAD is hidden until you predict."
        )
        return svg.picture(svg.WIDTH, height, "Predict first", words, parts)
    parts += [*head, *line, *_strip(result, bottom + 22)]
    words = (
        f"{_heading(result, len(shown))} As rows of ids, hatched cells are padding; lengths "
        f"{_lengths(result)}, width {result.width}. {_headline(result)}. {_counts(result)}"
    )
    return svg.picture(svg.WIDTH, height, _headline(result), words, parts)


def percent(share: float) -> str:
    """A share in whole percent; small ones with a digit after the point."""
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.1f} %"


# ---------------------------------------------------------------- the grid


def _row(row: Row, b: int, result: Result, y: float, veiled: bool) -> tuple[list[str], float]:
    """A sentence, and below it its cells: one line of them, or two that are shifted."""
    wide = min(WIDEST, (svg.WIDTH - LEFT - RIGHT) / result.width)
    room = int((svg.WIDTH - LEFT - svg.MARGIN) / 6.2)  # letters of size 12
    text = row.text if len(row.text) <= room else row.text[: room - 1] + "…"
    parts = [svg.text(LEFT, y + 12, text, size=12, fill=svg.GREY)]
    y += LINE
    parts.append(svg.text(LEFT - 8, y + 15, str(b + 1), size=12, anchor="end", fill=svg.GREY))
    lines = [row.read, row.say] if row.say else [row.read]
    for number, cells in enumerate(lines):
        width = len(cells) if veiled else result.width
        parts += _cells(cells, width, y, wide)
        end = LEFT + wide * width + 6
        name = ("read", "say")[number] if row.say else f"{len(cells)} of {result.width}"
        if not (veiled and not row.say):
            parts.append(svg.text(end, y + 15, name, size=12))
        y += CELL
        if row.say and number == 0:  # what is said is read one step later
            for t in range(len(cells) - 1):
                x = LEFT + wide * (t + 0.5)
                parts.append(svg.line([(x, y + 12), (x + wide, y + 2)], width=1))
                parts.append(svg.line([(x + wide - 5, y + 2), (x + wide, y + 2)], width=1))
                parts.append(svg.line([(x + wide, y + 7), (x + wide, y + 2)], width=1))
            y += 14
    return parts, y + 5


def _cells(cells: tuple[tuple[int, str], ...], width: int, y: float, wide: float) -> list[str]:
    parts = []
    for t in range(width):
        id, token = cells[t] if t < len(cells) else (PAD_ID, "")
        box = (LEFT + wide * t, y, wide - 1, CELL - 1)
        pad = t >= len(cells)
        tip = f"{token} at position {t}" if not pad else None
        special = id in (BOS_ID, EOS_ID, UNK_ID)
        kind = "pads" if pad else "real"
        shade = {"opacity": svg.SHADE if special else 0.16, "fill": svg.BLUE}
        fill = {"fill": svg.PAPER} if pad else shade
        parts.append(svg.rect(*box, **fill, stroke=svg.LIGHT, kind=kind, tip=tip))
        if pad:
            parts.append(svg.hatch(*box))
        parts.append(
            svg.text(
                LEFT + wide * (t + 0.5) - 0.5,
                y + 14.5,
                str(id),
                size=12,
                anchor="middle",
                weight="bold" if special else "normal",
                halo=svg.PAPER if pad else None,
            )
        )
    return parts


def _legend(result: Result, y: float, veiled: bool) -> list[str]:
    parts, x = [], float(LEFT)
    entries = [("token", 0.16, False), ("BOS 1, EOS 2, UNK 3", svg.SHADE, False)]
    entries += [] if veiled else [("PAD 0", 0.0, True)]
    for words, opacity, pad in entries:
        fill = svg.PAPER if pad else svg.BLUE
        box = (x, y - 11, 18, 13)
        parts.append(svg.rect(*box, fill=fill, opacity=opacity or 1, stroke=svg.LIGHT))
        parts += [svg.hatch(*box)] if pad else []
        parts.append(svg.text(x + 24, y, words, size=12))
        x += 44 + 6.4 * len(words)
    if not veiled and result.view == "source":
        parts.append(svg.text(x, y, "right: length of width", size=12))
    return parts


# ---------------------------------------------------------------- all batches


def _strip(result: Result, top: float) -> list[str]:
    """A bar a batch: the share of its cells that is PAD. The shown batch is full blue."""
    left, height = 62.0, STRIP - 44.0
    shares = [1 - tokens / (rows * width) for rows, width, tokens in result.batches]
    high = 0.25 if max(shares) <= 0.25 else 0.5 if max(shares) <= 0.5 else 1.0
    wide = min(34.0, (svg.WIDTH - left - svg.MARGIN) / len(shares))
    parts = [svg.text(svg.MARGIN, top - 8, "PAD in each batch, %", size=12, fill=svg.GREY)]
    for tick in (0, high):
        y = top + height * (1 - tick / high)
        end = left + wide * len(shares)
        parts.append(svg.line([(left - 3, y), (end, y)], stroke=svg.LIGHT, width=1))
        label = f"{100 * tick:.0f}"
        parts.append(svg.text(left - 8, y + 4, label, size=12, anchor="end", fill=svg.GREY))
    step = 1 if wide >= 18 else 5
    for number, share in enumerate(shares, start=1):
        x, tall = left + wide * (number - 1), height * share / high
        here = number == result.number
        rows, width, tokens = result.batches[number - 1]
        tip = f"batch {number}: {rows} rows, width {width}, {tokens} tokens, {percent(share)} PAD"
        box = (x + 1, top + height - tall, wide - 3, tall)
        shade = 1.0 if here else 0.3
        parts.append(svg.rect(*box, fill=svg.BLUE, opacity=shade, kind="batch", tip=tip))
        if here or number % step == 0 or number == 1:
            parts.append(
                svg.text(
                    x + wide / 2 - 1,
                    top + height + 16,
                    str(number),
                    size=12,
                    anchor="middle",
                    weight="bold" if here else "normal",
                )
            )
    y = top + height + 33
    parts.append(svg.text(left, y, "batch; full blue: the one above", size=12, fill=svg.GREY))
    return parts


# ---------------------------------------------------------------- in words


def _heading(result: Result, shown: int) -> str:
    some = f", rows 1 to {shown} of {len(result.rows)}" if shown < len(result.rows) else ""
    return (
        f"Batch {result.number} of {len(result.batches)}, {ORDERS[result.order]}: "
        f"{SIDES[result.view]}{some}."
    )


def _lengths(result: Result) -> str:
    return ", ".join(str(len(row.read)) for row in result.rows)


def _headline(result: Result) -> str:
    return f"{percent(result.waste)} of all cells are PAD"


def _counts(result: Result) -> str:
    rows, width, tokens = result.batches[result.number - 1]
    words = (
        f"All: {result.real} tokens in {result.cells} cells. This batch: {tokens} in "
        f"{rows} x {width} = {rows * width}, {percent(result.waste_here)} PAD."
    )
    if result.corpus == "own":
        words += f" Unknown words, id 3: {result.unknown}."
    return words
