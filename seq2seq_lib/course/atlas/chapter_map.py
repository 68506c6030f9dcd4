"""The map of the course: a tile a chapter, to the right of those that it needs."""

import textwrap
from collections.abc import Sequence

from seq2seq_lib.course.atlas.entries import Entry, entries, in_words
from seq2seq_lib.course.explorers.kit import svg

COLUMN, ROW, TILE = 232, 76, (176, 60)  # pixels from tile to tile, and of a tile


def course_map(chapters: Sequence[Entry] | None = None, here: int | None = None) -> str:
    """What needs what: a tile a chapter, to the right of those that it needs.

    Args:
        chapters: those of this course if left out.
        here: the number of the chapter that says "you are here".

    Raises:
        ValueError: no chapters, or some that need each other in a circle.
    """
    chapters = entries() if chapters is None else chapters
    if not chapters:
        raise ValueError("There are no chapters to draw: none has a chapter.toml.")
    level = _levels(chapters)
    columns = [
        [c for c in chapters if level[c.number] == n] for n in range(max(level.values()) + 1)
    ]
    tallest = max(map(len, columns))
    spot = {
        c.number: (
            svg.MARGIN + COLUMN * n,
            svg.MARGIN + ROW * (row + (tallest - len(column)) / 2),
        )
        for n, column in enumerate(columns)
        for row, c in enumerate(column)
    }
    parts = []
    for chapter in chapters:
        for need in _direct(chapter, chapters):
            passed = columns[level[need] + 1 : level[chapter.number]]
            tops = [spot[c.number][1] for column in passed for c in column]
            parts += _arrow(spot[need], spot[chapter.number], tops)
    for chapter in chapters:
        parts += _tile(chapter, *spot[chapter.number], chapter.number == here)
    width = 2 * svg.MARGIN + COLUMN * (len(columns) - 1) + TILE[0]
    height = 2 * svg.MARGIN + ROW * (tallest - 1) + TILE[1]
    total = sum(c.minutes for c in chapters)
    title = f"A map of {len(chapters)} chapters"
    description = f"{title}, {total / 60:.0f} hours to read. {' '.join(map(_told, chapters))}"
    return svg.picture(width, height, title, description, parts)


def _arrow(
    need: tuple[float, float], chapter: tuple[float, float], tops: Sequence[float]
) -> list[str]:
    """From tile to tile; columns between them are passed where no tile stands.

    Args:
        need, chapter: the upper left corners of both tiles.
        tops: the upper edges of all tiles in the columns between.
    """
    (x0, y0), (x1, y1) = need, chapter
    x0, y0, y1 = x0 + TILE[0], y0 + TILE[1] / 2, y1 + TILE[1] / 2
    gap, middle = COLUMN - TILE[0], TILE[1] / 2
    ways = [y0, *(top + side for top in tops for side in (middle - ROW / 2, middle + ROW / 2))]
    free = [y for y in ways if not any(top - 2 <= y <= top + TILE[1] + 2 for top in tops)]
    y = min(free, key=lambda y: abs(y - y0) + abs(y - y1))
    points = [(x0, y0), (x1 - gap, y), (x1 - gap / 4, y1), (x1 - 2, y1)]
    if tops:
        points.insert(1, (x0 + gap, y))
    return [
        svg.line(points, stroke=svg.GREY),
        svg.line([(x1 - 7, y1 - 4), (x1 - 1, y1), (x1 - 7, y1 + 4)]),
    ]


def _told(chapter: Entry) -> str:
    laws = f", law{'' if len(chapter.laws) == 1 else 's'} {', '.join(map(str, chapter.laws))}"
    needs = f"needs {in_words(chapter.needs)}" if chapter.needs else "needs no other"
    return (
        f"{chapter.number}. {chapter.title}: {chapter.minutes} minutes"
        f"{laws if chapter.laws else ''}, {needs}."
    )


def _levels(chapters: Sequence[Entry]) -> dict[int, int]:
    """0 for a chapter that needs none, else one more than the highest that it needs."""
    known = {c.number: c for c in chapters}
    level: dict[int, int] = {}
    while len(level) < len(known):
        ready = [
            c
            for c in known.values()
            if c.number not in level and all(n in level for n in c.needs if n in known)
        ]
        if not ready:
            left = ", ".join(c.stem for c in known.values() if c.number not in level)
            raise ValueError(f"These chapters need each other in a circle: {left}.")
        level |= {
            c.number: 1 + max((level[n] for n in c.needs if n in known), default=-1) for c in ready
        }
    return level


def _direct(chapter: Entry, chapters: Sequence[Entry]) -> list[int]:
    """What it needs without what these need themselves: the fewer arrows, the clearer."""
    known = {c.number: c for c in chapters}

    def above(number: int) -> set[int]:
        needs = [n for n in known[number].needs if n in known]
        return set(needs).union(*map(above, needs))

    needs = [n for n in chapter.needs if n in known]
    return [n for n in needs if not any(n in above(other) for other in needs)]


def _tile(chapter: Entry, x: float, y: float, here: bool) -> list[str]:
    parts = [svg.rect(x, y, *TILE, fill=svg.PAPER, stroke=svg.INK, kind="tile")]
    if here:
        parts.append(svg.rect(x, y, *TILE, fill=svg.BLUE, opacity=svg.SHADE, kind="here"))
    lines = textwrap.wrap(f"{chapter.number}. {chapter.title}", 22)
    if len(lines) > 2:
        lines = [lines[0], textwrap.shorten(" ".join(lines[1:]), 22, placeholder=" …")]
    for row, words in enumerate(lines):
        parts.append(svg.text(x + 8, y + 17 + 16 * row, words, size=13, weight="bold"))
    laws = f" · law{'' if len(chapter.laws) == 1 else 's'} {', '.join(map(str, chapter.laws))}"
    facts = f"{chapter.minutes} min{laws if chapter.laws else ''}"
    parts.append(svg.text(x + 8, y + 51, facts, size=12, fill=svg.INK if here else svg.GREY))
    return parts
