"""What the gate mixer looks like: the stored value over 30 steps, its gates, a step in numbers."""

from seq2seq_lib.course.explorers.gate_mixer.compute import SECOND, STEPS, Result
from seq2seq_lib.course.explorers.kit import svg

LEFT, WIDE, TALL, ROW = 64.0, 16.0, 150.0, 22  # of the plot; of a row of gates
RIGHT = LEFT + WIDE * STEPS
NAMES = {"rnn": "plain RNN", "lstm": "LSTM", "gru": "GRU"}
STORED = {"rnn": "h", "lstm": "c", "gru": "h"}
EQUATIONS = {
    "rnn": ("h' = tanh(w · h + x)",),
    "lstm": ("c' = f · c + i · g", "h' = o · tanh(c')"),
    "gru": ("h' = z · h + (1 − z) · n",),
}
MEANS = {
    "w(1−h²)": "a step multiplies the gradient by it",
    "f": "keeps",
    "i": "writes",
    "g": "what is offered",
    "o": "shows",
    "z": "keeps",
    "1−z": "writes",
    "n": "what is offered",
}


def draw(result: Result, *, veiled: bool = False) -> str:
    """The equation, the curve with its half line, a row of cells for each gate."""
    parts, y = _equation(result, 14.0, veiled)
    top = y + 60
    rows = len(result.steps[0].gates)
    height = top + TALL + 42 + ROW * (rows + 1) + 20
    if veiled:
        parts += svg.veil(y + 6, height - y - 18)
        words = f"{_setting(result)} What is stored is hidden until you predict."
        return svg.picture(svg.WIDTH, height, "Predict first", words, parts)
    parts.append(svg.text(svg.MARGIN, y + 28, _headline(result), size=16, weight="bold"))
    parts += _curve(result, top)
    parts += _gates(result, top + TALL + 42)
    return svg.picture(svg.WIDTH, height, _headline(result), _words(result), parts)


def number(value: float) -> str:
    """Three digits after the point; a minus sign that is one."""
    return f"{value:.3f}".replace("-", "−")


def _equation(result: Result, y: float, veiled: bool) -> tuple[list[str], float]:
    """In symbols, and below each line the numbers of the step at the cursor."""
    step, parts = result.steps[result.cursor - 1], []
    gates = {name: number(value) for name, value in step.gates.items()}
    before, stored, shown = map(number, (step.before, step.stored, step.shown))
    lines = {
        "rnn": (f"tanh({result.weight:g} · {before} + {step.x:g}) = {stored}",),
        "lstm": (
            f"{gates.get('f')} · {before} + {gates.get('i')} · {gates.get('g')} = {stored}",
            f"{gates.get('o')} · tanh({stored}) = {shown}",
        ),
        "gru": (f"{gates.get('z')} · {before} + {gates.get('1−z')} · {gates.get('n')} = {stored}",),
    }
    for symbols, numbers in zip(EQUATIONS[result.cell], lines[result.cell], strict=True):
        y += 20
        parts.append(svg.text(svg.MARGIN, y, symbols, size=14, mono=True))
        if not veiled:
            parts.append(svg.text(RIGHT, y, numbers, size=12, mono=True, anchor="end"))
    if not veiled:
        where = f"step {result.cursor}, in numbers"
        parts.append(svg.text(RIGHT, 14, where, size=12, anchor="end", fill=svg.GREY))
    return parts, y


def _x(step: int) -> float:
    """The middle of a step's column."""
    return LEFT + WIDE * (step - 0.5)


