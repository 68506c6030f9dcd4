"""Chapters where nothing runs, as GitHub shows them or a page of nbconvert: pictures and words.

nbconvert's plainest template stands for such places; scripts and styles are taken out of its page.
"""

import base64
import html
import io
import json
import re
import warnings
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.image import imread
from nbconvert import HTMLExporter
from website import panels

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("ch*.ipynb"))
LIVE = ("object at 0x", "Widget", "anywidget", "Explorer(", "<Figure")  # what stands for no picture


class Page(HTMLParser):
    """What is seen of a page, and what is said of its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen, self.said, self.inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        if tag in ("script", "style"):
            self.inside.append(tag)
        if tag == "img":
            self.said.append(dict(pairs).get("alt") or "")

    def handle_endtag(self, tag):
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data):
        if not self.inside:
            self.seen.append(data)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_is_whole_where_nothing_runs(chapter):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an output without data stands before what is folded
        text = HTMLExporter(template_name="basic").from_filename(str(chapter))[0]
    page, names = Page(text), {}
    seen = " ".join(" ".join(page.seen).split())
    assert [word for word in LIVE if word in seen] == []
    for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        outputs = [output for output in cell["outputs"] if output.get("data")]
        for output in outputs:
            if "image/png" in output["data"]:
                alt = output["metadata"]["image/png"]["alt"]
                assert len(alt) > 20 and alt in page.said, "a picture with its words"
        if panels.opened_by("".join(cell["source"]), names):
            picture, words = outputs
            assert "image/png" in picture["data"], "an explorer is seen as a picture"
            folded = html.unescape(re.sub("<[^>]*>", " ", "".join(words["data"]["text/html"])))
            assert "No buttons above?" in folded and " ".join(folded.split()) in seen


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_word_of_a_picture_is_cut_off(chapter):
    for number, cell in enumerate(json.loads(chapter.read_text(encoding="utf-8"))["cells"]):
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                pixels = imread(io.BytesIO(base64.b64decode(png)))  # RGB or RGBA, 0 to 1
                alpha = pixels[..., 3:] if pixels.shape[2] == 4 else 1.0
                ink = (1 - pixels[..., :3]).max(2, keepdims=True) * alpha
                edges = [float(edge.max()) for edge in (ink[0], ink[-1], ink[:, 0], ink[:, -1])]
                # the frame of an explorer's question leaves a shade, 0.2
                assert max(edges) < 0.5, f"cell {number}: something goes on outside its picture"
