"""Figures of chapter 4: tables of cells. Data in; a matplotlib ``Figure`` and its words out.

The words are the text alternative, for ``plots.show(*figures.packing(...))``. They are made here of
the numbers that are drawn, so that a cell of the chapter does not spell out what it asks.

Every picture is made of the same thing, a block of cells with a word or a number in each. Blue is a
real token that counts, orange is a pad that counts, white does not count; pads are hatched, so
colour never stands alone. Okabe and Ito's colours, as in ``seq2seq_lib.plots``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seq2seq_lib.plots import GREY, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REAL, PAD, NOTHING = "#9ecae8", "#f4c05a", "white"
BLUES = ("#0072B2", "#56B4E9", "#b5d9ee", "#e3eff7")
LEGEND = ((REAL, ""), (PAD, "///"), (NOTHING, "///"))
HATCHES = ("", "..", "\\\\", "xx")


# ---------------------------------------------------------------- cells


def cells(
    ax: "Axes",
    texts: Sequence[Sequence[str]],
    colours: Sequence[Sequence[str]],
    hatched: Sequence[Sequence[bool]] | None = None,
    *,
    left: float = 0.0,
    top: float = 0.0,
) -> None:
    """Draw a block of unit cells whose upper left corner is ``(left, top)``; y grows downwards.

    Args:
        texts, colours: one a cell, row by row.
        hatched: which cells are pads; none when left out.
    """
    from matplotlib.patches import Rectangle

    for row, words in enumerate(texts):
        for column, word in enumerate(words):
            pad = bool(hatched is not None and hatched[row][column])
            colour, corner = colours[row][column], (left + column, top + row)
            hatch = "///" if pad else ""
            ax.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=GREY, hatch=hatch))
            ax.text(
                corner[0] + 0.5,
                corner[1] + 0.5,
                word,
                ha="center",
                va="center",
                # the number stays readable on the hatching
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5} if pad else None,
            )


def _bare(ax: "Axes", width: float, height: float) -> None:
    """No frame and no ticks: the picture is a drawing and has no axes to read."""
    ax.set(xlim=(-0.05, width + 0.05), ylim=(height + 0.05, -0.05), aspect="equal")
    ax.axis("off")


def _listed(things: Iterable) -> str:
    return ", ".join(map(str, things))


def _digits(weights: Tensor) -> list[str]:
    """The sum of each row, with two digits after the point."""
    return [f"{total:.2f}" for total in weights.sum(1).tolist()]


def _panels(widths: Sequence[float], height: float, inches: float) -> "list[Axes]":
    """Axes side by side whose units are equally long: a cell has one size in the whole figure."""
    from matplotlib.figure import Figure

    size = (inches, inches * height / sum(widths))
    figure = Figure(figsize=size, layout="compressed")
    return list(figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0])


# ---------------------------------------------------------------- shapes that meet


def meeting(
    ax: "Axes",
    column: Sequence,
    row: Sequence,
    result: Callable[[int, int], tuple[str, str, bool]],
    *,
    names: tuple[str, str, str],
    title: str,
) -> None:
    """How a column ``[B, 1]`` and a row ``[T]`` broadcast: each cell of the block sees one of each.

    Args:
        column, row: what the column's B cells and the row's T cells hold.
        result: ``(b, t) -> (text, colour, hatched)`` of the cell where row b meets column t.
        names: what stands beside the column, above the row, and below the block.
    """
    B, T = len(column), len(row)
    cells(ax, [[str(word)] for word in column], [[NOTHING]] * B, left=1, top=2)
    cells(ax, [[str(word) for word in row]], [[NOTHING] * T], left=2.5, top=0.5)
    block = [[result(b, t) for t in range(T)] for b in range(B)]
    texts, colours, hatched = ([[cell[i] for cell in line] for line in block] for i in range(3))
    cells(ax, texts, colours, hatched, left=2.5, top=2)
    ax.text(0.8, 2 + B / 2, names[0], ha="right", va="center", rotation=90)
    ax.text(2.5 + T / 2, 0.35, names[1], ha="center", va="bottom")
    ax.text(2.5 + T / 2, 2.15 + B, names[2], ha="center", va="top")
    _bare(ax, 2.6 + T, B + 3)
    ax.set_title(title, loc="left")


def lengths_meet_positions(lengths: Sequence[int], width: int) -> "tuple[Figure, str]":
    """``positions[None, :] < lengths[:, None]``: the mask as each position's answer to a length."""
    (ax,) = _panels([width + 2.7], len(lengths) + 3.2, 4.6)

    def result(b: int, t: int) -> tuple[str, str, bool]:
        real = t < lengths[b]
        return f"{t}<{lengths[b]}", REAL if real else NOTHING, not real

    names = ("lengths [B, 1]", "positions [1, T]", "mask [B, T]: blue is True")
    meeting(
        ax, lengths, range(width), result, names=names, title="Every length meets every position"
    )
    return ax.figure, (
        f"A column of lengths {_listed(lengths)} meets a row of positions 0 to {width - 1}. Each "
        f"cell holds its comparison, such as 0 < {lengths[0]}, and is blue where it is true: "
        f"{_listed(lengths)} cells from the left."
    )