def _curve(result: Result, top: float) -> list[str]:
    values = [step.stored for step in result.steps]
    most = 2.0 if max(values) > 1 else 1.0
    base = top + TALL

    def y(value: float) -> float:
        return base - TALL * value / most

    parts = []
    for tick in (0.0, most / 2, most):
        ink = svg.GREY if tick == 0 else svg.LIGHT
        parts.append(svg.line([(LEFT, y(tick)), (RIGHT, y(tick))], stroke=ink, width=1))
        parts.append(svg.text(LEFT - 6, y(tick) + 4, f"{tick:g}", size=12, anchor="end"))
    name = f"{STORED[result.cell]}, stored"
    parts.append(svg.text(svg.MARGIN, top - 8, name, size=12, fill=svg.GREY))
    dashed = "- - - half of the first"
    parts.append(svg.text(RIGHT, top - 8, dashed, size=12, anchor="end", fill=svg.GREY))
    half = values[0] / 2
    parts.append(svg.line([(LEFT, y(half)), (RIGHT, y(half))], stroke=svg.GREY, dash="4 3"))
    if result.gone_after is not None:
        x = _x(1 + result.gone_after)
        parts.append(svg.line([(x, top), (x, base)], stroke=svg.BLUE, width=1, dash="2 3"))
    x = _x(result.cursor)
    parts.append(svg.line([(x, top - 4), (x, base + 4)], stroke=svg.INK, width=1))
    parts.append(svg.line([(_x(t), y(v)) for t, v in enumerate(values, start=1)], stroke=svg.BLUE))
    for t, value in enumerate(values, start=1):
        tip = f"step {t}: {number(value)}"
        size = 5.5 if t == result.cursor else 3
        parts.append(svg.dot(_x(t), y(value), size, kind="value", tip=tip))
    for t in (1, 5, 10, 15, 20, 25, 30):
        parts.append(svg.text(_x(t), base + 17, str(t), size=12, anchor="middle"))
    parts.append(svg.text(svg.MARGIN, base + 17, "step", size=12, fill=svg.GREY))
    return parts


def _gates(result: Result, top: float) -> list[str]:
    """A row of cells for the input and each gate: full is 1, empty is 0."""
    rows = [("x", [step.x for step in result.steps])]
    for name in result.steps[0].gates:
        rows.append((name, [step.gates[name] for step in result.steps]))
    parts = []
    for row, (name, values) in enumerate(rows):
        y = top + ROW * row
        parts.append(svg.text(LEFT - 6, y + 12, name, size=12, anchor="end"))
        for t, value in enumerate(values, start=1):
            x, tip = LEFT + WIDE * (t - 1), f"{name} at step {t}: {number(value)}"
            edge = svg.INK if t == result.cursor else svg.LIGHT
            box = (x, y, WIDE - 2, ROW - 6)
            parts.append(svg.rect(*box, fill=svg.PAPER, stroke=edge, kind="gate", tip=tip))
            if value > 0.005:
                parts.append(svg.rect(*box, fill=svg.BLUE, opacity=min(1.0, value)))
    y = top + ROW * len(rows) + 8
    words = "; ".join(f"{name}: {MEANS[name]}" for name, _ in rows[1:])
    parts.append(svg.text(svg.MARGIN, y, f"Full is 1, empty is 0. {words}", size=12, fill=svg.GREY))
    return parts


def _setting(result: Result) -> str:
    if result.cell == "rnn":
        set_to = f"weight {result.weight:g}"
    else:
        set_to = f"bias {result.bias} of the gate that keeps"
    pulses = f"pulses of 1 at steps 1 and {SECOND}" if result.second else "a pulse of 1 at step 1"
    return f"One {NAMES[result.cell]} unit with {set_to}, {pulses}.".replace("-", "−")


def _headline(result: Result) -> str:
    first = number(result.steps[0].stored)
    if result.second:
        before, after = (number(result.steps[t - 1].stored) for t in (SECOND - 1, SECOND))
        return f"{first} stored; the second pulse turns {before} into {after}"
    if result.gone_after is None:
        return f"{first} stored; not half of it is gone within {STEPS} steps"
    steps = "1 step" if result.gone_after == 1 else f"{result.gone_after} steps"
    return f"{first} stored; half of it is gone after {steps}"


def _words(result: Result) -> str:
    values = ", ".join(
        f"{t}: {number(result.steps[t - 1].stored)}" for t in (1, 2, 6, 11, 15, 21, 30)
    )
    step = result.steps[result.cursor - 1]
    gates = ", ".join(f"{name} {number(value)}" for name, value in step.gates.items())
    return (
        f"{_setting(result)} {_headline(result)}. Stored at step {values}. At step "
        f"{result.cursor}: {gates}."
    )
