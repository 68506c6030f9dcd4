"""Running a learner's code: quietly, on copies, leaving no trace."""

import contextlib
import io
import logging
import os
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from seq2seq_lib.course.judging import describe, own_work, settings
from seq2seq_lib.course.judging.limits import OutOfTime
from seq2seq_lib.laws import probes as law_probes

LONG = 300  # characters of an error that are still read
STOPPED = (KeyboardInterrupt, OutOfTime, own_work.Borrowed)


@dataclass(frozen=True)
class Run:
    """What one call did.

    Attributes:
        value: what it returned.
        error: what it raised instead.
        changed: names of the arguments that the call changed.
        gradient: of the value with respect to the probe's floats, where that was asked for; in one
            row, where they are several tensors.
        noise: what it wrote to stdout, stderr or as warnings.
    """

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    gradient: Tensor | None = None
    noise: str = ""


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Collect what would be printed, warned of or logged; what is written past Python is dropped.

    One line on stderr costs a right answer all its points in nbgrader.
    """
    noise = io.StringIO()
    disabled = logging.root.manager.disable
    with (
        _nothing_below(),
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
def _nothing_below() -> Iterator[None]:
    """No line reaches the process's stderr: compiled code, other programs, ``sys.__stderr__``."""
    try:
        kept = os.dup(2)
    except OSError:  # closed, as in a program without a console
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        _flush()
        os.dup2(nowhere, 2)
        yield
    finally:
        _flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _flush() -> None:
    with contextlib.suppress(AttributeError, OSError, ValueError):  # none, or a closed one
        sys.__stderr__.flush()


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


def undressed(value: Any) -> Any:
    """A tensor of a class of one's own as an ordinary one: it may not say itself what it equals."""
    if type(value) is dict:
        return {key: undressed(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(undressed, value))
    if not isinstance(value, Tensor) or type(value) in (Tensor, torch.nn.Parameter):
        return value
    with torch._C.DisableTorchFunctionSubclass():
        return value.as_subclass(Tensor)


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
        gradient_of: the argument to differentiate by, a tensor or a list that holds some; the call
            is made once more then.
        leaf: makes that argument out of the leaf; else it is the leaf.
    """
    given = {name: clone(value) for name, value in args.items()}
    value, error = None, None
    with quiet() as noise, settings.put_back(), own_work.running(function):
        try:
            value = undressed(function(*given.values()))
        except STOPPED:  # stopped: no further probe is wanted
            raise
        except BaseException as raised:  # SystemExit too: a check outlives an exit()
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
    leaves: list[Tensor] = []

    def on_graph(value: Any) -> Any:
        if type(value) in (list, tuple):
            return type(value)(map(on_graph, value))
        if not (isinstance(value, Tensor) and value.is_floating_point()):
            return clone(value)
        leaves.append(value.clone().requires_grad_())
        # never the leaf itself: torch refuses to write into one, and a write is told as what it is
        return leaf(leaves[-1]) if leaf else leaves[-1].clone()

    given = {key: on_graph(value) if key == name else clone(value) for key, value in args.items()}
    with quiet():
        try:
            with settings.put_back(), own_work.running(function):
                value = function(*given.values())
            several = len(leaves) > 1
            found = torch.autograd.grad(
                undressed(value).sum(), leaves, allow_unused=several, materialize_grads=several
            )
            return torch.cat([part.flatten() for part in found]) if several else found[0]
        except STOPPED:
            raise
        except BaseException:  # no graph
            return None


def shown(run: Run) -> str:
    """What a call returned or raised, in words."""
    return describe.value(run.value) if run.error is None else last_line(run.error)


def last_line(error: BaseException) -> str:
    """The last line of the traceback, and where in the learner's code it happened."""
    text = " ".join("".join(traceback.format_exception_only(error)).split())
    text = text.removeprefix(f"{OutOfTime.__module__}.")  # a learner knows none of our modules
    if len(text) > LONG:  # torch may list all devices on which a call would have worked
        text = text[: LONG - 3] + "..."
    # a learner looks into none of them: the place is where their own code called it
    packages = sys.modules["torch"], sys.modules[__name__.partition(".")[0]]
    paths = sysconfig.get_paths()
    installed = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    installed += [package.__path__[0] for package in packages]
    folders = tuple(os.path.join(folder, "") for folder in installed)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(folders)
    ]
    if not frames:  # the call itself failed: too many or too few parameters
        return text
    frame = frames[-1]
    return f"{text}\n(in {frame.name}, line {frame.lineno}: {frame.line})"
