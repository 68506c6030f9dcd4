"""Figures of chapter 4: losses under a mask, weights of an average, tables that meet."""

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Text

from seq2seq_lib import plots
from seq2seq_lib.course.ch04_padding_masks import figures

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


# ---------------------------------------------------------------- losses under a mask


def test_each_cell_has_its_loss_and_stands_at_its_place():
    ax = figures.loss_grid(LOSSES, MASK, MASK, 3)
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
    for (b, t), patch in cells(figures.loss_grid(LOSSES, MASK, counted, 3)).items():
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
    ax = figures.loss_grid(LOSSES, MASK, counted, divisor, title="Found")
    assert ax.get_xlabel() == f"target position\nloss = {shown}"
    assert (ax.get_ylabel(), ax.get_title()) == ("sentence", "Found")


@pytest.mark.parametrize("columns", [1, 5, 8, 9, 18])
def test_nothing_of_a_loss_grid_is_cut_off(columns):
    losses, mask = torch.ones(3, columns), torch.ones(3, columns, dtype=torch.bool)
    ax = figures.loss_grid(losses, mask, mask, 3 * columns, title="Six")
    assert list(ax.get_xticks()) == list(range(0, columns, 1 if columns <= 8 else 2))
    nothing_is_cut(ax.figure)


@pytest.mark.parametrize("mask", [MASK.T, MASK[:1], MASK[0]])
def test_masks_of_another_shape_are_refused(mask):
    with pytest.raises(ValueError, match=r"must all be \[B, T\], but they are \[2, 4\]"):
        figures.loss_grid(LOSSES, mask, MASK, 3)
    with pytest.raises(ValueError, match=r"must all be \[B, T\]"):
        figures.loss_grid(LOSSES, MASK, mask, 3)


# ---------------------------------------------------------------- weights of an average

SHARES = {"tokens": [0.5, 0.25, 0.25, 0.0], "cells": [0.25, 0.125, 0.025, 0.6]}
PARTS = ["long", "short", "other", "pads"]


def test_stacked_bars_begin_where_the_last_one_ended():
    (ax,) = figures.weight_shares(SHARES, PARTS, title="Found")[0].axes
    bars = [[(b.get_x(), b.get_width()) for b in part.patches] for part in ax.containers]
    for way, values in enumerate(SHARES.values()):
        ends = np.cumsum(values)
        np.testing.assert_allclose([b[way][0] for b in bars], [0, *ends[:-1]], atol=1e-12)
        np.testing.assert_allclose([b[way][1] for b in bars], values, atol=1e-12)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(SHARES)
    low, high = ax.get_ylim()
    assert low > high, "the first way belongs to the top"
    assert ax.get_title() == "Found" and "weights of the part's cells" in ax.get_xlabel()


def test_shares_are_printed_where_there_is_room():
    assert written(figures.weight_shares(SHARES, PARTS)[0].axes[0]) == [
        "0.50", "0.25", "0.25", "0.12", "0.25", "0.60",
    ]  # fmt: skip


def test_parts_differ_in_hatch_and_pads_are_orange():
    (ax,) = figures.weight_shares(SHARES, PARTS)[0].axes
    hatches = [part.patches[0].get_hatch() or "" for part in ax.containers]
    assert len(set(hatches)) == len(PARTS)
    assert to_hex(ax.containers[-1].patches[0].get_facecolor()) == ORANGE
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == PARTS
    nothing_is_cut(ax.figure)


def test_shares_that_do_not_fit_their_parts_are_refused():
    with pytest.raises(ValueError, match="'tokens' has 4 shares for 3 parts"):
        figures.weight_shares(SHARES, PARTS[:3])
    with pytest.raises(ValueError, match="no shares"):
        figures.weight_shares({}, PARTS)


def test_axes_that_are_given_are_drawn_on():
    ax, other = plots.new_axes(), plots.new_axes()
    assert figures.loss_grid(LOSSES, MASK, MASK, 3, ax=ax) is ax
    assert figures.weight_shares(SHARES, PARTS, ax=other)[0] is other.figure and other.containers


# ---------------------------------------------------------------- tables of cells


def grids(ax):
    """What stands in the cells, (x, y) of the middle -> text; and the colours there."""
    middles = {(p.get_x() + 0.5, p.get_y() + 0.5): to_hex(p.get_facecolor()) for p in ax.patches}
    texts = {tuple(t.get_position()): t.get_text() for t in ax.texts}
    return {place: (texts[place], colour) for place, colour in middles.items()}


def all_drawn(figure):
    """Nothing of a drawing without axes lies outside: texts and titles included."""
    figure.draw_without_rendering()
    frame = figure.bbox
    for ax in figure.axes:
        texts = [child for child in ax.get_children() if isinstance(child, Text)]
        for text in texts:
            if text.get_text():
                box = text.get_window_extent()
                inside = frame.x0 <= box.x0 and box.x1 <= frame.x1
                assert inside and frame.y0 <= box.y0 and box.y1 <= frame.y1, text


def test_a_mask_s_cell_shows_the_comparison_that_it_is_made_of():
    figure, _ = figures.lengths_meet_positions([2, 3], 4)
    block = {place: cell for place, cell in grids(figure.axes[0]).items() if "<" in cell[0]}
    assert len(block) == 8
    for words, colour in block.values():
        position, length = map(int, words.split("<"))
        assert (colour == BLUE) == (position < length)
    all_drawn(figure)


