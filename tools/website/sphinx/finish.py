"""The last touches on pages: what the theme leaves out, and what a page does not need."""

from pathlib import Path

# What tells one landmark from another, and the heading that the page of results lacks.
NAMES = {
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="This page">',
}
MAIN = '<article role="main" id="furo-main-content">'
CAPTION = '<p class="caption" role="heading">'
NOTEBOOK_STYLE = "mystnb"


def page(app, name: str, template: str, context: dict, doctree) -> None:
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(CAPTION, CAPTION[:-1] + ' aria-level="2">')
    if not name.startswith(("chapters/", "exercises/ch")):  # 43 kB for nothing
        kept = [one for one in context["css_files"] if NOTEBOOK_STYLE not in str(one.filename)]
        context["css_files"] = kept


def finished(app, exception) -> None:
    if exception:
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for bare, named in NAMES.items():
            text = text.replace(bare, named)
        if path.name == "search.html":
            text = text.replace(MAIN, f"{MAIN}<h1>Search</h1>")
        path.write_text(text, encoding="utf-8")


def setup(app) -> dict[str, bool]:
    app.connect("html-page-context", page, priority=900)  # after the theme
    app.connect("build-finished", finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
