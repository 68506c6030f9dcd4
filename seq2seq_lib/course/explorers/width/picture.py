"""What the width explorer looks like: greedy's line, the output token by token, the other beams."""

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.width.compute import EXACT, Result, Written

ROW, LEFT, NAT = 19, 112, 34  # pixels: a token's row, where bars begin, a nat
HEIGHT = 490  # of every picture: one that followed its output would tell how long that is


def draw(result: Result, *, veiled: bool = False) -> str:
    """Greedy's output, and below it what this search found."""
    parts, y = svg.paragraph(4, f"Source: {result.source}", size=15, weight="bold")
    more, y = svg.paragraph(y, f"One beam writes: {line(result.greedy)}")
    parts += more
    top = y + 10
    if veiled:
        parts += svg.veil(top, HEIGHT - top - svg.MARGIN)
        hidden = f"{_setting(result)} What it writes is hidden until you predict."
        return svg.picture(svg.WIDTH, HEIGHT, "Predict first", hidden, parts)
    parts += _output(result, top)
    return svg.picture(svg.WIDTH, HEIGHT, headline(result), described(result), parts)


def size(written: Written) -> str:
    """How many tokens it has: ``1 token``, ``9 tokens``."""
    n = len(written.tokens)
    return f"{n} token" if n == 1 else f"{n} tokens"


def line(written: Written) -> str:
    """An output in one line: words, log-probability, tokens."""
    return f"{written.text}, log p {_number(written.log_prob)}, {size(written)} with the end"


def named(result: Result) -> str:
    """The search in words."""
    if result.width == EXACT:
        return "exact search"
    beams = "one beam" if result.width == 1 else f"{result.width} beams"
    return beams + (f" with α = {result.alpha:g}" if result.alpha else "")


def headline(result: Result) -> str:
    """What was written, as the title."""
    name = named(result)
    return f"{name[0].upper()}{name[1:]}: {result.best.text}"


def described(result: Result) -> str:
    """The picture in words."""
    name = named(result)
    others = "; ".join(f"{w.text} {_number(w.log_prob)}" for w in result.outputs[1:])
    tokens = ", ".join(
        f"{token} {cost:.2f}"
        for token, cost in zip(result.best.tokens, result.best.costs, strict=True)
    )
    return (
        f"{result.source}, {name}: {line(result.best)}. It pays, token by token: {tokens}. "
        f"Calls of the model: {result.calls:,}."
        + (f" Next in the list: {others}." if others else "")
    )


def _setting(result: Result) -> str:
    return f"{result.source}, one beam: {line(result.greedy)}. The search asked for is " + (
        f"{named(result)}."
    )


def _output(result: Result, top: float) -> list[str]:
    parts, y = svg.paragraph(top, headline(result), size=15, weight="bold")
    words = f"Each token pays −log p nats. Calls of the model: {result.calls:,}."
    more, y = svg.paragraph(y, words, size=12, fill=svg.GREY)
    parts += more
    for token, cost in zip(result.best.tokens, result.best.costs, strict=True):
        wide = max(1.0, cost * NAT)
        tip = f"{token}: −log p {cost:.2f}"
        parts.append(svg.text(LEFT - 8, y + 14, token, anchor="end"))
        parts.append(svg.rect(LEFT, y + 3, wide, ROW - 6, fill=svg.BLUE, kind="cost", tip=tip))
        parts.append(svg.text(LEFT + wide + 6, y + 14, f"{cost:.2f}", size=12))
        y += ROW
    total = f"log p {_number(result.best.log_prob)}, {size(result.best)}"
    parts.append(svg.text(LEFT, y + 14, total, weight="bold"))
    y += 22
    if result.outputs[1:]:
        parts.append(svg.text(svg.MARGIN, y + 14, "Next in its list", size=12, fill=svg.GREY))
        y += 18
    for written in result.outputs[1:]:
        parts.append(svg.text(svg.MARGIN, y + 14, written.text))
        number = _number(written.log_prob)
        parts.append(svg.text(svg.WIDTH - svg.MARGIN, y + 14, number, anchor="end"))
        y += ROW
    return parts


def _number(log_prob: float) -> str:
    return f"{log_prob:.2f}".replace("-", "−")
