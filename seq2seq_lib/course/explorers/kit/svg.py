"""Small pieces of SVG that the explorers draw with: text, cells, hatching, bars, lines.

Every picture has a title and a description for those who cannot see it, and a light paper of its
own, so that it can be read on a dark page too. There is one hue; what is PAD is hatched.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from html import escape, unescape

INK, GREY, LIGHT, PAPER, BLUE = "#000000", "#595959", "#d0d0d0", "#ffffff", "#0072B2"
VEIL = 96  # pixels
STYLE = 'style="max-width: 100%; height: auto" '  # narrow pages shrink a picture
SANS, MONO = "sans-serif", "ui-monospace, Menlo, Consolas, monospace"


def picture(width: float, height: float, title: str, description: str, parts: Iterable[str]) -> str:
    """A whole SVG from its parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" {STYLE}'
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
    parts, y = [text(12, 22, note, size=12, fill=GREY)], 34.0
    descriptions = []
    for number, (caption, svg) in enumerate(frames, start=1):
        parts.append(rect(0, y, width, 1, fill=LIGHT))
        parts.append(text(12, y + 24, f"{number}. {caption}", size=15, weight="bold"))
        y += 32
        # the style is for a whole picture in a page: a height of "auto" means 100 % here
        parts.append(svg.replace("<svg ", f'<svg x="0" y="{y:.0f}" ', 1).replace(STYLE, "", 1))
        y += size_of(svg)[1]
        descriptions.append(f"Frame {number}, {caption}: {description_of(svg)}")
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


def tint(opacity: float) -> str:
    """The colour that ``BLUE`` with this opacity has on the paper."""
    blue, paper = (bytes.fromhex(colour[1:]) for colour in (BLUE, PAPER))
    mixed = (round(opacity * b + (1 - opacity) * p) for b, p in zip(blue, paper, strict=True))
    return "#" + bytes(mixed).hex()


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
    stroke: str = BLUE,
    dash: str | None = None,
    kind: str | None = None,
    tip: str | None = None,
) -> str:
    """A round marker. ``kind`` is its class, ``tip`` what a mouse over it shows."""
    attributes = f' stroke-dasharray="{dash}"' if dash else ""
    attributes += f' class="{kind}"' if kind else ""
    body = f"><title>{xml(tip)}</title></circle>" if tip else "/>"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}" '
        f'stroke="{stroke}"{attributes}{body}'
    )


def veil(width: float, y: float, question: str) -> list[str]:
    """What hides the answer until there is a prediction; ``VEIL`` pixels high."""
    lines = [
        ("Predict first", 18, "bold"),
        (question, 14, "normal"),
        ("Choose an answer above, or skip: then the picture opens.", 12, "normal"),
    ]
    return [
        rect(12, y, width - 24, VEIL, fill=LIGHT, opacity=0.6, kind="veil"),
        *(
            text(width / 2, y + 32 + 23 * number, words, size=size, weight=weight, anchor="middle")
            for number, (words, size, weight) in enumerate(lines)
        ),
    ]


def message(words: str) -> str:
    """A picture of one sentence: why there is no other."""
    lines = textwrap.wrap(words, 90)
    parts = [text(12, 28 + 20 * number, line) for number, line in enumerate(lines)]
    return picture(720, 28 + 20 * len(lines), "No picture", words, parts)


def xml(content: str) -> str:
    """Escaped, and without characters that no XML file may hold, such as U+0000."""
    legal = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", content)
    return escape(legal)
