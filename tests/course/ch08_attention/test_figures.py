"""The figures of chapter 8 show the data that they are given."""

import pytest

from seq2seq_lib.course.ch08_attention import figures


def test_a_line_for_each_seed_with_the_points_that_were_given():
    without, attending = ((1.0, 0.5, 0.2), (0.9, 0.4, 0.1)), ((1.0, 0.9, 0.8), (1.0, 0.9, 0.7))
    figure, words = figures.by_length(("2", "5", "9"), without, attending)
    (ax,) = figure.axes
    assert [tuple(line.get_ydata()) for line in ax.lines] == [*without, *attending]
    assert [line.get_linestyle() for line in ax.lines] == ["--", "--", "-", "-"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["one vector", "attention"]
    assert "One vector: 0.90 to 1.00 at 2, 0.40 to 0.50 at 5, 0.10 to 0.20 at 9 digits." in words
    assert "Attention: 1.00 to 1.00 at 2, 0.90 to 0.90 at 5, 0.70 to 0.80 at 9 digits." in words


def test_a_curve_of_another_length_is_refused():
    with pytest.raises(ValueError, match="needs 2 points, one a length, but one has 1"):
        figures.by_length(("2", "9"), ((1.0,),), ())


def test_only_the_order_before_has_an_arrow_from_the_context_back():
    before, after = figures.two_orders().axes

    def downwards(ax):
        arrows = [t for t in ax.texts if getattr(t, "arrow_patch", None) is not None]
        return [a for a in arrows if a.xy[1] < a.xyann[1] - 0.2 and a.xyann[0] > 0.5]

    assert len(downwards(before)) == 1 and downwards(after) == []
