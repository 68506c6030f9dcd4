"""What the search tree looks like: the model, the tree step by step, what was found, the truth."""

import math
from collections.abc import Sequence
from dataclasses import replace

from seq2seq_lib.course.explorers.kit import svg
from seq2seq_lib.course.explorers.search_tree.compute import Result
from seq2seq_lib.course.explorers.search_tree.steps import (
    DRAWS,
    LETTERS,
    WIDE,
    Node,
    Prefix,
    Reshape,
    Source,
)
from seq2seq_lib.decoding import Hypothesis, length_penalty
from seq2seq_lib.vocab import BOS_ID, EOS_ID

RADIUS, TABLE_ROW, LIST_ROWS, MAX_ROWS = 9, 17, 7, 24
WIDE_PICTURE = 820  # pixels: a date has eleven steps, and its tree scrolls on a narrow page
LEAST = 0.005  # what was pruned with less than this is not drawn, and counted
LETTER = 6.2  # pixels of a letter of a node's label
BESIDE = 336  # pixels: where the truth stands, beside what was found
FATES = {  # by strategy, and in which words the legend says it
    "greedy": {"kept": "taken", "pruned": "not taken"},
    "beam": {"kept": "kept, stays open", "pruned": "pruned"},
    "sampling": {"kept": "drawn, goes on", "pruned": "never drawn"},
    "exhaustive": {"kept": "open, goes on"},
}


def draw(result: Result, *, veiled: bool = False) -> str:
    """The model, the tree of the steps so far, the outputs that ended; at the end the truth.

    Everything has its place from the first step on: nothing moves while the tree grows.
    """
    width = svg.WIDTH if result.source == LETTERS else WIDE_PICTURE
    end = result if result.done else replace(result, step=result.model.steps)
    parts, y = _model(result, width)
    top = y
    shown = []
    for words, last_words, size, weight in (
        (headline(result), headline(end), 16, "bold"),
        (_verdict(result), _verdict(end), 13, "normal"),
    ):
        look = {"size": size, "weight": weight, "width": width}
        lines, ends = svg.paragraph(y, words, **look)
        shown += lines
        y = max(ends, svg.paragraph(y, last_words, **look)[1])
    if result.search.refusal:
        lines, y = svg.paragraph(y + 8, result.search.refusal, width=width)
        shown += lines
    else:
        tree, y = _tree(result, y + 4, width)
        shown += tree
    shown += _found(result, y + 14)
    beside, bottom = _beside(end, y + 14, width)
    shown += beside if result.done else []
    bottom = max(bottom, y + 14 + _height_of_found(end)) + svg.MARGIN
    if veiled:
        parts += svg.veil(top + 8, bottom - top - 20, width)
        description = f"{_setting(result)} The search is hidden until you predict."
        return svg.picture(width, bottom, "Predict first", description, parts)
    description = " ".join(
        [
            f"{_setting(result)} {headline(result)}. {_verdict(result)}",
            *_steps_in_words(result),
            _found_in_words(result),
            *(_truth(result) + _costs(result) if result.done else []),
        ]
    )
    return svg.picture(width, bottom, headline(result), description, [*parts, *shown])


# ---------------------------------------------------------------- above the tree


def _model(result: Result, width: float) -> tuple[list[str], float]:
    """The table of the four letters, or the date and who reads it; the legend; where it ends."""
    legend, y = _legend(result)
    if result.source != LETTERS:
        words = f"date to read: {result.source}"
        parts = [svg.text(svg.MARGIN, 24, words, size=15, weight="bold")]
        parts.append(svg.text(svg.MARGIN, 44, "by a small trained model", fill=svg.GREY))
    else:
        left, step = 118, 44
        parts = [svg.text(svg.MARGIN, 20, "p(next token)", size=12, fill=svg.GREY)]
        for column, symbol in enumerate("abc•"):
            x = left + step * column
            parts.append(svg.text(x, 20, symbol, size=13, weight="bold", anchor="middle"))
        for row, (last, probs) in enumerate(_table(result.model), start=1):
            y = 20 + TABLE_ROW * row
            parts.append(svg.text(svg.MARGIN, y, last))
            for column, prob in enumerate(probs):
                x = left + step * column
                parts.append(svg.text(x, y, f"{prob:.2f}", anchor="middle"))
    note = "" if result.search.refusal else _labels_in_words(result)
    lines, y = svg.paragraph(y + 4, note, size=12, fill=svg.GREY, width=width)
    return [*parts, *legend, *lines], y + 4


