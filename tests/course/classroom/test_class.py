"""A class is graded from start to end: each member has the points that are deserved.

By default a few members of one chapter hand in. SEQ2SEQ_CLASS=all sends all of them, in the
chapters that SEQ2SEQ_CLASS_CHAPTERS names (comma-separated stems), or in one.
"""

import os
import warnings
from pathlib import Path

import nbformat
import pytest

warnings.simplefilter("ignore")  # nbgrader's dependencies warn as they are imported
from classroom import grade as grading  # noqa: E402
from classroom import handback  # noqa: E402
from classroom.isolation import Limits  # noqa: E402

from tests.course.classroom.members import MEMBERS, Chapter  # noqa: E402
from tests.support.grading import ROOT, cell_of, full_marks, scores  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

FEW = (
    "right",
    "metadata_stripped",
    "half_a_file",
    "steps_are_replaced",
    "wrapped",
)
EVERYBODY = os.environ.get("SEQ2SEQ_CLASS") == "all"
STEMS = os.environ.get("SEQ2SEQ_CLASS_CHAPTERS", "ch04_padding_masks").split(",")
NAMES = tuple(MEMBERS) if EVERYBODY else FEW


def hand_in(work: Path, chapter: Chapter, name: str) -> None:
    one, folder = MEMBERS[name], work / "submitted" / name / chapter.stem
    folder.mkdir(parents=True)
    book = chapter.book(one.solved)
    made = one.make(chapter, book, folder)
    for cell in book.cells:
        cell.source = cell.source.replace("GRADEBOOK", repr(str(work / "gradebook.db")))
    if made is None and list(folder.iterdir()) and one.failed + name in (
        f"{one.failed}{name}" if one.failed else "", "in_a_zip", "old_format",
    ):  # fmt: skip
        return  # it wrote its file itself
    nbformat.write(book, folder / (made or f"{chapter.stem}.ipynb"))


@pytest.fixture(scope="module", params=STEMS)
def graded_class(request, tmp_path_factory):
    chapter = Chapter(request.param)
    work = tmp_path_factory.mktemp(chapter.stem)
    course = grading.Course(ROOT, work)
    for name in NAMES:
        hand_in(work, chapter, name)
    limits = Limits(cell_seconds=8, check_seconds=float(os.environ.get("SECONDS_A_CHECK", 12)))
    done = grading.grade(course, chapter.stem, limits=limits)
    return chapter, course, {submission.student: submission for submission in done}


def deserved(chapter: Chapter, earns: str) -> dict[str, float]:
    marks = full_marks(chapter.stem)
    if earns == "none":
        return dict.fromkeys(marks, 0)
    if earns == "all but one":
        return marks | {cell_of(chapter.functions[0].id): 0}
    return marks


@pytest.mark.parametrize("name", NAMES)
def test_everybody_has_the_points_that_are_deserved(graded_class, name):
    chapter, course, done = graded_class
    one = MEMBERS[name]
    if one.failed:
        assert one.failed in done[name].failed
        return
    assert not done[name].failed
    found = scores(course.gradebook, chapter.stem)[name]
    automatic = {cell: found[cell] for cell in full_marks(chapter.stem)}
    assert automatic == deserved(chapter, one.earns), done[name].look
    assert one.look in " ".join(done[name].look)


def test_the_table_tells_apart_what_has_no_points(graded_class):
    chapter, course, _ = graded_class
    from nbgrader.api import Gradebook

    with Gradebook(course.db_url) as gradebook:
        notes = handback.notes_in(course.work / "notes")
        rows = {row.student: row for row in handback.rows(gradebook, notes, ["nobody"])}
    assert rows["nobody"].state == handback.NOTHING and rows["nobody"].percent == ""
    assert rows["half_a_file"].state == handback.FAILED and rows["half_a_file"].points is None
    assert rows["right"].percent == "100.0" and rows["right"].state == handback.WAITS
    assert rows["right"].bonus is None
    target = course.work / "grades.csv"
    handback.write_table(list(rows.values()), target)
    assert "half_a_file,ch04" in target.read_text("utf-8") or STEMS[0][:4] != "ch04"


def test_graded_again_is_only_what_changed(graded_class):
    chapter, course, _ = graded_class
    said = []
    grading.grade(course, chapter.stem, ["right"], say=said.append)
    assert said[0].endswith("0 to grade, 1 as before")
