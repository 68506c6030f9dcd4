"""All parts together: sources for Sphinx in one folder, the finished site in another."""

import shutil
from pathlib import Path

from website import notebooks, pages, panels, reference
from website.links import Links

HERE = Path(__file__).parent
KIT = Path("seq2seq_lib/course/explorers/kit")


def build(root: Path, out: Path, repository: str = "", ref: str = "main") -> int:
    """Write the sources to ``out/source`` and the site to ``out/html``; return Sphinx's status."""
    source, extra = out / "source", out / "extra"
    for folder in (source, extra, out / "html"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    shutil.copytree(HERE / "sphinx", source, dirs_exist_ok=True)
    static = source / "_static"
    for name in ("panel.js", "panel.css"):
        shutil.copy(root / KIT / name, static)

    place = notebooks.Place(root, source, extra, repository, ref)
    found = pages.found(root)
    links = Links(root, source, {page.origin: page.source for page in found})
    explorers: set[str] = set()
    for page in found:
        explorers |= pages.write(page, place, links)
    pages.write_index(found, place, links, explorers)
    reference.write(source / "reference")
    panels.write_tables(sorted(explorers), static / "explorers")

    from sphinx.cmd.build import build_main

    status = build_main(
        ["-b", "html", "-q", "-W", "--keep-going", "-d", str(out / "doctrees")]
        + [str(source), str(out / "html")]
    )
    if status == 0:
        print(f"The site is in {out / 'html'}. To look at it:")
        print(f"    python -m http.server --directory {out / 'html'}")
    return status
