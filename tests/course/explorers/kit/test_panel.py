"""The live panel without a browser: a message comes, a view goes."""

import pytest

from seq2seq_lib.course.explorers.kit.panel import Panel
from seq2seq_lib.course.explorers.kit.svg import description_of
from tests.course.explorers.kit.toy import WALK


@pytest.fixture
def panel():
    return Panel(WALK, "square", frozenset({"turns"}))


def move(panel, control, value, ticket=1):
    panel.move({"control": control, "value": value, "ticket": ticket})
    return panel.view


def test_it_opens_in_its_state_with_its_locks(panel):
    assert panel.view == {**WALK.view(WALK.params("square")), "ticket": 0}
    assert panel.spec == {"title": "Walk", "state": "square", "lock": ["turns"]}


def test_each_move_is_answered_with_its_view_and_its_ticket(panel):
    for ticket, (control, value) in enumerate([("size", 5), ("shape", "triangle"), ("step", 3)]):
        params = WALK.move(panel.params, control, value)
        assert move(panel, control, value, ticket) == {**WALK.view(params), "ticket": ticket}
        assert panel.params == params


def test_an_equal_view_is_sent_again_because_somebody_waits_for_its_ticket(panel):
    assert move(panel, "size", 2, 5)["ticket"] == 5
    assert move(panel, "size", 2, 6)["ticket"] == 6


@pytest.mark.parametrize(
    ("control", "value", "words"),
    [
        ("size", 7, "ZeroDivisionError: seven is too much"),
        ("size", 99, "ValueError: size must be an integer in 1 .. 9, but it is 99."),
        (
            "turns[1]",
            0,
            "ValueError: 'turns[1]' cannot be moved now. What can: 'shape', 'size', 'step'.",
        ),
    ],
)
def test_a_failure_takes_the_place_of_the_picture_and_the_panel_lives_on(
    panel, control, value, words
):
    before = panel.params
    view = move(panel, control, value)
    assert description_of(view["open"]) == description_of(view["veiled"]) == words
    assert panel.params == before
    assert "square 3 1" in move(panel, "size", 3)["open"]


def test_two_panels_do_not_disturb_each_other(panel):
    other = Panel(WALK, "square", frozenset())
    move(panel, "size", 5)
    assert other.params == WALK.params("square") and "square 2" in other.view["open"]


def test_a_state_that_fails_is_the_authors_mistake_and_stops_the_cell():
    from dataclasses import replace

    from seq2seq_lib.course.explorers.kit.explorer import State

    wrong = replace(WALK, states={**WALK.states, "seven": State("Seven", {"size": 7})})
    with pytest.raises(ZeroDivisionError):
        Panel(wrong, "seven", frozenset())
