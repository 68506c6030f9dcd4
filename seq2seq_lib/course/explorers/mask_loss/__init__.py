"""The mask and loss calculator: which losses of a padded batch count, and what they are divided by.

Three sentences, their losses, four ways to build the mask (one of them right) and four ways to
average. The code that is shown is the code that runs. The question is always the same: you add 10
PAD columns, which are no data; what does the loss do?
"""

import math
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib._arguments import check_choice, check_lengths
from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.kit.widget import SKIPPED, Choice, Explorer, Number, State
from seq2seq_lib.vocab import PAD_ID

NAMES = ("A", "B", "C")
MAX_LENGTH, MAX_WIDTH, MAX_EXTRA = 5, 6, 10
# Negative log-likelihoods of the real tokens, nats. A model that never learned to predict PAD is
# surprised by it: so the losses at pads are large.
REAL = ((0.5, 1.0, 3.0, 2.0, 0.9), (2.5, 0.4, 1.1, 1.9, 0.6), (1.5, 0.5, 2.2, 0.8, 1.7))
PADS = ((4.5, 5.0, 5.5, 4.0, 6.0), (5.5, 4.0, 6.0, 5.0, 4.5), (4.0, 6.0, 5.0, 4.5, 5.5))

RIGHT = "mask = torch.arange(T)[None, :] < lengths[:, None]"
MASKS = {
    "right": (RIGHT, "kept = losses * mask"),
    "transposed": (
        "mask = torch.arange(T)[:, None] < lengths[None, :]",
        "kept = losses * mask",
    ),
    "blog": (
        "mask = (torch.ones(T) * PAD_ID)[None, :] != torch.arange(T)[:, None]",
        "kept = losses.mean() * mask",
    ),
    "broadcast": (RIGHT, "kept = losses.view(-1, 1).masked_select(mask.view(-1))"),
}
NORMALISERS = {
    "tokens": "loss = kept.sum() / mask.sum()",
    "cells": "loss = kept.sum() / losses.numel()",
    "sentences": "loss = (kept.sum(1) / mask.sum(1)).mean()",
    "sum": "loss = kept.sum()",
}
NORMALISERS_OF_SELECTED = {  # masked_select returns the kept values alone, without rows
    **NORMALISERS,
    "tokens": "loss = kept.mean()",
    "sentences": "loss = kept.view(B, -1).mean(1).mean()",
}
OUTCOMES = {
    "stays the same": "same",
    "gets smaller": "smaller",
    "gets larger": "larger",
    "error or nan": "nothing",
}


QUESTION = "You add 10 PAD columns, which are no data. What does this code's loss do?"


@dataclass(frozen=True)
class Result:
    """What the calculator shows.

    Attributes:
        lengths, width, extra_pads: of the batch; ``width`` counts the extra columns too.
        mask, normaliser, prediction: as in ``compute``.
        code: three lines of PyTorch; with ``losses``, ``lengths``, ``B``, ``T`` and ``PAD_ID``
            they compute ``value``.
        losses: nats, ``[B, T]``.
        mask_shape: of the mask.
        terms: what is summed: the kept losses, or one mean per sentence.
        divisor: what the sum is divided by.
        value: the loss, maybe NaN; None if PyTorch raises.
        error: PyTorch's message, or "".
        gradient: of the loss by each entry of ``losses``, ``[B, T]``; None if PyTorch raises.
        curve: the loss with 0 .. 10 extra columns; None where PyTorch raises.
        target: the loss with the right mask and an honest divisor, whatever the number of columns.
    """

    lengths: tuple[int, ...]
    width: int
    extra_pads: int
    mask: str
    normaliser: str
    prediction: str | None
    code: tuple[str, str, str]
    losses: tuple[tuple[float, ...], ...]
    mask_shape: tuple[int, ...]
    terms: tuple[float, ...]
    divisor: int
    value: float | None
    error: str
    gradient: tuple[tuple[float, ...], ...] | None
    curve: tuple[float | None, ...]
    target: float

    @property
    def outcome(self) -> str:
        """What 10 extra columns do to the loss: a value of ``OUTCOMES``."""
        before, after = self.curve[0], self.curve[-1]
        if after is None or math.isnan(after) or before is None or math.isnan(before):
            return "nothing"
        if math.isclose(before, after, rel_tol=1e-5):
            return "same"
        return "smaller" if after < before else "larger"


