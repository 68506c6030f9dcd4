"""Figures of chapter 2. Data in, matplotlib ``Figure`` out; Okabe and Ito's colours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREEN, GREY, ORANGE, VERMILION, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (GREY, ORANGE, VERMILION, ORANGE, GREEN, BLUE)
STYLES = tuple(zip(COLOURS, (":", "-.", "--", "o-", "s-", "^-"), strict=True))
HELD, SHOWN = "#9ecae8", "#f4c05a"


def gradient_lines(norms: Mapping[str, Sequence[float]]) -> "Figure":
    """The gradient of the loss at each symbol over that at the last one, on a log axis.

    Args:
        norms: by name, a number for each step; at most six lines.
    """
    if len(norms) > len(STYLES):
        raise ValueError(f"At most {len(STYLES)} lines can be told apart, not {len(norms)}.")
    ax = new_axes(7.6, 3.9)
    for (name, values), (colour, dash) in zip(norms.items(), STYLES, strict=False):
        steps = range(1, len(values) + 1)
        shares = [v / values[-1] for v in values]
        ax.plot(steps, shares, dash, color=colour, label=name, lw=1.8, ms=5, markevery=4)
    ax.set_yscale("log")
    ax.set_xlabel("step at which the symbol is read (1 is the flag)")
    ax.set_ylabel("gradient there /\ngradient at the last step")
    ax.set_title("Before training: what the loss at the end feels of each step")
    ax.grid(True, axis="y", color=GREY, alpha=0.25)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return ax.figure


def what_comes_out(T: int = 5) -> "Figure":
    """Two layers, both ways: which states are ``output``, and which four are ``h_n``.

    A row a layer and direction, a column a step. An arrow says which way a row reads.
    """
    from matplotlib.patches import FancyArrowPatch, Rectangle

    ax = new_axes(7.6, 3.5)
    rows = ("layer 0 forward", "layer 0 backward", "layer 1 forward", "layer 1 backward")
    for row, name in enumerate(rows):
        forward = row % 2 == 0
        last = T - 1 if forward else 0
        ax.text(-0.2, row + 0.5, name, ha="right", va="center")
        for t in range(T):
            ends = t == last
            face = HELD if ends else "white"
            hatch = "///" if ends else ""
            ax.add_patch(
                Rectangle((t + 0.06, row + 0.12), 0.88, 0.7, fc=face, ec=GREY, hatch=hatch)
            )
            label = f"h_n[{row}]" if ends else f"t = {t}"
            box = {"facecolor": face, "edgecolor": "none", "pad": 1.5}
            ax.text(t + 0.5, row + 0.47, label, ha="center", va="center", bbox=box)
        start, stop = (0.1, T - 0.1) if forward else (T - 0.1, 0.1)
        ax.add_patch(
            FancyArrowPatch(
                (start, row), (stop, row), arrowstyle="->", mutation_scale=11, color=GREY
            )
        )
    ax.add_patch(
        Rectangle((-0.03, 1.88), T + 0.06, 2.04, fill=False, ec=VERMILION, lw=2.2, ls="--")
    )
    ax.text(T + 0.15, 2.9, "output:\nlayer 1,\nall steps", va="center", color=VERMILION)
    ax.text(T + 0.15, 1.0, "h_n (hatched):\nall layers,\nwhere each\nrow ends", va="center")
    _bare(ax, (-1.9, T + 1.8), (-0.25, 4.05))
    return ax.figure


def rows_or_columns(U: Sequence[Sequence[float]], r: Sequence[float]) -> "Figure":
    """What a reset gate does to a matrix: after the product it scales rows, before it columns.

    Args:
        U: H rows of H numbers.   r: the gate, a number for each unit.
    """
    from matplotlib.patches import Rectangle

    H = len(r)
    after = [[r[i] * U[i][j] for j in range(H)] for i in range(H)]
    before = [[U[i][j] * r[j] for j in range(H)] for i in range(H)]
    titles = ("U", "after the product, r ⊙ (U h):\nr scales the rows of U",
              "before it, U (r ⊙ h):\nr scales the columns of U")  # fmt: skip
    ax = new_axes(7.6, 2.6)
    for number, (title, cells) in enumerate(zip(titles, (U, after, before), strict=True)):
        left = number * (H + 1.6)
        ax.text(left + H / 2, -0.25, title, ha="center", va="bottom")
        for i, j in ((i, j) for i in range(H) for j in range(H)):
            gate = (1.0, r[i], r[j])[number]
            shade = (*(1 - gate * (1 - part) for part in (0.62, 0.79, 0.91)), 1)  # lighter: shut
            ax.add_patch(Rectangle((left + j, i), 1, 1, fc=shade, ec=GREY))
            ax.text(left + j + 0.5, i + 0.5, f"{cells[i][j]:g}", ha="center", va="center")
        for unit in range(H) if number else ():
            label = f"× {r[unit]:g}"
            if number == 1:
                ax.text(left - 0.1, unit + 0.5, label, ha="right", va="center", color=VERMILION)
            else:
                ax.text(left + unit + 0.5, H + 0.3, label, ha="center", va="center",
                        color=VERMILION)  # fmt: skip
    ax.set_aspect("equal")
    _bare(ax, (-0.5, 3 * H + 4.2), (H + 0.6, -1.1))
    return ax.figure


def _bare(ax: "Axes", across: tuple[float, float], up: tuple[float, float]) -> None:
    """No frame and no ticks: the picture is a drawing and has no axes to read."""
    ax.set(xlim=across, ylim=up)
    ax.axis("off")
