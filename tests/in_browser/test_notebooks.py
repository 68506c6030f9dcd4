"""JupyterLab as a reader has it: a chapter opens with its pictures and their words.

Whether chapters run is nbval's business. Screenshots go to the folder that ARTIFACTS_DIR names.
"""

from pathlib import Path

import nbformat
import pytest

from tests.support import browser

ROOT = Path(__file__).resolve().parents[2]
WHY = browser.missing()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(WHY is not None, reason=str(WHY)),
]

FIGURE = """\
from seq2seq_lib import plots

ax = plots.loss_curves([1.2, 0.5, 0.2], [1.0, 0.6, 0.4])
plots.show(ax.figure, "The loss falls.")
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_stored_chapter_opens_with_all_its_pictures(lab, chromium, shots, dark):
    name = "ch00_start_here"
    notebook = lab.open(chromium, f"{name}.ipynb", dark=dark, run=False)
    page = notebook.page
    assert page.get_by_role("heading", level=1).first.text_content().startswith("0. Start here")
    assert page.locator(".jp-RenderedMarkdown h2").count() >= 6
    assert page.locator(".jp-RenderedMarkdown table").count() >= 1

    figures = page.locator(".jp-RenderedImage img")
    in_sight = [  # what is folded is not drawn before somebody opens it
        output.get("data", {})
        for cell in nbformat.read(ROOT / "chapters" / f"{name}.ipynb", as_version=4).cells
        if not cell.metadata.get("jupyter", {}).get("outputs_hidden")
        for output in cell.get("outputs", [])
    ]
    assert figures.count() == sum("image/png" in data for data in in_sight) >= 3
    # an explorer is a picture here, with its words below
    words = sum("No buttons above?" in "".join(data.get("text/html", "")) for data in in_sight)
    assert page.get_by_text("No buttons above?").count() == words >= 1
    page.wait_for_function(
        """() => [...document.querySelectorAll('.jp-RenderedImage img')]
                   .every(image => image.complete && image.naturalWidth > 100)"""
    )
    theme = "dark" if dark else "light"
    notebook.screenshot(shots / f"{name}-{theme}-top.png")
    for number in range(figures.count()):
        notebook.screenshot(shots / f"{name}-{theme}-{number}.png", figures.nth(number))
    assert notebook.errors() == []
    notebook.close()


def test_figures_are_shown_with_their_words(lab, chromium, folder, shots):
    browser.write_notebook(folder / "figure.ipynb", [FIGURE])
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


def test_lines_of_a_solution_stay_whole_on_a_narrow_page(lab, chromium, folder, shots):
    cell = 'from seq2seq_lib.course import solution\n\nsolution("4.8b")'
    browser.write_notebook(folder / "solution.ipynb", [cell])
    notebook = lab.open(chromium, "solution.ipynb", width=500)
    notebook.run_all()
    code = notebook.page.locator(".jp-OutputArea-output pre").filter(has_text="def test_patient")
    code.wait_for()
    high = "pre => pre.clientHeight / parseFloat(getComputedStyle(pre).lineHeight)"
    assert round(code.evaluate(high)) == len(code.text_content().splitlines())
    code.focus()
    notebook.page.keyboard.press("ArrowRight")
    notebook.page.wait_for_function("pre => pre.scrollLeft > 0", arg=code.element_handle())
    notebook.screenshot(shots / "solution-narrow.png", code)
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
