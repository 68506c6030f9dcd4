"""What the checks are made of is put back, also in the quick way between two calls."""

import sys
import types

import pytest
from classroom.kernel import Kept

SOURCE = """
class Task:
    def __init__(self):
        self.spec, self.parts = judge, ["a"]
    def judge(self):
        return "wrong"
def judge(*, strict={"on": True}):
    return "wrong"
TASK = Task()
"""


@pytest.fixture
def toy(monkeypatch):
    """A package with a module in it, as the course's."""
    for name in ("toy", "toy.course"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    module = sys.modules["toy.course"]
    exec(SOURCE, vars(module))
    return module


def right(*args):
    return "correct"


def another_space(toy):
    toy.TASK.__dict__ = {"spec": right, "parts": []}


CHANGES = {
    "a function": lambda toy: setattr(toy, "judge", right),
    "a method": lambda toy: setattr(toy.Task, "judge", right),
    "an object's own method": lambda toy: setattr(toy.TASK, "judge", right),
    "an attribute": lambda toy: setattr(toy.TASK, "spec", right),
    "all attributes": another_space,
    "a name less": lambda toy: delattr(toy, "TASK"),
    "a list": lambda toy: toy.TASK.parts.append("b"),
    "a default": lambda toy: toy.judge.__kwdefaults__.update(strict={}),
    "a code": lambda toy: setattr(toy.judge, "__code__", right.__code__),
}


def state(toy):
    task, judge = toy.TASK, toy.judge
    said = judge(), task.judge(), toy.Task.judge(task), task.spec()
    return said, vars(task)["parts"], sorted(vars(task)), judge.__kwdefaults__


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("everything", [False, True])
def test_what_an_answer_changed_is_put_back_and_named(change, everything, toy):
    kept = Kept("toy")
    before = repr(state(toy))
    assert kept.put_back(everything) == []
    CHANGES[change](toy)
    if change == "a code":
        kept.assigned.append(toy.judge)  # as the hook of a kernel does
    assert kept.put_back(everything)
    assert repr(state(toy)) == before
    assert kept.put_back(everything) == []