def _table(source: Source) -> list[tuple[str, list[float]]]:
    """What follows what: the model's own numbers."""
    order = [*range(EOS_ID + 2, EOS_ID + 5), EOS_ID]  # a, b, c, the end
    rows = source.model.log_probs.exp().tolist()
    names = {BOS_ID: "at the start"} | {token: f"after {source.symbols[token]}" for token in order}
    return [(names[last], [rows[last][t] for t in order]) for last in (BOS_ID, *order[:-1])]


def _legend(result: Result) -> tuple[list[str], float]:
    """Each shape with its word, and where that ends."""
    words = {**FATES[result.strategy], "finished": "finished: ends with •"}
    words["cut"] = f"cut off at {result.model.steps} tokens"
    if result.search.refusal:
        return [], 44.0
    if result.source == LETTERS:
        places = [(330, 16 + 22 * i) for i in range(4)]
    else:
        places = [(430 + 190 * (i % 2), 20 + 22 * (i // 2)) for i in range(4)]
    parts = []
    for (fate, meaning), (x, y) in zip(words.items(), places, strict=False):
        parts += _shape(x + RADIUS, y, "a" if fate != "finished" else "•", fate, False, "legend")
        parts.append(svg.text(x + 26, y + 4, meaning, size=12))
    return parts, places[-1][1] + 8.0


def _labels_in_words(result: Result) -> str:
    """What the numbers at a node are, and what a thick line is."""
    path = "Thick: the way to the best output so far."
    letters = result.source == LETTERS
    if result.strategy != "sampling":
        share = "p of its token, log p of the whole" if letters else "p of its token in %"
    elif not letters:
        share = f"how many of the {DRAWS} draws came here"
    else:
        reshaped = result.reshape != Reshape()
        share = "p by the model → p of a draw" if reshaped else "p"
        share += f", ×n of {DRAWS} draws"
    return f"At a node: {share}. {path}"


# ---------------------------------------------------------------- the tree


def _tree(result: Result, top: float, width: float) -> tuple[list[str], float]:
    """Columns of nodes, one a step, with lines from parent to child; and where the tree ends.

    Places come from the whole tree, so that nothing moves from step to step.
    """
    shown = [_shown(level) for level in result.search.levels]
    rows = max(map(len, shown))
    spacing = 22.0 if rows <= 14 else 18.0 if rows <= MAX_ROWS else 16.0
    radius = min(RADIUS, spacing / 2 - 0.6)
    longest = max(len(_label(result, node)) for level in shown for node in level)
    left, right = 46.0, radius + 10 + LETTER * longest  # right of a node: its label
    column = (width - left) / result.model.steps
    height = max(rows * spacing, 60.0)
    middle = top + 22 + height / 2
    parts = _columns(result, top, height, left, column)
    parts.append(svg.rect(4, middle - 10, 34, 20, fill=svg.PAPER, stroke=svg.INK))
    parts.append(svg.text(21, middle + 4, "start", size=12, anchor="middle"))
    places: dict[Prefix, tuple[float, float]] = {(): (38.0, middle)}  # where lines begin
    best = tuple(result.found[0].tokens) if result.found else ()
    lines, nodes, hidden = [], [], []
    for step, (level, some) in enumerate(zip(result.levels, shown, strict=False), start=1):
        x = left + column * step - right
        gap = min(height / len(some), 30.0)
        y = middle - gap * (len(some) - 1) / 2
        for node in some:
            on_path = node.tokens == best[:step]
            lines.append(_edge(places[node.tokens[:-1]], (x - radius, y), node, on_path))
            symbol, label = result.model.text(node.tokens[-1:]), _label(result, node)
            tip = _tip(result, node)
            nodes += _shape(x, y, symbol, node.fate, on_path, "node", radius, tip)
            nodes.append(
                svg.text(
                    x + radius + 4,
                    y + 4,
                    label,
                    size=12,
                    weight="bold" if on_path else "normal",
                    fill=svg.GREY if node.fate == "pruned" else svg.INK,
                )
            )
            places[node.tokens] = (x + radius + 7 + LETTER * len(label), y)
            y += gap
        if more := [node for node in level if node not in some]:
            hidden += more
            x += right / 2 - radius
            words = f"+{len(more)}"
            nodes.append(
                svg.text(x, top + height + 36, words, size=12, anchor="middle", fill=svg.GREY)
            )
    bottom = top + height + 42
    if any(len(level) > len(some) for level, some in zip(result.search.levels, shown, strict=True)):
        bottom += 18
    if hidden:
        fate = "cut off" if hidden[0].fate == "cut" else FATES[result.strategy]["pruned"]
        words = f"+n: n more continuations ({fate}) are left out of the picture"
        parts.append(
            svg.text(width - svg.MARGIN, bottom - 4, words, size=12, anchor="end", fill=svg.GREY)
        )
    return [*parts, *lines, *nodes], bottom


def _columns(result: Result, top: float, height: float, left: float, column: float) -> list[str]:
    """The numbers of the steps, and a band behind the one under way."""
    parts = []
    for step in range(1, result.model.steps + 1):
        x, now = left + column * (step - 1), step == result.step
        if now:
            band = (x + 2, top + 2, column - 4, height + 38)
            parts.append(svg.rect(*band, fill=svg.BLUE, opacity=0.08, kind="now"))
        parts.append(
            svg.text(
                x + column / 2,
                top + 15,
                f"step {step}" if result.source == LETTERS or now else str(step),
                size=12,
                weight="bold" if now else "normal",
                anchor="middle",
                fill=svg.INK if now else svg.GREY,
            )
        )
    return parts


def _shown(level: Sequence[Node]) -> list[Node]:
    """A step's nodes, without the least interesting ones where there are too many."""
    alive = [node for node in level if node.fate != "pruned"]
    if len(alive) > 2 * MAX_ROWS:  # exhaustive search: the outputs that end are enough
        return [node for node in alive if node.fate != "cut"]
    some = [node for node in level if node.fate != "pruned" or node.prob >= LEAST]
    if len(some) <= MAX_ROWS:
        return some
    first: dict[Prefix, Node] = {}  # of each parent, the most probable one that was pruned
    for node in some:
        if node.fate == "pruned":
            first.setdefault(node.tokens[:-1], node)
    if len(alive) + len(first) > MAX_ROWS:
        return alive
    kept = {node.tokens for node in (*alive, *first.values())}
    return [node for node in some if node.tokens in kept]


def _edge(start: tuple[float, float], end: tuple[float, float], node: Node, on_path: bool) -> str:
    if node.fate == "pruned":
        return svg.line([start, end], stroke=svg.GREY, width=0.7, dash="2 3")
    ink, width = (svg.BLUE, 3) if on_path else (svg.INK, 1)
    return svg.line([start, end], stroke=ink, width=width)


def _shape(
    x: float,
    y: float,
    symbol: str,
    fate: str,
    bold: bool,
    kind: str,
    radius: float = RADIUS,
    tip: str | None = None,
) -> list[str]:
    """Kept: a circle. Pruned: dashed and grey. Finished: a double square. Cut: a dashed square."""
    r, ink = radius, svg.GREY if fate == "pruned" else svg.INK
    named = {"kind": f"{kind} {fate}", "tip": tip}
    if fate == "kept":
        parts = [svg.dot(x, y, r, opacity=0.25, stroke=ink, **named)]
    elif fate == "pruned":
        parts = [svg.dot(x, y, r, fill=svg.PAPER, stroke=ink, dash="2 2", **named)]
    else:
        box = (x - r, y - r, 2 * r, 2 * r)
        inner = (x - r + 2.5, y - r + 2.5, 2 * r - 5, 2 * r - 5)
        if fate == "finished":
            parts = [svg.rect(*box, fill=svg.BLUE, opacity=svg.SHADE, stroke=ink, **named)]
            parts.append(svg.rect(*inner, stroke=ink))
        else:
            parts = [svg.rect(*box, fill=svg.PAPER, stroke=ink, dash="4 2", **named)]
    size, weight = max(svg.SMALL, 1.5 * r), "bold" if bold else "normal"
    return [
        *parts,
        svg.text(x, y + 4, symbol, size=size, anchor="middle", weight=weight, fill=ink),
    ]


def _label(result: Result, node: Node) -> str:
    """The numbers at a node; ``_labels_in_words`` says what they are."""
    if result.source != LETTERS:
        return f"×{node.draws}" if result.strategy == "sampling" else percent(node.prob)
    if result.strategy != "sampling":
        return f"{node.prob:.2f} {number(node.log_prob)}"
    times = f" ×{node.draws}" if node.draws else ""
    if result.reshape == Reshape():
        return f"{node.prob:.2f}{times}"
    return f"{node.prob:.2f}→{node.share:.2f}{times}"


def _tip(result: Result, node: Node) -> str:
    fate = FATES[result.strategy].get(node.fate, node.fate)
    words = f"{result.model.text(node.tokens)}: p {node.prob:.3f}, "
    if result.strategy == "sampling":
        words += f"p of a draw {node.share:.3f}, {node.draws} of {DRAWS} draws, "
    return f"{words}log p of the whole {number(node.log_prob)}, {fate}"


# ---------------------------------------------------------------- below the tree


def _found(result: Result, top: float) -> list[str]:
    """What ended so far, ranked."""
    sampling = result.strategy == "sampling"
    columns = [("output", 34, "start"), ("log p", 192, "end"), ("length", 244, "end")]
    columns.append(("draws", 300, "end") if sampling else ("score", 300, "end"))
    parts, y = svg.paragraph(top, _list_title(result), weight="bold", width=BESIDE)
    y += 14
    for words, x, anchor in columns:
        parts.append(svg.text(svg.MARGIN + x, y, words, size=12, anchor=anchor, fill=svg.GREY))
    for rank, (output, score) in enumerate(zip(result.found, result.scores, strict=True), start=1):
        if rank > LIST_ROWS:
            break
        y += 18
        text = result.model.text(output.tokens) + ("" if output.finished else " (cut)")
        last = str(result.search.draws[tuple(output.tokens)]) if sampling else number(score)
        cells = [text, number(output.log_prob), str(len(output.tokens)), last]
        weight = "bold" if rank == 1 else "normal"
        parts.append(svg.text(svg.MARGIN + 14, y, f"{rank}.", anchor="end", weight=weight))
        for cell, (_, x, anchor) in zip(cells, columns, strict=True):
            parts.append(svg.text(svg.MARGIN + x, y, cell, anchor=anchor, weight=weight))
    if not result.found:
        parts.append(svg.text(svg.MARGIN + 34, y + 18, "nothing yet"))
    if len(result.found) > LIST_ROWS:
        more = f"and {len(result.found) - LIST_ROWS} more"
        parts.append(svg.text(svg.MARGIN + 34, y + 18, more, size=12, fill=svg.GREY))
    return parts


def _height_of_found(end: Result) -> float:
    """The height of the list when all is found."""
    title = svg.paragraph(0, _list_title(end), weight="bold", width=BESIDE)[1]
    return title + 18 + 18 * max(1, min(len(end.found), LIST_ROWS + 1))


def _list_title(result: Result) -> str:
    if result.strategy == "sampling":
        return "Drawn so far, by log p"
    if result.penalty:
        return f"Found so far, by score = log p / length^{result.penalty:g}"
    return "Found so far, by score = log p"


def _beside(end: Result, top: float, width: float) -> tuple[list[str], float]:
    """The truth and the costs, when the search is done; and where they end."""
    parts, y = [], top
    for row, line in enumerate(_truth(end) + _costs(end)):
        weight = "bold" if row == 0 else "normal"
        lines, y = svg.paragraph(y, line, x=BESIDE, width=width, weight=weight)
        parts += lines
    return parts, y


def _truth(result: Result) -> list[str]:
    truth, text = result.truth, result.model.text
    best = truth.probable
    lines = [
        f"The truth, from all {truth.ended} outputs that end:",
        f"Most probable: {text(best.tokens)}, log p {number(best.log_prob)}, p {_p(best)}.",
    ]
    if not truth.exact:
        lines = [
            f"The truth is out of reach: {truth.ended:,} outputs.",
            f"Instead, the best that {WIDE} beams find (there may be a better one):",
            f"{text(best.tokens)}, log p {number(best.log_prob)}, p {_p(best)}.",
        ]
    if result.penalty:
        scored = text(truth.scored.tokens)
        score = number(
            truth.scored.log_prob / length_penalty(len(truth.scored.tokens), result.penalty)
        )
        lines.append(f"Best score, α = {result.penalty:g}: {scored}, {score}.")
    return lines


def _costs(result: Result) -> list[str]:
    if result.search.refusal:
        return []
    whole = sum(result.search.costs)
    lines = [f"Next-token distributions asked for: {result.cost} of {whole}."]
    if result.search.cost_of_best < whole:
        lines.append(
            f"beam_search itself stops after {result.search.cost_of_best}: nothing open can win."
        )
    return lines


# ---------------------------------------------------------------- in words


def headline(result: Result) -> str:
    """What happened, in one line."""
    search, text = result.search, result.model.text
    if search.refusal:
        return "Exhaustive search refuses: there are too many outputs"
    if not result.done:
        if result.step == 0:
            return f"Step 0 of {result.model.steps}: nothing was written yet"
        level = result.levels[-1] if result.step <= len(search.levels) else ()
        count = {fate: sum(n.fate == fate for n in level) for fate in ("kept", "finished")}
        kept = FATES[result.strategy]["kept"].split(",")[0]
        return (
            f"Step {result.step} of {result.model.steps}: {len(level)} continuations, "
            f"{count['kept']} {kept}, {count['finished']} finished"
        )
    best = search.best
    p = f"p = {_p(best)}"
    if result.strategy == "greedy":
        return f"Greedy search writes {text(best.tokens)}: {p}"
    if result.strategy == "sampling":
        reference = result.truth.probable
        times = search.draws.get(tuple(reference.tokens), 0)
        return (
            f"{DRAWS} draws: {text(reference.tokens)} came {_times(times)}, "
            f"expected {DRAWS * result.chance:.1f}"
        )
    who = f"{result.width} beam{'s' * (result.width > 1)}"
    if result.strategy == "exhaustive":
        who = "Exhaustive search"
    verb = "finds" if who[0] == "E" or result.width == 1 else "find"
    if result.penalty:
        return f"{who}, α = {result.penalty:g}: {text(best.tokens)} has the best score, {p}"
    return f"{who} {verb} {text(best.tokens)}: {p}"


def _verdict(result: Result) -> str:
    """What was found, against the best there is."""
    truth, text = result.truth, result.model.text
    name = "the most probable output" if truth.exact else f"the best of {WIDE} beams"
    probable = truth.probable
    if result.search.refusal:
        return "There is no tree to draw. Choose another search, or the four letters."
    if not result.done:
        return "The search goes on: move the step, or press play."
    if result.strategy == "sampling":
        drawn = f"p = {result.chance:.4f} in a draw with these settings"
        plain = f"{result.plain_chance:.4f} without temperature and filters"
        return f"{text(probable.tokens)} is {name}: {drawn}, {plain}."
    best = result.search.best
    if best.tokens == probable.tokens:
        return f"It is {name}."
    words = f"It is not {name}: that is {text(probable.tokens)}, p = {_p(probable)}"
    if best.tokens == truth.scored.tokens and result.penalty:
        return f"{words}. But it has the best score."
    ratio = math.exp(probable.log_prob - best.log_prob)
    lengths = f", {len(probable.tokens)} tokens instead of {len(best.tokens)}"
    same = len(probable.tokens) == len(best.tokens)
    return f"{words}, {ratio:.1f} times as much{'' if same else lengths}."


def _setting(result: Result) -> str:
    """What is searched, and how."""
    if result.source == LETTERS:
        rows = [
            f"{last} " + ", ".join(f"{s} {p:.2f}" for s, p in zip("abc•", probs, strict=True))
            for last, probs in _table(result.model)
        ]
        what = f"Four letters. Probabilities of the next one: {'; '.join(rows)}."
    else:
        what = f"A trained model reads the date {result.source}."
    how = {
        "greedy": "Greedy search",
        "beam": f"Beam search, width {result.width}, length penalty {result.penalty:g}",
        "sampling": f"{DRAWS} samples, temperature {result.reshape.temperature:g}, "
        f"top-k {result.reshape.top_k or 'off'}, "
        f"top-p {'off' if result.reshape.top_p == 1 else format(result.reshape.top_p, 'g')}",
        "exhaustive": f"Exhaustive search, length penalty {result.penalty:g}",
    }[result.strategy]
    return f"{what} {how}. Step {result.step} of {result.model.steps}."


def _steps_in_words(result: Result) -> list[str]:
    lines = []
    for step, level in enumerate(result.levels, start=1):
        words = []
        for fate in ("kept", "finished", "cut"):
            nodes = [node for node in level if node.fate == fate]
            if nodes:
                meaning = FATES[result.strategy].get(fate, fate).split(",")[0].split(":")[0]
                some = ", ".join(result.model.text(node.tokens) for node in nodes[:5])
                more = f" and {len(nodes) - 5} more" if len(nodes) > 5 else ""
                words.append(f"{meaning} {some}{more}")
        pruned = sum(node.fate == "pruned" for node in level)
        words += [f"{pruned} {FATES[result.strategy]['pruned']}"] if pruned else []
        lines.append(f"Step {step}: {'; '.join(words)}.")
    return lines


def _found_in_words(result: Result) -> str:
    words = [
        f"{result.model.text(output.tokens)}, log p {number(output.log_prob)}, length "
        f"{len(output.tokens)}, score {number(score)}"
        for output, score in list(zip(result.found, result.scores, strict=True))[:LIST_ROWS]
    ]
    return f"{_list_title(result)}: {'; '.join(words) or 'nothing yet'}."


def number(value: float) -> str:
    """Two digits after the point, with a real minus."""
    return f"{value:.2f}".replace("-", "−")


def percent(prob: float) -> str:
    """A probability in whole percent; what would round to 0 or 100 says on which side it is."""
    whole = round(100 * prob)
    return "<1" if whole == 0 else ">99" if whole == 100 and prob < 1 else str(whole)


def _p(output: Hypothesis) -> str:
    return f"{math.exp(output.log_prob):.4f}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
