"""A folder for learners: the course without its solutions in plain sight.

What it holds is what git tracks, less the solutions, the tests that know answers, and the teacher's
tools. Modules that hold answers are packed; ``solution()`` is closed for exercises with points.
docs/teaching.md says what that protects against, and what not.
"""

import datetime
import json
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

LEFT_OUT = (
    "solutions/", "tests/", "nbgrader_config.py", "tools/", "docs/teaching.md",
    "docs/authoring.md", "CONTRIBUTING.md", ".github/", ".ci/", "benchmarks/",
)  # fmt: skip
SOLUTION = re.compile(
    r'^solution = ("{3}[\s\S]*?"{3}|\'{3}[\s\S]*?\'{3}|".*"|\'.*\')$', re.MULTILINE
)
STUB = '''"""{doc}"""

from seq2seq_lib.course.judging.edition import load

load(globals(), {packed!r})
'''


def make_edition(root: Path, target: Path, key: str = "", opens: str = "", force: bool = False):
    """Write the folder.

    Args:
        key: whoever sets SEQ2SEQ_SOLUTIONS to it sees solutions; nobody does if it is empty.
        opens: the date, YYYY-MM-DD, from which everybody does; never if it is empty.
        force: replace a folder that such a call wrote before.
    """
    if opens:
        try:
            datetime.date.fromisoformat(opens)
        except ValueError:
            raise SystemExit(f"--date must look like 2027-01-31, but it is {opens!r}.") from None
    target = target.resolve()
    if target.exists() and any(target.iterdir()):
        written = (target / "seq2seq_lib/course/judging/edition.json").exists()
        if not (force and written):
            raise SystemExit(
                f"{target} is not empty: name another folder, or --force for an old one"
            )
        shutil.rmtree(target)
    files = [name for name in _tracked(root) if not name.startswith(LEFT_OUT)]
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)
    packed = _pack_modules(root, target) + _pack_words(target)
    _for_learners(target)
    salt = secrets.token_hex(8)
    told = {"opens": opens, "salt": salt, "key": _hashed(key, salt) if key else ""}
    place = target / "seq2seq_lib/course/judging/edition.json"
    place.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    when = f"open on {opens}" if opens else "closed"
    print(f"{target}: {len(files)} files, {packed} of them packed; solutions are {when}"
          f"{', or with the key' if key else ''}")  # fmt: skip


def _tracked(root: Path) -> list[str]:
    found = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if found.returncode:
        raise SystemExit("A release is made from a git checkout: git ls-files failed here.")
    return [name for name in found.stdout.split("\0") if name and (root / name).is_file()]


def _hashed(key: str, salt: str) -> str:
    from seq2seq_lib.course.judging.edition import hashed

    return hashed(key, salt)


def _pack_modules(root: Path, target: Path) -> int:
    """Each module in which an answer or a known right function stands."""
    from seq2seq_lib.course import exercises
    from seq2seq_lib.course.judging.edition import pack

    modules = set()
    for exercise in exercises():
        own = [exercise.reference, *exercise.alternatives, getattr(exercise.task, "spec", None)]
        own += [*getattr(exercise.task, "innocent", ()), exercise.task]
        modules |= {sys.modules.get(getattr(f, "__module__", "")) for f in own}
    names = {Path(module.__file__).relative_to(root) for module in modules if module}
    names = {name for name in names if re.match(r"seq2seq_lib/course/ch\d\d_", name.as_posix())}
    names |= {p.relative_to(target) for p in target.glob("seq2seq_lib/course/ch*/ex*.py")}
    for name in names:
        source = (target / name).read_text(encoding="utf-8")
        doc = "An exercise: its task, its answers and its mistakes, packed for this edition."
        (target / name).write_text(STUB.format(doc=doc, packed=pack(source)), encoding="utf-8")
    return len(names)


def _pack_words(target: Path) -> int:
    """What explains a solution."""
    import tomllib

    from seq2seq_lib.course.judging.edition import pack

    count = 0
    for path in sorted(target.glob("seq2seq_lib/course/ch*/ex*.toml")):
        text = path.read_text(encoding="utf-8")
        words = tomllib.loads(text).get("solution")
        span = re.search(
            r'^solution = ("""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|".*"|\'.*\')$', text, re.M
        )
        if words is None or span is None:
            continue
        packed = f"solution = {json.dumps(pack(words))}"
        path.write_text(text[: span.start()] + packed + text[span.end() :], encoding="utf-8")
        count += 1
    return count


def _for_learners(target: Path) -> None:
    """README and Makefile speak of nothing that is not there."""
    makefile = target / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    kept = []
    for block in text.split("\n\n"):
        rule = re.search(r"^([\w$() ]+):(?!=)", block, re.MULTILINE)
        if "NBVAL" not in block and (
            rule is None or rule[1].strip() in ("help", "lab", "$(STAMP)")
        ):
            kept.append(block)
    text = re.sub(r"\.PHONY:(?:.*\\\n)*.*", ".PHONY: help lab", "\n\n".join(kept).rstrip())
    makefile.write_text(text + "\n", encoding="utf-8")
    readme = target / "README.md"
    text = readme.read_text(encoding="utf-8")
    text = re.sub(r"(?ms)^## For maintainers\n.*?(?=^## )", "", text)
    text = re.sub(r"(?m)^make test .*\n", "", text).replace("## Two commands", "## One command")
    text = text.replace("After that both work offline", "After that it works offline")
    blocks = re.split(r"\n{2,}", text)
    for_others = ("**To teach**", "**To maintain", "and to test:", "```\npython -m pytest")
    text = "\n\n".join(block for block in blocks if not block.startswith(for_others))
    for name in LEFT_OUT:  # links into what was left out become words
        text = re.sub(rf"\[([^\]]+)\]\({re.escape(name)}[^)]*\)", r"\1", text)
    readme.write_text(text, encoding="utf-8")
