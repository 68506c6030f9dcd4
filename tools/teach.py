"""Run a class: python tools/teach.py collect | grade | feedback | table | release | slides ...

docs/teaching.md is the page to read. Submissions, grades and feedback are in .nbgrader/, or in the
folder that NBGRADER_WORK names.

collect CHAPTER FOLDER|ZIP   put what an LMS gives where it is graded
grade CHAPTER                mend, run and grade what was handed in; again only what changed
feedback CHAPTER             a page for each learner, in feedback/
table                        grades.csv, in the work folder
release FOLDER               a folder for learners: no solutions in plain sight
slides [CHAPTER]             reveal.js slides in build/slides/
plans                        write the lesson plans in docs/teaching.md anew
"""

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

from notebooks.paths import ROOT


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    collect = commands.add_parser("collect")
    collect.add_argument("chapter")
    collect.add_argument("source", type=Path)
    collect.add_argument("--names", default="", help="regular expression with a group student")
    grade = commands.add_parser("grade")
    grade.add_argument("chapter")
    grade.add_argument("--student", action="append", help="only this one; may be repeated")
    grade.add_argument("--jobs", type=int, help="at a time; default: the number of cores")
    grade.add_argument("--force", action="store_true", help="also what has not changed")
    feedback = commands.add_parser("feedback")
    feedback.add_argument("chapter")
    table = commands.add_parser("table")
    table.add_argument("--roster", type=Path, help="a file with a learner's name a line")
    release = commands.add_parser("release")
    release.add_argument("folder", type=Path)
    release.add_argument("--key", default="", help="opens solutions; else nothing does")
    release.add_argument("--date", default="", help="YYYY-MM-DD from which solutions are open")
    release.add_argument("--force", action="store_true", help="replace the folder")
    slides = commands.add_parser("slides")
    slides.add_argument("chapters", nargs="*")
    slides.add_argument("--to", type=Path, default=ROOT / "build" / "slides")
    commands.add_parser("plans")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("SEQ2SEQ_DEVICE", "cpu")
    return globals()[f"_{options.command}"](options)


def work() -> Path:
    return Path(os.environ.get("NBGRADER_WORK", ROOT / ".nbgrader")).resolve()


def _course():
    from classroom.grade import Course

    return Course(ROOT, work())


def _collect(options: argparse.Namespace) -> int:
    from classroom.collect import collect

    chapters = sorted(p.parent.name for p in (ROOT / "exercises").glob("ch*/ch*.ipynb"))
    if options.chapter not in chapters:
        raise SystemExit(f"There is no chapter {options.chapter}; there is {', '.join(chapters)}.")
    zipped = options.source.suffix.lower() == ".zip" and options.source.is_file()
    if not (zipped or options.source.is_dir()):
        raise SystemExit(f"{options.source} is no folder and no zip.")
    found = collect(options.source, work() / "submitted", options.chapter, options.names)
    lost = found.pop("", 0)
    print(f"{options.chapter}: {len(found)} learners, {sum(found.values())} files")
    if lost:
        print(f"{lost} files have no name in which a learner was found: give --names REGEX")
    return 1 if lost else 0


def _grade(options: argparse.Namespace) -> int:
    from classroom.grade import grade

    began = time.monotonic()
    done = grade(_course(), options.chapter, options.student, options.jobs, force=options.force)
    failed = [submission for submission in done if submission.failed]
    print(f"{len(done) - len(failed)} graded in {(time.monotonic() - began) / 60:.1f} minutes")
    for submission in failed:
        print(f"COULD NOT BE GRADED: {submission.student}: {submission.failed}")
    return 0


def _feedback(options: argparse.Namespace) -> int:
    from classroom.grade import nbgrader, read_notes

    nbgrader(_course(), "generate_feedback", options.chapter)
    for student, note in read_notes(_course(), options.chapter).items():
        if note.get("failed"):  # a page that is there is that of an older try
            shutil.rmtree(work() / "feedback" / student / options.chapter, ignore_errors=True)
            print(f"No page for {student}: {note['failed']}")
    print(f"{work() / 'feedback'}/STUDENT/{options.chapter}/{options.chapter}.html")
    return 0


def _table(options: argparse.Namespace) -> int:
    from classroom.handback import notes_in, rows, write_table
    from nbgrader.api import Gradebook

    lines = options.roster.read_text("utf-8-sig").splitlines() if options.roster else []
    roster = [line.strip() for line in lines if line.strip()]
    with Gradebook(_course().db_url) as gradebook:
        found = rows(
            gradebook, notes_in(work() / "notes"), [n.strip() for n in roster if n.strip()]
        )
    write_table(found, work() / "grades.csv")
    print(f"{work() / 'grades.csv'}: {len(found)} lines")
    return 0


def _release(options: argparse.Namespace) -> int:
    from classroom.edition import make_edition

    make_edition(ROOT, options.folder, options.key, options.date, options.force)
    return 0


def _slides(options: argparse.Namespace) -> int:
    from classroom.slides import write_slides

    for path in write_slides(ROOT, options.to, options.chapters):
        print(path)
    return 0


def _plans(options: argparse.Namespace) -> int:
    from classroom.plans import write_plans

    write_plans(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
