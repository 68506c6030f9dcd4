"""Figures of chapter 3: the unrolled machine, where a state is read, what fails with length."""

import math

import pytest

from seq2seq_lib.course.ch03_encoder_decoder import figures

STATES = [[3, 31, 314, 3140, 31400], [2, 27, 271, 2718, 27182], [5, 50, 500, 5000, 50000]]


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_the_unrolled_machine_feeds_each_output_back():
    figure = figures.unrolled(["3", "1", "4"], ["3", "31", "314"], ["4", "1", "3"])
    (ax,) = figure.axes
    shown = texts(ax)
    for word in ("314", "the bridge", "BOS", "s1", "s3"):
        assert word in shown
    assert shown.count("4") == 3, "read, said, and fed back"
    thick = [patch for patch in ax.patches if patch.get_linewidth() > 2]
    assert len(thick) == 1, "the state at the bridge stands out"


def test_each_way_frames_one_state_a_row_and_hatches_pads():
    picks = {"last column": [4, 4, 4], "length - 2": [1, 3, -1]}
    figure = figures.where_it_is_read(STATES, [3, 5, 1], picks)
    for ax, columns in zip(figure.axes, picks.values(), strict=True):
        framed = [p for p in ax.patches if p.get_linewidth() > 2]
        assert len(framed) == 3
        assert sum(bool(p.get_hatch()) for p in ax.patches) == 15 - 9
        bold = [t.get_text() for t in ax.texts if t.get_weight() == "bold"]
        assert bold == [str(row[c]) for row, c in zip(STATES, columns, strict=True)]


def test_no_state_is_framed_behind_the_last_column():
    picks = {"length: IndexError": [3, 5, 1], "length - 1": [2, 4, 0]}
    ax, _ = figures.where_it_is_read(STATES, [3, 5, 1], picks).axes
    bold = [t.get_text() for t in ax.texts if t.get_weight() == "bold"]
    assert bold == ["3140", "50"], "torch raises IndexError for the longest row"


def test_nats_become_shares_of_what_a_string_holds():
    missing = {"GRU": {3: 0.0, 11: 11 * math.log(10)}}
    left, other = figures.by_length({"GRU": {3: 1.0, 11: 0.0}}, missing).axes
    assert list(left.lines[0].get_ydata()) == [1, 0]
    assert list(other.lines[0].get_ydata()) == pytest.approx([1, 0])
    assert left.get_xlabel() and other.get_ylabel()


def test_places_are_counted_from_one():
    (ax,) = figures.by_place({"GRU, context": [0.9, 0.5], "LSTM, context": [0.9, 0.8]}).axes
    assert [list(line.get_xdata()) for line in ax.lines] == [[1, 2], [1, 2]]
    assert len({line.get_linestyle() for line in ax.lines}) == 2, "colour is never alone"


def test_a_model_looks_the_same_in_all_charts():
    name, points = "LSTM, context", {3: 1.0, 4: 0.5}
    left, other = figures.by_length({"GRU, context": points, name: points}, {name: points}).axes
    (place,) = figures.by_place({name: [1.0, 0.5]}).axes
    lines = left.lines[1], other.lines[0], place.lines[0]
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}) == 1
