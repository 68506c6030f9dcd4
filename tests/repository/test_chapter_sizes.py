"""Chapters keep to the sizes and the form of docs/authoring.md, and the rules count rightly."""

import ast
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebooks.chapters import Chapter, chapters
from notebooks.sizes import FAULTS, Measure, measures, words

CHAPTERS = [chapter.stem for chapter in chapters() if chapter.notebook.exists()]


def measured(stem: str) -> dict[str, Measure]:
    return measures(nbformat.read(Chapter(stem).notebook, as_version=4))


@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_chapter_keeps_to_its_limits(stem):
    too_much = [str(measure) for measure in measured(stem).values() if measure.excess]
    assert not too_much, "\n".join(too_much)


@pytest.mark.parametrize("stem", [c.stem for c in chapters() if c.exercise.exists()])
def test_exercises_render_as_they_were_meant(stem):
    cells = nbformat.read(Chapter(stem).exercise, as_version=4).cells
    rules = (
        "lists and headings by accident",
        "comments to a linter",
        "pseudocode marked as python",
    )
    assert not [fault for rule in rules for fault in FAULTS[rule](cells)]


# The rules


@pytest.mark.parametrize("stem", CHAPTERS)
def test_the_words_of_a_folded_figure_are_not_written_beside_its_question(stem):
    """They hold the answer's numbers, so code computes them, or a module keeps them."""
    for cell in nbformat.read(Chapter(stem).notebook, as_version=4).cells:
        if "hide-output" in cell.metadata.get("tags", []):
            for call in ast.walk(ast.parse(cell.source)):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "plots.show":
                    said = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
                    assert not re.search(r"\d", " ".join(said)), said


def test_words_are_what_somebody_reads():
    text = """\
## 4.1 One batch

A mask, *bool* `[B, T]`, says – in `lengths[:, None]` – which are real: $\\sum_t m_t = n$.
See [the page of PyTorch](https://docs.pytorch.org/a/b) or <https://example.org/words>.

$$ L = \\frac{1}{N} \\sum m $$

```python
mask = one + two + three
```

| loss | says |
|---|---|
| 2.00 | right |

- last <b>one</b>
"""
    heading, sentence, link, table, item = 3, 13, 6, 4, 2
    assert words(text) == heading + sentence + link + table + item


