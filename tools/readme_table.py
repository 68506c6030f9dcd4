"""Write README.md's chapter table from the notebooks. Every build does so, too; this alone is for
what needs no build, such as a chapter that was removed.

Titles are the notebooks' own, and so are the seconds, which the last builds measured. Below the
table stands which planned chapters are missing. Both replace what stands between two comments in
README.md: `<!-- chapters:begin -->` and `<!-- chapters:end -->`.
"""

import sys
import textwrap
from pathlib import Path

from notebooks.build import recorded_seconds
from notebooks.chapters import chapters
from notebooks.paths import ROOT, write_atomically

BEGIN, END = "<!-- chapters:begin -->", "<!-- chapters:end -->"

# What the course is to hold, by number. A chapter that exists has a title of its own.
PLANNED = {
    "1": "text to batches",
    "2": "gates",
    "3": "encoder and decoder",
    "5": "losses and temperature",
    "6": "teacher forcing",
    "8": "attention",
    "10": "latent variables",
}


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


def still_missing(written: set[str], planned: dict[str, str] = PLANNED) -> str:
    """A sentence about the planned chapters whose numbers are not among ``written``, or nothing."""
    titles = [f"{number} ({title})" for number, title in planned.items() if number not in written]
    if not titles:
        return ""
    if len(titles) == 1:
        return f"Chapter {titles[0]} is being written."
    return f"Being written: chapters {', '.join(titles[:-1])} and {titles[-1]}."


def generated(root: Path = ROOT) -> str:
    """All that stands between the two comments."""
    written = {chapter.number for chapter in chapters(root) if chapter.notebook.exists()}
    sentence = textwrap.fill(still_missing(written), 98)
    return f"{table(root)}\n\n{sentence}".strip()


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
    new = with_table(old, generated(root))
    if new != old:
        write_atomically(readme, new)
        print("README.md: chapter table written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
