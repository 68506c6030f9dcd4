"""Slides of a chapter, from the executed notebook that learners have: reveal.js, one file, offline.

A slide is a section's opening, a prediction with its answer behind one more press, a figure or an
explorer's picture, and at the end the summary, an exit question and the exercises. All of a section
stands below its opening: right goes on to the next section, down goes deeper. ``s`` shows notes:
what the notebook says around the slide.
"""

import base64
import html
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbconvert.filters import markdown2html

REVEAL = Path(__file__).with_name("reveal")
STYLE = """
:root{--r-main-font:"Segoe UI",Roboto,Helvetica,Arial,sans-serif}
.reveal{font:34px/1.35 var(--r-main-font);color:#222}
body{background:#fff}
.reveal .slides section{text-align:left;padding:0 1.2rem;box-sizing:border-box}
.reveal h1{font-size:1.9em;line-height:1.15}.reveal h2{font-size:1.35em}
.reveal h1,.reveal h2,.reveal h3{margin:.2em 0 .5em}
.reveal h3{font-size:1em;color:#0072b2}
.reveal p,.reveal ul,.reveal table{margin:.5em 0;font-size:.86em}
.reveal code{font-family:Consolas,Menlo,monospace;font-size:.92em;background:#f3f3f3}
.reveal pre{font-size:.6em;line-height:1.3;background:#f3f3f3;padding:.6em .8em;
white-space:pre-wrap}
.reveal pre code{background:none;padding:0}
.reveal img{display:block;margin:.3em auto;max-width:100%;max-height:var(--room);object-fit:contain}
.reveal table{border-collapse:collapse}.reveal td,.reveal th{padding:.15em .6em;
border-bottom:1px solid #bbb;text-align:left}.reveal a{color:#0072b2}
.reveal .answer{border-left:6px solid #0072b2;padding-left:.8em}
.anchor-link{display:none}
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{css}{style}</style></head>
<body><div class="reveal"><div class="slides">
{slides}
</div></div>
<script>{script}</script>
<script>Reveal.initialize({{width:1280,height:720,margin:.04,hash:true,center:false,
slideNumber:"c/t",transition:"none"}});</script>
</body></html>
"""
LONG = 620  # characters of text that a slide still holds
# What matplotlib sets in another way.
SET_AS = (
    (r"\\sqrt (\w)", r"\\sqrt{\1}"),
    (r"\\text\{", r"\\mathrm{"),
    (r"\\underbrace(\{(?:[^{}]|\{[^{}]*\})*\})_(\{(?:[^{}]|\{[^{}]*\})*\})", r"\\underset\2\1"),
)
LEFT_OUT = ("Further reading", "What this chapter asserts")


@dataclass(frozen=True)
class Slide:
    """What is seen, what the speaker sees, and ``said`` or ``shown`` for what joins others."""

    kind: str
    inner: str
    notes: str


def write_slides(root: Path, target: Path, stems: list[str]) -> list[Path]:
    """One file for each chapter, or for those named."""
    target.mkdir(parents=True, exist_ok=True)
    found = sorted((root / "chapters").glob("ch*.ipynb"))
    if unknown := set(stems) - {path.stem for path in found}:
        raise SystemExit(f"No such chapter: {', '.join(sorted(unknown))}.")
    written = []
    for path in found:
        if stems and path.stem not in stems:
            continue
        out = target / f"{path.stem}.html"
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        out.write_text(slides_of(cells, path.stem), encoding="utf-8")
        written.append(out)
    return written


