"""Small pieces of SVG that the explorers draw with: text, cells, hatching, bars, lines.

Every picture has a title and a description for those who cannot see it. It is drawn with the five
colours below and nothing else: alone it has black ink on white paper, and within the panel
``panel.css`` puts the page's own colours in their place, light or dark. There is one hue; what is
PAD is hatched. Pictures are ``WIDTH`` wide, which a narrow page has room for, and no text is
smaller than ``SMALL``: so nothing needs to shrink.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from html import escape, unescape

INK, GREY, LIGHT, PAPER, BLUE = "#000000", "#595959", "#d0d0d0", "#ffffff", "#0072B2"
WIDTH, MARGIN, SMALL = 560, 12, 12  # pixels
SHADE = 0.42  # opacity of blue below text
DARKEST = 0.85  # of a cell whose shade is a weight of 1: ink can still be read on it
SANS, MONO = "sans-serif", "ui-monospace, Menlo, Consolas, monospace"


def picture(width: float, height: float, title: str, description: str, parts: Iterable[str]) -> str:
    """A whole SVG from its parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" font-family="{SANS}">'
        f"<title>{xml(title)}</title><desc>{xml(description)}</desc>"
        f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>{"".join(parts)}</svg>'
    )


def filmstrip(frames: Sequence[tuple[str, str]], note: str) -> str:
    """Pictures below each other, each under its caption.

    Args:
        frames: pairs of a caption and a picture made by ``picture``.
        note: one line above all: what the reader sees, and how it becomes live.
    """
    width = max(size_of(svg)[0] for _, svg in frames)
    parts, y = [text(MARGIN, 22, note, size=SMALL, fill=GREY)], 34.0
    descriptions = []
    for number, (caption, svg) in enumerate(frames, start=1):
        parts.append(rect(0, y, width, 1, fill=LIGHT))
        count = f"{number}. " if len(frames) > 1 else ""
        title, y = paragraph(y + 6, count + caption, size=15, weight="bold", width=width)
        parts += [*title, svg.replace("<svg ", f'<svg x="0" y="{y:.0f}" ', 1)]
        y += size_of(svg)[1]
        descriptions.append(f"{count}{caption}: {description_of(svg)}")
    title = "; ".join(caption for caption, _ in frames)
    return picture(width, y, title, " ".join(descriptions), parts)


def size_of(svg: str) -> tuple[int, int]:
    """Width and height of a picture."""
    found = re.match(r'<svg [^>]*?width="(\d+)" height="(\d+)"', svg)
    return int(found[1]), int(found[2])


def description_of(svg: str) -> str:
    """The text alternative of a picture, as plain text."""
    return unescape(re.search(r"<desc>(.*?)</desc>", svg, re.DOTALL)[1])


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: float = 13,
    weight: str = "normal",
    anchor: str = "start",
    fill: str = INK,
    mono: bool = False,
    halo: str | None = None,
) -> str:
    """One line of text; ``y`` is its baseline. A halo in this colour parts it from hatching."""
    # spaces in code carry meaning, and SVG would swallow them
    family = f' font-family="{MONO}" xml:space="preserve"' if mono else ""
    around = f' paint-order="stroke" stroke="{halo}" stroke-width="3"' if halo else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{fill}"{family}{around}>{xml(content)}</text>'
    )


def paragraph(
    y: float,
    content: str,
    *,
    x: float = MARGIN,
    width: float = WIDTH,
    size: float = 13,
    weight: str = "normal",
    fill: str = INK,
) -> tuple[list[str], float]:
    """Text below ``y``, wrapped at a picture's right margin; and where it ends."""
    letters = size * (0.6 if weight == "bold" else 0.55)
    room = max(8, int((width - MARGIN - x) / letters))
    parts = []
    for words in textwrap.wrap(content, room):
        y += round(1.4 * size)
        parts.append(text(x, y, words, size=size, weight=weight, fill=fill))
    return parts, y + (4 if parts else 0)


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "none",
    opacity: float = 1.0,
    stroke: str | None = None,
    dash: str | None = None,
    kind: str | None = None,
    tip: str | None = None,
) -> str:
    """A rectangle. ``kind`` is its class, ``tip`` what a mouse over it shows."""
    attributes = f' class="{kind}"' if kind else ""
    attributes += f' stroke="{stroke}"' if stroke else ""
    attributes += f' stroke-dasharray="{dash}"' if dash else ""
    attributes += f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    body = f"><title>{xml(tip)}</title></rect>" if tip else "/>"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="{fill}"{attributes}{body}'
    )


def hatch(x: float, y: float, width: float, height: float, *, gap: float = 6) -> str:
    """Diagonal lines over a rectangle: the sign of PAD, with or without a colour below.

    A path and not a pattern: a pattern has an id, which must be unique in the whole page.
    """
    lines, offset = [], gap / 2
    while offset < width + height:
        # from the left or lower edge up to the top or right one
        x0, y0 = max(0.0, offset - height), min(offset, height)
        x1, y1 = min(offset, width), max(0.0, offset - width)
        lines.append(f"M{x + x0:.1f} {y + y0:.1f}L{x + x1:.1f} {y + y1:.1f}")
        offset += gap
    return f'<path class="pad" d="{"".join(lines)}" stroke="{GREY}" stroke-width="0.8"/>'


def line(
    points: Sequence[tuple[float, float]],
    *,
    stroke: str = INK,
    width: float = 1.5,
    dash: str | None = None,
) -> str:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{stroke}" '
        f'stroke-width="{width:g}"{dashes}/>'
    )


def dot(
    x: float,
    y: float,
    radius: float,
    *,
    fill: str = BLUE,
    opacity: float = 1.0,
    stroke: str = BLUE,
    dash: str | None = None,
    kind: str | None = None,
    tip: str | None = None,
) -> str:
    """A round marker. ``kind`` is its class, ``tip`` what a mouse over it shows."""
    attributes = f' stroke-dasharray="{dash}"' if dash else ""
    attributes += f' class="{kind}"' if kind else ""
    attributes += f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    body = f"><title>{xml(tip)}</title></circle>" if tip else "/>"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" '
        f'stroke="{stroke}"{attributes}{body}'
    )


def veil(y: float, height: float, width: float = WIDTH) -> list[str]:
    """What hides the answer until there is a prediction, where the answer will be."""
    middle = y + height / 2
    return [
        rect(MARGIN, y, width - 2 * MARGIN, height, fill=LIGHT, opacity=0.35, kind="veil"),
        text(width / 2, middle - 4, "Predict first", size=18, weight="bold", anchor="middle"),
        text(width / 2, middle + 20, "Decide on an answer, then open it.", anchor="middle"),
    ]


def message(words: str) -> str:
    """A picture of one sentence: why there is no other."""
    parts, y = paragraph(8, words)
    return picture(WIDTH, y + MARGIN, "No picture", words, parts)


def xml(content: str) -> str:
    """Escaped, and without characters that no XML file may hold, such as U+0000."""
    legal = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", content)
    return escape(legal)


def isolated(content: str) -> str:
    """Text of a reader within a sentence: right to left or not, it leaves the rest as it is."""
    return f"\u2068{content}\u2069"
