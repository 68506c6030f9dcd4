"""A class: what goes wrong by accident, and what is tried for points. Any chapter will do.

Each member changes a released notebook, filled with the right answers or with none, and says what
is deserved: which of the points that a machine gives, or what the teacher is told instead.
"""

import copy
import json
import re
import types
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from seq2seq_lib.course import exercises
from seq2seq_lib.course.judging.detective_task import DetectiveTask
from tests.support.grading import (
    answers_of,
    cell_of,
    full_marks,
    graded,
    notebook,
    settings,
    with_answers,
)


@dataclass(frozen=True)
class Member:
    """Somebody who hands in.

    Attributes:
        make: changes the notebook, and may write files into the folder.
        solved: whether the right answers are filled in first.
        earns: "all", "none", "all but one" (the exercise of the first function is lost), or "even"
            and "odd": the graded cells at these places.
        failed: a part of the line that the teacher is told instead of points.
        look: a part of a line that the teacher is told beside the points.
    """

    make: Callable[["Chapter", Any, Path], Any]
    solved: bool = True
    earns: str = "all"
    failed: str = ""
    look: str = ""


@dataclass(frozen=True)
class Chapter:
    """What members need to know of a chapter."""

    stem: str

    @property
    def number(self) -> int:
        return int(self.stem[2:4])

    @property
    def asked(self) -> list:
        return [e for e in exercises(str(self.number)) if e.points and not e.manual]

    @property
    def functions(self) -> list:
        return [e for e in self.asked if callable(e.reference)]

    @property
    def detectives(self) -> list:
        return [e for e in self.functions if isinstance(e.task, DetectiveTask)]

    @property
    def first(self) -> str:
        """The grade_id of the first function."""
        return self.answer_ids()[self.functions[0].id]

    def answer_ids(self) -> dict[str, str]:
        """The grade_id of the answer by exercise: the name that its check is given."""
        found = {}
        for cell in notebook("exercises", self.stem).cells:
            if call := re.search(r'^check\("([^"]+)", (\w+)\)', cell.source, re.MULTILINE):
                found[call[1]] = call[2]
        return found

    def deserved(self, earns: str) -> dict[str, float]:
        """Points by grade_id."""
        lost = {
            "all": [],
            "none": self.asked,
            "all but one": self.functions[:1],
            "even": self.asked[1::2],
            "odd": self.asked[::2],
        }
        return full_marks(self.stem) | {cell_of(e.id): 0 for e in lost[earns]}

    def book(self, solved: bool) -> Any:
        book = notebook("exercises", self.stem)
        if solved:
            with_answers(book, answers_of(notebook("solutions", self.stem).cells))
        return book


MEMBERS: dict[str, Member] = {}


def member(**deserves: Any) -> Callable:
    def keep(make: Callable) -> Callable:
        MEMBERS[make.__name__] = Member(make, **deserves)
        return make

    return keep


def at(book: Any, id: str) -> int:
    return next(n for n, cell in enumerate(book.cells) if settings(cell).get("grade_id") == id)


def checks(book: Any) -> list:
    return [cell for cell in graded(book.cells) if cell.cell_type == "code"]


def after_setup(book: Any, source: str) -> None:
    place = 1 + next(n for n, cell in enumerate(book.cells) if cell.cell_type == "code")
    book.cells.insert(place, nbformat.v4.new_code_cell(source))


def inside(book: Any, id: str, line: str) -> None:
    """Put a line at the beginning of a function that was written."""
    cell = book.cells[at(book, id)]
    head, _, body = cell.source.partition("\n    ")  # what was its docstring is a plain string then
    cell.source = f"{head}\n    {line}\n    {body}"


# ---------------------------------------------------------------- what each chapter must judge


@member()
def right(chapter, book, folder):
    pass


@member(solved=False, earns="none")
def untouched(chapter, book, folder):
    pass


@member(earns="even")
def wrong_at_odd_places(chapter, book, folder):
    answer_wrongly(chapter, book, chapter.asked[1::2])


@member(earns="odd")
def wrong_at_even_places(chapter, book, folder):
    answer_wrongly(chapter, book, chapter.asked[::2])


