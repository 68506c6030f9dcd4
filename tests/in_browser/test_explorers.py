"""Explorers in a real JupyterLab: predict, reveal and move, by mouse and by keyboard.

The notebook is cut down to one call. What the pictures must say is computed here, without a
browser. Screenshots go to the folder that ARTIFACTS_DIR names.
"""

import re
import xml.etree.ElementTree as ET

import pytest

from seq2seq_lib.course.explorers import mask_loss, pad_drift, search_tree
from seq2seq_lib.course.explorers.kit.widget import SKIPPED
from tests.support import browser

WHY = browser.missing()

pytestmark = [pytest.mark.browser, pytest.mark.skipif(WHY is not None, reason=str(WHY))]

WATCH = """() => {
  const title = () => document.querySelector('.jp-OutputArea-output svg[role=img] > title');
  window.seen = [];
  let last = title().textContent;
  new MutationObserver(() => {
    const now = title()?.textContent;
    if (now && now !== last) window.seen.push(last = now);
  }).observe(document.body, { childList: true, subtree: true });
}"""
CALL = "from seq2seq_lib.course.explorers.{0} import explore\n\nexplore({1})"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    # cells around it, so that keys which the notebook took would be seen to move its selection
    for name, module, arguments in (
        ("mask_loss", "mask_loss", ""),
        ("locked", "mask_loss", "'transposed', lock=['mask', 'width']"),
        ("pad_drift", "pad_drift", ""),
        ("search_tree", "search_tree", ""),
        ("search_tree_locked", "search_tree", "'three_beams', lock=['step', 'source']"),
    ):
        cells = ["1 + 1", CALL.format(module, arguments), "2 + 2"]
        browser.write_notebook(folder / f"{name}.ipynb", cells)
    return folder


