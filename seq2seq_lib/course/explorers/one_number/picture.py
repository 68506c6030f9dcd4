"""What the one-number machine looks like: digits, the state after each, one arrow, what is said."""

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.one_number.compute import READINGS, Result

CELL, ROW, LEFT = 44, 32, svg.MARGIN
CODE = (
    "h = 0;  for x in row: h = 10 * h + x            # the encoder",
    "while h > 0: say(h % 10); h = h // 10           # the decoder",
)


def spaced(digits: str) -> str:
    """``3 1 4``; a word where there is nothing."""
    return " ".join(digits) or "nothing"


def draw(result: Result, *, veiled: bool = False) -> str:
    """The batch, the state of its first row after each column, and what the decoder makes of it."""
    parts, y = [], 4.0
    for code in CODE:
        y += 18
        parts.append(svg.text(LEFT, y, code, size=12, mono=True))
    y += 26
    parts += _numbers(result, y)
    parts += _batch(result, y + 8)
    y += ROW * len(result.rows) + 10
    if veiled:
        height = 150 if result.readings == "four" else 96
        parts += svg.veil(y + 8, height)
        words = f"{_setting(result)} Predict first."
        return svg.picture(svg.WIDTH, y + height + 20, "Predict first", words, parts)
    parts += _running(result, y)
    y += 50
    lines, y = (_table if result.readings == "four" else _bridge)(result, y)
    title = _headline(result)
    return svg.picture(
        svg.WIDTH, y + svg.MARGIN, title, f"{_setting(result)} {_told(result)}", parts + lines
    )


def _numbers(result: Result, y: float) -> list[str]:
    return [
        svg.text(LEFT + CELL * (t + 0.5), y, str(t), size=12, anchor="middle", fill=svg.GREY)
        for t in range(len(result.rows[0]))
    ]


def _batch(result: Result, top: float) -> list[str]:
    """One cell a token; what is PAD is hatched and says so."""
    parts = []
    for b, ids in enumerate(result.rows):
        y = top + ROW * b
        for t, token in enumerate(ids):
            x, pad = LEFT + CELL * t, t >= result.lengths[b]
            fill, opacity = (svg.BLUE, svg.SHADE) if b == 0 and not pad else (svg.PAPER, 1.0)
            what = "PAD, id 0" if pad else str(token)
            parts.append(
                svg.rect(x, y, CELL - 3, ROW - 4, fill=fill, opacity=opacity, stroke=svg.GREY,
                         kind="cell", tip=f"row {b}, position {t}: {what}")
            )  # fmt: skip
            if pad:
                parts.append(svg.hatch(x, y, CELL - 3, ROW - 4))
            label, size = ("PAD", 12) if pad else (str(token), 15)
            parts.append(
                svg.text(
                    x + CELL / 2 - 1.5,
                    y + 19,
                    label,
                    size=size,
                    anchor="middle",
                    halo=svg.PAPER if pad else None,
                )
            )
    return parts


def _running(result: Result, y: float) -> list[str]:
    """The state after each column of the first row, where its digits fit below the column."""
    parts = [svg.text(LEFT, y + 34, "the state h of row 0 after each column", size=12,
                      fill=svg.GREY)]  # fmt: skip
    for t, state in enumerate(result.running):
        own = t < result.lengths[0]
        shown = str(state) if len(str(state)) <= 5 else "…"
        parts.append(
            svg.text(
                LEFT + CELL * (t + 0.5),
                y + 16,
                shown,
                size=12,
                mono=True,
                anchor="middle",
                weight="bold" if own else "normal",
                fill=svg.INK if own else svg.GREY,
            )
        )
    return parts


def _bridge(result: Result, y: float) -> tuple[list[str], float]:
    """ONE arrow from the last state to the decoder, and its words."""
    state, said = result.states["last_column"], result.said["last_column"]
    width = 11 * len(str(state)) + 24
    start = LEFT + width + 10
    parts = [
        svg.rect(LEFT, y, width, 34, fill=svg.PAPER, stroke=svg.BLUE),
        svg.text(LEFT + width / 2, y + 23, str(state), size=17, weight="bold", anchor="middle",
                 mono=True),
        svg.line([(start, y + 17), (start + 52, y + 17)], stroke=svg.BLUE, width=3),
        svg.line([(start + 43, y + 10), (start + 53, y + 17), (start + 43, y + 24)],
                 stroke=svg.BLUE, width=3),
        svg.text(start + 66, y + 14, "all that the decoder gets; it says", size=12, fill=svg.GREY),
        svg.text(start + 66, y + 34, spaced(said), size=17, weight="bold", mono=True),
    ]  # fmt: skip
    words, y = svg.paragraph(y + 44, _headline(result), size=14, weight="bold")
    return parts + words, y


def _table(result: Result, y: float) -> tuple[list[str], float]:
    """Four ways to read the final state of the first row."""
    columns = (LEFT, 226, 372)
    heads = ("the final state of row 0", "is", "and the decoder says")
    parts = [
        svg.text(x, y + 14, head, size=12, fill=svg.GREY)
        for x, head in zip(columns, heads, strict=True)
    ]
    for name, code in READINGS.items():
        y += 24
        said = result.said[name]
        right = said == result.right
        mark = "✓" if right else "✗"
        weight = "bold" if right else "normal"
        cells = (code, str(result.states[name]), f"{mark} {spaced(said)}")
        parts += [
            svg.text(x, y + 14, cell, size=12.5, mono=True, weight=weight)
            for x, cell in zip(columns, cells, strict=True)
        ]
    words, y = svg.paragraph(y + 24, _headline(result), size=14, weight="bold")
    return parts + words, y


def _headline(result: Result) -> str:
    if result.readings == "four":
        wrong = [code for name, code in READINGS.items() if result.said[name] != result.right]
        if not wrong:
            return f"From all four the decoder says {spaced(result.right)}."
        return f"The decoder is wrong from {' and from '.join(wrong)}."
    said = spaced(result.said["last_column"])
    if result.extra_pads == 0:
        return f"The decoder sees {result.states['last_column']} and nothing else, and says {said}."
    one = result.extra_pads == 1
    pads = "1 PAD is read like a digit" if one else f"{result.extra_pads} PADs are read like digits"
    return f"{pads}: the decoder says {said}, and {spaced(result.right)} is right."


def _setting(result: Result) -> str:
    around = "beside 2 7 1 8 2 and 5" if result.neighbours else "alone"
    return f"{spaced(result.digits)} {around}, extra PAD columns: {result.extra_pads}."


def _told(result: Result) -> str:
    states = f"The state runs {', '.join(map(str, result.running))}."
    if result.readings == "one":
        return f"{states} {_headline(result)}"
    read = "; ".join(
        f"{code} gives {result.states[name]}, and the decoder says {spaced(result.said[name])}"
        for name, code in READINGS.items()
    )
    return f"{states} {read}. {_headline(result)}"
