"""Chapters and exercises are found by the names of their folders."""

import inspect
import subprocess
import sys

import pytest

from seq2seq_lib import course
from seq2seq_lib.course.catalogue import Course
from tests.support.toy_course import TOY

EXERCISES = """
from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.seal import seal
from seq2seq_lib.course.judging.words import Hint, Words

TASK = ChoiceTask(seal({"A": "correct", "B": "other"}))
EXERCISES = tuple(
    Exercise(id, "a letter", kind="P", difficulty=1, importance=1, minutes=1, points=2, task=TASK,
             reference=TASK.answer, words=Words("right", "so", (Hint("?"),) * 3, {}))
    for id in IDS
)
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Builds a course, and adds chapters to it as folders."""
    name = f"course_{tmp_path.name}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def add(stem, *ids, module="ex1_letter"):
        folder = tmp_path / name / stem
        folder.mkdir()
        (folder / "__init__.py").write_text(f"from .{module} import EXERCISES\n")
        (folder / f"{module}.py").write_text(f"IDS = {ids}\n{EXERCISES}")

    yield Course(name), add
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        del sys.modules[module]


def test_a_chapter_is_added_by_adding_its_folder(tree, capsys):
    found, add = tree
    assert found.chapters() == {}
    add("ch03_early", "3.1", "3.2a", "3.2b")
    assert found.chapters() == {"3": "ch03_early"}
    add("ch10_late", "10.1")
    assert found.chapters() == {"3": "ch03_early", "10": "ch10_late"}
    assert [e.id for e in found.exercises()] == ["3.1", "3.2a", "3.2b", "10.1"]
    assert [e.id for e in found.exercises("10")] == ["10.1"]
    assert found.find("3.2b").id == "3.2b"
    assert found.points("3") == 6 and found.points("3.1") == 2
    found.check("10.1", "A")
    assert "✓ 10.1 a letter: correct" in capsys.readouterr().out


def test_two_chapters_may_have_files_of_the_same_names(tree):
    found, add = tree
    add("ch01_one", "1.1")
    add("ch02_two", "2.1")
    one, two = found.find("1.1"), found.find("2.1")
    assert (one.id, two.id) == ("1.1", "2.1")


def test_what_is_no_chapter_is_none(tree):
    found, add = tree
    for stem in ("judging", "ch8_short", "chapter08_long", "ch08", "sch08_x"):
        add(stem, "8.1")
    assert found.chapters() == {}


def test_two_chapters_of_one_number_are_refused(tree):
    found, add = tree
    add("ch08_one", "8.1")
    add("ch08_two", "8.1")
    with pytest.raises(ValueError, match="number 8: ch08_one and ch08_two"):
        found.find("8.1")


@pytest.mark.parametrize(
    ("ids", "fault"), [(("8.1", "8.1"), "8.1 stands there twice"), (("9.1",), "9.1 is another")]
)
def test_ids_are_the_chapter_s_own_and_given_once(tree, ids, fault):
    found, add = tree
    add("ch08_one", *ids)
    with pytest.raises(ValueError, match=f"ch08_one.EXERCISES: {fault}"):
        found.exercises("8")


def test_a_chapter_without_exercises_is_still_a_chapter(tree, tmp_path):
    found, add = tree
    add("ch01_one", "1.1")
    folder = tmp_path / found.package / "ch00_start"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    assert list(found.chapters()) == ["0", "1"]
    assert [e.id for e in found.exercises()] == ["1.1"]
    with pytest.raises(ValueError, match=r"No exercises in chapter '0'. Valid: 1\."):
        found.exercises("0")


@pytest.mark.parametrize(
    "call",
    [lambda id: TOY.check(id, 1), lambda id: TOY.grade(id, 1), TOY.hint, TOY.solution, TOY.points],
)
@pytest.mark.parametrize("id", ["1.9", "1.", "2.1", "", "one", 1.2, None, ["1.2"]])
def test_an_id_that_does_not_exist_lists_what_there_is(call, id):
    with pytest.raises(ValueError) as raised:
        call(id)
    listed = str(raised.value).split("Valid: ")[1]
    # of "one" and the empty string it is not sure whether a chapter is meant
    assert listed in ("1.1, 1.2, 1.3, 1.4, 1.5.", "1.")
    assert repr(id) in str(raised.value)


def test_points_add_up():
    assert TOY.points("1") == sum(e.points for e in TOY.exercises("1")) == 19
    with pytest.raises(ValueError, match="No exercises in chapter '99'"):
        TOY.exercises("99")


def test_a_check_loads_the_chapter_that_it_needs_and_no_other(tree, capsys):
    found, add = tree
    for stem, id in (("ch01_one", "1.1"), ("ch02_two", "2.1"), ("ch03_three", "3.1")):
        add(stem, id)
    found.check("2.1", None)
    loaded = [
        stem for stem in found.chapters().values() if f"{found.package}.{stem}" in sys.modules
    ]
    assert loaded == ["ch02_two"]


def test_the_course_is_imported_without_its_chapters_and_without_ipython():
    code = (
        "import sys\n"
        "from seq2seq_lib import course\n"
        "loaded = set(sys.modules)\n"
        "assert course.chapters()\n"
        "for stem in course.chapters().values():\n"
        "    assert 'seq2seq_lib.course.' + stem not in loaded, stem\n"
        "course.check(course.exercises()[0].id, None)\n"
        "assert 'IPython' not in sys.modules and 'nbgrader' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", code],
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    assert "not attempted" in result.stdout and not result.stderr


def test_what_a_notebook_calls_is_documented():
    assert course.__all__ == sorted(course.__all__)
    for name in course.__all__:
        assert inspect.getdoc(getattr(course, name))
