"""The same panel on a plain page, without a kernel: the pictures come from a table.

The page is what a site would be: the module, the style, one table for each explorer.
"""

import gzip
from pathlib import Path

import pytest

from seq2seq_lib.course.explorers import mask_loss, pad_drift, search_tree
from seq2seq_lib.course.explorers.kit import table
from tests.support import browser

WHY = browser.missing()

pytestmark = [pytest.mark.browser, pytest.mark.skipif(WHY is not None, reason=str(WHY))]

STATES = {"mask_loss": "naive", "pad_drift": "no_pads", "search_tree": "three"}
EXPLORERS = {e.name: e for e in (mask_loss.EXPLORER, pad_drift.EXPLORER, search_tree.EXPLORER)}
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><title>{title}</title><link rel="stylesheet" href="panel.css">
<div id="here"></div>
<script type="module">
import {{ open_static }} from "./panel.js";
const table = await (await fetch("{name}.json")).json();
const state = new URLSearchParams(location.search).get("state");
open_static(document.getElementById("here"), {{ title: "{title}", state, lock: [] }}, table);
</script></html>
"""


@pytest.fixture(scope="module")
def pages(site):
    """The address of a page for each explorer."""
    folder, address = site
    kit = Path(table.__file__).parent
    for name in ("panel.js", "panel.css"):
        (folder / name).write_bytes((kit / name).read_bytes())
    for name, explorer in EXPLORERS.items():
        packed = table.packed(table.table(explorer))
        (folder / f"{name}.json").write_bytes(gzip.decompress(packed))
        page = PAGE.format(name=name, title=explorer.title)
        (folder / f"{name}.html").write_text(page, "utf-8")
    return address


@pytest.fixture
def opened(pages, chromium):
    """Opens a page; afterwards nothing may have failed, and no other host been asked."""
    opened, wrong = [], []

    def open_page(name, state, *, width=1400, dark=False, still=True):
        page = chromium.new_page(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else None,
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on(
            "request", lambda r: None if r.url.startswith((pages, "data:")) else wrong.append(r.url)
        )
        page.goto(f"{pages}/{name}.html?state={state}")
        panel = browser.Panel(page)
        panel.picture.wait_for()
        opened.append(page)
        return panel

    yield open_page
    for page in opened:
        page.close()
    assert wrong == []


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (700, True)], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", EXPLORERS)
def test_every_declared_value_by_mouse(opened, shots, name, width, dark):
    explorer = EXPLORERS[name]
    state = STATES[name]
    panel = opened(name, state, width=width, dark=dark)
    params = explorer.params(state)
    view = explorer.view(params)
    panel.shows(view["veiled"])
    right = next(a["text"] for a in view["question"]["answers"] if a["value"] == view["answer"])
    panel.button(right, group="your prediction").click()
    panel.shows(view["open"])
    assert panel.verdict() == f"✓ Right. {view['why']}"
    panel.page.screenshot(path=shots / f"static-{name}-{width}-{dark}.png", full_page=True)

    panel.button("just show me").click()
    for control in explorer.all_controls():
        values = control.values(params) if control.static is None else control.static
        if len(values) < 2 or not control.matters(params):
            continue
        for value in (*values, control.get(params)):
            if "options" in control.as_data(params):
                text = {v: t for t, v in control.options.items()}[value]
                panel.button(text, group=control.label).click()
            elif control.as_data(params)["kind"] == "number":
                panel.number(control.label).fill(str(value))
                panel.number(control.label).press("Enter")
            else:
                panel.slider(control.label).fill(str(value))
            params = explorer.move(params, control.key, value)
            panel.shows(explorer.draw(explorer.compute(**params)))
    page = panel.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no page scrolling"
    paper = panel.picture.locator("> rect").first.evaluate("e => getComputedStyle(e).fill")
    assert (paper == "rgb(255, 255, 255)") != dark


def test_by_keyboard_and_from_the_first_step(opened):
    explorer = EXPLORERS["search_tree"]
    panel = opened("search_tree", "three", still=False)
    keys = panel.page.keyboard
    panel.tab_to(panel.button("b•"))

    def predict():
        keys.press("Enter")
        panel.shows(explorer.picture("three"))

    titles = panel.titles_while(predict)
    assert [title.split(":")[0] for title in titles[:4]] == [f"Step {s} of 4" for s in range(4)]
    assert not any("b•" in title for title in titles[:4])
    params = explorer.params("three")
    panel.tab_to(panel.slider("step"))
    for key, step in (("Home", 0), ("ArrowRight", 1), ("End", 4)):
        keys.press(key)
        panel.shows(explorer.draw(explorer.compute(**{**params, "step": step})))
    panel.tab_to(panel.button("speed: 1 times"))
    keys.press("Space")
    assert panel.button("speed: 2 times").is_visible()


def test_a_picture_that_a_smaller_window_cuts_off_is_reached_and_moved_by_keyboard(opened):
    panel = opened("mask_loss", "naive")
    page, frame = panel.page, panel.root.locator(".s2s-picture")
    assert frame.get_attribute("tabindex") is None
    page.set_viewport_size({"width": 360, "height": 900})
    page.wait_for_function("document.querySelector('.s2s-picture').tabIndex === 0")
    panel.tab_to(frame)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.s2s-picture').scrollLeft > 0")
    page.set_viewport_size({"width": 1400, "height": 900})
    page.wait_for_function("document.querySelector('.s2s-picture').tabIndex === -1")
