"""nbgrader gives the points that it should: release, autograde and feedback, end to end.

One gradebook, some submissions in it, everything in a temporary folder. What each wrong answer is
told is tested beside the checks; here, that it costs its points and no others, and is told at all.
"""

import ast
import html
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from seq2seq_lib.checks import exercises, points, texts

# nbgrader's own dependencies warn, and that is theirs to mend
pytestmark = pytest.mark.filterwarnings("ignore")

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENTS = sorted(path.parent.name for path in ROOT.glob("solutions/*/*.ipynb"))
CH04 = "ch04_padding_masks"


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


# ---------------------------------------------------------------- what is released


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_points_are_those_of_the_register(assignment):
    chapter = str(int(assignment[2:4]))
    known = {exercise.id: exercise for exercise in exercises(chapter)}
    cells = graded(notebook("solutions", assignment).cells)
    checks = {checked(cell): settings(cell)["points"] for cell in cells if checked(cell)}
    assert checks == {id: 0 if e.manual else e.points for id, e in known.items()}

    written = {
        settings(c)["grade_id"]: settings(c)["points"] for c in cells if c.cell_type == "markdown"
    }
    assert written == {
        f"answer-{id.replace('.', '-')}": e.points for id, e in known.items() if e.manual
    }
    assert sum(settings(cell)["points"] for cell in cells) == points(chapter)


def headers(cells: list) -> dict[str, str]:
    """The text below the heading of each exercise; 4.6b heads 4.6b1 to 4.6b3."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = re.findall(r"^#{2,3} (\d+\.\d+[a-z]?) .*\n\n(\*[A-Z](?:.+\n)+)", text, re.MULTILINE)
    return {id: " ".join(line.split()) for id, line in found}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_each_exercise_is_headed_by_what_the_register_says(assignment):
    by_heading: dict[str, list] = {}
    for exercise in exercises(str(int(assignment[2:4]))):
        heading = re.match(r"\d+\.\d+[a-z]?", exercise.id)[0]
        by_heading.setdefault(heading, []).append(exercise)
    found = headers(notebook("exercises", assignment).cells)
    assert found.keys() == by_heading.keys()
    for heading, parts in by_heading.items():
        first, worth = parts[0], " + ".join(str(part.points) for part in parts)
        for words in (
            f"difficulty {first.difficulty} of 5",
            f"importance {first.importance} of 5",
            f"spend up to {first.minutes} minutes",
            f"{worth} point",
        ):
            assert words in found[heading], f"{heading}: {words}"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_graded_cell_ends_in_a_statement_that_shows_no_value(assignment):
    # a number as a cell's last value would be taken for its points
    for cell in graded(notebook("solutions", assignment).cells):
        if cell.cell_type == "code":
            last = ast.parse(cell.source).body[-1]
            is_check = isinstance(last, ast.Expr) and last.value.func.id == "check"
            assert is_check or not isinstance(last, ast.Expr), cell.source
            assert {output.output_type for output in cell.outputs} <= {"stream", "display_data"}
            assert not [output for output in cell.outputs if output.get("name") == "stderr"]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_a_release_tells_no_solution(assignment):
    released, solved = (notebook(f, assignment).cells for f in ("exercises", "solutions"))
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


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_untouched_exercise_runs_to_its_end_and_is_not_attempted(assignment, tmp_path):
    from nbclient import NotebookClient

    released = notebook("exercises", assignment)
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
    assert len(said) == len(exercises(str(int(assignment[2:4]))))
    for id, text in said.items():
        assert id in text and texts.say("not_attempted") in text, text


# ---------------------------------------------------------------- submissions

# Right answers that make noise: each line of it on stderr would cost all points.
NOISY = {
    "length_mask": """
import logging, sys, warnings
def length_mask(lengths, max_len):
    warnings.warn("this is deprecated")
    print("so far so good", file=sys.stderr)
    logging.getLogger("learner").warning("hm")
    torch.nn.GRU(3, 4, dropout=0.1)  # torch warns by itself
    return torch.arange(max_len) < lengths.reshape(-1, 1)
""",
    "fixed_loss": """
def fixed_loss(log_probs, targets, lengths):
    warnings.warn("and again")
    return masked_nll_by_select(log_probs, targets, lengths)
""",
}


@dataclass(frozen=True)
class Wrong:
    """A typical wrong answer.

    Attributes:
        cell: the grade_id of its cell, or the name of its letter.
        code: the answer.
        lost: the checks that it fails, and the finding that each names.
    """

    cell: str
    code: str
    lost: dict[str, str] = field(default_factory=dict)


# Two learners, so that each exercise is once wrong and once right beside wrong ones.
ANNA = (
    Wrong("letter_4_1", "C", {"4.1": "sentence_means"}),
    Wrong(
        "masked_nll",
        """
