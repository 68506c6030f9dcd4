"""Figures of chapter 6. Data in, matplotlib ``Figure`` out; Okabe and Ito's colours."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING

from seq2seq_lib.plots import GREY, new_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE = "#0072B2", "#E69F00"
LIGHT_BLUE, LIGHT_ORANGE = "#9ecae8", "#f4c05a"


def two_loops(gold: Sequence[str], own: Sequence[str]) -> "Figure":
    """What is read and said at each place, once with gold inputs, once with own ones.

    Args:
        gold: the tokens of the target, the last one EOS.
        own: what the model says on its own, equally many.
    """
    if not gold:
        raise ValueError("gold is empty: a loop of no steps cannot be drawn.")
    if len(gold) != len(own):
        raise ValueError(f"gold has {len(gold)} tokens and own has {len(own)}: they must agree.")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 3.0), layout="constrained")
    titles = ("training: reads the gold token", "inference: reads what it has said")
    for ax, title, reads in zip(figure.subplots(1, 2), titles, (gold, own), strict=True):
        for t in range(len(gold)):
            for y, word, colour in (
                (0.0, "BOS" if t == 0 else reads[t - 1], "white"),
                (1.2, f"step {t + 1}", "#eeeeee"),
                (2.4, own[t] if reads is own else "?", LIGHT_BLUE),
            ):
                box = {"facecolor": colour, "edgecolor": GREY, "boxstyle": "round,pad=0.35"}
                ax.text(t * 1.6, y, word, ha="center", va="center", bbox=box)
            for start, end in ((0.28, 0.9), (1.5, 2.1)):
                _arrow(ax, (t * 1.6, start), (t * 1.6, end), GREY)
            if t:
                _arrow(ax, (t * 1.6 - 1.05, 1.2), (t * 1.6 - 0.5, 1.2), GREY)
                if reads is own:  # what was said comes back as what is read
                    _arrow(ax, (t * 1.6 - 1.4, 2.2), (t * 1.6 - 0.25, 0.25), ORANGE)
        ax.set(xlim=(-0.8, len(gold) * 1.6 - 0.8), ylim=(-0.5, 3.1), title=title)
        ax.axis("off")
    return figure


def _arrow(ax, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    style = {"arrowstyle": "->", "color": colour, "lw": 1.8 if colour == ORANGE else 1.0}
    ax.annotate("", xy=end, xytext=start, arrowprops=style)


def slips(rows: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> "Figure":
    """Accuracy behind a slip, by model: a point a seed, its mean as a bar.

    Args:
        rows: name of a model -> accuracies with the gold prefix, with its own; a number a seed.

    Raises:
        ValueError: no model, or accuracies that are none.
    """
    if not rows:
        raise ValueError("rows is empty: there is no model to draw.")
    for name, lanes in rows.items():
        if not all(values and all(0 <= value <= 1 for value in values) for values in lanes):
            raise ValueError(
                f"rows[{name!r}] must be two lists of accuracies in [0, 1], but it is {lanes}."
            )
    ax = new_axes(7.2, 3.4)
    for place, lanes in enumerate(rows.values()):
        for shift, values, colour, hatch, label in (
            (-0.2, lanes[0], LIGHT_ORANGE, "", "gold prefix"),
            (0.2, lanes[1], LIGHT_BLUE, "//", "own prefix"),
        ):
            x = place + shift
            mean = sum(values) / len(values)
            named = label if place == 0 else None
            ax.bar(x, mean, 0.38, color=colour, edgecolor=GREY, hatch=hatch, label=named)
            ax.plot([x] * len(values), values, "o", color="black", markersize=3)
            ax.text(x, max(values) + 0.03, f"{mean:.2f}", ha="center", fontsize=9)
    ax.set_xticks(range(len(rows)), [name.replace(", ", "\n") for name in rows])
    ax.set(ylim=(0, 1.1), ylabel="right, of the places behind")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.18), ncols=2, frameon=False)
    return ax.figure


def ratios(schedules: Mapping[str, Sequence[float]]) -> "Figure":
    """The share of gold tokens at each step, a line a schedule.

    Raises:
        ValueError: no schedule, or a ratio outside [0, 1].
    """
    if not schedules:
        raise ValueError("schedules is empty: there is no line to draw.")
    for name, values in schedules.items():
        for step, ratio in enumerate(values):
            if not 0 <= ratio <= 1:
                raise ValueError(f"{name!r} at step {step} is {ratio}: a ratio is in [0, 1].")
    ax = new_axes(6.4, 2.8)
    styles = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
    colours = (BLUE, ORANGE, "#009E73", "black", "#CC79A7")
    looks = zip(cycle(styles), cycle(colours), strict=False)
    for (name, values), (style, colour) in zip(schedules.items(), looks, strict=False):
        ax.plot(range(len(values)), values, linestyle=style, color=colour, label=name)
    ax.set(xlabel="training step", ylabel="P(read gold)", ylim=(-0.03, 1.05))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax.figure
