"""Figures of chapter 10: the path from a sentence to a point and back, and the two terms.

Data in, matplotlib ``Figure`` out. Okabe and Ito's colours, as in ``seq2seq_lib.plots``; parts of
a bar differ in hatch, too.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREY, ORANGE, new_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of the three shipped models, in words. It answers the chapter's question, so it stands here.
TWO_TERMS = (
    "Three bars of reconstruction and KL. Constant has no KL and one copy; linear has a KL of "
    "about 1 and tens of copies; free bits has about 3 nats and about 200 copies. The lowest total "
    "is that of linear."
)


def through_a_point() -> "Figure":
    """The encoder reads words, gives mu and sigma; z goes into each step of the decoder."""
    ax = new_axes(9.0, 2.6)
    ax.set(xlim=(0, 18), ylim=(0, 5))
    ax.axis("off")

    def box(x: float, y: float, words: str, colour: str = "white") -> None:
        ax.text(
            x,
            y,
            words,
            ha="center",
            va="center",
            bbox={"boxstyle": "round", "facecolor": colour, "edgecolor": GREY},
        )

    def arrow(x0: float, y0: float, x1: float, y1: float, colour: str = GREY) -> None:
        ax.annotate(
            "", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.5}
        )

    read = ("anna", "sees", "boris", "...")
    for place, word in enumerate(read):
        x = 0.8 + 1.5 * place
        ax.text(x, 0.5, word, ha="center", va="center")
        box(x, 2.0, "RNN")
        arrow(x, 0.8, x, 1.5)
        if place:
            arrow(x - 1.0, 2.0, x - 0.5, 2.0)
    box(7.2, 2.8, "mu [Z]")
    box(7.2, 1.2, "sigma [Z]")
    arrow(5.8, 2.2, 6.4, 2.7)
    arrow(5.8, 1.8, 6.3, 1.3)
    box(9.8, 2.0, "z = mu + sigma · noise", "#dcecf7")
    arrow(7.9, 2.7, 8.2, 2.35)
    arrow(8.1, 1.3, 8.4, 1.65)
    ax.text(9.7, 0.5, "noise from N(0, I)", ha="center", va="center")
    arrow(9.7, 0.8, 9.7, 1.5)
    said = ("anna", "sees", "boris", "...")
    for place, word in enumerate(said):
        x = 12.9 + 1.5 * place
        box(x, 2.0, "RNN")
        ax.text(x, 0.5, word, ha="center", va="center")
        arrow(x, 1.5, x, 0.8)
        if place:
            arrow(x - 1.0, 2.0, x - 0.5, 2.0)
        ax.plot([x, x], [2.6, 4.0], color=BLUE, lw=1.5, linestyle="--")
        arrow(x, 2.8, x, 2.5, BLUE)
    arrow(11.7, 2.0, 12.5, 2.0, BLUE)
    ax.plot([9.7, 9.7, 17.4], [2.6, 4.0, 4.0], color=BLUE, lw=1.5, linestyle="--")
    ax.text(13.9, 4.4, "the same z at every step", ha="center", color=BLUE)
    return ax.figure


def two_terms(rows: Mapping[str, tuple[float, float, int]], floor: float) -> "Figure":
    """A bar a model: reconstruction and KL in nats, and its number of different copies.

    Args:
        rows: name -> (reconstruction, KL, different copies of 400 sentences).
        floor: the entropy of the language, drawn as a line.
    """
    if not rows:
        raise ValueError("There are no models to draw: rows is empty.")
    ax = new_axes(7.5, 0.9 + 0.5 * len(rows))
    for place, (reconstruction, kl, different) in enumerate(rows.values()):
        ax.barh(place, reconstruction, color="white", edgecolor=BLUE, hatch="")
        ax.barh(place, kl, left=reconstruction, color=ORANGE, edgecolor=GREY, hatch="//")
        noun = "copy" if different == 1 else "different copies"
        words = f" {reconstruction + kl:.1f}; {different} {noun}"
        ax.text(reconstruction + kl, place, words, va="center")
    ax.axvline(floor, color=GREY, linestyle=":")
    edge = ax.get_xaxis_transform()  # x in nats, y from 0 at the bottom of the axes to 1
    ax.text(floor, 1.02, f"entropy {floor:.2f}", transform=edge, ha="center", color=GREY)
    ax.set_yticks(range(len(rows)), list(rows))
    highest = max(reconstruction + kl for reconstruction, kl, _ in rows.values())
    ax.set(xlim=(0, 1.6 * highest), xlabel="nats a sentence: reconstruction (white) + KL (hatched)")
    ax.invert_yaxis()
    return ax.figure
