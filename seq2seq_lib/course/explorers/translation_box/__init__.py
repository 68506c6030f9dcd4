"""A box to type into: the model's answer and where it looked, after every Enter.

``compute`` and ``draw`` are pure; ``TranslationBox`` is the widget around them. A reader without a
kernel sees the picture of the first example.
"""

import math
import os
import textwrap
import unicodedata
from dataclasses import dataclass, replace
from functools import cache

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.svg import BLUE, INK, PAPER
from seq2seq_lib.course.explorers.kit.widget import Filmstrip
from seq2seq_lib.translate import Translation, Translator

CELL, MARGIN, WIDTH = 22, 12, 560  # pixels; pictures of long texts are wider
SIZE = 14  # of labels
MAX_TOKENS = 40  # of the source: a grid of more does not fit a screen
MAX_READ = 200  # of the source: more take too long
MAX_LABEL, MAX_TEXT = 16, 600  # characters that are drawn of one token, and of the answer
ZERO_WIDTH_JOINERS = "\u200c\u200d"
SLANT = math.radians(60)  # of long column labels


@dataclass(frozen=True)
class Answer:
    """What the box shows: a translation, or why there is none."""

    text: str
    translation: Translation | None
    message: str


def compute(translator: Translator, text: str) -> Answer:
    """Translate one text; a message instead of an exception for an empty or a too long one."""
    if not text.strip():
        return Answer(text, None, "Type something first: the box is empty.")
    source = translator.tokenize(text)
    if not source:
        return Answer(text, None, "There is nothing in it that the model could read.")
    if len(source) > MAX_READ:
        return Answer(text, None, f"That is {len(source)} tokens; the box reads {MAX_READ}.")
    # the search stops when no longer output could win: the nearer the limit, the sooner it knows
    (translation,) = translator([text], max_new_tokens=2 * len(source) + 10)
    messages = []
    if len(source) > MAX_TOKENS:
        translation = replace(translation, attention=None)
        messages.append(f"No grid: that is {len(source)} tokens, it has room for {MAX_TOKENS}.")
    if translation.unknown:
        unknown = ", ".join(f"“{_label(token)}”" for token in dict.fromkeys(translation.unknown))
        messages.append(f"Never seen in training, read as unknown: {unknown}.")
    if not translation.finished:
        messages.append("The answer did not end and was cut.")
    return Answer(text, translation, " ".join(messages))


def draw(answer: Answer) -> str:
    """The answer as an SVG: the output, the message, and the attention weights as a grid."""
    translation = answer.translation
    if translation is None:
        return _Lines(WIDTH).add(_cut(answer.message), SIZE).picture("No answer", answer.message)
    columns, rows = [*translation.source, "end"], translation.target
    grid = translation.attention is not None and len(rows) > 0
    left = MARGIN + 8 + max(map(_width, map(_label, rows)), default=0)
    slant = SLANT if max(map(len, columns)) > 3 else 0.0
    # a slanted label goes up and to the right of its column
    ends = [
        left + CELL * (j + 1) + _width(_label(token)) * math.cos(slant) * bool(slant)
        for j, token in enumerate(columns)
    ]
    width = max(WIDTH, MARGIN + max(ends)) if grid else WIDTH
    lines = _Lines(width)
    written = _cut(translation.text) if rows else "(an empty answer)"
    lines.add(written, 18, weight="bold")
    lines.add(_probability(translation), 12)
    lines.add(answer.message, 12)
    if grid:
        lines.add("Rows: the answer. Columns: your text. Numbers: % of attention.", 12)
        rise = max(_width(_label(token)) for token in columns) * math.sin(slant)
        top = lines.height + 16 + (rise or 16)
        for j, token in enumerate(columns):
            lines.parts.append(_column_label(left + CELL * (j + 0.5), top - 6, token, slant))
        for i, token in enumerate(rows):
            y = top + CELL * i
            lines.parts.append(svg.text(left - 8, y + 15, _label(token), size=SIZE, anchor="end"))
            for j, weight in enumerate(translation.attention[i].tolist()):
                lines.parts.append(_cell(left + CELL * j, y, weight, token, columns[j]))
        lines.height = top + CELL * len(rows)
    sentences = [
        _sentence(f"Input: {_cut(answer.text)}"),
        _sentence(f"Output: {written}"),
        _probability(translation),
        answer.message,
        _read_out(translation, columns),
    ]
    description = " ".join(filter(None, sentences))
    return lines.picture(f"Output: {written}", description)


def box(translator: Translator, example: str, label: str = "your text"):
    """The widget: a text field and the picture. It answers to Enter, and when one leaves the field.

    Where nbgrader executes the notebook nobody can type: there it is the picture alone.
    """
    if os.environ.get("NBGRADER_EXECUTION"):
        return Filmstrip("TranslationBox", draw(compute(translator, example)))
    return _widget_class()(translator, example, label)


