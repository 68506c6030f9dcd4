"""Running a learner's code: quietly, on copies, leaving no trace; and telling a stub from code."""

import ast
import contextlib
import dis
import functools
import inspect
import io
import logging
import os
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import NOT_ATTEMPTED, WRONG, Finding
from seq2seq_lib.laws import probes as law_probes

BLANK = "____"
PLACEHOLDERS = (None, ..., "", "?", "...", BLANK)
# What is left in the bytecode of a body that is only `pass`, `...` or a docstring
EMPTY_BODY = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "CACHE"}


@dataclass(frozen=True)
class Run:
    """What one call did.

    Attributes:
        value: what it returned.
        error: what it raised instead.
        changed: names of the arguments that the call changed.
        gradient: of the value with respect to the probe's floats, where that was asked for.
        noise: what it wrote to stdout, stderr or as warnings.
    """

    value: Any = None
    error: Exception | None = None
    changed: tuple[str, ...] = ()
    gradient: Tensor | None = None
    noise: str = ""


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Collect what would be printed, warned of or logged.

    One line on stderr costs a right answer all its points in nbgrader.
    """
    noise = io.StringIO()
    disabled = logging.root.manager.disable
    with (
        contextlib.redirect_stdout(noise),
        contextlib.redirect_stderr(noise),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, category, *_: noise.write(
            f"{category.__name__}: {message}\n"
        )
        logging.disable(logging.CRITICAL)  # a handler may hold the real stderr
        try:
            yield noise
        finally:
            logging.disable(disabled)


@contextlib.contextmanager
def no_trace(function: Any) -> Iterator[None]:
    """``quiet``, and every random number generator gets its state back."""
    with quiet(), law_probes.undisturbed(function):
        yield


def clone(value: Any) -> Any:
    """A clone of a tensor, a new list, tuple or dict; other values as they are."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(clone, value))
    return value.clone() if isinstance(value, Tensor) else value


def unchanged(before: Any, after: Any) -> bool:
    """Whether an argument is still what it was; NaN equals NaN."""
    if type(before) is not type(after):
        return False
    if isinstance(before, dict):
        same = before.keys() == after.keys()
        return same and all(unchanged(before[key], after[key]) for key in before)
    if isinstance(before, list | tuple):
        same = len(before) == len(after)
        return same and all(map(unchanged, before, after))
    if not isinstance(before, Tensor):
        return before == after
    if before.shape != after.shape or before.dtype != after.dtype:
        return False
    return bool(((before == after) | ((before != before) & (after != after))).all())


def run(
    function: Callable,
    args: dict[str, Any],
    gradient_of: str | None = None,
    leaf: Callable[[Tensor], Tensor] | None = None,
) -> Run:
    """Call ``function`` with copies of ``args``, by position.

    Args:
        gradient_of: the argument to differentiate by; the call is made once more then.
        leaf: makes that argument out of the leaf; else it is the leaf.
    """
    given = {name: clone(value) for name, value in args.items()}
    value, error = None, None
    with quiet() as noise:
        try:
            value = function(*given.values())
        except Exception as raised:
            error = raised
    changed = tuple(name for name in args if not unchanged(args[name], given[name]))
    gradient = None
    if gradient_of and error is None and isinstance(value, Tensor) and value.numel() == 1:
        gradient = _gradient(function, args, gradient_of, leaf)
    return Run(value, error, changed, gradient, noise.getvalue())


def _gradient(
    function: Callable,
    args: dict[str, Any],
    name: str,
    leaf: Callable[[Tensor], Tensor] | None,
) -> Tensor | None:
    at = args[name].clone().requires_grad_()
    # never the leaf itself: torch refuses to write into one, and a write is told as what it is
    argument = leaf(at) if leaf else at.clone()
    given = {key: clone(value) for key, value in args.items()} | {name: argument}
    with quiet():
        try:
            return torch.autograd.grad(function(*given.values()).sum(), at)[0]
        except Exception:  # no graph, or a write into a leaf
            return None


