"""What the lanes look like: the gold target, and below it what each lane reads and says."""

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.slip_and_recover.compute import EXTRA, Lane, Result

LEFT, CELL, ROW, BAR = 78, 31, 28, 26
STAND_IN = "The task has no answer to that, so what it writes without a slip stands in for gold."
LANE = 118  # pixels from the top of a lane to the top of what follows


def draw(result: Result, *, veiled: bool = False) -> str:
    """The gold target, the gold lane, the own lane, and how many outputs are wrong."""
    parts, y = svg.paragraph(2, f"{_model(result)} reads “{_typed(result)}”", size=14)
    if not result.known:
        note, y = svg.paragraph(y, STAND_IN)
        parts += note
    parts += _row(result.gold, y + 22, "gold" if result.known else "no slip", lambda t: svg.PAPER)
    for t in range(len(result.gold) + EXTRA):
        parts.append(_small(t, y + 14, str(t + 1)))
    top = y + 22 + ROW + 22
    answer = _lane(result, result.gold_lane, top, "gold prefix", ())
    answer += _lane(result, result.own_lane, top + LANE, "own prefix", result.late)
    bottom = top + 2 * LANE + 6
    if result.mixed_lane:
        answer += _lane(result, result.mixed_lane, top + 2 * LANE, "coins", ())
        bottom += LANE
    answer += _legend(bottom)
    words, end = svg.paragraph(bottom + 12, counted(result), size=14, weight="bold")
    more, end = svg.paragraph(end, edits(result))
    answer += [*words, *more]
    height = end + svg.MARGIN
    if veiled:
        note = _forced(result)
        parts += [svg.text(svg.MARGIN, top + 8, note, size=14, weight="bold")]
        parts += svg.veil(top + 24, height - top - 36)
        return svg.picture(
            svg.WIDTH, height, "Predict first", f"{_setting(result)} The lanes are hidden.", parts
        )
    description = (
        f"{_setting(result)} With the gold prefix it says {''.join(result.gold_lane.says)}, with "
        f"its own {''.join(result.own_lane.says)}. {counted(result)} {edits(result)}"
    )
    return svg.picture(svg.WIDTH, height, counted(result), description, [*parts, *answer])


def counted(result: Result) -> str:
    """How many outputs are wrong, in a sentence."""
    gold, own, mixed = result.gold_lane.wrong, result.own_lane.wrong, result.mixed_lane
    third = f", {result.share} % own tokens {mixed.wrong}" if mixed else ""
    if not result.slip:
        where = f"No slip. Wrong outputs of {result.after}"
    else:
        behind = f"{result.after} outputs" if result.after > 1 else "one output"
        where = f"Wrong among the {behind} behind the slip"
    return f"{where}: gold prefix {gold}, own prefix {own}{third}."


def edits(result: Result) -> str:
    """How far what was written is from gold, in a sentence."""
    one = result.edits == 1
    return (
        f"With its own prefix it has written {result.written}: {result.edits} "
        f"edit{'' if one else 's'} from {''.join(result.gold[:-1])}."
    )


def _model(result: Result) -> str:
    kind = "with attention" if result.decoder == "attention" else "without attention"
    return f"A model of {result.task} {kind}"


def _typed(result: Result) -> str:
    return svg.isolated(result.sentence)


def _gold(result: Result) -> str:
    name = "gold is" if result.known else "without a slip it writes"
    return f"{name} {''.join(result.gold)}"


def _forced(result: Result) -> str:
    if not result.slip:
        return "Nothing is forced: each lane reads what it reads."
    return f"As output {result.slip} it is made to read {result.replaced}."


def _setting(result: Result) -> str:
    return f"{_model(result)} reads “{_typed(result)}”; {_gold(result)}. {_forced(result)}"


# ---------------------------------------------------------------- rows and lanes


def _small(t: int, y: float, words: str, *, bold: bool = False) -> str:
    weight, fill = ("bold", svg.INK) if bold else ("normal", svg.GREY)
    x = LEFT + CELL * (t + 0.5)
    return svg.text(x, y, words, size=12, anchor="middle", weight=weight, fill=fill)


def _row(tokens, y: float, name: str, fill) -> list[str]:
    parts = [svg.text(LEFT - 8, y + 19, name, anchor="end", weight="bold")]
    for t, token in enumerate(tokens):
        x = LEFT + CELL * t
        parts.append(svg.rect(x, y, CELL - 3, ROW - 2, fill=fill(t), stroke=svg.LIGHT, kind="cell"))
        parts.append(svg.text(x + CELL / 2 - 1, y + 18, token, anchor="middle", size=14))
    return parts


def _lane(result: Result, lane: Lane, top: float, name: str, late: tuple[int, ...]) -> list[str]:
    parts = [svg.text(svg.MARGIN, top + 12, name, weight="bold")]
    labels = (("reads", 34), ("says", 61), ("P(gold)", 98))
    parts += [svg.text(LEFT - 8, top + y, w, size=12, anchor="end") for w, y in labels]
    for t, (read, said, prob) in enumerate(zip(lane.reads, lane.says, lane.prob, strict=True)):
        x, end = LEFT + CELL * t, t >= len(result.gold)
        right = not end and said == result.gold[t]
        forced = bool(result.slip) and t == result.slip
        parts.append(_small(t, top + 34, read, bold=forced))
        if forced:
            parts.append(svg.rect(x + 3, top + 20, CELL - 9, 19, stroke=svg.INK, kind="forced"))
            parts.append(_small(t, top + 14, "forced"))
        elif t in lane.own:
            parts.append(_small(t, top + 14, "own"))
        tip = f"place {t + 1}: reads {read}, says {said}, P(gold) {prob:.2f}"
        box = (x, top + 42, CELL - 3, ROW - 2)
        kind = "right" if right else "late" if t in late else "wrong"
        dash = "3 2" if kind == "late" else None
        stroke = svg.LIGHT if right else svg.INK
        parts.append(svg.rect(*box, fill=svg.PAPER, stroke=stroke, dash=dash, kind=kind, tip=tip))
        if right:
            parts.append(svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE))
        parts.append(svg.text(x + CELL / 2 - 1, top + 60, said, anchor="middle", size=14))
        if not right:
            parts.append(svg.text(x + CELL - 12, top + 53, "←" if kind == "late" else "×", size=12))
        if not end:
            high = BAR * prob
            parts.append(svg.rect(x + 5, top + 74, CELL - 13, BAR, stroke=svg.LIGHT))
            parts.append(
                svg.rect(x + 5, top + 74 + BAR - high, CELL - 13, high, fill=svg.BLUE, kind="bar")
            )
    return parts


def _legend(y: float) -> list[str]:
    parts = [svg.rect(svg.MARGIN, y - 11, 18, 13, fill=svg.BLUE, opacity=svg.SHADE)]
    parts.append(svg.text(36, y, "right", size=12))
    parts.append(svg.rect(84, y - 11, 18, 13, stroke=svg.INK))
    parts.append(svg.text(108, y, "× wrong", size=12))
    parts.append(svg.rect(176, y - 11, 18, 13, stroke=svg.INK, dash="3 2"))
    parts.append(svg.text(200, y, "← gold, one place late", size=12))
    parts.append(svg.text(346, y, "< BOS   • EOS   bar: 0 to 1", size=12, fill=svg.GREY))
    return parts
