"""Imports point down only, and importing a module stays cheap."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(importlib.util.find_spec("seq2seq_lib").origin).parent

# From the bottom up. A module imports from rows below its own, not from its own row; a package
# (a folder) stands here as one name, and may do as it likes inside.
ROWS = [
    {"_numbers"},
    {"_arguments", "_card", "_command", "_files", "_text"},
    {"_bleu"},
    {"masks", "vocab", "schedules", "filters", "metrics", "runtime"},
    {"losses", "attention", "cells", "batching", "subwords", "corpora", "toy_models"},
    {"encoder"},
    {"decoder_state"},
    {"decoder"},  # starts from what the encoder returns
    {"residual"},  # a kind of both
    {"seq2seq", "decoding"},
    {"training"},
    {"latent"},  # its command trains
    {"laws"},
    {"plots"},
    {"translate"},
    {"course"},
]
# Too slow or too special to come along with a module that may never need them.
HEAVY = [
    "matplotlib",
    "ipywidgets",
    "anywidget",
    "resvg_py",
    "sacrebleu",
    "pooch",
    "IPython",
    "sentencepiece",
    "tqdm",
]
# What is about such a thing may import it at its top, if whoever needs it imports it late.
LATE = {"course.explorers.kit.panel": {"IPython", "anywidget", "ipywidgets"}}


def modules():
    """Dotted names below `seq2seq_lib`, and their files: ("laws.parity", .../laws/parity.py)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:  # the package's own __init__ has its own test
            yield name, path


def imports(name: str, code: str, is_package: bool):
    """Every module of `seq2seq_lib` that the code imports, also inside functions: dotted names."""
    package = ["seq2seq_lib", *name.split(".")]
    if not is_package:
        package = package[:-1]
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module.split(".") if node.module else [])]
            # `from seq2seq_lib import masks` names its modules only after the word import
            found = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        for target in found:
            if target.split(".")[0] == "seq2seq_lib":
                yield target.removeprefix("seq2seq_lib").removeprefix(".")


def wrong_imports(name: str, code: str, is_package: bool = False) -> list[str]:
    """What breaks the rule, in words."""
    row_of = {module: i for i, row in enumerate(ROWS) for module in row}
    here = name.split(".")[0]
    if here not in row_of:
        return [
            f"{name} stands in no row of tests/repository/test_layers.py: decide what it may import"
        ]
    wrong = []
    for target in imports(name, code, is_package):
        there = target.split(".")[0]
        if there == here and (is_package or "." in name):
            continue  # inside its own folder
        if there in ("", "__version__"):
            continue  # the package itself, which holds nothing but its version
        if there not in row_of:
            wrong.append(f"{name} imports {target}, which stands in no row")
        elif row_of[there] >= row_of[here]:
            way = "upwards" if row_of[there] > row_of[here] else "sideways"
            wrong.append(f"{name} imports {target}: {way}")
    return wrong


@pytest.mark.parametrize(
    ("name", "path"), [pytest.param(name, path, id=name) for name, path in modules()]
)
def test_imports_point_down_only(name, path):
    assert wrong_imports(name, path.read_text(encoding="utf-8"), path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("masks", "from seq2seq_lib.losses import LossSum", "upwards"),
        ("masks", "import seq2seq_lib.seq2seq", "upwards"),
        ("masks", "from seq2seq_lib import seq2seq", "upwards"),
        ("masks", "from .decoder import Decoder", "upwards"),
        ("masks", "from . import decoder", "upwards"),
        (
            "masks",
            "def f():\n    if True:\n        from seq2seq_lib.laws.parity import parity",
            "upwards",
        ),
        ("masks", "from seq2seq_lib.vocab import PAD_ID", "sideways"),
        ("masks", "import seq2seq_lib.masks", "sideways"),
        ("laws.parity", "from ..plots import draw", "upwards"),
        ("corpora.pair", "from seq2seq_lib.batching import Batch", "sideways"),
        ("plots", "from seq2seq_lib.course import check", "upwards"),
        ("masks", "from seq2seq_lib.mystery import x", "which stands in no row"),
        ("mystery", "", "mystery stands in no row"),
        ("mystery.inside", "", "stands in no row"),
    ],
)
def test_the_rule_rejects_each_kind_of_wrong_import(name, code, message):
    (found,) = wrong_imports(name, code)
    assert message in found


@pytest.mark.parametrize(
    ("name", "code", "is_package"),
    [
        ("masks", "from seq2seq_lib._arguments import check_lengths", False),
        (
            "masks",
            "import torch\nfrom torch import nn\nfrom collections.abc import Sequence",
            False,
        ),
        ("masks", "import seq2seq_lib\nfrom seq2seq_lib import __version__", False),
        ("translate", "from seq2seq_lib.seq2seq import Seq2Seq", False),
        (
            "laws.parity",
            "from seq2seq_lib.laws.verdict import Verdict\nfrom .probes import x",
            False,
        ),
        ("laws.parity", "from seq2seq_lib.laws import probes\nfrom . import probes", False),
        ("laws.parity", "from ..batching import Batch", False),
        ("corpora", "from .pair import Pair\nfrom seq2seq_lib.corpora.pair import Pair", True),
        ("corpora", "from ..vocab import Vocab", True),
    ],
)
def test_the_rule_accepts_what_points_down_or_stays_inside_a_folder(name, code, is_package):
    assert wrong_imports(name, code, is_package) == []


def test_every_name_stands_in_one_row():
    names = [name for row in ROWS for name in row]
    assert len(names) == len(set(names))


def test_the_package_itself_imports_nothing():
    code = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert not [
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


# One fresh interpreter imports them in turn; the first that lets a heavy one in is named.
LOOK = """
import importlib, json, sys
first, names, heavy = json.loads(sys.argv[1])
importlib.import_module(first)
heavy = [h for h in heavy if h not in sys.modules]  # what the first brings is nobody's fault
found, seen = {}, set()
for name in names:
    importlib.import_module("seq2seq_lib." + name)
    came = {m.split(".")[0] for m in sys.modules} & set(heavy) - seen
    if came:
        found[name] = sorted(came)
        seen |= came
print(json.dumps([found, heavy]))
"""


def modules_that_bring(
    names: list[str], heavy: list[str], first: str = "torch", folder: Path = PACKAGE.parent
):
    """Which modules are the first to bring a heavy one, and which were looked for after `first`."""
    run = subprocess.run(
        [sys.executable, "-c", LOOK, json.dumps([first, names, heavy])],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_importing_a_module_imports_nothing_heavy():
    names = [name for name, _ in modules() if not name.endswith("__main__") and name not in LATE]
    found, looked_for = modules_that_bring([*names, *LATE], HEAVY)
    assert {name: set(brought) for name, brought in found.items()} == LATE
    assert {"matplotlib", "ipywidgets", "sacrebleu", "pooch"} <= set(looked_for)


def test_a_heavy_import_would_be_seen(tmp_path):
    library = tmp_path / "seq2seq_lib"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (library / "light.py").write_text("import json\ndef draw():\n    import wave\n")
    (library / "heavy.py").write_text("from wave import Error\n")
    (library / "carrier.py").write_text("from seq2seq_lib import heavy\n")
    (library / "other.py").write_text("import colorsys\n")
    names = ["light", "carrier", "heavy", "other"]
    found, _ = modules_that_bring(names, ["wave", "colorsys"], "math", tmp_path)
    assert found == {"carrier": ["wave"], "other": ["colorsys"]}
