"""The site, built once and used as a reader does: every page, every link, every explorer.

Needs the extra `site` besides a browser; `make site` installs it.
"""

import functools
import html.parser
import importlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import build_site
import pytest
from website import notebooks, panels

from seq2seq_lib.course.explorers.kit.explorer import Explorer
from tests.support import browser

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("ch*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("ch*/ch*.ipynb"))
FRONT_PAGE, CHAPTER = 240_000, 2_000_000  # bytes
NARROW = {"width": 360, "height": 800}
WIDE = {"width": 1400, "height": 900}  # the contents stand beside the text
LACKING = build_site.missing()
try:
    from axe_playwright_python.sync_playwright import Axe
except ImportError:
    LACKING = [*LACKING, "axe_playwright_python"]
WHY = browser.missing() or (f'no {", ".join(LACKING)}: pip install -e ".[site]"' if LACKING else "")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(bool(WHY), reason=str(WHY)),
]


# ---------------------------------------------------------------- the site, and a reader


@pytest.fixture(scope="module")
def built(site):
    """The folder of the site and its address; SEQ2SEQ_SITE may name one that is built already."""
    folder, address = site
    if ready := os.environ.get("SEQ2SEQ_SITE"):
        (folder / "ready").symlink_to(Path(ready).resolve())
        return folder / "ready", f"{address}/ready"
    command = [sys.executable, str(ROOT / "tools" / "build_site.py"), f"--out={folder / 'course'}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return folder / "course" / "html", f"{address}/course/html"


@dataclass
class Reader:
    """A page of the browser that writes down what must not happen."""

    page: object
    address: str
    wrong: list[str] = field(default_factory=list)
    received: int = 0

    def __post_init__(self) -> None:
        page = self.page
        page.set_default_timeout(browser.PATIENCE)
        page.on("pageerror", lambda error: self.wrong.append(f"{page.url}: {error}"))
        page.on("console", self._said)
        page.on("request", self._asked)
        page.on("response", self._got)

    def _said(self, message) -> None:
        if message.type == "error":
            self.wrong.append(f"{self.page.url}: {message.text}")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.wrong.append(f"{self.page.url} asks {request.url}")

    def _got(self, response) -> None:
        self.received += int(response.headers.get("content-length", 0))

    def open(self, path: str) -> None:
        self.received = 0
        self.page.goto(f"{self.address}/{path}", wait_until="networkidle")


@pytest.fixture
def reader(built, chromium):
    """A reader of the site; afterwards nothing may have failed, and no other host been asked."""
    page = chromium.new_page(viewport=WIDE, reduced_motion="reduce")
    reader = Reader(page, built[1])
    yield reader
    page.close()
    assert reader.wrong == []


def pages(folder: Path) -> list[str]:
    """Every page, as its address ends."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))


# ---------------------------------------------------------------- pages


def test_everything_in_the_repository_has_a_page(built):
    found = set(pages(built[0]))
    files = [*CHAPTERS, *EXERCISES, *(ROOT / "docs").glob("*.md"), *ROOT.glob("[!.]*/README.md")]
    wanted = {file.relative_to(ROOT).with_suffix(".html").as_posix() for file in files}
    wanted |= {"index.html", "search.html", "reference/index.html"}
    wanted |= {"reference/seq2seq_lib.masks.html", "reference/seq2seq_lib.laws.html"}
    assert wanted <= found


class Read(html.parser.HTMLParser):
    """What a page links to, and what in it can be linked to; its headings and pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets, self.anchors, self.headings = [], {""}, []
        self.unsaid: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, pairs):
        values = dict(pairs)
        self.anchors.add(values.get("id") or "")
        self.targets += [values[name] for name in ("href", "src") if values.get(name)]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" and not values.get("alt"):
            self.unsaid.append(values["src"])


def test_every_link_leads_somewhere(built):
    folder = built[0]
    read = functools.cache(lambda path: Read(path.read_text(encoding="utf-8")))
    lost = []
    for name in pages(folder):
        page = folder / name
        for target in read(page).targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not path.is_file():
                lost.append(f"{name}: {target}")
            elif path.suffix == ".html" and unquote(parts.fragment) not in read(path).anchors:
                lost.append(f"{name}: {target}, no such place")
    assert lost == []


