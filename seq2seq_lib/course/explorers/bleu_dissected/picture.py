"""What BLEU looks like: two sentences, n-grams as bars, four precisions, the penalty's curve."""

import math

from seq2seq_lib.course.explorers.bleu_dissected.compute import (
    CLIPPED,
    MATCH,
    REFERENCE,
    Result,
)
from seq2seq_lib.course.explorers.kit import svg

LEFT, LETTER, GAP, ROW = 92, 7.0, 11, 24
LANE, BAR = 8, 6  # of the n-grams' bars
ROOTS = {1: "", 2: "square root of ", 3: "cube root of ", 4: "fourth root of "}
SMOOTHED = {"none": "", "exp": ", smoothed", "effective": ", smoothed, effective order"}


def draw(result: Result, *, veiled: bool = False) -> str:
    """The two sentences, the n-grams below the hypothesis, and how the score is made of them."""
    if result.problem:
        return svg.message(result.problem)
    parts = _sentence(REFERENCE, 14, "reference")
    parts += _sentence(result.words, 14 + ROW + 8, "hypothesis")
    top = 14 + 2 * ROW + 22
    answer, y = _ngrams(result, top)
    answer += _legend(y + 12)
    answer += _precisions(result, y + 34)
    answer += _penalty(result, y + 34)
    y += 34 + 4 * 24 + 22
    words, y = svg.paragraph(y, product(result))
    answer += words
    words, y = svg.paragraph(y, headline(result), size=18, weight="bold")
    answer += words
    words, y = svg.paragraph(y, beside(result))
    answer += words
    height = y + svg.MARGIN
    if veiled:
        parts += svg.veil(top, height - top - 12)
        return svg.picture(
            svg.WIDTH, height, "Predict first", f"{_setting(result)} The counts are hidden.", parts
        )
    return svg.picture(svg.WIDTH, height, headline(result), alternative(result), [*parts, *answer])


def headline(result: Result) -> str:
    """The score, in words."""
    what = "BLEU" if result.scope == "sentence" else "BLEU of both sentences"
    return f"{what} {result.shown.score:.2f}"


def product(result: Result) -> str:
    """How the score is made, with numbers."""
    bleu = result.shown
    n = _orders(result)
    factors = " · ".join(_fraction(result, i) for i in range(n))
    mean = math.prod(bleu.precisions[:n]) ** (1 / n)
    return (
        f"{ROOTS[n]}{factors} = {mean / 100:.4f}; times the penalty {bleu.brevity_penalty:.3f}, "
        f"times 100"
    )


def beside(result: Result) -> str:
    """The other scope's score."""
    if result.scope == "sentence":
        return f"With the second sentence (a bee sings / the bee sings loudly): {_s(result.both)}."
    mean = (result.alone.score + result.second.score) / 2
    return (
        f"Alone the sentences have {_s(result.alone)} and {_s(result.second)}; their mean is "
        f"{mean:.2f}, and that is not the corpus's BLEU."
    )


def alternative(result: Result) -> str:
    """The picture in words."""
    bleu = result.shown
    counts = ", ".join(f"{m} of {t}" for m, t in zip(bleu.matches, bleu.totals, strict=True))
    cut = sum(kind == CLIPPED for kind in result.ngrams[0])
    clipped = f" Clipped single words: {cut}." if cut else ""
    short = bleu.hypothesis_length < bleu.reference_length
    penalty = f"Penalty {bleu.brevity_penalty:.3f}." if short else "No penalty."
    return f"{_setting(result)} Matches {counts}.{clipped} {penalty} {headline(result)}."


def _s(bleu) -> str:
    return f"{bleu.score:.2f}"


def _setting(result: Result) -> str:
    return (
        f"Hypothesis “{svg.isolated(' '.join(result.words))}”, {len(result.words)} words, against "
        f"“{' '.join(REFERENCE)}”, {len(REFERENCE)} words. n up to {result.max_n}"
        f"{SMOOTHED[result.smoothing]}."
    )


def _orders(result: Result) -> int:
    """So many precisions go into the mean."""
    totals = result.shown.totals
    return sum(t > 0 for t in totals) if result.smoothing == "effective" else len(totals)


def _fraction(result: Result, i: int) -> str:
    """p_n as the reader sees it: counts, or the smoothed number."""
    bleu = result.shown
    if bleu.matches[i] == 0 and bleu.precisions[i] > 0:
        return f"{bleu.precisions[i] / 100:.4f}"
    return f"{bleu.matches[i]}/{bleu.totals[i]}"


# ---------------------------------------------------------------- pieces


def _places(words) -> list[tuple[float, float]]:
    """Left edge and width of each word's box."""
    x, places = float(LEFT), []
    for word in words:
        width = LETTER * len(word) + GAP - 3
        places.append((x, width))
        x += width + 3
    return places


