"""Figures of chapter 3: the unrolled machine, where a state is read, and what fails with length.

Data in, matplotlib ``Figure`` out. Blue is what belongs to the sentence, hatched is PAD, and a mark
is never a colour alone. Okabe and Ito's colours, as in ``seq2seq_lib.plots``.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import BLUE, GREEN, GREY, ORANGE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OWN, NOTHING = "#9ecae8", "white"
LINES = {  # each model looks the same in all charts
    "GRU, state only": ("o-", BLUE),
    "GRU, context": ("s--", VERMILION),
    "LSTM, context": ("^:", GREEN),
}
OTHER = ("D-.", ORANGE)


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _box(
    ax: "Axes",
    x: float,
    y: float,
    text: str,
    *,
    width: float = 1.0,
    colour: str = NOTHING,
    pad: bool = False,
    strong: bool = False,
) -> None:
    """A rectangle of height 0.7 around a word; x and y are its middle."""
    from matplotlib.patches import Rectangle

    corner, edge = (x - width / 2, y - 0.35), "black" if strong else GREY
    ax.add_patch(
        Rectangle(corner, width, 0.7, facecolor=colour, edgecolor=edge, hatch="///" * pad,
                  linewidth=2.5 if strong else 1)
    )  # fmt: skip
    backing = {"facecolor": colour, "edgecolor": "none", "pad": 1.5} if pad else None
    weight = "bold" if strong else "normal"
    ax.text(x, y, text, ha="center", va="center", weight=weight, bbox=backing)


def _arrow(
    ax: "Axes", start: tuple[float, float], end: tuple[float, float], width: float = 1.2
) -> None:
    style = {"arrowstyle": "-|>", "color": BLUE if width > 2 else GREY, "linewidth": width}
    ax.annotate("", end, start, arrowprops=style)


def _bare(ax: "Axes", left: float, right: float, bottom: float, top: float) -> None:
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.axis("off")


def unrolled(read: Sequence[str], states: Sequence[str], said: Sequence[str]) -> "Figure":
    """Encoder, one arrow, decoder: every output is fed back as the next input.

    Args:
        read: the S tokens of the source.
        states: the encoder's S states.
        said: the T tokens of the target.
    """
    S, T = len(read), len(said)
    ax = (figure := _figure(1.15 * (S + T) + 2.0, 3.0)).subplots()
    gap = S * 1.6 + 1.4
    for t, (token, state) in enumerate(zip(read, states, strict=True)):
        x = 1.6 * t
        _box(ax, x, 0, token, colour=OWN)
        _box(ax, x, 1.5, state, width=1.2, strong=t == S - 1)
        _arrow(ax, (x, 0.35), (x, 1.13))
        if t:
            _arrow(ax, (x - 1.0, 1.5), (x - 0.62, 1.5))
    before = ["BOS", *said[:-1]]
    for t, (token, fed) in enumerate(zip(said, before, strict=True)):
        x = gap + 1.6 * t
        _box(ax, x, 0, fed)
        _box(ax, x, 1.5, f"s{t + 1}", width=1.2)
        _box(ax, x, 3, token, colour=OWN)
        _arrow(ax, (x, 0.35), (x, 1.13))
        _arrow(ax, (x, 1.87), (x, 2.63))
        if t:
            _arrow(ax, (x - 1.0, 1.5), (x - 0.62, 1.5))
            ax.plot([x - 0.8, x - 0.8], [2.3, 0], color=GREY, linestyle=":", linewidth=1.2)
            ax.plot([x - 1.6 + 0.05, x - 0.8], [2.3, 2.3], color=GREY, linestyle=":", linewidth=1.2)
            _arrow(ax, (x - 0.8, 0), (x - 0.5, 0))
    end = 1.6 * (S - 1)
    _arrow(ax, (end + 0.62, 1.5), (gap - 0.66, 1.5), width=4)
    ax.text((end + gap) / 2, 1.95, "the bridge", ha="center", weight="bold")
    ax.text(0.8 * (S - 1), -0.85, "encoder: reads", ha="center")
    ax.text(gap + 0.8 * (T - 1), -0.85, "decoder: reads what it said before", ha="center")
    _bare(ax, -0.8, gap + 1.6 * (T - 1) + 0.8, -1.2, 3.6)
    return figure


def where_it_is_read(
    states: Sequence[Sequence[int]],
    lengths: Sequence[int],
    picks: Mapping[str, Sequence[int]],
) -> "Figure":
    """The states ``[B, S]`` of a batch, once for each way to pick one a row; the pick is framed.

    Args:
        states: the state after each column.
        lengths: of the rows; columns behind them are pads.
        picks: title -> the column that is read in each row; no frame where there is none.
    """
    B, S = len(states), len(states[0])
    lines = -(-len(picks) // 2)
    figure = _figure(8.4, (0.47 * B + 0.4) * lines)
    axes = figure.subplots(lines, 2, squeeze=False).flat
    for ax, (title, columns) in zip(axes, picks.items(), strict=True):
        for b, row in enumerate(states):
            for t, state in enumerate(row):
                own = t < lengths[b]
                colour = OWN if own else NOTHING
                chosen = t in (columns[b], columns[b] + S)  # -1 is the last one
                _box(ax, 1.3 * t, -0.8 * b, str(state), width=1.25, colour=colour, pad=not own,
                     strong=chosen)  # fmt: skip
        ax.set_title(title, loc="left", fontsize="medium")
        _bare(ax, -0.75, 1.3 * S - 0.5, -0.8 * B + 0.3, 0.5)
    return figure


def by_length(
    right: Mapping[str, Mapping[int, float]],
    missing: Mapping[str, Mapping[int, float]],
    symbols: int = 10,
) -> "Figure":
    """Exact match by length, and the share of a string's nats that arrived.

    Args:
        right: model -> length -> share of strings that are right.
        missing: model -> length -> nats a string that the model still lacks.
        symbols: k; a string of n has n log k nats, its length aside.
    """
    import math

    figure = _figure(9.0, 3.4)
    left, other = figure.subplots(1, 2)
    for name, points in right.items():
        style, colour = LINES.get(name, OTHER)
        left.plot(list(points), list(points.values()), style, color=colour, label=name)
    for name, points in missing.items():
        style, colour = LINES.get(name, OTHER)
        arrived = [1 - nats / (n * math.log(symbols)) for n, nats in points.items()]
        other.plot(list(points), arrived, style, color=colour)
    left.set(xlabel="digits of the string", ylabel="share of strings that are right",
             ylim=(-0.03, 1.05), title="Whole strings fall off a cliff")  # fmt: skip
    other.set(xlabel="digits of the string", ylabel="share of the nats that arrived",
              ylim=(-0.03, 1.05), title="What crosses does not")  # fmt: skip
    figure.legend(*left.get_legend_handles_labels(), ncols=4, loc="outside lower center")
    return figure


def by_place(right: Mapping[str, Sequence[float]]) -> "Figure":
    """Share of right digits at each place of the answer."""
    ax = (figure := _figure(6.2, 2.9)).subplots()
    for name, points in right.items():
        style, colour = LINES.get(name, OTHER)
        ax.plot(range(1, len(points) + 1), points, style, color=colour, label=name)
    ax.set(xlabel="place in the answer of 11 digits", ylabel="share that is right",
           ylim=(0, 1.03), title="Digits that are right, by place")  # fmt: skip
    ax.set_xticks(range(1, 1 + max(map(len, right.values()))))
    ax.legend()
    return figure
