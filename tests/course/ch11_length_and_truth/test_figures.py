"""The figure shows the numbers that it is given."""

from seq2seq_lib.course.ch11_length_and_truth import figures


def test_a_panel_a_measure_and_a_line_a_seed():
    rows = {"tokens": {1: (7.0, 8.0), 50: (2.0, 5.0)}, "BLEU": {1: (9.0, 10.0), 50: (0.1, 7.0)}}
    tokens, bleu = figures.by_width(rows, 7.4).axes
    assert [list(line.get_ydata()) for line in tokens.lines[:2]] == [[7.0, 2.0], [8.0, 5.0]]
    assert list(tokens.lines[2].get_ydata()) == [7.4, 7.4] and len(bleu.lines) == 2
    assert [list(line.get_ydata()) for line in bleu.lines] == [[9.0, 0.1], [10.0, 7.0]]
    assert [list(line.get_xdata()) for line in bleu.lines] == [[1, 50]] * 2
    assert (tokens.get_ylabel(), bleu.get_ylabel()) == ("tokens", "BLEU")
    assert len({line.get_marker() for line in bleu.lines}) == 2
