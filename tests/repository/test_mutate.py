"""tools/mutate.py finds what it breaks, and the tests that must notice, by the mirrored layout."""

import ast
import os
import sys
import time
import tomllib
from pathlib import Path
from unittest import mock

import mutate
import pytest


def test_every_module_has_tests_and_its_breaks_have_names():
    for module in mutate.modules():
        assert all(mutate.asked_of(module))
        keys = [mutant.key for mutant in mutate.mutants_of(module)]  # none where all is words
        assert len(set(keys)) == len(keys), module


def test_a_break_is_one_and_another_each_time():
    text = ast.unparse(ast.parse(mutate._text_of("masks")))
    sources = {ast.unparse(mutant.tree) for mutant in mutate.mutants_of("masks")}
    assert len(sources) == len(list(mutate.mutants_of("masks"))) > 20
    assert all(_differing_lines(source, text) == 1 for source in sources)


def test_each_excuse_is_of_a_break_that_exists():
    explained = tomllib.loads(mutate.SURVIVORS.read_text(encoding="utf-8"))
    assert explained.keys() <= set(mutate.modules())
    for module, excuses in explained.items():
        keys = {mutant.key for mutant in mutate.mutants_of(module)}
        assert excuses.keys() <= keys, f"{module}: {sorted(excuses.keys() - keys)}"


SEES = """
import subprocess, sys
code = "from seq2seq_lib.filters import _ROUNDING; print(_ROUNDING)"

def test_it():
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "1e-06", run
"""


def test_processes_that_a_test_starts_are_broken_as_well(tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(SEES, encoding="utf-8")
    mutant = next(m for m in mutate.mutants_of("filters") if m.key.startswith(": 1e-06 ->"))
    assert mutate.survives(None, [(str(test),)]) and not mutate.survives(mutant, [(str(test),)])


LINES = """
from seq2seq_lib.course.judging import limits

def test_it():
    code = limits.seconds.__code__
    assert code.co_filename == limits.__file__ and limits.__file__.endswith("limits.py")
    with open(limits.__file__) as file:
        assert file.read().splitlines()[code.co_firstlineno - 1].startswith("def seconds(")
"""


def test_a_break_is_of_its_file_and_the_rest_keeps_its_lines(tmp_path):
    """Or else every break is noticed where a message says whose code raised."""
    test = tmp_path / "test_it.py"
    test.write_text(LINES, encoding="utf-8")
    last = list(mutate.mutants_of("course.judging.limits"))[-1]
    assert mutate.survives(last, [(str(test),)])


HANGS = """
import os, signal, subprocess, sys, time
from pathlib import Path
from unittest import mock

def test_it():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(__file__).with_name("pid").write_text(str(other.pid))
    signal.setitimer(signal.ITIMER_REAL, 0)  # as the limits of a check do
    time.sleep(60)
"""


def test_a_break_that_hangs_is_ended_whatever_becomes_of_alarms(tmp_path):
    test = tmp_path / "test_it.py"
    test.write_text(HANGS, encoding="utf-8")
    began = time.monotonic()
    assert not mutate.survives(None, [(str(test),)], limit=8)
    assert time.monotonic() - began < 40
    state = Path("/proc", (tmp_path / "pid").read_text(), "stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"  # and what it started


@pytest.fixture
def command():
    """The command sets variables that would reach the tests behind it: without nbval, for one."""
    with mock.patch.dict(os.environ):
        yield mutate.main
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in os.environ


def test_all_that_a_break_is_asked_for_is_first_asked_without_one(command, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mutate.py", "--only", "course.explorers.width"])
    asked = []

    def survives(mutant, calls):
        asked.extend(calls)
        return "test_every_explorer" not in calls[0][-1]

    monkeypatch.setattr(mutate, "survives", survives)
    assert command() == 1
    assert len(asked) == 2 and asked[1][:2] == ("-k", "width")
    assert "test_every_explorer.py: fails without any break" in capsys.readouterr().out


def test_what_needs_an_absent_peer_is_left_out_and_named(command, monkeypatch, capsys):
    monkeypatch.setattr(mutate, "PEERS", {"filters": "no_such_package"})
    monkeypatch.setattr(sys, "argv", ["mutate.py", "--only", "filters"])
    with pytest.raises(SystemExit, match="nothing is left"):
        command()
    assert "left out: filters, which needs no_such_package" in capsys.readouterr().out


def _differing_lines(one: str, other: str) -> int:
    pairs = zip(one.splitlines(), other.splitlines(), strict=True)
    return sum(a != b for a, b in pairs)


def test_packages_are_taken_apart_and_tested_as_one(tmp_path, monkeypatch):
    for name in ("search/__init__", "search/beam", "search/greedy", "masks"):
        file = tmp_path / "seq2seq_lib" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n", encoding="utf-8")
    tests = tmp_path / "tests" / "library"
    (tests / "search").mkdir(parents=True)
    (tests / "test_masks.py").touch()
    (tests / "test_masks_of_batches.py").touch()
    imports = "from seq2seq_lib.search import beam\n"
    (tests / "test_reported_inputs.py").write_text(imports, encoding="utf-8")
    (tests / "search" / "test_alone.py").touch()
    (tests / "search" / "test_first.py").write_text("# each beam\n", encoding="utf-8")
    (tests / "search" / "test_one_beam.py").touch()
    (tmp_path / "tests" / "course").mkdir()
    (tmp_path / "tests" / "course" / "test_beam.py").write_text(imports, encoding="utf-8")
    (tmp_path / "tests" / "course" / "test_greedy.py").write_text(imports, encoding="utf-8")
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    monkeypatch.setattr(mutate, "BROKEN", ("search", "masks"))
    assert mutate.modules() == ["search.beam", "search.greedy", "masks"]
    of_beam = [file.stem for file in mutate.tests_of("search.beam")]
    assert of_beam[:2] == ["test_beam", "test_one_beam"]  # one elsewhere that imports it, first
    assert of_beam[2:] == ["test_first", "test_alone", "test_reported_inputs"]
    of_greedy = [file.stem for file in mutate.tests_of("search.greedy")]
    assert len(of_greedy) == 4 and "test_greedy" not in of_greedy  # it imports another module
    assert mutate.tests_of("masks") == [tests / "test_masks.py", tests / "test_masks_of_batches.py"]
    assert [mutant.key for mutant in mutate.mutants_of("search.beam")] == [": 1 -> 2"]
    with pytest.raises(SystemExit, match="cells has no tests"):
        mutate.tests_of("cells")
