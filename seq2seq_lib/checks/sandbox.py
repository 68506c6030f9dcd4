"""Running a learner's code: quietly, on copies, leaving no trace; and telling a stub from code."""

import contextlib
import dis
import io
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

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


def copy(value: Any) -> Any:
    """A clone of a tensor; other values as they are."""
    return value.clone() if isinstance(value, Tensor) else value


def unchanged(before: Any, after: Any) -> bool:
    """Whether an argument is still what it was; NaN equals NaN."""
    if not isinstance(before, Tensor):
        return before == after
    if before.shape != after.shape or before.dtype != after.dtype:
        return False
    return bool(((before == after) | ((before != before) & (after != after))).all())


def run(function: Callable, args: dict[str, Any], gradient_of: str | None = None) -> Run:
    """Call ``function`` with copies of ``args``, by position.

    Args:
        gradient_of: log_probs or logits, to differentiate by; the call is made once more then.
    """
    given = {name: copy(value) for name, value in args.items()}
    value, error = None, None
    with quiet() as noise:
        try:
            value = function(*given.values())
        except Exception as raised:
            error = raised
    changed = tuple(name for name in args if not unchanged(args[name], given[name]))
    gradient = None
    if gradient_of and error is None and isinstance(value, Tensor) and value.numel() == 1:
        gradient = _gradient(function, args, gradient_of)
    return Run(value, error, changed, gradient, noise.getvalue())


def _gradient(function: Callable, args: dict[str, Any], name: str) -> Tensor | None:
    leaf = args[name].clone().requires_grad_()
    # as behind a model: who takes log_softmax once more changes no number and no gradient then
    given = {key: copy(value) for key, value in args.items()} | {name: leaf.log_softmax(-1)}
    with quiet():
        try:
            return torch.autograd.grad(function(*given.values()).sum(), leaf)[0]
        except Exception:  # no graph, or a write into a leaf
            return None


def is_stub(function: Any) -> bool:
    """Whether nothing was written yet: an empty body, or a blank left open."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    if BLANK in code.co_names:
        return True
    instructions = list(dis.get_instructions(code))
    loaded = {i.argval for i in instructions if i.opname in ("LOAD_CONST", "RETURN_CONST")}
    return {i.opname for i in instructions} <= EMPTY_BODY and loaded <= {None, ...}


def is_placeholder(answer: Any) -> bool:
    """Whether an answer still is what the exercise was handed out with."""
    if isinstance(answer, str):
        answer = answer.strip()
    return any(answer is p or (isinstance(answer, str) and answer == p) for p in PLACEHOLDERS)


def says_not_implemented(error: Exception | None) -> bool:
    """Whether ``raise NotImplementedError`` was reached, a blank, or nothing of the kind.

    torch raises NotImplementedError too, for a dtype that a kernel does not have: that is a
    mistake and not an empty exercise, and no ``raise`` stands in the learner's code then.
    """
    if isinstance(error, NameError) and error.name == BLANK:
        return True
    if not isinstance(error, NotImplementedError) or error.__traceback__ is None:
        return False
    last: TracebackType = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    at = {i.offset: i.opname for i in dis.get_instructions(last.tb_frame.f_code)}
    return at.get(last.tb_lasti) == "RAISE_VARARGS"


def last_line(error: Exception) -> str:
    """The last line of the traceback, and where in the learner's code it happened."""
    text = " ".join("".join(traceback.format_exception_only(error)).split())
    torch_folder = sys.modules["torch"].__path__[0]
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((torch_folder, __file__))
    ]
    if not frames:  # the call itself failed: too many or too few parameters
        return text
    frame = frames[-1]
    return f"{text}\n(in {frame.name}, line {frame.lineno}: {frame.line})"
