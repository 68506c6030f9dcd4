"""What the bench looks like: the row, five lines with their losses, and two gradients."""

import math

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.logits_bench.compute import CODE, WORDS, Result

LEFT, COLUMN, HIGH = 96, 92, 56  # the row: names, words, the tallest share
BARS = 330  # where the bars of the losses may begin
ROOM = svg.WIDTH - BARS - 70
LINE = 27


def draw(result: Result, *, veiled: bool = False) -> str:
    """The row; below it, if it is not veiled, losses, floors and gradients."""
    parts = [*_row(result)]
    top = 176.0
    height = top + 390
    if veiled:
        parts += svg.veil(top, height - top - 12)
        for number, code in enumerate(CODE.values(), start=1):
            y = top + 24 + 20 * number
            parts.append(svg.text(svg.MARGIN + 8, y, f"{number}  {code}", size=12, mono=True))
        description = f"{_setting(result)} The losses are hidden until you predict."
        return svg.picture(svg.WIDTH, height, "Predict first", description, parts)
    headline = _headline(result)
    made, y = svg.paragraph(top - 14, headline, size=17, weight="bold")
    parts += [*made, *_losses(result, top + 42), *_gradients(result, top + 230)]
    description = f"{_setting(result)} {headline}. {_in_words(result)}"
    return svg.picture(svg.WIDTH, height, headline, description, parts)