def slides_of(cells: list[dict[str, Any]], stem: str) -> str:
    """The page for the cells of an executed chapter."""
    title = next(re.search(r"^# (.+)$", _text(c), re.MULTILINE)[1] for c in cells if _heads(c))
    sections: list[list[Slide]] = [[]]
    asked, skipped = "", False
    for cell in cells:
        text = _text(cell)
        if cell["cell_type"] == "markdown":
            for part in re.split(r"^(?=#{1,2} )", text, flags=re.MULTILINE):
                if heading := re.match(r"#{1,2} (.+)\n?", part):
                    skipped = heading[1].strip() in LEFT_OUT
                    if sections[-1]:
                        sections.append([])
                if part.strip() and not skipped:
                    sections[-1] += _of_markdown(part, bool(heading))
                    asked = _question(part)
        elif not skipped:
            sections[-1] += _of_outputs(cell, asked)
            asked = ""
    sections.append(_exercises(stem))
    slides = [_stack(section) for section in sections if section]
    return PAGE.format(
        title=html.escape(title),
        css=(REVEAL / "reveal.css").read_text(encoding="utf-8"),
        style=STYLE,
        slides="\n".join(slides),
        script=(REVEAL / "reveal.js").read_text(encoding="utf-8").replace("</script", "<\\/script"),
    )


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _heads(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "markdown" and bool(re.match(r"# ", _text(cell)))


def _of_markdown(part: str, opens: bool) -> list[Slide]:
    """The opening of a section, a subheading with its paragraph, a statement worth a slide."""
    paragraphs = [p for p in re.split(r"\n\s*\n", part.strip()) if p.strip()]
    asks = [p for p in paragraphs if "**Predict" in p]  # has a slide of its own
    paragraphs = [p for p in paragraphs if p not in asks[-1:]]
    if opens:
        return [_slide(_cut(paragraphs), notes=part)]
    if re.match(r"### ", part):
        return [_slide(_cut(paragraphs[:2]), notes=part)]
    kept = [p for p in paragraphs if re.match(r"(\*\*(Naive|Right|Wrong|Why|Law|So)|So )", p)]
    kept = [p for p in kept if "**Predict" not in p]
    return [_slide(_cut(kept), notes=part, kind="said")] if kept else []


def _question(part: str) -> str:
    """The prediction that a cell asks for, as markdown."""
    asked = [p for p in re.split(r"\n\s*\n", part) if "**Predict" in p]
    return asked[-1] if asked else ""


def _of_outputs(cell: dict[str, Any], asked: str) -> list[Slide]:
    """Figures, and what stands behind a prediction."""
    outputs = cell.get("outputs", [])
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    printed = "".join("".join(o["text"]) for o in outputs if o.get("name") == "stdout")
    shown = "".join(map(_picture, pictures))
    if asked and _asks_itself(outputs):  # the explorer's picture is the question
        return [_raw(f"<h3>Predict</h3>{_rendered(asked)}{shown}", _text(cell))]
    if asked:
        answer = shown or (f"<pre>{html.escape(printed[:900])}</pre>" if printed else "")
        if answer:
            question = f"<h3>Predict</h3>{_rendered(asked)}"
            return [_raw(f"{question}<div class='fragment answer'>{answer}</div>", _text(cell))]
    return [_raw(_picture(output), _text(cell), "shown") for output in pictures]


def _asks_itself(outputs: list[dict[str, Any]]) -> bool:
    """Whether this is an explorer whose stored picture has a question and hides the answer."""
    html = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    return any("Decide, then open this" in words for words in html)


def _picture(output: dict[str, Any]) -> str:
    """A figure, with the text alternative that the notebook has for it."""
    alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
    code = "".join(output["data"]["image/png"]).replace("\n", "")
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{code}">'


def _rendered(markdown: str) -> str:
    """HTML; formulas become pictures, so that no script has to be fetched."""
    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        formulas.append(_formula(found[1] or found[2], bool(found[1])))
        return f"FORMULA{len(formulas) - 1}X"

    text = re.sub(r"\$\$([\s\S]+?)\$\$|(?<![\w$`])\$([^$\n`]+)\$(?![\w`])", keep, markdown)
    return re.sub(r"FORMULA(\d+)X", lambda m: formulas[int(m[1])], markdown2html(text))


def _formula(tex: str, display: bool) -> str:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.mathtext import math_to_image

    tex = " ".join(tex.split())
    if rows := re.fullmatch(r"\\begin\{aligned\} ?(.*?) ?\\end\{aligned\}", tex):
        lines = rows[1].replace("&=", "=").replace("&", r"\quad").split(r"\\")
        return "".join(_formula(line, display) for line in lines)
    for written, set_as in SET_AS:
        tex = re.sub(written, set_as, tex)
    out = io.BytesIO()
    try:
        math_to_image(f"${tex}$", out, dpi=72, format="svg")
    except ValueError:  # more than matplotlib can set
        return f"<code>{html.escape(tex)}</code>"
    code = base64.b64encode(out.getvalue()).decode()
    style = (
        "height:1.9em" if display else "display:inline;height:1.05em;vertical-align:-.2em;margin:0"
    )
    alt = html.escape(tex, quote=True)
    return f'<img style="{style}" alt="{alt}" src="data:image/svg+xml;base64,{code}">'


def _exercises(stem: str) -> list[Slide]:
    """What to do next, with points and minutes."""
    from seq2seq_lib.course import exercises

    number = str(int(stem[2:4]))
    try:
        found = exercises(number)
    except ValueError:
        return []
    rows = "".join(
        f"<tr><td>{e.id}</td><td>{html.escape(e.title)}</td><td>{e.minutes} min</td>"
        f"<td>{e.points or 'in the chapter'}{' bonus' if e.manual else ''}</td></tr>"
        for e in found
    )
    head = "<tr><th></th><th>exercise</th><th>at most</th><th>points</th></tr>"
    size = f"style='font-size:{min(0.75, 7.5 / (len(found) + 1)):.2f}em'"
    return [_raw(f"<h2>Your turn</h2><table {size}>{head}{rows}</table>", "")]


def _cut(paragraphs: list[str]) -> str:
    """As many paragraphs and items of lists as a slide holds, one at least, below the heading."""
    kept, size = "", 0
    for paragraph in paragraphs:
        between = "\n\n"
        for piece in re.split(r"\n(?=(?:[-*]|\d+\.) )", paragraph):
            size += len(piece)
            if size > LONG and re.search(r"^[^#\s]", kept, re.MULTILINE):
                return kept
            kept, between = f"{kept}{between}{piece}", "\n"
    return kept


def _slide(markdown: str, notes: str, kind: str = "") -> Slide:
    return _raw(_rendered(markdown), notes, kind)


def _raw(inner: str, notes: str, kind: str = "") -> Slide:
    return Slide(kind, inner, notes)


def _joined(section: list[Slide]) -> list[Slide]:
    """A sentence stands with the next figure or sentence, or below the slide before it."""
    joined: list[Slide] = []
    for slide in section:
        last = joined[-1] if joined else None
        if last and _go_together(last, slide):
            inner = slide.inner
            if "fragment" in last.inner:  # it may give the answer away, so it comes after it
                inner = f"<div class='fragment'>{inner}</div>"
            both = last.inner + inner
            joined[-1] = Slide(slide.kind or last.kind, both, f"{last.notes}\n\n{slide.notes}")
        else:
            joined.append(slide)
    return joined


def _go_together(last: Slide, slide: Slide) -> bool:
    if len(_words(last)) < 60 and "<img" not in last.inner:  # no more than a heading
        return True
    if "fragment" in last.inner:
        return slide.kind == "said" and "<img" not in last.inner and len(_words(last)) < LONG / 2
    if slide.kind == "said" and len(_words(last)) < 5:  # a figure, and what it says
        return True
    short = len(_words(last)) + len(_words(slide)) < LONG * 0.7
    return short and slide.kind in ("said", "shown") and "data:image/png" not in last.inner


def _words(slide: Slide) -> str:
    return re.sub(r"<[^>]+>", "", slide.inner)


def _room(slide: Slide) -> int:
    """Pixels of height that the text leaves to a picture."""
    text, _, code = slide.inner.partition("<pre>")
    lines = len(re.sub(r"<[^>]+>", "", text)) / 70 + 1.3 * len(re.findall("<(?:p|h.)>", text))
    return max(180, int(660 - 42 * lines - 27 * code.partition("</pre>")[0].count("\n")))


def _stack(section: list[Slide]) -> str:
    pages = [
        f"<section style='--room:{_room(slide)}px'>{slide.inner}"
        f"<aside class='notes'><pre>{html.escape(slide.notes)}</pre></aside></section>"
        for slide in _joined(section)
    ]
    return pages[0] if len(pages) == 1 else f"<section>{''.join(pages)}</section>"
