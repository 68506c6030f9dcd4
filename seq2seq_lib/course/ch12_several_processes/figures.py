"""Figures of chapter 12. Data in, matplotlib ``Figure`` out; Okabe and Ito's colours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.plots import GREY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS, HATCHES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7"), ("", "///", "...", "xx")


def weights(tokens: Sequence[int]) -> dict[str, list[float]]:
    """What a token of each share weighs in the loss, by the way in which shares are combined.

    Args:
        tokens: n_r of each share, all ≥ 1.
    """
    R, N = len(tokens), sum(tokens)
    return {
        "average of means": [1 / (R * n) for n in tokens],
        "sum of means": [1 / n for n in tokens],
        "sums, divided once": [1 / N for _ in tokens],
    }


def shares(tokens: Sequence[int]) -> "Figure":
    """The tokens of a batch that was cut, a cell each, a row a share."""
    _check(tokens)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 0.8 + 0.6 * len(tokens)), layout="constrained")
    ax = figure.subplots()
    for row, n in enumerate(tokens):
        ax.bar(range(1, n + 1), 0.8, 0.86, row - 0.4, **_look(row))
    ax.set_yticks(range(len(tokens)), [f"share {r + 1}: {n}" for r, n in enumerate(tokens)])
    ax.set(xlim=(0.3, max(tokens) + 0.7), xlabel="token", title="One batch, cut: a cell a token")
    ax.invert_yaxis()
    _bare(ax)
    return figure


def weighed(tokens: Sequence[int]) -> "tuple[Figure, str]":
    """The weight of each token, in three states, and in words: one for each way of ``weights``."""
    _check(tokens)
    from matplotlib.figure import Figure

    ways = weights(tokens)
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    for ax, (way, each) in zip(figure.subplots(1, 3, sharey=True), ways.items(), strict=True):
        first = 1
        for row, (n, weight) in enumerate(zip(tokens, each, strict=True)):
            ax.bar(range(first, first + n), weight, 0.86, **_look(row))
            label = f"1/{1 / weight:.0f}"
            ax.text(first + (n - 1) / 2, weight + 0.008, label, ha="center", va="bottom")
            first += n
        ax.set(title=way, xlabel="token", xlim=(0, first), ylim=(0, 1.12 / min(tokens)))
        _bare(ax)
    figure.axes[0].set_ylabel("weight in the loss")
    words = []
    for way, each in ways.items():
        said = (f"1/{1 / weight:.0f} in share {r + 1}" for r, weight in enumerate(each))
        words.append(f"{way}: {', '.join(said)}.")
    return figure, f"The weight of each token. {' '.join(words)}"


def _check(tokens: Sequence[int]) -> None:
    if not 1 <= len(tokens) <= len(COLOURS) or min(tokens) < 1:
        raise ValueError(
            f"tokens must be 1 to {len(COLOURS)} numbers ≥ 1, one a share, but it is {tokens}."
        )


def _look(row: int) -> dict:
    return {"color": COLOURS[row], "hatch": HATCHES[row], "edgecolor": "white", "linewidth": 0}


def _bare(ax) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