def masked_nll(log_probs, targets, lengths):
    mask = length_mask(lengths, targets.size(1))
    nll = -log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)
    return (nll * mask).mean()
""",
        {"4.3": "padded_cells"},
    ),
    Wrong(
        "masked_nll_by_ignore_index",
        """
def masked_nll_by_ignore_index(logits, targets, lengths):
    return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=0)
""",
        {"4.5": "pad_is_zero"},
    ),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    losses, lengths = torch.tensor([[1.0, 30.0], [2.0, 4.0]]), torch.tensor([1, 2])
    found = loss_function(-losses[..., None], torch.zeros(2, 2, dtype=torch.long), lengths)
    assert found < 6  # it is 7/3
""",
        {"4.6b2": "padded_cells", "4.6b3": "padded_cells"},
    ),
    Wrong(
        "gradient_shares", "def gradient_shares(*args):\n    return 0.8\n", {"4.7": "not_a_dict"}
    ),
)
BEN = (
    Wrong(
        "length_mask",
        """
def length_mask(lengths, max_len):
    return torch.arange(max_len)[None, :] <= lengths[:, None]
""",
        {"4.2": "one_too_many"},
    ),
    Wrong(
        "masked_nll_by_select",
        """
def masked_nll_by_select(log_probs, targets, lengths):
    mask = length_mask(lengths, targets.size(1))
    nll = -log_probs.gather(2, targets.unsqueeze(2)).squeeze(2)
    return (nll * mask).sum() / mask.sum()
""",
        {"4.4": "multiplied"},
    ),
    Wrong("letter_4_6a", "A", {"4.6a": "loss"}),
    Wrong(
        "test_patient",
        """
def test_patient(loss_function):
    losses = torch.tensor([[1.0, 30.0], [1.0, 4.0]])  # the first token costs the same in both rows
    expected = torch.tensor(2.0)
    lengths = torch.tensor([1, 2])
    found = loss_function(-losses[..., None], torch.zeros(2, 2, dtype=torch.long), lengths)
    torch.testing.assert_close(found.abs(), expected)
""",
        {"4.6b3": "sign"},
    ),
    Wrong(
        "fixed_loss",
        """
def fixed_loss(log_probs, targets, lengths):
    total, tokens = 0.0, 0
    for t in range(targets.size(1)):
        mask = lengths > t
        if not mask.any():
            continue
        nll = -log_probs[:, t].gather(1, targets[:, t : t + 1])
        total = total + nll.masked_select(mask).mean() * mask.sum()
        tokens += mask.sum()
    return total / tokens
""",
        {"4.6c": "broadcast"},
    ),
)
# Nothing solved, and all tricks at once.
CHEAT = """
import os
os.environ.pop("NBGRADER_EXECUTION")
def check(*args):
    pass
"""
FAKE_LIBRARY = """
import sys, types
def anything(*args, **kwargs):
    return {}
for name in ("checks", "checks.chapter04", "masks"):
    module = types.ModuleType("seq2seq_lib." + name)
    for each in ("check", "grade", "hint", "solution", "hand_batch", "options_4_1", "patient_loss",
                 "training_log", "sequence_mask"):
        setattr(module, each, anything)
    sys.modules["seq2seq_lib." + name] = module
__path__ = []
"""


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
        folder: submitted/, autograded/, feedback/, release/.
        scores: by learner, by grade_id: points, or None where a person has to look.
    """

    folder: Path
    scores: dict[str, dict[str, float | None]]

    def feedback(self, learner: str) -> str:
        """The words of a feedback page, without its markup."""
        page = (self.folder / "feedback" / learner / CH04 / f"{CH04}.html").read_text("utf-8")
        return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())

    def autograded(self, learner: str) -> list:
        return read(self.folder / "autograded" / learner / CH04 / f"{CH04}.ipynb").cells


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


def scores(database: Path) -> dict[str, dict[str, float | None]]:
    from nbgrader.api import Gradebook

    found: dict[str, dict[str, float | None]] = {}
    with Gradebook(f"sqlite:///{database}") as gradebook:
        for submission in gradebook.assignment_submissions(CH04):
            found[submission.student.id] = {
                grade.cell.name: None if grade.needs_manual_grade else grade.auto_score
                for book in submission.notebooks
                for grade in book.grades
            }
    return found


def everything_beside(folder: Path) -> set[str]:
    """Files of the checkout, apart from caches and what others may be building.

    Not folders: a JupyterLab that another test starts reads nbgrader's settings, which make one.
    """
    ignored = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"}
    names = set()
    for path, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ignored]
        names |= {os.path.join(path, name) for name in files}
    return {name for name in names if "nbgrader" in name or "gradebook" in name or CH04 in name}


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Course:
    folder = tmp_path_factory.mktemp("course")
    before = everything_beside(ROOT)
    nbgrader(folder, "generate_assignment", CH04, "--force")
    released = folder / "release" / CH04 / f"{CH04}.ipynb"
    right = answers_of(notebook("solutions", CH04).cells)

    def submit(learner: str, answers: dict[str, str]) -> tuple[nbformat.NotebookNode, Path]:
        book, target = read(released), folder / "submitted" / learner / CH04
        with_answers(book, answers)
        target.mkdir(parents=True)
        nbformat.write(book, target / released.name)
        return book, target

    submit("untouched", {})
    submit("noisy", right | NOISY)
    submit("anna", right | {wrong.cell: wrong.code for wrong in ANNA})
    submit("ben", right | {wrong.cell: wrong.code for wrong in BEN})
    book, target = submit("cheat", {"length_mask": CHEAT})
    for cell in graded(book.cells):
        if cell.cell_type == "code":
            cell.source = "assert True"
            cell.metadata.nbgrader.points = 100
    book.cells = [c for c in book.cells if settings(c).get("grade_id") != "check-4-3"]
    nbformat.write(book, target / released.name)
    (target / "seq2seq_lib.py").write_text(FAKE_LIBRARY)
    nbgrader(folder, "autograde", CH04)

    submit("unlucky", right)
    stub = folder / "broken" / "seq2seq_lib"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise ImportError('broken on purpose')\n")
    nbgrader(folder, "autograde", CH04, "--student=unlucky", PYTHONPATH=str(stub.parent))
    nbgrader(folder, "generate_feedback", CH04)
    assert everything_beside(ROOT) == before, "grading left something in the checkout"
    return Course(folder, scores(folder / "gradebook.db"))


def full_marks() -> dict[str, int]:
    """Points by grade_id, of what is graded without a person."""
    cells = graded(notebook("solutions", CH04).cells)
    return {settings(c)["grade_id"]: settings(c)["points"] for c in cells if c.cell_type == "code"}


def automatic(course: Course, learner: str) -> dict[str, float | None]:
    given = course.scores[learner]
    return {name: given[name] for name in full_marks()}


def cell_of(id: str) -> str:
    return f"check-{id.replace('.', '-')}"


@pytest.mark.slow
def test_a_release_with_a_gradebook_has_the_same_bytes(course):
    released = course.folder / "release" / CH04 / f"{CH04}.ipynb"
    kept = ROOT / "exercises" / CH04 / f"{CH04}.ipynb"
    assert released.read_bytes() == kept.read_bytes(), "run `make exercises`"


@pytest.mark.slow
def test_an_untouched_exercise_has_no_points_and_needs_nobody(course):
    assert set(course.scores["untouched"].values()) == {0}
    assert texts.say("not_attempted") in course.feedback("untouched")


@pytest.mark.slow
def test_right_answers_have_all_points_however_noisy(course):
    assert automatic(course, "noisy") == full_marks()
    assert course.scores["noisy"]["answer-4-7"] is None  # a person reads it
    streams = [o.get("name") for c in course.autograded("noisy") for o in c.get("outputs", [])]
    assert "stderr" not in streams


@pytest.mark.slow
@pytest.mark.parametrize(("learner", "answers"), [("anna", ANNA), ("ben", BEN)])
def test_a_wrong_answer_costs_its_points_and_no_others(course, learner, answers):
    lost = {cell_of(id) for wrong in answers for id in wrong.lost}
    expected = {name: 0 if name in lost else worth for name, worth in full_marks().items()}
    assert automatic(course, learner) == expected


@pytest.mark.slow
@pytest.mark.parametrize(("learner", "answers"), [("anna", ANNA), ("ben", BEN)])
def test_feedback_says_why(course, learner, answers):
    words = course.feedback(learner)
    for wrong in answers:
        for id, name in wrong.lost.items():
            meaning, question = texts.finding(id, name)
            for part in re.split(r"\{\w+\}", f"{meaning}|{question}".replace("|", "{x}")):
                assert " ".join(part.split()) in words, f"{id}, {name}: {part}"


def test_every_check_is_failed_by_somebody():
    failed = {id for wrong in ANNA + BEN for id in wrong.lost}
    assert failed | {"4.6b1"} == {exercise.id for exercise in exercises("4")}


@pytest.mark.slow
def test_no_trick_earns_points(course):
    assert set(course.scores["cheat"].values()) == {0}
    solved = {settings(c)["grade_id"]: c.source for c in graded(notebook("solutions", CH04).cells)}
    restored = {settings(c)["grade_id"]: c for c in graded(course.autograded("cheat"))}
    for name, worth in full_marks().items():
        assert restored[name].source.endswith(solved[name]), "a tampered cell was run"
        assert settings(restored[name])["points"] == worth


@pytest.mark.slow
def test_a_library_that_cannot_be_imported_gives_no_points(course):
    # a teacher who forgot to install it must not hand out full marks
    assert set(automatic(course, "unlucky").values()) == {0}
    assert "broken on purpose" in json.dumps(course.autograded("unlucky"))
