"""Figures of chapter 10: bars are what they say, and nothing is cut off."""

import pytest
from matplotlib.text import Text

from seq2seq_lib.course.ch10_latent_seq2seq import figures


def all_drawn(figure):
    figure.draw_without_rendering()
    frame = figure.bbox
    for ax in figure.axes:
        for text in (child for child in ax.get_children() if isinstance(child, Text)):
            if text.get_text():
                box = text.get_window_extent()
                assert frame.x0 <= box.x0 and box.x1 <= frame.x1, text
                assert frame.y0 <= box.y0 and box.y1 <= frame.y1, text


def test_a_bar_is_reconstruction_and_kl_one_after_the_other():
    ax = figures.two_terms({"one": (10.0, 0.5, 1), "two": (8.0, 3.0, 200)}, 8.14).axes[0]
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert bars == [(0, 10.0), (10.0, 0.5), (0, 8.0), (8.0, 3.0)]
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, True, False, True]
    texts = [text.get_text().strip() for text in ax.texts]
    assert texts == ["10.5; 1 copy", "11.0; 200 different copies", "entropy 8.14"]
    all_drawn(ax.figure)


def test_no_models_are_refused():
    with pytest.raises(ValueError, match="rows is empty"):
        figures.two_terms({}, 8.14)


def test_the_drawing_of_the_model_is_whole():
    figure = figures.through_a_point()
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("RNN") == 8 and "the same z at every step" in texts
    all_drawn(figure)
