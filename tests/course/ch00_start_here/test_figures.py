"""The drawn batch holds its characters, ends and pads; the sketch of the model its parts."""

import pytest

from seq2seq_lib.course.ch00_start_here import figures
from seq2seq_lib.course.explorers.kit import svg
from tests.support.pictures import SVG, of_class, parsed, unreadable, words


def test_a_batch_is_drawn_cell_by_cell():
    (ax,) = figures.batch(["ab", "c"], 4).axes
    assert [text.get_text() for text in ax.texts] == ["a", "b", "end", "c", "end"]
    hatched = [(p.get_x() + p.get_width() / 2, p.get_y()) for p in ax.patches if p.get_hatch()]
    assert len(ax.patches) == 8
    assert sorted((round(x), round(y + 0.45)) for x, y in hatched) == [(2, 1), (3, 0), (3, 1)]


def test_a_source_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="width is 2, but the longest source and its end need 3"):
        figures.batch(["ab", "c"], 2)


def test_the_model_is_drawn_at_one_step_with_who_builds_its_parts():
    picture = figures.model({"encoder": 3, "attention": 8})
    root = parsed(picture)
    symbols = len(figures.SOURCE) + 1
    assert len(of_class(root, "vector")) == len(of_class(root, "source")) == symbols
    assert len(of_class(root, "target")) == symbols and len(of_class(root, "now")) == 1
    said = words(root)
    assert [w for w in said if w.startswith("chapter")] == ["chapter 3", "chapter 8"]
    row = [
        t.text for t in root.iter(f"{SVG}text") if float(t.get("y")) == figures.ROWS["target"] + 18
    ]
    assert "".join(row) == figures.TARGET[: figures.STEP + 1] == "1999-05"
    assert "has written 1999-0 and now writes 5" in svg.description_of(picture)
    assert "goes to y" in svg.description_of(picture) and unreadable(root) == []


def test_a_part_that_the_model_lacks_is_refused():
    with pytest.raises(ValueError, match=r"no part loss\. Valid: source, encoder, memory"):
        figures.model({"loss": 5})
