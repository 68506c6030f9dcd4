"""The drawn batch holds each character, its ends and its pads."""

import pytest

from seq2seq_lib.course.ch00_start_here import figures


def test_a_batch_is_drawn_cell_by_cell():
    (ax,) = figures.batch(["ab", "c"], 4).axes
    assert [text.get_text() for text in ax.texts] == ["a", "b", "end", "c", "end"]
    hatched = [(p.get_x() + p.get_width() / 2, p.get_y()) for p in ax.patches if p.get_hatch()]
    assert len(ax.patches) == 8
    assert sorted((round(x), round(y + 0.45)) for x, y in hatched) == [(2, 1), (3, 0), (3, 1)]


def test_a_source_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="width is 2, but the longest source and its end need 3"):
        figures.batch(["ab", "c"], 2)
