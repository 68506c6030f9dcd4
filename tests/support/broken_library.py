"""Break the imported library inside a running kernel, and mend it again.

A break swaps the code of functions (``function.__code__``), not the functions: whatever the
notebook imported, bound or wrapped earlier runs the broken code. Programs that the notebook starts
import a broken copy of the library, because ``PYTHONPATH`` names its folder first. Mending puts the
code, the path and the random generators back, and empties caches that were filled in between.
"""

import functools
import gc
import importlib
import os
import random
from pathlib import Path
from types import CodeType, FunctionType

_before: dict = {}


class CannotBreak(Exception):
    """The change is not one of code that a function runs."""


def break_library(copy: str, file: str) -> None:
    """Run the code of ``copy``/seq2seq_lib/``file`` instead of that of the imported module.

    Raises:
        CannotBreak: the copy differs outside of functions, for instance in a constant of the module
            or in a default argument: nobody who imported it would notice.
    """
    import torch

    name = f"seq2seq_lib.{file.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")
    module = importlib.import_module(name)
    right = compile(Path(module.__file__).read_text("utf-8"), module.__file__, "exec")
    broken = Path(copy, "seq2seq_lib", file).read_text("utf-8")
    wrong = compile(broken, module.__file__, "exec")

    _before["codes"] = _swap(module.__file__, right, wrong)
    _before["path"] = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [copy, _before["path"]]))
    _before["caches"] = {id(cache): cache.cache_info().misses for cache in _caches()}
    _before["random"] = random.getstate(), torch.get_rng_state()


def mend_library() -> None:
    """Undo ``break_library``."""
    import torch

    for function, code in _before.pop("codes"):
        function.__code__ = code
    path = _before.pop("path")
    if path is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = path
    filled = _before.pop("caches")
    for cache in _caches():
        if cache.cache_info().misses != filled.get(id(cache), 0):
            cache.cache_clear()
    own, torchs = _before.pop("random")
    random.setstate(own)
    torch.set_rng_state(torchs)


def _swap(file: str, right: CodeType, wrong: CodeType) -> list[tuple[FunctionType, CodeType]]:
    """Give the functions of a file their new code; returns them with their old one."""
    new, changed = _new_codes(right, wrong)
    running = [
        f
        for f in gc.get_objects()
        if type(f) is FunctionType and f.__code__.co_filename == file  # isinstance wakes proxies
    ]
    swapped = [(f, f.__code__) for f in running if _place(f.__code__) in new]
    reached = {_place(code) for _, code in swapped}
    for place, inside in changed:
        if not reached & {place, *inside}:
            raise CannotBreak(f"{file}: {place[0]} changes, but no function that exists runs it")
    if not changed:
        raise CannotBreak(f"{file}: the broken code does the same")
    for function, code in swapped:
        function.__code__ = new[_place(code)]
    return swapped


Place = tuple[str, int]  # the name of a piece of code, and the line on which it begins


def _place(code: CodeType) -> Place:
    return code.co_qualname, code.co_firstlineno


def _new_codes(right: CodeType, wrong: CodeType) -> tuple[dict[Place, CodeType], list]:
    """The new code of each place, and the places that do something else, with those around them."""
    new, changed, around = {}, [], {}
    by_name: dict[str, list[CodeType]] = {}
    for code, _ in _pieces(wrong):
        by_name.setdefault(code.co_qualname, []).append(code)
    for code, inside in _pieces(right):
        around[_place(code)] = inside
        rest = by_name.get(code.co_qualname)
        if not rest:
            changed.append((_place(code), inside))  # gone: whoever held it has changed, too
            continue
        new[_place(code)] = rest.pop(0)
        if _own(code) != _own(new[_place(code)]):
            changed.append((_place(code), inside))
    return new, changed


def _pieces(code: CodeType, inside: tuple[Place, ...] = ()):
    """A piece of code and all pieces in it, each with the places that it stands in."""
    yield code, inside
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _pieces(constant, (*inside, _place(code)))


def _own(code: CodeType) -> tuple:
    """What a piece of code does by itself, wherever it stands in its file."""
    constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, repr(constants), code.co_names, code.co_varnames


def _caches() -> list:
    """The functions of the library that remember their results."""
    kind = functools._lru_cache_wrapper
    return [
        thing
        for thing in gc.get_objects()
        if type(thing) is kind and str(thing.__module__).startswith("seq2seq_lib")
    ]
