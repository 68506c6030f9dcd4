"""docs/authoring.md says what there is: its examples run, its files exist, no field is left out."""

import ast
import inspect
import re
import textwrap
import tomllib
from dataclasses import fields
from pathlib import Path

import build_notebooks
import pytest

from seq2seq_lib.course import atlas
from seq2seq_lib.course.explorers.kit.explorer import Explorer, Question, State, Verdict
from seq2seq_lib.course.judging import steps
from seq2seq_lib.course.judging.choice_task import choice
from tests.course.test_every_exercise import references_in_clear
from tests.support.submissions import TRICKS, Round, Wrong

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")


def block(start: str) -> str:
    """The example that begins so."""
    found = re.findall(r"^ *```\w*\n(.*?)^ *```", TEXT, flags=re.MULTILINE | re.DOTALL)
    (text,) = [text for text in map(textwrap.dedent, found) if text.startswith(start)]
    return text


def test_the_example_of_a_letter_is_an_exercise_and_gives_nothing_away():
    code = block("EXERCISES = (\n    choice(")
    assert references_in_clear(code) == []
    names = {"choice": choice, "words_beside": lambda file: None}
    exec(code, names | {"__file__": ""}, made := {})
    (exercise,) = made["EXERCISES"]
    (printed,) = re.findall(r"judging\.seal (A=.*)", TEXT)
    said = [f"{letter}={reason}" for letter, reason in exercise.task.reasons.items()]
    assert said == printed.split() and exercise.reference == "B"


def test_the_example_of_submissions_is_a_round():
    exec(block("ROUND = "), {"Round": Round, "Wrong": Wrong, "TRICKS": TRICKS}, made := {})
    assert isinstance(made["ROUND"], Round)


def test_the_example_of_a_place_on_the_map_has_every_fact():
    facts = tomllib.loads(block("title = "))
    assert {name: type(fact) for name, fact in facts.items()} == atlas.FACTS


def names_of(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def test_the_example_of_submissions_gives_every_field():
    calls = [n for n in ast.walk(ast.parse(block("ROUND = "))) if isinstance(n, ast.Call)]
    given = {call.func.id: [k.arg for k in call.keywords] for call in calls}
    assert given["Round"] == names_of(Round)
    assert given["Wrong"] == names_of(Wrong)


@pytest.mark.parametrize("kind", [Explorer, State, Question, Verdict])
def test_an_explorers_parts_are_listed_with_every_field(kind):
    assert f"`{kind.__name__}({', '.join(names_of(kind))})`" in TEXT


def test_every_general_step_is_named():
    made = inspect.getmembers(steps, inspect.isfunction)
    general = [name for name, function in made if (function.__doc__ or "").startswith("A step:")]
    assert len(general) >= 4
    assert [name for name in general if f"`{name}`" not in TEXT] == []


def test_files_that_are_named_exist():
    paths = set(re.findall(r"(?<![\w/])(?:tests|tools|docs|benchmarks|seq2seq_lib)/[\w./]*", TEXT))
    real = {path.rstrip(".") for path in paths if not re.search(r"STEM|NAME|/exN_", path)}
    assert len(real) > 10
    assert [path for path in sorted(real) if not (ROOT / path).exists()] == []


def test_the_commands_of_build_notebooks_exist_and_are_all_named():
    said = set(re.findall(r"python tools/build_notebooks\.py (\w+)", TEXT))
    (there,) = re.findall(r"build_notebooks\.py ([\w |]+)", build_notebooks.__doc__)
    assert said == {name.strip() for name in there.split("|")}


def test_what_judges_an_exercise_and_an_explorer_is_among_the_commands():
    """They belong to no chapter, so `pytest tests/course/STEM` leaves them out."""
    commands = re.findall(r"^python -m pytest (.*)$", TEXT, flags=re.MULTILINE)
    for file in ("tests/course/test_every_exercise.py", "tests/course/explorers"):
        assert [command for command in commands if file in command]