def losses_meet_mask(losses: Sequence[float], mask: Sequence[bool]) -> "tuple[Figure, str]":
    """One step: losses ``[B, 1]`` and mask ``[B]`` make ``[B, B]``. Beside it both are ``[B]``."""
    B = len(losses)
    left, right = _panels([B + 2.9, B + 2.9], B + 3.8, 7.6)

    def result(b: int, t: int) -> tuple[str, str, bool]:
        colour = (REAL if mask[b] else PAD) if mask[t] else NOTHING
        return f"{losses[b]:g}", colour, not mask[b]

    words = ["True" if real else "False" for real in mask]
    shown = [f"{loss:g}" for loss in losses]
    names = ("losses [B, 1]", "mask [B]", "what masked_select sees: [B, B]")
    meeting(left, shown, words, result, names=names, title="A column meets a row")
    colours = [REAL if real else NOTHING for real in mask]
    cells(right, [words], [[NOTHING] * B], left=1.5, top=0.5)
    cells(right, [shown], [colours], [[not real for real in mask]], left=1.5, top=2)
    right.text(1.5 + B / 2, 0.35, "mask [B]", ha="center", va="bottom")
    right.text(1.5 + B / 2, 3.15, "losses [B], as the mask", ha="center", va="top")
    _bare(right, 2.6 + B, B + 3)
    right.set_title("Meant: each loss meets its own", loc="left")
    meant = [loss for loss, real in zip(shown, mask, strict=True) if real]
    return left.figure, (
        f"Left: a column of losses {_listed(shown)} meets a row {_listed(words)} and becomes "
        f"{B} x {B} cells, of which {B * sum(mask)} are selected: each loss {sum(mask)} times, "
        f"pads included. Right: as meant, {_listed(meant)} are selected."
    )


def mask_beside(right: Tensor, wrong: Tensor, titles: tuple[str, str]) -> "tuple[Figure, str]":
    """Two masks bool ``[B, T]`` of one batch with the sum of each row behind it."""
    B, T = right.shape
    axes = _panels([T + 2.4] * 2, B + 2.05, 6.2)
    for ax, mask, title in zip(axes, (right, wrong), titles, strict=True):
        colours = [
            [
                (REAL if real else PAD) if on else NOTHING
                for on, real in zip(line, truth, strict=True)
            ]
            for line, truth in zip(mask.tolist(), right.tolist(), strict=True)
        ]
        texts = [["T" if on else "F" for on in line] for line in mask.tolist()]
        cells(ax, texts, colours, (~right).tolist(), left=0, top=0.5)
        for b, line in enumerate(mask.tolist()):
            ax.text(T + 0.2, b + 1, f"sum {sum(line)}", va="center")
        ax.text(0, B + 0.65, f"{int(mask.sum())} cells in all", va="top")
        _bare(ax, T + 2.2, B + 1.4)
        ax.set_title(title, loc="left")
    sums = [_listed(mask.sum(1).tolist()) for mask in (right, wrong)]
    return axes[0].figure, (
        f"Two masks of {B} x {T} cells. {titles[0]}: {int(right.sum())} cells are True, with row "
        f"sums {sums[0]}. {titles[1]}: {int(wrong.sum())} cells are True, with row sums {sums[1]}; "
        f"pads among them: {int((wrong & ~right).sum())}."
    )


# ---------------------------------------------------------------- losses under a mask


