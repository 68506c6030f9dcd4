"""What the filters explorer looks like: a pair of bars a token, before and after."""

from seq2seq_lib.course.explorers.filters.compute import Result
from seq2seq_lib.course.explorers.kit import svg

HIGH, STEP, LEFT = 150, 100, 44


def draw(result: Result, *, veiled: bool = False) -> str:
    """The row as the model gives it, and below it what is left to draw from."""
    setting = f"Row {result.row}, temperature {result.temperature:g}, {result.setting}"
    parts, y = svg.paragraph(4, setting, size=15, weight="bold")
    numbers = ", ".join(f"{p:.2f}" for p in result.before)
    more, y = svg.paragraph(y, f"The model's probabilities: {numbers}")
    parts += more
    top = y + 8
    height = top + HIGH + 122
    if veiled:
        parts += svg.veil(top, height - top - svg.MARGIN)
        hidden = f"{setting}. Probabilities {numbers}. What stays is hidden until you predict."
        return svg.picture(svg.WIDTH, height, "Predict first", hidden, parts)
    parts.append(svg.text(svg.MARGIN, top + 18, headline(result), size=15, weight="bold"))
    parts += _bars(result, top + 44)
    warm = ", ".join(f"{p:.3f}" for p in result.warm)
    after = ", ".join(f"{p:.3f}" for p in result.after)
    description = (
        f"{setting}. {headline(result)}. Probabilities {numbers}; after the temperature {warm}; "
        f"to draw from {after}."
    )
    return svg.picture(svg.WIDTH, height, headline(result), description, parts)


def headline(result: Result) -> str:
    """How many stay."""
    count = len(result.before)
    return f"{result.kept} of {count} tokens stay" if result.kept < count else f"All {count} stay"


def _bars(result: Result, top: float) -> list[str]:
    base = top + HIGH
    parts = [svg.line([(LEFT - 8, base), (svg.WIDTH - svg.MARGIN, base)], stroke=svg.GREY, width=1)]
    labels = []  # above the threshold's line
    for i, (warm, after) in enumerate(zip(result.warm, result.after, strict=True)):
        x = LEFT + STEP * i
        cut = after == 0
        tip = f"token {i + 1}: {warm:.3f} after the temperature, {after:.3f} to draw from"
        box = (x, base - HIGH * warm, 36, HIGH * warm)
        parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.INK, kind="warm", tip=tip))
        if cut:
            parts.append(svg.hatch(*box))
        else:
            high = HIGH * after
            parts.append(svg.rect(x + 40, base - high, 36, high, fill=svg.BLUE, kind="after"))
            labels.append(_small(x + 58, base - high - 5, f"{after:.2f}"))
        labels.append(_small(x + 18, base - HIGH * warm - 5, f"{warm:.2f}"))
        parts.append(_small(x + 38, base + 17, "cut" if cut else f"token {i + 1}"))
    if result.threshold:
        y = base - HIGH * result.threshold
        ends = [(LEFT - 8, y), (svg.WIDTH - svg.MARGIN, y)]
        parts.append(svg.line(ends, stroke=svg.INK, width=1, dash="4 3"))
    parts += labels
    y = base + 46
    parts.append(svg.rect(svg.MARGIN, y - 11, 14, 13, fill=svg.PAPER, stroke=svg.INK))
    parts.append(svg.text(32, y, "after the temperature", size=12))
    parts.append(svg.rect(176, y - 11, 14, 13, fill=svg.PAPER, stroke=svg.INK))
    parts.append(svg.hatch(176, y - 11, 14, 13))
    parts.append(svg.text(196, y, "cut", size=12))
    parts.append(svg.rect(240, y - 11, 14, 13, fill=svg.BLUE))
    parts.append(svg.text(260, y, "to draw from", size=12))
    if result.threshold:
        words = f"- - - the threshold, {result.threshold:.2f}"
        parts.append(svg.text(370, y, words, size=12))
    return parts


def _small(x: float, y: float, words: str) -> str:
    return svg.text(x, y, words, size=12, anchor="middle", halo=svg.PAPER)
