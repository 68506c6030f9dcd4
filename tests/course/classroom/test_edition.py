"""A release for learners works like the course, and tells no graded solution before its time."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from classroom.edition import make_edition

from seq2seq_lib.course import exercises
from seq2seq_lib.course.judging import edition, engine

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    target = tmp_path_factory.mktemp("released") / "course"
    make_edition(ROOT, target, key="open sesame")
    return target


def run(folder, code, **environment):
    variables = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    variables |= {"SEQ2SEQ_PROGRESS": "off"} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=variables, capture_output=True,
        encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def test_answers_and_the_teacher_s_files_are_not_in_plain_sight(released):
    for name in ("solutions", "tests", "docs/teaching.md", "nbgrader_config.py", "tools"):
        assert not (released / name).exists()
    files = (released / "seq2seq_lib" / "course").glob("ch*/*.*")
    texts = {p: p.read_text(encoding="utf-8") for p in files if p.suffix in (".py", ".toml")}
    code = "\n".join(text for path, text in texts.items() if path.suffix == ".py")
    words = " ".join(" ".join(texts.values()).split())
    for exercise in exercises():
        if callable(exercise.reference) and exercise.points:
            assert f"def {exercise.reference.__name__}(" not in code, exercise.id
        assert exercise.words.solution[:60] not in words, exercise.id


def test_its_pages_name_no_command_that_it_lacks(released):
    makefile = (released / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):(?=.*##)", makefile, re.MULTILINE))
    assert targets == {"help", "lab"}
    assert "tests" not in makefile and "tools/build" not in makefile
    done = subprocess.run(["make", "-n", "help"], cwd=released, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in (released / "README.md", released / "CONTRIBUTING.md"):
        if page.exists():
            text = page.read_text(encoding="utf-8")
            named = re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)
            assert set(named) <= {"lab"}, page.name
            for name in ("teaching.md", "authoring.md", "tests chapters", "tools/"):
                assert name not in text, f"{page.name}: {name}"
            for link in re.findall(r"\]\((?!http)([^)#]+)", text):
                assert (released / link).exists(), f"{page.name}: {link}"
    readme = (released / "README.md").read_text(encoding="utf-8")
    assert "jupyter lab --LabApp.default_url=/lab/tree/chapters/" in readme


def test_checks_and_hints_work_and_solutions_are_closed(released):
    said = run(
        released,
        "from seq2seq_lib.course import check, hint, solution\n"
        "check('4.4', lambda ids, lengths: ids.flip(1)); hint('4.4'); solution('4.4')\n"
        "solution('4.1')",
    )
    assert "4.4 pad_left: not yet" in said and "hint 1 of 3" in said
    assert "Solutions of graded exercises are closed in this edition" in said
    assert "moved[left]" not in said
    assert "def length_mask" in said  # it is worth no points


def test_the_key_opens_them(released):
    code = "from seq2seq_lib.course import solution; solution('4.4')"
    assert "moved[left] = ids[right]" in run(released, code, SEQ2SEQ_SOLUTIONS="open sesame")
    assert "closed in this edition" in run(released, code, SEQ2SEQ_SOLUTIONS="sesame")
    assert "open sesame" not in (released / "seq2seq_lib/course/judging/edition.json").read_text()


@pytest.mark.slow
def test_all_references_are_right_there(released):
    code = (
        "from seq2seq_lib.course import exercises\n"
        "from seq2seq_lib.course.judging import engine\n"
        "print([e.id for e in exercises() if engine.judge(e, e.reference)[1].state != 'correct'])"
    )
    assert run(released, code) == "[]"


@pytest.mark.parametrize(
    ("opens", "closed"), [("2000-01-01", False), ("2999-01-01", True), ("", True)]
)
def test_a_date_opens_them(opens, closed, tmp_path, monkeypatch, capsys):
    told = {"opens": opens, "key": "", "salt": "x"}
    (tmp_path / "edition.json").write_text(json.dumps(told))
    monkeypatch.setattr(edition, "FILE", tmp_path / "edition.json")
    from seq2seq_lib.course import find, solution

    solution("4.4")
    said = capsys.readouterr().out
    assert ("moved[left]" not in said) is closed and ("closed" in said) is closed
    assert opens in said or not closed
    assert engine.judge(find("4.4"), find("4.4").reference)[1].state == "correct"


def test_the_repository_itself_is_open():
    assert not edition.FILE.exists() and edition.closed(5) == ""


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(SystemExit, match="is not empty"):
        make_edition(ROOT, tmp_path, force=True)
    assert (tmp_path / "mine.txt").exists()
    with pytest.raises(SystemExit, match="must look like 2027-01-31"):
        make_edition(ROOT, tmp_path / "new", opens="soon")