def test_what_broadcasting_selects_is_what_masked_select_selects():
    losses, mask = [3.0, 9.0, 4.0], [True, False, True]
    selected = torch.tensor(losses)[:, None].masked_select(torch.tensor(mask))
    left, right = figures.losses_meet_mask(losses, mask)[0].axes
    counted = [float(words) for words, colour in grids(left).values() if colour != WHITE]
    assert sorted(counted) == sorted(selected.tolist())
    meant = [float(words) for words, colour in grids(right).values() if colour == BLUE]
    assert meant == [3.0, 4.0]
    all_drawn(left.figure)


def test_masks_side_by_side_have_their_row_sums():
    right, wrong = MASK[:, :2], MASK[:, :2].T
    figure, _ = figures.mask_beside(right, wrong, ("Right", "Transposed"))
    for ax, mask in zip(figure.axes, (right, wrong), strict=True):
        sums = [text for text in written(ax) if text.startswith("sum ")]
        assert sums == [f"sum {n}" for n in mask.sum(1).tolist()]
        assert f"{int(mask.sum())} cells in all" in written(ax)
    all_drawn(figure)


def test_more_pads_shows_both_averages_before_and_after():
    figure, _ = figures.more_pads(LOSSES, MASK, 3, 8.0)
    fractions = [ax.get_xlabel().split("loss = ")[1] for ax in figure.axes]
    above = ["47.5 / 8 = 5.94 nats", "95.5 / 14 = 6.82 nats"]
    assert fractions == [*above, "7.5 / 3 = 2.50 nats", "7.5 / 3 = 2.50 nats"]
    figure.draw_without_rendering()
    widths = {round(ax.patches[0].get_window_extent().width) for ax in figure.axes}
    assert max(widths) - min(widths) <= 1, "a cell has one size in the whole figure"
    nothing_is_cut(figure)


def test_packing_shows_what_torch_stores():
    words = [["a", "b"], ["c", "d", "e", "f"], ["g"]]
    ids = {word: number for number, word in enumerate("abcdefg", start=1)}
    rows = [torch.tensor([ids[word] for word in row]) for row in words]
    stored = torch.nn.utils.rnn.pack_sequence(rows, enforce_sorted=False)
    ax = figures.packing(words)[0].axes[0]
    lowest = max(y for _, y in grids(ax))
    data = [cell[0].split() for (x, y), cell in sorted(grids(ax).items()) if y == lowest]
    assert [ids[word] for word, _ in data] == stored.data.tolist()
    assert [name for _, name in data] == list("ABCABAA"), "whose word it is, by the sorted order"
    assert [t for t in written(ax) if t.isdigit()] == [str(n) for n in stored.batch_sizes.tolist()]
    all_drawn(ax.figure)


def test_a_table_of_weights_shows_sums_and_nan():
    weights = torch.tensor([[0.25, 0.75, 0.0], [float("nan")] * 3])
    mask = torch.tensor([[True, False, False], [True, True, True]])
    (ax,) = figures.weight_tables({"Found": weights}, mask)[0].axes
    texts = [words for words, _ in grids(ax).values()]
    assert texts == ["0.25", "0.75", "0.00", "nan", "nan", "nan"]
    colours = [colour for _, colour in grids(ax).values()]
    assert colours[:3] == [BLUE, ORANGE, WHITE] and colours[3] not in (BLUE, ORANGE, WHITE)
    assert [t for t in written(ax) if t.startswith("sum")] == ["sum 1.00", "sum nan"]
    all_drawn(ax.figure)


# ---------------------------------------------------------------- the same in words


NAN_ROW = torch.tensor([[0.25, 0.5, 0.25, 0.0], [float("nan")] * 4])


@pytest.mark.parametrize(
    ("drawn", "words"),
    [
        (
            figures.lengths_meet_positions([2, 3], 4),
            "such as 0 < 2, and is blue where it is true: 2, 3",
        ),
        (
            figures.losses_meet_mask([3.0, 9.0, 4.0], [True, False, True]),
            "becomes 3 x 3 cells, of which 6 are selected: each loss 2 times, pads included. "
            "Right: as meant, 3, 4 are selected.",
        ),
        (
            figures.mask_beside(MASK[:, :2], MASK[:, :2].T, ("Right", "Transposed")),
            "row sums 2, 1. Transposed: 3 cells are True, with row sums 2, 1; pads among them: 0.",
        ),
        (
            figures.more_pads(LOSSES, MASK, 3, 8.0),
            "All cells count, 3 PAD columns more: 95.5 / 14 = 6.82 nats. Real tokens count: 7.5",
        ),
        (figures.packing([["a"], ["b", "c"]]), "stand 2, 1, how many sentences still run"),
        (
            figures.weight_tables({"Found": NAN_ROW}, MASK),
            "Found: row sums 1.00, nan, of which 0.25, nan at pads.",
        ),
        (figures.weight_shares(SHARES, PARTS), "pads. tokens: 0.50, 0.25, 0.25, 0.00. cells: 0.25"),
    ],
)
def test_a_figure_brings_words_that_are_made_of_its_numbers(drawn, words):
    assert words in drawn[1]
    assert not any(letter in drawn[1] for letter in "[]{}")


def test_no_cell_of_the_chapter_spells_out_what_its_figure_shows():
    chapter = Path(__file__).parents[3] / "chapters" / "_src" / "ch04_padding_masks.py"
    nodes = ast.walk(ast.parse(chapter.read_text("utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    shows = [call for call in calls if getattr(call.func, "attr", "") == "show"]
    assert len(shows) == 7
    for call in shows:
        assert [type(arg) for arg in call.args] == [ast.Starred], ast.unparse(call)