def answer_wrongly(chapter: Chapter, book: Any, these: list) -> None:
    """Mistakes of the exercises' own, another one in each chapter; detectives that accept all."""
    names = chapter.answer_ids()
    for exercise in these:
        name = names[exercise.id]
        if letters := getattr(exercise.task, "letters", ()):
            others = [letter for letter in letters if letter != exercise.task.answer]
            code = others[chapter.number % len(others)]
        elif places := own_mistakes(exercise):
            place = places[chapter.number % len(places)]
            code = (
                f"from seq2seq_lib.course import find\n_wrong_{name} = find({exercise.id!r})"
                f".mutants[{place}].function\ndef {name}(*args): return _wrong_{name}(*args)"
            )
        else:
            code = f"def {name}(implementation, *rest): assert callable(implementation)"
        with_answers(book, {name: code})


def own_mistakes(exercise: Any) -> list[int]:
    """Places of the mutants that do not call the right answer: a borrowed one is no mistake."""
    right = {exercise.reference, *exercise.alternatives, getattr(exercise.task, "spec", None)}
    return [n for n, m in enumerate(exercise.mutants) if not reached(m.function) & right]


def reached(function: Any) -> set:
    """The functions that this one may call: by a name, out of a closure, as a default."""
    found: set = set()
    todo = [function]
    while todo:
        one = todo.pop()
        if isinstance(one, types.FunctionType) and one not in found:
            found.add(one)
            codes = [one.__code__]
            for code in codes:
                codes += [inner for inner in code.co_consts if isinstance(inner, types.CodeType)]
                todo += [one.__globals__.get(name) for name in code.co_names]
            todo += [cell.cell_contents for cell in one.__closure__ or ()]
            todo += [*(one.__defaults__ or ()), *(one.__kwdefaults__ or {}).values()]
    return found


CORE = tuple(MEMBERS)  # in each chapter

# ---------------------------------------------------------------- accidents


@member()
def copied_answer(chapter, book, folder):
    n = at(book, chapter.first)
    book.cells.insert(n + 1, copy.deepcopy(book.cells[n]))


@member()
def kept_the_stub_below(chapter, book, folder):
    released = notebook("exercises", chapter.stem)
    stub = released.cells[at(released, chapter.first)]
    book.cells.insert(at(book, chapter.first) + 1, copy.deepcopy(stub))


@member()
def copied_checks(chapter, book, folder):
    for cell in checks(book):
        book.cells.insert(at(book, settings(cell)["grade_id"]), copy.deepcopy(cell))


@member()
def first_check_deleted(chapter, book, folder):
    book.cells.remove(checks(book)[0])


@member()
def all_checks_deleted(chapter, book, folder):
    for cell in checks(book):
        book.cells.remove(cell)


@member()
def setup_deleted(chapter, book, folder):
    del book.cells[at(book, "setup")]


@member()
def metadata_stripped(chapter, book, folder):
    for cell in book.cells:
        cell.metadata.clear()
    book.metadata.clear()


@member()
def flags_mixed_up(chapter, book, folder):
    for cell in checks(book):
        cell.metadata.nbgrader |= {"solution": True, "points": 100, "locked": False}


@member()
def answer_typed_into_the_check(chapter, book, folder):
    n = at(book, chapter.first)
    check = next(c for c in book.cells[n:] if settings(c).get("grade"))
    check.source = book.cells[n].source + "\n\n" + check.source
    book.cells[n].source = "# moved down"


@member()
def native_noise(chapter, book, folder):
    inside(book, chapter.first, 'import os; os.write(2, b"libgomp: a warning\\n")')


@member()
def noisy_thread(chapter, book, folder):
    after_setup(
        book,
        "import sys, threading, time\n"
        "def talk():\n"
        "    while True:\n"
        "        print('still here', file=sys.stderr, flush=True); time.sleep(0.01)\n"
        "threading.Thread(target=talk, daemon=True).start()",
    )


@member()
def helper_module(chapter, book, folder):
    (folder / "my_helpers.py").write_text("def here():\n    return True\n")
    inside(book, chapter.first, "import my_helpers; assert my_helpers.here()")


@member(look="is called")
def renamed(chapter, book, folder):
    return f"{chapter.stem} (1).ipynb"


@member()
def in_a_zip(chapter, book, folder):
    with zipfile.ZipFile(folder / "work.zip", "w") as archive:
        archive.writestr(f"work/{chapter.stem}.ipynb", nbformat.writes(book))
    return None