@cache
def _widget_class():
    import ipywidgets as widgets

    class TranslationBox(widgets.VBox):
        """A text field above the drawing of its answer."""

        def __init__(self, translator: Translator, example: str, label: str) -> None:
            self.translator = translator
            self.field = widgets.Text(
                value=example,
                description=label,
                placeholder="type, then press Enter",
                continuous_update=False,
                style={"description_width": "initial"},
                layout=widgets.Layout(width=f"{WIDTH}px", max_width="100%"),
            )
            # The example is the author's: if it fails the cell must fail too.
            self.picture = widgets.HTML(value=draw(compute(translator, example)))
            self.field.observe(self._answer, names="value")
            super().__init__([self.field, self.picture])

        def _answer(self, change) -> None:
            try:
                picture = draw(compute(self.translator, change["new"]))
            except Exception as error:  # an old answer under a new text would be a lie
                reason = f"The model failed: {type(error).__name__}: {error}"
                picture = draw(Answer(change["new"], None, reason))
            self.picture.value = picture

        def _repr_mimebundle_(self, **kwargs):
            """Beside the live widget the picture, for readers without a kernel.

            JupyterLab draws no SVG in a notebook that it does not trust yet: it shows the words.
            """
            bundle = super()._repr_mimebundle_(**kwargs)
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            words = "TranslationBox: run all cells, then type into it."
            fallback = {"text/plain": words, "image/svg+xml": self.picture.value}
            return {**(data or {}), **fallback}, metadata

    return TranslationBox


class _Lines:
    """Text from the top of a picture downwards, wrapped at its width, and what else is drawn."""

    def __init__(self, width: float) -> None:
        self.width, self.height, self.parts = width, 0.0, []

    def add(self, text: str, size: int, weight: str = "normal") -> "_Lines":
        room = max(1, int((self.width - 2 * MARGIN) / (0.62 * size)))
        self.height += 6 if text else 0
        for line in textwrap.wrap(text, room):
            self.height += 1.3 * size
            self.parts.append(svg.text(MARGIN, self.height, line, size=size, weight=weight))
        return self

    def picture(self, title: str, description: str) -> str:
        return svg.picture(self.width, self.height + MARGIN, title, description, self.parts)


def _column_label(x: float, y: float, token: str, slant: float) -> str:
    if not slant:
        return svg.text(x - 1, y, _label(token), size=SIZE, anchor="middle")
    turn = f"translate({x + 4:.1f} {y:.1f}) rotate({-math.degrees(slant):.0f})"
    return f'<g transform="{turn}">{svg.text(0, 0, _label(token), size=SIZE)}</g>'


def _cell(x: float, y: float, weight: float, row: str, column: str) -> str:
    # A printed number as well as a shade: nothing rests on colour alone.
    shade = max(weight, 0.03)
    tip = f"{_label(row)} from {_label(column)}: {weight:.2f}"
    cell = svg.rect(x, y, CELL - 2, CELL - 2, fill=BLUE, opacity=shade, tip=tip)
    if round(100 * weight) < 10:
        return cell
    # White is the clearer ink only on the darkest cells. So the contrast is 4.5 or more everywhere.
    ink = PAPER if shade >= 0.93 else INK
    number = f"{round(100 * weight)}"
    return cell + svg.text(x + CELL / 2 - 1, y + 14, number, size=10, anchor="middle", fill=ink)


def _probability(translation: Translation) -> str:
    probability = math.exp(translation.log_prob)
    bound = "above 0.99" if probability > 0.99 else f"{probability:.2f}"
    return f"Its probability, says the model: {bound if probability >= 0.01 else 'below 0.01'}."


def _sentence(text: str) -> str:
    """With one full stop at its end, and no second one."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _read_out(translation: Translation, columns: list[str]) -> str:
    if translation.attention is None or not translation.target:
        return ""
    best = translation.attention.argmax(1).tolist()
    return " ".join(
        _sentence(f"{_label(target)} looks most at {_label(columns[j])}")
        for target, j in zip(translation.target, best, strict=True)
    )


def _label(token: str) -> str:
    if not token.strip():
        return "␣"
    # a control character would be invisible, or turn the rest of the line round; within a longer
    # token two of them join letters
    joins = ZERO_WIDTH_JOINERS if len(token) > 1 else ""
    hidden = {c for c in token if unicodedata.category(c) in ("Cc", "Cf") and c not in joins}
    token = "".join(f"U+{ord(c):04X}" if c in hidden else c for c in token)
    return token if len(token) <= MAX_LABEL else token[: MAX_LABEL - 1] + "…"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _width(text: str) -> float:
    """Pixels that a label needs at most, whatever sans-serif font the reader has."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" or c in "mwMW@%—…" for c in text)
    return SIZE * (wide + 0.62 * (len(text) - wide))
