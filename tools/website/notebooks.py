"""A notebook as a page: live explorers, pictures as files, folded answers and hints."""

import base64
import json
import re
import shutil
import struct
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from website import given, panels

HINT = re.compile(r'^# hint\("([^"]+)"\)$', re.MULTILINE)
CHECK = re.compile(r'^check\("([^"]+)", ', re.MULTILINE)
# What a reader without a kernel should know, by the notebook's folder.
NOTES = {
    "chapters": "Figures can be moved and answers opened on this page. To fill in a cell under "
    "<em>Your turn</em> and have it checked takes Python",
    "exercises": "This page has the questions, what their cells print, and the hints. Checking "
    "an answer and seeing a solution take Python",
}
NOTEBOOK = re.compile(r'(href="(?![a-z]+:)[^"#]+)\.ipynb(?=["#])')
SOLVED = "solutions"  # the exercises, executed; a checkout may lack them
# So much of its width a picture keeps on a narrow page, where it scrolls: words drawn at 15 pixels
# are shown at 8 points or more.
LEAST = 0.7
DATA = re.compile(r'src="data:image/png;base64,([^"]+)"')


class SiteError(Exception):
    """Something an author has to mend; the message names the file."""


@dataclass
class Place:
    """Where things are, and where they go.

    Attributes:
        root: the repository.
        source: the folder that Sphinx reads.
        extra: files that stand in the site as they are.
        repository, ref: "owner/name" on GitHub and a branch; "" for no links to Colab and Binder.
    """

    root: Path
    source: Path
    extra: Path
    repository: str = ""
    ref: str = "main"


@dataclass
class Page:
    """One notebook on its way to its page."""

    path: Path  # in the repository and in the sources alike
    place: Place
    explorers: set[str] = field(default_factory=set)
    pictures: int = 0
    titles: Counter = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)

    def cell(self, cell: dict[str, Any]) -> list[dict[str, Any]]:
        """The cells that stand for one of the notebook."""
        if cell["cell_type"] != "code":
            return [{**cell, "source": panels.with_buttons("".join(cell["source"]), self.names)}]
        code = "".join(cell["source"])
        if opened := panels.opened_by(code, self.names):
            return [markdown(self.panel(opened, cell))]
        if asked := HINT.search(code):
            return [markdown(hints(asked[1]))]
        tags = cell["metadata"].get("tags", [])
        shown = {key: value for key, value in cell["metadata"].items() if key != "jupyter"}
        if "hide-output" in tags:
            prompts = {
                "code_prompt_show": "Decide, then open: what the cell prints",
                "code_prompt_hide": "Fold what the cell prints",
            }
            shown["mystnb"] = prompts
        new = {**cell, "metadata": shown, "outputs": [self.output(o) for o in cell["outputs"]]}
        if self.path.parts[0] == "chapters" and (checked := CHECK.search(code)):
            return [new, markdown(hints(checked[1]))]  # nobody can call hint() on a page
        return [new]

    def panel(self, opened: panels.Opened, cell: dict[str, Any]) -> str:
        """The HTML of a live panel, with the stored picture for readers without JavaScript."""
        self.explorers.add(opened.name)
        self.titles[opened.title] += 1
        stills = [self.output(o) for o in cell["outputs"] if "image/png" in o.get("data", {})]
        picture = "".join("".join(still["data"]["text/html"]) for still in stills)
        return panels.placed(opened, self.titles[opened.title], picture)

    def output(self, output: dict[str, Any]) -> dict[str, Any]:
        """An output whose pictures are files, loaded when they come into view."""
        data = output.get("data", {})
        if "image/png" in data:
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            if not alt:
                raise SiteError(f"{self.path}: a picture without words for who cannot see it.")
            html = self.picture("".join(data["image/png"]), alt, output["metadata"]["image/png"])
            return {**output, "metadata": {}, "data": {"text/html": html}}
        if "text/html" in data:
            html = DATA.sub(
                lambda found: f'loading="lazy" src="{self.file(base64.b64decode(found[1]))}"',
                "".join(data["text/html"]),
            )
            return {**output, "data": {"text/html": NOTEBOOK.sub(r"\1.html", html)}}
        return output

    def picture(self, encoded: str, alt: str, metadata: dict[str, Any]) -> str:
        """An <img> that keeps its place before it is there."""
        content = base64.b64decode(encoded)
        width, height = struct.unpack(">II", content[16:24])  # where PNG keeps them
        shown = metadata.get("width", width)
        return (
            f'<img class="picture" loading="lazy" alt="{escape(alt)}" src="{self.file(content)}" '
            f'width="{shown}" height="{round(height * shown / width)}" '
            f'style="min-width: max(min({shown}px, 32em), {round(LEAST * shown)}px)">'
        )

    def file(self, content: bytes) -> str:
        """Write a picture; its address from the page."""
        self.pictures += 1
        name = Path("pictures") / f"{self.path.stem}-{self.pictures}.png"
        target = self.place.extra / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return "../" * (len(self.path.parts) - 1) + name.as_posix()

    def doors(self) -> str:
        """The line below the title: where the notebook itself is."""
        copy = Path("notebooks") / self.path.parts[0] / self.path.name
        (self.place.extra / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.place.root / self.path, self.place.extra / copy)
        up, path = "../" * (len(self.path.parts) - 1), self.path.as_posix()
        doors = [f'<a href="{up}{copy.as_posix()}" download>Download this notebook</a>']
        if repository := self.place.repository:
            at = f"{repository}/blob/{self.place.ref}/{path}"
            lab = f"{repository}/{self.place.ref}?labpath={path}"
            doors.append(f'<a href="https://colab.research.google.com/github/{at}">Colab</a>')
            doors.append(f'<a href="https://mybinder.org/v2/gh/{lab}">Binder</a>')
        install = f'<a href="{up}index.html#two-commands">install the course</a>'
        note = f"{NOTES[self.path.parts[0]]}: {install}."
        return f'<p class="doors">{" · ".join(doors)}</p><p class="doors">{note}</p>'


