"""A learner's own notes: what was tried, solved, looked up; nothing depends on them."""

import json
import os
import sys
import time

import pytest

from seq2seq_lib.course.judging import progress_file
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides, does_not_divide
from tests.support.toy_course.ch01_toy.ex3_weighted_mean import weighted_mean


def test_notes_count_tries_and_remember_help():
    TOY.check("1.2", None)
    TOY.check("1.2", does_not_divide)
    TOY.solution("1.2")
    TOY.check("1.2", divides)
    TOY.check("1.3", weighted_mean)
    TOY.solution("1.3")  # looked at afterwards: no help
    kept = json.loads(progress_file.path().read_text(encoding="utf-8"))
    assert kept["1.2"]["tries"] == 2 and kept["1.2"]["assisted"]
    assert abs(kept["1.2"]["solved"] - time.time()) < 60
    assert "assisted" not in kept["1.3"]
    assert not list(progress_file.path().parent.glob("*.part"))


def test_an_answer_that_is_right_in_part_was_tried_and_is_open():
    def only_the_patient(mean):
        import torch

        assert mean(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 1.0])) != 2.5

    TOY.check("1.4", only_the_patient)
    kept = progress_file.load()["1.4"]
    assert kept["tries"] == 1 and "solved" not in kept


def test_progress_prints_every_exercise(capsys):
    TOY.check("1.2", divides)
    TOY.check("1.3", None)
    TOY.solution("1.3")
    capsys.readouterr()
    TOY.progress("1")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [e.id for e in TOY.exercises("1")]
    assert "open, checks: 0" in lines[0]
    assert "solved, checks: 1, 1 min after the first check" in lines[1]
    assert lines[2].endswith("open, checks: 0, with the solution's help")
    assert "help" not in lines[0] + lines[1]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"1.2": 3}', "\x00"])
def test_a_broken_file_of_notes_costs_nothing(content, capsys):
    progress_file.path().parent.mkdir()
    progress_file.path().write_text(content, encoding="utf-8")
    TOY.check("1.2", divides)
    TOY.solution("1.2")
    assert "correct" in capsys.readouterr().out


def test_notes_that_cannot_be_written_cost_nothing(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "progress.json", tmp_path):
        monkeypatch.setenv(progress_file.VARIABLE, str(place))
        TOY.check("1.2", divides)
        assert ": correct" in capsys.readouterr().out
    monkeypatch.delenv(progress_file.VARIABLE)
    monkeypatch.setattr(progress_file, "path", lambda: 1 / 0)
    TOY.check("1.2", divides)


def test_a_note_waits_a_second_for_another_notebook_and_is_written_then(monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="Windows locks nothing")
    waited = []
    monkeypatch.setattr(progress_file.time, "sleep", waited.append)
    progress_file.record("1.2", "wrong")
    assert waited == []
    handle = os.open(progress_file.path().parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        progress_file.record("1.2", "wrong")
    finally:
        os.close(handle)
    assert sum(waited) == pytest.approx(1)
    assert progress_file.load()["1.2"]["tries"] == 2
    assert not progress_file.record("1.2", "wrong") and sum(waited) == pytest.approx(1)


def test_notes_are_written_where_no_folder_can_be_locked(monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows: importing it fails
    TOY.check("1.2", divides)
    assert progress_file.load()["1.2"]["tries"] == 1


@pytest.mark.parametrize("value", ["off", "", "0", "OFF"])
def test_notes_can_be_switched_off(value, monkeypatch, capsys):
    monkeypatch.setenv(progress_file.VARIABLE, value)
    assert progress_file.path() is None
    TOY.check("1.2", divides)
    TOY.progress("1")


def test_without_the_variable_notes_lie_in_the_user_s_cache(monkeypatch):
    monkeypatch.delenv(progress_file.VARIABLE)
    assert progress_file.path().name == "progress.json"
    assert "seq2seq_lib" in progress_file.path().parts
