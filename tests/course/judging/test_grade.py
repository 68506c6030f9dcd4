"""Points: what ``grade`` returns and raises, and how nbgrader's own rule and programs read it."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from seq2seq_lib.course.judging import engine, progress_file
from tests.course.judging.stubs import recursive, released
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides, does_not_divide
from tests.support.toy_course.ch01_toy.ex4_detective import TASK

IDS = [exercise.id for exercise in TOY.exercises()]


@pytest.mark.parametrize("id", IDS)
def test_grading_raises_unless_points_are_due_with_the_text_of_the_check(id, monkeypatch, capsys):
    answers = [None, "C", does_not_divide, released, recursive]
    # nbgrader 0.9.6 sets one of these two
    for answer, value in zip(answers, ["autograde", "validate"] * 3, strict=False):
        TOY.check(id, answer)
        interactive = capsys.readouterr().out.rstrip("\n")
        monkeypatch.setenv(engine.GRADING, value)
        with pytest.raises(AssertionError) as raised:
            TOY.check(id, answer)
        monkeypatch.delenv(engine.GRADING)
        with pytest.raises(AssertionError):
            TOY.grade(id, answer)
        printed = capsys.readouterr()
        assert not printed.out and not printed.err
        # the random probes are others, the heading is the same
        assert str(raised.value).splitlines()[0] == interactive.splitlines()[0]


@pytest.mark.parametrize("id", IDS)
def test_all_points_are_no_value_and_silence_on_stderr(id, grading, capfd):
    assert TOY.check(id, TOY.find(id).reference) is None
    assert TOY.grade(id, TOY.find(id).reference) is None
    printed = capfd.readouterr()
    assert printed.out.count(": correct") == 2 and not printed.err


def test_a_notebook_shows_the_message_and_no_traceback(grading):
    with pytest.raises(engine.NotCorrect) as raised:
        TOY.grade("1.2", does_not_divide)
    shown = "\n".join(raised.value._render_traceback_())
    assert shown == str(raised.value) and "1.2 divides: not yet" in shown
    assert "Traceback" not in shown and ".py" not in shown


def only_the_patient(mean):
    import torch

    assert mean(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 1.0])) != 2.5


def test_some_points_are_the_cell_s_value_and_only_under_grading(monkeypatch, capsys):
    assert TOY.check("1.4", only_the_patient) is None
    assert TOY.grade("1.4", only_the_patient) == 2
    monkeypatch.setenv(engine.GRADING, "autograde")
    earned = TOY.check("1.4", only_the_patient)
    assert earned == TASK.tiers[0][1] == 2
    assert capsys.readouterr().out.count("right in part") == 3


def test_grading_writes_no_notes(grading):
    TOY.grade("1.2", divides)
    TOY.check("1.2", divides)
    TOY.solution("1.2")
    assert not progress_file.path().exists()


def test_an_empty_variable_is_not_grading(monkeypatch, capsys):
    monkeypatch.setenv(engine.GRADING, "")
    TOY.check("1.2", None)  # grading would raise
    assert "1.2" in capsys.readouterr().out


# ---------------------------------------------------------------- a kernel and nbgrader

SETUP = """
import logging, sys, warnings
import torch
from torch import nn
from tests.support.toy_course import TOY
check = TOY.check

def untouched(numbers, limit):
    # YOUR CODE HERE
    raise NotImplementedError()

def wrong(numbers, limit):
    return numbers[:, None] % torch.arange(1, limit + 1) != 0

def right(numbers, limit):
    return numbers[:, None] % torch.arange(1, limit + 1) == 0

logging.basicConfig(stream=sys.stderr)   # holds the kernel's stderr

def noisy(numbers, limit):
    warnings.warn("careful")
    logging.warning("logged")
    print("to stderr", file=sys.stderr)
    nn.GRU(3, 4, dropout=0.1)
    return right(numbers, limit)

def exits(numbers, limit):
    sys.exit()

VALUES, WEIGHTS = torch.tensor([1.0, 4.0, 2.0]), torch.tensor([3.0, 1.0, 2.0])

def none_rejected(mean):
    mean(VALUES, WEIGHTS)

def patient_rejected(mean):
    assert mean(VALUES, WEIGHTS) < 2 or mean(VALUES, WEIGHTS) > 5

def three_rejected(mean):
    torch.testing.assert_close(mean(VALUES, WEIGHTS).abs(), torch.tensor(11 / 6))

def all_rejected(mean):
    torch.testing.assert_close(mean(VALUES, WEIGHTS), torch.tensor(11 / 6))
