"""A box to type into: the model's answer and where it looked, at every change of the text.

``compute`` and ``draw`` are pure; ``TranslationBox`` is the widget around them. A reader without a
kernel sees the picture of the first example.
"""

from dataclasses import dataclass
from html import escape

from seq2seq_lib.translate import Translation, Translator

CELL, LEFT, TOP = 22, 74, 84  # pixels
INK, PAPER, BLUE = "#1a1a1a", "#ffffff", "#0072B2"
MAX_TOKENS = 40  # of the source: more do not fit a screen


@dataclass(frozen=True)
class Answer:
    """What the box shows: a translation, or why there is none."""

    text: str
    translation: Translation | None
    message: str


def compute(translator: Translator, text: str) -> Answer:
    """Translate one text; a message instead of an exception for what cannot be translated."""
    if not text.strip():
        return Answer(text, None, "Type something: the box is empty.")
    source = translator.tokenize(text)
    if len(source) > MAX_TOKENS:
        return Answer(
            text, None, f"That is {len(source)} tokens; the picture has room for {MAX_TOKENS}."
        )
    (translation,) = translator([text], max_new_tokens=2 * MAX_TOKENS)
    message = ""
    if translation.unknown:
        unknown = ", ".join(repr(token) for token in dict.fromkeys(translation.unknown))
        message = f"Never seen in training, read as unknown: {unknown}."
    if not translation.finished:
        message += " The answer did not end and was cut."
    return Answer(text, translation, message.strip())


def draw(answer: Answer) -> str:
    """The answer as an SVG: the output, the message, and the attention weights as a grid."""
    translation = answer.translation
    if translation is None:
        return _svg(560, 60, "No answer", answer.message, _text(12, 36, answer.message))
    columns, rows = [*translation.source, "end"], translation.target
    parts = [_text(12, 26, f"{translation.text}", size=18, weight="bold")]
    if answer.message:
        parts.append(_text(12, 46, answer.message, size=12))
    slanted = max(map(len, columns)) > 3
    top = TOP + (7 * max(map(len, columns)) if slanted else 0)
    if translation.attention is not None:
        for j, token in enumerate(columns):
            x = LEFT + CELL * j + CELL / 2
            parts.append(_column_label(x, top - 6, token, slanted))
        for i, token in enumerate(rows):
            y = top + CELL * i
            parts.append(_text(LEFT - 8, y + 16, _visible(token), anchor="end"))
            for j, weight in enumerate(translation.attention[i].tolist()):
                parts.append(_cell(LEFT + CELL * j, y, weight, token, columns[j]))
    width = max(560, LEFT + CELL * len(columns) + 20)
    height = top + CELL * len(rows) + 16 if translation.attention is not None else 60
    description = (
        f"Input: {answer.text}. Output: {translation.text}. {answer.message} "
        + _read_out(translation, columns)
    )
    return _svg(width, height, f"Output: {translation.text}", description, "".join(parts))


def box(translator: Translator, example: str, label: str = "your text"):
    """The widget: a text field and the picture. It answers at every change, from the keyboard."""
    return _widget_class()(translator, example, label)


def _widget_class():
    import ipywidgets as widgets

    class TranslationBox(widgets.VBox):
        """A text field above the drawing of its answer."""

        def __init__(self, translator: Translator, example: str, label: str) -> None:
            self.translator = translator
            self.field = widgets.Text(
                value=example,
                description=label,
                continuous_update=False,
                style={"description_width": "initial"},
                layout=widgets.Layout(width="560px"),
            )
            self.picture = widgets.HTML(value=draw(compute(translator, example)))
            self.field.observe(self._answer, names="value")
            super().__init__([self.field, self.picture])

        def _answer(self, change) -> None:
            self.picture.value = draw(compute(self.translator, change["new"]))

        def _repr_mimebundle_(self, **kwargs):
            """Beside the live widget the picture, for readers without a kernel."""
            bundle = super()._repr_mimebundle_(**kwargs)
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            fallback = {"text/plain": "TranslationBox()", "image/svg+xml": self.picture.value}
            return {**(data or {}), **fallback}, metadata

    return TranslationBox


def _svg(width: float, height: float, title: str, description: str, body: str) -> str:
    # A paper of its own makes the picture readable on a dark page too.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" font-family="sans-serif">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>{body}</svg>'
    )


def _text(x, y, text: str, *, size: int = 14, weight: str = "normal", anchor: str = "start") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{INK}">{escape(text)}</text>'
    )


def _column_label(x: float, y: float, token: str, slanted: bool) -> str:
    if not slanted:
        return _text(x, y, _visible(token), anchor="middle")
    turn = f"translate({x + 4:g} {y:g}) rotate(-60)"
    return f'<g transform="{turn}">{_text(0, 0, _visible(token))}</g>'


def _cell(x: float, y: float, weight: float, row: str, column: str) -> str:
    # A printed number as well as a shade: nothing rests on colour alone.
    number = f"{round(100 * weight)}" if weight >= 0.095 else ""
    ink = PAPER if weight > 0.5 else INK
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{CELL - 2}" height="{CELL - 2}" fill="{BLUE}" '
        f'fill-opacity="{max(weight, 0.03):.2f}"><title>{escape(row)} from {escape(column)}: '
        f"{weight:.2f}</title></rect>"
        + (
            f'<text x="{x + CELL / 2 - 1:g}" y="{y + 14:g}" font-size="10" text-anchor="middle" '
            f'fill="{ink}">{number}</text>'
            if number
            else ""
        )
    )


def _read_out(translation: Translation, columns: list[str]) -> str:
    if translation.attention is None:
        return ""
    best = translation.attention.argmax(1).tolist()
    return " ".join(
        f"{target} looks most at {columns[j]}."
        for target, j in zip(translation.target, best, strict=True)
    )


def _visible(token: str) -> str:
    return "␣" if token == " " else token
