"""The pictures in a notebook and on pages, and the links below them."""

import base64
from collections.abc import Sequence
from html import escape

from seq2seq_lib.course.atlas.entries import Entry, entries
from seq2seq_lib.course.atlas.laws import LAWS
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.png import png


def show(picture: str, below: str = "") -> None:
    """Show a picture in a notebook: as PNG, and folded below it the same in words.

    Args:
        picture: an SVG.
        below: HTML between the two, for example ``chapter_links()``.
    """
    from IPython.display import display

    words = svg.description_of(picture)
    meta = {"width": svg.size_of(picture)[0], "alt": words}
    data = {"image/png": base64.b64encode(png(picture)).decode(), "text/plain": f"[{words}]"}
    display(data, metadata={"image/png": meta}, raw=True)
    folded = f"<details><summary>The figure in words</summary><p>{escape(words)}</p></details>"
    display({"text/html": below + folded}, raw=True)


def chapter_links(chapters: Sequence[Entry] | None = None) -> str:
    """A line of HTML that opens each chapter, from a notebook beside them."""
    chapters = entries() if chapters is None else chapters
    return f"<p>{' · '.join(_link(c, f'{c.number}. {c.title}') for c in chapters)}</p>"


def law_links(chapters: Sequence[Entry] | None = None) -> str:
    """A line of HTML: each law, and links to the chapters that meet it."""
    chapters = entries() if chapters is None else chapters
    at = {law: [_link(c, str(c.number)) for c in chapters if law in c.laws] for law in LAWS}
    told = [f"law {law}: {', '.join(links)}" for law, links in at.items() if links]
    return f"<p>Chapters of {' · '.join(told)}</p>" if told else ""


def _link(chapter: Entry, words: str) -> str:
    return f'<a href="{chapter.stem}.ipynb">{escape(words)}</a>'


# What ink and paper become where the reader's pages are dark. GitHub, and browsers in general,
# ask a picture itself: an <img> sees nothing of the page around it.
DARK = {
    svg.INK: "#f0f6fc",
    svg.GREY: "#a9b4bf",
    svg.LIGHT: "#59636e",
    svg.PAPER: "#151b23",
    svg.BLUE: "#4aa3e0",
}


def for_pages(picture: str) -> str:
    """The picture as a file for README and other pages: it turns dark where the pages are dark."""
    rules = "".join(
        f'[{attribute}="{light}"]{{{attribute}:{dark}}}'
        for light, dark in DARK.items()
        for attribute in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    return picture.replace("<title>", f"{style}<title>", 1) + "\n"