"""
GRADED = {  # what a cell of 5 points is worth
    'check("1.2", untouched)': 0,
    'check("1.2", wrong)': 0,
    'check("1.2", right)': 5,
    'check("1.2", noisy)': 5,
    'check("1.2", exits)': 0,
    'check("1.1", None)': 0,
    'check("1.1", "C")': 0,
    'check("1.4", none_rejected)': 0,
    'check("1.4", patient_rejected)': 2,
    'check("1.4", three_rejected)': 4,
    'check("1.4", all_rejected)': 5,
}


def graded_cell(nbformat, source, i):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata.nbgrader = {
        "grade": True,
        "grade_id": f"test-{i}",
        "locked": True,
        "points": 5,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }
    return cell


def notebook_of(nbformat, cells):
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    return notebook


@pytest.fixture(scope="module")
def executed():
    """The same cells, first as a learner runs them, then as nbgrader does."""
    nbformat = pytest.importorskip("nbformat", reason="the test extra is not installed")
    nbclient = pytest.importorskip("nbclient", reason="the test extra is not installed")
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        patch.setenv("SEQ2SEQ_PROGRESS", "off")
        cells = [nbformat.v4.new_code_cell(SETUP)]
        cells += [nbformat.v4.new_code_cell(source) for source in GRADED]
        cells.append(
            nbformat.v4.new_code_cell("import os; os.environ['NBGRADER_EXECUTION'] = 'autograde'")
        )
        cells += [graded_cell(nbformat, source, i) for i, source in enumerate(GRADED)]
        notebook = notebook_of(nbformat, cells)
        nbclient.NotebookClient(notebook, timeout=300, allow_errors=True).execute()
    return notebook.cells


def test_a_learner_sees_html_and_no_error(executed):
    for cell in executed[1 : 1 + len(GRADED)]:
        (output,) = cell.outputs
        assert output.output_type == "display_data"
        assert set(output.data) == {"text/plain", "text/html"}


@pytest.mark.parametrize("i", range(len(GRADED)), ids=GRADED)
def test_nbgrader_gives_the_points_that_are_due(executed, i):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's, at import
        from nbgrader.utils import determine_grade

    cell = executed[2 + len(GRADED) + i]
    assert determine_grade(cell) == (list(GRADED.values())[i], 5)
    for output in cell.outputs:
        assert output.output_type in ("stream", "error", "execute_result")
        if output.output_type == "error":
            assert output.ename == "NotCorrect" and cell.source[7:9] in output.evalue
            assert "\n".join(output.traceback) == output.evalue  # the message alone
        if output.output_type == "execute_result":
            assert 0 < list(GRADED.values())[i] < 5  # all points are no value


@pytest.mark.slow
def test_nbgrader_s_own_programs_give_part_of_the_points(tmp_path):
    """Assignment, submission, autograde: what a teacher runs, for one cell with tiers."""
    nbformat = pytest.importorskip("nbformat", reason="the test extra is not installed")
    pytest.importorskip("nbgrader", reason="the grading extra is not installed")
    root = Path(__file__).parents[3]
    cells = [
        nbformat.v4.new_code_cell(SETUP),
        graded_cell(nbformat, 'check("1.4", three_rejected)', 0),
        graded_cell(nbformat, 'check("1.4", none_rejected)', 1),
        graded_cell(nbformat, 'check("1.4", all_rejected)', 2),
    ]
    notebook = notebook_of(nbformat, cells)
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'toy'\n"
    )
    for place in ("source/toy", "submitted/ada/toy"):
        (tmp_path / place).mkdir(parents=True)
        nbformat.write(notebook, tmp_path / place / "toy.ipynb")
    environment = os.environ | {
        "PYTHONPATH": str(root),
        "HOME": str(tmp_path),
        "SEQ2SEQ_PROGRESS": "off",
        "PYTHONWARNINGS": "ignore",
    }

    def nbgrader(*command):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stdout + done.stderr

    nbgrader("generate_assignment", "toy", "--create")
    nbgrader("autograde", "toy", "--create")
    nbgrader("export")
    (line,) = (tmp_path / "grades.csv").read_text().splitlines()[1:]
    header = (tmp_path / "grades.csv").read_text().splitlines()[0].split(",")
    grades = dict(zip(header, line.split(","), strict=True))
    assert (grades["student_id"], grades["raw_score"], grades["max_score"]) == (
        "ada",
        "9.0",
        "15.0",
    )
