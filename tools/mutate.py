"""Use: python tools/mutate.py [--sample N] [--only MODULE] [--survivors]     (or: make mutation)

Are the tests worth their name? This breaks the library in hundreds of small ways, one at a time
("<" becomes "<=", "+" becomes "-", a constant grows by one, ...), and runs the tests of the broken
module. A mutant that no test notices is a survivor. Survivors that cannot be noticed, because the
mutant computes the same, are explained in tools/mutation_survivors.toml; the command fails if
another one survives, or more than 5 % altogether.

Every mutant runs in a fork of a process that has PyTorch loaded already, so it costs the time of
the tests alone. What needs a package that is not installed (``PEERS``) is left out, and named.
"""

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SURVIVORS = ROOT / "tools" / "mutation_survivors.toml"
ALLOWED = 0.05
SECONDS = 900  # for one mutant; one that hangs is noticed, and all of tests/laws takes minutes

# What is broken: modules, and packages with all their modules, below seq2seq_lib.
BROKEN = (
    "masks", "losses", "attention", "cells", "decoding", "batching", "metrics", "filters",
    "schedules", "training", "translate", "laws", "course.judging", "course.explorers",
)  # fmt: skip
# Tests of one theme and of several modules: of those that they import.
ACROSS = ("reported_inputs", "hostile_text", "damaged_files")
# Tests of all explorers; a broken one is asked for by its name.
OF_EACH = ("stored_stills", "every_explorer")
# What other people's code alone puts to the test, in tests/peers, and the package that it needs.
PEERS = {"laws.hugging_face": "transformers"}


def modules() -> list[str]:
    """The names of the modules that are broken, below seq2seq_lib: "masks", "decoding.beam"."""
    library, found = ROOT / "seq2seq_lib", []
    for name in BROKEN:
        folder = library / name.replace(".", "/")
        if not folder.is_dir():
            found.append(name)
            continue
        for part in sorted(folder.rglob("*.py")):
            if not part.stem.startswith("__"):
                found.append(".".join(part.relative_to(library).with_suffix("").parts))
    return found


def tests_of(module: str) -> list[Path]:
    """The test files of a module, or all of the package that it is in; likely ones first.

    ``translate.recipe`` is tested by ``tests/library/test_translate*.py``, ``laws.trial`` by all of
    ``tests/laws``, ``course.explorers.mask_loss.compute`` by ``tests/course/explorers/mask_loss``.
    A file elsewhere that bears the module's name and imports it tests it, too. A break costs the
    time until a test notices it, so the files come first that bear the module's name, or some words
    of it, and then those that speak of it the most. What is tested across the library (``ACROSS``)
    comes last.
    """
    files = _of_package(module)
    name = module.rsplit(".", 1)[-1]
    elsewhere = (ROOT / "tests").rglob(f"test_{name}.py")
    files += [file for file in sorted(elsewhere) if file not in files and _imports(file, module)]
    files.sort(key=lambda file: _nearness(file, module), reverse=True)
    return files + _across(module.split(".")[0])


def _of_package(module: str) -> list[Path]:
    parts = module.split(".")
    while parts:
        for tests in (ROOT / "tests" / "library", ROOT / "tests"):
            files = sorted(tests.joinpath(*parts).rglob("test_*.py"))
            if len(parts) == 1:
                files = files or sorted(tests.glob(f"test_{parts[0]}*.py"))
            if files:
                return files
        parts.pop()
    raise SystemExit(f"{module} has no tests: no folder and no test_*.py of this name in tests/")


