"""The kernel in which a submission runs: python -P kernel.py SETTINGS.json

It keeps what the checks are made of as it was before the learner's first line, puts it back before
each graded cell and after each call of an answer, and judges graded cells itself: no cell of the
notebook can stand in for them. Beside each answer that earns points it judges a known wrong one,
which must be rejected, and the course's own, which must be accepted.

This holds against what one line can do. It is no wall against somebody who works at it: learner and
judge share a process. ``isolation`` is the wall around both.
"""

import ast
import builtins
import contextlib
import gc
import hmac
import importlib
import io
import json
import os
import random
import sys
import types
from collections.abc import Callable, Iterator
from itertools import chain
from operator import is_
from typing import Any

GRADED = "#graded "
# beside the library's own modules, these are put back, too: the checks compute and look with them
ALSO_KEPT = (
    "builtins", "torch", "torch.nn.functional", "torch.testing", "math", "inspect", "ast", "dis",
    "traceback", "textwrap", "functools", "contextlib", "itertools", "operator", "re", "base64",
    "zlib", "json", "io", "string", "linecache",
)  # fmt: skip
FRAMES = ("tb_frame", "gi_frame", "cr_frame", "ag_frame")
PARTS = ("__code__", "__defaults__", "__kwdefaults__")  # of a function
INSPECTING = (
    "sys._getframe", "sys._current_frames", "sys.settrace", "sys.setprofile", "gc.get_objects",
    "gc.get_referrers", "gc.get_referents",
)  # fmt: skip
DISTURBED = (
    "The checks do not judge known answers as they should in this notebook, so this one has no "
    "points. Does a cell replace a function of the course, of torch or of Python?"
)


class Kept:
    """Modules, classes, functions and exercises as they are now.

    Attributes:
        assigned: functions that were given another code since; the hook of ``_watching`` says.
    """

    def __init__(self, package: str, also: tuple[str, ...] = ()) -> None:
        self._modules = {name: m for name, m in sys.modules.items() if name != "__main__"}
        own = [m for name, m in sys.modules.items() if f"{name}.".startswith(f"{package}.")]
        self.assigned: list[Any] = []
        self._seen: set[int] = set()
        self._spaces: list[tuple[Any, dict[str, Any], bool]] = []  # whose, names, is it ours
        self._functions: dict[int, tuple[Any, tuple]] = {}
        self._contents: list[tuple[Any, Any]] = []
        for module in own:
            self._space(module, ours=True)
            for value in list(vars(module).values()):
                self._reach(value, package)
        self._count = len(self._spaces)
        for name in also:
            self._space(importlib.import_module(name), ours=False)
        if "torch" in also:
            self._space(sys.modules["torch"].Tensor, ours=False)
        self._look_closely()

    def put_back(self, everything: bool = True) -> list[str]:
        """Undo what was changed; says what, in a few words."""
        changed = self._code_back(everything)
        if not everything and self._untouched():
            return changed
        if everything:
            for name, module in self._modules.items():
                if sys.modules.get(name) is not module:
                    sys.modules[name] = module
                    changed.append(f"sys.modules[{name!r}]")
        for holder, names, ours in self._spaces if everything else self._spaces[: self._count]:
            changed += _names_back(holder, names, ours)
        for container, content in self._contents:
            if type(content)(container) != content:
                container.clear()
                (container.update if isinstance(content, dict) else container.extend)(content)
                changed.append("the parts of an exercise")
        return changed

    def _code_back(self, everything: bool) -> list[str]:
        """Of all functions, or of those that were assigned to: reading a code takes its time."""
        changed = []
        these = self._functions.keys()
        if not everything:
            these &= {id(function) for function in self.assigned}
        for function, parts in [self._functions[this] for this in these]:
            if _parts(function) != parts:
                function.__code__, function.__defaults__, function.__kwdefaults__ = parts
                changed.append(f"the code of {function.__name__}")
        self.assigned.clear()
        return changed

    def _look_closely(self) -> None:
        """What ``_untouched`` compares: live views of names, and the very objects in them."""
        holders = [holder for holder, _, _ in self._spaces[: self._count]]
        self._named = [vars(holder) for holder in holders]
        self._values = [names.values() for names in self._named]
        self._objects = [*chain(*self._named)], [*chain(*self._values)]
        instances = [h for h in holders if not isinstance(h, type | types.ModuleType)]
        self._instances = instances, [*map(vars, instances)]

    def _untouched(self, all: Any = all, map: Any = map, len: Any = len, sum: Any = sum) -> bool:
        """Whether each name of ours means the same object: quick, for each call of an answer asks.

        No object is asked what it equals, and Python's functions are those of the start.
        """
        names, objects = self._objects
        instances, spaces = self._instances
        return (
            sum(map(len, self._named)) == len(names)
            and all(map(is_, chain.from_iterable(self._named), names))
            and all(map(is_, chain.from_iterable(self._values), objects))
            and all(map(is_, map(vars, instances), spaces))
            and all(container == content for container, content in self._contents)
        )

    def _space(self, holder: Any, ours: bool) -> None:
        self._spaces.append((holder, dict(vars(holder)), ours))

    def _reach(self, value: Any, package: str) -> None:
        """Functions, classes and objects of the package, and what exercises hold."""
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, types.FunctionType):
            if f"{value.__module__}.".startswith(f"{package}."):
                self._functions[id(value)] = value, _parts(value)
                if value.__kwdefaults__:
                    self._contents.append((value.__kwdefaults__, dict(value.__kwdefaults__)))
        elif isinstance(value, tuple):
            for item in value:
                self._reach(item, package)
        elif isinstance(value, type):
            if f"{value.__module__}.".startswith(f"{package}."):
                self._space(value, ours=True)
                for item in list(vars(value).values()):
                    self._reach(getattr(item, "fget", getattr(item, "__func__", item)), package)
        elif f"{type(value).__module__}.".startswith(f"{package}.course."):
            if hasattr(value, "__dict__"):
                self._space(value, ours=True)
                for item in list(vars(value).values()):
                    self._reach(item, package)
                    if type(item) in (dict, list):
                        self._contents.append((item, type(item)(item)))