def loss_grid(
    losses: Tensor,
    mask: Tensor,
    counted: Tensor,
    divisor: float,
    *,
    title: str = "Real tokens only, over their number",
    ax: "Axes | None" = None,
) -> "Axes":
    """The losses of a batch, cell by cell, and the fraction that becomes its loss.

    Args:
        losses: floats ``[B, T]``; each is printed in its cell.
        mask: bool ``[B, T]``, True = real token.
        counted: bool ``[B, T]``, the cells whose losses are summed.
        divisor: what the sum is divided by.

    Raises:
        ValueError: the three differ in shape.
    """
    if not losses.dim() == 2 or not losses.shape == mask.shape == counted.shape:
        raise ValueError(
            f"losses, mask and counted must all be [B, T], but they are {list(losses.shape)}, "
            f"{list(mask.shape)} and {list(counted.shape)}."
        )
    B, T = losses.shape
    ax = ax or new_axes(1.2 + 0.5 * max(T, 5), 1.2 + 0.4 * B)
    pairs = list(zip(mask.tolist(), counted.tolist(), strict=True))
    colours = [
        [(REAL if real else PAD) if on else NOTHING for real, on in zip(*pair, strict=True)]
        for pair in pairs
    ]
    texts = [[f"{loss:g}" for loss in line] for line in losses.tolist()]
    cells(ax, texts, colours, (~mask).tolist(), left=-0.5, top=-0.5)
    total = float(losses[counted].sum())
    ax.set(
        xlim=(-0.5, T - 0.5),
        ylim=(B - 0.5, -0.5),
        xticks=range(0, T, 1 if T <= 8 else 2),
        yticks=range(B),
        xlabel=f"target position\nloss = {total:g} / {divisor:g} = {total / divisor:.2f} nats",
        ylabel="sentence",
        title=title,
    )
    return ax


