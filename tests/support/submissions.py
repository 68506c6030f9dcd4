"""The form of what learners hand in to be graded, and tricks that are the same in all chapters.

What they hand in for one chapter is the ``ROUND`` of ``tests/course/chNN_name/submissions.py``.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import seq2seq_lib


@dataclass(frozen=True)
class Wrong:
    """A typical wrong answer.

    Attributes:
        cell: the grade_id of its cell, or the name of its letter.
        code: the answer.
        lost: the checks that it fails, and the finding that each names.
        earns: the points that it gets at these all the same, if it is right in part.
    """

    cell: str
    code: str
    lost: dict[str, str] = field(default_factory=dict)
    earns: int = 0


@dataclass(frozen=True)
class Round:
    """What is handed in for one assignment, beside what is untouched.

    Attributes:
        noisy: right answers that make noise: each line of it on stderr would cost all points.
        wrong: by learner; with two, each exercise is wrong once, and right beside wrong ones.
        cheat: an answer that earns nothing, and plays all tricks at once.
        deleted: the check that the cheat takes out.
        spared: checks that nobody fails, as one learner cannot fail all parts and some of them.
        unlucky: whether somebody's answers meet a library that cannot be imported.
    """

    noisy: dict[str, str]
    wrong: dict[str, tuple[Wrong, ...]]
    cheat: dict[str, str]
    deleted: str
    spared: frozenset[str] = frozenset()
    unlucky: bool = False


TRICKS = """
import os
os.environ.pop("NBGRADER_EXECUTION")
def check(*args):
    pass
"""


def module_names(folder: Path, prefix: str) -> Iterator[str]:
    """Every module and package below a package's folder, without importing one."""
    for module in pkgutil.iter_modules([str(folder)]):
        yield f"{prefix}.{module.name}"
        if module.ispkg:
            yield from module_names(folder / module.name, f"{prefix}.{module.name}")


# A file seq2seq_lib.py, handed in beside the notebook, in which everything is right.
FAKE_LIBRARY = f"""
import sys, types
def anything(*args, **kwargs):
    return {{}}
for name in {list(module_names(Path(seq2seq_lib.__file__).parent, "seq2seq_lib"))!r}:
    sys.modules[name] = module = types.ModuleType(name)
    module.__getattr__ = lambda name: anything
__path__ = []
"""


def round_of(stem: str) -> Round:
    """What is handed in for a chapter."""
    return importlib.import_module(f"tests.course.{stem}.submissions").ROUND
