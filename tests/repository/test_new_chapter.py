"""A chapter is added by adding folders: a new one passes the tests in a copy of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import new_chapter
import pytest

ROOT = Path(__file__).resolve().parents[2]
STEM = "ch98_toy"
FILES = ("nbgrader_config.py", "nbval_sanitize.cfg", "pyproject.toml", "README.md")


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The repository without its chapters, and with one new one."""
    root = tmp_path_factory.mktemp("copy")
    chapters = shutil.ignore_patterns("ch[0-9]*", "__pycache__")
    shutil.copytree(ROOT / "seq2seq_lib", root / "seq2seq_lib", ignore=chapters)
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", root / "tests", ignore=chapters)
    for name in FILES:
        shutil.copy(ROOT / name, root)
    run(root, "tools/new_chapter.py", STEM, "--title", "A toy")
    return root


def run(root: Path, *arguments: str) -> str:
    """Run Python in the copy, on the copy's library."""
    found = subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "NBGRADER_WORK": str(root / ".nbgrader")},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    return found.stdout


@pytest.mark.slow
def test_a_new_chapter_passes_its_tests_and_those_of_the_repository(copy):
    said = run(
        copy, "-m", "pytest", "-v", "-p", "no:cacheprovider", f"tests/course/{STEM}",
        "tests/course/test_every_exercise.py", "tests/repository/test_chapters.py",
        "tests/repository/test_chapter_sizes.py", "-k", "not exception",
    )  # fmt: skip
    for part in ("test_breaks.py", "test_grading.py", "test_exercises.py"):
        assert f"{STEM}/{part}" in said


@pytest.mark.slow
def test_a_new_chapter_is_found_by_the_checks(copy):
    asks = "from seq2seq_lib.course import chapters, check; print(chapters())"
    answers = "check('98.1', lambda values, lengths: values.mean(dim=1))"
    said = run(copy, "-c", f"{asks}; {answers}")
    assert f"{{'98': '{STEM}'}}" in said
    assert "padding counts" in said


@pytest.mark.slow
def test_a_new_chapter_is_linted_and_in_step(copy):
    folders = ["chapters", "solutions", f"seq2seq_lib/course/{STEM}", f"tests/course/{STEM}"]
    run(copy, "-m", "ruff", "check", *folders)
    run(copy, "-m", "ruff", "format", "--check", *folders)
    run(copy, "tools/build_notebooks.py", "check")
    row = f"| [98. A toy](chapters/{STEM}.ipynb) | [{STEM}](exercises/{STEM}/{STEM}.ipynb) |"
    assert row in (copy / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("stem", "says"),
    [
        ("11_toy", "is no stem"),
        ("ch1_toy", "is no stem"),
        ("ch11_Toy", "is no stem"),
        ("ch11_", "is no stem"),
        ("ch11_a-b", "is no stem"),
        ("../ch11_toy", "is no stem"),
        ("ch00_start_here", "ch00_start_here exists"),
        ("ch00_other", "Chapter 0 exists: it is ch00_start_here"),
    ],
)
def test_a_stem_that_is_taken_or_none_is_refused(stem, says, capsys, monkeypatch):
    monkeypatch.setattr(new_chapter, "write", pytest.fail)
    assert new_chapter.main([stem]) == 1
    assert says in capsys.readouterr().err


def test_half_a_chapter_is_not_overwritten(tmp_path, capsys):
    kept = tmp_path / "tests" / "course" / "ch11_toy" / "breaks.toml"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert new_chapter.main(["ch11_toy"], tmp_path) == 1
    assert "remove all its parts" in capsys.readouterr().err
