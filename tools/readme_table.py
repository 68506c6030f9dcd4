"""Write README.md's chapter table from the notebooks. Every build does so, too; this alone is for
what needs no build, such as a chapter that was removed.

Titles are the notebooks' own, and so are the seconds, which the last builds measured. The table
replaces what stands between two comments in README.md: `<!-- chapters:begin -->` and
`<!-- chapters:end -->`.
"""

import sys
from pathlib import Path

from notebooks.build import recorded_seconds
from notebooks.chapters import chapters
from notebooks.paths import ROOT, write_atomically

BEGIN, END = "<!-- chapters:begin -->", "<!-- chapters:end -->"


def duration(seconds: int | None) -> str:
    """90 -> '1 min 30 s'; a notebook that was never timed says so."""
    if seconds is None:
        return "not measured"
    minutes, rest = divmod(seconds, 60)
    return " ".join([f"{minutes} min"] * (minutes > 0) + [f"{rest} s"] * (rest > 0 or not minutes))


def table(root: Path = ROOT) -> str:
    """One row per chapter: its title as a link, its exercises, the time it takes to run."""
    rows = ["| chapter | exercises | runs in |", "|---|---|---|"]
    for chapter in chapters(root):
        if not chapter.notebook.exists():
            continue
        name = chapter.notebook.relative_to(root).as_posix()
        released = chapter.exercise.relative_to(root).as_posix()
        took = duration(recorded_seconds(chapter.notebook))
        link = f"[{chapter.stem}]({released})" if chapter.solution.exists() else "–"
        rows.append(f"| [{chapter.title}]({name}) | {link} | {took} |")
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
