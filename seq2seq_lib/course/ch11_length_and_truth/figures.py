"""Figures of chapter 11. Data in, matplotlib ``Figure`` out; Okabe and Ito's colours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import GREY, axes_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#000000")
MARKS = ("o", "s", "^", "D", "v")


def by_width(
    measures: Mapping[str, Mapping[int, Sequence[float]]], reference_tokens: float
) -> "Figure":
    """A panel a measure against the width of the beam, a line a seed.

    Args:
        measures: name -> width -> a number a seed. "tokens" gets a line for the references.
        reference_tokens: their mean length, the end counted.
    """
    axes = axes_grid(1, len(measures), 4.4 * len(measures), 3.4)
    for ax, (name, rows) in zip(axes, measures.items(), strict=True):
        widths = list(rows)
        for seed, values in enumerate(zip(*rows.values(), strict=True)):
            style = {"color": COLOURS[seed % 5], "marker": MARKS[seed % 5], "markersize": 4}
            ax.plot(widths, values, label=f"seed {seed}", **style)
        if name == "tokens":
            ax.axhline(reference_tokens, color=GREY, linestyle="--", label="references")
        ax.set_xscale("log")
        ax.set_xticks(widths, [str(k) for k in widths])
        ax.minorticks_off()
        ax.set(xlabel="beams", ylabel=name, ylim=(0, None))
    axes[0].legend(frameon=False, fontsize=8, loc="lower left")
    return axes[0].figure
