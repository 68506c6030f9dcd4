"""Figures of chapter 0. Data in, matplotlib ``Figure`` out; Okabe and Ito's colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREY, new_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def batch(sources: Sequence[Sequence[str]], width: int) -> "Figure":
    """A batch as cells: characters and the end symbol on blue, pads hatched.

    Args:
        sources: a row each, without the end symbol.
        width: S, at least the longest source and its end.

    Raises:
        ValueError: a source that does not fit.
    """
    if (longest := max(map(len, sources)) + 1) > width:
        raise ValueError(f"width is {width}, but the longest source and its end need {longest}.")
    ax = new_axes(9.0, 0.5 + 0.36 * len(sources))
    for b, source in enumerate(sources):
        for t in range(width):
            pad = t > len(source)
            ax.bar(
                t,
                0.9,
                0.94,
                b - 0.45,
                color="white" if pad else "#cfe3f1",
                edgecolor=GREY if pad else BLUE,
                hatch="////" if pad else "",
                linewidth=0.6,
            )
            if not pad:
                letter = "end" if t == len(source) else source[t]
                size = 7 if letter == "end" else 10
                ax.text(t, b, letter, ha="center", va="center", size=size, color="black")
    ax.set(xlim=(-0.6, width - 0.4), ylim=(len(sources) - 0.5, -0.5))
    ax.set(xlabel="place in the source (hatched: PAD)", ylabel="row")
    ax.set_yticks(range(len(sources)))
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax.figure
