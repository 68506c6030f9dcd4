"""The course as two pictures: its chapters, and the seven laws.

A chapter says what it is in ``chapter.toml``, in its own folder beside this file::

    title = "Padding masks and the masked loss"
    minutes = 45         # to read
    needs = [0]          # numbers of the chapters to read before
    laws = [1, 3]        # of seq2seq_lib.laws that it meets

Nothing lists the chapters: a folder ``chNN_name`` that holds this file is on the map, and a chapter
is taken off it by removing its folder.
"""

import base64
import textwrap
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.png import png

FOLDER = Path(__file__).parent
FACTS = {"title": str, "minutes": int, "needs": list, "laws": list}


@dataclass(frozen=True)
class Entry:
    """A chapter on the map.

    Attributes:
        number, stem: 4 and ``"ch04_padding_masks"``.
        title: without its number.
        minutes: to read.
        needs: numbers of the chapters to read before.
        laws: numbers of the laws that it meets.
    """

    number: int
    stem: str
    title: str
    minutes: int
    needs: tuple[int, ...]
    laws: tuple[int, ...]


@dataclass(frozen=True)
class Law:
    """A sentence "two ways, one number", and where in the pipeline it stands.

    Attributes:
        name: after its number.
        left, right: the two ways, in the pans of a balance; a line each.
        number: what both must give.
        where: the place, in words.
    """

    name: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    number: str
    where: str


LAWS: Mapping[int, Law] = {
    1: Law(
        "batch invariance",
        ("alone",),
        ("in any", "batch"),
        "memory, logits, answer",
        "between the batch and the encoder",
    ),
    2: Law("parity", ("our cell",), ("nn.GRU,", "nn.LSTM"), "state, gradient", "in the encoder"),
    3: Law(
        "the loss ledger",
        ("mask ×", "NLL"),
        ("select,", "ignore_index"),
        "loss",
        "at the loss",
    ),
    4: Law(
        "parallel = stepwise", ("all at", "once"), ("token by", "token"), "logits", "in the decoder"
    ),
    5: Law(
        "search has an oracle",
        ("beam of 1,", "beam of all"),
        ("greedy,", "exhaustive"),
        "the output",
        "in the search",
    ),
    6: Law(
        "scores add up",
        ("the search", "says"),
        ("the model", "says"),
        "log probability",
        "between the search and the text",
    ),
    7: Law(
        "shard invariance",
        ("one large", "batch"),
        ("several", "shards"),
        "gradient",
        "at the update",
    ),
}


def entries(folder: Path = FOLDER) -> list[Entry]:
    """Every chapter with a ``chapter.toml`` in this folder, by number.

    Raises:
        ValueError: a file that lacks a fact, or holds another one; the message names the file.
    """
    found = []
    for path in sorted(folder.glob("ch[0-9][0-9]_*/chapter.toml")):
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        wrong = [name for name, kind in FACTS.items() if not isinstance(facts.get(name), kind)]
        wrong += sorted(facts.keys() - FACTS.keys())
        wrong += [f"law {law}" for law in facts.get("laws", ()) if law not in LAWS]
        if wrong:
            raise ValueError(
                f"{path}: look at {', '.join(wrong)}. Wanted are a title, minutes (a number), "
                f"needs (numbers of chapters) and laws (of {min(LAWS)} to {max(LAWS)})."
            )
        stem = path.parent.name
        facts |= {name: tuple(facts[name]) for name in ("needs", "laws")}
        found.append(Entry(int(stem[2:4]), stem, **facts))
    return found


def show(picture: str, below: str = "") -> None:
    """Show a picture in a notebook: as PNG, and folded below it the same in words.

    Args:
        picture: an SVG.
        below: HTML between the two, for example ``chapter_links()``.
    """
    from IPython.display import display

    words = svg.description_of(picture)
    meta = {"width": svg.size_of(picture)[0], "alt": words}
    data = {"image/png": base64.b64encode(png(picture)).decode(), "text/plain": f"[{words}]"}
    display(data, metadata={"image/png": meta}, raw=True)
    folded = f"<details><summary>The figure in words</summary><p>{escape(words)}</p></details>"
    display({"text/html": below + folded}, raw=True)


def chapter_links(chapters: Sequence[Entry] | None = None) -> str:
    """A line of HTML that opens each chapter, from a notebook beside them."""
    chapters = entries() if chapters is None else chapters
    return f"<p>{' · '.join(_link(c, f'{c.number}. {c.title}') for c in chapters)}</p>"


