"""The pictures of the course in docs/ are those of its chapters, and these say what is so."""

import re
from pathlib import Path

import course_pictures
import nbformat
import pytest
from notebooks.chapters import Chapter

from seq2seq_lib.course import atlas

ENTRIES = atlas.entries()


@pytest.mark.parametrize("path", course_pictures.pictures(), ids=lambda path: path.name)
def test_the_pictures_in_docs_are_current(path):
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == course_pictures.pictures()[path], "run python tools/course_pictures.py"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.stem)
def test_the_map_says_what_the_notebook_says(entry):
    """Its title; the minutes of its first cells; chapters that exist."""
    chapter = Chapter(entry.stem)
    assert chapter.title == f"{entry.number}. {entry.title}"
    cells = nbformat.read(chapter.notebook, as_version=4).cells
    prose = "\n".join(c.source for c in cells[:6] if c.cell_type == "markdown")
    (stated,) = re.findall(r"\*\*Time\*\*: (?:about )?(\d+) minutes", prose)
    assert entry.minutes == int(stated), f"minutes in {entry.stem}/chapter.toml"
    known = {other.number for other in ENTRIES}
    assert set(entry.needs) <= known - {entry.number}, "a chapter that there is not"


def test_a_stale_picture_is_written_anew_and_a_course_without_docs_gets_none(tmp_path):
    package = tmp_path / "seq2seq_lib" / "course" / "ch03_a"
    package.mkdir(parents=True)
    facts = 'title = "Toy"\nminutes = 9\nneeds = []\nlaws = [2]\n'
    (package / "chapter.toml").write_text(facts, encoding="utf-8")
    assert course_pictures.main(tmp_path) == 0
    assert not (tmp_path / "docs").exists()
    folder = tmp_path / course_pictures.FOLDER
    folder.mkdir(parents=True)
    (folder / "course_map.svg").write_text("old", encoding="utf-8")
    assert course_pictures.main(tmp_path) == 0
    assert {path.name for path in folder.iterdir()} == {"course_map.svg", "seven_laws.svg"}
    for path, picture in course_pictures.pictures(tmp_path).items():
        assert path.read_text(encoding="utf-8") == picture
        assert Path(path).is_relative_to(tmp_path)
    assert "3. Toy" in (folder / "course_map.svg").read_text(encoding="utf-8")


def test_the_first_picture_of_readme_says_what_the_models_say():
    """Its words alone: another machine may round a probability differently."""
    drawn = (course_pictures.ROOT / course_pictures.FOLDER / "first_screen.svg").read_text("utf-8")
    said = re.search(r"<desc>(.*?)</desc>", drawn)[1]
    says = re.search(r"<desc>(.*?)</desc>", course_pictures.first_screen())[1]
    numbers = re.compile(r"probability \d\.\d\d")
    assert numbers.sub("", said) == numbers.sub("", says)
    assert "careless model answers 1984-11-24" in said and "1984-12-24 with" in said