def _imports(file: Path, module: str) -> bool:
    package, _, name = f"seq2seq_lib.{module}".rpartition(".")
    for node in ast.walk(ast.parse(_read(file))):
        if isinstance(node, ast.Import):
            found = f"{package}.{name}" in [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            whole = node.module == f"{package}.{name}"
            found = whole or (node.module == package and name in [a.name for a in node.names])
        else:
            found = False
        if found:
            return True
    return False


def _nearness(file: Path, module: str) -> tuple[int, int]:
    """How many words of the module's name stand in a test file's name, and how often in its text"""
    name = module.rsplit(".", 1)[-1]
    words = set(name.split("_")) & set(file.stem.split("_"))
    return len(words), _read(file).count(name)


def _across(package: str) -> list[Path]:
    files = [ROOT / "tests" / "library" / f"test_{name}.py" for name in ACROSS]
    return [f for f in files if f.exists() and f"from seq2seq_lib.{package} " in _read(f)]


def asked_of(module: str) -> list[tuple[str, ...]]:
    """What pytest is asked about a module, call by call, until something is noticed."""
    calls = [tuple(map(str, tests_of(module)))]
    before, _, name = module.partition("course.explorers.")
    if name and not before:
        folder, name = ROOT / "tests" / "course" / "explorers", name.split(".")[0]
        files = [str(folder / f"test_{theme}.py") for theme in OF_EACH]
        calls.append(tuple(files if name == "kit" else ["-k", name, *files]))
    if peer := PEERS.get(module):
        calls.insert(0, ("-k", peer, str(ROOT / "tests" / "peers")))
    return calls


@cache
def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


COMPARE = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
BINARY = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip
METHODS = {
    "min": "max", "max": "min", "amax": "amin", "argmax": "argmin", "any": "all", "all": "any",
    "sum": "mean", "cumsum": "cumprod", "zeros": "ones", "softmax": "log_softmax",
    "log_softmax": "softmax", "sigmoid": "tanh", "tanh": "sigmoid", "exp": "log", "log": "exp",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One small break. ``key`` names it whatever the line numbers are."""

    module: str
    key: str
    place: int

    @property
    def tree(self) -> ast.Module:
        """The broken module; what is not broken keeps its line."""
        tree = Collector(self.place).visit(ast.parse(_text_of(self.module)))
        return ast.fix_missing_locations(tree)


class Collector(ast.NodeTransformer):
    """Names the places that can be broken; at the wanted one it makes the break."""

    def __init__(self, wanted: int = -1) -> None:
        self.wanted = wanted
        self.scope: list[str] = []
        self.names: list[str] = []  # of all breaks, in the order of the code

    def visit_Raise(self, node):  # the wording of errors is not behaviour worth this price
        return node

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Expr(self, node):  # docstrings
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_JoinedStr(self, node):
        return node

    def visit_keyword(self, node):
        # Guards that right code never needs: zip(strict=True), dataclass(frozen=True).
        return node if node.arg in ("strict", "frozen") else self.generic_visit(node)

    def visit_ClassDef(self, node):
        return self._scoped(node)

    def visit_FunctionDef(self, node):
        node.decorator_list, decorators = [], node.decorator_list
        node.returns, returns = None, node.returns
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        annotations = [a.annotation for a in arguments]
        for argument in arguments:
            argument.annotation = None
        node = self._scoped(node)
        for argument, annotation in zip(arguments, annotations, strict=True):
            argument.annotation = annotation
        node.decorator_list, node.returns = decorators, returns
        return node

    def visit_Compare(self, node):
        node = self.generic_visit(node)
        for i, operator in enumerate(node.ops):
            if type(operator) in COMPARE:
                new = copy.deepcopy(node)
                new.ops[i] = COMPARE[type(operator)]()
                node = self._break(node, new)
        return node

    def visit_BinOp(self, node):
        node = self.generic_visit(node)
        if type(node.op) not in BINARY or _is_text(node):
            return node
        return self._break(node, ast.BinOp(node.left, BINARY[type(node.op)](), node.right))

    def visit_BoolOp(self, node):
        node = self.generic_visit(node)
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return self._break(node, ast.BoolOp(other, node.values))

    def visit_UnaryOp(self, node):
        node = self.generic_visit(node)
        return self._break(node, node.operand)  # drop "-", "not" or "~"

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            return self._break(node, ast.Constant(not node.value))
        if isinstance(node.value, int | float):
            return self._break(node, ast.Constant(node.value + 1))
        return node

    def visit_Attribute(self, node):
        node = self.generic_visit(node)
        if node.attr not in METHODS:
            return node
        return self._break(node, ast.Attribute(node.value, METHODS[node.attr], node.ctx))

    def visit_If(self, node):
        node = self.generic_visit(node)
        new = ast.If(ast.Constant(False), node.body, node.orelse)
        return self._break(node, new, shown=f"if {ast.unparse(node.test)}: -> if False:")

    def visit_AugAssign(self, node):
        node = self.generic_visit(node)
        if type(node.op) not in BINARY:
            return node
        return self._break(node, ast.AugAssign(node.target, BINARY[type(node.op)](), node.value))

    def _scoped(self, node):
        self.scope.append(node.name)
        node = self.generic_visit(node)
        self.scope.pop()
        return node

    def _break(self, old, new, shown=None):
        shown = shown or f"{ast.unparse(old)} -> {ast.unparse(new)}"
        self.names.append(f"{'.'.join(self.scope)}: {shown}")
        return new if len(self.names) - 1 == self.wanted else old


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(
        isinstance(s, ast.JoinedStr) or (isinstance(s, ast.Constant) and isinstance(s.value, str))
        for s in sides
    )


def _path_of(module: str) -> Path:
    return ROOT / "seq2seq_lib" / f"{module.replace('.', '/')}.py"


def _text_of(module: str) -> str:
    return _path_of(module).read_text(encoding="utf-8")


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every break of a module, in the order of its code."""
    collector = Collector()
    collector.visit(ast.parse(_text_of(module)))
    seen: dict[str, int] = {}
    for place, key in enumerate(collector.names):
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            key += f" (no. {seen[key]})"
        yield Mutant(module, key, place)


class Broken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the mutant instead of the module."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.mutant = f"seq2seq_lib.{mutant.module}", mutant

    def find_spec(self, fullname, path=None, target=None):
        if fullname == self.name:
            # with its path: a module may ask for its __file__
            path = _path_of(self.mutant.module)
            return importlib.util.spec_from_file_location(fullname, path, loader=self)
        return None

    def exec_module(self, module):
        # under the module's own path: what a traceback says may depend on whose code it is
        exec(compile(self.mutant.tree, module.__spec__.origin, "exec"), module.__dict__)


# Python runs a file of this name when it starts: other processes that a test starts (torchrun's)
# are broken as well.
IN_OTHER_PROCESSES = """\
import sys
sys.path.append({tools!r})
from mutate import Broken, Mutant
sys.meta_path.insert(0, Broken({mutant!r}))
"""


def survives(mutant: Mutant | None, calls: list[tuple[str, ...]], limit: float = SECONDS) -> bool:
    """Ask pytest about the mutant in a child process; None asks about the unbroken library.

    One that takes more than ``limit`` seconds is ended: noticed.
    """
    with tempfile.TemporaryDirectory() as folder:
        child = FORK.Process(target=_ask, args=(mutant, calls, folder))
        child.start()
        try:
            child.join(limit)
            return child.exitcode == 0
        finally:  # with all that it started; a test may have used up an alarm of the child's own
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.join()


FORK = multiprocessing.get_context("fork")


def _ask(mutant: Mutant | None, calls: list[tuple[str, ...]], folder: str) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    if mutant is not None:
        sys.meta_path.insert(0, Broken(mutant))
        custom = IN_OTHER_PROCESSES.format(tools=str(ROOT / "tools"), mutant=mutant)
        Path(folder, "sitecustomize.py").write_text(custom, encoding="utf-8")
        path = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, *([path] if path else [])])
    import pytest

    for call in calls:
        if code := pytest.main(["-x", "-q", "-p", "no:cacheprovider", *call]):
            os._exit(int(code))
    os._exit(0)


