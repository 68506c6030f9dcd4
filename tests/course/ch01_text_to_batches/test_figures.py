"""Figures of chapter 1: what is drawn is what was given."""

from matplotlib.patches import Rectangle

from seq2seq_lib.course.ch01_text_to_batches import figures
from seq2seq_lib.vocab import SPECIAL_TOKENS

TOKENS = [*SPECIAL_TOKENS, "une", "autre", "maison"]


def boxes(figure):
    (ax,) = figure.axes
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def words(figure):
    (ax,) = figure.axes
    return [text.get_text() for text in ax.texts]


def test_a_rectangle_has_a_cell_for_each_id_and_hatches_the_pads_alone():
    figure = figures.rectangle([[4, 5, 6, 2], [6, 2, 0, 0]], TOKENS, [4, 2])
    drawn = boxes(figure)
    assert len(drawn) == 8
    hatched = {(box.get_x(), box.get_y()) for box in drawn if box.get_hatch()}
    columns, rows = ({box.get_xy()[axis] for box in drawn} for axis in (0, 1))
    assert hatched == {(x, max(rows)) for x in sorted(columns)[2:]}
    texts = words(figure)
    assert texts.count("<pad>\n0") == 2 and "maison\n6" in texts
    assert {"length 4", "length 2"} <= set(texts)


def test_each_arrow_leads_from_what_is_said_to_where_it_is_read():
    read = [(1, "<bos>"), (4, "une"), (6, "maison")]
    say = [(4, "une"), (6, "maison"), (2, "<eos>")]
    figure = figures.shifted(read, say)
    (ax,) = figure.axes
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == len(read) - 1
    for arrow in arrows:
        (end, above), (start, below) = arrow.xy, arrow.xyann
        assert end - start == boxes(figure)[0].get_width() and above < below


def test_shares_are_drawn_in_percent_over_b():
    figure = figures.waste_by_rows(
        {"shuffled": {2: 0.15, 8: 0.33}, "sorted": {2: 0.001, 8: 0.01}},
        {"formula": {2: 0.25, 8: 0.44}, "B/N": {2: 0.002, 8: 0.004}},
    )
    (ax,) = figure.axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn["shuffled"] == [[2, 15], [8, 33]] and drawn["formula"] == [[2, 25], [8, 44]]
    markers = {line.get_label(): (line.get_marker(), line.get_linestyle()) for line in ax.lines}
    assert len(set(markers.values())) == 4, "colour does not stand alone"
    assert ax.get_xlabel() and "%" in ax.get_ylabel()
