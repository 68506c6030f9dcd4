"""Every explorer, found: its states, its film, every control moved, its veil, its table.

What it computes and draws is tested beside it. That states fit the controls, that the film names
states, and that each parameter has a control is refused by ``Explorer`` itself, on import.
"""

import dataclasses
import gzip
import importlib
import json
import pkgutil
from pathlib import Path

import pytest

from seq2seq_lib.course import explorers
from seq2seq_lib.course.explorers.kit import table as tables
from seq2seq_lib.course.explorers.kit.explorer import Explorer
from seq2seq_lib.course.explorers.kit.still import Still
from tests.support.pictures import SVG, drawn, follow, of_class, parsed, unreadable, words

FOLDERS = [m.name for m in pkgutil.iter_modules(explorers.__path__) if m.name != "kit"]
MODULES = [importlib.import_module(f"{explorers.__name__}.{name}") for name in FOLDERS]
EXPLORERS = [module.EXPLORER for module in MODULES if hasattr(module, "EXPLORER")]
CSS = (Path(explorers.__file__).parent / "kit" / "panel.css").read_text(encoding="utf-8")

for_every_explorer = pytest.mark.parametrize("explorer", EXPLORERS, ids=lambda one: one.name)
for_every_state = pytest.mark.parametrize(
    ("explorer", "state"),
    [
        pytest.param(one, state, id=f"{one.name}-{state}")
        for one in EXPLORERS
        for state in one.states
    ],
)


def test_explorers_are_found():
    assert len(EXPLORERS) >= 3  # or the tests below ask nothing


@pytest.mark.parametrize("module", MODULES, ids=FOLDERS)
def test_a_folder_holds_the_explorer_of_its_name(module):
    name = module.__name__.rpartition(".")[2]
    if hasattr(module, "explorer_of"):
        pytest.skip("made anew for what each caller gives")
    assert isinstance(getattr(module, "EXPLORER", None), Explorer), (
        f"{name}/__init__.py needs EXPLORER = Explorer(...)"
    )
    assert module.EXPLORER.name == name, f"name={name!r}, as its folder is called"
    assert module.explore == module.EXPLORER.open, "add: explore = EXPLORER.open"


@for_every_state
def test_every_move_has_a_view_whose_answer_is_offered(explorer, state):
    params = explorer.params(state)
    for control in explorer.all_controls():
        if not control.matters(params):
            continue
        for value in (control.values(params)[0], control.values(params)[-1]):
            moved = explorer.move(params, control.key, value)
            explorer.validate(moved)
            view = explorer.view(moved)  # refuses an answer that is not offered
            if view["question"] is not None:
                where = f"{explorer.name}, {state}, {control.key} moved to {value!r}"
                assert view["why"].endswith("."), f"{where}: the verdict's why is no sentence"


def parts(result):
    """A result and the results within it."""
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        yield result
        result = [getattr(result, field.name) for field in dataclasses.fields(result)]
    if isinstance(result, dict):
        result = list(result.values())
    for part in result if isinstance(result, list | tuple) else ():
        yield from parts(part)


@for_every_explorer
def test_what_was_computed_cannot_be_changed_by_who_draws_it(explorer):
    """A result may be kept for the next view."""
    found = {
        type(part): part
        for name in explorer.states
        for part in parts(explorer.compute(**explorer.params(name)))
    }
    assert found
    for part in found.values():
        field = dataclasses.fields(part)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, field, getattr(part, field))


@for_every_state
def test_both_pictures_can_be_read(explorer, state):
    view = explorer.view(explorer.params(state))
    for name in ("open", "veiled"):
        if view[name] is None:
            continue
        root = parsed(view[name])
        assert unreadable(root) == []
        for element in root.iter():
            for attribute in ("fill", "stroke"):
                colour = element.get(attribute)
                if colour and colour != "none":
                    assert f'[{attribute}="{colour}"]' in CSS, (
                        f"{name}: {attribute} {colour} has no rule in panel.css, so it would stay "
                        "as it is on a dark page: take a colour of kit/svg.py"
                    )


@for_every_state
def test_veiled_there_is_one_veil_and_the_words_of_the_answer_are_gone(explorer, state):
    view = explorer.view(explorer.params(state))
    if view["veiled"] is None:
        pytest.skip("it asks nothing, so it veils nothing")
    shown, veiled = parsed(view["open"]), parsed(view["veiled"])
    assert len(of_class(veiled, "veil")) == 1, "draw(result, veiled=True) draws kit/svg.py's veil"
    assert of_class(shown, "veil") == [], "draw(result) draws no veil"
    assert veiled.get("height") == shown.get("height"), "or the page jumps when it opens"
    for told in (view["why"], shown.find(f"{SVG}desc").text):
        assert told not in " ".join([*words(veiled), veiled.find(f"{SVG}desc").text])


@for_every_state
def test_a_still_shows_the_film_or_the_state_alone(explorer, state):
    shown = parsed(Still.of(explorer, state).svg).find(f"{SVG}title").text
    for name in explorer.film if state in explorer.film else [state]:
        assert explorer.states[name].caption in shown


@for_every_explorer
def test_every_link_leads_to_what_the_kernel_would_show_and_the_table_is_small(explorer):
    table = tables.table(explorer)
    data = tables.packed(table)
    assert len(data) <= tables.LIMIT == 300_000
    assert json.loads(gzip.decompress(data)) == json.loads(json.dumps(table))
    assert set(table["starts"]) == set(explorer.states)
    checked = 0
    for state, index in table["starts"].items():
        params = explorer.params(state)
        for row in table["views"][index]["rows"]:
            for shown in row:
                values = (
                    [option["value"] for option in shown["options"]]
                    if "options" in shown
                    else range(shown["low"], shown["high"] + 1)
                )
                assert len(values) == len(shown["to"]) >= 2
                for value in (values[0], values[-1]):
                    there = table["views"][follow(table, index, shown["key"], value)]
                    view = explorer.view(explorer.move(params, shown["key"], value))
                    for picture in ("open", "veiled"):
                        assert drawn(table, there[picture]) == view[picture]
                    assert [there[k] for k in ("question", "answer", "why")] == [
                        view[k] for k in ("question", "answer", "why")
                    ]
                    checked += 1
    assert checked > 10
