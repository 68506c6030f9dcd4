"""Whatever an LMS calls the files, each learner's notebook is found, or the teacher is told."""

import zipfile

import pytest
from classroom.collect import collect, notebook_in
from classroom.grade import CannotGrade

STEM = "ch04_padding_masks"


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ada Lovelace_12345_assignsubmission_file_/ch04.ipynb", "Ada_Lovelace"),
        ("Ada Lovelace_12345_assignsubmission_file_ch04.ipynb", "Ada_Lovelace"),
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
    (found,) = (work / "submitted").rglob("*.ipynb")
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
