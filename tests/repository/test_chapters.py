"""A chapter is found by its stem. What it lacks is said in a sentence."""

import shutil
import tomllib
from pathlib import Path

import pytest
from notebooks.chapters import Chapter, chapters

ROOT = Path(__file__).resolve().parents[2]


def lacks(chapter: Chapter) -> list[str]:
    """Sentences that say what a chapter needs and has not."""

    def shown(path: Path) -> str:
        return path.relative_to(chapter.root).as_posix()

    needed = [
        (chapter.source, "has no source: write {}"),
        (chapter.notebook, "is not built: python tools/build_notebooks.py build {}"),
        (chapter.package / "chapter.toml", "is not on the map of the course: write {}"),
        (chapter.tests / "breaks.toml", "breaks nothing: {} says which breaks turn it red"),
        (chapter.tests / "test_breaks.py", "does not try its breaks: add {}"),
        (chapter.tests / "__init__.py", "has tests that are no package: add {}"),
    ]
    # Exercises are optional, but a chapter that has one part of them has all. A package may hold
    # other things, such as figures.
    exercises = [
        (chapter.solution_source, "asks no exercises: write {}"),
        (chapter.solution, "has exercises that are not built: python tools/build_notebooks.py"),
        (chapter.exercise, "has exercises that are not released: make exercises writes {}"),
        (chapter.package / "__init__.py", "has exercises, but nothing judges them: write {}"),
        (chapter.tests / "test_grading.py", "has exercises that nobody grades: add {}"),
        (chapter.tests / "submissions.py", "has exercises that nobody hands in: write {}"),
        (chapter.tests / "test_exercises.py", "has exercises without tests of their own: add {}"),
    ]
    judged = list(chapter.package.glob("ex[0-9]*.py"))
    if judged or any(path.exists() for path, _ in exercises if path.parent != chapter.package):
        needed += exercises
    missing = [(path, what) for path, what in needed if not path.exists()]
    found = [f"{chapter.stem} {what.format(shown(path))}" for path, what in missing]
    breaks = chapter.tests / "breaks.toml"
    if breaks.exists() and len(tomllib.loads(breaks.read_text("utf-8")).get("breaks", [])) < 2:
        found.append(f"{chapter.stem} has fewer than two breaks in {shown(breaks)}")
    return found


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.stem)
def test_a_chapter_lacks_nothing(chapter):
    assert not lacks(chapter), "\n".join(lacks(chapter))


def test_numbers_are_given_once():
    numbers = [chapter.number for chapter in chapters()]
    assert len(numbers) == len(set(numbers)), numbers


def test_folders_of_the_library_and_chapters_are_the_same_stems():
    """What `check` finds is what stands beside a notebook."""
    from seq2seq_lib import course

    packages = {c.number: c.stem for c in chapters() if (c.package / "__init__.py").exists()}
    assert course.chapters() == packages


PARTS = [
    ("chapters/_src/ch04_x.py", "has no source"),
    ("chapters/ch04_x.ipynb", "is not built"),
    ("seq2seq_lib/course/ch04_x/chapter.toml", "not on the map"),
    ("tests/course/ch04_x/breaks.toml", "breaks nothing"),
    ("tests/course/ch04_x/test_breaks.py", "does not try its breaks"),
    ("tests/course/ch04_x/__init__.py", "no package"),
    ("solutions/_src/ch04_x.py", "asks no exercises"),
    ("solutions/ch04_x/ch04_x.ipynb", "are not built"),
    ("exercises/ch04_x/ch04_x.ipynb", "make exercises"),
    ("seq2seq_lib/course/ch04_x/__init__.py", "nothing judges them"),
    ("seq2seq_lib/course/ch04_x/ex1_x.py", ""),
    ("tests/course/ch04_x/test_grading.py", "nobody grades"),
    ("tests/course/ch04_x/submissions.py", "nobody hands in"),
    ("tests/course/ch04_x/test_exercises.py", "without tests of their own"),
]


@pytest.fixture
def complete(tmp_path) -> Path:
    """A course with one chapter, of empty files."""
    for name, _ in PARTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("[[breaks]]\n[[breaks]]\n" * name.endswith(".toml"))
    return tmp_path


def test_a_complete_chapter_lacks_nothing(complete):
    (chapter,) = chapters(complete)
    assert (chapter.stem, chapter.number) == ("ch04_x", "4")
    assert lacks(chapter) == []


@pytest.mark.parametrize(("name", "says"), [part for part in PARTS if part[1]])
def test_what_is_missing_is_named(complete, name, says):
    (complete / name).unlink()
    (chapter,) = chapters(complete)
    (sentence,) = lacks(chapter)
    assert sentence.startswith("ch04_x ") and says in sentence


@pytest.mark.parametrize("name", [name for name, _ in PARTS])
def test_a_chapter_is_found_by_any_of_its_parts(complete, name):
    others = [other for other, _ in PARTS if other != name]
    for other in others:
        (complete / other).unlink()
    assert [chapter.stem for chapter in chapters(complete)] == ["ch04_x"]


def test_a_chapter_without_exercises_lacks_nothing(complete):
    for folder in ("solutions", "exercises"):
        shutil.rmtree(complete / folder)
    for name in ("__init__.py", "ex1_x.py"):
        (complete / "seq2seq_lib" / "course" / "ch04_x" / name).unlink()
    for name in ("test_grading.py", "submissions.py", "test_exercises.py"):
        (complete / "tests" / "course" / "ch04_x" / name).unlink()
    (chapter,) = chapters(complete)
    assert lacks(chapter) == []


def test_a_package_of_figures_asks_for_no_exercises(complete):
    for name, _ in PARTS[6:]:
        (complete / name).unlink()
    (complete / "seq2seq_lib/course/ch04_x/figures.py").touch()
    (chapter,) = chapters(complete)
    assert lacks(chapter) == []
    (complete / "seq2seq_lib/course/ch04_x/ex1_x.py").touch()
    assert len(lacks(chapter)) == 7


def test_one_break_is_not_enough(complete):
    (complete / "tests/course/ch04_x/breaks.toml").write_text("[[breaks]]\n")
    (chapter,) = chapters(complete)
    assert lacks(chapter) == ["ch04_x has fewer than two breaks in tests/course/ch04_x/breaks.toml"]
