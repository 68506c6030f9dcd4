"""The course's own answers are nobody's answer, also where a learner's function only calls them.

While a submitted answer runs, the reference of its exercise, the alternatives and the slow loop
raise as soon as they are called, however they were reached: by a wrapper, a partial, a copy of the
name. Whatever else the library offers may be called.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import CodeType
from typing import Any

from seq2seq_lib.course.judging import attempts
from seq2seq_lib.course.judging.exercise import Exercise


class Borrowed(BaseException):
    """An answer called the course's own. Not an Exception: few handlers hold it back."""


@contextlib.contextmanager
def watching(exercise: Exercise, answer: Any) -> Iterator[list[str]]:
    """The names of the course's own answers that ``answer`` calls while it is judged inside."""
    own = [exercise.reference, *exercise.alternatives, getattr(exercise.task, "spec", None)]
    called: list[str] = []
    theirs = [f for f in own if attempts.stands_in_the_library(getattr(f, "__code__", None))]
    before = _watched.set((answer, theirs, called))
    try:
        yield called
    finally:
        _watched.reset(before)


@contextlib.contextmanager
def running(function: Callable) -> Iterator[None]:
    """Around each call of what is judged; does nothing for the references themselves."""
    answer, own, called = _watched.get()
    if answer is not function:
        yield
        return
    kept = [(f, f.__code__) for f in dict.fromkeys(own)]
    before = _tripped.set(called)
    try:
        for f, code in kept:
            f.__code__ = _wire(code.co_freevars, f.__name__)
        yield
    finally:
        for f, code in kept:
            f.__code__ = code
        _tripped.reset(before)


def trip(name: str) -> None:
    """Called in place of a reference's code."""
    _tripped.get().append(name)
    raise Borrowed(name)


_watched: ContextVar[tuple[Any, list[Callable], list[str]]] = ContextVar(
    "watched", default=(object(), [], [])
)
_tripped: ContextVar[list[str]] = ContextVar("tripped", default=[])  # noqa: B039  never used as such


@functools.cache
def _wire(free: tuple[str, ...], name: str) -> CodeType:
    """Code that trips. A function takes only code with as many variables of outer functions."""
    lines = [
        f"def outer({', '.join(free)}):",
        "    def wire(*args, **kwargs):",
        f"        {' '.join(f'{variable};' for variable in free)}",
        "        from seq2seq_lib.course.judging.own_work import trip",
        f"        trip({name!r})",
        "    return wire",
    ]
    space: dict[str, Any] = {}
    exec("\n".join(lines), space)
    return space["outer"](*free).__code__
