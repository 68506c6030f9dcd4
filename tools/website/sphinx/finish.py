"""The last touches on pages: what the theme leaves out, and what a page does not need."""

import re
import zlib
from collections.abc import Iterable
from pathlib import Path

# Not by the theme's class "no-js": it stands until a script runs, and pictures are loaded by then.
STILLS = "<style>.s2s-still{display:block}.s2s-wait{display:none}</style>"
# What tells one landmark from another, what a page without scripts needs, and the heading that the
# page of results lacks.
ADDED = {
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="This page">',
    "</head>": f"<noscript>{STILLS}</noscript></head>",
}
MAIN = '<article role="main" id="furo-main-content">'
CAPTION = '<p class="caption" role="heading">'
NOTEBOOK_STYLE = "mystnb"
EXTENSIONS_STYLE = "furo-extensions"  # for extensions of Sphinx that are not used here
MARKING = ("doctools.js", "sphinx_highlight.js")  # of words that were searched for
PYGMENTS_STYLE = "pygments.css"
CHINESE = re.compile(r"<p>(?=[^<]*[\u4e00-\u9fff][^<]*</p></t[dh]>)")  # glossary
TOKEN = re.compile(r"\.highlight \.(\w+) \{")  # a rule of that style; each stands in one line


def page(app, name: str, template: str, context: dict, doctree) -> None:
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(CAPTION, CAPTION[:-1] + ' aria-level="2">')
    if name == app.config.root_doc:  # the page that must come first; its words can be unmarked
        scripts = context["script_files"]
        context["script_files"] = [s for s in scripts if not str(s.filename).endswith(MARKING)]
    unused = [EXTENSIONS_STYLE]
    if not name.startswith(("chapters/", "exercises/ch")):  # 43 kB for nothing
        unused.append(NOTEBOOK_STYLE)
    styles = context["css_files"]
    context["css_files"] = [s for s in styles if not any(u in str(s.filename) for u in unused)]


def finished(app, exception) -> None:
    if exception:
        return
    pages = {page: page.read_text("utf-8") for page in Path(app.outdir).rglob("*.html")}
    version = shorten(Path(app.outdir) / "_static" / PYGMENTS_STYLE, pages.values())
    for path, text in pages.items():
        for bare, named in ADDED.items():
            text = text.replace(bare, named)
        text = CHINESE.sub('<p lang="zh">', text)  # or it is read aloud as English
        text = re.sub(rf"({PYGMENTS_STYLE}\?v=)\w+", rf"\g<1>{version}", text)
        if path.name == "search.html":
            text = text.replace(MAIN, f"{MAIN}<h1>Search</h1>")
        path.write_text(text, encoding="utf-8")


def shorten(style: Path, pages: Iterable[str]) -> str:
    """Leave of the colours of code those that a page uses; return what names this version."""
    used = {name for page in pages for name in re.findall(r'<span class="(\w+)">', page)}
    rules = style.read_text(encoding="utf-8").splitlines()
    kept = [rule for rule in rules if not (found := TOKEN.search(rule)) or found[1] in used]
    style.write_text("\n".join(kept), encoding="utf-8")
    return f"{zlib.crc32(style.read_bytes()):08x}"


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", page, priority=900)  # after the theme
    app.connect("build-finished", finished, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
