"""The lesson plans in docs/teaching.md: from what chapters and exercises say of themselves."""

import json
import re
import tomllib
from pathlib import Path

from notebooks.paths import write_atomically

BEGIN, END = "<!-- plans:begin -->", "<!-- plans:end -->"
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def plans(root: Path) -> str:
    """A table of all chapters, then a plan of 90 minutes for each."""
    chapters = [_chapter(path) for path in sorted((root / "chapters").glob("ch*.ipynb"))]
    head = "| chapter | read | exercises | points | bonus, by hand | needs |\n" + "|---" * 6 + "|"
    rows = [
        f"| {c['title']} | {_minutes(c['read'])} | {_minutes(c['spend'])} | {c['points'] or '–'} "
        f"| {c['bonus'] or '–'} | {c['needs']} |"
        for c in chapters
    ]
    return "\n".join([head, *rows, _sum(chapters), "", *map(_plan, chapters)]).rstrip() + "\n"


def _sum(chapters: list[dict]) -> str:
    read, spend, points, bonus = (
        sum(chapter[what] for chapter in chapters) for what in ("read", "spend", "points", "bonus")
    )
    hours = f"{read / 60:.0f} h | {spend / 60:.0f} h"
    return f"| **all {len(chapters)}** | {hours} | {points} | {bonus} | |"


def write_plans(root: Path) -> None:
    """Put them into docs/teaching.md, if the course has that page."""
    page = root / "docs" / "teaching.md"
    if page.exists():
        write_atomically(page, with_plans(page.read_text("utf-8"), plans(root)))


def with_plans(text: str, made: str) -> str:
    """The page with its generated part replaced."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{made}{END}{rest.split(END)[1]}"


def _chapter(path: Path) -> dict:
    from seq2seq_lib.course import exercises

    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
    try:
        asked = exercises(str(int(path.stem[2:4])))
    except ValueError:
        asked = ()
    graded = [e for e in asked if e.points]
    can = re.search(r"\*\*After this.+?\*\*([\s\S]+?)\n\s*\n", text)
    read = re.search(r"\*\*Time\*\*:?\s+(?:about )?(\d+) minutes", text)
    said = re.search(r"ommon misconception\*\*:?\s+\"([^\"]+)\"", text)
    return {
        "title": re.search(r"^# (.+)$", text, re.MULTILINE)[1],
        "read": int(read[1]) if read else 0,
        "needs": _line(re.search(r"\*\*You need\*\*([\s\S]+?)(?:\*\*Time|\n\s*\n)", text)[1]),
        "can": _line(can[1]) if can else "",
        "sections": re.findall(r"^## (\d+\.\d+ .+)$", text, re.MULTILINE),
        "explorers": list(dict.fromkeys(re.findall(r"course\.explorers\.(\w+) import", code))),
        "predictions": text.count("**Predict"),
        "misconception": _line(said[1]) if said else "",
        "exercises": asked,
        "spend": sum(e.minutes for e in graded),
        "points": sum(e.points for e in graded if not e.manual),
        "bonus": sum(e.points for e in graded if e.manual),
        "questions": questions(path.stem),
    }


def questions(stem: str) -> list[dict[str, str]]:
    """What learners ask in a chapter, each with its answer and where that is shown."""
    import seq2seq_lib.course

    file = Path(seq2seq_lib.course.__file__).with_name(stem) / "questions.toml"
    return tomllib.loads(file.read_text("utf-8"))["questions"] if file.exists() else []


def _minutes(number: int) -> str:
    return f"{number} min" if number else "–"


def _line(text: str) -> str:
    text = re.sub(r"^- ", "", LINK.sub(r"\1", text), flags=re.MULTILINE)
    return " ".join(text.split()).replace("|", "/")


def _plan(chapter: dict) -> str:
    stubs = [e for e in chapter["exercises"] if not e.points]
    writing = [e for e in chapter["exercises"] if e.points and e.kind in "PFI"]
    clinic = [e for e in chapter["exercises"] if e.points and e.kind == "D"]
    together, minutes = [], 30
    for exercise in sorted(writing, key=lambda e: (-e.importance, e.difficulty)):
        if exercise.minutes <= minutes:
            together.append(exercise)
            minutes -= exercise.minutes
    explorers = " and ".join(f"`{name}`" for name in chapter["explorers"][:2])
    lines = [f"### {chapter['title']}", ""]
    if chapter["can"]:
        lines += [f"Afterwards learners can{' ' + chapter['can']}", ""]
    lines += [
        "| minutes | what |",
        "|---|---|",
        f"| 10 | **Predict.** The question on the first slide"
        f"{', in the explorer ' + explorers if explorers else ''}: everyone writes a guess down, "
        "then it is opened. |",
        f"| 20 | **Talk.** {_shown(chapter['sections'])}; of {chapter['predictions']} predictions "
        "in the chapter, vote on two. |",
        f"| 15 | **Explore.** In pairs{', ' + explorers if explorers else ''}: one sets it, the "
        f"other predicts.{f' Then, in the chapter: {_ids(stubs)}.' if stubs else ''} |",
        f"| 30 | **Exercise.** {_ids(together) if together else 'The chapter itself, cell by cell'}"
        f"{'; the rest at home' if len(together) < len(writing) else ''}. |",
        f"| 10 | **Clinic.** {_read_together(clinic)} |",
        f"| 5 | **Exit question.** {_exit(chapter['misconception'])} |",
    ]
    if chapter["questions"]:
        lines += ["", "What learners ask:", ""]
        lines += [
            f"- *{q['asks']}* {_line(q['answer'])} ({q['shown']})" for q in chapter["questions"]
        ]
    return "\n".join(lines) + "\n"


def _shown(sections: list[str]) -> str:
    return "Sections " + "; ".join(sections[:4]) if sections else "The chapter's slides"


def _ids(exercises: list) -> str:
    return ", ".join(f"{e.id} {e.title} ({e.minutes} min)" for e in exercises)


def _read_together(clinic: list) -> str:
    if clinic:
        return f"Read the patient of {clinic[0].id} together; no repair yet."
    return "What would a test look like that catches the chapter's mistake?"


def _exit(misconception: str) -> str:
    if not misconception:
        return "What would you test first in your own code?"
    return f"“{misconception}” What is wrong with that?"