def law_links(chapters: Sequence[Entry] | None = None) -> str:
    """A line of HTML: each law, and links to the chapters that meet it."""
    chapters = entries() if chapters is None else chapters
    at = {law: [_link(c, str(c.number)) for c in chapters if law in c.laws] for law in LAWS}
    told = [f"law {law}: {', '.join(links)}" for law, links in at.items() if links]
    return f"<p>Chapters of {' · '.join(told)}</p>" if told else ""


def _link(chapter: Entry, words: str) -> str:
    return f'<a href="{chapter.stem}.ipynb">{escape(words)}</a>'


# What ink and paper become where the reader's pages are dark. GitHub, and browsers in general,
# ask a picture itself: an <img> sees nothing of the page around it.
DARK = {
    svg.INK: "#f0f6fc",
    svg.GREY: "#a9b4bf",
    svg.LIGHT: "#59636e",
    svg.PAPER: "#151b23",
    svg.BLUE: "#4aa3e0",
}


def for_pages(picture: str) -> str:
    """The picture as a file for README and other pages: it turns dark where the pages are dark."""
    rules = "".join(
        f'[{attribute}="{light}"]{{{attribute}:{dark}}}'
        for light, dark in DARK.items()
        for attribute in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    return picture.replace("<title>", f"{style}<title>", 1) + "\n"


# ---------------------------------------------------------------- the laws

WIDE, PLACES = 830, (86, 250, 414, 578, 742)  # pixels; the centres of five columns
CARD, BOX = 134, (104, 34)  # height of a balance; width and height of a box
MOST = 10  # chapters that have room below a balance


def seven_laws(
    met: Collection[int] = (),
    broken: Collection[int] = (),
    chapters: Sequence[Entry] | None = None,
) -> str:
    """The pipeline of a model, with a balance where each law stands.

    Args:
        met: laws whose pans are filled.
        broken: laws whose balance tilts, because two ways gave two numbers.
        chapters: who meets which law; those of this course if left out.

    Raises:
        ValueError: a number that is no law.
    """
    if unknown := {*met, *broken} - LAWS.keys():
        raise ValueError(f"There is no law {min(unknown)}. Valid: {', '.join(map(str, LAWS))}.")
    chapters = entries() if chapters is None else chapters
    at = {law: [c.number for c in chapters if law in c.laws] for law in LAWS}
    columns = {1: 0, 2: 1, 4: 2, 3: 3, 7: 4, 5: 2, 6: 3}
    top, second = 14 + CARD + 26, 14 + CARD + 26 + 78
    parts = []
    for law, column in columns.items():
        below = law in (5, 6)
        y = second + BOX[1] + 22 if below else 14
        parts += _balance(law, PLACES[column], y, law in met, law in broken, at[law])
        # what ties a balance to its place: a line to the box, or to the arrow beside it
        x = PLACES[column]
        ends = (y - 6, second + BOX[1]) if below else (14 + CARD, top)
        shift = {1: 82, 6: -82}.get(law, 0)
        middle = BOX[1] / 2 * (-1 if below else 1) if shift else 0
        parts.append(
            svg.line(
                [(x + 0.7 * shift, ends[0]), (x + shift, ends[1] + middle)],
                stroke=svg.GREY,
                dash="2 3",
            )
        )
    for column, name in enumerate(("batch", "encoder", "decoder", "loss", "update")):
        parts += _box(PLACES[column], top, name)
        if column:
            parts += _arrow(PLACES[column - 1] + BOX[0] / 2, PLACES[column] - BOX[0] / 2, top)
    for column, name in ((0, "text"), (2, "search"), (3, "text")):
        parts += _box(PLACES[column], second, name)
    parts += _arrow(PLACES[2] + BOX[0] / 2, PLACES[3] - BOX[0] / 2, second)
    parts += _upright(PLACES[0], second, top + BOX[1])
    parts += _upright(PLACES[2], top + BOX[1], second)
    height = second + BOX[1] + 22 + CARD + 14
    title = "Seven laws: two ways, one number"
    sentences = [_sentence(law, law in met, law in broken, at[law]) for law in LAWS]
    description = (
        "A pipeline: text, batch, encoder, decoder, loss, update; and from the decoder to the "
        f"search and to text. On it stand seven balances. {' '.join(sentences)}"
    )
    return svg.picture(WIDE, height, title, description, parts)


def _sentence(law: int, met: bool, broken: bool, chapters: Sequence[int]) -> str:
    it = LAWS[law]
    ways = f"{' '.join(it.left)} against {' '.join(it.right)}"
    met_in = f", {_chapters(chapters)}" if chapters else ""
    state = "; tilted: it is broken" if broken else "; filled" if met else ""
    return f"Law {law}, {it.name}, {it.where}: {ways}, must give one {it.number}{met_in}{state}."


def _chapters(numbers: Sequence[int]) -> str:
    one = len(numbers) == 1
    return f"chapter{'' if one else 's'} {', '.join(map(str, numbers))}"


def _balance(
    law: int, x: float, y: float, met: bool, broken: bool, chapters: Sequence[int]
) -> list[str]:
    it, arm, pan = LAWS[law], 40, 30
    drop = 7 if broken else 0
    parts = [
        svg.text(x, y + 12, f"{law} {it.name}", size=13, weight="bold", anchor="middle"),
        svg.text(x, y + 29, it.number, size=12, anchor="middle", fill=svg.GREY),
        svg.line([(x - arm, y + 46 + drop), (x + arm, y + 46 - drop)], width=2.5),
        svg.line([(x, y + 46), (x, y + 106)], width=2.5),
        svg.line([(x - 14, y + 106), (x + 14, y + 106)], width=2.5),
        svg.dot(x, y + 46, 3.5, fill=svg.INK, stroke=svg.INK),
    ]
    for side, lines, sink in ((-1, it.left, drop), (1, it.right, -drop)):
        end, level = x + side * arm, y + 62 + sink
        for edge in (-pan, pan):
            parts.append(
                svg.line([(end, y + 46 + sink), (end + edge, level)], stroke=svg.GREY, width=1)
            )
        fill = svg.BLUE if met else svg.PAPER
        parts.append(svg.rect(end - pan, level, 2 * pan, 6, fill=fill, stroke=svg.INK, kind="pan"))
        for row, words in enumerate(lines):
            parts.append(
                svg.text(
                    end, level + 20 + 14 * row, words, size=12, anchor="middle", halo=svg.PAPER
                )
            )
    if chapters:
        shown = " ".join(map(str, chapters[:MOST])) + " …" * (len(chapters) > MOST)
        words = f"ch. {shown}"
        parts.append(svg.text(x, y + 124, words, size=12, anchor="middle", fill=svg.GREY))
    return parts


def _box(x: float, y: float, name: str) -> list[str]:
    return [
        svg.rect(x - BOX[0] / 2, y, *BOX, fill=svg.LIGHT, opacity=0.4, stroke=svg.INK, kind="box"),
        svg.text(x, y + 22, name, size=14, weight="bold", anchor="middle"),
    ]


def _arrow(start: float, end: float, y: float) -> list[str]:
    middle = y + BOX[1] / 2
    return [
        svg.line([(start, middle), (end, middle)]),
        svg.line([(end - 7, middle - 5), (end, middle), (end - 7, middle + 5)]),
    ]


def _upright(x: float, start: float, end: float) -> list[str]:
    head = -7 if end > start else 7
    return [
        svg.line([(x, start), (x, end)]),
        svg.line([(x - 5, end + head), (x, end), (x + 5, end + head)]),
    ]


# ---------------------------------------------------------------- the map

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
            (x0, y0), (x1, y1) = spot[need], spot[chapter.number]
            y0, y1, x0 = y0 + TILE[1] / 2, y1 + TILE[1] / 2, x0 + TILE[0]
            bend = (COLUMN - TILE[0]) / 2
            points = [(x0, y0), (x1 - 2 * bend, y0), (x1 - bend / 2, y1), (x1 - 2, y1)]
            parts.append(svg.line(points, stroke=svg.GREY))
            parts.append(svg.line([(x1 - 7, y1 - 4), (x1 - 1, y1), (x1 - 7, y1 + 4)]))
    for chapter in chapters:
        parts += _tile(chapter, *spot[chapter.number], chapter.number == here)
    width = 2 * svg.MARGIN + COLUMN * (len(columns) - 1) + TILE[0]
    height = 2 * svg.MARGIN + ROW * (tallest - 1) + TILE[1]
    total = sum(c.minutes for c in chapters)
    title = f"A map of {len(chapters)} chapters"
    description = f"{title}, {total / 60:.0f} hours to read. {' '.join(map(_told, chapters))}"
    return svg.picture(width, height, title, description, parts)


def _told(chapter: Entry) -> str:
    laws = f", law{'' if len(chapter.laws) == 1 else 's'} {', '.join(map(str, chapter.laws))}"
    needs = f"needs {_chapters(chapter.needs)}" if chapter.needs else "needs no other"
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