def number(value: float, digits: int = 3) -> str:
    """With a true minus, and never minus zero."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def _row(result: Result) -> list[str]:
    parts = []
    for y, name in ((30, "logit z"), (140, "share")):
        parts.append(svg.text(svg.MARGIN, y, name, size=12, fill=svg.GREY))
    base = 126.0
    for i, word in enumerate(WORDS):
        x, share = LEFT + COLUMN * i, result.shares[i]
        aim = i == result.target
        weight = "bold" if aim else "normal"
        name = f"{word} ← y" if aim else word
        parts.append(svg.text(x, 14, name, size=13, weight=weight))
        parts.append(svg.text(x, 30, number(result.logits[i], 2), size=12))
        bar = (x, base - HIGH * share, 44, HIGH * share)
        tip = f"{word}: share {share:.4f}"
        parts.append(svg.rect(*bar, fill=svg.BLUE, opacity=1 if aim else svg.SHADE, kind="share",
                              tip=tip))  # fmt: skip
        parts.append(svg.text(x, 140, number(share), size=12, weight=weight))
    parts.append(svg.line([(LEFT, base), (LEFT + COLUMN * 5 - 20, base)], stroke=svg.GREY, width=1))
    others = result.vocab - len(WORDS)
    more = f"; {others:,} more words with one vote each" if others else ""
    note = (
        f"V = {result.vocab:,}, τ = {result.temperature:g}, entropy {number(result.entropy)} nats"
    )
    parts.append(svg.text(svg.MARGIN, 160, note + more, size=12, fill=svg.GREY))
    return parts


def _losses(result: Result, top: float) -> list[str]:
    low = min(-1.0, *result.losses.values())
    high = max(1.0, *result.losses.values(), _uniform(result))
    scale = ROOM / (high - low)
    zero = BARS - low * scale
    parts = []
    for i, (name, code) in enumerate(CODE.items()):
        y, loss = top + LINE * i, result.losses[name]
        same = name in result.same
        parts.append(svg.text(svg.MARGIN, y + 13, f"{i + 1}  {code}", size=12, mono=True))
        x = zero + min(loss, 0) * scale
        size = max(1.0, abs(loss) * scale)
        box = (x, y, size, 16)
        tip = f"line {i + 1}: {loss:.4f} nats"
        parts.append(svg.rect(*box, fill=svg.BLUE, opacity=1 if same else svg.SHADE, kind="loss",
                              tip=tip))  # fmt: skip
        if not same:
            parts.append(svg.hatch(*box))
        weight = "bold" if same else "normal"
        end = svg.WIDTH - svg.MARGIN
        parts.append(svg.text(end, y + 13, number(loss), size=12, weight=weight, anchor="end"))
        if name in ("ce", "s_ce") and result.floor[name] > 0.0005:
            floor = zero + result.floor[name] * scale
            parts.append(svg.line([(floor, y - 3), (floor, y + 19)], width=2.5))
    bottom = top + LINE * len(CODE)
    even = zero + _uniform(result) * scale
    for x, dash in ((zero, None), (even, "3 3")):
        points = [(x, top - 4), (x, bottom)]
        parts.append(svg.line(points, stroke=svg.GREY, width=1, dash=dash))
    parts.append(svg.text(zero, bottom + 13, "0", size=12, anchor="middle", fill=svg.GREY))
    words = "log V"
    parts.append(svg.text(max(even, zero + 26), bottom + 13, words, size=12, anchor="middle",
                          fill=svg.GREY))  # fmt: skip
    words = "loss in nats; | least that is possible; plain: as line 1, hatched: not"
    parts.append(svg.text(svg.MARGIN, bottom + 13 + 16, words, size=12, fill=svg.GREY))
    return parts


def _gradients(result: Result, top: float) -> list[str]:
    parts = [svg.text(svg.MARGIN, top + 4, "push on each logit: minus the gradient", size=13)]
    largest = max(0.05, *(abs(g) for row in result.gradients.values() for g in row))
    middle, scale = top + 66, 30 / largest
    for i, word in enumerate(WORDS):
        x = LEFT + COLUMN * i
        for shift, name in ((0, "ce"), (24, "s_ce")):
            push = -result.gradients[name][i]
            size = abs(push) * scale
            box = (x + shift, middle - max(push, 0) * scale, 20, size)
            tip = f"{word}, line {1 if name == 'ce' else 4}: push {push:.4f}"
            opacity = 1 if name == "ce" else svg.SHADE
            parts.append(svg.rect(*box, fill=svg.BLUE, opacity=opacity, kind="push", tip=tip))
            if name == "s_ce":
                parts.append(svg.hatch(*box))
        weight = "bold" if i == result.target else "normal"
        parts.append(svg.text(x, middle + 48, word, size=12, weight=weight))
    ends = [(LEFT, middle), (LEFT + COLUMN * 5 - 20, middle)]
    parts.append(svg.line(ends, stroke=svg.GREY, width=1))
    target = [number(-result.gradients[name][result.target], 4) for name in ("ce", "s_ce")]
    words = f"on y: line 1 (plain) {target[0]}, line 4 (hatched) {target[1]}"
    parts.append(svg.text(svg.MARGIN, middle + 66, words, size=12))
    tempered = result.logits[result.target] / result.temperature
    lse = f"line 1 = log-sum-exp − z[y] = {number(result.log_sum)} − {number(tempered)}"
    if result.smoothing:
        lse = f"line 1 with ε = {result.smoothing:g}: the mean of log-sum-exp − z over q"
    parts.append(svg.text(svg.MARGIN, middle + 82, lse, size=12))
    return parts


def _uniform(result: Result) -> float:
    """log V, what equal shares cost in line 1."""
    return math.log(result.vocab)


def _setting(result: Result) -> str:
    shares = " ".join(number(share, 2) for share in result.shares)
    return (
        f"Shares {shares} of {', '.join(WORDS)}; target {WORDS[result.target]}; V = "
        f"{result.vocab:,}, temperature {result.temperature:g}, smoothing {result.smoothing:g}."
    )


def _headline(result: Result) -> str:
    lines = [str(i) for i, name in enumerate(CODE, start=1) if name in result.same]
    return f"Lines {', '.join(lines[:-1])} and {lines[-1]} give {number(result.losses['ce'])}"


def _in_words(result: Result) -> str:
    lines = enumerate(result.losses.items(), start=1)
    losses = "; ".join(f"line {i} {number(loss)}" for i, (_, loss) in lines)
    floors = f"line 1 {number(result.floor['ce'])}, line 4 {number(result.floor['s_ce'])}"
    pushes = ", ".join(number(-result.gradients[n][result.target], 4) for n in ("ce", "s_ce"))
    return (
        f"Losses in nats: {losses}. The least that is possible: {floors}. Push on the target's "
        f"logit in lines 1 and 4: {pushes}."
    )
