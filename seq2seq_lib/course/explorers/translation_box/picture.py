"""What the translation box looks like: the answer, how sure the model is, where it looked."""

import math
import textwrap
import unicodedata

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.translation_box.compute import Answer, label_of
from seq2seq_lib.translate import Translation

CELL = 24  # pixels; pictures of long texts are wider than others
SIZE = 14  # of labels
MAX_TEXT = 600  # characters that are drawn of the answer
SLANT = math.radians(60)  # of long column labels


def draw(answer: Answer, *, veiled: bool = False) -> str:
    """The output, how sure the model is, the message, and the attention weights as a grid.

    ``veiled`` changes nothing: the box asks no question.
    """
    translation = answer.translation
    if translation is None:
        lines = _Lines(svg.WIDTH).add(_cut(answer.message), SIZE)
        return lines.picture("No answer", answer.message)
    columns, rows = (
        [*map(label_of, translation.source), "end"],
        list(map(label_of, translation.target)),
    )
    grid = translation.attention is not None and len(rows) > 0
    left = svg.MARGIN + 8 + max(map(_width, rows), default=0)
    # labels that are wider than their column slant up and to the right of it
    slant = SLANT if max(map(_width, columns[:-1]), default=0) > CELL else 0.0
    ends = [
        left
        + CELL * j
        + max(CELL, 8 + _width(label) * (math.cos(slant) if slant else 1) + CELL / 2)
        for j, label in enumerate(columns)
    ]
    width = max(svg.WIDTH, svg.MARGIN + max(ends)) if grid else svg.WIDTH
    lines = _Lines(width)
    written = _cut(translation.text) if rows else "(an empty answer)"
    lines.add(written, 18, weight="bold")
    _add_probability(lines, translation)
    lines.add(answer.message, 13)
    if grid:
        lines.add("Rows: the answer. Columns: your text. Numbers: % of attention.", 12)
        rise = max(map(_width, columns)) * math.sin(slant)
        top = lines.height + 16 + (rise or 16)
        for j, label in enumerate(columns):
            lines.parts.append(_column_label(left + CELL * j, top - 6, label, slant))
        for i, row in enumerate(rows):
            y = top + CELL * i
            lines.parts.append(svg.text(left - 8, y + 16, row, size=SIZE, anchor="end"))
            for j, weight in enumerate(translation.attention[i].tolist()):
                lines.parts.append(_cell(left + CELL * j, y, weight, f"{row} from {columns[j]}"))
        lines.height = top + CELL * len(rows)
    sentences = [
        _sentence(f"Input: {_cut(answer.text)}"),
        _sentence(f"Output: {written}"),
        _probability(translation),
        answer.message,
        _read_out(translation, rows, columns),
    ]
    description = " ".join(filter(None, sentences))
    return lines.picture(f"Output: {written}", description)


class _Lines:
    """Text from the top of a picture downwards, wrapped at its width, and what else is drawn."""

    def __init__(self, width: float) -> None:
        self.width, self.height, self.parts = width, 0.0, []

    def add(self, text: str, size: int, weight: str = "normal") -> "_Lines":
        room = max(1, int((self.width - 2 * svg.MARGIN) / (0.62 * size)))
        self.height += 6 if text else 0
        for line in textwrap.wrap(text, room):
            self.height += 1.3 * size
            self.parts.append(svg.text(svg.MARGIN, self.height, line, size=size, weight=weight))
        return self

    def picture(self, title: str, description: str) -> str:
        return svg.picture(self.width, self.height + svg.MARGIN, title, description, self.parts)


def _column_label(x: float, y: float, label: str, slant: float) -> str:
    """Above the column whose left edge is ``x``."""
    if slant:
        turn = f"translate({x + CELL / 2 + 4:.1f} {y:.1f}) rotate({-math.degrees(slant):.0f})"
        return f'<g transform="{turn}">{svg.text(0, 0, label, size=SIZE)}</g>'
    if _width(label) > CELL:  # the last one, "end", has room to its right
        return svg.text(x + 4, y, label, size=SIZE)
    return svg.text(x + CELL / 2 - 1, y, label, size=SIZE, anchor="middle")


def _cell(x: float, y: float, weight: float, which: str) -> str:
    # A printed number as well as a shade: nothing rests on colour alone.
    shade = max(svg.DARKEST * weight, 0.03)
    tip = f"{which}: {weight:.2f}"
    cell = svg.rect(x, y, CELL - 2, CELL - 2, fill=svg.BLUE, opacity=shade, kind="cell", tip=tip)
    if round(100 * weight) < 10:
        return cell
    number = f"{min(99, round(100 * weight))}"  # 100 has no room; the tip has the digits
    return cell + svg.text(x + CELL / 2 - 1, y + 15, number, size=svg.SMALL, anchor="middle")


def _add_probability(lines: "_Lines", translation: Translation) -> None:
    """In words, and as a bar: a wrong answer looks as sure of itself as a right one."""
    lines.add(_probability(translation), 13)
    long, y = 200.0, lines.height + 8
    share = long * math.exp(translation.log_prob)
    lines.parts.append(svg.rect(svg.MARGIN, y, share, 12, fill=svg.BLUE, kind="probability"))
    lines.parts.append(svg.rect(svg.MARGIN, y, long, 12, stroke=svg.GREY))
    lines.parts.append(svg.text(svg.MARGIN + long + 8, y + 10, "1", size=12, fill=svg.GREY))
    lines.height = y + 16


def _probability(translation: Translation) -> str:
    probability = math.exp(translation.log_prob)
    bound = "above 0.99" if probability > 0.99 else f"{probability:.2f}"
    return f"Its probability, says the model: {bound if probability >= 0.01 else 'below 0.01'}."


def _sentence(text: str) -> str:
    """With one full stop at its end, and no second one."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _read_out(translation: Translation, rows: list[str], columns: list[str]) -> str:
    if translation.attention is None or not rows:
        return ""
    best = translation.attention.argmax(1).tolist()
    return " ".join(
        _sentence(f"{row} looks most at {columns[j]}") for row, j in zip(rows, best, strict=True)
    )


def _width(text: str) -> float:
    """Pixels that a label needs at most, whatever sans-serif font the reader has."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" or c in "mwMW@%—…" for c in text)
    return SIZE * (wide + 0.62 * (len(text) - wide))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
