"""The figures of chapter 2 show what they are given."""

import pytest

from seq2seq_lib.course.ch02_gru_and_lstm_gates import figures


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_lines_are_relative_to_the_last_step_and_can_be_told_apart():
    figure = figures.gradient_lines({"a": [1.0, 2.0, 4.0], "b": [8.0, 4.0, 2.0]})
    (ax,) = figure.axes
    one, two = ax.get_lines()
    assert list(one.get_ydata()) == [0.25, 0.5, 1.0] and list(two.get_ydata()) == [4.0, 2.0, 1.0]
    assert list(one.get_xdata()) == [1, 2, 3] and ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    styles = {(colour, dash) for colour, dash in figures.STYLES}
    assert len(styles) == len(figures.STYLES)


def test_more_lines_than_can_be_told_apart_are_refused():
    with pytest.raises(ValueError, match="At most 6"):
        figures.gradient_lines({str(n): [1.0, 1.0] for n in range(7)})


def test_the_ends_of_the_rows_are_h_n():
    figure = figures.what_comes_out(5)
    found = {text.get_text(): text.get_position()[0] for ax in figure.axes for text in ax.texts}
    ends = {name: x for name, x in found.items() if name.startswith("h_n[")}
    assert ends == {"h_n[0]": 4.5, "h_n[1]": 0.5, "h_n[2]": 4.5, "h_n[3]": 0.5}


def test_after_the_product_rows_are_scaled_and_before_it_columns():
    shown = texts(figures.rows_or_columns([[1, -1], [2, -2]], [0.5, 0.25]))
    numbers = [text for text in shown if text.lstrip("-").replace(".", "").isdigit()]
    assert numbers == [
        *("1", "-1", "2", "-2"),
        *("0.5", "-0.5", "0.5", "-0.5"),
        *("0.5", "-0.25", "1", "-0.5"),
    ]
