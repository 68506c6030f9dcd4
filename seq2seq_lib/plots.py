"""Figures: data in, matplotlib ``Axes`` out. No pyplot, so no state is shared between figures.

Colours are Okabe and Ito's (2008), which people with colour-blindness can tell apart; lines also
differ in dash and marker. ``show`` puts a figure into a notebook with a text for those who cannot
see it.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from torch import Tensor

from seq2seq_lib._arguments import kind_of
from seq2seq_lib._text import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"
MOST_TOKENS = 1000  # on a side; matplotlib refuses pictures of more than 65,536 pixels
ROUNDING = 0.01  # of a sum of half-precision weights
MOST_LETTERS = 24  # of a label, or one token takes the whole figure
_LINES = (("o-", BLUE), ("s--", VERMILION), ("^:", GREEN), ("D-.", ORANGE), ("v-", GREY))


def new_axes(width: float = 6.0, height: float = 3.2) -> "Axes":
    """One empty ``Axes`` on a figure of its own; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").subplots()


def show(figure: "Figure", alt: str) -> None:
    """Display a figure in a notebook as PNG, with ``alt`` as its text alternative.

    The text stands folded below the figure, because JupyterLab does not read it from the metadata.
    Elsewhere the text is printed. ``alt`` says what is to be seen, so it must be true on every
    machine; the numbers of one run belong into a cell that computes them.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    if not alt.strip():
        raise ValueError("alt is empty: say in a sentence what the figure shows.")
    text = f"[Figure: {alt}]"
    if not InteractiveShell.initialized():  # a plain script, where display would print the PNG
        print(text)
        return
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    png = base64.b64encode(file.getvalue()).decode()
    display(
        {"image/png": png, "text/plain": text},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )
    words = f"<details><summary>The figure in words</summary><p>{escape(alt)}</p></details>"
    display({"text/html": words}, raw=True)


def attention_heatmap(
    weights: Tensor,
    source: Sequence[str],
    target: Sequence[str],
    *,
    title: str = "Where each output token looks",
    ax: "Axes | None" = None,
) -> "Axes":
    """Attention weights ``[T, S]`` as a grid: a row an output token, a column a source token.

    Args:
        weights: floats in 0 .. 1; a row sums to 1. Dark is 1.
        source, target: the S and T tokens that label the axes; a long one is cut.

    Raises:
        ValueError: shapes that do not fit, no tokens or too many, weights that are NaN or outside.
        TypeError: weights that are no tensor of floats.
    """
    if not isinstance(weights, Tensor) or not weights.is_floating_point():
        raise TypeError(f"weights must be a tensor of floats, but they are {kind_of(weights)}.")
    if tuple(weights.shape) != (len(target), len(source)):
        raise ValueError(
            f"weights must be [T, S] = [{len(target)}, {len(source)}] for these tokens, but they "
            f"are {list(weights.shape)}."
        )
    if weights.numel() == 0:
        raise ValueError("There are no weights to draw: source or target has no tokens.")
    if max(weights.shape) > MOST_TOKENS:
        raise ValueError(
            f"A picture of {weights.shape[0]:,} by {weights.shape[1]:,} tokens cannot be read, and "
            f"{MOST_TOKENS:,} are the most: draw a part of it."
        )
    low, high = weights.detach().aminmax()
    if not (low >= 0 and high <= 1 + ROUNDING):  # NaN is white, like 0; a score is cut to 0 or 1
        raise ValueError(
            f"weights must be in 0 .. 1, but they are from {low:.3g} to {high:.3g}: give what a "
            f"softmax returned, not the scores before it."
        )
    source, target = ([_visible(token) for token in side] for side in (source, target))
    slanted = any(len(token) > 3 for token in source)
    if ax is None:  # room for the cells, and for the labels beside them
        width = 1.2 + 0.3 * max(len(source), 12) + 0.06 * max(map(len, target))
        height = 1.2 + 0.28 * max(len(target), 4) + 0.06 * slanted * max(map(len, source))
        ax = new_axes(width, height)
    image = ax.imshow(
        weights.detach().float().cpu().numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto"
    )
    ax.set_xticks(range(len(source)), source)
    if slanted:  # each label ends at its column
        ax.tick_params(axis="x", labelrotation=60)
        for label in ax.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")
    ax.set_yticks(range(len(target)), target)
    ax.set(xlabel="source token", ylabel="output token", title=title)
    ax.figure.colorbar(image, ax=ax, label="weight", ticks=[0, 0.5, 1])
    return ax


def loss_curves(
    train: Sequence[float],
    valid: Sequence[float | None],
    *,
    floor: float | None = None,
    title: str = "Loss falls",
    ax: "Axes | None" = None,
) -> "Axes":
    """Training and validation loss after each epoch, in nats a token.

    Args:
        train, valid: equally many numbers, at least one; None where nothing was measured. A loss
            that is infinite or NaN is a gap in its line.
        floor: the entropy of the task, below which no model can come; drawn as a line.
    """
    _check_equally_many("epochs", {"train": train, "valid": valid})
    ax = ax or new_axes()
    epochs = range(1, len(train) + 1)
    ax.plot(epochs, train, "o-", color=BLUE, label="training")
    if any(v is not None for v in valid):
        ax.plot(epochs, valid, "s--", color=VERMILION, label="validation")
    if floor is not None:
        ax.axhline(floor, color=GREY, linestyle=":", label="entropy of the task")
    ax.set(xlabel="epoch", ylabel="loss (nats a token)", title=title)
    seen = [v for v in (*train, *valid, floor) if v is not None and math.isfinite(v)]
    lowest, highest = min([0.0, *seen]), max(seen, default=0.0)
    height = highest - lowest or 1.0
    # markers whole, a floor of 0 above the frame
    ax.set_ylim(lowest - 0.03 * height, lowest + 1.08 * height)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)  # no epoch 1.5
    ax.legend(frameon=False)
    return ax


def curves(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_y: bool = False,
    ax: "Axes | None" = None,
) -> "Axes":
    """Up to five lines over the same x, told apart by colour, marker and dash.

    Args:
        series: name in the legend -> as many numbers as there are in ``x``.
        log_y: a logarithmic axis, for positive numbers.
    """
    lines = {f"series[{name!r}]": y for name, y in series.items()}
    _check_equally_many("points", {"x": x, **lines})
    if len(series) > len(_LINES):
        raise ValueError(f"At most {len(_LINES)} lines can be told apart, not {len(series)}.")
    ax = ax or new_axes()
    for (name, y), (style, colour) in zip(series.items(), _LINES, strict=False):
        ax.plot(x, y, style, color=colour, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if log_y:
        ax.set_yscale("log")
    ax.legend(frameon=False)
    return ax


def axes_grid(rows: int, columns: int, width: float = 9.0, height: float = 4.5) -> "list[Axes]":
    """``rows * columns`` empty ``Axes`` on one figure, row by row; sizes in inches."""
    from matplotlib.figure import Figure

    grid = Figure(figsize=(width, height), layout="constrained").subplots(rows, columns)
    return [grid] if rows * columns == 1 else list(grid.flat)


def _check_equally_many(what: str, sequences: Mapping[str, Sequence]) -> None:
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        raise ValueError(f"There must be equally many {what}, at least one, but got {lengths}.")


def _visible(token: str) -> str:
    """A token as a label: short, on one line, without what no font draws."""
    if token.isspace():
        return "␣"
    letters = shortened(token, MOST_LETTERS)
    token = "".join(c if c.isprintable() or c in "\u200c\u200d" else "\ufffd" for c in letters)
    return token.replace("$", r"\$")  # else matplotlib reads $...$ as a formula