class Box:
    """An explorer on an open page, used as a reader does: by its labels."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.picture = self.page.locator(".jp-OutputArea-output svg[role=img]")

    def button(self, text):
        return self.page.locator(".jp-OutputArea-output button").get_by_text(text, exact=True)

    def number(self, label):
        return self.page.get_by_label(label, exact=True)

    @property
    def slider(self):
        return self.page.locator(".jp-OutputArea-output [role=slider]")

    def shows(self, module, params, prediction):
        """Wait until the picture is the one of these parameters."""
        from playwright.sync_api import expect

        svg = module.draw(module.compute(**params, prediction=prediction))
        words = ET.fromstring(svg)[1].text
        expect(self.picture.locator("> desc")).to_have_text(words, timeout=browser.PATIENCE)
        assert self.picture.count() == 1, "the new picture replaces the old one"

    @property
    def play(self):
        """The buttons of the player: play, which is also pause, and stop."""
        return self.page.locator(".jp-OutputArea-output .widget-play button")

    def watch(self) -> None:
        """From now on, note the title of every picture that is shown."""
        self.page.evaluate(WATCH)

    def seen(self) -> list[str]:
        """The titles since ``watch``; pictures may be gone before anyone looks."""
        return self.page.evaluate("window.seen")

    def focused_in_output(self) -> bool:
        return self.page.evaluate("!!document.activeElement.closest('.jp-OutputArea-output')")


def open_box(lab, chromium, name, **options):
    notebook = lab.open(chromium, f"{name}.ipynb", **options)
    notebook.run_all()
    box = Box(notebook)
    box.picture.wait_for()
    return box


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_mask_and_loss_by_mouse(lab, chromium, shots, dark):
    theme = "dark" if dark else "light"
    box = open_box(lab, chromium, "mask_loss", dark=dark)
    params = dict(mask_loss.STATES["right"].params)
    box.shows(mask_loss, params, None)
    box.notebook.screenshot(shots / f"mask-loss-{theme}-1-predict.png", box.picture)

    box.button("gets larger").click()
    box.shows(mask_loss, params, "larger")
    box.notebook.screenshot(shots / f"mask-loss-{theme}-2-reveal.png", box.picture)

    box.button("transposed").click()  # another code, another question
    params["mask"] = "transposed"
    box.shows(mask_loss, params, None)
    box.button("Skip: just show me").click()
    box.shows(mask_loss, params, SKIPPED)
    box.number("of B").fill("2")
    box.page.keyboard.press("Enter")
    box.shows(mask_loss, {**params, "lengths": (3, 2, 2)}, SKIPPED)
    box.number("width T").fill("4")
    box.page.keyboard.press("Enter")
    params |= {"lengths": (3, 2, 2), "width": 4}
    box.shows(mask_loss, params, SKIPPED)
    box.notebook.screenshot(shots / f"mask-loss-{theme}-3-error.png", box.picture)

    box.button("pad id against positions").click()
    at = box.slider.bounding_box()
    box.page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    box.page.mouse.down()
    box.page.mouse.move(at["x"] + 600, at["y"] + at["height"] / 2, steps=5)
    box.page.mouse.up()
    box.shows(mask_loss, {**params, "mask": "blog", "extra_pads": 10}, SKIPPED)
    box.notebook.screenshot(shots / f"mask-loss-{theme}-4-pads.png", box.picture)
    assert box.picture.locator("> rect").first.get_attribute("fill") == "#ffffff"
    assert box.notebook.errors() == []
    box.notebook.close()


def test_mask_and_loss_by_keyboard_alone(lab, chromium, shots):
    box = open_box(lab, chromium, "mask_loss")
    params = dict(mask_loss.STATES["right"].params)
    cells = box.page.locator(".jp-Notebook .jp-Cell")
    keys = box.page.keyboard
    box.button("stays the same").focus()

    keys.press("Tab")  # to the second answer
    keys.press("Space")
    box.shows(mask_loss, params, "smaller")

    for _ in range(4):  # two answers more, skip, the pressed "right", ...
        keys.press("Tab")
    keys.press("Tab")
    keys.press("Enter")  # ... "transposed"
    params["mask"] = "transposed"
    box.shows(mask_loss, params, None)
    assert box.focused_in_output(), "the picture changed and the focus stayed"

    for _ in range(20):  # on to the first number
        keys.press("Tab")
        if box.page.evaluate("document.activeElement.type") == "number":
            break
    keys.press("ArrowDown")
    params["lengths"] = (2, 1, 2)
    box.shows(mask_loss, params, None)
    for _ in range(20):
        keys.press("Tab")
        if box.page.evaluate("document.activeElement.getAttribute('role')") == "slider":
            break
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    params["extra_pads"] = 2
    box.shows(mask_loss, params, None)
    assert box.focused_in_output() and cells.count() == 3
    box.notebook.screenshot(shots / "mask-loss-keyboard.png", box.picture)
    assert box.notebook.errors() == []
    box.notebook.close()


def test_locked_controls_cannot_be_pressed(lab, chromium, shots):
    box = open_box(lab, chromium, "locked")
    assert box.button("right").is_disabled() and box.number("width T").is_disabled()
    assert box.button("tokens").is_enabled() and box.number("of B").is_enabled()
    box.button("Skip: just show me").click()
    box.number("length of A").fill("5")
    box.page.keyboard.press("Enter")
    box.button("all cells").click()
    params = {**mask_loss.STATES["transposed"].params, "normaliser": "cells"}
    box.shows(mask_loss, params, SKIPPED)
    assert box.number("length of A").input_value() == "3", "the width is locked"
    box.notebook.screenshot(shots / "mask-loss-locked.png", box.picture)
    assert box.notebook.errors() == []
    box.notebook.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pad_drift_by_mouse(lab, chromium, shots, dark):
    theme = "dark" if dark else "light"
    box = open_box(lab, chromium, "pad_drift", dark=dark)
    params = dict(pad_drift.STATES["no_pads"].params)
    box.shows(pad_drift, params, None)
    box.notebook.screenshot(shots / f"pad-drift-{theme}-1-predict.png", box.picture)
    box.button("only packed h_n").click()
    box.button("beside two others").click()
    box.button("packed, outputs[:, -1]").click()
    params |= {"neighbours": True, "reading": "last_output"}
    box.shows(pad_drift, params, "packed")
    box.notebook.screenshot(shots / f"pad-drift-{theme}-2-neighbours.png", box.picture)
    label = box.page.locator(".jp-OutputArea-output .widget-label").first
    colours = label.evaluate(
        "l => [getComputedStyle(l).color, getComputedStyle(document.body).backgroundColor]"
    )
    ink, page = (sum(map(int, re.findall(r"\d+", c)[:3])) for c in colours)
    assert abs(ink - page) > 3 * 100, f"labels stand on the page, not on the paper: {colours}"
    assert box.notebook.errors() == []
    box.notebook.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_search_tree_by_mouse(lab, chromium, shots, dark):
    theme = "dark" if dark else "light"
    box = open_box(lab, chromium, "search_tree", dark=dark)
    params = dict(search_tree.STATES["greedy"].params)
    box.shows(search_tree, params, None)
    box.notebook.screenshot(shots / f"search-tree-{theme}-1-predict.png", box.picture)
    box.button("b•").click()
    box.shows(search_tree, params, "b•")
    box.notebook.screenshot(shots / f"search-tree-{theme}-2-greedy.png", box.picture)

    box.button("beam").click()  # another search, another question
    box.number("beams").fill("3")
    box.page.keyboard.press("Enter")
    params |= {"strategy": "beam", "width": 3}
    box.shows(search_tree, params, None)
    box.button("ab•").click()
    box.shows(search_tree, params, "ab•")
    box.button("0.7").click()
    box.button("Skip: just show me").click()
    params["length_penalty"] = 0.7
    box.shows(search_tree, params, SKIPPED)
    box.notebook.screenshot(shots / f"search-tree-{theme}-3-penalty.png", box.picture)

    at = box.slider.bounding_box()
    middle = at["y"] + at["height"] / 2
    box.page.mouse.move(at["x"] + at["width"] / 2, middle)
    box.page.mouse.down()
    box.page.mouse.move(at["x"] - 600, middle, steps=5)
    box.page.mouse.up()
    box.shows(search_tree, {**params, "step": 0}, SKIPPED)
    box.watch()
    box.play.first.click()  # and then it goes on by itself
    box.shows(search_tree, {**params, "step": 4}, SKIPPED)
    steps = [search_tree.compute(**{**params, "step": step}) for step in range(1, 5)]
    assert box.seen() == [ET.fromstring(search_tree.draw(result))[0].text for result in steps]
    box.page.locator(".widget-play .fa-play").wait_for()  # it has stopped, and
    box.play.first.click()  # begins again
    box.shows(search_tree, {**params, "step": 1}, SKIPPED)
    box.play.nth(1).click()
    box.shows(search_tree, {**params, "step": 0}, SKIPPED)

    assert box.button("0.95").is_disabled() and box.button("1.5").is_enabled()
    box.button("sampling").click()
    box.button("0.95").click()
    assert box.button("1.5").is_disabled()
    params |= {"strategy": "sampling", "top_p": 0.95, "step": 0}
    box.shows(search_tree, params, SKIPPED)
    for name, value, text in (("source", "4 august", "“4 august”"), ("strategy", "beam", "beam")):
        box.button(text).click()
        params[name] = value
        box.shows(search_tree, params, SKIPPED)
    at = box.slider.bounding_box()
    middle = at["y"] + at["height"] / 2
    box.page.mouse.move(at["x"] + at["width"] / 2, middle)
    box.page.mouse.down()
    box.page.mouse.move(at["x"] + 600, middle, steps=5)
    box.page.mouse.up()
    box.shows(search_tree, {**params, "step": 11}, SKIPPED)
    box.notebook.screenshot(shots / f"search-tree-{theme}-4-date.png", box.picture)
    assert box.picture.locator("> rect").first.get_attribute("fill") == "#ffffff"
    assert box.notebook.errors() == []
    box.notebook.close()


def test_search_tree_by_keyboard_alone(lab, chromium, shots):
    box = open_box(lab, chromium, "search_tree")
    params = dict(search_tree.STATES["greedy"].params)
    cells = box.page.locator(".jp-Notebook .jp-Cell")
    keys = box.page.keyboard
    box.button("a•").focus()
    keys.press("Tab")
    keys.press("Tab")  # to the third answer
    keys.press("Space")
    box.shows(search_tree, params, "acb•")
    assert box.focused_in_output()

    def tab_to(what):
        for _ in range(40):
            keys.press("Tab")
            if box.page.evaluate(f"document.activeElement.{what}"):
                return
        raise AssertionError(f"Tab never came to {what}")

    tab_to("textContent === 'beam'")
    keys.press("Enter")
    params["strategy"] = "beam"
    box.shows(search_tree, params, None)
    tab_to("type === 'number'")
    keys.press("ArrowUp")
    params["width"] = 2
    box.shows(search_tree, params, None)
    tab_to("closest('.widget-play')")  # over everything that is idle
    tab_to("getAttribute('role') === 'slider'")
    for step in (3, 2):
        keys.press("ArrowLeft")
        params["step"] = step
    box.button("Skip: just show me").focus()
    keys.press("Space")
    box.shows(search_tree, params, SKIPPED)
    tab_to("closest('.widget-play')")
    keys.press("Space")
    box.shows(search_tree, {**params, "step": 4}, SKIPPED)
    assert box.focused_in_output() and cells.count() == 3
    box.notebook.screenshot(shots / "search-tree-keyboard.png", box.picture)
    assert box.notebook.errors() == []
    box.notebook.close()


def test_a_locked_search_tree_does_not_play(lab, chromium):
    box = open_box(lab, chromium, "search_tree_locked")
    assert box.play.first.is_disabled() and box.play.nth(1).is_disabled()
    assert box.button("four letters").is_disabled() and box.button("greedy").is_enabled()
    assert box.page.locator(".widget-play").get_attribute("title") == "play, or stop: step"
    assert box.notebook.errors() == []
    box.notebook.close()
