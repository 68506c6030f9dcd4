"""The figures show the numbers that they are given."""

import pytest

from seq2seq_lib.course.ch06_teacher_forcing import figures


def words(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def test_the_loops_differ_in_one_arrow_and_in_what_is_read():
    figure = figures.two_loops(["a", "d", "•"], ["a", "b", "d"])
    training, inference = figure.axes
    assert [w for w in words(training) if w in ("BOS", "a", "d")] == ["BOS", "a", "d"]
    said = [w for w in words(inference) if not w.startswith("step")]
    assert said == ["BOS", "a", "a", "b", "b", "d"]  # read, said at each step

    def arrows(ax):
        colours = [t.arrow_patch.get_edgecolor() for t in ax.texts if hasattr(t, "arrow_patch")
                   and t.arrow_patch is not None]  # fmt: skip
        return len(colours), len(set(colours))

    assert arrows(inference)[0] - arrows(training)[0] == 2 and arrows(inference)[1] == 2
    with pytest.raises(ValueError, match="must agree"):
        figures.two_loops(["a"], [])


def test_bars_are_means_and_points_are_seeds():
    rows = {"x, plain": ([0.2, 0.4], [0.1, 0.5]), "y, plain": ([1.0, 0.8], [0.0, 0.2])}
    ax = figures.slips(rows).axes[0]
    assert [round(bar.get_height(), 2) for bar in ax.patches] == [0.3, 0.3, 0.9, 0.1]
    assert [list(line.get_ydata()) for line in ax.lines] == [
        [0.2, 0.4],
        [0.1, 0.5],
        [1.0, 0.8],
        [0.0, 0.2],
    ]
    assert bool(ax.patches[0].get_hatch()) != bool(ax.patches[1].get_hatch())


def test_ratios_are_drawn_as_given():
    ax = figures.ratios({"one": [1.0, 0.5], "two": [0.2, 0.1]}).axes[0]
    assert [list(line.get_ydata()) for line in ax.lines] == [[1.0, 0.5], [0.2, 0.1]]
    assert len({line.get_linestyle() for line in ax.lines}) == 2
    five = figures.ratios({name: [0.5] for name in "abcde"}).axes[0].lines
    assert [line.get_label() for line in five] == list("abcde")
    assert len({line.get_color() for line in five}) == 5


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: figures.two_loops([], []), "gold is empty"),
        (lambda: figures.slips({}), "no model"),
        (lambda: figures.slips({"a": ([], [])}), "lists of accuracies"),
        (lambda: figures.slips({"a": ([0.5], [float("nan")])}), "lists of accuracies"),
        (lambda: figures.slips({"a": ([1.5], [0.5])}), "lists of accuracies"),
        (lambda: figures.ratios({}), "no line"),
        (lambda: figures.ratios({"a": [1.0, 1.5]}), "'a' at step 1 is 1.5"),
        (lambda: figures.ratios({"a": [-0.1]}), "'a' at step 0 is -0.1"),
        (lambda: figures.ratios({"a": [float("nan")]}), "'a' at step 0 is nan"),
    ],
)
def test_bad_input_is_refused_with_what_came_and_what_is_wanted(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()