def _parts(function: Any) -> tuple:
    return function.__code__, function.__defaults__, function.__kwdefaults__


def _names_back(holder: Any, names: dict[str, Any], ours: bool) -> list[str]:
    now = vars(holder)
    called = getattr(holder, "__name__", type(holder).__name__)
    changed = []
    for name, value in names.items():
        if now.get(name, names) is not value:
            with contextlib.suppress(AttributeError, TypeError):
                _set(holder, name, value)
                if not name.startswith("__"):
                    changed.append(f"{called}.{name}")
    if ours and len(now) != len(names):
        for name in [name for name in now if name not in names]:
            if isinstance(now[name], types.ModuleType) or name.startswith("__"):
                continue  # a part that was loaded late
            with contextlib.suppress(AttributeError, TypeError):
                _remove(holder, name)
                changed.append(f"{called}.{name}")
    return changed


def _set(holder: Any, name: str, value: Any) -> None:
    if isinstance(holder, type | types.ModuleType):
        setattr(holder, name, value)
    else:
        object.__setattr__(holder, name, value)  # exercises are frozen


def _remove(holder: Any, name: str) -> None:
    if isinstance(holder, type | types.ModuleType):
        delattr(holder, name)
    else:
        object.__delattr__(holder, name)


def judging(chapter: str) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """What judges a graded cell. Loads the course; from here on its parts are kept as they are."""
    from seq2seq_lib.course import exercises, find
    from seq2seq_lib.course.judging import choice_task, engine, sandbox, seal, settings

    exercises(chapter)
    importlib.import_module("seq2seq_lib.laws")
    on = _Flag()
    right = {e.id: e.reference for e in exercises(chapter)}
    wrong = {e.id: _wrong_answers(e) for e in exercises(chapter)}
    _only_in_graded_cells(on, engine, choice_task, seal)
    for exercise in exercises(chapter):
        if isinstance(exercise.reference, str):  # a letter is no secret, but nothing to look up
            object.__setattr__(exercise, "reference", None)
    settings.ALSO_PUT_BACK.append(lambda: kept.put_back(everything=False))
    kept = Kept("seq2seq_lib", ALSO_KEPT)
    judge, known, draw = engine.judge, find, random.SystemRandom()
    _watching(on, kept)

    def undisturbed(id: str) -> bool:
        """Whether a known wrong answer is rejected, and the course's own accepted."""
        exercise = known(id)
        for answer, accepted in ((draw.choice(wrong[id]), False), (right[id], True)):
            if (judge(exercise, answer)[1].state == engine.CORRECT) is not accepted:
                return False
        return True

    def graded(code: str, names: dict[str, Any]) -> dict[str, Any]:
        changed = kept.put_back()
        out, value, error = io.StringIO(), None, None
        with on.while_graded(), sandbox.quiet(), contextlib.redirect_stdout(out):
            try:
                value = _run(code, {**names, "__builtins__": builtins})
            except engine.NotCorrect as raised:
                error = ["NotCorrect", str(raised)]
            except BaseException as raised:
                error = [type(raised).__name__, sandbox.last_line(raised)]
            changed += kept.put_back()
            if error is None:
                try:
                    fair = all(map(undisturbed, _checked(code)))
                except BaseException as raised:
                    fair, changed = False, [*changed, sandbox.last_line(raised)]
                if not fair:
                    error = ["Disturbed", DISTURBED]
        earned = value if type(value) in (int, float) else None
        printed = out.getvalue()
        return {"printed": printed, "earned": earned, "error": error, "changed": changed[:5]}

    return graded


class _Flag:
    """Whether a graded cell is at work."""

    def __init__(self) -> None:
        self.up = False

    @contextlib.contextmanager
    def while_graded(self) -> Iterator[None]:
        self.up = True
        try:
            yield
        finally:
            self.up = False


