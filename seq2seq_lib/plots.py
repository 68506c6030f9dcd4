"""Figures: data in, matplotlib ``Axes`` out. No pyplot, so no state is shared between figures.

Colours are Okabe and Ito's (2008), which people with colour-blindness can tell apart; lines also
differ in dash and marker. ``show`` puts a figure into a notebook with a text for those who cannot
see it.
"""

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILLION, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#666666"


def new_axes(width: float = 6.0, height: float = 3.2) -> "Axes":
    """One empty ``Axes`` on a figure of its own; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").subplots()


def show(figure: "Figure", alt: str) -> None:
    """Display a figure in a notebook as PNG, with ``alt`` as its text alternative.

    Elsewhere the text is printed. ``alt`` says what is to be seen, so it must be true on every
    machine; the numbers of one run belong into a cell that computes them.
    """
    from IPython.display import display

    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    png = base64.b64encode(file.getvalue()).decode()
    display(
        {"image/png": png, "text/plain": f"[Figure: {alt}]"},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )


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
        source, target: the S and T tokens that label the axes.
    """
    if tuple(weights.shape) != (len(target), len(source)):
        raise ValueError(
            f"weights must be [T, S] = [{len(target)}, {len(source)}] for these tokens, but they "
            f"are {list(weights.shape)}."
        )
    ax = ax or new_axes(1.2 + 0.3 * max(len(source), 12), 1.2 + 0.28 * max(len(target), 4))
    image = ax.imshow(weights.detach().cpu().numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xticks(range(len(source)), [_visible(t) for t in source], rotation=_slant(source))
    ax.set_yticks(range(len(target)), [_visible(t) for t in target])
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
        floor: the entropy of the task, below which no model can come; drawn as a line.
    """
    ax = ax or new_axes()
    epochs = range(1, len(train) + 1)
    ax.plot(epochs, train, "o-", color=BLUE, label="training")
    if any(v is not None for v in valid):
        ax.plot(epochs, valid, "s--", color=VERMILLION, label="validation")
    if floor is not None:
        ax.axhline(floor, color=GREY, linestyle=":", label="entropy of the task")
    ax.set(xlabel="epoch", ylabel="loss (nats a token)", title=title, ylim=(0, None))
    ax.set_xticks(list(epochs))
    ax.legend(frameon=False)
    return ax


def pad_drift(
    pads: Sequence[int],
    ignoring: Sequence[float],
    packed: Sequence[float],
    *,
    title: str = "Padding drags every final state to the same place",
    ax: "Axes | None" = None,
) -> "Axes":
    """How alike the final states of different sentences are, against the pads an encoder was fed.

    Args:
        pads: numbers of PAD tokens after each sentence.
        ignoring, packed: mean cosine similarity over all pairs of sentences, for an encoder that
            reads the pads and for one that stops at each sentence's end.
    """
    ax = ax or new_axes()
    ax.plot(pads, ignoring, "o-", color=VERMILLION, label="encoder that reads the pads")
    ax.plot(pads, packed, "s--", color=BLUE, label="encoder that stops in time")
    ax.set(xlabel="PAD tokens after each sentence", ylabel="mean cosine similarity", title=title)
    ax.set_ylim(min(0.0, *ignoring, *packed) - 0.05, 1.05)
    ax.legend(frameon=False, loc="center right")
    return ax


def _visible(token: str) -> str:
    return "␣" if token == " " else token


def _slant(tokens: Sequence[str]) -> int:
    return 0 if all(len(t) <= 3 for t in tokens) else 60
