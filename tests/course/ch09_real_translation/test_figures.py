"""The figures show the numbers that they are given."""

import torch

from seq2seq_lib.course.ch09_real_translation import figures
from seq2seq_lib.course.ch09_real_translation.measured import Width


def test_intervals_end_where_they_are_told():
    figure = figures.intervals({"a": (3.0, 1.0, 4.0)}, {"a → b": (2.0, 0.5, 5.0)})
    left, right = figure.axes
    assert list(left.lines[0].get_xdata()) == [1.0, 4.0] and list(left.lines[1].get_xdata()) == [3]
    assert list(right.lines[0].get_xdata()) == [0.5, 5.0]
    assert [label.get_text() for label in right.get_yticklabels()] == ["a → b"]
    assert list(right.lines[-1].get_xdata()) == [0, 0]  # the line of no gain


def test_shares_are_bars_with_their_numbers_of_sentences():
    bands = [("never", 0.0, 74), ("often", 0.75, 500)]
    (ax, other) = figures.shares({"one": bands, "two": bands[:1]}).axes
    assert [bar.get_height() for bar in ax.patches] == [0.0, 0.75] and len(other.patches) == 1
    assert [label.get_text() for label in ax.get_xticklabels()] == ["never\n(74)", "often\n(500)"]


def test_a_circle_stands_at_each_link():
    weights = torch.tensor([[0.9, 0.1], [0.2, 0.8]])
    ax = figures.attention(weights, ["a", "b"], ["x", "y"], [{0, 1}, set()]).axes[0]
    assert sorted((line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines) == [
        (0, 0),
        (1, 0),
    ]
    assert ax.images[0].get_array().shape == (2, 2)


def test_a_search_is_a_line():
    ax = figures.searches(
        {
            "p 0": [Width(1, 70.0, 0.0, 0.0), Width(5, 71.0, -1.0, 2.0)],
            "p 1": [Width(1, 70.0, 0.0, 0.0), Width(5, 73.0, 1.0, 4.0)],
        }
    ).axes[0]
    greedy, *lines = ax.lines
    assert set(greedy.get_ydata()) == {70.0}
    assert [list(line.get_ydata()) for line in lines] == [[70.0, 71.0], [70.0, 73.0]]
    bars = [[list(part[:, 1]) for part in bars.get_segments()] for bars in ax.collections]
    assert bars == [[[70, 70], [69, 72]], [[70, 70], [71, 74]]], "gains over greedy, set upon it"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "5"]
