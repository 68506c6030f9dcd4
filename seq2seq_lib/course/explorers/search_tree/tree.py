"""The tree itself: columns of nodes, one a step, and lines from parent to child."""

from collections.abc import Sequence

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.search_tree.compute import STEPS, Node, Prefix, Result
from seq2seq_lib.course.letter_cards import spelt

RADIUS, MAX_ROWS = 9, 24
LETTER = 6.2  # pixels of a letter of a node's label
FATES = {
    "kept": "kept, stays open",
    "pruned": "pruned",
    "finished": "finished: ends with •",
    "cut": f"cut off at {STEPS} tokens",
}


def tree(result: Result, top: float) -> tuple[list[str], float]:
    """The steps so far, and where the tree ends.

    Places come from the whole tree, so that nothing moves from step to step.
    """
    shown = [_shown(level) for level in result.whole.levels]
    rows = max(map(len, shown))
    spacing = 22.0 if rows <= 14 else 18.0 if rows <= MAX_ROWS else 16.0
    radius = min(RADIUS, spacing / 2 - 0.6)
    longest = max(len(label(node)) for level in shown for node in level)
    left, right = 46.0, radius + 10 + LETTER * longest  # right of a node: its label
    column = (svg.WIDTH - left) / STEPS
    height = max(rows * spacing, 60.0)
    middle = top + 22 + height / 2
    parts = _columns(result, top, height, left, column)
    parts.append(svg.rect(4, middle - 10, 34, 20, fill=svg.PAPER, stroke=svg.INK))
    parts.append(svg.text(21, middle + 4, "start", size=12, anchor="middle"))
    places: dict[Prefix, tuple[float, float]] = {(): (38.0, middle)}  # where lines begin
    best = result.found[0].tokens if result.found else ()
    lines, nodes, hidden = [], [], 0
    for step, some in enumerate(shown[: result.step], start=1):
        x = left + column * step - right
        gap = min(height / len(some), 30.0)
        y = middle - gap * (len(some) - 1) / 2
        for node in some:
            on_path = node.tokens == best[:step]
            lines.append(_edge(places[node.tokens[:-1]], (x - radius, y), node, on_path))
            nodes += shape(x, y, node.fate, spelt(node.tokens[-1:]), on_path, radius, _tip(node))
            weight = "bold" if on_path else "normal"
            fill = svg.GREY if node.fate == "pruned" else svg.INK
            words = label(node)
            nodes.append(svg.text(x + radius + 4, y + 4, words, size=12, weight=weight, fill=fill))
            places[node.tokens] = (x + radius + 7 + LETTER * len(words), y)
            y += gap
        hidden += len(result.whole.levels[step - 1]) - len(some)
    bottom = top + height + 42
    if hidden:
        words = f"{hidden} outputs that are cut off are left out of the picture"
        look = {"size": 12, "anchor": "end", "fill": svg.GREY}
        parts.append(svg.text(svg.WIDTH - svg.MARGIN, bottom - 6, words, **look))
    return [*parts, *lines, *nodes], bottom


def _columns(result: Result, top: float, height: float, left: float, column: float) -> list[str]:
    """The numbers of the steps, and a band behind the one under way."""
    parts = []
    for step in range(1, STEPS + 1):
        x, now = left + column * (step - 1), step == result.step
        if now:
            band = (x + 2, top + 2, column - 4, height + 30)
            parts.append(svg.rect(*band, fill=svg.BLUE, opacity=0.08, kind="now"))
        look = {"weight": "bold" if now else "normal", "fill": svg.INK if now else svg.GREY}
        place = (x + column / 2, top + 15)
        parts.append(svg.text(*place, f"step {step}", size=12, anchor="middle", **look))
    return parts


def _shown(level: Sequence[Node]) -> list[Node]:
    """A step's nodes; where all are kept, the outputs that end are enough."""
    alive = [node for node in level if node.fate != "pruned"]
    if len(alive) > 2 * MAX_ROWS:
        return [node for node in alive if node.fate != "cut"]
    return list(level)


def _edge(start: tuple[float, float], end: tuple[float, float], node: Node, on_path: bool) -> str:
    if node.fate == "pruned":
        return svg.line([start, end], stroke=svg.GREY, width=0.7, dash="2 3")
    ink, width = (svg.BLUE, 3) if on_path else (svg.INK, 1)
    return svg.line([start, end], stroke=ink, width=width)


def shape(
    x: float,
    y: float,
    fate: str,
    symbol: str,
    bold: bool = False,
    radius: float = RADIUS,
    tip: str | None = None,
) -> list[str]:
    """Kept: a circle. Pruned: dashed and grey. Finished: a double square. Cut: a dashed square.

    A shape without a tip stands in the legend.
    """
    r, ink = radius, svg.GREY if fate == "pruned" else svg.INK
    named = {"kind": f"{'node' if tip else 'legend'} {fate}", "tip": tip}
    if fate == "kept":
        parts = [svg.dot(x, y, r, opacity=0.25, stroke=ink, **named)]
    elif fate == "pruned":
        parts = [svg.dot(x, y, r, fill=svg.PAPER, stroke=ink, dash="2 2", **named)]
    else:
        box = (x - r, y - r, 2 * r, 2 * r)
        if fate == "finished":
            inner = (x - r + 2.5, y - r + 2.5, 2 * r - 5, 2 * r - 5)
            parts = [svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE, stroke=ink, **named)]
            parts.append(svg.rect(*inner, stroke=ink))
        else:
            parts = [svg.rect(*box, fill=svg.PAPER, stroke=ink, dash="4 2", **named)]
    size, weight = max(svg.SMALL, 1.5 * r), "bold" if bold else "normal"
    return [
        *parts,
        svg.text(x, y + 4, symbol, size=size, anchor="middle", weight=weight, fill=ink),
    ]


def label(node: Node) -> str:
    """The numbers at a node: p of its token, and p of the whole."""
    return f"{node.prob:.2f}  {node.log_prob:.2f}".replace("-", "−")


def _tip(node: Node) -> str:
    words = f"{spelt(node.tokens)}: p {node.prob:.3f}, log p of the whole {node.log_prob:.3f}"
    return f"{words.replace('-', '−')}, {FATES[node.fate]}"
