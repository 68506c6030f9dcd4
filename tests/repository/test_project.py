"""Promises of the repository as a whole: what stands in two files agrees, what is built is in step,
and nothing tells on the machine it was made on."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path

import make_constraints
import pytest
import readme_table
import yaml
from notebooks.build import orphans, problems
from notebooks.paths import shown, sources
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INSTALL = '-c constraints.txt -e ".[dev]"'


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def readme() -> str:
    if not (ROOT / "README.md").exists():
        pytest.skip("README.md is not written yet")
    return read("README.md")


def tracked_files() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there are no tracked files to look at")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    files = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [file for file in files if file.is_file()]


# ---------------------------------------------------------------- dependencies


def direct_requirements(without: Collection[str] = ("peers",)) -> list[Requirement]:
    """What the project asks for itself, in all extras but the ones named, as a rule `peers`.

    `dev` names the project's other extras.
    """
    extras = {k: v for k, v in PROJECT["optional-dependencies"].items() if k not in without}
    lines = PROJECT["dependencies"] + sum(extras.values(), [])
    return [r for r in map(Requirement, lines) if r.name != PROJECT["name"]]


def pins() -> dict[str, Version]:
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    parsed = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s+@]+)", line)
        assert match, f"constraints.txt: {line!r} is not name==version of a public index"
        parsed[canonicalize_name(match[1])] = Version(match[2])
    return parsed


@pytest.mark.parametrize("requirement", direct_requirements(), ids=str)
def test_every_dependency_is_pinned_within_its_range(requirement):
    assert pins()[canonicalize_name(requirement.name)] in requirement.specifier


def test_dev_holds_every_extra_that_the_course_needs():
    extras = PROJECT["optional-dependencies"]
    (itself,) = extras["dev"]
    assert Requirement(itself).name == PROJECT["name"]
    assert Requirement(itself).extras == set(extras) - {"dev", "peers", "site"}


def test_the_library_alone_needs_torch_and_numpy():
    assert {Requirement(line).name for line in PROJECT["dependencies"]} == {"torch", "numpy"}


def test_constraints_hold_nothing_of_the_machine_that_made_them():
    compiled = (
        "torch==2.13.0+cpu\n"
        "numpy==2.4.6   # via torch\n"
        "# The following packages are considered to be unsafe in a requirements file:\n"
        "--some-option elsewhere\n"
        "seq2seq-lib @ file:///somewhere\n"
        'pexpect==4.9.0 ; sys_platform != "win32"\n'
    )
    repaired = make_constraints.repair(compiled).removeprefix(make_constraints.HEADER)
    assert repaired == 'numpy==2.4.6\npexpect==4.9.0 ; sys_platform != "win32"\ntorch==2.13.0\n'


@pytest.mark.skipif(not os.environ.get("CI"), reason="only CI promises exactly these versions")
def test_ci_runs_the_pinned_versions():
    installed = {}
    for requirement in direct_requirements(without=("peers", "site")):  # what dev does not bring
        version = Version(importlib.metadata.version(requirement.name))
        installed[canonicalize_name(requirement.name)] = Version(version.public)  # without +cpu
    assert installed == {name: pins()[name] for name in installed}


def test_environment_yml_only_points_at_pyproject_and_constraints():
    environment = yaml.safe_load(read("environment.yml"))
    python, pip, from_pip = environment["dependencies"]
    assert pip == "pip"
    assert from_pip == {"pip": ["-c constraints.txt", "-e .[dev]"]}
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])


def test_everyone_installs_with_the_same_line():
    assert INSTALL in read("Makefile")
    assert INSTALL in read(".github/workflows/ci.yml")
    assert INSTALL in readme()


def test_who_sees_no_buttons_is_told_to_install_what_draws_them():
    told = {}
    chapters = [path.relative_to(ROOT).as_posix() for path in (ROOT / "chapters").glob("*.ipynb")]
    for name in ("seq2seq_lib/course/explorers/kit/still.py", "docs/reading.md", *chapters):
        told[name] = re.findall(r"pip install -e ([^ <`]*)", read(name).replace(r"\"", '"'))
    assert len(told["docs/reading.md"]) == 1 and sum(map(len, told.values())) > 12
    assert {name: lines for name, lines in told.items() if set(lines) - {'".[course]"'}} == {}
    drawn = {Requirement(line).name for line in PROJECT["optional-dependencies"]["course"]}
    assert "anywidget" in drawn, "what `pip install -e .` does not bring"


# ---------------------------------------------------------------- commands


def makefile_targets() -> dict[str, str]:
    """Target -> the line of help that stands beside it."""
    found = re.findall(r"^([a-z]+):.*?(?:## (.*))?$", read("Makefile"), flags=re.MULTILINE)
    return dict(found)


def test_every_make_target_is_explained():
    (phony,) = re.findall(r"^\.PHONY: (.*)$", read("Makefile"), flags=re.MULTILINE)
    targets = makefile_targets()
    assert set(phony.split()) == set(targets)
    assert all(targets.values()), targets


def test_make_commands_that_are_written_about_exist():
    texts = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("tools/*.py"),
        ROOT / ".ci" / "run",
    ]
    texts += [ROOT / "Makefile", ROOT / ".github" / "workflows" / "ci.yml"]
    # In backticks, or at the start of a line of code.
    command = re.compile(r"(?:`|^[ \t]*(?:\$ |exec |run: )?)make ([a-z]+)(?=[`\s])", re.MULTILINE)
    mentioned = {(t.name, word) for t in texts for word in command.findall(t.read_text("utf-8"))}
    assert ("run", "test") in mentioned, "CI no longer calls `make test`, or this test is blind"
    assert {word for _, word in mentioned} <= set(makefile_targets()), mentioned


def test_readme_gives_the_two_commands():
    assert "make lab" in readme() and "make test" in readme()


def pytest_options(text: str) -> list[set[str]]:
    """The options of each pytest command that runs notebooks, lines joined."""
    joined = re.sub(r"\s*\\?\n\s*", " ", text)
    return [set(m.split()) for m in re.findall(r"pytest (-n 2 .*?--nbval-sanitize\S+)", joined)]


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this system")
def test_windows_runs_notebooks_as_the_makefile_does():
    dry_run = subprocess.run(
        ["make", "-n", "--no-print-directory", "test"], cwd=ROOT, capture_output=True, text=True
    )
    (expected,) = pytest_options(dry_run.stdout)
    assert pytest_options(read(".github/workflows/ci.yml")) == [expected]
    assert pytest_options(readme()) == [expected]


def test_make_lab_opens_a_chapter_that_exists():
    readme()  # the last file to be written: from then on the course has a beginning
    (opened,) = re.findall(r"jupyter lab \S+=/lab/tree/(\S+)", read("Makefile"))
    assert (ROOT / opened).exists()


# ---------------------------------------------------------------- built files


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.stem)
def test_notebook_is_in_step_with_its_source(source):
    found = problems(source)
    repair = f"python tools/build_notebooks.py build {shown(source)}"
    assert not found, "\n".join([*found, f"Run {repair} (or back, if you edited in Jupyter)"])


def test_every_notebook_has_a_source():
    found = orphans(ROOT)
    assert not found, "\n".join([*found, "Remove it, or write its source"])


def test_exercises_are_what_nbgrader_releases_from_solutions(tmp_path):
    solutions = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))
    if not solutions:
        pytest.skip("no solutions yet")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "--assignment=ch*"]
    command += ["--no-db", "--force", "--log-level=ERROR"]
    command += [f"--CourseDirectory.release_directory={tmp_path / 'released'}"]
    environment = {**os.environ, "NBGRADER_WORK": str(tmp_path / "work")}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    def contents(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("*/*.ipynb")}

    released, kept = contents(tmp_path / "released"), contents(ROOT / "exercises")
    assert sorted(released) == [f"{name}/{name}.ipynb" for name in solutions]
    different = [n for n in {*released, *kept} if released.get(n) != kept.get(n)]
    assert not different, f"out of step: {sorted(different)}. Run `make exercises`"


def test_readme_table_is_in_step_with_the_chapters():
    """Apart from the seconds: they are measured anew by each build, which writes them there."""

    def without_seconds(text: str) -> str:
        return re.sub(r"^(\| \[.*\.ipynb\).*)\|[^|]*\|$", r"\1|", text, flags=re.MULTILINE)

    expected = readme_table.with_table(readme(), readme_table.table())
    assert without_seconds(expected) == without_seconds(readme()), (
        "README.md's table is out of step: run python tools/readme_table.py"
    )


def test_readme_table_replaces_nothing_but_itself(tmp_path):
    text = f"before\n{readme_table.BEGIN}\nold\n{readme_table.END}\nafter\n"
    expected = f"before\n{readme_table.BEGIN}\nnew\n{readme_table.END}\nafter\n"
    assert readme_table.with_table(text, "new") == expected
    assert readme_table.with_table(expected, "new") == expected
    with pytest.raises(SystemExit, match="once each"):
        readme_table.with_table("no comments here", "new")


def test_durations_read_like_durations():
    shown = [readme_table.duration(s) for s in (None, 0, 1, 59, 60, 61, 150)]
    assert shown == ["not measured", "0 s", "1 s", "59 s", "1 min", "1 min 1 s", "2 min 30 s"]


# ---------------------------------------------------------------- nothing of the machine


# Written so that none matches its own line here.
TELLTALES = {
    "a home folder": r"(?<![\w.~])/(?:home|Users|root)/[\w.]",
    "a Windows home folder": r"[A-Z]:\\{1,2}Users\\",
    "this checkout's folder": r"(?<![\w.~-])" + re.escape(str(ROOT)) + r"(?![\w-])",
    "an index of one's own": r"--(?:extra-)?index-(?:url)\b|--find-(?:links)\b|trusted-(?:host)",
    "a server named by its address": r"://(?!127\.0\.0\.1)\d+\.\d+\.\d+\.\d+",
}


def telltales(text: str) -> list[str]:
    return [name for name, pattern in TELLTALES.items() if re.search(pattern, text)]


def test_no_file_tells_on_the_machine_it_was_made_on():
    found = {}
    for file in tracked_files():
        data = file.read_bytes()
        if b"\0" in data:  # a model or a picture
            continue
        # Pictures in notebooks are base64, which may spell anything.
        text = re.sub(r"[A-Za-z0-9+/=]{200,}", "", data.decode("utf-8"))
        if wrong := telltales(text):
            found[file.relative_to(ROOT).as_posix()] = wrong
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "File /" + "home/someone/course/x.py",
        "C:\\" + "Users\\someone",
        f"at {ROOT}/seq2seq_lib",
        "pip install --extra-" + "index-url x",
        "http://" + "10.1.2.3/simple",
    ],
)
def test_telltales_are_seen(text):
    assert telltales(text)


def test_text_files_end_lines_the_same_way_everywhere():
    texts = {file.name: file.read_bytes() for file in tracked_files()}
    assert not [name for name, text in texts.items() if b"\r\n" in text and b"\0" not in text]
