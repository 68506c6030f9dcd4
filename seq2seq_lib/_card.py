"""One small HTML card: how a notebook shows a verdict of a law, or what a check found."""

import html
from collections.abc import Iterable

# One line at the left tells the kinds apart beside symbol and word. These hues have a contrast
# above 3 : 1 on white and on JupyterLab's dark background; text keeps the theme's own colour.
GREEN, ORANGE, GREY, BLUE = "#2f8f5b", "#c2681c", "#7a7f87", "#4a7fc1"


def card(edge: str, heading: str, lines: Iterable[tuple[str, str]], code: str = "") -> str:
    """HTML of a heading, labelled lines, and code where there is some; all of it escaped.

    No background and no text colour: light and dark themes keep theirs. Words break between words.

    Args:
        edge: the colour of the line at the left.
        heading: one line, in bold.
        lines: pairs (label, text); a label may be empty.
        code: shown as it is, below.
    """
    parts = [
        f'<div role="status" style="border-left:4px solid {edge};padding:2px 12px;'
        'overflow-wrap:break-word;word-break:normal;max-width:75em">',
        f"<div><strong>{escape(heading)}</strong></div>",
    ]
    for label, line in lines:
        head = f"<em>{escape(label)}:</em> " if label else ""
        parts.append(f'<div style="margin-top:4px">{head}{escape(line)}</div>')
    if code:
        # a line that is too long is scrolled to, also by keyboard: broken, it would look like two
        style = "margin-top:8px;white-space:pre;overflow-x:auto"
        keys = 'tabindex="0" data-lm-suppress-shortcuts="true"'  # or JupyterLab takes the arrows
        parts.append(f'<pre {keys} style="{style}">{html.escape(code)}</pre>')
    return "".join([*parts, "</div>"])


def escape(text: str) -> str:
    """Text for HTML, with its line breaks."""
    return html.escape(text).replace("\n", "<br>")