def test_headings_are_in_order_and_pictures_have_words(built):
    wrong = []
    for name in pages(built[0]):
        read = Read((built[0] / name).read_text(encoding="utf-8"))
        steps = list(zip([0, *read.headings], read.headings, strict=False))
        if read.headings.count(1) != 1 or any(now > last + 1 for last, now in steps):
            wrong.append(f"{name}: headings {read.headings}")
        wrong += [f"{name}: {source} has no words" for source in read.unsaid]
    assert wrong == []


def test_chinese_is_said_to_be_chinese(built):
    page = (built[0] / "docs" / "glossary.html").read_text(encoding="utf-8")
    cells = re.findall(r"<p([^>]*)>[^<]*[\u4e00-\u9fff]", page)
    assert len(cells) > 50 and set(cells) == {' lang="zh"'}


SHRUNK = """() => Math.min(1, ...[...document.querySelectorAll('img.picture')]
  .map((image) => image.getBoundingClientRect().width / image.getAttribute('width'))
  .filter((share) => share > 0))"""


def violations(page) -> list[str]:
    """What axe-core finds, each with the first element it is about."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{page.url}: {v['id']}, {v['nodes'][0]['html'][:200]}" for v in found]


def test_every_page_is_accessible_wide_and_narrow_light_and_dark(built, reader):
    wrong = []
    for name in pages(built[0]):
        page = reader.page
        reader.open(name)
        for size, scheme in ((WIDE, "light"), (NARROW, "dark")):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            wrong += violations(page)
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append(f"{name} scrolls sideways at {size['width']} px")
            if (share := page.evaluate(SHRUNK)) < notebooks.LEAST - 0.01:
                wrong.append(f"{name} shrinks a picture to {share:.0%} at {size['width']} px")
    assert wrong == []


def test_pages_are_small(reader):
    limits = {"index": FRONT_PAGE} | {f"chapters/{one.stem}": CHAPTER for one in CHAPTERS}
    for name, limit in limits.items():
        reader.open(f"{name}.html")
        if reader.page.locator(".s2s-live").count():  # the table of the first one counts, too
            reader.page.locator(".s2s-live").first.scroll_into_view_if_needed()
            browser.Panel(reader.page).picture.first.wait_for()
        assert reader.received < limit, name


def test_a_chapter_leads_to_its_neighbours_its_contents_and_its_notebook(built, reader):
    from playwright.sync_api import expect

    first, second = CHAPTERS[:2]
    page = reader.page
    reader.open(f"chapters/{first.stem}.html")
    heading = page.locator("article h2").nth(1)
    words = heading.evaluate("element => element.firstChild.textContent")
    page.get_by_role("complementary", name="This page").get_by_role("link", name=words).click()
    expect(heading).to_be_in_viewport()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download this notebook").click()
    assert Path(download.value.path()).read_bytes() == first.read_bytes()
    page.locator("a.next-page").click()
    page.wait_for_url(f"**/{second.stem}.html")
    page.locator("a.prev-page").click()
    page.wait_for_url(f"**/{first.stem}.html")


def test_arrow_keys_move_what_is_wider_than_the_page_and_do_not_leave_it(reader):
    page = reader.page
    page.set_viewport_size(NARROW)
    reader.open(f"chapters/{CHAPTERS[0].stem}.html")
    code = page.locator("article pre[tabindex='0']").first
    code.focus()
    page.keyboard.press("ArrowRight")
    moved = "pre => pre.scrollLeft > 0"
    page.wait_for_function(moved, arg=code.element_handle())
    assert page.url.endswith(f"{CHAPTERS[0].stem}.html")


def test_search_finds_the_chapter_on_padding_masks(reader):
    reader.open("index.html")
    field = reader.page.get_by_placeholder("Search").first
    field.fill("padding mask")
    field.press("Enter")
    result = reader.page.locator("#search-results a[href*='ch04_padding_masks']").first
    result.click()
    reader.page.wait_for_url("**/ch04_padding_masks*")
    assert "Padding masks" in reader.page.locator("h1").inner_text()


# ---------------------------------------------------------------- what is folded


def cells(notebook: Path) -> list[dict]:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def test_predictions_are_folded_and_open_by_mouse_and_by_keyboard(built, reader):
    tried = 0
    for chapter in CHAPTERS:
        printing = [cell for cell in cells(chapter) if cell.get("outputs")]
        hidden = [c for c in printing if "hide-output" in c["metadata"].get("tags", [])]
        if not hidden:
            continue
        reader.open(f"chapters/{chapter.stem}.html")
        folds = reader.page.locator("details.below-input")
        assert folds.count() == len(hidden), chapter.stem
        for n in range(folds.count()):
            answer, summary = (
                folds.nth(n).locator(".cell_output"),
                folds.nth(n).locator("> summary"),
            )
            assert not answer.is_visible()
            if n % 2:
                summary.click()
            else:
                summary.focus()
                reader.page.keyboard.press("Enter")
            assert answer.is_visible()
            tried += 1
    assert tried > 1


def test_three_hints_are_folded_under_each_exercise(built, reader):
    for notebook in (*CHAPTERS, *EXERCISES):
        offers = '\ncheck("' if notebook in CHAPTERS else "\n# hint("
        asked = sum(offers in "\n" + "".join(cell["source"]) for cell in cells(notebook))
        reader.open(notebook.relative_to(ROOT).with_suffix(".html").as_posix())
        hints = reader.page.locator("details.hint")
        assert hints.count() == 3 * asked > 0, notebook.stem
        assert reader.page.locator("details.hint[open]").count() == 0
        hints.first.locator("summary").click()
        assert len(hints.first.inner_text()) > len(hints.first.locator("summary").inner_text())


@pytest.mark.skipif(not (ROOT / "solutions").exists(), reason="no solutions here")
def test_an_exercise_shows_what_its_questions_are_about_and_no_answer(built):
    pages = {notebook.stem: notebook.relative_to(ROOT) for notebook in EXERCISES}
    for name, path in pages.items():
        text = (built[0] / path.with_suffix(".html")).read_text(encoding="utf-8")
        assert "cell_output" in text, f"{name}: nothing that its cells print"
        assert "✓" not in text, f"{name}: the verdict on an answer"
    text = (built[0] / pages["ch04_padding_masks"].with_suffix(".html")).read_text("utf-8")
    assert "D 2.83" in text, "the numbers of exercise 4.3"
    assert "-100, -100, -100" in text, "the course's own function, which has an answer's name"


def test_formulas_are_drawn_without_a_script(built):
    text = (built[0] / "chapters" / "ch04_padding_masks.html").read_text(encoding="utf-8")
    assert text.count("<math") >= 4
    assert "mathjax" not in text.lower()
    for name in pages(built[0]):
        text = (built[0] / name).read_text(encoding="utf-8")
        assert not re.search("<mi>(log|exp)</mi><m[^so]", text), f"{name}: log p reads logp"


# ---------------------------------------------------------------- explorers


def opened(chapter: Path) -> list[panels.Opened]:
    codes = ["".join(cell["source"]) for cell in cells(chapter) if cell["cell_type"] == "code"]
    names: dict[str, str] = {}
    return [found for code in codes if (found := panels.opened_by(code, names))]


def explorer_of(found: panels.Opened) -> Explorer:
    return importlib.import_module(f"{panels.EXPLORERS}.{found.name}").EXPLORER


def offered(control, params) -> list:
    """The values that a page without a kernel offers."""
    return [v for v in control.values(params) if control.static is None or v in control.static]


def use(panel: browser.Panel, explorer: Explorer, found: panels.Opened) -> None:
    """Predict by keyboard, then move each control to its last value by mouse, back by keyboard."""
    keys, params = panel.page.keyboard, explorer.params(found.state)
    view = explorer.view(params)
    if view["question"]:
        panel.shows(view["veiled"])
        text = next(a["text"] for a in view["question"]["answers"] if a["value"] == view["answer"])
        panel.button(text, group="your prediction").focus()
        keys.press("Enter")
        for control in explorer.all_controls():  # who wants no motion gets the end of the play
            if control.as_data(params)["kind"] == "player" and control.name not in found.lock:
                params = explorer.move(params, control.key, offered(control, params)[-1])
        view = explorer.view(params)
        panel.shows(view["open"])
        assert panel.verdict() == f"✓ Right. {view['why']}"
        panel.button("just show me").click()
    panel.shows(view["open"])
    for control in explorer.all_controls():
        for by_mouse in (True, False):
            values = offered(control, params)
            free = control.matters(params) and control.name not in found.lock
            if len(values) < 2 or not free or control.get(params) not in values:
                continue
            value = values[-1 if by_mouse else 0]
            move(panel, control, control.as_data(params), value, by_mouse)
            params = explorer.move(params, control.key, value)
            panel.shows(explorer.draw(explorer.compute(**params)))


def move(panel: browser.Panel, control, data: dict, value, by_mouse: bool) -> None:
    """Set a control to its last value by mouse, or to its first by keyboard."""
    keys = panel.page.keyboard
    if data["kind"] in ("choice", "text"):
        texts = {option["value"]: option["text"] for option in data["options"]}
        group = control.label if data["kind"] == "choice" else "examples"
        button = panel.button(texts[value], group=group)
        if by_mouse:
            button.click()
        else:
            button.focus()
            keys.press("Enter")
    elif data["kind"] == "number":
        field = panel.number(control.label)
        field.click(click_count=3) if by_mouse else field.focus()
        keys.press("ControlOrMeta+a")
        keys.type(str(value))
        keys.press("Tab" if by_mouse else "Enter")
    else:
        slider = panel.slider(control.label)
        if by_mouse:
            box = slider.bounding_box()
            slider.click(position={"x": box["width"] - 2, "y": box["height"] / 2})
        else:
            slider.focus()
            keys.press("Home")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_explorer_of_a_chapter_is_alive(built, reader, chapter):
    found = opened(chapter)
    reader.open(f"chapters/{chapter.stem}.html")
    places = reader.page.locator(".s2s-live")
    assert places.count() == len(found)
    for number, one in enumerate(found):
        place = places.nth(number)
        place.scroll_into_view_if_needed()
        panel = browser.Panel(reader.page, place)
        panel.picture.wait_for()
        use(panel, explorer_of(one), one)
    assert violations(reader.page) == []


def test_a_call_in_the_text_opens_its_state(built, reader):
    tried = 0
    for chapter in CHAPTERS:
        calls = (built[0] / "chapters" / f"{chapter.stem}.html").read_text("utf-8")
        if 'class="s2s-state"' not in calls:
            continue
        reader.open(f"chapters/{chapter.stem}.html")
        buttons = reader.page.locator(".s2s-state")
        for n in range(buttons.count()):
            name, state = (buttons.nth(n).get_attribute(f"data-{x}") for x in ("explorer", "state"))
            explorer = importlib.import_module(f"{panels.EXPLORERS}.{name}").EXPLORER
            buttons.nth(n).focus()
            reader.page.keyboard.press("Enter")
            place = reader.page.locator(".s2s-live:has(> .s2s-panel:focus)")
            view = explorer.view(explorer.params(state))
            browser.Panel(reader.page, place).shows(view["veiled"] or view["open"])
            tried += 1
    assert tried > 1


def test_the_front_page_opens_with_the_first_screen_of_the_first_chapter(built, reader):
    reader.open("index.html")
    panel = browser.Panel(reader.page)
    panel.picture.wait_for()
    found = opened(CHAPTERS[0])[0]
    use(panel, explorer_of(found), found)
    assert panel.picture.is_visible()


def test_without_a_script_a_picture_stands_where_the_explorer_would(built, chromium):
    page = chromium.new_page(java_script_enabled=False)
    page.goto(f"{built[1]}/chapters/{CHAPTERS[0].stem}.html")
    still = page.locator(".s2s-live img").first
    assert still.is_visible() and still.get_attribute("alt")
    assert still.evaluate("image => image.complete || image.loading === 'lazy'")
    page.close()


def test_what_is_folded_is_printed_and_an_explorer_that_is_not_open_is_a_picture(built, reader):
    page = reader.page
    reader.open(f"exercises/{EXERCISES[0].stem}/{EXERCISES[0].stem}.html")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    for screen in (".sidebar-drawer", ".skip-to-content"):  # a link that would lie over the text
        assert not page.locator(screen).is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.hint[open]").count() == 0
    page.emulate_media(media="screen")
    reader.open(f"chapters/{CHAPTERS[2].stem}.html")
    last = page.locator(".s2s-live").last
    last.locator(".s2s-wait").wait_for()
    assert not last.locator("img").is_visible()
    page.emulate_media(media="print")
    assert last.locator("img").is_visible() and not last.locator(".s2s-wait").is_visible()
