"""Letters: how they may be written, and how what they mean is sealed."""

import inspect
import subprocess
import sys

import pytest

from seq2seq_lib.course.judging import engine
from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.seal import main, seal, unseal
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy import ex1_letter

EXERCISE = TOY.find("1.1")
REASONS = {"A": "total", "B": "correct", "C": "largest"}


@pytest.mark.parametrize("stub", [None, ..., "", " ", "?", "...", "____"])
def test_an_untouched_letter_is_not_attempted(stub):
    assert engine.judge(EXERCISE, stub)[1].state == "not_attempted"


@pytest.mark.parametrize("written", ["B", " b ", "(B)", "B.", "b)", "'B'", '"b"', "[B]", "B:"])
def test_a_letter_may_be_written_as_people_write_it(written):
    assert engine.judge(EXERCISE, written)[1].state == "correct"


@pytest.mark.parametrize(
    "answer",
    ["D", "2.5", 2.5, "B or C", "B2", "BB", "the mean", True, ["B"], "ß", "1", b"B", lambda: "B"],
)
def test_anything_else_is_told_which_form_is_wanted(answer):
    shown, finding = engine.judge(EXERCISE, answer)
    assert (finding.state, finding.name) == ("wrong", "not_a_choice")
    text = " ".join(shown.text.split())
    assert "They are A, B, C: wanted is the letter in quotes" in text


def test_every_letter_has_a_reason_of_its_own():
    found = {letter: engine.judge(EXERCISE, letter)[1] for letter in "ABC"}
    assert {letter: f.name or f.state for letter, f in found.items()} == REASONS
    assert EXERCISE.reference == EXERCISE.task.answer == "B"
    assert EXERCISE.task.letters == ("A", "B", "C")


# ---------------------------------------------------------------- the seal


def test_sealing_keeps_what_it_seals():
    assert unseal(seal(REASONS)) == REASONS
    assert ChoiceTask(seal(REASONS)).reasons == REASONS


def test_no_word_of_it_can_be_read_by_accident():
    source = inspect.getsource(ex1_letter)
    for word in ("correct", "total", "largest", '"A"', '"B"', '"C"'):
        assert word not in source
    assert not any(word in seal(REASONS) for word in REASONS.values())


def test_the_command_seals_and_shows(capsys):
    main(["A=total", "B=correct", "C=largest"])
    sealed = capsys.readouterr().out.strip()
    assert sealed == seal(REASONS)
    main([sealed])
    assert capsys.readouterr().out == "A=total B=correct C=largest\n"


def test_the_command_runs_as_the_documentation_says():
    result = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-m",
            "seq2seq_lib.course.judging.seal",
            "A=x",
            "B=correct",
        ],
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    assert unseal(result.stdout.strip()) == {"A": "x", "B": "correct"}


@pytest.mark.parametrize(
    ("reasons", "message"),
    [
        ({"A": "total", "B": "largest"}, "Exactly one letter must be 'correct', but 0 are"),
        ({"A": "correct", "B": "correct"}, "but 2 are"),
        ({"1": "correct"}, "A choice is a letter from A to Z, but one is '1'"),
    ],
)
def test_what_cannot_be_a_choice_is_refused(reasons, message):
    with pytest.raises(ValueError, match=message):
        seal(reasons)


@pytest.mark.parametrize("sealed", ["", "eJy", "12fa04d6", "ä", seal(REASONS)[:-8]])
def test_half_a_seal_is_refused_with_the_command_that_makes_one(sealed):
    with pytest.raises(ValueError, match="judging.seal"):
        unseal(sealed)
