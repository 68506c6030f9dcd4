"""Figures of chapter 5: data in, matplotlib ``Figure`` out."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seq2seq_lib.plots import GREY, axes_grid, curves, new_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUES = ("#0072B2", "#b5d9ee")
HATCHES = ("", "//")


def loss_as_one_logit_grows(logits: Tensor, target: int, floor: float) -> "Figure":
    """Three pipelines against the target's logit, and the push that each gives to it.

    Args:
        logits: floats ``[V]``; the target's is moved from -8 to 8.
        target: its id.
        floor: of the pipeline with softmax twice, drawn as a line.

    Raises:
        ValueError: logits that are not finite, or a target that is none of their ids.
    """
    if not logits.isfinite().all():
        raise ValueError(f"logits must be finite, but they are {logits.tolist()}.")
    if not 0 <= target < len(logits):
        raise ValueError(f"target must be 0 .. {len(logits) - 1}, but it is {target}.")
    x = torch.linspace(-8, 8, 33)
    rows = logits.repeat(len(x), 1)  # [33, V]
    rows[:, target] = x
    rows.requires_grad_()
    log_probs, shares = rows.log_softmax(-1), rows.softmax(-1)
    numbers = {
        "logits to cross_entropy": -log_probs[:, target],
        "shares to cross_entropy": -shares.log_softmax(-1)[:, target],
        "shares to nll_loss": -shares[:, target],
    }
    left, right = axes_grid(1, 2, 9.0, 3.6)
    losses = {name: values.tolist() for name, values in numbers.items()}
    pushes = {
        name: (-torch.autograd.grad(values.sum(), rows, retain_graph=True)[0][:, target]).tolist()
        for name, values in numbers.items()
    }
    label = "logit of the target"
    curves(x.tolist(), losses, xlabel=label, ylabel="loss (nats)", title="Loss", ax=left)
    curves(x.tolist(), pushes, xlabel=label, ylabel="minus the gradient", title="Push", ax=right)
    left.axhline(floor, color=GREY, linestyle=":")
    left.text(-8, floor + 0.2, f"floor {floor:.3f}", fontsize=8)
    right.get_legend().remove()
    return left.figure


def training(histories: Mapping[str, Sequence[float]], lines: Mapping[str, float]) -> "Figure":
    """Losses before training and after each epoch, with levels drawn as dotted lines.

    Args:
        histories: name -> the loss before training and of each epoch.
        lines: name -> nats.

    A loss that is NaN or infinite leaves a gap in its curve.

    Raises:
        ValueError: there is no curve, or not all are equally long.
    """
    if len({len(history) for history in histories.values()}) != 1:
        lengths = {name: len(history) for name, history in histories.items()}
        raise ValueError(f"histories must be one or more, equally long, but they are {lengths}.")
    ax = new_axes(7.0, 3.4)
    epochs = range(len(next(iter(histories.values()))))
    curves(epochs, histories, xlabel="epoch (0: before)", ylabel="loss (nats a token)", ax=ax)
    for name, level in lines.items():
        ax.axhline(level, color=GREY, linestyle=":")
        ax.text(len(epochs) - 1.02, level - 0.13, f"{name} {level:.2f}", fontsize=8, ha="right")
    return ax.figure


def shares_by_temperature(
    words: Sequence[str], shares: Mapping[str, Sequence[float]], target: int
) -> "Figure":
    """The same row at several temperatures, side by side; the target is dark, the others hatched.

    Args:
        words: V names.
        shares: title -> V shares.
        target: its place.

    Raises:
        ValueError: no row, or one that is not V finite shares; a target that is no place.
    """
    if not shares or not 0 <= target < len(words):
        raise ValueError(
            f"shares must hold a row, and target be 0 .. {len(words) - 1}; they are {len(shares)} "
            f"rows and {target}."
        )
    for title, row in shares.items():
        if len(row) != len(words) or not all(math.isfinite(share) for share in row):
            raise ValueError(
                f"shares[{title!r}] must be {len(words)} finite numbers, but it is {list(row)}."
            )
    axes = axes_grid(1, len(shares), 9.0, 2.8)
    for ax, (title, row) in zip(axes, shares.items(), strict=True):
        for place, share in enumerate(row):
            aim = place == target
            ax.bar(
                place,
                share,
                color=BLUES[not aim],
                edgecolor=GREY,
                hatch=HATCHES[not aim],
            )
            ax.text(place, share + 0.015, f"{share:.2f}", ha="center", fontsize=8)
        ax.set(title=title, ylim=(0, 0.72), xlabel="word")
        ax.set_xticks(range(len(words)), words, fontsize=8)
    axes[0].set_ylabel("share")
    return axes[0].figure


def softmax_over_axes(shares: Mapping[str, Tensor]) -> "Figure":
    """Tables ``[N, V]`` with their row sums at the right and column sums below.

    Args:
        shares: title -> a table.

    Raises:
        ValueError: no table, or one that is not ``[N, V]`` with finite shares.
    """
    if not shares:
        raise ValueError("shares holds no table: give one, such as {'dim -1': z.softmax(-1)}.")
    for title, table in shares.items():
        if table.dim() != 2 or not table.numel() or not table.isfinite().all():
            raise ValueError(
                f"shares[{title!r}] must be [N, V], finite and not empty, but it is "
                f"{list(table.shape)}: {table.tolist()}."
            )
    axes = axes_grid(1, len(shares), 9.0, 3.2)
    for ax, (title, table) in zip(axes, shares.items(), strict=True):
        N, V = table.shape
        ax.imshow(table.numpy(), cmap="Blues", vmin=0, vmax=1.4, aspect="auto")
        for n in range(N):
            for v in range(V):
                ax.text(v, n, f"{table[n, v]:.2f}", ha="center", va="center", fontsize=8)
            ax.text(V - 0.3, n, f"{table[n].sum():.2f}", va="center", fontsize=8, weight="bold")
        for v in range(V):
            total = f"{table[:, v].sum():.2f}"
            ax.text(v, N - 0.1, total, ha="center", fontsize=8, weight="bold")
        ax.set(title=title, xlabel="\nword; below and at the right: sums", ylabel="token")
        ax.set_xticks([])
        ax.set_yticks(range(N))
        ax.set_xlim(-0.5, V + 0.4)
        ax.set_ylim(N + 0.2, -0.5)
        ax.spines[:].set_visible(False)
    return axes[0].figure
