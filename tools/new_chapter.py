"""Use: python tools/new_chapter.py ch13_name [--title "What it is called"]

Makes all parts of a chapter, from tools/chapter_template: a source with the pattern's skeleton, one
exercise with its check and its words, tests, breaks and submissions. Then it builds the notebooks,
releases the exercises, and puts the chapter into README's table and on the map of the course. The
result runs and passes the tests; replace its example by your own. Nothing else has to be edited: a
chapter is found by its stem. docs/authoring.md says what is what.
"""

import argparse
import re
import sys
from pathlib import Path

import course_pictures
import readme_table
from notebooks.build import build
from notebooks.chapters import STEM, Chapter, chapters
from notebooks.paths import ROOT, NotebookError
from notebooks.release import release

TEMPLATE = ROOT / "tools" / "chapter_template"


def refusal(stem: str, root: Path) -> str:
    """Why there can be no chapter of this stem, in a sentence; empty if there can."""
    if not STEM.fullmatch(stem):
        return (
            f"{stem!r} is no stem: write chNN_name, such as ch11_copy_attention, in small letters"
        )
    for known in chapters(root):
        if known.stem == stem:
            return f"{stem} exists: choose another name, or remove all its parts"
        if known.number == Chapter(stem).number:
            return f"Chapter {known.number} exists: it is {known.stem}"
    return ""


def write(chapter: Chapter, title: str) -> list[Path]:
    """Write every file of the template under the chapter's names."""
    names = {"__STEM__": chapter.stem, "__NUMBER__": chapter.number, "__TITLE__": title}

    def named(text: str) -> str:
        return re.sub("|".join(names), lambda found: names[found[0]], text)

    written = []
    for file in sorted(TEMPLATE.rglob("*.*")):
        if "__pycache__" in file.parts:
            continue
        target = chapter.root / named(file.relative_to(TEMPLATE).as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(named(file.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
        written.append(target)
    return written


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stem", help="chNN_name")
    parser.add_argument("--title", help="default: made of the name")
    options = parser.parse_args(arguments)
    if why_not := refusal(options.stem, root):
        print(why_not, file=sys.stderr)
        return 1
    chapter = Chapter(options.stem, root)
    title = options.title or chapter.stem[5:].replace("_", " ").capitalize()
    for path in write(chapter, title):
        print(path.relative_to(root).as_posix())
    try:
        for source in (chapter.source, chapter.solution_source):
            print(f"building {source.relative_to(root).as_posix()} ...", end=" ", flush=True)
            print(f"{build(source):.0f} s")
        release(root, chapter.stem)
    except NotebookError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    readme_table.main(root)
    course_pictures.main(root)
    print(
        f"Next: python -m pytest tests/course/{chapter.stem} tests/repository/test_chapters.py\n"
        f"      python -m pytest tests/course/test_every_exercise.py "
        f'-k "[{chapter.number}. or [{chapter.number}]"'
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
