"""What the site is made of, without Sphinx: links, explorer cells, docstrings, the front page."""

import json
import sys
from pathlib import Path

import pytest
from website import given, notebooks, pages, panels
from website.links import Links

ROOT = Path(__file__).resolve().parents[2]
MASKS = "from seq2seq_lib.course.explorers.mask_loss import explore"


@pytest.fixture
def course(tmp_path):
    """A small course and the folders that its site is made in."""
    for name in ("docs/a.md", "benchmarks/README.md", "benchmarks/run.py", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# A\n")
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# 0. Begin\n\nPredict first."},
        {"cell_type": "code", "metadata": {}, "source": f"{MASKS}\n\nexplore()", "outputs": []},
        {"cell_type": "markdown", "metadata": {}, "source": "Later."},
    ]
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "ch00_begin.ipynb").write_text(json.dumps({"cells": cells}))
    return tmp_path


@pytest.fixture
def links(course):
    return Links(
        course, course / "source", {page.origin: page.source for page in pages.found(course)}
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[a](../README.md#One-thing)", "[a](../index.md#one-thing)"),
        ("[`a`](../chapters/ch00_begin.ipynb)", "[`a`](../chapters/ch00_begin.ipynb)"),
        ("[a](../benchmarks)", "[a](../benchmarks/README.md)"),
        ("[a](../benchmarks/run.py)", "[a](../_files/benchmarks/run.py)"),
        ("[a](#Some-Part)", "[a](#some-part)"),
        (
            "[a](https://a.org/README.md) `[b](a.md#B)`",
            "[a](https://a.org/README.md) `[b](a.md#B)`",
        ),
        ("[a](gone.md)", "[a](gone.md)"),  # Sphinx says so
    ],
)
def test_links_lead_to_pages(links, text, wanted):
    assert links.rewritten(text, Path("docs/a.md"), Path("docs/a.md")) == wanted


def test_files_that_are_linked_to_come_along(links, course):
    links.rewritten("[a](../benchmarks/run.py)", Path("docs/a.md"), Path("docs/a.md"))
    assert (course / "source/_files/benchmarks/run.py").read_text() == "# A\n"


@pytest.mark.parametrize(
    ("code", "state", "lock"),
    [
        (f"{MASKS}\n\nexplore()", "naive", ()),
        (f'{MASKS} as look\n\nlook("right", lock=["mask"])', "right", ("mask",)),
        ('before("transposed")', "transposed", ()),
        (f'{MASKS}\n\nexplore("right")\nprint(1)', None, None),
        ("explore()", None, None),  # nobody has imported it
        ('from seq2seq_lib.course.explorers.translation_box import box\n\nbox(m, "a")', None, None),
        ("%pip list", None, None),
    ],
)
def test_cells_that_open_an_explorer_are_known(code, state, lock):
    names = {"before": "seq2seq_lib.course.explorers.mask_loss"}
    found = panels.opened_by(code, names)
    assert (found and found.state, found and found.lock) == (state, lock)
    assert found is None or (found.name, found.title) == ("mask_loss", "Mask and loss")


def test_every_explorer_cell_of_the_course_is_known():
    """A cell in another form would stay a still on the site, and nobody would notice."""
    missed, found = [], 0
    for chapter in sorted((ROOT / "chapters").glob("ch*.ipynb")):
        names: dict[str, str] = {}
        for cell in notebooks.read(chapter)["cells"]:
            code = "".join(cell["source"])
            if cell["cell_type"] == "code" and panels.opened_by(code, names):
                found += 1
            elif cell["cell_type"] == "code" and any(f"\n{name}(" in f"\n{code}" for name in names):
                missed.append(f"{chapter.stem}: {code[:60]}")
    assert not missed
    assert found > 10


def test_two_panels_of_one_title_can_be_told_apart():
    opened = panels.Opened("mask_loss", "naive", (), "Mask and loss")
    first, second = (panels.placed(opened, number, "") for number in (1, 2))
    assert "Mask and loss: an interactive" in first
    assert "Mask and loss, figure 2: an interactive" in second
    assert "\n" not in first  # or Markdown would end the HTML there


