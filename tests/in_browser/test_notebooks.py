"""JupyterLab as a reader has it: a chapter opens with its pictures, and its explorers answer.

The explorers run in notebooks cut down to what they need, with models that nobody trained: whether
chapters run is nbval's business. Screenshots go to the folder that ARTIFACTS_DIR names.
"""

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.support import browser

ROOT = Path(__file__).resolve().parents[2]
WHY = browser.missing()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(WHY is not None, reason=str(WHY)),
]

MODEL = """\
from seq2seq_lib.corpora import dates, normalise_date_text
from seq2seq_lib.runtime import seed_everything
from seq2seq_lib.seq2seq import Seq2Seq, Seq2SeqConfig
from seq2seq_lib.translate import Translator
from seq2seq_lib.vocab import Vocab

seed_everything(0)
corpus = dates(num_train=200, num_valid=1, num_test=1)
src_vocab = Vocab.build(pair.source for pair in corpus.train)
tgt_vocab = Vocab.build(pair.target for pair in corpus.train)
model = Seq2Seq(Seq2SeqConfig(len(src_vocab), len(tgt_vocab), 8, 16)).eval()
read_date = Translator(model, src_vocab, tgt_vocab, normalise_date_text, "".join)
"""
BOX = """\
from seq2seq_lib.course.explorers.translation_box import box

box(read_date, "4th of August 1999", label="a date")
"""

FIGURE = """\
from seq2seq_lib import plots

ax = plots.loss_curves([1.2, 0.5, 0.2], [1.0, 0.6, 0.4])
plots.show(ax.figure, "The loss falls.")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the server serves: copies, because JupyterLab saves what it opens."""
    folder = tmp_path_factory.mktemp("notebooks")
    for notebook in (ROOT / "chapters").glob("*.ipynb"):
        shutil.copy(notebook, folder)
    browser.write_notebook(folder / "box.ipynb", [MODEL, BOX])
    browser.write_notebook(folder / "figure.ipynb", [FIGURE])
    return folder


def expected_description(text: str) -> str:
    """What the box must show, computed here, where there is no browser."""
    from seq2seq_lib.course.explorers.translation_box import compute, draw

    names: dict = {}
    exec(MODEL, names)
    return ET.fromstring(draw(compute(names["read_date"], text)))[1].text


def test_translation_box_answers_to_mouse_and_keyboard(lab, chromium, shots):
    notebook = lab.open(chromium, "box.ipynb")
    notebook.run_all()
    field = notebook.field("a date")
    assert field.input.input_value() == "4th of August 1999"
    example = field.described("Input: 4th of August 1999.")
    assert example == expected_description("4th of August 1999")
    notebook.screenshot(shots / "box-example.png", field.input)

    field.enter("monday, 3 may 2021")  # click, type, Enter
    answer = field.described("Input: monday, 3 may 2021.")
    assert answer == expected_description("monday, 3 may 2021") != example
    assert field.picture.count() == 1, "the new picture replaces the old one"
    notebook.screenshot(shots / "box-answer.png", field.input)

    field.leave("1 € 猫")  # type, Tab
    assert field.described("Input: 1 € 猫.") == expected_description("1 € 猫")
    field.says("Never seen in training")

    field.enter("   ")
    field.says("Type something first: the box is empty.")
    notebook.screenshot(shots / "box-empty.png", field.input)

    field.enter("4th of August 1999")  # it is not worn out
    assert field.described("Input: 4th of August 1999.") == example
    assert notebook.errors() == []
    notebook.close()


def test_typing_in_the_box_does_not_trigger_shortcuts_of_the_notebook(lab, chromium):
    notebook = lab.open(chromium, "box.ipynb")
    notebook.run_all()
    cells = notebook.page.locator(".jp-Notebook .jp-Cell")
    assert cells.count() == 2
    # in command mode a and b make cells, dd deletes one, m makes it text, 0 0 restarts
    notebook.field("a date").enter("aabbddm00xz")
    notebook.field("a date").described("Input: aabbddm00xz.")
    assert cells.count() == 2
    assert notebook.page.locator(".jp-CodeCell").count() == 2
    assert notebook.errors() == []
    notebook.close()


def test_translation_box_is_readable_in_the_dark(lab, chromium, shots):
    notebook = lab.open(chromium, "box.ipynb", dark=True)
    notebook.run_all()
    field = notebook.field("a date")
    field.described("Input: 4th of August 1999.")
    paper = field.picture.locator("> rect").first
    assert paper.get_attribute("fill") == "#ffffff"
    assert paper.bounding_box()["width"] >= 500
    # the label stands on the page: it must not have the page's colour
    colours = field.input.evaluate(
        """input => {
             const label = document.querySelector(`label[for="${input.id}"]`);
             return [getComputedStyle(label).color, getComputedStyle(document.body).backgroundColor]
           }"""
    )
    assert colours[0] != colours[1]
    notebook.screenshot(shots / "box-dark.png", field.input)
    assert notebook.errors() == []
    notebook.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_stored_chapter_opens_with_all_its_pictures(lab, chromium, shots, dark):
    name = "ch00_start_here"
    notebook = lab.open(chromium, f"{name}.ipynb", dark=dark, run=False)
    page = notebook.page
    assert page.get_by_role("heading", level=1).first.text_content().startswith("0. Start here")
    assert page.locator(".jp-RenderedMarkdown h2").count() >= 6
    assert page.locator(".jp-RenderedMarkdown table").count() >= 1

    figures = page.locator(".jp-RenderedImage img")
    stored = (ROOT / "chapters" / f"{name}.ipynb").read_text("utf-8")
    assert figures.count() == stored.count('"image/png": "') >= 3
    # JupyterLab draws no SVG in a notebook that it does not trust: there are words in its place
    box = page.locator(".jp-RenderedText").filter(has_text="TranslationBox")
    assert box.count() == stored.count('"image/svg+xml": [') >= 1
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-RenderedImage img')]
                   .every(image => image.complete && image.naturalWidth > 100)"""
    )
    theme = "dark" if dark else "light"
    notebook.screenshot(shots / f"{name}-{theme}-top.png")
    for number in range(figures.count()):
        notebook.screenshot(shots / f"{name}-{theme}-{number}.png", figures.nth(number))
    notebook.screenshot(shots / f"{name}-{theme}-box.png", box.first)
    assert notebook.errors() == []
    notebook.close()


def test_figures_are_shown_with_their_words(lab, chromium, shots):
    notebook = lab.open(chromium, "figure.ipynb")
    notebook.run_all()
    notebook.page.locator(".jp-RenderedImage img").wait_for()
    words = notebook.page.get_by_text("The loss falls.", exact=True)
    assert not words.is_visible(), "folded, so that sighted readers are not told twice"
    notebook.page.get_by_text("The figure in words").click()
    words.wait_for()
    notebook.screenshot(shots / "figure-in-words.png", words)
    assert notebook.errors() == []
    notebook.close()


def test_an_error_in_a_cell_is_seen_by_these_tests(lab, chromium, folder):
    cells = ["import sys; print('a warning', file=sys.stderr)", "1 / 0"]
    browser.write_notebook(folder / "broken.ipynb", cells)
    notebook = lab.open(chromium, "broken.ipynb")
    notebook.run_all()
    notebook.page.get_by_text("ZeroDivisionError").first.wait_for()
    assert len(notebook.errors()) == 2
    notebook.page.evaluate("setTimeout(() => { throw new Error('on the page') }, 0)")
    notebook.page.wait_for_function("() => true")
    assert any("on the page" in error for error in notebook.errors())
    notebook.close()
