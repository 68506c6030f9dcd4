"""What the search tree looks like: the card, the tree step by step, what was found, the truth."""

import math
from dataclasses import replace

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.search_tree.compute import STEPS, Output, Result, Row
from seq2seq_lib.course.explorers.search_tree.tree import FATES, RADIUS, shape, tree
from seq2seq_lib.course.letter_cards import LETTERS, spelt
from seq2seq_lib.laws import four_letters
from seq2seq_lib.vocab import BOS_ID, EOS_ID

TABLE_ROW, LIST_ROWS, LINE = 17, 5, 18
BESIDE = 336  # pixels: where the truth stands, beside what was found


def draw(result: Result, *, veiled: bool = False) -> str:
    """The card, the tree of the steps so far, the outputs that ended; at the end the truth.

    Everything has its place from the first step on: nothing moves while the tree grows.
    """
    end = replace(result, step=STEPS)
    parts, top = _card(result)
    y, shown = top, []
    for say, size, weight in ((headline, 16, "bold"), (_verdict, 13, "normal")):
        look = {"size": size, "weight": weight}
        lines, now = svg.paragraph(y, say(result), **look)
        shown += lines
        y = max(now, svg.paragraph(y, say(end), **look)[1])
    some, y = tree(result, y + 4)
    shown += some
    if result.search == "memory":
        some, y = _rows(result, y + 6)
        shown += some
    some, left = _found(result, y + 8)
    shown += some
    beside, right = _truth(end, y + 8)
    shown += beside if result.done else []
    bottom = max(left, right) + svg.MARGIN
    if veiled:
        parts += svg.veil(top + 8, bottom - top - 20)
        description = f"{_setting(result)} The search is hidden until you predict."
        return svg.picture(svg.WIDTH, bottom, "Predict first", description, parts)
    words = [_setting(result), headline(result) + ".", *_steps_in_words(result)]
    words += [*_rows_in_words(result), _found_in_words(result)]
    words += [_verdict(result), *_truth_in_words(result)] if result.done else []
    return svg.picture(svg.WIDTH, bottom, headline(result), " ".join(words), [*parts, *shown])


# ---------------------------------------------------------------- above the tree


def _card(result: Result) -> tuple[list[str], float]:
    """What may follow what; the legend; where both end."""
    left, step = 118, 44
    parts = [svg.text(svg.MARGIN, 20, "p(next)", size=12, fill=svg.GREY)]
    columns = (*LETTERS, EOS_ID)
    for column, token in enumerate(columns):
        place = (left + step * column, 20)
        parts.append(svg.text(*place, spelt([token]), weight="bold", anchor="middle"))
    for row, (last, probs) in enumerate(_table(), start=1):
        y = 20 + TABLE_ROW * row
        parts.append(svg.text(svg.MARGIN, y, last))
        for column, prob in enumerate(probs):
            parts.append(svg.text(left + step * column, y, f"{prob:.2f}", anchor="middle"))
    for row, (fate, words) in enumerate(FATES.items()):
        y = 16 + 22 * row
        parts += shape(330 + RADIUS, y, fate, "•" if fate == "finished" else "a")
        parts.append(svg.text(356, y + 4, words, size=12))
    note = "At a node: p of its token, log p of the whole. Thick: the way to the best so far."
    if result.search == "memory":
        note += " No letter is written twice: what was read is 0, and the rest of the row is "
        note += "divided by its sum."
    lines, y = svg.paragraph(94, note, size=12, fill=svg.GREY)
    return [*parts, *lines], y + 4


def _table() -> list[tuple[str, list[float]]]:
    """What follows what: the card's own numbers."""
    columns = (*LETTERS, EOS_ID)
    rows = four_letters().log_probs.exp().tolist()
    names = {BOS_ID: "at the start"} | {token: f"after {spelt([token])}" for token in LETTERS}
    return [(name, [rows[last][token] for token in columns]) for last, name in names.items()]


# ---------------------------------------------------------------- below the tree