def chapter(*changed: tuple[int, nbformat.NotebookNode], stated: int = 34) -> nbformat.NotebookNode:
    """A chapter that is as it should be, but for some cells."""
    picture = new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    folded = {"tags": ["hide-output"], "jupyter": {"outputs_hidden": True}}
    hidden = {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
    cells = [
        new_markdown_cell(f"# 4. Masks\n\n**Time**: about {stated} minutes"),
        new_code_cell("plots.show(figure)", outputs=[picture]),
        new_markdown_cell("## 4.1 One batch\n\n**Predict** the sum."),
        new_code_cell("print(2)", metadata=folded, outputs=[new_output("stream", text="2\n")]),
        *(new_markdown_cell("word " * 66) for _ in range(25)),
        *(new_code_cell("# why\n\nline = 1\n" + "line += 1\n" * 6) for _ in range(30)),
        new_markdown_cell("## Summary\n\n**Law**: 3.\n\n**Common misconception**: it runs."),
        new_markdown_cell("## In Transformers and LLMs\n\nPacking."),
        new_markdown_cell("## Further reading\n\n- A page."),
        new_markdown_cell("## What this chapter asserts"),
        new_code_cell("assert line == 7\n" * 20, metadata=hidden),
    ]
    for number, cell in changed:
        cells[number : number + 1] = [cell]
    return new_notebook(cells=cells)


def outside(notebook: nbformat.NotebookNode) -> dict[str, float]:
    return {name: m.value for name, m in measures(notebook).items() if m.excess}


def test_a_chapter_as_it_should_be_is_within_all_limits():
    found = measures(chapter())
    assert outside(chapter()) == {}
    assert found["cells"].value == 64
    assert found["lines of visible code"].value == 1 + 1 + 30 * 8
    assert found["predictions"].value == found["numbered sections"].value == 1
    assert found["asserts in the lesson"].value == 0  # the last section is none
    assert found["minutes to read"].value == pytest.approx(1700 / 150 + 242 / 12 + 0.5, abs=0.5)


@pytest.mark.parametrize(
    ("number", "cell", "name", "value"),
    [
        (4, new_markdown_cell("word " * 1000), "words", 2616),
        (30, new_code_cell("line += 1\n" * 30), "lines of visible code", 264),
        (30, new_code_cell("assert line\n" * 8), "asserts in the lesson", 8),
        (4, new_markdown_cell("**predict** " * 8), "predictions", 9),
        (4, new_markdown_cell("## 4.2 a\n## 4.3 b\n" * 4), "numbered sections", 9),
        (1, new_code_cell("1"), "cell of the first picture", 999),
        (
            30,
            new_code_cell("1", outputs=[new_output("stream", text="1\n" * 31)]),
            "lines of the longest output",
            31,
        ),
        (30, new_code_cell("\n" * 30 + "a = 1"), "lines of the longest code cell", 31),
        (3, new_code_cell("print(2)"), "answers in sight of their question", 1),
        (61, new_markdown_cell("## Papers"), "missing endings", 1),
        (59, new_markdown_cell("## Summary\n\n**Law**: 3."), "missing endings", 1),
        (59, new_markdown_cell("## Summary\n\n**Common misconception**"), "missing endings", 1),
        (63, new_code_cell("assert line == 7"), "missing endings", 1),
        (30, new_code_cell("import os  # noqa: F401"), "comments to a linter", 1),
        (4, new_markdown_cell("```python\nfor each row:\n```"), "pseudocode marked as python", 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_outside_is_seen(number, cell, name, value):
    assert outside(chapter((number, cell)))[name] == value


def short() -> nbformat.NotebookNode:
    """The same with half of the prose and a third of the code; it calls itself short."""
    cells = chapter().cells
    cells[0] = new_markdown_cell("# 4. Masks\n\nA **short chapter**. **Time**: 15 minutes")
    return new_notebook(cells=[*cells[:15], *cells[29:39], *cells[-5:]])


def test_a_short_chapter_says_so_and_has_limits_of_its_own():
    assert outside(short()) == {}
    loud = short()
    loud.cells[0].source = loud.cells[0].source.replace("**short chapter**", "short chapter")
    assert set(outside(loud)) == {"cells", "minutes to read"}  # the mark makes it short


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ([new_markdown_cell("word " * 300)], "words"),
        ([new_code_cell("line = 1\n" * 20)], "lines of visible code"),
        ([new_markdown_cell(f"## 4.{n} A") for n in range(2, 6)], "numbered sections"),
        ([new_code_cell("assert line == 7\n" * 4)], "asserts in the lesson"),
    ],
)
def test_a_short_chapter_is_short(cells, name):
    notebook = short()
    notebook.cells[4 : 4 + len(cells)] = cells
    assert name in outside(notebook)


def test_the_stated_time_is_within_a_fifth():
    assert outside(chapter(stated=24)) == {"minutes stated": 24}
    assert outside(chapter(stated=0)) == {"minutes stated": 0}
    assert outside(chapter(stated=28)) == {}


@pytest.mark.parametrize(
    "text",
    ["The neutral value is 0, not\n1. With 1", "ten\n- one", "a\n# b", "a\n---", "two lines\n+ x"],
)
def test_a_line_that_becomes_a_list_or_a_heading_is_seen(text):
    assert outside(chapter((4, new_markdown_cell(text)))) == {"lists and headings by accident": 1}


@pytest.mark.parametrize(
    "text",
    [
        "in\n2026. Not a list, as only 1 interrupts",
        "a list:\n\n1. one\n1. two\n- three\n  goes on\n- four",
        "```\na\n- b\n# c\n```",
        "| a |\n|---|\n| 1 |",
        "a-b\n-100 is no list",
        "above\n\n---\n\nbelow",
    ],
)
def test_a_line_that_was_meant_is_not(text):
    assert outside(chapter((4, new_markdown_cell(text)))) == {}


def test_an_explorer_answers_its_own_question():
    for source in ("explore('naive')", "explore_drift('packed')", "box(read_date)"):
        assert outside(chapter((3, new_code_cell(source)))) == {}
