"""What an explorer declares, and what follows from it: on a toy, and on all that there are."""

import importlib
import inspect
import pkgutil
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from seq2seq_lib.course import explorers
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question
from seq2seq_lib.course.explorers.kit.still import Still
from tests.course.explorers.kit.toy import WALK
from tests.support.pictures import parsed, unreadable

MODULES = [
    importlib.import_module(f"{explorers.__name__}.{found.name}")
    for found in pkgutil.iter_modules(explorers.__path__)
]
EVERY = {m.EXPLORER.name: m.EXPLORER for m in MODULES if hasattr(m, "EXPLORER")}


def keys(view) -> list[list[str]]:
    return [[data["key"] for data in row] for row in view["rows"]]


# ---------------------------------------------------------------- all that there are


def test_there_are_the_explorers_that_chapters_open():
    assert set(EVERY) >= {"mask_loss", "pad_drift", "search_tree"}
    for module in MODULES:
        if hasattr(module, "EXPLORER"):
            assert module.explore == module.EXPLORER.open, "one line"


@pytest.mark.parametrize("explorer", EVERY.values(), ids=EVERY)
def test_every_state_fits_the_controls_and_every_parameter_has_one(explorer):
    for state in explorer.states:
        explorer.validate(explorer.params(state))
    assert set(explorer.film) <= set(explorer.states)
    names = {control.name for control in explorer.all_controls()}
    assert names == set(inspect.signature(explorer.compute).parameters)


@pytest.mark.parametrize("explorer", EVERY.values(), ids=EVERY)
def test_every_move_from_every_state_has_a_view_whose_answer_is_offered(explorer):
    for state in explorer.states:
        params = explorer.params(state)
        for control in explorer.all_controls():
            if not control.matters(params):
                continue
            for value in (control.values(params)[0], control.values(params)[-1]):
                moved = explorer.move(params, control.key, value)
                explorer.validate(moved)
                view = explorer.view(moved)
                answers = [answer["value"] for answer in view["question"]["answers"]]
                assert view["answer"] in answers and view["why"].endswith(".")


@pytest.mark.parametrize("explorer", EVERY.values(), ids=EVERY)
def test_pictures_are_drawn_with_the_five_colours_that_the_panel_knows(explorer):
    style = inspect.getsourcefile(Explorer).replace("explorer.py", "panel.css")
    with open(style, encoding="utf-8") as file:
        css = file.read()
    for state in explorer.states:
        root = parsed(explorer.picture(state))
        assert unreadable(root) == []
        for element in root.iter():
            for attribute in ("fill", "stroke"):
                colour = element.get(attribute)
                if colour and colour != "none":
                    assert f'[{attribute}="{colour}"]' in css, "without a rule it stays as it is"


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


def test_a_move_is_checked_tidied_and_forgets_what_does_not_matter():
    large = WALK.params("large")
    moved = WALK.move({**large, "step": 4}, "shape", "triangle")
    assert moved == {"shape": "triangle", "size": 2, "step": 3, "turns": (0, 1)}
    assert WALK.move(large, "turns[1]", 0)["turns"] == (0, 0)
    for key, locked in (("size", {"size"}), ("nothing", set())):
        with pytest.raises(ValueError, match=f"'{key}' cannot be moved now"):
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
