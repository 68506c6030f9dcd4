"""A round of submissions with faults is refused in a sentence; what grading leaves is seen."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.support.grading import apart, everything_beside, faults
from tests.support.submissions import Round, Wrong

WORDS = SimpleNamespace(findings={"all_cells": None, "inverted": None})
ASKED = {"11.1": SimpleNamespace(words=WORDS), "11.2": SimpleNamespace(words=WORDS)}
BOTH = (Wrong("letter_11_1", "C", {"11.1": "inverted"}), Wrong("f", "", {"11.2": "all_cells"}))
ROUND = Round(noisy={}, wrong={"anna": BOTH}, cheat={}, deleted="check-11-1")


def test_a_round_in_which_everything_is_failed_has_no_faults():
    assert faults(ROUND, ASKED) == []
    spared = replace(ROUND, wrong={"anna": BOTH[1:]}, spared=frozenset({"11.1"}))
    assert faults(spared, ASKED) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"wrong": {"anna": BOTH[1:]}}, "nobody fails 11.1: add a Wrong"),
        ({"spared": frozenset({"11.1"})}, "anna fails 11.1, which is among spared"),
        (
            {"wrong": {"anna": (*BOTH, Wrong("f", "", {"11.2": "all_cell"}))}},
            "anna should be told 'all_cell' at 11.2, which is no finding. Of its own it has "
            "all_cells, inverted",
        ),
        (
            {"wrong": {"anna": (*BOTH, Wrong("g", "", {"11.3": "inverted"}))}},
            "anna fails 11.3, which is no exercise with points",
        ),
    ],
)
def test_a_fault_is_a_sentence(change, says):
    (sentence,) = faults(replace(ROUND, **change), ASKED)
    assert sentence.startswith("submissions.py: ") and says in sentence


def test_a_finding_that_all_chapters_share_is_one():
    shared = (*BOTH, Wrong("f", "", {"11.2": "shape"}))
    assert faults(replace(ROUND, wrong={"anna": shared}), ASKED) == []


def test_points_that_differ_are_said_with_their_sides():
    assert apart({"check-11-1": 1}, {"check-11-1": 1}) == []
    (sentence,) = apart({"check-11-1": 1, "check-11-2": 3}, {"check-11-1": 1, "check-11-2": 2})
    assert sentence.startswith("check-11-2: the cell in solutions/_src has 3 points, the module in")
    assert sentence.endswith(" has 2")
    (sentence,) = apart({}, {"check-11-1": 1})
    assert "the cell in solutions/_src has no points" in sentence


def test_what_grading_leaves_is_seen_and_what_pip_installs_meanwhile_is_not(tmp_path):
    left, installed = tmp_path / "gradebook.db", tmp_path / "env/lib/nbgrader/apps.py"
    installed.parent.mkdir(parents=True)
    for file in (left, installed, tmp_path / "env/pyvenv.cfg", tmp_path / "notes.txt"):
        file.touch()
    assert everything_beside(tmp_path, "ch11_toy") == {str(left)}
