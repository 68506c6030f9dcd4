"""Write README.md's chapter table from the notebooks: `make notebooks`, or run this alone.

Titles are the notebooks' own, seconds are those that the last builds measured (see
tools/build_notebooks.py). The table replaces what stands between two comments in README.md:
`<!-- chapters:begin -->` and `<!-- chapters:end -->`.
"""

import json
import re
import sys
from pathlib import Path

from build_notebooks import ROOT, TIMINGS, write_atomically

BEGIN, END = "<!-- chapters:begin -->", "<!-- chapters:end -->"


def title_of(notebook: Path) -> str:
    """The first heading of a notebook."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        heading = re.search(r"^# (.+)$", "".join(cell["source"]), flags=re.MULTILINE)
        if cell["cell_type"] == "markdown" and heading:
            return heading.group(1).strip()
    raise SystemExit(f"{notebook.name} has no markdown cell with a heading '# ...'")


def duration(seconds: int | None) -> str:
    """90 -> '1 min 30 s'; a notebook that was never timed says so."""
    if seconds is None:
        return "not measured"
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * (minutes > 0) + [f"{rest} s"] * (rest > 0 or not minutes))


def table(root: Path = ROOT) -> str:
    """One row per chapter: its title as a link, its exercises, the time it takes to run."""
    path = root / TIMINGS
    timings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    rows = ["| chapter | exercises | runs in |", "|---|---|---|"]
    for notebook in sorted((root / "chapters").glob("*.ipynb")):
        name = notebook.relative_to(root).as_posix()
        exercises = sorted((root / "solutions").glob(f"{notebook.stem}/*.ipynb"))
        links = ", ".join(f"[{e.stem}](exercises/{e.stem}/{e.name})" for e in exercises) or "–"
        rows.append(f"| [{title_of(notebook)}]({name}) | {links} | {duration(timings.get(name))} |")
    return "\n".join(rows)


def with_table(readme: str, rows: str) -> str:
    """README's text with the table between its two comments."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise SystemExit(f"README.md must hold {BEGIN} and {END} once each: the table goes between")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n{rows}\n{END}{rest.split(END)[1]}"


def main(root: Path = ROOT) -> int:
    readme = root / "README.md"
    if not readme.exists():
        print("README.md does not exist: no chapter table written")
        return 0
    old = readme.read_text(encoding="utf-8")
    new = with_table(old, table(root))
    if new != old:
        write_atomically(readme, new)
        print("README.md: chapter table written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
