"""Figures of chapter 9. Data in, matplotlib ``Figure`` out; Okabe and Ito's colours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import GREY, new_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor

    from seq2seq_lib.course.ch09_real_translation.measured import Width

BLUE, ORANGE = "#0072B2", "#E69F00"
Row = tuple[float, float, float]  # score, and the two ends of its interval


def intervals(scores: Mapping[str, Row], gains: Mapping[str, Row]) -> "Figure":
    """Left: each system's score with its interval. Right: paired differences, beside zero."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, 2.9), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, rows, colour in zip(axes, (scores, gains), (BLUE, ORANGE), strict=True):
        for place, (score, low, high) in enumerate(rows.values()):
            ax.plot([low, high], [place, place], color=colour, lw=3)
            ax.plot([score], [place], "o", color="black", markersize=5)
            ax.annotate(
                f"{score:.1f}", (score, place), (0, 7), textcoords="offset points", ha="center"
            )
        ax.set_yticks(range(len(rows)), list(rows))
        ax.set(ylim=(len(rows) - 0.5, -0.7))
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set(xlabel="BLEU, 95 % interval", title="one system at a time")
    axes[1].set(xlabel="gain in BLEU, paired 95 % interval", title="the same drawn sentences")
    axes[1].axvline(0, color=GREY, lw=1, ls="--")
    return figure


def intervals_in_words(scores: Mapping[str, Row], gains: Mapping[str, Row]) -> str:
    """What ``intervals`` shows."""
    said = [
        "; ".join(f"{name} {score:.1f}, {low:.1f} to {high:.1f}" for name, (score, low, high) in x)
        for x in (scores.items(), gains.items())
    ]
    return f"Scores with their intervals: {said[0]}. Paired gains: {said[1]}; zero is marked."


def shares(groups: Mapping[str, Sequence[tuple[str, float, int]]]) -> "Figure":
    """Exact match by band: a chart a group, a bar a band.

    Args:
        groups: what the bands are of -> (band, share right, number of sentences) each.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 2.9), layout="constrained")
    axes = figure.subplots(1, len(groups), sharey=True)
    for ax, (name, bands) in zip(axes, groups.items(), strict=True):
        values = [share for _, share, _ in bands]
        ax.bar(range(len(bands)), values, color=BLUE, width=0.6)
        for place, value in enumerate(values):
            ax.text(place, value + 0.02, f"{value:.2f}", ha="center")
        ax.set_xticks(range(len(bands)), [f"{band}\n({n})" for band, _, n in bands])
        ax.set(ylim=(0, 1.05), xlabel=name)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("exact match")
    return figure


def attention(
    weights: "Tensor", columns: Sequence[str], rows: Sequence[str], links: Sequence[set[int]]
) -> "Figure":
    """Weights as squares; the source pieces that a row is linked to have a circle."""
    ax = new_axes(0.55 * len(columns) + 1.4, 0.42 * len(rows) + 1.2)
    ax.imshow(weights.numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, linked in enumerate(links):
        for column in linked:
            ax.plot(column, row, "o", markersize=13, markerfacecolor="none",
                    markeredgecolor=ORANGE, markeredgewidth=2)  # fmt: skip
    ax.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel="source pieces", ylabel="written")
    return ax.figure


def attention_in_words(weights: "Tensor", columns: Sequence[str], rows: Sequence[str]) -> str:
    """Where each row of ``attention`` has its largest weight."""
    places = zip(rows, weights.argmax(1).tolist(), strict=True)
    looked = "; ".join(f"{piece} looks most at {columns[j]}" for piece, j in places)
    return f"Attention of a right output. {looked}."


def searches(lines: Mapping[str, Sequence["Width"]]) -> "Figure":
    """BLEU over the number of beams, a line a length penalty, and what it surely gains over greedy.

    A bar is the paired interval of the gain, set upon greedy's BLEU: nothing is shown where it
    crosses that line.
    """
    ax = new_axes(6.2, 2.8)
    styles = zip(("-", "--"), (BLUE, ORANGE), strict=True)
    greedy = next(iter(lines.values()))[0].bleu
    ax.axhline(greedy, color=GREY, linestyle=":", label="greedy")
    for shift, ((name, points), (style, colour)) in enumerate(
        zip(lines.items(), styles, strict=False)
    ):
        places = [place + 0.08 * shift for place in range(len(points))]
        ax.plot(places, [p.bleu for p in points], style, marker="o", color=colour, label=name)
        ends = [greedy + p.low for p in points], [greedy + p.high for p in points]
        ax.vlines(places, *ends, color=colour, alpha=0.6)
        ax.set_xticks(range(len(points)), [str(p.beams) for p in points])
    ax.set(xlabel="beams", ylabel="BLEU, 300 sentences")
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax.figure
