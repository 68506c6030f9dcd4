"""Use: python tools/course_pictures.py [--first-screen]

Writes docs/pictures: the map of the chapters and the seven laws, as README shows them. What they
show comes from the chapters' own `chapter.toml`; seq2seq_lib/course/atlas/ draws it, chapter 0
shows the same. Every build of a notebook does so, too. With `--first-screen` the first picture of
README is drawn anew: what chapter 0's two models answer, when the models have been trained anew.
"""

import sys
from pathlib import Path

from notebooks.paths import ROOT, write_atomically

FOLDER = Path("docs") / "pictures"


def pictures(root: Path = ROOT) -> dict[Path, str]:
    """Each file, and what belongs into it."""
    from seq2seq_lib.course import atlas  # with it comes torch, for seconds

    chapters = atlas.entries(root / "seq2seq_lib" / "course")
    drawn = {
        "course_map.svg": atlas.course_map(chapters),
        "seven_laws.svg": atlas.seven_laws(chapters=chapters),
    }
    return {root / FOLDER / name: atlas.for_pages(picture) for name, picture in drawn.items()}


def first_screen() -> str:
    """Chapter 0's two models, and a date with eight pads behind it."""
    from seq2seq_lib.course import atlas
    from seq2seq_lib.course.explorers.neighbours.compute import compute
    from seq2seq_lib.course.explorers.neighbours.picture import draw

    return atlas.for_pages(draw(compute(date="24 december 1984", longer=8)))


def main(root: Path = ROOT) -> int:
    if not (root / FOLDER).is_dir():
        return 0  # a course of its own, without these pages
    for path, picture in pictures(root).items():
        if not path.exists() or path.read_text(encoding="utf-8") != picture:
            write_atomically(path, picture)
            print(f"{path.relative_to(root).as_posix()} written")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--first-screen"]:
        write_atomically(ROOT / FOLDER / "first_screen.svg", first_screen())
    sys.exit(main())
