"""What the neighbours look like: a batch of two rows, and the answers of two models to one."""

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.neighbours.compute import Answer, Result

ROW, LETTER, NARROW, BAR = 24, 20, 9, 150  # pixels
NOTHING = "(writes nothing)"


def draw(result: Result, *, veiled: bool = False) -> str:
    """The date and its neighbour as a batch, and below it what both models write."""
    if result.message:
        return svg.message(result.message)
    symbols = len(result.date) + 1
    width = (svg.WIDTH - 2 * svg.MARGIN) / (symbols + result.longer)
    cell = min(LETTER, width)
    size = 13 if cell > 12 else 12
    parts = [svg.text(svg.MARGIN, 18, _batch_words(result), size=13)]
    top = 28.0
    for t in range(symbols + result.longer):
        x = svg.MARGIN + cell * t
        pad = t >= symbols
        box = (x, top, cell - 1.5, ROW - 2)
        tip = "PAD" if pad else "the end symbol" if t == symbols - 1 else result.date[t]
        parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="cell", tip=tip))
        if pad:
            parts.append(svg.hatch(*box))
        elif cell >= NARROW:
            letter = "•" if t == symbols - 1 else result.date[t]
            parts.append(
                svg.text(
                    x + cell / 2 - 0.75, top + 16, letter, size=size, anchor="middle", mono=True
                )
            )
        box = (x, top + ROW, cell - 1.5, ROW - 2)
        parts.append(svg.rect(*box, fill=svg.LIGHT, opacity=0.6, kind="neighbour"))
    if cell < NARROW:  # no room for a letter a cell
        parts.append(
            svg.text(svg.MARGIN + 3, top + 16, result.date, size=13, mono=True, halo=svg.PAPER)
        )
    y = top + 2 * ROW + 14
    parts += [
        svg.text(svg.MARGIN, y, "• end", size=12, fill=svg.GREY),
        svg.hatch(64, y - 10, 18, 12),
        svg.text(88, y, "PAD", size=12, fill=svg.GREY),
        svg.rect(128, y - 10, 18, 12, fill=svg.LIGHT, opacity=0.6),
        svg.text(152, y, "the neighbour, whatever it says", size=12, fill=svg.GREY),
    ]
    y += 16
    height = y + 2 * 74 + 8
    if veiled:
        parts += svg.veil(y, height - y - svg.MARGIN)
        hidden = f"{_setting(result)} The answers are hidden until you predict."
        return svg.picture(svg.WIDTH, height, "Predict first", hidden, parts)
    for name, answer in (("ours", result.ours), ("careless", result.careless)):
        parts += _answer(name, answer, y)
        y += 74
    description = f"{_setting(result)} {_told(result)}"
    return svg.picture(svg.WIDTH, height, headline(result), description, parts)


def headline(result: Result) -> str:
    """Who changed its answer."""
    if not result.longer:
        return "No pads yet: this is what both models write to the date alone"
    changed = [n for n, a in (("ours", result.ours), ("careless", result.careless)) if not a.same]
    return f"The answer changed: {' and '.join(changed)}" if changed else "Both answers stay"


def shown(text: str) -> str:
    """An answer as it is printed: an empty one is said in words."""
    return text or NOTHING


def _batch_words(result: Result) -> str:
    if not result.longer:
        return "The neighbour is no longer than the date: no pads."
    pads = f"{result.longer} PAD{'' if result.longer == 1 else 's'}"
    return f"The neighbour is longer by {result.longer}: {pads} behind the date."


def _setting(result: Result) -> str:
    pads = f"{result.longer or 'no'} pad{'' if result.longer == 1 else 's'}"
    return f"A date, {result.date}, {len(result.date) + 1} symbols with its end, {pads} behind it."


def _told(result: Result) -> str:
    sentences = []
    for name, answer in (("Ours", result.ours), ("The careless model", result.careless)):
        same = "the same as alone" if answer.same else f"alone it was {shown(answer.alone)}"
        sure = f"with probability {answer.probability:.2f}"
        sentences.append(f"{name} answers {shown(answer.text)} {sure}, {same}.")
    return " ".join(sentences)


def _answer(name: str, answer: Answer, y: float) -> list[str]:
    left, letter = 92, 17
    parts = [svg.text(svg.MARGIN, y + 26, name, size=14, weight="bold")]
    if not answer.text:
        parts.append(svg.text(left, y + 26, NOTHING, size=18, weight="bold"))
        parts.append(svg.rect(left - 5, y + 6, 170, 28, stroke=svg.INK, kind="changed"))
    for t, character in enumerate(answer.text):
        x = left + letter * t
        changed = character != (answer.alone[t : t + 1] or "")
        if changed:
            box = (x - 1, y + 6, letter - 1, 28)
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.INK, kind="changed"))
        parts.append(
            svg.text(
                x + letter / 2 - 1.5,
                y + 26,
                character,
                size=18,
                weight="bold" if changed else "normal",
                anchor="middle",
                mono=True,
            )
        )
    right = svg.WIDTH - svg.MARGIN
    verdict = "same as alone" if answer.same else f"≠ alone: {shown(answer.alone)}"
    parts.append(svg.text(right, y + 26, verdict, size=14, weight="bold", anchor="end"))
    if answer.same:  # a tick that is drawn: few fonts have one
        x = right - 124
        parts.append(svg.line([(x, y + 20), (x + 5, y + 26), (x + 14, y + 13)], width=2.5))
    share = BAR * answer.probability
    parts += [
        svg.rect(left, y + 42, share, 12, fill=svg.BLUE, kind="probability"),
        svg.rect(left, y + 42, BAR, 12, stroke=svg.GREY),
        svg.text(
            left + BAR + 8,
            y + 53,
            f"its probability, says the model: {answer.probability:.2f}",
            size=12,
            fill=svg.GREY,
        ),
    ]
    return parts
