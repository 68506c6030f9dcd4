"""Explorers in a real JupyterLab: predict, see the verdict, move, by mouse and by keyboard.

A notebook is cut down to one call. What the pictures must say is computed here, without a browser.
Screenshots go to the folder that ARTIFACTS_DIR names.
"""

import re

import pytest

from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.course.explorers import mask_loss, pad_drift, search_tree
from seq2seq_lib.course.explorers.translation_box import explorer_of
from tests.support import browser

WHY = browser.missing()

pytestmark = [pytest.mark.browser, pytest.mark.skipif(WHY is not None, reason=str(WHY))]

CALL = "from seq2seq_lib.course.explorers.{0} import explore\n\nexplore({1})"
BOX = """\
from seq2seq_lib.course.assets import date_reader
from seq2seq_lib.course.explorers.translation_box import box

box(date_reader(), "4th of August 1999", label="a date", examples=["31 february 1999"])
"""


@pytest.fixture
def opened(lab, chromium, folder, request):
    """Opens a notebook of one cell and runs it; afterwards nothing may have gone wrong."""
    notebooks = []

    def run(cell, **options):
        name = f"{request.node.name.split('[')[0]}.ipynb"
        # cells around it, so that keys which the notebook took would be seen to move its selection
        browser.write_notebook(folder / name, ["1 + 1", cell, "2 + 2"])
        notebook = lab.open(chromium, name, **options)
        notebooks.append(notebook)
        notebook.run_all()
        panel = notebook.panel()
        panel.picture.wait_for()
        return notebook, panel

    yield run
    for notebook in notebooks:
        assert notebook.page.locator(".jp-Notebook .jp-Cell").count() == 3
        assert notebook.errors() == []
        notebook.close()


def picture(module, params, **options):
    return module.draw(module.compute(**params), **options)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_calculator_by_mouse(opened, shots, dark):
    notebook, panel = opened(CALL.format("mask_loss", "'naive'"), dark=dark)
    params = mask_loss.EXPLORER.params("naive")
    panel.shows(picture(mask_loss, params, veiled=True))
    assert panel.root.get_by_role("group", name=re.compile("You add 10 PAD columns")).is_visible()
    before = panel.root.bounding_box()

    panel.button("it gets smaller").click()
    panel.shows(picture(mask_loss, params))
    assert panel.verdict() == (
        "✗ No, not “it gets smaller”. Every new cell counts as data: from 3.60 to 6.53."
    )
    assert panel.button("it gets smaller").get_attribute("aria-pressed") == "true"
    assert panel.root.bounding_box() == before, "nothing jumps"
    panel.button("it gets larger").click()
    assert panel.verdict().startswith("✓ Right. Every new cell")
    notebook.screenshot(shots / f"mask-{'dark' if dark else 'light'}.png", panel.root)

    panel.slider("extra PAD columns").fill("7")
    params["extra_pads"] = 7
    panel.shows(picture(mask_loss, params))
    panel.button("right", group="mask").click()  # another code, another question
    params["mask"] = "right"
    panel.shows(picture(mask_loss, params, veiled=True))
    panel.button("just show me").click()
    for name, value in mask_loss.EXPLORER.all_controls()[1].options.items():
        panel.button(name, group="divide by").click()
        params["divisor"] = value
        panel.shows(picture(mask_loss, params))

    panel.number("length of B").fill("9")
    panel.number("length of B").press("Enter")
    panel.root.get_by_text("9 is not in 1 to 5: it stays 2.").wait_for()
    panel.number("length of B").fill("5")
    panel.number("length of B").press("Enter")
    params["lengths"] = (4, 5, 5)
    panel.shows(picture(mask_loss, params))

    # the page's colours, and ink that differs from paper
    paper = panel.picture.locator("> rect").first.evaluate("e => getComputedStyle(e).fill")
    ink = panel.picture.locator("> text").first.evaluate("e => getComputedStyle(e).fill")
    luminance = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (paper, ink)]
    assert (luminance[0] < luminance[1]) == dark and abs(luminance[0] - luminance[1]) > 500


