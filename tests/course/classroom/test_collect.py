"""Whatever an LMS calls the files, each learner's notebook is found, or the teacher is told."""

import unicodedata
import zipfile

import pytest
import teach
from classroom import grade as grading
from classroom.collect import collect, notebook_in, safe
from classroom.grade import CannotGrade

STEM = "ch04_padding_masks"


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ada Lovelace_12345_assignsubmission_file_/ch04.ipynb", "Ada_Lovelace"),
        ("Ada Lovelace_12345_assignsubmission_file_ch04.ipynb", "Ada_Lovelace"),
        ("Ada Lovelace_12345_assignsubmission_onlinetext_/onlinetext.html", "Ada_Lovelace"),
        ("lovelaceada_12345_67890_ch04-1.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_12345_67890_ch04.ipynb", "lovelaceada"),
        ("李明/ch04.ipynb", "李明"),
        ("ada/ch04_padding_masks/ch04_padding_masks.ipynb", "ada"),
    ],
)
def test_the_usual_names_are_known(name, student, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(name, "{}")
        archive.writestr("__MACOSX/._x", "")
    work = tmp_path / "work"
    assert collect(tmp_path / "all.zip", work / "submitted", STEM) == {student: 1}
    (found,) = [p for p in (work / "submitted").rglob("*") if p.is_file()]
    assert found.parent == work / "submitted" / student / STEM


def test_other_names_need_a_pattern_and_are_counted_until_then(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada-final.ipynb").write_text("{}")
    assert collect(tmp_path / "in", tmp_path / "s", STEM) == {"": 1}
    assert collect(tmp_path / "in", tmp_path / "s", STEM, r"(?P<student>\w+)-") == {"ada": 1}


def test_a_new_submission_replaces_the_old_one_and_a_zip_writes_nowhere_else(tmp_path):
    (tmp_path / "s" / "ada" / STEM).mkdir(parents=True)
    (tmp_path / "s" / "ada" / STEM / "old.ipynb").write_text("{}")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("ada/new.ipynb", "{}")
        archive.writestr("../../evil.ipynb", "{}")
    collect(tmp_path / "all.zip", tmp_path / "s", STEM)
    assert [p.name for p in (tmp_path / "s").rglob("*.ipynb")] == ["new.ipynb"]
    assert not list(tmp_path.parent.glob("evil.ipynb"))


def test_the_notebook_of_a_folder_is_found_or_asked_for(tmp_path):
    released = tmp_path / "released.ipynb"
    released.write_text('{"grade_id": "check-4-4"}')
    folder = tmp_path / "handed"
    folder.mkdir()
    with pytest.raises(CannotGrade, match=r"no .ipynb among what was handed in \(nothing\)"):
        notebook_in(folder, STEM, released)
    (folder / "other.ipynb").write_text('{"cells": []}')
    assert notebook_in(folder, STEM, released)[1] == ["the file is called 'other.ipynb'"]
    mine = '{"cells": [{"source": "x", "metadata": {"nbgrader": {"grade_id": "check-4-4"}}}]}'
    (folder / "mine.ipynb").write_text(mine)
    path, said = notebook_in(folder, STEM, released)
    assert path.name == "mine.ipynb" and said[0].startswith("2 notebooks; graded is 'mine.ipynb'")


def test_two_learners_of_one_name_stay_two(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for number in (11, 12):
            archive.writestr(f"Anna Li_{number}_assignsubmission_file_/x.ipynb", str(number))
            archive.writestr(f"Ben Wu_13_assignsubmission_file_/{number}.ipynb", "one of two files")
    found = collect(tmp_path / "all.zip", tmp_path / "s", STEM)
    assert found == {"Anna_Li_11": 1, "Anna_Li_12": 1, "Ben_Wu": 2}
    assert (tmp_path / "s" / "Anna_Li_11" / STEM / "x.ipynb").read_text() == "11"
    with zipfile.ZipFile(tmp_path / "late.zip", "w") as archive:  # one of the two, again
        archive.writestr("Anna Li_11_assignsubmission_file_/x.ipynb", "better")
    assert collect(tmp_path / "late.zip", tmp_path / "s", STEM) == {"Anna_Li_11": 1}


def test_a_name_is_one_folder_whatever_system_packed_it():
    name = "Zoë Öztürk"
    assert safe(unicodedata.normalize("NFD", name)) == safe(name) == "Zoë_Öztürk"


@pytest.mark.parametrize(
    ("chapter", "source", "said"),
    [
        (STEM, "nowhere.zip", "no folder and no zip"),
        ("ch04", "in", "no chapter ch04; there is ch00"),
    ],
)
def test_a_slip_of_the_pen_is_named_and_nothing_is_written(
    chapter, source, said, tmp_path, monkeypatch
):
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "x.ipynb").write_text("{}")
    monkeypatch.setenv("NBGRADER_WORK", str(tmp_path / "work"))
    with pytest.raises(SystemExit, match=said):
        teach.main(["collect", chapter, str(tmp_path / source)])
    assert not (tmp_path / "work").exists()


def test_grading_one_learner_takes_the_name_as_the_teacher_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "in_gradebook", lambda course, chapter: None)
    monkeypatch.setattr(grading, "can_cut_off", lambda: True)
    course = grading.Course(teach.ROOT, tmp_path)
    course.gradebook.write_bytes(b"")
    folder = course.submitted("Ada_Lovelace", STEM)
    folder.mkdir(parents=True)
    (folder / "x.ipynb").write_text("")
    (done,) = grading.grade(course, STEM, ["Ada Lovelace"], say=lambda line: None)
    assert done.student == "Ada_Lovelace" and "is empty" in done.failed
    with pytest.raises(SystemExit, match="Nobody called 'Bda' has handed in"):
        grading.grade(course, STEM, ["Bda"], say=lambda line: None)
    assert "Bda" not in grading.read_notes(course, STEM)


def test_the_notebook_of_another_chapter_is_asked_for_again(tmp_path):
    course = grading.Course(teach.ROOT, tmp_path)
    folder = course.submitted("ada", STEM)
    folder.mkdir(parents=True)
    other = course.released("ch12_several_processes").read_bytes()
    (folder / f"{STEM}.ipynb").write_bytes(other)
    failed = grading.read(course, "ada", STEM).failed
    assert failed == "this is the notebook of chapter 12: ask for the one of chapter 4"
