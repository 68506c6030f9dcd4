"""Figures of chapter 8: a curve by length, and two orders of attention. Data in, ``Figure`` out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREY, VERMILION, axes_grid, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Curves = Sequence[Sequence[float]]


def by_length(
    lengths: Sequence[str], without: Curves, with_attention: Curves
) -> tuple["Figure", str]:
    """Exact match by length of source, a line a seed: dashed without attention, solid with it.

    Returns:
        The figure, and its text alternative: the lowest and the highest curve of each group, at
        the first, the middle and the last length.

    Raises:
        ValueError: a curve has another number of points than there are lengths.
    """
    ax = new_axes()
    groups = ((without, "s--", VERMILION, "one vector"), (with_attention, "o-", BLUE, "attention"))
    words = ["Exact match by length of source, from the lowest curve to the highest."]
    for curves, style, colour, label in groups:
        for number, curve in enumerate(curves):
            if len(curve) != len(lengths):
                raise ValueError(
                    f"Each curve needs {len(lengths)} points, one a length, but one has "
                    f"{len(curve)}."
                )
            ax.plot(lengths, curve, style, color=colour, label=None if number else label)
        bands = list(zip(lengths, zip(*curves, strict=True), strict=True))
        places = dict.fromkeys((0, len(bands) // 2, len(bands) - 1))
        told = (f"{min(bands[i][1]):.2f} to {max(bands[i][1]):.2f} at {lengths[i]}" for i in places)
        words.append(f"{label.capitalize()}: {', '.join(told)} digits.")
    ax.set(xlabel="digits in the source", ylabel="exact match", ylim=(-0.04, 1.04))
    ax.set_title("Digits written backwards, five seeds each")
    ax.legend()
    return ax.figure, " ".join(words)


def two_orders() -> "Figure":
    """One step with attention before the recurrent step, and one with attention after it."""
    before, after = axes_grid(1, 2, 9.0, 3.4)
    before.set_title("Before (Bahdanau): a loop")
    _box(before, 0.1, 0.55, "h[t-1]")
    _box(before, 0.4, 0.8, "attention")
    _box(before, 0.4, 0.3, "GRU step")
    _box(before, 0.75, 0.3, "h[t]")
    _box(before, 0.75, 0.8, "c[t]")
    for start, end in (
        ((0.17, 0.62), (0.31, 0.78)),
        ((0.17, 0.48), (0.31, 0.34)),
        ((0.49, 0.8), (0.68, 0.8)),
        ((0.69, 0.74), (0.48, 0.37)),
        ((0.49, 0.3), (0.68, 0.3)),
    ):
        _arrow(before, start, end)
    before.text(0.5, 0.05, "h[t] waits for c[t], which waits for h[t-1]", ha="center", color=GREY)
    after.set_title("After (Luong): one call")
    _box(after, 0.1, 0.3, "h[t-1]")
    _box(after, 0.4, 0.3, "GRU step")
    _box(after, 0.75, 0.3, "h[t]")
    _box(after, 0.4, 0.8, "attention")
    _box(after, 0.75, 0.8, "c[t]")
    for start, end in (
        ((0.17, 0.3), (0.31, 0.3)),
        ((0.49, 0.3), (0.68, 0.3)),
        ((0.7, 0.37), (0.46, 0.73)),
        ((0.49, 0.8), (0.68, 0.8)),
    ):
        _arrow(after, start, end)
    after.text(0.5, 0.05, "no h waits for any c", ha="center", color=GREY)
    for ax in (before, after):
        ax.set(xlim=(0, 0.9), ylim=(0, 1))
        ax.axis("off")
    return before.figure


def _box(ax: "Axes", x: float, y: float, words: str) -> None:
    style = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": BLUE}
    ax.text(x, y, words, ha="center", va="center", bbox=style)


def _arrow(ax: "Axes", start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": GREY})
