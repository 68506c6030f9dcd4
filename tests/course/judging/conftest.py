"""What every test of the engine needs: no grading, and a progress file of its own."""

import pytest

from seq2seq_lib.course.judging import engine, progress_file


@pytest.fixture(autouse=True)
def as_a_learner(monkeypatch, tmp_path):
    monkeypatch.delenv(engine.GRADING, raising=False)
    monkeypatch.setenv(progress_file.VARIABLE, str(tmp_path / "folder" / "progress.json"))


@pytest.fixture
def grading(monkeypatch):
    monkeypatch.setenv(engine.GRADING, "autograde")
