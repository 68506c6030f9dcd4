"""Rules of the house for the code: sizes of files, docstrings, one home for each helper."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "seq2seq_lib"
LINES = 300  # of a file: what a learner reads in one sitting

# Longer than that, and why.
LONGER = {
    "course/ch04_padding_masks/figures.py": "the figures of one chapter",
    "course/ch11_length_and_truth/ex2_top_p.py": "one exercise",
    "course/ch11_length_and_truth/ex4_n_best_exact.py": "one exercise",
    "course/explorers/attention_lens/compute.py": "one explorer's numbers",
    "course/explorers/slip_and_recover/compute.py": "one explorer's numbers",
}


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def too_long(sizes: dict[str, int], allowed: dict[str, str]) -> list[str]:
    """What breaks the rule, in words: also an exception that nobody needs any more."""
    wrong = [
        f"{name} has {size} lines: over {LINES}, it is two concepts"
        for name, size in sizes.items()
        if size > LINES and name not in allowed
    ]
    return wrong + [f"{name} is no exception" for name in allowed if sizes.get(name, 0) <= LINES]


def test_no_file_of_the_library_is_two_concepts():
    sizes = {
        path.relative_to(LIBRARY).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in files("seq2seq_lib")
    }
    assert too_long(sizes, LONGER) == []


def test_a_long_file_and_an_idle_exception_are_seen():
    sizes = {"a.py": 301, "b.py": 300, "c.py": 400, "d.py": 2}
    found = too_long(sizes, {"c.py": "", "d.py": "", "gone.py": ""})
    assert [line.split()[0] for line in found] == ["a.py", "d.py", "gone.py"]


# --- one home

# What is written in one file, the pattern that shows a second one, and who may have it as well.
HOMES = {
    "a file is written as a whole": (
        r"os\.(replace|rename)\(|\bmkstemp|NamedTemporaryFile|\.part\b",
        {
            "seq2seq_lib/_files.py",
            "benchmarks/translation.py",  # what still grows has another name until it is done
        },
    ),
    "a model is measured in evaluation mode": (
        r"\.training = (?!0|False|True)",
        {
            "seq2seq_lib/runtime.py",
            "seq2seq_lib/laws/probes.py",  # undisturbed: modules that a caller's functions hide
        },
    ),
    "random states are kept": (
        r"set_rng_state|random\.setstate",
        {
            "seq2seq_lib/runtime.py",
            "seq2seq_lib/laws/probes.py",  # also cuDNN, buffers and gradients, of foreign modules
        },
    ),
    "a bool is no number": (
        r"isinstance\(\w+(\.\w+)*, bool\)",
        {"seq2seq_lib/_numbers.py"},
    ),
}


def second_homes(name: str, texts: dict[str, str]) -> list[str]:
    pattern, homes = HOMES[name]
    return [path for path, text in texts.items() if re.search(pattern, text) and path not in homes]


@pytest.mark.parametrize("name", HOMES)
def test_each_helper_has_one_home(name):
    texts = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for path in files("seq2seq_lib", "tools", "benchmarks")
        # what a learner's answer may be is another question than what our arguments may be
        if name != "a bool is no number"
        or not {"course", "tools"} & set(path.relative_to(ROOT).parts)
    }
    assert second_homes(name, texts) == []
    for home in HOMES[name][1]:
        assert second_homes(name, {"copy.py": texts[home]}) == ["copy.py"], f"{home} needs no entry"


# --- one path to each name


def offered(package: Path) -> set[str]:
    """The names in a package's ``__all__``."""
    for node in ast.parse((package / "__init__.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def side_doors(code: str, package: str, names: set[str]) -> list[str]:
    """Imports of a package's public names from one of its modules."""
    return [
        f"{alias.name} from {node.module}"
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}.")
        for alias in node.names
        if alias.name in names
    ]


@pytest.mark.parametrize("name", ["_bleu", "batching", "latent", "training", "translate"])
def test_what_a_package_offers_is_imported_from_the_package(name):
    names, found = offered(LIBRARY / name), {}
    assert names
    for path in files("seq2seq_lib", "benchmarks", "tools", "tests", "chapters", "solutions"):
        if LIBRARY / name not in path.parents and "__pycache__" not in path.parts:
            doors = side_doors(path.read_text("utf-8"), f"seq2seq_lib.{name}", names)
            found |= {path.relative_to(ROOT).as_posix(): doors} if doors else {}
    assert found == {}


def test_a_side_door_is_seen():
    code = "from seq2seq_lib.training.fit import fit, _update\nfrom seq2seq_lib.training import fit"
    assert side_doors(code, "seq2seq_lib.training", {"fit"}) == [
        "fit from seq2seq_lib.training.fit"
    ]


# --- one dialect

SECTIONS = "Args|Attributes|Raises|Returns|Warns|Yields"


def docstrings(code: str) -> Iterator[tuple[str, str]]:
    """Names and docstrings of a module and of all that stands in it."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=True)
            if text:
                yield getattr(node, "name", "the module"), text


def foreign(text: str) -> list[str]:
    """What of a docstring is another dialect."""
    code = re.compile(r"``.*?``", re.DOTALL)
    if code.sub("", text).count("``"):
        return ["an odd number of ``"]
    plain, wrong = code.sub("", text), []
    if "`" in plain:
        wrong.append("`code` in single backticks: write ``code``")
    if re.search(rf"^ *({SECTIONS}): \S", text, re.MULTILINE):
        wrong.append("a section that begins on the line of its name")
    if re.search(r"^ *(Raises \w+Error|Returns a\b|:param|:return|Parameters\n *-)", text, re.M):
        wrong.append("a section in prose: write Raises:, and each error on a line")
    for body in re.findall(r"^Raises:\n((?:    .*\n?)+)", text, re.MULTILINE):
        lines = [line[4:] for line in body.splitlines() if not line.startswith(" " * 8)]
        if not all(re.match(r"[A-Z]\w+(, [A-Z]\w+)*: ", line) for line in lines):
            wrong.append("an error without its class and a colon")
    if re.search(r"[<>]=", plain):
        wrong.append("<= or >= in words: write ≤ or ≥")
    if text.split("\n\n")[0].rstrip()[-1] not in ".!?:…":
        wrong.append("a first paragraph without a full stop")
    return wrong


@pytest.mark.parametrize("path", [pytest.param(p, id=p.name) for p in files("seq2seq_lib")])
def test_docstrings_are_of_one_dialect(path):
    found = [(name, foreign(text)) for name, text in docstrings(path.read_text("utf-8"))]
    assert [each for each in found if each[1]] == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Of `logits`.", "single backticks"),
        ("Sums.\n\nReturns: a number.", "on the line of its name"),
        ("Sums.\n\nRaises ValueError for NaN.", "in prose"),
        ("Sums.\n\nRaises:\n    for NaN, ValueError.", "without its class"),
        ("Sums what is >= 1.", "write ≤ or ≥"),
        ("Sums", "full stop"),
        ("Sums ``a` and b.", "odd number"),
    ],
)
def test_another_dialect_is_seen(text, what):
    (found,) = foreign(text)
    assert what in found


def test_the_house_s_dialect_is_accepted():
    errors = "Raises:\n    TypeError, ValueError: wrong\n        kind."
    assert foreign(f"Of ``a >= b``: x ≥ 1.\n\nArgs:\n    a: one.\n\n{errors}\n\nMore.") == []