def more_pads(losses: Tensor, mask: Tensor, extra: int, cost: float) -> "tuple[Figure, str]":
    """Two ways to average, before and after ``extra`` columns of pads that cost ``cost`` each.

    Four ``loss_grid``: all cells counted above, real tokens below. All cells have one size, so that
    one sees the same sentences on the left and on the right.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    T = losses.size(1)
    wide = torch.nn.functional.pad(losses, (0, extra), value=cost)  # [B, T + extra]
    wide_mask = torch.nn.functional.pad(mask, (0, extra), value=False)
    figure = Figure(figsize=(8.8, 4.9), layout="constrained")
    axes = figure.subplots(2, 2, width_ratios=(T, T + extra))
    words = ["Four grids of losses."]
    for row, everything in enumerate((True, False)):
        name = "All cells count" if everything else "Real tokens count"
        for ax, values, real in zip(axes[row], (losses, wide), (mask, wide_mask), strict=True):
            counted = torch.ones_like(real) if everything else real
            more = "" if ax is axes[row][0] else f", {extra} PAD columns more"
            loss_grid(values, real, counted, int(counted.sum()), title=name + more, ax=ax)
            words.append(f"{name}{more}: {ax.get_xlabel().partition('= ')[2]}.")
    patches = [Patch(facecolor=colour, edgecolor=GREY, hatch=hatch) for colour, hatch in LEGEND]
    names = ["a real token", "a pad that counts", "a pad that does not"]
    figure.legend(patches, names, ncols=3, loc="outside lower center")
    return figure, " ".join(words)


# ---------------------------------------------------------------- packing


def packing(words: Sequence[Sequence[str]]) -> "tuple[Figure, str]":
    """How ``pack_padded_sequence`` stores sentences: sorted, column by column, without the pads.

    Args:
        words: of each sentence, in the order of the batch.
    """
    order = sorted(range(len(words)), key=lambda b: -len(words[b]))
    B, T = len(words), max(map(len, words))
    sizes = [sum(len(line) > t for line in words) for t in range(T)]
    (ax,) = _panels([sum(sizes) + 0.4], B + 3.5, 7.5)
    shades = [BLUES[1], BLUES[2], BLUES[3], NOTHING]
    texts = [[*words[b], *["PAD"] * (T - len(words[b]))] for b in order]
    colours = [[shades[k % 4] if t < len(words[b]) else NOTHING for t in range(T)]
               for k, b in enumerate(order)]  # fmt: skip
    pads = [[t >= len(words[b]) for t in range(T)] for b in order]
    cells(ax, texts, colours, pads, left=0, top=1)
    ax.text(0, 0.85, "sorted by length", va="bottom")
    names = [chr(ord("A") + k) for k in range(B)]
    for k, name in enumerate(names):
        ax.text(-0.2, 1.5 + k, name, ha="right", va="center")
    for t, size in enumerate(sizes):
        ax.text(t + 0.5, B + 1.15, str(size), ha="center", va="top", weight="bold")
    ax.text(T + 0.2, B + 1.15, "batch_sizes: how many still run at each step", va="top")
    stored = [
        (f"{texts[k][t]}\n{names[k]}", colours[k][t]) for t in range(T) for k in range(sizes[t])
    ]
    top = B + 2.4
    cells(ax, [[word for word, _ in stored]], [[colour for _, colour in stored]], left=0, top=top)
    ax.text(0, top - 0.15, "data: one column after the other, and no PAD", va="bottom")
    _bare(ax, sum(sizes), top + 1)
    return ax.figure, (
        f"{B} sentences sorted by length: {_listed(len(words[b]) for b in order)} tokens. Under "
        f"the {T} columns stand {_listed(sizes)}, how many sentences still run. Below, the "
        f"{sum(sizes)} real tokens in one row, column after column."
    )


# ---------------------------------------------------------------- weights


def weight_tables(tables: dict[str, Tensor], mask: Tensor) -> "tuple[Figure, str]":
    """Attention weights ``[B, S]`` side by side, each row's sum behind it; NaN stands out in red.

    Args:
        tables: title -> weights, in order.
        mask: bool ``[B, S]``, True = real token.
    """
    B, S = mask.shape
    axes = _panels([S + 2.3] * len(tables), B + 1.4, 2.8 * len(tables))
    for ax, (title, weights) in zip(axes, tables.items(), strict=True):
        texts = [["nan" if w != w else f"{w:.2f}" for w in row] for row in weights.tolist()]
        colours = [
            ["#f3b8a5" if w != w else NOTHING if w == 0 else REAL if real else PAD
             for w, real in zip(*rows, strict=True)]
            for rows in zip(weights.tolist(), mask.tolist(), strict=True)
        ]  # fmt: skip
        cells(ax, texts, colours, (~mask).tolist())
        for b, total in enumerate(weights.sum(1).tolist()):
            ax.text(S + 0.15, b + 0.5, f"sum {total:.2f}", va="center")
        _bare(ax, S + 2.2, B)
        ax.set_title(title, loc="left")
    words = [
        f"{title}: row sums {_listed(_digits(weights))}, of which "
        f"{_listed(_digits(weights * ~mask))} at pads."
        for title, weights in tables.items()
    ]
    return axes[0].figure, " ".join(["Tables of weights.", *words])


def weight_shares(
    shares: dict[str, Sequence[float]],
    parts: Sequence[str],
    *,
    title: str = "Whose tokens the gradient listens to",
    ax: "Axes | None" = None,
) -> "tuple[Figure, str]":
    """Stacked bars: how much of a loss each part of the batch can move.

    Args:
        shares: for each way to average, one weight ≥ 0 a part: the derivative of the loss with
            respect to the losses of that part, summed. First way on top.
        parts: the names of the parts. A last part called ``"pads"`` is drawn in orange.

    Raises:
        ValueError: no shares, or not one for each part.
    """
    if not shares:
        raise ValueError("There are no shares to draw.")
    for way, values in shares.items():
        if len(values) != len(parts):
            raise ValueError(f"{way!r} has {len(values)} shares for {len(parts)} parts.")
    ax = ax or new_axes(8.5, 1.4 + 0.36 * len(shares))
    places = range(len(shares))
    left = [0.0] * len(shares)
    for number, part in enumerate(parts):
        pads = part == "pads"
        widths = [float(values[number]) for values in shares.values()]
        ax.barh(
            places,
            widths,
            left=left,
            color=PAD if pads else BLUES[number % 4],
            hatch="///" if pads else HATCHES[number % 4],
            edgecolor="white" if number == 0 else GREY,
            label=part,
        )
        for place, width in zip(places, widths, strict=True):
            if width >= 0.06:  # narrower than its number
                ax.text(
                    left[place] + width / 2,
                    place,
                    f"{width:.2f}",
                    ha="center",
                    va="center",
                    fontsize="small",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
                )
        left = [start + width for start, width in zip(left, widths, strict=True)]
    ax.set_yticks(places, list(shares))
    ax.set(ylim=(len(shares) - 0.4, -0.6), xlim=(0, 1.02 * max(*left, 1e-9)))
    ax.set(xlabel="weights of the part's cells, added up", title=title)
    ax.figure.legend(*ax.get_legend_handles_labels(), ncols=len(parts), loc="outside lower center")
    words = [f"{way}: {_listed(f'{share:.2f}' for share in vs)}." for way, vs in shares.items()]
    return ax.figure, " ".join([f"Stacked bars for {_listed(parts)}.", *words])
