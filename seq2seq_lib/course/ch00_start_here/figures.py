"""Figures of chapter 0. Data in; a matplotlib ``Figure`` or an SVG out; Okabe and Ito's colours."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.plots import BLUE, GREY, new_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def batch(sources: Sequence[Sequence[str]], width: int) -> "Figure":
    """A batch as cells: characters and the end symbol on blue, pads hatched.

    Args:
        sources: a row each, without the end symbol.
        width: S, at least the longest source and its end.

    Raises:
        ValueError: a source that does not fit.
    """
    if (longest := max(map(len, sources)) + 1) > width:
        raise ValueError(f"width is {width}, but the longest source and its end need {longest}.")
    ax = new_axes(9.0, 0.5 + 0.36 * len(sources))
    for b, source in enumerate(sources):
        for t in range(width):
            pad = t > len(source)
            ax.bar(
                t,
                0.9,
                0.94,
                b - 0.45,
                color="white" if pad else "#cfe3f1",
                edgecolor=GREY if pad else BLUE,
                hatch="////" if pad else "",
                linewidth=0.6,
            )
            if not pad:
                letter = "end" if t == len(source) else source[t]
                size = 7 if letter == "end" else 10
                ax.text(t, b, letter, ha="center", va="center", size=size, color="black")
    ax.set(xlim=(-0.6, width - 0.4), ylim=(len(sources) - 0.5, -0.5))
    ax.set(xlabel="place in the source (hatched: PAD)", ylabel="row")
    ax.set_yticks(range(len(sources)))
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return ax.figure


# ---------------------------------------------------------------- the model

SOURCE, TARGET, STEP = "4 may 1999", "1999-05-04", 6  # STEP: the place that is being written
LOOKS = {2: 1.5, 3: 3.0, 4: 6.0}  # where it looks in this sketch, pixels; elsewhere 1
LEFT, CELL, HIGH = 96, 33, 26  # pixels: the first cell, and the size of one
ROWS = {"source": 14, "encoder": 62, "memory": 118, "attention": 144, "decoder": 206, "target": 262}


def model(built_in: Mapping[str, int]) -> str:
    """A sketch of the whole model at one step: source, encoder, memory, attention, decoder, target.

    Args:
        built_in: a part, one of ``ROWS``, and the number of the chapter that builds it.

    Raises:
        ValueError: a part that is not drawn.
    """
    if unknown := built_in.keys() - ROWS.keys():
        raise ValueError(f"There is no part {min(unknown)}. Valid: {', '.join(ROWS)}.")
    places = [LEFT + CELL * i for i in range(len(SOURCE) + 1)]
    wide = CELL * len(places) - 3
    middle = [x + (CELL - 3) / 2 for x in places]
    parts = []
    for i, x in enumerate(middle):  # attention lies below all cells
        ends = [(x, ROWS["memory"] + HIGH), (middle[STEP], ROWS["decoder"])]
        tone = svg.BLUE if i in LOOKS else svg.GREY
        parts.append(svg.line(ends, stroke=tone, width=LOOKS.get(i, 1)))
    for name in ("encoder", "decoder"):
        box = (LEFT, ROWS[name], wide, HIGH + 4)
        parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.INK, kind="part"))
        parts.append(svg.rect(*box, fill=svg.LIGHT, opacity=0.4))
        words = f"{name}: {'reads' if name == 'encoder' else 'writes'} a character a step"
        parts.append(
            svg.text(LEFT + wide / 2, ROWS[name] + 20, words, weight="bold", anchor="middle")
        )
    for i, (x, source, target) in enumerate(
        zip(places, [*SOURCE, "end"], [*TARGET, "end"], strict=True)
    ):
        parts += _cell(x, "source", source)
        parts += _down(middle[i], ROWS["source"] + HIGH, ROWS["encoder"])
        parts += _down(middle[i], ROWS["encoder"] + HIGH + 4, ROWS["memory"])
        box = (x, ROWS["memory"], CELL - 3, HIGH)
        parts.append(
            svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE, stroke=svg.INK, kind="vector")
        )
        parts += _cell(x, "target", target if i <= STEP else "", now=i == STEP)
    parts += _down(middle[STEP], ROWS["decoder"] + HIGH + 4, ROWS["target"])
    for name, y in ROWS.items():
        y += 40 if name == "attention" else 19
        if name not in ("encoder", "decoder"):  # these say so themselves
            parts.append(svg.text(svg.MARGIN, y, name, weight="bold"))
        if name in built_in:
            words = f"chapter {built_in[name]}"
            parts.append(svg.text(LEFT + wide + 12, y, words, size=12, fill=svg.GREY))
    told = ", ".join(f"the {name} chapter {number}" for name, number in built_in.items())
    looked = SOURCE[max(LOOKS, key=LOOKS.__getitem__)]
    described = (
        f"The encoder reads the source, {SOURCE} and its end, and leaves a vector for each of its "
        f"{len(places)} symbols: the memory. The decoder has written {TARGET[:STEP]} and now "
        f"writes {TARGET[STEP]}. Lines of attention go from this step to all of the memory; in "
        f"this sketch the thickest goes to {looked}. Who builds what: {told}."
    )
    width, height = LEFT + wide + 88, ROWS["target"] + HIGH + 12
    return svg.picture(width, height, "The model at one step", described, parts)


def _cell(x: float, row: str, character: str, *, now: bool = False) -> list[str]:
    box = (x, ROWS[row], CELL - 3, HIGH)
    parts = [svg.rect(*box, fill=svg.PAPER, stroke=svg.INK if character else svg.LIGHT, kind=row)]
    if now:
        parts.append(svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE, kind="now"))
    if character:
        size = 12 if character == "end" else 15
        x += (CELL - 3) / 2
        parts.append(svg.text(x, ROWS[row] + 18, character, size=size, anchor="middle", mono=True))
    return parts


def _down(x: float, start: float, end: float) -> list[str]:
    return [
        svg.line([(x, start), (x, end - 1)], stroke=svg.GREY),
        svg.line([(x - 3, end - 6), (x, end - 1), (x + 3, end - 6)], stroke=svg.GREY),
    ]
