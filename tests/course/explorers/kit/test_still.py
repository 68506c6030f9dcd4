"""What is stored for readers who run nothing: a picture, and words that are true everywhere."""

import base64
import re
import struct
from dataclasses import replace

import pytest

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.panel import Panel
from seq2seq_lib.course.explorers.kit.png import ZOOM, png
from seq2seq_lib.course.explorers.kit.still import Still
from tests.course.explorers.kit.toy import WALK
from tests.support.pictures import SVG, parsed, words


def frames(still):
    return [
        frame.find(f"{SVG}title").text for frame in parsed(still.svg) if frame.tag == f"{SVG}svg"
    ]


def test_the_film_begins_with_the_state_that_was_asked_for():
    assert frames(Still.of(WALK, "square")) == ["square 2 1 (0, 1)", "triangle 2 0 (0, 1)"]
    assert frames(Still.of(WALK, "triangle")) == ["triangle 2 0 (0, 1)", "square 2 1 (0, 1)"]
    shown = words(parsed(Still.of(WALK, "triangle").svg))
    assert "1. A triangle" in shown and "2. A square" in shown


def test_a_state_that_is_not_in_the_film_stands_alone():
    still = Still.of(WALK, "large")
    assert frames(still) == ["square 9 1 (0, 1)"]
    assert "A large square" in words(parsed(still.svg))


def test_frames_lie_below_each_other_and_within_the_picture():
    root, bottom = parsed(Still.of(WALK, "square").svg), 0.0
    for frame in root.iter(f"{SVG}svg"):
        if frame.get("y"):
            assert float(frame.get("y")) >= bottom
            bottom = float(frame.get("y")) + float(frame.get("height"))
    assert 0 < bottom <= float(root.get("height"))


def test_the_png_is_the_svg():
    data = png(WALK.picture("square"))
    assert data.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height) == (svg.WIDTH * ZOOM, 40 * ZOOM)
    assert data != png(WALK.picture("large")), "not an empty one"


@pytest.mark.parametrize("live", [False, True])
def test_a_picture_is_stored_with_its_words_and_no_address(monkeypatch, live):
    shown = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **options: shown.append((data, options))
    )
    still = Still.of(WALK, "square")
    one = Panel(WALK, "square", frozenset()) if live else still
    one._ipython_display_()
    (picture, options), (details, more) = shown
    assert options["raw"] and more["raw"], "or nothing of it would be shown as what it is"
    assert ("application/vnd.jupyter.widget-view+json" in picture) == live
    assert "image/svg+xml" not in picture, "pages made of the notebook would cut it off"
    assert base64.b64decode(picture["image/png"]) == png(still.question)
    assert options["metadata"]["image/png"]["width"] == svg.WIDTH
    assert options["metadata"]["image/png"]["alt"] == svg.description_of(still.question)
    assert picture["text/plain"] == (
        "Walk: an interactive figure, live where a kernel runs this cell."
    )
    for words_ in ("the page draws no widgets", "square 2 1 (0, 1)", "triangle 2 0 (0, 1)"):
        assert words_ in details["text/html"]
    (film,) = re.findall(r'src="data:image/png;base64,([^"]+)"', details["text/html"])
    assert base64.b64decode(film) == png(still.svg)


def test_the_question_stands_before_the_answer_also_where_nothing_runs():
    view = WALK.view(WALK.params("square"))
    still = Still.of(WALK, "square")
    seen = " ".join(words(parsed(still.question)))
    assert view["question"]["asks"] in seen
    assert all(answer["text"] in seen for answer in view["question"]["answers"])
    assert view["why"] not in still.question and WALK.states["square"].caption not in seen


def test_where_nothing_is_asked_the_film_is_seen_at_once(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    still = Still.of(replace(WALK, question=None), "square")
    still._ipython_display_()
    assert still.question == "" and "<img" not in shown[1]["text/html"]
    assert base64.b64decode(shown[0]["image/png"]) == png(still.svg)


def test_the_words_of_a_reader_are_no_markup(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **options: shown.append(data))
    picture = svg.picture(560, 40, "t", "<script>alert(1)</script>", [])
    Still("Walk", picture)._ipython_display_()
    assert "<script>" not in shown[1]["text/html"] and "&lt;script&gt;" in shown[1]["text/html"]