def _wrong_answers(exercise: Any) -> list[Any]:
    """Answers that must earn nothing."""
    if letters := getattr(exercise.task, "letters", None):
        return [letter for letter in letters if letter != exercise.task.answer]
    return [m.function for m in exercise.mutants] or [lambda *args, **kwargs: None]


def _only_in_graded_cells(on: _Flag, engine: Any, choice_task: Any, seal: Any) -> None:
    """Outside of its cell a check says nothing here, and no letter can be read."""
    grade, unsealed = engine.grade, seal.unseal

    def quiet_grade(exercise: Any, answer: Any) -> float | None:
        if on.up:
            return grade(exercise, answer)
        print(f"{exercise.id}: this copy of a check is not graded; its own cell is.")
        return None

    def unseal(sealed: str) -> dict[str, str]:
        if not on.up:
            raise RuntimeError("Letters are not unsealed while a notebook is graded.")
        return unsealed(sealed)

    engine.grade = engine.check = quiet_grade
    engine.solution = lambda exercise: print("No solutions are shown while a notebook is graded.")
    seal.unseal = choice_task.unseal = unseal


def _watching(on: _Flag, kept: Kept) -> None:
    """An answer may not look into the check that calls it, and no code is changed unnoticed.

    Such a hook cannot be removed.
    """
    from ipykernel.compiler import get_tmp_directory

    cells, frame_of, busy = get_tmp_directory(), sys._getframe, [False]

    def hook(event: str, args: tuple) -> None:
        if event == "object.__setattr__" and args[1] in PARTS:
            kept.assigned.append(args[0])
        if not on.up or busy[0]:
            return
        if event not in INSPECTING and not (event == "object.__getattr__" and args[1] in FRAMES):
            return
        busy[0] = True
        try:
            frame = frame_of(1)
            while frame and frame.f_code.co_filename.endswith(("/inspect.py", "/traceback.py")):
                frame = frame.f_back
            where = frame.f_code.co_filename if frame else ""
        finally:
            busy[0] = False
        if where.startswith(cells) or where in ("<string>", "<stdin>"):
            raise RuntimeError("An answer may not look into the check that calls it.")

    sys.addaudithook(hook)


def _run(code: str, names: dict[str, Any]) -> Any:
    """Execute a cell; the value of its last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<graded>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<graded>", "eval"), names) if last else None


def _checked(code: str) -> list[str]:
    """The ids that a cell checks."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"
    ]


def kernel_class(graded: Callable, secret: str) -> type:
    from ipykernel.ipkernel import IPythonKernel

    digest, dumps = hmac.digest, json.dumps

    class Kernel(IPythonKernel):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            # exit() would end the kernel some cells later, and cost what stands there
            self.shell.ask_exit = lambda: print("exit() ends nothing while this is graded.")

        async def do_execute(self, code: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
            mark = f"{GRADED}{secret} "
            if not code.startswith(mark):
                return await super().do_execute(code, *args, **kwargs)
            nonce, _, source = code[len(mark) :].partition("\n")
            verdict = dumps(graded(source, dict(self.shell.user_ns)))
            proof = digest(secret.encode(), f"{nonce}{verdict}".encode(), "sha256").hex()
            return {
                "status": "ok",
                "execution_count": self.execution_count,
                "user_expressions": {},
                "payload": [],
                "verdict": verdict,
                "proof": proof,
            }

    return Kernel


def main(settings_file: str) -> None:
    with open(settings_file, encoding="utf-8") as file:
        settings = json.load(file)
    os.unlink(settings_file)  # before any line of the learner's
    _limit(settings["memory_bytes"], settings["cpu_seconds"], settings["file_bytes"])
    try:
        graded = judging(settings["chapter"])
    except Exception as error:  # a library that cannot be imported gives no points
        verdict = {"printed": "", "earned": None, "changed": []}
        verdict["error"] = [type(error).__name__, f"{type(error).__name__}: {error}"]

        def graded(code: str, names: dict[str, Any]) -> dict[str, Any]:
            return verdict

    from ipykernel.kernelapp import IPKernelApp

    sys.path.append(os.getcwd())  # what lies beside the notebook comes last: it replaces nothing
    arguments = ["-f", settings["connection"], "--HistoryManager.hist_file=:memory:"]
    arguments += ["--InteractiveShellApp.ignore_cwd=True", "--log-level=CRITICAL"]
    made = kernel_class(graded, settings["secret"])
    del settings, graded
    gc.collect()
    IPKernelApp.launch_instance(argv=arguments, kernel_class=made)


def _limit(memory_bytes: int, cpu_seconds: int, file_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {"DATA": memory_bytes, "CPU": cpu_seconds, "FSIZE": file_bytes, "CORE": 0}
    for name, value in wanted.items():
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


if __name__ == "__main__":
    main(sys.argv[1])