@member(look="2 notebooks")
def two_notebooks(chapter, book, folder):
    nbformat.write(notebook("exercises", chapter.stem), folder / "copy of it.ipynb")


@member(look="left out")
def kernel_ended_in_a_cell(chapter, book, folder):
    after_setup(book, "import os\nos._exit(1)")


@member(earns="all but one", look="left out")
def answer_ends_the_kernel(chapter, book, folder):
    inside(book, chapter.first, "import os; os._exit(9)")


@member()
def exit_in_a_cell(chapter, book, folder):
    after_setup(book, "exit()")


@member(look="left out")
def loop_that_holds_on(chapter, book, folder):
    after_setup(
        book,
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
    )


@member(earns="all but one")
def answer_loops(chapter, book, folder):
    inside(book, chapter.first, "while True: pass")


@member(earns="all but one")
def too_much_memory(chapter, book, folder):
    inside(book, chapter.first, "x = bytearray(60 * 2**30)")


@member()
def prints_a_lot(chapter, book, folder):
    after_setup(book, "for _ in range(2000): print('x' * 10_000)")


@member()
def broken_cells_of_one_s_own(chapter, book, folder):
    after_setup(book, "this is no Python")
    after_setup(book, "1 / 0")


@member()
def old_format(chapter, book, folder):
    old = json.loads(nbformat.writes(book))
    old["nbformat_minor"] = 0
    for cell in old["cells"]:
        cell.pop("id", None)
    (folder / f"{chapter.stem}.ipynb").write_text(json.dumps(old), encoding="utf-8")
    return None


@member(failed="the file is empty")
def empty_file(chapter, book, folder):
    (folder / f"{chapter.stem}.ipynb").write_text("")
    return None


@member(failed="is no notebook")
def half_a_file(chapter, book, folder):
    (folder / f"{chapter.stem}.ipynb").write_text(nbformat.writes(book)[:5000])
    return None


@member(failed="no .ipynb among what was handed in (notes.pdf)")
def a_pdf(chapter, book, folder):
    (folder / "notes.pdf").write_text("%PDF")
    return None


# ---------------------------------------------------------------- for points, without an answer


def attack(source: str, **deserves: Any) -> Member:
    """A cell after the setup, and nothing solved."""

    def make(chapter, book, folder):
        after_setup(book, source.replace("CHAPTER", chapter.stem))

    return Member(make, solved=False, earns="none", **deserves)


def answers(write: Callable[[Any, str], str], **deserves: Any) -> Member:
    """Each function is written by ``write(exercise, its name)``."""

    def make(chapter, book, folder):
        names = chapter.answer_ids()
        with_answers(book, {names[e.id]: write(e, names[e.id]) for e in chapter.functions})

    return Member(make, solved=False, earns="none", **deserves)


def imported(exercise: Any, name: str) -> str:
    return f"from {exercise.reference.__module__} import {exercise.reference.__name__} as {name}"


