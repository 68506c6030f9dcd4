"""Which files of the repository become pages, and the front page."""

import re
from dataclasses import dataclass
from pathlib import Path

from website import notebooks, panels
from website.links import Links

FRONT = Path("README.md")
PICTURE = re.compile(r"^!\[[^\]]*\]\([^)]*\)\n", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A file of the repository and the source that is made of it, both relative paths."""

    origin: Path
    source: Path
    group: str


def found(root: Path) -> list[Page]:
    """Every page that is made from a file: chapters and exercises by number, then texts."""
    groups = {
        "Chapters": sorted(root.glob("chapters/ch*.ipynb")),
        "Exercises": sorted(root.glob("exercises/ch*/ch*.ipynb")),
        "More": sorted(root.glob("docs/*.md"))
        + sorted(root.glob("[!.]*/README.md"))
        + sorted(path for path in root.glob("*.md") if path.name != FRONT.name),
    }
    pages = [Page(FRONT, Path("index.md"), "")]
    for group, files in groups.items():
        paths = [file.relative_to(root) for file in files]
        pages += [Page(path, path, group) for path in paths]
    return pages


def write(page: Page, place: notebooks.Place, links: Links) -> set[str]:
    """Write a page's source; return the explorers that it opens. The front page is not for here."""

    def rewrite(text: str) -> str:
        return links.rewritten(text, page.origin, page.source)

    if page.origin == FRONT:
        return set()
    if page.origin.suffix == ".ipynb":
        return notebooks.write(page.origin, place, rewrite)
    target = place.source / page.source
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(rewrite((place.root / page.origin).read_text("utf-8")), encoding="utf-8")
    return set()


def write_index(
    pages: list[Page], place: notebooks.Place, links: Links, explorers: set[str]
) -> None:
    """The front page: README, in which the first screen of the first chapter is alive.

    README's pictures above its first section show that screen to who cannot move it, so they go.
    """
    index = pages[0]
    text = links.rewritten((place.root / FRONT).read_text("utf-8"), FRONT, index.source)
    head, mark, sections = text.partition("\n## ")
    head = PICTURE.sub("", head)
    title, lead, rest = (*head.split("\n\n", 2), "")[:3]
    parts = [title, lead]
    if chapters := [page.origin for page in pages if page.group == "Chapters"]:
        parts.append(_first_screen(chapters[0], place, explorers))
    parts += [rest, mark + sections]
    for group in dict.fromkeys(page.group for page in pages[1:]):
        entries = [page.source.with_suffix("") for page in pages if page.group == group]
        parts.append(_toctree(group, [entry.as_posix() for entry in entries]))
    parts.append(_toctree("Library", ["reference/index"]))
    (place.source / index.source).write_text("\n\n".join(parts), encoding="utf-8")


def _first_screen(chapter: Path, place: notebooks.Place, explorers: set[str]) -> str:
    """A chapter's text down to its first explorer, without its title; "" if it has none."""
    page, words = notebooks.Page(Path("index.md"), place), []
    for cell in notebooks.read(place.root / chapter)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            words.append(re.sub(r"\A# .*\n", "", source))
            continue
        if not (opened := panels.opened_by(source, page.names)):
            return ""
        explorers.add(opened.name)
        onward = f"[Go on in chapter 0, where this screen is from]({chapter.as_posix()})"
        return "\n\n".join([*words, page.panel(opened, cell), onward])
    return ""


def _toctree(caption: str, entries: list[str]) -> str:
    lines = "\n".join(entries)
    return f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n:caption: {caption}\n\n{lines}\n```\n"
