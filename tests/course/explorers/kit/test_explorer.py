"""What an explorer declares, and what follows from it, on a toy."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from seq2seq_lib.course.explorers.kit.controls import Number
from seq2seq_lib.course.explorers.kit.explorer import Question, State
from seq2seq_lib.course.explorers.kit.still import Still
from tests.course.explorers.kit.toy import WALK


def keys(view) -> list[list[str]]:
    return [[data["key"] for data in row] for row in view["rows"]]


# ---------------------------------------------------------------- the declaration


def test_a_state_is_its_changes_over_the_defaults_of_compute():
    assert WALK.params("square") == {"shape": "square", "size": 2, "step": 1, "turns": (0, 1)}
    assert WALK.params("triangle") == {"shape": "triangle", "size": 2, "step": 0, "turns": (0, 1)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": "circle"}, "shape must be one of 'triangle', 'square', but it is 'circle'"),
        ({"size": 10}, "size must be an integer in 1 .. 9, but it is 10"),
        ({"size": "2"}, "size must be an integer"),
        ({"turns": (0, 2)}, r"turns\[1\] must be an integer in 0 .. 1"),
        ({"step": 5}, "step must be an integer in 0 .. 4"),
        ({"colour": 1}, "'colour' differ"),
    ],
)
def test_validate_says_what_came_and_what_may_come(change, message):
    with pytest.raises(ValueError, match=message):
        WALK.view({**WALK.params("square"), **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"film": ("square", "circle")},
            "walk: film names 'circle', but the states are 'square', 'triangle', 'large'",
        ),
        (
            {"states": {**WALK.states, "vast": State("", {"size": 60})}},
            "walk, state 'vast': size must be an integer in 1 .. 9, but it is 60",
        ),
        (
            {"states": {**WALK.states, "red": State("", {"colour": 1})}},
            "walk, state 'red': Parameters are .*: 'colour' differ",
        ),
        (
            {"controls": (*WALK.controls, (Number("words", "words", 0, 1),))},
            "walk: a control moves 'words', but the parameters of compute are 'shape', 'size'",
        ),
        ({"controls": WALK.controls[:2]}, "walk: no control moves 'step' of compute"),
        ({"judge": None}, "walk: it asks a question, so it needs judge"),
        ({"compute": lambda *, shape, size=2: None}, "walk: compute needs defaults for 'shape'"),
    ],
)
def test_parts_that_do_not_fit_are_refused_when_an_explorer_is_made(change, message):
    with pytest.raises(ValueError, match=message):
        replace(WALK, **change)


def test_a_move_is_checked_tidied_and_forgets_what_does_not_matter():
    large = WALK.params("large")
    moved = WALK.move({**large, "step": 4}, "shape", "triangle")
    assert moved == {"shape": "triangle", "size": 2, "step": 3, "turns": (0, 1)}
    assert WALK.move(large, "turns[1]", 0)["turns"] == (0, 0)
    for key, locked in (("size", {"size"}), ("nothing", set())):
        with pytest.raises(ValueError, match=f"'{key}' cannot be moved now. What can: 'shape'"):
            WALK.move(large, key, 3, locked)
    with pytest.raises(ValueError, match="'size' cannot be moved now"):
        WALK.move(WALK.params("triangle"), "size", 3)


def test_a_view_holds_the_controls_that_matter_and_both_pictures():
    view = WALK.view(WALK.params("square"))
    assert keys(view) == [["shape"], ["size", "turns[1]"], ["step"]]
    assert keys(WALK.view(WALK.params("triangle"))) == [["shape"], ["turns[1]"], ["step"]]
    assert "square 2 1" in view["open"] and "square 2 1" not in view["veiled"]
    step = view["rows"][2][0]
    assert (step["kind"], step["low"], step["high"], step["plays"]) == ("player", 0, 4, 500)
    assert WALK.view(WALK.params("triangle"))["rows"][2][0]["high"] == 3
    assert view["question"]["asks"] == "How many corners has a square?"
    assert (view["answer"], view["why"]) == ("4", "A square has 4.")


def test_an_answer_that_is_not_offered_is_the_authors_mistake():
    wrong = replace(WALK, question=lambda params: Question("How many?", {"none": "0"}, ""))
    with pytest.raises(ValueError, match="The answer '4' is none of those that walk offers: '0'"):
        wrong.view(WALK.params("square"))


def test_a_true_button_is_not_the_number_one():
    from seq2seq_lib.course.explorers.kit.controls import Choice

    both = Choice("flag", "flag", {"off": False, "on": True})
    assert both.accepted(True, {}) is True
    with pytest.raises(ValueError):
        both.accepted(1, {})


# ---------------------------------------------------------------- opening


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("circle",), ValueError, "Unknown state: 'circle'. Valid: 'square', 'triangle', 'large'."),
        (("square", ["B"]), ValueError, "Unknown name in lock: 'B'. Valid: 'shape', 'size'"),
        (("square", "size"), TypeError, "list"),
    ],
)
def test_unknown_states_and_locks_are_refused_with_those_that_there_are(arguments, error, message):
    with pytest.raises(error, match=message):
        WALK.open(*arguments)


@pytest.fixture
def in_a_notebook(monkeypatch):
    import anywidget  # noqa: F401  it looks for IPython when it is imported

    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    kernel = SimpleNamespace(comm_manager=object())
    fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setitem(sys.modules, "IPython", fake)


def test_in_a_notebook_it_is_live_and_elsewhere_a_still(in_a_notebook, monkeypatch):
    panel = WALK.open("triangle", lock=["size"])
    assert panel.params == WALK.params("triangle") and panel.spec["lock"] == ["size"]
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert isinstance(WALK.open(), Still), "nobody can use it while it is graded"
    monkeypatch.delenv("NBGRADER_EXECUTION")
    nowhere = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=None))
    monkeypatch.setitem(sys.modules, "IPython", nowhere)
    assert isinstance(WALK.open(), Still), "a terminal"


def test_without_anywidget_the_still_says_what_to_install(in_a_notebook, monkeypatch):
    monkeypatch.delitem(sys.modules, "seq2seq_lib.course.explorers.kit.panel", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)  # an import of it fails
    still = WALK.open()
    assert isinstance(still, Still) and "pip install anywidget" in still.svg


def test_a_still_costs_no_widgets():
    import subprocess

    code = (
        "import sys\n"
        "from seq2seq_lib.course.explorers.mask_loss import explore\n"
        "assert explore('naive').svg.startswith('<svg')\n"
        "assert not {'ipywidgets', 'anywidget', 'IPython', 'matplotlib'} & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
