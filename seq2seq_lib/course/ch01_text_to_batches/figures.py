"""Figures of chapter 1: a batch as a grid, a shifted target, waste against rows a batch.

Data in, matplotlib ``Figure`` out. Pads are hatched, so colour never stands alone; Okabe and Ito's
colours, as in ``seq2seq_lib.plots``.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREY, VERMILION, new_axes
from seq2seq_lib.vocab import BOS_ID, EOS_ID, PAD_ID

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TOKEN, SPECIAL, NOTHING = "#e3eff7", "#9ecae8", "white"


def _cell(ax: "Axes", x: float, y: float, id: int, word: str, width: float = 1.0) -> None:
    """A box with a word over an id; PAD is hatched, BOS and EOS are darker. y grows downwards."""
    from matplotlib.patches import Rectangle

    pad = id == PAD_ID
    colour = NOTHING if pad else SPECIAL if id in (BOS_ID, EOS_ID) else TOKEN
    hatch = "///" if pad else ""
    ax.add_patch(Rectangle((x, y), width, 1, facecolor=colour, edgecolor=GREY, hatch=hatch))
    text = f"{word}\n{id}" if word else str(id)
    behind = {"facecolor": NOTHING, "edgecolor": "none", "pad": 1.0} if pad else None
    ax.text(x + width / 2, y + 0.5, text, ha="center", va="center", fontsize=9, bbox=behind)


def _drawing(width: float, height: float, inches: float) -> "Axes":
    """Axes without frame and ticks, for a drawing that has no axes to read."""
    ax = new_axes(inches, inches * height / width)
    ax.set(xlim=(-0.02 * width, width), ylim=(height, 0), aspect="auto")
    ax.axis("off")
    return ax


def rectangle(
    ids: Sequence[Sequence[int]], tokens: Sequence[str], lengths: Sequence[int]
) -> "Figure":
    """A batch: each cell holds a token over its id; behind each row its length.

    Args:
        ids: int ``[B, S]``, padded.
        tokens: all tokens, by id.
        lengths: ``[B]``, EOS counted.
    """
    wide, columns = 1.6, len(ids[0])
    ax = _drawing(wide * columns + 2.4, len(ids) + 0.7, 8.0)
    for t in range(columns):
        ax.text(wide * (t + 0.5), 0.35, str(t), ha="center", va="center", color=GREY, fontsize=9)
    for b, (row, length) in enumerate(zip(ids, lengths, strict=True)):
        for t, id in enumerate(row):
            _cell(ax, wide * t, b + 0.6, id, tokens[id], wide)
        ax.text(wide * columns + 0.2, b + 1.1, f"length {length}", va="center", fontsize=10)
    ax.set_title("Words over ids; hatched: PAD", loc="left")
    return ax.figure


def shifted(read: Sequence[tuple[int, str]], say: Sequence[tuple[int, str]]) -> "Figure":
    """One target twice: what the decoder reads, above what it must say, both as (id, token).

    An arrow leads from each token that is said to where it is read, one column later.
    """
    wide, columns = 1.6, len(read)
    ax = _drawing(wide * columns + 1.0, 4.0, 5.2)
    for y, name, row in ((0.2, "read", read), (2.4, "say", say)):
        ax.text(0.6, y + 0.5, name, ha="right", va="center", fontsize=10)
        for t, (id, token) in enumerate(row):
            _cell(ax, 0.9 + wide * t, y, id, token, wide)
    for t in range(columns - 1):
        start, end = 0.9 + wide * (t + 0.5), 0.9 + wide * (t + 1.5)
        ax.annotate("", (end, 1.25), (start, 2.35), arrowprops={"arrowstyle": "->", "color": GREY})
    for t in range(columns):
        x = 0.9 + wide * (t + 0.5)
        ax.text(x, 3.65, f"step {t}", ha="center", va="center", color=GREY, fontsize=9)
    ax.set_title("What is said at one step is read at the next", loc="left")
    return ax.figure


def waste_by_rows(
    measured: Mapping[str, Mapping[int, float]],
    formulas: Mapping[str, Mapping[int, float]],
) -> "Figure":
    """The PAD share in percent against B, on a logarithmic axis.

    Args:
        measured: a name and, by B, a share from 0 to 1: drawn as markers.
        formulas: the same, drawn as lines.
    """
    ax = new_axes(6.4, 3.4)
    styles = (("o", "-", BLUE), ("s", "--", VERMILION))
    for (marker, _, colour), (name, shares) in zip(styles, measured.items(), strict=False):
        percent = [100 * share for share in shares.values()]
        ax.plot(list(shares), percent, marker, color=colour, label=name)
    for (_, dash, colour), (name, shares) in zip(styles, formulas.items(), strict=False):
        percent = [100 * share for share in shares.values()]
        ax.plot(list(shares), percent, dash, color=colour, label=name)
    ticks = sorted({size for shares in measured.values() for size in shares})
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [str(size) for size in ticks])
    ax.set(xlabel="B, rows a batch", ylabel="cells that are PAD, %", ylim=(-1, 52))
    ax.set_title("More rows, more padding; far less where they are sorted", loc="left")
    ax.legend(frameon=False)
    return ax.figure