def test_the_front_page_has_the_first_screen_and_every_page(course, links):
    readme = "# Course\n\nWhat it is.\n\n![drawn](a.svg)\n\nMore.\n\n## Part\n\nEnd.\n"
    (course / "README.md").write_text(readme)
    (course / "source").mkdir()
    place, explorers = notebooks.Place(course, course / "source", course / "extra"), set()
    pages.write_index(pages.found(course), place, links, explorers)
    text = (course / "source" / "index.md").read_text()
    parts = ["# Course", "What it is.", "Predict first.", 'data-explorer="mask_loss"', "More."]
    places = [text.index(part) for part in [*parts, "## Part", "chapters/ch00_begin\n", "docs/a\n"]]
    assert places == sorted(places)
    assert "a.svg" not in text and "0. Begin" not in text and "Later." not in text
    assert explorers == {"mask_loss"}


def test_a_picture_without_words_is_refused(course):
    page = notebooks.Page(
        Path("chapters/ch00_begin.ipynb"), notebooks.Place(course, course, course)
    )
    picture = {"data": {"image/png": "iVBORw0KGgo="}, "metadata": {}}
    with pytest.raises(notebooks.SiteError, match="ch00_begin.ipynb: a picture without words"):
        page.output(picture)


def test_links_in_an_output_lead_to_pages(course):
    page = notebooks.Page(
        Path("chapters/ch00_begin.ipynb"), notebooks.Place(course, course, course)
    )
    html = '<a href="ch01_a.ipynb#B">1</a> <a href="https://a.org/a.ipynb">a</a>'
    shown = page.output({"data": {"text/html": [html]}})["data"]["text/html"]
    assert shown == html.replace("ch01_a.ipynb", "ch01_a.html")


@pytest.mark.parametrize("repository", ["", "owner/name"])
def test_a_notebook_is_offered_where_it_can_be_had(course, repository):
    place = notebooks.Place(course, course, course / "extra", repository, "trunk")
    doors = notebooks.Page(Path("chapters/ch00_begin.ipynb"), place).doors()
    assert 'href="../notebooks/chapters/ch00_begin.ipynb" download' in doors
    assert (course / "extra" / "notebooks" / "chapters" / "ch00_begin.ipynb").is_file()
    colab = "colab.research.google.com/github/owner/name/blob/trunk/chapters/ch00_begin.ipynb"
    binder = "mybinder.org/v2/gh/owner/name/trunk?labpath=chapters/ch00_begin.ipynb"
    assert [link in doors for link in (colab, binder)] == [bool(repository)] * 2


def test_docstrings_become_what_sphinx_reads(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools" / "website" / "sphinx"))
    monkeypatch.delitem(sys.modules, "docstrings", raising=False)
    import docstrings

    text = """\
A line, then
    a formula
and words.

| a | b |
|---|---|
| 1 | 2 |

name: what it is,
    on two lines

Args:
    x: a number.
"""
    wanted = """\
        A line, then :: a formula and words.
        .. list-table:: :header-rows: 1 * - a - b * - 1 - 2
        - ``name``: what it is, on two lines
        Args: x: a number."""
    assert "\n".join(docstrings.converted(text.splitlines())).split() == wanted.split()


def test_a_call_to_write_is_a_button_and_an_unknown_state_ends_the_build():
    names = {"explore": "seq2seq_lib.course.explorers.mask_loss"}
    text = panels.with_buttons('Write `explore("positions")`, or `hint("4.1")`.', names)
    assert 'data-explorer="mask_loss" data-state="positions"' in text
    assert text.startswith("Write <button") and text.endswith('</button>, or `hint("4.1")`.')
    with pytest.raises(ValueError, match="Unknown state: 'nowhere'"):
        panels.with_buttons('`explore("nowhere")`', names)


def test_an_exercise_prints_what_does_not_depend_on_its_answers():
    def code(source, *printed):
        return {"cell_type": "code", "source": [source], "outputs": list(printed)}

    rest = ["print(numbers)", "y = answer(2)", "print(y)", "check('1', answer)"]
    rest += ["from lib import answer\nprint(answer(2))", "answer(3)"]
    stub = code("def answer(x):\n    raise NotImplementedError")
    exercise = [code("numbers = [1]"), stub, *map(code, rest)]
    solved = [code("def answer(x):\n    return x"), code("numbers = [1]")]
    given.fill_in(exercise, solved + [code(source, source) for source in rest])
    shown = [cell["outputs"] for cell in exercise]
    assert shown == [[], [], [rest[0]], [], [], [], [rest[4]], [rest[5]]]