def compute(
    *,
    lengths: tuple[int, ...] = (3, 1, 2),
    width: int | None = None,
    extra_pads: int = 0,
    mask: str = "right",
    normaliser: str = "tokens",
    prediction: str | None = SKIPPED,
) -> Result:
    """Mask and average the losses of a small batch.

    Args:
        lengths: of the three sentences, each in 1 .. 5.
        width: T, at most 6; the longest length when left out.
        extra_pads: PAD columns after that, 0 .. 10.
        mask: ``"right"``; ``"transposed"``: lengths along the wrong axis; ``"blog"``: the pad id
            compared with positions, over a loss that is already a mean; ``"broadcast"``:
            ``[N, 1]`` against ``[N]``.
        normaliser: divide by ``"tokens"``, by all ``"cells"``, per sentence and then by
            ``"sentences"``, or keep the ``"sum"``.
        prediction: None hides the loss until there is one.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_choice(mask, tuple(MASKS), "mask")
    check_choice(normaliser, tuple(NORMALISERS), "normaliser")
    if prediction is not None:
        check_choice(prediction, (SKIPPED, *OUTCOMES.values()), "prediction")
    if len(lengths) != len(NAMES):
        raise ValueError(f"lengths must be {len(NAMES)} integers, but they are {lengths}.")
    width = max(lengths) if width is None else width
    check_lengths(torch.tensor(lengths), min(width, MAX_LENGTH), "lengths")
    if width > MAX_WIDTH or not 0 <= extra_pads <= MAX_EXTRA:
        raise ValueError(
            f"width must be ≤ {MAX_WIDTH} and extra_pads in 0 .. {MAX_EXTRA}, but they are "
            f"{width} and {extra_pads}."
        )
    curve = []
    for extra in range(MAX_EXTRA + 1):
        try:
            curve.append(_loss(_losses(lengths, width + extra), lengths, mask, normaliser).value())
        except RuntimeError:
            curve.append(None)
    losses = _losses(lengths, width + extra_pads).requires_grad_()  # [B, T]
    found, gradient, error = None, None, ""
    try:
        found = _loss(losses, lengths, mask, normaliser)
        (gradient,) = torch.autograd.grad(found.loss, losses)
    except RuntimeError as problem:
        error = str(problem)
    lines = NORMALISERS_OF_SELECTED if mask == "broadcast" else NORMALISERS
    honest = "tokens" if normaliser == "cells" else normaliser
    return Result(
        lengths=tuple(lengths),
        width=width + extra_pads,
        extra_pads=extra_pads,
        mask=mask,
        normaliser=normaliser,
        prediction=prediction,
        code=(*MASKS[mask], lines[normaliser]),
        losses=_rows(losses),
        mask_shape=tuple(_mask(lengths, width + extra_pads, mask).shape),
        terms=tuple(found.terms.tolist()) if found else (),
        divisor=found.divisor if found else 0,
        value=found.value() if found else None,
        error=error,
        gradient=_rows(gradient) if gradient is not None else None,
        curve=tuple(curve),
        target=_loss(_losses(lengths, width), lengths, "right", honest).value(),
    )


@dataclass(frozen=True)
class _Loss:
    loss: Tensor
    terms: Tensor
    divisor: int

    def value(self) -> float:
        return self.loss.item()


def _loss(losses: Tensor, lengths: tuple[int, ...], kind: str, normaliser: str) -> _Loss:
    """What the code that is shown computes; RuntimeError where it raises."""
    mask = _mask(lengths, losses.size(1), kind)
    if kind == "broadcast":  # [B*T, 1] against [B*T]: every loss, once for each real token
        kept = losses.view(-1, 1).masked_select(mask.view(-1)).view(len(losses), -1)
        mask = torch.ones_like(kept, dtype=torch.bool)
    else:
        kept = (losses.mean() if kind == "blog" else losses) * mask  # raises unless shapes fit
    if normaliser == "sentences":
        terms = kept.sum(1) / mask.sum(1)
        divisor = len(terms)
    else:
        terms = kept[mask.expand_as(kept)]
        divisor = {"tokens": int(mask.sum()), "cells": losses.numel(), "sum": 1}[normaliser]
    return _Loss(terms.sum() / divisor, terms.detach(), divisor)


def _mask(lengths: tuple[int, ...], width: int, kind: str) -> Tensor:
    positions, ends = torch.arange(width), torch.tensor(lengths)
    if kind == "transposed":
        return positions[:, None] < ends[None, :]  # [T, 1], [1, B] -> [T, B]
    if kind == "blog":
        pads = torch.ones(width) * PAD_ID
        return pads[None, :] != positions[:, None]  # [1, T], [T, 1] -> [T, T]
    return positions[None, :] < ends[:, None]  # [1, T], [B, 1] -> [B, T]


def _losses(lengths: tuple[int, ...], width: int) -> Tensor:
    """``[B, T]``: the losses of the real tokens, then those at the pads."""
    rows = [
        [REAL[b][t] if t < length else PADS[b][t % len(PADS[b])] for t in range(width)]
        for b, length in enumerate(lengths)
    ]
    return torch.tensor(rows, dtype=torch.float64)


def _rows(values: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())


# ---------------------------------------------------------------- the picture

WIDTH, MARGIN, CELL, LEFT = 720, 12, 26, 96
SHADE = 0.42  # of the cells that count most: black numbers stay readable on it


def draw(result: Result) -> str:
    """Code, the grid of losses under the mask, the division, and the loss against extra columns."""
    parts, y = [], 8.0
    shape = ", ".join(map(str, result.mask_shape))
    for code in (f"{result.code[0]}  # [{shape}]", *result.code[1:]):
        y += 17
        parts.append(svg.text(MARGIN, y, code, size=12, mono=True))
    y += 14
    shown = result.prediction is not None
    parts += _grid(result, y, shown)
    y += CELL * (len(NAMES) + 1) + 12
    if not shown:
        parts += svg.veil(WIDTH, y, QUESTION)
        description = f"{_setting(result)} Predict first: {QUESTION}"
        return svg.picture(WIDTH, y + svg.VEIL + MARGIN, "Predict first", description, parts)
    parts.append(svg.text(MARGIN, y + 20, _headline(result), size=18, weight="bold"))
    parts.append(svg.text(MARGIN, y + 42, _division(result), size=13))
    parts.append(svg.text(MARGIN, y + 62, _verdict(result), size=13))
    parts += _chart(result, y + 94)
    description = (
        f"{_setting(result)} {_headline(result)}. {_division(result)}. {_verdict(result)} "
        f"The right loss is {result.target:.2f}. {_shares_in_words(result)} {_reveal(result)}"
    )
    return svg.picture(WIDTH, y + 208, _headline(result), description, parts)


def _grid(result: Result, top: float, shown: bool) -> list[str]:
    parts = []
    for t in range(result.width):
        x = LEFT + CELL * (t + 0.5)
        parts.append(svg.text(x, top + 18, str(t), size=11, anchor="middle", fill=svg.GREY))
    parts.append(svg.text(LEFT - 10, top + 18, "position", size=11, anchor="end", fill=svg.GREY))
    largest = max((max(map(abs, row)) for row in result.gradient or ()), default=0.0)
    bars = LEFT + CELL * result.width + 14
    if shown and result.gradient:
        parts.append(svg.text(bars, top + 18, "share of the gradient", size=11, fill=svg.GREY))
    for b, name in enumerate(NAMES):
        y = top + CELL * (b + 1)
        label = f"{name}, length {result.lengths[b]}"
        parts.append(svg.text(LEFT - 10, y + 18, label, size=12, anchor="end"))
        for t, loss in enumerate(result.losses[b]):
            x, pad = LEFT + CELL * t, t >= result.lengths[b]
            counts = shown and result.gradient and result.gradient[b][t] > 0
            fill = svg.tint(SHADE * result.gradient[b][t] / largest) if counts else svg.PAPER
            tip = f"{name}, position {t}: loss {loss:.1f}{', PAD' if pad else ''}"
            if shown and result.gradient:
                tip += f", gradient {result.gradient[b][t]:.3f}"
            parts.append(
                svg.rect(
                    x,
                    y,
                    CELL - 2,
                    CELL - 2,
                    fill=fill,
                    stroke=svg.LIGHT,
                    kind="cell",
                    tip=tip,
                )
            )
            if pad:
                parts.append(svg.hatch(x, y, CELL - 2, CELL - 2))
            parts.append(
                svg.text(
                    x + CELL / 2 - 1,
                    y + 17,
                    f"{loss:.1f}",
                    size=12,
                    anchor="middle",
                    weight="bold" if counts else "normal",
                    halo=fill if pad else None,
                )
            )
        if shown and result.gradient:
            parts += _share_bar(result, b, bars, y)
    return parts


def _shares(result: Result, b: int) -> tuple[float, float]:
    """Of the gradient's sum: what row b's real tokens get, and what its pads get; in percent."""
    whole = sum(map(sum, result.gradient))
    row, length = result.gradient[b], result.lengths[b]
    return 100 * sum(row[:length]) / whole, 100 * sum(row[length:]) / whole


def _share_bar(result: Result, b: int, x: float, y: float) -> list[str]:
    real, pads = _shares(result, b)
    if math.isnan(real):
        return [svg.text(x, y + 17, "nan", size=12)]
    scale = 0.5
    parts = [svg.rect(x, y + 5, real * scale, 15, fill=svg.tint(SHADE), kind="share")]
    if pads:
        start = x + real * scale
        parts.append(svg.rect(start, y + 5, pads * scale, 15, fill=svg.tint(SHADE)))
        parts.append(svg.hatch(start, y + 5, pads * scale, 15))
    label = f"{real + pads:.0f} %" + (f" ({pads:.0f} % at PAD)" if pads else "")
    parts.append(svg.text(x + (real + pads) * scale + 6, y + 17, label, size=12))
    return parts


def _chart(result: Result, top: float) -> list[str]:
    """The loss against extra PAD columns, and the right one beside it."""
    left, right, height = 70.0, 470.0, 72.0
    values = [v for v in result.curve if v is not None and not math.isnan(v)]
    high = 1.15 * max([result.target, *values])

    def place(extra: float, value: float) -> tuple[float, float]:
        x = left + 20 + (right - left - 20) * extra / MAX_EXTRA
        return x, top + height * (1 - value / high)

    parts = [
        svg.text(left, top - 8, "loss", size=11, fill=svg.GREY, anchor="middle"),
        svg.line(
            [(left, top), (left, top + height), place(MAX_EXTRA, 0)], stroke=svg.GREY, width=1
        ),
        svg.text(left - 8, top + height + 4, "0", size=11, anchor="end", fill=svg.GREY),
        svg.text(
            (left + right) / 2,
            top + height + 30,
            "extra PAD columns",
            size=11,
            anchor="middle",
            fill=svg.GREY,
        ),
        svg.line([place(0, result.target), place(MAX_EXTRA, result.target)], dash="5 4", width=1.5),
    ]
    for extra in range(0, MAX_EXTRA + 1, 2):
        x, y = place(extra, 0)
        parts.append(svg.text(x, y + 15, str(extra), size=11, anchor="middle", fill=svg.GREY))
    for extra, value in enumerate(result.curve):
        if value is None or math.isnan(value):
            x, y = place(extra, 0)
            label = "error" if value is None else "nan"
            parts.append(svg.text(x, y - 5, label, size=10, anchor="middle"))
            continue
        x, y = place(extra, value)
        here = extra == result.extra_pads
        parts.append(svg.dot(x, y, 6 if here else 3.5, fill=svg.BLUE if here else svg.PAPER))
    side = right + 22
    parts += [
        svg.dot(side + 4, top + 6, 3.5, fill=svg.PAPER),
        svg.text(side + 16, top + 10, "this code", size=12),
        svg.line([(side - 4, top + 26), (side + 11, top + 26)], dash="5 4"),
        svg.text(side + 16, top + 30, f"the right loss: {result.target:.2f}", size=12),
    ]
    for number, words in enumerate(_reveal_lines(result)):
        parts.append(svg.text(side - 4, top + 56 + 17 * number, words, size=12.5, weight="bold"))
    return parts


def _setting(result: Result) -> str:
    lengths = ", ".join(map(str, result.lengths))
    return (
        f"Three sentences of lengths {lengths} in a batch of width {result.width}. "
        f"Code: {'; '.join(result.code)}."
    )


def _headline(result: Result) -> str:
    if result.value is None:
        return "No loss: PyTorch raises a RuntimeError"
    return f"loss = {_number(result.value)}"


def _division(result: Result) -> str:
    if result.value is None:
        return result.error
    digits = 1 if result.mask != "blog" and result.normaliser != "sentences" else 2
    terms = [_number(term, digits) for term in result.terms]
    if len(terms) > 8:
        terms = [*terms[:5], "…", terms[-1]]
    total = _number(sum(result.terms), digits)
    values = f"{len(result.terms)} values: " if len(result.terms) > 8 else ""
    if result.divisor == 1:
        return f"{values}{' + '.join(terms)} = {total}"
    value = _number(result.value)
    return (
        f"{values}({' + '.join(terms)}) / {result.divisor} = {total} / {result.divisor} = {value}"
    )


def _verdict(result: Result) -> str:
    if result.value is None:
        rows, columns = result.mask_shape
        return (
            f"The losses are [{len(NAMES)}, {result.width}], the mask is [{rows}, {columns}]. "
            f"With B = T nothing would be raised."
        )
    if math.isnan(result.value):
        return "A row of the mask has no True in it, and 0 / 0 is not a number."
    real = sum(result.lengths)
    pads = len(NAMES) * result.width - real
    counted = [
        (t < result.lengths[b])
        for b, row in enumerate(result.gradient)
        for t, weight in enumerate(row)
        if weight > 0
    ]
    times = f", each {real} times" if result.mask == "broadcast" else ""
    divisor = " The divisor counts PAD too." if result.normaliser == "cells" and pads else ""
    return (
        f"Counted: {sum(counted)} of {real} real tokens and {len(counted) - sum(counted)} of "
        f"{pads} PAD cells{times}.{divisor}"
    )


def _reveal(result: Result) -> str:
    return " ".join(_reveal_lines(result))


def _reveal_lines(result: Result) -> list[str]:
    names = {outcome: words for words, outcome in OUTCOMES.items()}
    lines = []
    if result.prediction in names:
        lines.append(f"You predicted: {names[result.prediction]}.")
    before, after = (_number(v) if v is not None else "error" for v in result.curve[::MAX_EXTRA])
    lines.append("With 10 extra PAD columns:")
    lines.append(f"{names[result.outcome]} ({before} → {after}).")
    return lines


def _shares_in_words(result: Result) -> str:
    if result.gradient is None:
        return ""
    shares = [(name, *_shares(result, b)) for b, name in enumerate(NAMES)]
    words = [f"{name} {real + pads:.0f} %, {pads:.0f} % at PAD" for name, real, pads in shares]
    return f"Share of the gradient: {'; '.join(words)}."


def _number(value: float, digits: int = 2) -> str:
    return "nan" if math.isnan(value) else f"{value:.{digits}f}"


# ---------------------------------------------------------------- the widget


def _params(**changes: Any) -> dict[str, Any]:
    default = {
        "lengths": (3, 1, 2),
        "width": 3,
        "extra_pads": 0,
        "mask": "right",
        "normaliser": "tokens",
    }
    return {**default, **changes}


STATES = {
    "right": State("The right mask: real tokens count, and nothing else", _params()),
    "transposed": State(
        "Transposed, B = T: as many cells, the wrong ones, and no error",
        _params(mask="transposed"),
    ),
    "right_plus_10_pads": State(
        "The right mask after 10 more PAD columns: the same loss", _params(extra_pads=10)
    ),
    "transposed_b_not_t": State(
        "Transposed, B ≠ T: PyTorch raises", _params(mask="transposed", width=4)
    ),
    "blog": State("Pad id against positions: the mask does nothing", _params(mask="blog")),
    "blog_plus_10_pads": State(
        "Pad id against positions, 10 more PAD columns",
        _params(mask="blog", extra_pads=10),
    ),
    "broadcast": State(
        "[N, 1] against [N]: every loss counts, once for each real token", _params(mask="broadcast")
    ),
    "broadcast_plus_10_pads": State(
        "[N, 1] against [N], 10 more PAD columns", _params(mask="broadcast", extra_pads=10)
    ),
    "padded_mean": State(
        "The right mask, divided by all cells: too small", _params(normaliser="cells")
    ),
    "padded_mean_plus_10_pads": State(
        "Divided by all cells, 10 more PAD columns: smaller still",
        _params(normaliser="cells", extra_pads=10),
    ),
    "per_sentence": State(
        "Each sentence weighs the same, whatever its length", _params(normaliser="sentences")
    ),
    "sum": State("The sum: more tokens, a larger loss", _params(normaliser="sum")),
}


def _tidy(params: dict[str, Any], locked: Set[str]) -> dict[str, Any]:
    """No sentence is longer than the batch is wide: the width follows, unless it is locked."""
    if "width" in locked:
        lengths = tuple(min(length, params["width"]) for length in params["lengths"])
        return {**params, "lengths": lengths}
    return {**params, "width": max(params["width"], *params["lengths"])}


EXPLORER = Explorer(
    name="MaskLossExplorer",
    compute=compute,
    draw=draw,
    states=STATES,
    controls=(
        (
            Choice(
                "mask",
                "mask",
                {
                    "right": "right",
                    "transposed": "transposed",
                    "pad id against positions": "blog",
                    "[N,1] against [N]": "broadcast",
                },
            ),
        ),
        (
            Choice(
                "normaliser",
                "divide by",
                {
                    "tokens": "tokens",
                    "all cells": "cells",
                    "per sentence": "sentences",
                    "nothing (sum)": "sum",
                },
            ),
        ),
        (
            Number("lengths", "length of A", 1, MAX_LENGTH, index=0),
            Number("lengths", "of B", 1, MAX_LENGTH, index=1),
            Number("lengths", "of C", 1, MAX_LENGTH, index=2),
            Number("width", "width T", 1, MAX_WIDTH),
            Number("extra_pads", "extra PAD columns", 0, MAX_EXTRA, slider=True),
        ),
    ),
    ask="10 extra PAD columns: the loss",
    predictions=OUTCOMES,
    question=lambda params: (params["mask"], params["normaliser"]),
    tidy=_tidy,
)


def explore(state: str = "right", lock: tuple[str, ...] = ()) -> Any:
    """Open the calculator.

    Args:
        state: one of ``STATES``.
        lock: controls that stay as they are: ``"lengths"``, ``"width"``, ``"extra_pads"``,
            ``"mask"``, ``"normaliser"``.

    Returns:
        The widget; without a kernel, or under nbgrader, a still or three.
    """
    return EXPLORER.open(state, lock)