def _sentence(words, y: float, name: str) -> list[str]:
    parts = [svg.text(LEFT - 8, y + 16, name, anchor="end", weight="bold")]
    for word, (x, width) in zip(words, _places(words), strict=True):
        box = (x, y, width, ROW - 2)
        parts.append(svg.rect(*box, fill=svg.PAPER, stroke=svg.LIGHT, kind="word"))
        parts.append(svg.text(x + width / 2, y + 15, word, size=12, anchor="middle"))
    return parts


def _ngrams(result: Result, top: float) -> tuple[list[str], float]:
    """One bar an n-gram; those that overlap stand in lanes of their own."""
    parts, y = [], top
    places = _places(result.words)
    for n, kinds in enumerate(result.ngrams, start=1):
        height = LANE * n
        middle = y + height / 2 + 4
        name = "words" if n == 1 else f"{n} in a row"
        parts.append(svg.text(LEFT - 8, middle, name, size=12, anchor="end"))
        for i, kind in enumerate(kinds):
            (x, _), (last, width) = places[i], places[i + n - 1]
            box = (x, y + LANE * (i % n), last + width - x, BAR)
            tip = f"{' '.join(result.words[i : i + n])}: {kind}"
            fill = svg.BLUE if kind == MATCH else svg.PAPER
            stroke = {MATCH: svg.BLUE, CLIPPED: svg.INK}.get(kind, svg.LIGHT)
            parts.append(svg.rect(*box, fill=fill, stroke=stroke, kind=kind, tip=tip))
            if kind == CLIPPED:
                parts.append(svg.hatch(*box, gap=5))
        y += max(height, 12) + 6
    return parts, y


def _legend(y: float) -> list[str]:
    return [
        svg.rect(LEFT, y - 8, 18, 7, fill=svg.BLUE, stroke=svg.BLUE),
        svg.text(LEFT + 24, y, "in the reference", size=12),
        svg.rect(LEFT + 140, y - 8, 18, 7, fill=svg.PAPER, stroke=svg.INK),
        svg.hatch(LEFT + 140, y - 8, 18, 7, gap=5),
        svg.text(LEFT + 164, y, "there, but not so often", size=12),
        svg.rect(LEFT + 312, y - 8, 18, 7, fill=svg.PAPER, stroke=svg.LIGHT),
        svg.text(LEFT + 336, y, "not there", size=12),
    ]


def _precisions(result: Result, top: float) -> list[str]:
    bleu, parts = result.shown, []
    for i, precision in enumerate(bleu.precisions):
        y = top + 24 * i + 14
        counts = f"{bleu.matches[i]} of {bleu.totals[i]}"
        parts.append(svg.text(svg.MARGIN, y, f"p{i + 1}", weight="bold"))
        parts.append(svg.text(LEFT - 8, y, counts, anchor="end"))
        parts.append(svg.rect(LEFT, y - 12, 150, 14, stroke=svg.LIGHT))
        wide = 1.5 * precision
        parts.append(svg.rect(LEFT, y - 12, wide, 14, fill=svg.BLUE, kind="precision"))
        note = " (smoothed)" if bleu.matches[i] == 0 and precision > 0 else ""
        parts.append(svg.text(LEFT + 156, y, f"{precision:.1f}{note}"))
    return parts


def _penalty(result: Result, top: float) -> list[str]:
    """The curve of the penalty over c/r, from 0 to 1.5, and where this hypothesis stands."""
    bleu, left, wide, high = result.shown, 400.0, 140.0, 74.0
    base = top + high + 4
    ratio = bleu.hypothesis_length / bleu.reference_length

    def place(x: float) -> tuple[float, float]:
        value = 1.0 if x >= 1 else math.exp(1 - 1 / x) if x > 0 else 0.0
        return left + wide * min(x, 1.5) / 1.5, base - high * value

    curve = [place(0.05 * i) for i in range(31)]
    x, y = place(ratio)
    axes = [(left, base - high), (left, base), (left + wide, base)]
    return [
        svg.line(axes, stroke=svg.GREY, width=1),
        svg.line(curve, stroke=svg.INK),
        svg.dot(x, y, 5, kind="point", tip=f"c/r = {ratio:.2f}"),
        svg.text(left - 6, base - high + 5, "1", size=12, anchor="end", fill=svg.GREY),
        svg.text(left - 6, base + 4, "0", size=12, anchor="end", fill=svg.GREY),
        svg.text(left + wide / 1.5, base + 15, "1", size=12, anchor="middle", fill=svg.GREY),
        svg.text(left + wide, base + 15, "1.5", size=12, anchor="middle", fill=svg.GREY),
        svg.text(
            left + wide / 2, base + 31,
            f"penalty {bleu.brevity_penalty:.3f} at c/r "
            f"{bleu.hypothesis_length}/{bleu.reference_length}",
            size=12, anchor="middle",
        ),
    ]  # fmt: skip
