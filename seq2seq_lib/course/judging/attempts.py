"""Whether there is an answer to judge: telling stubs and the library's code from an answer.

What counts:

- a function that the learner wrote, also one that does nothing but call the library's;
- not what the exercise was handed out with, an empty body, an open blank, a line
  ``raise NotImplementedError()`` that was left behind;
- not the library's own function under the learner's name, bare or in a partial, nor a reference
  that is handed on to later exercises, nor a function that calls the reference (``own_work``);
- references and known wrong answers, where ``engine.judge`` is called to test the checks.
"""

import ast
import dis
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

import seq2seq_lib
from seq2seq_lib.course.judging import describe
from seq2seq_lib.course.judging.exercise import NOT_ATTEMPTED, WRONG, Finding

BLANK = "____"
PLACEHOLDERS = (None, ..., "", "?", "...", BLANK)
LIBRARY = Path(seq2seq_lib.__file__).parent
LAYERS = 8  # of partials and the like that are looked below


@dataclass(frozen=True)
class Unattempted:
    """Why an answer is not judged.

    Attributes:
        reason: ``raise``, ``blank``, ``library`` or ``borrowed``, as in ``words.toml``; empty where
            nothing was written.
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


def unattempted(answer: Any) -> Unattempted | None:
    """Whether an answer is none: as handed out, an empty body, a blank, a reference handed on."""
    if is_placeholder(answer):
        return Unattempted()
    code = getattr(answer, "__code__", None)
    if code is None:
        return None
    if getattr(answer, "handed_on", None) is answer:
        return Unattempted("library", answer.__name__)
    if BLANK in code.co_names:
        return Unattempted("blank", code.co_name)
    return Unattempted() if _instructions(code) in _EMPTY else None


def _instructions(code: CodeType) -> list[tuple[str, Any]]:
    return [(i.opname, i.argval) for i in dis.get_instructions(code) if i.opname != "NOP"]


# bodies of nothing, as the Python that runs compiles them: each version has other instructions
_EMPTY = [_instructions((lambda: None).__code__), _instructions((lambda: ...).__code__)]


def is_placeholder(answer: Any) -> bool:
    """Whether an answer still is what the exercise was handed out with."""
    if isinstance(answer, str):
        answer = answer.strip()
    return any(answer is p or (isinstance(answer, str) and answer == p) for p in PLACEHOLDERS)


def handed_on(function: Callable) -> Callable:
    """A reference as later exercises call it: it is nobody's answer, whoever judges it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call.handed_on = call  # itself: functools.wraps copies the mark to what a learner wraps
    return call


def of_the_library(answer: Any) -> Unattempted | None:
    """Whether the code of an answer stands in a file of the library.

    That is asked of what a learner hands in, and of nothing else: a cell "Continue from here" may
    have put the library's function under the learner's name. References and wrong answers stand in
    the library too, and are judged when somebody tests the checks.
    """
    for _ in range(LAYERS):
        if code := getattr(answer, "__code__", None):
            return Unattempted("library", code.co_name) if stands_in_the_library(code) else None
        answer = _below(answer)
    return None


def stands_in_the_library(code: CodeType | None) -> bool:
    """Whether it was read from a file of the library."""
    return code is not None and Path(code.co_filename).is_relative_to(LIBRARY)


def _below(answer: Any) -> Any:
    """What a partial, a method, a cache or an object that can be called hands its arguments to."""
    for name in ("func", "__func__", "__wrapped__"):
        if callable(inner := getattr(answer, name, None)):
            return inner
    return type(answer).__call__ if callable(answer) else None


def unfinished(answer: Callable, error: BaseException | None) -> Unattempted | None:
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


def returns_something(function: Any) -> bool:
    """Whether a ``return`` with a value stands in a function: then None is not a missing one."""
    code = getattr(function, "__code__", None)
    returned, inner = [], list(_body(code))
    while inner:
        node = inner.pop()
        if isinstance(node, ast.Return):
            returned.append(node.value)
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef):  # those return on their own
            inner += ast.iter_child_nodes(node)
    return any(
        value is not None and not (isinstance(value, ast.Constant) and value.value is None)
        for value in returned
    )


def _has_more(code: CodeType) -> bool:
    """Whether statements stand beside a function's ``raise``; those below it are in no bytecode."""
    body = _body(code)
    documented = (
        bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    )
    return len(body) - documented > 1


def _body(code: CodeType | None) -> list[ast.stmt]:
    """The statements of a function's source; none where there is no source, as of a lambda."""
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(code))).body
    except (OSError, SyntaxError, TypeError, ValueError):
        return []
    return function.body if isinstance(function, ast.FunctionDef) else []
