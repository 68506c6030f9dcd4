"""Explorers that take a text: whatever is typed, a picture is well-formed and holds no markup."""

import importlib
import pkgutil
import re

import pytest

from seq2seq_lib.course import explorers
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.controls import Text
from seq2seq_lib.course.explorers.kit.still import Still
from seq2seq_lib.course.explorers.translation_box import explorer_of
from tests.course.explorers.translation_box.test_translation_box import Echo
from tests.support.hostile import SURROGATE, TEXTS
from tests.support.pictures import parsed

FOLDERS = [m.name for m in pkgutil.iter_modules(explorers.__path__) if m.name != "kit"]
MODULES = [importlib.import_module(f"{explorers.__name__}.{name}") for name in FOLDERS]
FOUND = [module.EXPLORER for module in MODULES if hasattr(module, "EXPLORER")]
FIELDS = [
    (explorer, control)
    for explorer in [*FOUND, explorer_of(Echo(), "we sing")]
    for control in explorer.all_controls()
    if isinstance(control, Text)
]
OURS = {"svg", "title", "desc", "rect", "text", "path", "polyline", "circle", "tspan", "g", "line"}
ALL_TEXTS = {**TEXTS, "a lone surrogate": SURROGATE}
for_every_text = pytest.mark.parametrize("text", ALL_TEXTS.values(), ids=ALL_TEXTS.keys())


def tags(picture: str) -> set[str]:
    return {element.tag.rpartition("}")[2] for element in parsed(picture).iter()}


def test_fields_are_found():
    assert len(FIELDS) >= 7


@for_every_text
@pytest.mark.parametrize(
    ("explorer", "field"), FIELDS, ids=[f"{one.name}-{field.name}" for one, field in FIELDS]
)
def test_what_is_typed_is_drawn_as_text_or_refused_in_words(explorer, field, text):
    params = explorer.params(next(iter(explorer.states)))
    params |= {name: values[0] for name, values in field.when.items()}
    try:
        moved = explorer.move(params, field.key, text)
        view = explorer.view(moved)
    except ValueError as error:  # the panel shows it below the field
        assert 10 < len(str(error)) < 300
        return
    for picture in filter(None, (view["open"], view["veiled"])):
        assert tags(picture) <= OURS and len(picture) < 100_000
        assert not re.search(r"<(script|desc><!--|[^>]*\son\w+=)", picture)


@for_every_text
def test_each_piece_of_a_picture_escapes_its_text(text):
    pieces = [
        svg.text(0, 20, text),
        svg.text(0, 40, text, mono=True),
        svg.rect(0, 0, 9, 9, tip=text),
        svg.dot(0, 0, 9, tip=text),
    ]
    picture = svg.picture(300, 100, text, text, pieces)
    root = parsed(picture)
    assert tags(picture) == {"svg", "title", "desc", "rect", "text", "circle"}
    for element in root.iter():
        if element.tag.rpartition("}")[2] in ("title", "desc", "text"):
            # line ends are white space in XML, and what it cannot hold is a mark
            assert re.sub("[\ufffd\r\n]", "", element.text) == re.sub(
                r"[^\t\x20-\ud7ff\ue000-\ufffc\U00010000-\U0010ffff]", "", text
            )


@for_every_text
def test_a_still_is_well_formed_whatever_its_example_is(text):
    if len(text.split()) > 100 or not text.strip():
        pytest.skip("the box has no picture of it")
    try:
        still = Still.of(explorer_of(Echo(), text[:500]), "example")
    except ValueError as error:
        assert 10 < len(str(error)) < 300
        return
    assert tags(still.svg) <= OURS
