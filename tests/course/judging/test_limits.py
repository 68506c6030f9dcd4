"""A check ends by itself: what loops is stopped, and says so."""

import signal
import time

import pytest
import torch

from seq2seq_lib.course.judging import engine, limits
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setenv(limits.VARIABLE, "0.4")


def loops(*args):
    while True:
        pass


def sleeps(*args):
    time.sleep(30)


def holds_on(*args):
    """Catches whatever comes, once."""
    try:
        loops()
    except BaseException:
        loops()


def excepts(*args):
    while True:
        try:
            loops()
        except Exception:
            pass


@pytest.mark.parametrize("answer", [loops, sleeps, holds_on, excepts])
@pytest.mark.parametrize("id", ["1.2", "1.3", "1.4"])
def test_an_answer_that_does_not_end_is_stopped_with_its_own_message(id, answer, capsys):
    began = time.monotonic()
    TOY.check(id, answer)
    assert time.monotonic() - began < 10
    text = " ".join(capsys.readouterr().out.split())
    assert "it stops with an error" in text and "seq2seq_lib" not in text
    assert "still at work after 0.4 seconds, so the check stopped it" in text
    assert f"(in {answer.__name__}, line" in text or "(in loops, line" in text


def test_it_earns_nothing_and_the_next_check_is_as_ever(grading, capsys):
    with pytest.raises(engine.NotCorrect, match="still at work after 0.4 seconds"):
        TOY.grade("1.2", loops)
    assert TOY.grade("1.2", divides) is None


def test_a_loop_of_the_check_itself_ends_too(capsys, monkeypatch):
    """A function of torch that a notebook replaced may keep the library's own loops from ending."""
    monkeypatch.setattr(torch, "arange", lambda *args, **kwargs: loops())
    TOY.check("1.2", divides)
    assert "still at work after" in capsys.readouterr().out


def test_a_busy_machine_costs_nobody_an_answer(monkeypatch, capsys):
    """The clock runs on while others use the processor; here it is asleep instead."""

    def waits(a, b):
        time.sleep(0.25)
        return divides(a, b)

    monkeypatch.setattr(limits, "PATIENCE", 100)
    began = time.monotonic()
    assert TOY.grade("1.2", waits) is None
    assert time.monotonic() - began > 0.4


def test_the_limit_is_a_variable(monkeypatch):
    monkeypatch.setenv(limits.VARIABLE, "")
    assert limits.seconds() == limits.SECONDS
    monkeypatch.setenv(limits.VARIABLE, "soon")
    with pytest.raises(ValueError, match="must be a number of seconds, but it is 'soon'"):
        limits.seconds()
    with limits.within(0):  # none
        pass


def test_without_timers_the_stop_button_is_still_the_learner_s(monkeypatch, capsys):
    def stops(*args):
        raise KeyboardInterrupt

    monkeypatch.delattr(limits.signal, "setitimer")
    TOY.check("1.2", stops)
    assert "was still at work when it was stopped" in " ".join(capsys.readouterr().out.split())


def test_without_timers_it_is_as_if_stop_were_pressed(monkeypatch, capsys):
    monkeypatch.delattr(limits.signal, "setitimer")
    # a shell's background jobs are started with interrupts ignored, and would loop for ever
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        TOY.check("1.2", excepts)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "still at work after 0.4 seconds" in capsys.readouterr().out
