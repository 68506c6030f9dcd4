"""The seven laws on the pipeline of a model, a balance each."""

from collections.abc import Collection, Sequence

from seq2seq_lib.course.atlas.entries import Entry, entries, in_words
from seq2seq_lib.course.atlas.laws import LAWS
from seq2seq_lib.course.explorers.kit import svg

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
    met_in = f", {in_words(chapters)}" if chapters else ""
    state = "; tilted: it is broken" if broken else "; filled" if met else ""
    return f"Law {law}, {it.name}, {it.where}: {ways}, must give one {it.number}{met_in}{state}."


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
