"""What is seen of an explorer where no panel runs: pictures, and the same in words.

First the question is seen, with a picture that does not answer it. Below it stand, folded, what to
do for the live figure, and the answer in pictures and in words. They are true wherever they are
read: before the cell has run, after it ran without widgets, and on a page that runs nothing.
Pictures are stored as PNG, because a notebook that is not trusted shows no SVG, and a page made of
it cuts SVG off.
"""

import base64
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.png import png

if TYPE_CHECKING:
    from seq2seq_lib.course.explorers.kit.explorer import Explorer

NOTE = "A still of an interactive figure. It is live where this notebook runs, as in JupyterLab."
HELP = (
    "The figure above moves where a kernel runs this cell, in JupyterLab for example. If the cell "
    "has run and there are no buttons, the page draws no widgets: install the course with "
    '<code>pip install -e ".[course]"</code> where JupyterLab runs, and reload the page.'
)


@dataclass(frozen=True)
class Still:
    """Pictures for readers who cannot run anything.

    Attributes:
        title: of the explorer.
        svg: the pictures below each other, everything shown.
        question: what is seen before they are; or "" where nothing is asked.
        note: why there is no live figure, where that is known; or "".
    """

    title: str
    svg: str
    question: str = ""
    note: str = ""

    @classmethod
    def of(cls, explorer: "Explorer", state: str, note: str = "") -> "Still":
        """The still of a state: of the whole film if it is part of that, else of itself."""
        names = explorer.film if state in explorer.film else [state]
        # the one that was asked for comes first, the others in their order
        names = sorted(names, key=lambda name: name != state)
        frames = [(explorer.states[name].caption, explorer.picture(name)) for name in names]
        view, question = explorer.view(explorer.params(state)), ""
        if view["question"]:
            answers = " / ".join(answer["text"] for answer in view["question"]["answers"])
            asks = f"{view['question']['asks']} ({answers})"
            question = svg.filmstrip([(asks, view["veiled"])], note or NOTE)
        return cls(explorer.title, svg.filmstrip(frames, note or NOTE), question, note)

    def __repr__(self) -> str:
        return f"{self.title}: an interactive figure, live where a kernel runs this cell."

    def _ipython_display_(self) -> None:
        display(self)


def display(still: Still, live: dict[str, Any] | None = None) -> None:
    """Show a still, or the widget of which it is the fallback, and the words below."""
    from IPython.display import display

    seen = still.question or still.svg
    words = svg.description_of(still.svg)
    display(
        {**(live or {}), "image/png": _base64(seen), "text/plain": repr(still)},
        metadata={"image/png": {"width": svg.size_of(seen)[0], "alt": svg.description_of(seen)}},
        raw=True,
    )
    help, film = escape(still.note) or HELP, ""
    summary = "No buttons above? The figure in words"
    if still.question:
        summary = "No buttons above? Decide, then open this: the answer in pictures and in words"
        source = f"data:image/png;base64,{_base64(still.svg)}"
        film = f'<p><img alt="" width="{svg.size_of(still.svg)[0]}" src="{source}"></p>'
    display(
        {
            "text/html": f"<details><summary>{summary}</summary>"
            f"<p>{help}</p>{film}<p>{escape(words)}</p></details>",
            "text/plain": words,
        },
        raw=True,
    )


def _base64(picture: str) -> str:
    return base64.b64encode(png(picture)).decode()
