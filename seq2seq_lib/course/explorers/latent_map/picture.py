"""What the latent map looks like: a plane of codes or a path, the sentences, and two bars."""

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.latent_map.compute import GRID, Result

CELL, LEFT, LIST, LINE = 40, 38, 258, 16
SCALE = 8.5  # pixels a nat
TOP = 58
HEIGHT = TOP + 30 + 25 * LINE


def draw(result: Result, *, veiled: bool = False) -> str:
    """The map with its sentences, or seven sentences of a path; below, both terms of the bound."""
    setting = f"KL weight: {result.training}, after {result.step} steps."
    parts = [svg.text(svg.MARGIN, 22, setting, fill=svg.GREY)]
    if veiled:
        parts += svg.veil(32, HEIGHT - 44)
        description = f"{setting} The sentences are hidden until you predict."
        return svg.picture(svg.WIDTH, HEIGHT, "Predict first", description, parts)
    headline = _headline(result)
    parts.append(svg.text(svg.MARGIN, 46, headline, size=17, weight="bold"))
    parts += _map(result) if result.view == "map" else _path(result)
    parts += _terms(result, TOP + 262 if result.view == "map" else TOP + 250)
    return svg.picture(svg.WIDTH, HEIGHT, headline, _description(result, setting), parts)


def _headline(result: Result) -> str:
    if result.view == "map":
        return f"25 points, {result.different} different sentences; KL {sum(result.kl):.2f} nats"
    return f"7 points on a path, {len(set(result.numbers))} different sentences"


def _map(result: Result) -> list[str]:
    top = TOP + 18
    across, up = result.axes
    parts = [svg.text(LEFT, top - 8, f"up: z[{up}], across: z[{across}]", size=12, fill=svg.GREY)]
    commonest, times = result.commonest
    for cell, number in enumerate(result.numbers):
        column, row = cell % 5, cell // 5
        x, y = LEFT + CELL * column, top + CELL * row
        box = (x, y, CELL - 2, CELL - 2)
        at = f"z[{across}] = {GRID[column]:g}, z[{up}] = {GRID[4 - row]:g}"
        tip = f"{at}: {result.sentences[cell]}"
        parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="cell", tip=tip))
        if number == commonest and times > 1:
            parts.append(svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE))
        parts.append(svg.text(x + CELL / 2 - 1, y + 25, str(number), size=15, anchor="middle"))
    for place, value in enumerate(GRID):
        middle = LEFT + CELL * place + CELL / 2 - 1
        parts.append(svg.text(middle, top + 5 * CELL + 14, f"{value:g}", size=12, anchor="middle"))
        y = top + CELL * (4 - place) + CELL / 2 + 3
        parts.append(svg.text(LEFT - 6, y, f"{value:g}", size=12, anchor="end"))
    sentences = dict(zip(result.numbers, result.sentences, strict=True))
    for line, (number, sentence) in enumerate(sentences.items()):
        weight = "bold" if number == commonest and times > 1 else "normal"
        y = top + 6 + LINE * line
        parts.append(svg.text(LIST - 4, y, str(number), size=12, anchor="end", fill=svg.GREY))
        parts.append(svg.text(LIST, y, sentence, size=12, weight=weight))
    return parts


def _path(result: Result) -> list[str]:
    """Seven lines; a word that differs from the line above is underlined."""
    parts, letter, before = [], 15 * 0.602, None
    for line, sentence in enumerate(result.sentences):
        y = TOP + 28 + 30 * line
        share = f"{line}/6"
        parts.append(svg.text(svg.MARGIN, y, share, size=12, fill=svg.GREY))
        parts.append(svg.text(LEFT + 6, y, sentence, size=15, mono=True))
        words, at = sentence.split(), 0
        for place, word in enumerate(words):
            if before is not None and (place >= len(before) or before[place] != word):
                x = LEFT + 6 + letter * at
                parts.append(svg.rect(x, y + 4, letter * len(word), 2, fill=svg.BLUE, kind="new"))
            at += len(word) + 1
        before = words
    return parts


def _terms(result: Result, top: float) -> list[str]:
    """The bound as one bar of two parts, with the floor; then the KL of each dimension."""
    kl = sum(result.kl)
    wide = min(result.reconstruction * SCALE, 200)
    more = max(0.0, min(kl * SCALE, 215 - wide))
    cut = " (bar cut)" if more < kl * SCALE else ""
    words = "nats a sentence; dashed: entropy"
    parts = [
        svg.text(svg.MARGIN, top, words, size=12, fill=svg.GREY),
        svg.rect(svg.MARGIN, top + 8, wide, 18, fill=svg.PAPER, stroke=svg.BLUE, kind="term"),
        svg.rect(svg.MARGIN + wide, top + 8, more, 18, fill=svg.BLUE, stroke=svg.BLUE, kind="term"),
    ]
    floor = svg.MARGIN + result.floor * SCALE
    parts.append(svg.line([(floor, top + 4), (floor, top + 30)], stroke=svg.INK, dash="3 2"))
    parts.append(
        svg.text(
            svg.MARGIN,
            top + 44,
            f"reconstruction {result.reconstruction:.2f} + KL {kl:.2f}",
            size=12,
        )
    )
    sums = f"= {result.bound:.2f}{cut}; entropy {result.floor:.2f}"
    parts.append(svg.text(svg.MARGIN, top + 60, sums, size=12))
    parts.append(svg.text(svg.MARGIN, top + 84, "KL of each dimension", size=12, fill=svg.GREY))
    largest = max(0.5, *result.kl)
    base = top + 128
    for dimension, value in enumerate(result.kl):
        x, high = svg.MARGIN + 24 * dimension, 30 * value / largest
        tip = f"dimension {dimension}: {value:.2f} nats"
        parts.append(svg.rect(x, base - high, 18, high, fill=svg.BLUE, kind="kl", tip=tip))
        parts.append(svg.text(x + 9, base + 14, str(dimension), size=12, anchor="middle"))
    return parts


def _description(result: Result, setting: str) -> str:
    middle = result.sentences[len(result.sentences) // 2]
    number, times = result.commonest
    commonest = result.sentences[result.numbers.index(number)]
    return (
        f"{setting} {_headline(result)}. In the middle: {middle}. Most often, {times} times: "
        f"{commonest}. Reconstruction {result.reconstruction:.2f} and KL {sum(result.kl):.2f} make "
        f"{result.bound:.2f} nats; the entropy of the language is {result.floor:.2f}. Of 400 "
        f"sentences the copies are {result.copies} different ones. All sentences: "
        f"{'; '.join(dict.fromkeys(result.sentences))}."
    )