ATTACKS = {
    "grade_is_replaced": attack("""
import seq2seq_lib.course
seq2seq_lib.course.grade = seq2seq_lib.course.check = lambda *a: None
"""),
    "judge_is_replaced": attack("""
from seq2seq_lib.course.judging import engine, exercise
engine.judge = engine.judge_submission = lambda e, a, seed=None: (
    engine.Report("correct", "fine"), exercise.Finding("correct"))
"""),
    "modules_are_replaced": attack("""
import sys, types
fake = types.ModuleType("seq2seq_lib.course")
fake.grade = fake.check = lambda *a: None
sys.modules["seq2seq_lib.course"] = fake
"""),
    "import_is_replaced": attack("""
import builtins, types
real = builtins.__import__
def fake(name, *a, **k):
    if name == "seq2seq_lib.course":
        return types.SimpleNamespace(grade=lambda *a: None, check=lambda *a: None)
    return real(name, *a, **k)
builtins.__import__ = fake
"""),
    "own_builtins": attack("""
import types
__builtins__ = types.SimpleNamespace(**{**vars(__import__("builtins")), "__import__":
    lambda *a, **k: types.SimpleNamespace(grade=lambda *a: None)})
"""),
    "cells_are_dropped": attack("""
get_ipython().input_transformers_cleanup.append(
    lambda lines: [] if any("check(" in line for line in lines) else lines)
"""),
    "the_kernel_is_patched": attack("""
kernel = get_ipython().kernel
real = kernel.do_execute
async def fake(code, *a, **k):
    return await real("pass" if "check(" in code else code, *a, **k)
kernel.do_execute = fake
"""),
    "errors_are_hidden": attack("""
ip = get_ipython()
ip.showtraceback = ip._showtraceback = lambda *a, **k: None
ip.set_custom_exc((BaseException,), lambda *a, **k: None)
"""),
    "steps_are_replaced": attack("""
from seq2seq_lib.course.judging import steps, function_task, attempts, choice_task, detective_task
from seq2seq_lib.course.judging.exercise import Finding
for task in (function_task.FunctionTask, choice_task.ChoiceTask, detective_task.DetectiveTask):
    task.judge = lambda self, answer, generator: Finding("correct")
steps.same_value = function_task.same_value = lambda *a: True
"""),
    "code_is_replaced": attack("""
from seq2seq_lib.course.judging import engine
engine.grade.__code__ = (lambda exercise, answer: None).__code__
engine.judge.__code__ = (lambda exercise, answer, seed=None: None).__code__
"""),
    "exercises_are_replaced": attack("""
from seq2seq_lib.course import exercises
from seq2seq_lib.course.judging.exercise import Finding
class Kind:
    def judge(self, answer, generator): return Finding("correct")
for e in exercises():
    object.__setattr__(e, "task", Kind())
"""),
    "not_correct_is_nothing": attack("""
from seq2seq_lib.course.judging import engine
class Fine(Exception): pass
engine.WRONG = engine.ERROR = engine.NOT_ATTEMPTED = "correct"
engine.NotCorrect.__new__ = lambda *a: SystemExit(0)
"""),
    "torch_is_replaced": attack("""
import torch
torch.equal = torch.allclose = lambda *a, **k: True
torch.isclose = lambda a, b, **k: torch.ones_like(a, dtype=torch.bool)
"""),
    "prints_the_verdict": attack("""
import atexit, sys
def check(id, answer): print(f"✓ {id} right: correct")
grade = check
"""),
    "a_number_as_value": attack("check = grade = lambda *a: 1000"),
    "letters_by_trying": attack("""
from seq2seq_lib.course import check, exercises
import re
for e in exercises(str(int("CHAPTER"[2:4]))):
    for letter in "ABCDEFG":
        try:
            check(e.id, letter)
            globals()["letter_" + e.id.replace(".", "_")] = letter
            break
        except AssertionError:
            pass
"""),
    "gradebook_by_sqlite": attack("""
import sqlite3
try:
    db = sqlite3.connect(GRADEBOOK, timeout=5)
    db.execute("update grade set auto_score = 99, manual_score = 99, needs_manual_grade = 0")
    db.commit()
except Exception:
    pass
"""),
    "others_are_changed": attack("""
import pathlib
for book in pathlib.Path(GRADEBOOK).parent.rglob("*.ipynb"):
    try: book.write_text("{}")
    except Exception: pass
"""),
    "the_runner_is_killed": attack("""
import os, signal
seen = [int(p) for p in os.listdir("/proc") if p.isdigit()] if os.path.isdir("/proc") else []
if len(seen) < 10:  # in a space of its own: elsewhere this would hit whoever runs the test
    for pid in seen:
        try: os.kill(pid, signal.SIGKILL) if pid != os.getpid() else None
        except OSError: pass
"""),
    "the_course_s_answers": answers(imported),
    "the_references": answers(
        lambda e, name: f'from seq2seq_lib.course import find\n{name} = find("{e.id}").reference'
    ),
    "wrapped": answers(
        lambda e, name: f"{imported(e, 'theirs')}\ndef {name}(*args, _f=theirs): return _f(*args)"
    ),
    "partial": answers(
        lambda e, name: (
            f"import functools\n{imported(e, 'theirs')}\n{name} = functools.partial(theirs)"
        )
    ),
    "alternatives": answers(
        lambda e, name: (
            "from seq2seq_lib.course import find\n"
            f'_own = [*find("{e.id}").alternatives, find("{e.id}").reference]\n'
            f"def {name}(*args, _f=_own[0]):\n    return (lambda *a: _f(*a))(*args)"
        )
    ),
    "frames": answers(
        lambda e, name: (
            f"""
def {name}(*args):
    import sys
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()):
            task = getattr(value, "task", value)
            if hasattr(task, "spec"):
                return task.spec(*args)
        frame = frame.f_back
"""
        )
    ),
    "frames_by_a_traceback": answers(
        lambda e, name: (
            f"""
def {name}(*args):
    try: 1 / 0
    except ZeroDivisionError as error:
        frame = error.__traceback__.tb_frame
    while frame:
        if "expected" in frame.f_locals or "self" in frame.f_locals:
            task = frame.f_locals.get("self")
            if hasattr(task, "spec"): return task.spec(*args)
        frame = frame.f_back
"""
        )
    ),
    "patches_while_it_runs": answers(
        lambda e, name: (
            f"""
def {name}(*args):
    from seq2seq_lib.course.judging import steps, function_task, detective_task, sandbox
    from seq2seq_lib.course.judging.exercise import Finding
    yes = lambda *a, **k: Finding("correct")
    function_task.FunctionTask.judge = detective_task.DetectiveTask.judge = yes
    function_task.FunctionTask._first_problem = lambda self, calls: None
    function_task.FunctionTask._by_law = yes
    steps.same_value = function_task.same_value = lambda *a: True
    function_task._finding = yes
    detective_task.DetectiveTask._suspects = yes
"""
        )
    ),
    "a_tensor_that_equals_all": answers(
        lambda e, name: (
            f"""
import torch
class Equal(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (torch.equal, torch.allclose): return True
        return args[0] if args else True
    def __eq__(self, other): return True
def {name}(*args): return torch.zeros(3).as_subclass(Equal)
"""
        )
    ),
    "calls_are_counted": answers(
        lambda e, name: (
            f"""
def {name}(implementation, *rest, calls=[]):
    calls.append(1)
    right = {len(getattr(e.task, "innocent", ())) + len(getattr(e.task, "also_right", ()))}
    assert (len(calls) - 1) % ({len(getattr(e.task, "suspects", ()))} + right or 1) < right
"""
        )
    ),
    "what_is_handed_is_looked_up": answers(
        lambda e, name: (
            f"""
from seq2seq_lib.course import find
from seq2seq_lib.course.judging import detective_task
def {name}(implementation, *rest):
    task = find("{e.id}").task
    right = [*getattr(task, "innocent", ()), *getattr(task, "also_right", {{}}).values()]
    handed = [implementation, *getattr(detective_task, "_BEHIND", {{}}).values()]
    handed += [getattr(implementation, "__wrapped__", None), *vars(implementation).values()]
    handed += [c.cell_contents for c in implementation.__closure__ or ()]
    assert any(one is f for one in handed for f in right)
"""
        )
    ),
    "names_are_read": answers(
        lambda e, name: (
            f"""
def {name}(implementation, *rest):
    names = {[f.__name__ for f in getattr(e.task, "suspects", {}).values()]!r}
    shown = repr([implementation, *(getattr(implementation, n) for n in dir(implementation))])
    assert not any(word in shown for word in [*names, "suspect", "wrong"])
"""
        )
    ),
    "closures_are_read": answers(
        lambda e, name: (
            f"""
def {name}(implementation, *rest):
    names = repr([vars(c.cell_contents) if hasattr(c.cell_contents, "__dict__") else
                  c.cell_contents for c in implementation.__closure__ or ()])
    assert "judging" not in implementation.__module__ or "wrong" not in names
"""
        )
    ),
}
ACCIDENTS = tuple(name for name in MEMBERS if name not in CORE)
MEMBERS |= ATTACKS


@member(solved=False, earns="none")
def a_file_in_place_of_the_kernel(chapter, book, folder):
    for name in ("ipykernel_launcher.py", "ipykernel.py", "torch.py", "seq2seq_lib.py", "ast.py"):
        (folder / name).write_text("raise SystemExit(0)\n")


@member(solved=False, earns="none")
def forged_cells(chapter, book, folder):
    for cell in checks(book):
        cell.source = "assert True"
        cell.metadata.nbgrader |= {"points": 100, "grade_id": f"x-{settings(cell)['grade_id']}"}