def _rows(result: Result, top: float) -> tuple[list[str], float]:
    """The rows of the state, as the last step left them: whose memory does each output have?"""
    step, rows = _rows_now(result)
    parts, y = svg.paragraph(top, f"Rows of the state after step {step}", weight="bold")
    for number in range(result.width):
        y += LINE
        words = f"row {number}: empty"
        if number < len(rows):
            row = rows[number]
            words = f"row {number}: {spelt(row.tokens)}, has read {_letters(row.memory)}"
            if row.strange:
                words += ", another's memory"
                parts.append(svg.rect(8, y - 14, 300, LINE, fill=svg.LIGHT, kind="strange"))
                parts.append(svg.hatch(300, y - 14, 8, LINE))
        parts.append(svg.text(svg.MARGIN, y, words))
    return parts, y + 10


def _rows_now(result: Result) -> tuple[int, tuple[Row, ...]]:
    """The last step so far that left something open, and its rows."""
    step = min(result.step, len(result.whole.rows))
    return step, result.whole.rows[step - 1] if step else ()


def _letters(memory: frozenset[int]) -> str:
    return "".join(map(spelt, ([token] for token in sorted(memory)))) or "nothing"


def _found(result: Result, top: float) -> tuple[list[str], float]:
    """What ended so far, ranked; and where that ends when all is found."""
    memory = result.search == "memory"
    columns = [("output", 34, "start"), ("log p", 150, "end"), ("p", 204, "end")]
    columns += [("read again", 286, "end")] if memory else [("tokens", 256, "end")]
    columns += [("score", 306, "end")] if result.penalty else []
    parts, y = svg.paragraph(top, _list_title(result), weight="bold", width=BESIDE)
    y += 14
    for words, x, anchor in columns:
        parts.append(svg.text(svg.MARGIN + x, y, words, size=12, anchor=anchor, fill=svg.GREY))
    bottom = y + LINE * max(1, min(len(result.ranked), LIST_ROWS + 1))
    for rank, output in enumerate(result.found[:LIST_ROWS], start=1):
        y += LINE
        cells = [_written(output), _number(output.log_prob), _p(output.log_prob)]
        cells += [_p(output.true)] if memory else [str(len(output.tokens))]
        cells += [_number(output.score(result.penalty))] if result.penalty else []
        weight = "bold" if rank == 1 else "normal"
        parts.append(svg.text(svg.MARGIN + 14, y, f"{rank}.", anchor="end", weight=weight))
        for cell, (_, x, anchor) in zip(cells, columns, strict=True):
            parts.append(svg.text(svg.MARGIN + x, y, cell, anchor=anchor, weight=weight))
    more = len(result.found) - LIST_ROWS
    if more > 0 or not result.found:
        words = f"and {more} more" if more > 0 else "nothing yet"
        parts.append(svg.text(svg.MARGIN + 34, y + LINE, words, size=12, fill=svg.GREY))
    return parts, bottom


def _list_title(result: Result) -> str:
    score = f" / length^{result.penalty:g}" if result.penalty else ""
    return f"Found so far, by log p{score}"


def _truth(end: Result, top: float) -> tuple[list[str], float]:
    """The truth, when the search is done; and where it ends."""
    parts, y = [], top
    for row, words in enumerate(_truth_in_words(end)):
        weight = "bold" if row == 0 else "normal"
        lines, y = svg.paragraph(y, words, x=BESIDE, weight=weight)
        parts += lines
    return parts, y


# ---------------------------------------------------------------- in words


def headline(result: Result) -> str:
    """What happened, in one line."""
    if result.step == 0:
        return f"Step 0 of {STEPS}: nothing was written yet"
    if not result.done:
        level = result.whole.levels[result.step - 1]
        count = {fate: sum(node.fate == fate for node in level) for fate in FATES}
        return (
            f"Step {result.step} of {STEPS}: {len(level)} continuations, "
            f"{count['kept']} kept, {count['finished']} finished"
        )
    best = result.best
    found = f"{spelt(best.tokens)}: p = {_p(best.log_prob)}"
    if result.search == "everything":
        return f"All outputs: the most probable is {found}"
    who = "Greedy search writes" if result.width == 1 else f"{result.width} beams return"
    if result.search == "memory":
        who = f"{result.width} beams{'' if result.moved else ', rows not moved,'} return"
    if result.penalty:
        return f"{who} {found}, the best score for α = {result.penalty:g}"
    return f"{who} {found}"


