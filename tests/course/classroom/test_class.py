"""A class is graded from start to end: each member has the points that are deserved.

In each chapter four hand in what any chapter must judge: all right, untouched, and two that are
wrong at every other exercise. Beside them sits who has an accident and who tries a trick, others in
each chapter. With SEQ2SEQ_CLASS=all each accident and each trick has a place somewhere, and with
SEQ2SEQ_CLASS=everywhere in each chapter; SEQ2SEQ_CLASS_CHAPTERS names some (stems, with commas).
SEQ2SEQ_CLASS_SECONDS gives a busy machine more time.
"""

import asyncio
import functools
import os
import warnings
from pathlib import Path

import nbformat
import pytest

warnings.simplefilter("ignore")  # nbgrader's dependencies warn as they are imported
from classroom import grade as grading  # noqa: E402
from classroom import handback  # noqa: E402
from classroom.isolation import Limits  # noqa: E402
from classroom.mend import id_of  # noqa: E402

from seq2seq_lib.course import exercises  # noqa: E402
from tests.course.classroom.members import ACCIDENTS, CORE, MEMBERS, Chapter  # noqa: E402
from tests.support.grading import ROOT, cell_of, full_marks, scores  # noqa: E402

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]

STEMS = sorted(path.parent.name for path in ROOT.glob("exercises/*/ch*.ipynb"))
WANTED = os.environ.get("SEQ2SEQ_CLASS_CHAPTERS", ",".join(STEMS)).split(",")
SECONDS = float(os.environ.get("SEQ2SEQ_CLASS_SECONDS", 15))  # for a check, or a cell
TRICKS = tuple(name for name in MEMBERS if name not in {*CORE, *ACCIDENTS})


def members_of(stem: str, which: str = os.environ.get("SEQ2SEQ_CLASS", "")) -> tuple[str, ...]:
    """Who hands in this chapter."""
    if which == "everywhere":
        return tuple(MEMBERS)
    place = STEMS.index(stem)
    drawn = [*ACCIDENTS[place :: len(STEMS)], *TRICKS[place :: len(STEMS)]]
    if which != "all":  # one of each
        accidents, tricks = (dealt[place :: len(STEMS)] for dealt in (ACCIDENTS, TRICKS))
        drawn = [accidents[place % len(accidents)], tricks[place % len(tricks)]]
    return (*CORE, *drawn)


EVERYBODY = [(stem, name) for stem in WANTED for name in members_of(stem)]


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


@pytest.fixture(scope="module")
def class_of(tmp_path_factory):
    """A chapter, its course and what was graded, by stem: once each, all in one gradebook."""
    work = tmp_path_factory.mktemp("class")
    course, limits = grading.Course(ROOT, work), Limits(cell_seconds=SECONDS, check_seconds=SECONDS)

    @functools.cache
    def graded(stem):
        for name in members_of(stem):
            hand_in(work, Chapter(stem), name)
        done = grading.grade(course, stem, limits=limits)
        return Chapter(stem), course, {submission.student: submission for submission in done}

    return graded


@pytest.mark.parametrize(("stem", "name"), EVERYBODY)
def test_everybody_has_the_points_that_are_deserved(stem, name, class_of):
    chapter, course, done = class_of(stem)
    one = MEMBERS[name]
    if one.failed:
        assert one.failed in done[name].failed
        return
    assert not done[name].failed
    found = scores(course.gradebook, stem)[name]
    automatic = {cell: found[cell] for cell in full_marks(stem)}
    assert automatic == chapter.deserved(one.earns), done[name].look
    assert one.look in " ".join(done[name].look)


@pytest.mark.parametrize("stem", WANTED)
def test_who_is_wrong_is_told_of_the_mistake(stem, class_of):
    chapter, _, done = class_of(stem)
    for name in ("wrong_at_odd_places", "wrong_at_even_places"):
        ran = [cell for cell in done[name].nb.cells if cell.get("outputs")]
        said = {id_of(cell): cell.outputs[0].get("evalue", "") for cell in ran}
        for exercise in chapter.asked:
            if chapter.deserved(MEMBERS[name].earns)[cell_of(exercise.id)] == 0:
                assert said[cell_of(exercise.id)].startswith(f"✗ {exercise.id} "), exercise.id


@pytest.mark.parametrize("stem", WANTED)
def test_the_table_tells_apart_what_has_no_points(stem, class_of):
    from nbgrader.api import Gradebook

    chapter, course, _ = class_of(stem)
    with Gradebook(course.db_url) as gradebook:
        notes = handback.notes_in(course.work / "notes")
        found = handback.rows(gradebook, notes, ["nobody"])
    rows = {row.student: row for row in found if row.assignment == stem}
    assert rows["nobody"].state == handback.NOTHING and rows["nobody"].percent == ""
    assert rows["untouched"].state == handback.EMPTY and rows["untouched"].percent == "0.0"
    by_hand = any(exercise.manual for exercise in exercises(str(chapter.number)))
    assert rows["right"].state == (handback.WAITS if by_hand else handback.GRADED)
    assert rows["right"].percent == "100.0"
    assert rows["right"].bonus == (None if by_hand else 0)
    for name in members_of(stem):
        if MEMBERS[name].failed:
            assert rows[name].state == handback.FAILED and rows[name].points is None


@pytest.mark.parametrize("stem", WANTED)
def test_graded_again_is_only_what_changed(stem, class_of):
    _, course, _ = class_of(stem)
    said = []
    grading.grade(course, stem, ["right"], say=said.append)
    assert said[0].endswith("0 to grade, 1 as before")


def test_no_event_loop_stays_open(class_of, monkeypatch):
    opened = []
    monkeypatch.setattr(asyncio, "new_event_loop", noting(asyncio.new_event_loop, opened))
    _, course, _ = class_of(WANTED[0])
    (done,) = grading.grade(course, WANTED[0], ["untouched"], force=True)
    assert not done.failed
    assert opened and all(loop.is_closed() for loop in opened)


def test_a_gradebook_that_changed_while_a_class_ran_is_put_back(class_of, monkeypatch):
    """Where submissions are ordinary processes: elsewhere none can reach it."""
    _, course, _ = class_of(WANTED[0])
    before, found, said = course.gradebook.read_bytes(), [], []
    monkeypatch.setattr(grading, "_run", lambda *_: course.gradebook.write_bytes(b"all have 100"))
    monkeypatch.setattr(grading, "save", lambda *_: found.append(course.gradebook.read_bytes()))
    (done,) = grading.grade(course, WANTED[0], ["untouched"], force=True, say=said.append)
    assert found == [before] and "put back" in said[-1]
    assert "the gradebook was changed while this class was run" in done.look


def noting(function, returned):
    def called():
        returned.append(function())
        return returned[-1]

    return called


def test_a_class_of_thirty_has_every_kind_in_it():
    by_default = {name for stem in STEMS for name in members_of(stem, "")}
    assert len(by_default) >= 30
    assert {name for stem in STEMS for name in members_of(stem, "all")} == set(MEMBERS)