def test_the_tree_by_keyboard_alone(opened, shots):
    notebook, panel = opened(CALL.format("search_tree", "'greedy'"))
    keys, params = panel.page.keyboard, search_tree.EXPLORER.params("greedy")
    selected = "document.querySelector('.jp-Cell.jp-mod-selected .jp-InputArea').innerText"

    panel.button("b•").focus()
    cell = panel.page.evaluate(selected)

    def predict():
        keys.press("Enter")
        panel.shows(picture(search_tree, params))

    titles = panel.titles_while(predict)
    # the reveal plays from the first step, and the winner is not printed before the end
    firsts = [f"Step {step} of 4" for step in range(4)]
    assert [title.split(":")[0] for title in titles[:-1]] == firsts
    assert titles[-1].startswith("Greedy search writes acb•")
    assert panel.verdict().startswith("✗ No, not “b•”. It writes acb•")
    assert panel.root.locator(".s2s-said").inner_text() != ""

    panel.tab_to(panel.button("all outputs"))
    keys.press("Space")
    params |= {"search": "everything"}
    panel.shows(picture(search_tree, params, veiled=True))
    assert panel.slider("step").is_disabled(), "there is nothing to step through yet"
    panel.button("ab•").focus()
    keys.press("Enter")
    panel.button("pause").wait_for()
    panel.tab_to(panel.button("pause"))
    keys.press("Space")
    panel.button("play").wait_for()
    panel.tab_to(panel.slider("step"))
    for key, step in (("End", 4), ("ArrowLeft", 3), ("Home", 0), ("PageUp", 1), ("End", 4)):
        keys.press(key)
        panel.shows(picture(search_tree, {**params, "step": step}))
    assert panel.slider("step").get_attribute("max") == "4"
    assert panel.page.evaluate(selected) == cell, "no key went to the notebook"
    notebook.screenshot(shots / "tree-keyboard.png", panel.root)


def test_only_the_controls_that_matter_and_those_that_are_free(opened):
    _, panel = opened(CALL.format("search_tree", "'two', lock=['width']"), still=True)
    assert panel.slider("beams, k").is_disabled() and panel.button("all outputs").is_enabled()
    assert panel.button("0.7", group="length penalty α").is_enabled()
    panel.button("beam with a memory").click()
    panel.button("not moved", group="rows of the state").wait_for()
    assert panel.root.get_by_role("group", name="length penalty α").count() == 0
    panel.button("ab•").click()  # less motion: at once at the end
    assert panel.slider("step").input_value() == "4"


@pytest.mark.parametrize(("explorer", "width"), [("pad_drift", 700), ("search_tree", 540)])
def test_a_narrow_page_stacks_and_scrolls_within_the_frame(opened, shots, explorer, width):
    state = {"pad_drift": "neighbours_raw", "search_tree": "stranger"}[explorer]
    notebook, panel = opened(CALL.format(explorer, f"{state!r}"), width=width, still=True)
    panel.button("just show me").click()
    panel.page.wait_for_timeout(300)
    module = {"pad_drift": pad_drift, "search_tree": search_tree}[explorer]
    panel.shows(module.EXPLORER.picture(state))
    side, stage = (panel.root.locator(f".s2s-{part}").bounding_box() for part in ("side", "stage"))
    frame, root = panel.root.locator(".s2s-picture"), panel.root.bounding_box()
    assert stage["y"] >= side["y"] + side["height"], "below each other"
    assert stage["x"] + stage["width"] <= root["x"] + root["width"] <= width
    wide, room = frame.evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert (wide > room) == (width < 560)
    assert (frame.get_attribute("tabindex") == "0") == (wide > room), "scrolled by keyboard, too"
    scale = panel.picture.evaluate("e => e.getBoundingClientRect().width / e.viewBox.baseVal.width")
    assert scale == 1, "text keeps its size"
    notebook.screenshot(shots / f"{explorer}-narrow.png", panel.root)