def _verdict(result: Result) -> str:
    """What was found, against the best there is."""
    if not result.done:
        return "The search goes on: move the step, or press play."
    best, truth = result.best, result.truth
    if not math.isclose(best.log_prob, best.true, abs_tol=1e-9):
        return f"But read again, it has p = {_p(best.true)}."
    wrong = [o for o in result.ranked if not math.isclose(o.log_prob, o.true, abs_tol=1e-9)]
    if wrong:
        return (
            f"Its number is right. Those of {len(wrong)} others are not: read again, "
            f"{spelt(wrong[0].tokens)} has p = {_p(wrong[0].true)}."
        )
    if best.tokens == truth.tokens:
        return "It is the most probable output of all."
    words = f"The most probable of all is {spelt(truth.tokens)}, p = {_p(truth.log_prob)}"
    return f"{words}, {math.exp(truth.log_prob - best.log_prob):.1f} times as much."


def _truth_in_words(result: Result) -> list[str]:
    calls = sum(len(rows) for rows in ((0,), *result.whole.rows[: STEPS - 1]))
    truth = f"{spelt(result.truth.tokens)}, p = {_p(result.truth.log_prob)}."
    return [
        f"The truth, from all {result.ended} outputs that end:",
        f"most probable is {truth}",
        f"This search had the model read {calls} rows.",
    ]


def _setting(result: Result) -> str:
    """What is searched, and how."""
    rows = [
        f"{last} " + ", ".join(f"{s} {p:.2f}" for s, p in zip("abc•", probs, strict=True))
        for last, probs in _table()
    ]
    how = {
        "beam": f"Beam search, k = {result.width}, length penalty {result.penalty:g}",
        "everything": "All outputs",
        "memory": f"No letter is written twice. Beam search, k = {result.width}, rows of the state "
        f"{'moved with their outputs' if result.moved else 'not moved'}",
    }[result.search]
    return (
        f"Three letters and an end. Probabilities of the next one: {'; '.join(rows)}. {how}. "
        f"Step {result.step} of {STEPS}."
    )


def _steps_in_words(result: Result) -> list[str]:
    lines = []
    for step, level in enumerate(result.whole.levels[: result.step], start=1):
        words = []
        for fate in FATES:
            nodes = [node for node in level if node.fate == fate]
            some = ", ".join(f"{spelt(n.tokens)} {_p(n.log_prob)}" for n in nodes[:5])
            more = f" and {len(nodes) - 5} more" if len(nodes) > 5 else ""
            words += [f"{fate} {some}{more}"] if nodes else []
        lines.append(f"Step {step}: {'; '.join(words)}.")
    return lines


def _rows_in_words(result: Result) -> list[str]:
    if result.search != "memory":
        return []
    rows = [
        f"row {i}: {spelt(row.tokens)}, has read {_letters(row.memory)}"
        + (", another's memory" if row.strange else "")
        for i, row in enumerate(_rows_now(result)[1])
    ]
    step = _rows_now(result)[0]
    return [f"Rows of the state after step {step}: {'; '.join(rows)}."] if rows else []


def _found_in_words(result: Result) -> str:
    words = [f"{_written(o)}, p {_p(o.log_prob)}" for o in result.found[:LIST_ROWS]]
    return f"{_list_title(result)}: {'; '.join(words) or 'nothing yet'}."


def _written(output: Output) -> str:
    return spelt(output.tokens) + ("" if output.finished else " (cut)")


def _number(value: float) -> str:
    """Two digits after the point, with a real minus."""
    return f"{value:.2f}".replace("-", "−")


def _p(log_prob: float) -> str:
    return f"{math.exp(log_prob):.4f}" if log_prob > -math.inf else "0"
