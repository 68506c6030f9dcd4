"""Figures of chapter 4: losses under a mask, weights of an average, bars side by side."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from seq2seq_lib import plots

LOSSES = torch.tensor([[1.0, 2.5, 8.0, 8.0], [4.0, 8.0, 8.0, 8.0]])
MASK = torch.tensor([[True, True, False, False], [True, False, False, False]])
BLUE, ORANGE, WHITE = "#9ecae8", "#f4c05a", "#ffffff"


def cells(ax):
    """(row, column) -> the patch that fills it."""
    return {(round(p.get_y() + 0.5), round(p.get_x() + 0.5)): p for p in ax.patches}


def written(ax):
    return [text.get_text() for text in ax.texts]


def nothing_is_cut(figure):
    figure.draw_without_rendering()
    frame = figure.bbox
    texts = [t for ax in figure.axes for t in (ax.title, ax.xaxis.label, ax.yaxis.label)]
    texts += [t for ax in figure.axes for t in ax.get_yticklabels()]
    texts += [t for legend in figure.legends for t in legend.get_texts()]
    for text in filter(lambda t: t.get_text(), texts):
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, text
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, text


# ---------------------------------------------------------------- several axes


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_a_grid_gives_its_axes_row_by_row_on_one_figure(rows, columns):
    axes = plots.axes_grid(rows, columns, 8, 3)
    assert len(axes) == rows * columns == len(axes[0].figure.axes)
    assert axes == axes[0].figure.axes, "the order is that of reading"
    assert tuple(axes[0].figure.get_size_inches()) == (8, 3)


# ---------------------------------------------------------------- losses under a mask


def test_each_cell_has_its_loss_and_stands_at_its_place():
    ax = plots.loss_grid(LOSSES, MASK, MASK, 3)
    assert set(cells(ax)) == {(b, t) for b in range(2) for t in range(4)}
    places = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    for b in range(2):
        for t in range(4):
            assert places[t, b] == f"{LOSSES[b, t].item():g}"
    low, high = ax.get_ylim()
    assert low > high, "the first sentence belongs to the top"


def test_what_counts_is_coloured_and_pads_are_hatched():
    counted = MASK.clone()
    counted[0, 1], counted[1, 2] = False, True  # a token left out, a pad counted
    for (b, t), patch in cells(plots.loss_grid(LOSSES, MASK, counted, 3)).items():
        colour = (BLUE if MASK[b, t] else ORANGE) if counted[b, t] else WHITE
        assert to_hex(patch.get_facecolor()) == colour
        assert bool(patch.get_hatch()) == (not MASK[b, t]), "colour is never alone"


@pytest.mark.parametrize(
    ("counted", "divisor", "shown"),
    [
        (MASK, 3, "7.5 / 3 = 2.50 nats"),
        (MASK, 8, "7.5 / 8 = 0.94 nats"),
        (torch.ones_like(MASK), 8, "47.5 / 8 = 5.94 nats"),
    ],
)
def test_the_fraction_is_that_of_the_cells_that_count(counted, divisor, shown):
    ax = plots.loss_grid(LOSSES, MASK, counted, divisor, title="Found")
    assert ax.get_xlabel() == f"target position\nloss = {shown}"
    assert (ax.get_ylabel(), ax.get_title()) == ("sentence", "Found")


@pytest.mark.parametrize("columns", [1, 5, 8, 9, 18])
def test_nothing_of_a_loss_grid_is_cut_off(columns):
    losses, mask = torch.ones(3, columns), torch.ones(3, columns, dtype=torch.bool)
    ax = plots.loss_grid(losses, mask, mask, 3 * columns, title="Six")
    assert list(ax.get_xticks()) == list(range(0, columns, 1 if columns <= 8 else 2))
    nothing_is_cut(ax.figure)


@pytest.mark.parametrize("mask", [MASK.T, MASK[:1], MASK[0]])
def test_masks_of_another_shape_are_refused(mask):
    with pytest.raises(ValueError, match=r"must all be \[B, T\], but they are \[2, 4\]"):
        plots.loss_grid(LOSSES, mask, MASK, 3)
    with pytest.raises(ValueError, match=r"must all be \[B, T\]"):
        plots.loss_grid(LOSSES, MASK, mask, 3)


# ---------------------------------------------------------------- weights of an average

SHARES = {"tokens": [0.5, 0.25, 0.25, 0.0], "cells": [0.25, 0.125, 0.025, 0.6]}
PARTS = ["long", "short", "other", "pads"]


def test_stacked_bars_begin_where_the_last_one_ended():
    ax = plots.weight_shares(SHARES, PARTS, title="Found")
    bars = [[(b.get_x(), b.get_width()) for b in part.patches] for part in ax.containers]
    for way, values in enumerate(SHARES.values()):
        ends = np.cumsum(values)
        np.testing.assert_allclose([b[way][0] for b in bars], [0, *ends[:-1]], atol=1e-12)
        np.testing.assert_allclose([b[way][1] for b in bars], values, atol=1e-12)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(SHARES)
    low, high = ax.get_ylim()
    assert low > high, "the first way belongs to the top"
    assert ax.get_title() == "Found" and "weight in the loss" in ax.get_xlabel()


def test_shares_are_printed_where_there_is_room():
    assert written(plots.weight_shares(SHARES, PARTS)) == [
        "0.50", "0.25", "0.25", "0.12", "0.25", "0.60",
    ]  # fmt: skip


def test_parts_differ_in_hatch_and_pads_are_orange():
    ax = plots.weight_shares(SHARES, PARTS)
    hatches = [part.patches[0].get_hatch() or "" for part in ax.containers]
    assert len(set(hatches)) == len(PARTS)
    assert to_hex(ax.containers[-1].patches[0].get_facecolor()) == ORANGE
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == PARTS
    nothing_is_cut(ax.figure)


def test_shares_that_do_not_fit_their_parts_are_refused():
    with pytest.raises(ValueError, match="'tokens' has 4 shares for 3 parts"):
        plots.weight_shares(SHARES, PARTS[:3])
    with pytest.raises(ValueError, match="no shares"):
        plots.weight_shares({}, PARTS)


# ---------------------------------------------------------------- bars side by side


def test_each_bar_is_as_long_as_its_value_says():
    ax = plots.compared_bars(["a", "b", "c"], [0.5, 0.0, 0.25], xlabel="loss (nats)", title="T")
    assert [patch.get_width() for patch in ax.patches] == [0.5, 0.0, 0.25]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert written(ax) == ["0.5", "0", "0.25"]
    assert (ax.get_xlabel(), ax.get_title()) == ("loss (nats)", "T")
    assert ax.get_xlim() == (0, 0.6)
    assert len({patch.get_hatch() for patch in ax.patches}) == 3, "colour is never alone"
    nothing_is_cut(ax.figure)


def test_the_axis_can_have_a_limit_and_survives_zeros():
    make = plots.compared_bars
    assert make(["a"], [0.5], xlabel="x", title="t", limit=1.2).get_xlim() == (0, 1.2)
    assert make(["a"], [0.0], xlabel="x", title="t").get_xlim() == (0, 1.0)


@pytest.mark.parametrize(("names", "values"), [(["a"], [1, 2]), (["a", "b"], [1]), ([], [])])
def test_bars_without_a_name_are_refused(names, values):
    with pytest.raises(ValueError, match="equally many names and values"):
        plots.compared_bars(names, values, xlabel="x", title="t")


def test_axes_that_are_given_are_drawn_on():
    for draw in (
        lambda ax: plots.loss_grid(LOSSES, MASK, MASK, 3, ax=ax),
        lambda ax: plots.weight_shares(SHARES, PARTS, ax=ax),
        lambda ax: plots.compared_bars(["a"], [1.0], xlabel="x", title="t", ax=ax),
    ):
        ax = plots.new_axes()
        assert draw(ax) is ax