def _judge(mutant: Mutant) -> tuple[str, str, bool]:
    return mutant.module, mutant.key, survives(mutant, asked_of(mutant.module))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--sample", type=int, default=400, help="how many mutants (0: all)")
    parser.add_argument("--only", help="of one module, or of a package: decoding, laws.parity")
    parser.add_argument("--survivors", action="store_true", help="only those in the list again")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    os.environ.update(CI="true", OMP_NUM_THREADS="1", SEQ2SEQ_DEVICE="cpu")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # nbval alone takes seconds to import
    import hypothesis  # noqa: F401  (these are loaded once, before the forks)
    import pytest  # noqa: F401
    import sacrebleu  # noqa: F401
    import torch

    torch.set_num_threads(1)
    wanted = options.only or ""
    chosen = [name for name in modules() if f"{name}.".startswith(f"{wanted}." if wanted else "")]
    if not chosen:
        parser.error(f"--only {wanted}: there is no such module among {', '.join(modules())}")
    absent = [name for name in chosen if (peer := PEERS.get(name)) and not find_spec(peer)]
    for module in absent:
        print(f"left out: {module}, which needs {PEERS[module]} (the extra `peers`)")
        chosen.remove(module)
    if not chosen:
        raise SystemExit("nothing is left to break")
    mutants = [mutant for module in chosen for mutant in mutants_of(module)]
    total = len(mutants)
    explained = tomllib.loads(SURVIVORS.read_text("utf-8")) if SURVIVORS.exists() else {}
    if options.survivors:
        mutants = [m for m in mutants if m.key in explained.get(m.module, {})]
    elif options.sample and options.sample < total:
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    names = sorted({mutant.module for mutant in mutants})
    calls = {frozenset(call): call for name in names for call in asked_of(name)}
    for call in calls.values():
        if not survives(None, [call]):
            print(f"{' '.join(call)}: fails without any break, so nothing can be learned.")
            return 1
    alive = []
    with ProcessPoolExecutor(options.jobs, mp_context=FORK) as pool:
        for done, (module, key, lives) in enumerate(pool.map(_judge, mutants), 1):
            if lives:
                alive.append((module, key))
                why = explained.get(module, {}).get(key)
                print(f"[{done}/{len(mutants)}] ALIVE {module} | {key} | {why or 'UNEXPLAINED'}")
            elif done % 25 == 0:
                print(f"[{done}/{len(mutants)}] {len(alive)} alive", flush=True)
    unexplained = [key for module, key in alive if key not in explained.get(module, {})]
    print(
        f"{len(mutants)} mutants of {total}: {len(mutants) - len(alive)} noticed, {len(alive)} "
        f"alive ({len(alive) / len(mutants):.1%}), {len(unexplained)} of them unexplained"
    )
    too_many = len(alive) > ALLOWED * len(mutants) and not options.survivors
    return int(too_many or bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
