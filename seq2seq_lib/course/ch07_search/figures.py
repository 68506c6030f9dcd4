"""Figures of chapter 7. Data in, matplotlib ``Figure`` out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREY, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALE = "#f2f2f2"


def rows_of_the_state(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, int]], moved: bool
) -> "Figure":
    """Which row of the state each output goes on from.

    Args:
        before: output and what its row has read, for each row.
        after: the outputs that stay open, with the row of their parent.
        moved: whether each output takes its parent's row, or the row in its own place.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2.3), layout="constrained")
    ax = figure.subplots()
    for place, (output, read) in enumerate(before):
        _box(ax, 0.0, -place, f"row {place}: {output}", PALE, GREY)
        _box(ax, 1.6, -place, f"has read {read}", PALE, GREY)
    for place, (output, parent) in enumerate(after):
        taken = parent if moved else place
        wrong = taken != parent
        ink = VERMILION if wrong else BLUE
        words = f"has read {before[taken][1]}" + (" (another's)" if wrong else "")
        _box(ax, 3.3, -place, words, PALE, ink)
        _box(ax, 5.1, -place, f"row {place}: {output}", PALE, ink)
        style = {"arrowstyle": "->", "color": ink, "lw": 2.0, "linestyle": "--" if wrong else "-"}
        ax.annotate("", xy=(2.55, -place), xytext=(2.15, -taken), arrowprops=style)
    ax.text(0.8, 0.7, "before", ha="center")
    ax.text(4.2, 0.7, "the next step reads", ha="center")
    ax.set(xlim=(-0.7, 5.8), ylim=(-len(before) + 0.3, 1.0))
    ax.axis("off")
    return figure


def _box(ax, x: float, y: float, words: str, fill: str, edge: str) -> None:
    box = {"facecolor": fill, "edgecolor": edge, "boxstyle": "round,pad=0.35"}
    ax.text(x, y, words, ha="center", va="center", bbox=box, fontsize=9)
