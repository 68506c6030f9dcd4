"""Use: python tools/chapter_sizes.py [ch04_padding_masks ...]

What each chapter measures, against the limits of docs/authoring.md. Lines with a ! are outside.
"""

import sys

import nbformat
from notebooks.chapters import Chapter, chapters
from notebooks.sizes import measures


def main(stems: list[str]) -> int:
    chosen = [Chapter(stem) for stem in stems] or [c for c in chapters() if c.notebook.exists()]
    for chapter in chosen:
        print(chapter.stem)
        for measure in measures(nbformat.read(chapter.notebook, as_version=4)).values():
            print(f"  {'!' if measure.excess else ' '} {measure}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