def test_the_box_answers_while_one_types(opened, shots):
    notebook, panel = opened(BOX)
    reader = date_reader()

    def answer(text):
        return explorer_of(reader, text).picture("example")

    panel.shows(answer("4th of August 1999"))
    field, keys = panel.field("a date"), panel.page.keyboard
    stale = panel.root.get_by_text("This answers the text before.")
    field.click()
    keys.press("ControlOrMeta+a")
    keys.type("aabbddm00xz")  # in command mode these keys make, delete and restart
    stale.wait_for()
    panel.shows(answer("aabbddm00xz"))  # without Enter
    stale.wait_for(state="hidden")
    field.fill("שלום 4 aug <b>2001</b>")
    panel.button("Answer").click()
    panel.shows(answer("שלום 4 aug <b>2001</b>"))
    notebook.screenshot(shots / "box-right-to-left.png", panel.root)
    panel.button("31 february 1999").click()
    panel.shows(answer("31 february 1999"))
    field.fill("   ")
    field.press("Enter")
    panel.shows(answer("   "))
    assert notebook.errors() == []


# ---------------------------------------------------------------- without a panel


@pytest.fixture(scope="module")
def stored(folder):
    """A notebook as it is stored: executed, its widgets taken away."""
    import nbformat
    from nbclient import NotebookClient

    path = folder / "stored.ipynb"
    cells = [CALL.format("mask_loss", "'naive'"), CALL.format("search_tree", "'stranger'")]
    browser.write_notebook(path, cells)
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, kernel_name="python3").execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for output in cell.outputs:
            output["data"].pop("application/vnd.jupyter.widget-view+json", None)
    nbformat.write(notebook, path)
    return path


def test_an_untrusted_notebook_shows_pictures_and_words(lab, chromium, stored, shots):
    notebook = lab.open(chromium, stored.name, run=False)
    images = notebook.page.locator(".jp-RenderedImage img")
    images.nth(1).wait_for()
    assert images.count() == 2 and notebook.panel().root.count() == 0
    assert images.first.evaluate("e => e.naturalWidth > 500 && e.width <= 560")
    visible = notebook.page.locator(".jp-OutputArea").all_inner_texts()
    assert not any("Explorer" in text or "object at" in text for text in visible)
    notebook.page.get_by_text("No buttons above? Decide").first.click()
    notebook.page.get_by_text(re.compile("loss = 3.60 nats per cell")).first.wait_for()
    film = notebook.page.locator("details[open] img").first
    assert film.evaluate("e => e.naturalWidth > 500 && e.width <= 560")
    notebook.screenshot(shots / "untrusted.png")
    assert notebook.errors() == []
    notebook.close()


def test_a_page_of_the_notebook_cuts_nothing_off(chromium, stored, site, shots):
    from nbconvert import HTMLExporter

    folder, address = site
    (folder / "exported.html").write_text(HTMLExporter().from_filename(stored)[0], "utf-8")
    page = chromium.new_page(viewport={"width": 700, "height": 900})
    page.route(lambda url: not url.startswith(address), lambda route: route.abort())
    page.goto(f"{address}/exported.html", wait_until="domcontentloaded")
    images = page.locator(".jp-RenderedImage img")
    assert images.count() == 2
    for number in range(2):
        box = images.nth(number).bounding_box()
        assert box["x"] + box["width"] <= 700
    page.get_by_text("No buttons above? Decide").first.click()
    assert page.get_by_text(re.compile("Three sentences of lengths 4, 2, 5")).first.is_visible()
    box = page.locator("details[open] img").first.bounding_box()
    assert box["width"] > 500 and box["x"] + box["width"] <= 700
    page.screenshot(path=shots / "exported-700.png")
    page.close()
