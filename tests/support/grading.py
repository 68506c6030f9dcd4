"""nbgrader gives the points that it should: release, autograde and feedback, end to end.

A chapter with exercises inherits these tests in ``tests/course/chNN_name/test_grading.py``. One
gradebook, some submissions in it, everything in a temporary folder. What each wrong answer is told
is tested beside the checks; here, that it costs its points and no others, and is told at all. What
the learners hand in stands in ``submissions.py`` beside the test.
"""

import ast
import html
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from notebooks.chapters import Chapter

from seq2seq_lib.course import exercises, find, points
from seq2seq_lib.course.judging.exercise import Exercise
from seq2seq_lib.course.judging.words import FINDINGS, say
from tests.support.submissions import FAKE_LIBRARY, Round, round_of

ROOT = Path(__file__).resolve().parents[2]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)


def notebook(folder: str, assignment: str) -> nbformat.NotebookNode:
    return read(ROOT / folder / assignment / f"{assignment}.ipynb")


def settings(cell: nbformat.NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def graded(cells: list) -> list:
    return [cell for cell in cells if settings(cell).get("grade")]


def checked(cell: nbformat.NotebookNode) -> str | None:
    """The exercise that a cell checks."""
    found = re.search(r"^check\(\"([^\"]+)\", ", cell.source, flags=re.MULTILINE)
    return found and found[1]


def headers(cells: list) -> dict[str, str]:
    """The text below the heading of each exercise; 4.6b heads 4.6b1 to 4.6b3."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = re.findall(r"^#{2,3} (\d+\.\d+[a-z]?) .*\n\n(\*[A-Z](?:.+\n)+)", text, re.MULTILINE)
    return {id: " ".join(line.split()) for id, line in found}


def answers_of(cells: list) -> dict[str, str]:
    """Answers by grade_id, and letters by name."""
    found = {settings(c)["grade_id"]: c.source for c in cells if settings(c).get("solution")}
    for cell in cells:
        found |= dict(re.findall(r"^(letter_\w+) = \"(.)\"", cell.source, flags=re.MULTILINE))
    return found


def with_answers(released: nbformat.NotebookNode, answers: dict[str, str]) -> None:
    """Write answers into a released notebook, as a learner does."""
    for cell in released.cells:
        cell.source = answers.get(settings(cell).get("grade_id"), cell.source)
        letter = re.match(r"(letter_\w+) = ", cell.source)
        if letter and letter[1] in answers:
            cell.source = f'{letter[1]} = "{answers[letter[1]]}"'


@dataclass(frozen=True)
class Course:
    """A gradebook after grading.

    Attributes:
        assignment: its name.
        folder: submitted/, autograded/, feedback/, release/.
        scores: by learner, by grade_id: points, or None where a person has to look.
    """

    assignment: str
    folder: Path
    scores: dict[str, dict[str, float | None]]

    @property
    def round(self) -> Round:
        """What was handed in."""
        return round_of(self.assignment)

    def feedback(self, learner: str) -> str:
        """The words of a feedback page, without its markup."""
        page = self.file("feedback", learner).with_suffix(".html").read_text("utf-8")
        return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())

    def autograded(self, learner: str) -> list:
        return read(self.file("autograded", learner)).cells

    def file(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts, self.assignment, f"{self.assignment}.ipynb")


def nbgrader(folder: Path, *arguments: str, **environment: str) -> None:
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # for alembic
        "NBGRADER_WORK": str(folder),
        "PYTHONWARNINGS": "ignore",
        **environment,
    }
    run = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments, "--log-level=ERROR",
         f"--CourseDirectory.release_directory={folder / 'release'}"],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr


def scores(database: Path, assignment: str) -> dict[str, dict[str, float | None]]:
    from nbgrader.api import Gradebook

    found: dict[str, dict[str, float | None]] = {}
    with Gradebook(f"sqlite:///{database}") as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            found[submission.student.id] = {
                grade.cell.name: None if grade.needs_manual_grade else grade.auto_score
                for book in submission.notebooks
                for grade in book.grades
            }
    return found


def everything_beside(folder: Path, assignment: str) -> set[str]:
    """Files of the checkout that grading might leave, apart from caches and Python environments.

    Not folders: a JupyterLab that another test starts reads nbgrader's settings, which make one.
    """
    ignored = {".git", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
    names = set()
    for path, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:  # an environment, which pip may be filling
            folders[:] = []
            continue
        folders[:] = [name for name in folders if name not in ignored]
        names |= {os.path.join(path, name) for name in files}
    words = ("nbgrader", "gradebook", assignment)
    return {name for name in names if any(word in name for word in words)}


def full_marks(assignment: str) -> dict[str, int]:
    """Points by grade_id, of what is graded without a person."""
    cells = graded(notebook("solutions", assignment).cells)
    return {settings(c)["grade_id"]: settings(c)["points"] for c in cells if c.cell_type == "code"}


def automatic(course: Course, learner: str) -> dict[str, float | None]:
    given = course.scores[learner]
    return {name: given[name] for name in full_marks(course.assignment)}


def cell_of(id: str) -> str:
    return f"check-{id.replace('.', '-')}"


def apart(by_cell: dict[str, int], by_module: dict[str, int]) -> list[str]:
    """Where the points in the notebook's cells are not those of the modules, in sentences."""
    return [
        f"{name}: the cell in solutions/_src has {by_cell.get(name, 'no')} points, the module in "
        f"seq2seq_lib/course has {by_module.get(name, 'no')}"
        for name in sorted(by_cell.keys() | by_module.keys())
        if by_cell.get(name) != by_module.get(name)
    ]


def faults(handed_in: Round, asked: dict[str, Exercise]) -> list[str]:
    """What is wrong with a round as it is written, without grading it, in sentences."""
    lost = [
        (learner, id, name)
        for learner, answers in handed_in.wrong.items()
        for wrong in answers
        for id, name in wrong.lost.items()
    ]
    found = [
        f"submissions.py: nobody fails {id}: add a Wrong whose lost names it, or put it in spared"
        for id in asked
        if id not in handed_in.spared and id not in {id for _, id, _ in lost}
    ]
    for learner, id, name in lost:
        if id not in asked:
            found.append(f"submissions.py: {learner} fails {id}, which is no exercise with points")
        elif id in handed_in.spared:
            found.append(f"submissions.py: {learner} fails {id}, which is among spared")
        elif name not in {*asked[id].words.findings, *FINDINGS}:
            valid = ", ".join(asked[id].words.findings)
            found.append(
                f"submissions.py: {learner} should be told {name!r} at {id}, which is no finding. "
                f"Of its own it has {valid}"
            )
    return found


class Grading:
    """The tests of one chapter's exercises.

    Attributes:
        test_file: where the class that inherits them stands, so which chapter is meant.
    """

    test_file: str
    # nbgrader's own dependencies warn, and that is theirs to mend
    pytestmark = pytest.mark.filterwarnings("ignore")

    @property
    def stem(self) -> str:
        return Path(self.test_file).parent.name

    @property
    def asked(self) -> list[Exercise]:
        """The exercises of the assignment. Those without points are asked in the chapter itself."""
        return [e for e in exercises(Chapter(self.stem).number) if e.points]

    def test_points_are_those_of_the_exercises(self):
        known = {exercise.id: exercise for exercise in self.asked}
        cells = graded(notebook("solutions", self.stem).cells)
        by_cell = {cell_of(checked(c)): settings(c)["points"] for c in cells if checked(c)}
        by_cell |= {
            settings(c)["grade_id"]: settings(c)["points"]
            for c in cells
            if c.cell_type == "markdown"
        }
        by_module = {cell_of(id): 0 if e.manual else e.points for id, e in known.items()}
        by_module |= {
            f"answer-{id.replace('.', '-')}": e.points for id, e in known.items() if e.manual
        }
        assert not apart(by_cell, by_module), "\n".join(apart(by_cell, by_module))
        assert sum(settings(cell)["points"] for cell in cells) == points(Chapter(self.stem).number)

    def test_what_has_no_points_is_asked_in_the_chapter(self):
        cells = read(Chapter(self.stem).notebook).cells
        asked = {checked(cell) for cell in cells if cell.cell_type == "code"} - {None}
        without = {e.id for e in exercises(Chapter(self.stem).number) if not e.points}
        assert asked == without

    def test_each_exercise_is_headed_by_what_it_says_of_itself(self):
        by_heading: dict[str, list] = {}
        for exercise in self.asked:
            heading = re.match(r"\d+\.\d+[a-z]?", exercise.id)[0]
            by_heading.setdefault(heading, []).append(exercise)
        found = headers(notebook("exercises", self.stem).cells)
        assert found.keys() == by_heading.keys()
        for heading, parts in by_heading.items():
            first, worth = parts[0], " + ".join(str(part.points) for part in parts)
            for words in (
                f"difficulty {first.difficulty} of 5",
                f"importance {first.importance} of 5",
                f"spend up to {first.minutes} minute{'s' * (first.minutes > 1)} ",
                f"{worth} point",
            ):
                assert words in found[heading], f"{heading}: {words}"

    def test_a_graded_cell_ends_in_a_statement_that_shows_no_value(self):
        # a number as a cell's last value would be taken for its points
        for cell in graded(notebook("solutions", self.stem).cells):
            if cell.cell_type == "code":
                last = ast.parse(cell.source).body[-1]
                is_check = isinstance(last, ast.Expr) and last.value.func.id == "check"
                assert is_check or not isinstance(last, ast.Expr), cell.source
                assert {output.output_type for output in cell.outputs} <= {"stream", "display_data"}
                assert not [output for output in cell.outputs if output.get("name") == "stderr"]

    def test_a_release_tells_no_solution(self):
        released, solved = (notebook(f, self.stem).cells for f in ("exercises", "solutions"))
        text = "\n".join(cell.source for cell in released)
        assert "SOLUTION" not in text and "HIDDEN" not in text and "import grade" not in text
        letters = re.findall(r"^(letter_\w+) = \"(.)\"", text, flags=re.MULTILINE)
        assert {name for name, _ in letters} == set(
            re.findall(r"letter_\w+(?= = )", "\n".join(cell.source for cell in solved))
        )
        assert {letter for _, letter in letters} <= {"?"}
        for cell, answer in zip(released, solved, strict=True):
            if settings(cell).get("solution"):
                assert cell.source != answer.source
                assert "NotImplementedError()" in cell.source or cell.source == "YOUR ANSWER HERE"
            if checked(cell):
                assert cell.source.count("\n") == 0, "one line is all that a learner sees"

    def test_an_untouched_exercise_runs_to_its_end_and_is_not_attempted(self, tmp_path):
        from nbclient import NotebookClient

        released = notebook("exercises", self.stem)
        NotebookClient(
            released,
            timeout=120,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()  # raises where a cell does
        said = {
            checked(cell): "".join(output.data["text/plain"] for output in cell.outputs)
            for cell in released.cells
            if cell.cell_type == "code" and checked(cell)
        }
        assert said.keys() == {exercise.id for exercise in self.asked}
        for id, text in said.items():
            assert id in text and say("not_attempted") in text, text

    def test_every_check_is_failed_by_somebody_with_a_finding_that_exists(self):
        wrong = faults(round_of(self.stem), {exercise.id: exercise for exercise in self.asked})
        assert not wrong, "\n".join(wrong)

    @pytest.fixture(scope="class")
    def course(self, request, tmp_path_factory) -> Course:
        name = Path(request.cls.test_file).parent.name
        handed_in = round_of(name)
        folder = tmp_path_factory.mktemp(name)
        before = everything_beside(ROOT, name)
        nbgrader(folder, "generate_assignment", name, "--force")
        released = folder / "release" / name / f"{name}.ipynb"
        right = answers_of(notebook("solutions", name).cells)

        def submit(learner: str, answers: dict[str, str]) -> tuple[nbformat.NotebookNode, Path]:
            book, target = read(released), folder / "submitted" / learner / name
            with_answers(book, answers)
            target.mkdir(parents=True)
            nbformat.write(book, target / released.name)
            return book, target

        submit("untouched", {})
        submit("noisy", right | handed_in.noisy)
        for learner, answers in handed_in.wrong.items():
            submit(learner, right | {wrong.cell: wrong.code for wrong in answers})
        book, target = submit("cheat", handed_in.cheat)
        for cell in graded(book.cells):
            if cell.cell_type == "code":
                cell.source = "assert True"
                cell.metadata.nbgrader.points = 100
        book.cells = [c for c in book.cells if settings(c).get("grade_id") != handed_in.deleted]
        nbformat.write(book, target / released.name)
        (target / "seq2seq_lib.py").write_text(FAKE_LIBRARY)
        nbgrader(folder, "autograde", name)

        if handed_in.unlucky:
            submit("unlucky", right)
            stub = folder / "broken" / "seq2seq_lib"
            stub.mkdir(parents=True)
            (stub / "__init__.py").write_text("raise ImportError('broken on purpose')\n")
            nbgrader(folder, "autograde", name, "--student=unlucky", PYTHONPATH=str(stub.parent))
        nbgrader(folder, "generate_feedback", name)
        assert everything_beside(ROOT, name) == before, "grading left something in the checkout"
        return Course(name, folder, scores(folder / "gradebook.db", name))

    @pytest.mark.slow
    def test_a_release_with_a_gradebook_has_the_same_bytes(self, course):
        released = course.file("release")
        kept = ROOT / "exercises" / self.stem / released.name
        assert released.read_bytes() == kept.read_bytes(), "run `make exercises`"

    @pytest.mark.slow
    def test_an_untouched_exercise_has_no_points_and_needs_nobody(self, course):
        assert set(course.scores["untouched"].values()) == {0}
        assert say("not_attempted") in course.feedback("untouched")

    @pytest.mark.slow
    def test_right_answers_have_all_points_however_noisy(self, course):
        assert automatic(course, "noisy") == full_marks(self.stem)
        by_hand = {name for name in course.scores["noisy"] if name.startswith("answer-")}
        assert len(by_hand) == sum(exercise.manual for exercise in self.asked)
        assert {course.scores["noisy"][name] for name in by_hand} <= {None}
        streams = [o.get("name") for c in course.autograded("noisy") for o in c.get("outputs", [])]
        assert "stderr" not in streams

    @pytest.mark.slow
    def test_a_wrong_answer_costs_its_points_and_no_others(self, course):
        worth = full_marks(self.stem)
        for learner, answers in course.round.wrong.items():
            left = {cell_of(id): wrong.earns for wrong in answers for id in wrong.lost}
            assert automatic(course, learner) == worth | left, learner

    @pytest.mark.slow
    def test_feedback_says_why(self, course):
        for learner, answers in course.round.wrong.items():
            words = course.feedback(learner)
            for id, name in (pair for wrong in answers for pair in wrong.lost.items()):
                message = find(id).words.message(name)
                texts = (message.means, message.asks)
                parts = [part for text in texts for part in re.split(r"\{\w+\}", text)]
                unsaid = [part for part in parts if " ".join(part.split()) not in words]
                told = not unsaid  # pytest would print the whole page
                assert told, (
                    f"submissions.py: {learner} should be told {name!r} at {id}, but the feedback "
                    f"does not say {unsaid}. Name the finding that this answer hears"
                )

    @pytest.mark.slow
    def test_no_trick_earns_points(self, course):
        assert set(course.scores["cheat"].values()) == {0}
        solved = graded(notebook("solutions", self.stem).cells)
        solved = {settings(c)["grade_id"]: c.source for c in solved}
        restored = {settings(c)["grade_id"]: c for c in graded(course.autograded("cheat"))}
        for name, worth in full_marks(self.stem).items():
            assert restored[name].source.endswith(solved[name]), "a tampered cell was run"
            assert settings(restored[name])["points"] == worth

    @pytest.mark.slow
    def test_a_library_that_cannot_be_imported_gives_no_points(self, course):
        if "unlucky" not in course.scores:
            pytest.skip("one chapter is enough: this is nbgrader's part, and not the exercises'")
        # a teacher who forgot to install it must not hand out full marks
        assert set(automatic(course, "unlucky").values()) == {0}
        assert "broken on purpose" in json.dumps(course.autograded("unlucky"))