def read(path: Path) -> dict[str, Any]:
    """A notebook as plain data."""
    return json.loads(path.read_text(encoding="utf-8"))


def markdown(text: str) -> dict[str, Any]:
    """A cell of Markdown."""
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def hints(exercise_id: str) -> str:
    """The hints of an exercise, each folded."""
    from seq2seq_lib import course

    parts = []
    found = course.find(exercise_id).words.hints
    for number, hint in enumerate(found, start=1):
        code = f"\n```python\n{hint.code}\n```\n" if hint.code else ""
        parts.append(
            f'<details class="hint"><summary>{exercise_id}, hint {number} of {len(found)}'
            f"</summary>\n\n{hint.words}\n{code}\n</details>\n"
        )
    return "\n".join(parts)


def write(path: Path, place: Place, rewrite) -> set[str]:
    """Write one notebook as a source of Sphinx.

    Args:
        path: in the repository.
        rewrite: text of a Markdown cell -> with links as they must be on the page.

    Returns:
        The names of the explorers that its page opens.
    """
    page, notebook = Page(path, place), read(place.root / path)
    solved = place.root / SOLVED / path.relative_to(path.parts[0])
    if path.parts[0] == "exercises" and solved.exists():
        given.fill_in(notebook["cells"], read(solved)["cells"])
    cells = [new for cell in notebook["cells"] for new in page.cell(cell)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
        if cell["cell_type"] == "markdown":
            cell["source"] = rewrite("".join(cell["source"]))
    title, _, rest = cells[0]["source"].partition("\n")
    cells[0]["source"] = f"{title}\n\n{page.doors()}\n{rest}"
    target = place.source / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({**notebook, "cells": cells}), encoding="utf-8")
    return page.explorers
