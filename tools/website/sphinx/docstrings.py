"""Docstrings as the library writes them, made into what Sphinx reads.

They are written to be read in the source: bars for tables, ``name: what it is`` with an indented
second line, an indented formula without two colons before it. Sections that napoleon knows (Args,
Returns, ...) are left to it.
"""

import re

SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields|Example|Examples|Note|Notes):\s*$")
NAMED = re.compile(r"([a-z_*][\w*]*(?:, [\w*]+)*): (.*)")
ITEM = re.compile(r"[-*] ")


def converted(lines: list[str]) -> list[str]:
    """The same text as reStructuredText."""
    out: list[str] = []
    rest = [line.rstrip() for line in lines]
    while rest:
        line = rest[0]
        if SECTION.match(line):
            size = 1 + _count(rest[1:], lambda one: not one or one.startswith(" "))
            out += ["", *rest[:size], ""]
        elif line.startswith("|"):
            size = _count(rest, lambda one: one.startswith("|"))
            out += ["", *_table(rest[:size]), ""]
        elif line.startswith(">>>"):
            size = _count(rest, bool)
            out += ["", *rest[:size], ""]
        elif line.startswith(" "):
            size = _count(rest, lambda one: not one or one.startswith(" "))
            out += ["", "::", "", *(f"    {one}" for one in rest[:size]), ""]
        elif NAMED.match(line) or ITEM.match(line):
            size = 1 + _count(rest[1:], lambda one: one.startswith(" "))
            if not (out and out[-1].startswith("  ")):
                out.append("")
            out += _item(rest[:size])
        else:
            size = 1
            if out and out[-1].startswith(("- ", "  ")):
                out.append("")
            out.append(line)
        rest = rest[size:]
    return out


def _count(lines: list[str], belongs) -> int:
    return next((n for n, line in enumerate(lines) if not belongs(line)), len(lines))


def _item(lines: list[str]) -> list[str]:
    first = lines[0]
    if named := NAMED.match(first):
        first = f"- ``{named[1]}``: {named[2]}"
    return [f"- {first[2:]}", *(f"  {line.strip()}" for line in lines[1:])]


def _table(lines: list[str]) -> list[str]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, body = rows[0], rows[2:]
    out = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *body):
        for n, cell in enumerate(row):
            out.append(f"   {'* -' if n == 0 else '  -'} {cell}")
    return out


def process(app, what, name, obj, options, lines: list[str]) -> None:
    # "V." alone would be the fifth item of a list
    lines[:] = [re.sub(r": ([A-Z])\.$", r": \1\\.", line) for line in converted(lines)]


def setup(app) -> dict[str, bool]:
    app.connect("autodoc-process-docstring", process, priority=100)  # before napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