@dataclass(frozen=True)
class Unattempted:
    """Why an answer is not judged.

    Attributes:
        reason: ``raise``, ``blank`` or ``library``, as in ``words.toml``; empty where nothing was
            written.
        where: the function that it is about.
    """

    reason: str = ""
    where: str = ""

    @property
    def finding(self) -> Finding:
        """As a check finds it."""
        return Finding(NOT_ATTEMPTED, self.reason, facts={"where": self.where})


def no_function(answer: Any) -> Finding | None:
    """What to say of an answer that cannot be called as a learner's function."""
    if none := unattempted(answer):
        return none.finding
    if callable(answer):
        return None
    return Finding(WRONG, "not_a_function", came_back=describe.value(answer))


def shown(run: Run) -> str:
    """What a call returned or raised, in words."""
    return describe.value(run.value) if run.error is None else last_line(run.error)


def unattempted(answer: Any) -> Unattempted | None:
    """Whether an answer is none: handed out so, an empty body, a blank, the library's function."""
    if is_placeholder(answer):
        return Unattempted()
    code = getattr(answer, "__code__", None)
    if code is None:
        return None
    if _is_the_library_s(answer):
        return Unattempted("library", answer.__name__)
    if BLANK in code.co_names:
        return Unattempted("blank", code.co_name)
    instructions = list(dis.get_instructions(code))
    loaded = {i.argval for i in instructions if i.opname in ("LOAD_CONST", "RETURN_CONST")}
    if {i.opname for i in instructions} <= EMPTY_BODY and loaded <= {None, ...}:
        return Unattempted()
    return None


def is_placeholder(answer: Any) -> bool:
    """Whether an answer still is what the exercise was handed out with."""
    if isinstance(answer, str):
        answer = answer.strip()
    return any(answer is p or (isinstance(answer, str) and answer == p) for p in PLACEHOLDERS)


def handed_on(function: Callable) -> Callable:
    """A reference as later exercises call it: as an answer it counts as the library's."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call.handed_on = True
    return call


def _is_the_library_s(function: Callable) -> bool:
    # a cell "Continue from here" puts it under the learner's name; what stands in checks itself,
    # references and wrong answers, is what the checks are tested with
    if getattr(function, "handed_on", False):
        return True
    package, _, module = function.__globals__.get("__name__", "").partition(".")
    return package == __name__.partition(".")[0] and not module.startswith("course.")


def unfinished(answer: Callable, error: Exception | None) -> Unattempted | None:
    """Whether a call of ``answer`` ended at ``raise NotImplementedError`` or at a blank.

    torch raises NotImplementedError too, for a dtype that a kernel does not have: that is a
    mistake and not an empty exercise, and no ``raise`` stands in the learner's code then.
    """
    if error is None or error.__traceback__ is None:
        return None
    last: TracebackType = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    if isinstance(error, NameError) and error.name == BLANK:
        return Unattempted("blank", code.co_name)
    if not isinstance(error, NotImplementedError):
        return None
    at = {i.offset: i.opname for i in dis.get_instructions(code)}
    if at.get(last.tb_lasti) != "RAISE_VARARGS":
        return None
    elsewhere = getattr(answer, "__code__", code) is not code  # in a function that it calls
    return Unattempted("raise" if elsewhere or _has_more(code) else "", code.co_name)


def _has_more(code: CodeType) -> bool:
    """Whether statements stand beside a function's ``raise``; those below it are in no bytecode."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(code))).body[0].body
    except (OSError, SyntaxError, IndexError, AttributeError):  # no source, or a lambda
        return False
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return len(body) - documented > 1


def last_line(error: Exception) -> str:
    """The last line of the traceback, and where in the learner's code it happened."""
    text = " ".join("".join(traceback.format_exception_only(error)).split())
    # a learner looks into neither: the place is where their own code called it
    packages = sys.modules["torch"], sys.modules[__name__.partition(".")[0]]
    folders = tuple(os.path.join(package.__path__[0], "") for package in packages)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(folders)
    ]
    if not frames:  # the call itself failed: too many or too few parameters
        return text
    frame = frames[-1]
    return f"{text}\n(in {frame.name}, line {frame.lineno}: {frame.line})"
