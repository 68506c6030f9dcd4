"""What a notebook has stored of an explorer is what the explorer draws today.

A picture is compared pixel by pixel. It was drawn with the letters of another machine, perhaps:
then nothing is asked of its texts but their words, which are stored beside it.
"""

import ast
import base64
import importlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from website.panels import EXPLORERS, opened_by

from seq2seq_lib.course import assets
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.png import ZOOM, png
from seq2seq_lib.course.explorers.kit.still import Still
from seq2seq_lib.course.explorers.translation_box import explorer_of
from tests.support.pictures import SVG, parsed

CHAPTERS = sorted((Path(__file__).resolve().parents[3] / "chapters").glob("ch*.ipynb"))
NOTE = (0, int(ZOOM * 30))  # rows of the first line of each still, whose words are the same in all
SEEN = 0.15  # of the way from black to white: less is how the edge of a line is smoothed


def stills():
    """Each cell that opens an explorer: the still of today, when called; and the outputs stored."""
    for chapter in CHAPTERS:
        names = {}
        for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            code = "".join(cell["source"])
            if opened := opened_by(code, names):
                yield chapter, opened.name, opened.state, cell["outputs"]
            elif "box(date_reader()," in code:  # of a stored model; others are trained by cells
                call = ast.unparse(ast.parse(code).body[-1])
                yield chapter, "translation_box", call, cell["outputs"]


FOUND = list(stills())
for_every_still = pytest.mark.parametrize(
    ("name", "state", "outputs"),
    [
        pytest.param(
            name, state, outputs, id=f"{chapter.stem[:4]}-{name}-{state.partition('(')[0]}"
        )
        for chapter, name, state, outputs in FOUND
    ],
)


def still_of(name: str, state: str) -> Still:
    if name == "translation_box":  # its state is the call
        return eval(state, {"box": box_still, "date_reader": assets.date_reader})
    return Still.of(importlib.import_module(f"{EXPLORERS}.{name}").EXPLORER, state)


def box_still(*given, **options) -> Still:
    return Still.of(explorer_of(*given, **options), "example")


def pixels(data: bytes) -> np.ndarray:
    """[rows, columns, 3], from 0 to 1."""
    return imread(io.BytesIO(data))[..., :3].copy()


def cover_texts(image: np.ndarray, root, top: float = 0.0) -> None:
    """Lay white paper over each text, and around it as far as wide letters go."""
    for element in root:
        if element.tag == f"{SVG}svg":
            cover_texts(image, element, top + float(element.get("y")))
        elif element.tag == f"{SVG}text":
            size, x = float(element.get("font-size")), float(element.get("x"))
            y, long = top + float(element.get("y")), 0.9 * size * len(element.text or "")
            before = {"start": 0.1 * long, "middle": 0.6 * long, "end": 1.1 * long}
            left = x - before[element.get("text-anchor")]
            rows = slice(max(0, int(ZOOM * (y - 1.2 * size))), int(ZOOM * (y + 0.5 * size)))
            columns = slice(max(0, int(ZOOM * left)), int(ZOOM * (left + 1.2 * long)))
            image[rows, columns] = 1.0


def differing(stored: bytes, picture: str) -> int:
    """How many pixels of a stored picture differ from what is drawn now; -1: its size does."""
    drawn = png(picture)
    if drawn == stored:
        return 0
    before, now = pixels(stored), pixels(drawn)
    if before.shape != now.shape:
        return -1
    if np.abs(before - now)[slice(*NOTE)].max() > SEEN:  # other letters
        for image in (before, now):
            cover_texts(image, parsed(picture))
    return int((np.abs(before - now) > SEEN).any(axis=-1).sum())


def test_every_explorer_has_a_still_in_a_notebook():
    folders = {path.parent.name for path in Path(svg.__file__).parents[1].glob("*/__init__.py")}
    assert {name for _, name, _, _ in FOUND} == folders - {"kit"}


@for_every_still
def test_what_is_stored_is_what_is_drawn_today(name, state, outputs):
    still = still_of(name, state)
    picture, words = (output for output in outputs if output["output_type"] == "display_data")
    html = "".join(words["data"]["text/html"])
    stored = [picture["data"]["image/png"], *re.findall(r'src="data:image/png;base64,(.+?)"', html)]
    drawn = [still.question, still.svg] if still.question else [still.svg]
    again = "build this notebook again: make notebooks"
    assert picture["metadata"]["image/png"]["alt"] == svg.description_of(drawn[0]), again
    assert "".join(words["data"]["text/plain"]) == svg.description_of(still.svg), again
    for one, other in zip(stored, drawn, strict=True):
        assert differing(base64.b64decode(one), other) == 0, again


def test_other_letters_are_no_other_picture_and_another_place_is():
    picture = Still.of(importlib.import_module(f"{EXPLORERS}.mask_loss").EXPLORER, "right").svg
    stored = png(picture)
    assert differing(stored, picture) == 0
    for letters in ("serif", "monospace"):
        elsewhere = picture.replace('font-family="sans-serif"', f'font-family="{letters}"')
        assert np.abs(pixels(stored) - pixels(png(elsewhere))).max() > 0.5
        assert differing(stored, elsewhere) == 0, letters
        (cell,) = re.findall(r'<rect x="40.0" y="\S+" width="46.0"', elsewhere)[:1]
        moved = elsewhere.replace(cell, cell.replace('x="40.0"', 'x="41.0"'))
        assert differing(stored, moved) > 0
    word = re.search('<text x="([0-9.]+)" [^>]*>counts, by its weight<', picture)
    assert differing(stored, picture.replace(word[0], word[0].replace(word[1], "185.0"))) > 0
