"""Points, as nbgrader gives them: a real kernel runs the cells, nbgrader's own rule reads them."""

import pytest

nbformat = pytest.importorskip("nbformat", reason="the test extra is not installed")
nbclient = pytest.importorskip("nbclient", reason="the test extra is not installed")
pytest.importorskip("nbgrader", reason="the grading extra is not installed")

SETUP = """
import logging, sys, warnings
import torch
from torch import nn
from seq2seq_lib.course import check

def untouched(lengths, max_len):
    # YOUR CODE HERE
    raise NotImplementedError()

def wrong(lengths, max_len):
    return torch.arange(max_len) <= lengths[:, None]

def right(lengths, max_len):
    return torch.arange(max_len) < lengths[:, None]

def prune(token, num_beams):
    places = torch.arange(len(token))
    return places[:num_beams][token[:num_beams] == 2], places[token != 2][:num_beams]

logging.basicConfig(stream=sys.stderr)   # holds the kernel's stderr

def noisy(lengths, max_len):
    warnings.warn("careful")
    logging.warning("logged")
    print("to stderr", file=sys.stderr)
    nn.GRU(3, 4, dropout=0.1)
    return right(lengths, max_len)
"""
GRADED = {  # what a cell of 4 points is worth
    'check("4.2", untouched)': 0,
    'check("4.2", wrong)': 0,
    'check("4.2", right)': 4,
    'check("4.2", noisy)': 4,
    'check("4.1", None)': 0,
    'check("7.1a", "F")': 0,
    'check("7.3b", prune)': 4,
}


def graded_cell(source, i):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata.nbgrader = {
        "grade": True,
        "grade_id": f"test-{i}",
        "locked": True,
        "points": 4,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }
    return cell


@pytest.fixture(scope="module")
def executed():
    """The same cells, first as a learner runs them, then as nbgrader does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NBGRADER_EXECUTION", raising=False)
        patch.setenv("SEQ2SEQ_PROGRESS", "off")
        cells = [nbformat.v4.new_code_cell(SETUP)]
        cells += [nbformat.v4.new_code_cell(source) for source in GRADED]
        cells.append(
            nbformat.v4.new_code_cell("import os; os.environ['NBGRADER_EXECUTION'] = 'autograde'")
        )
        cells += [graded_cell(source, i) for i, source in enumerate(GRADED)]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbclient.NotebookClient(notebook, timeout=300, allow_errors=True).execute()
    return notebook.cells


def test_a_learner_sees_html_and_no_error(executed):
    for cell in executed[1 : 1 + len(GRADED)]:
        (output,) = cell.outputs
        assert output.output_type == "display_data"
        assert set(output.data) == {"text/plain", "text/html"}


@pytest.mark.parametrize("i", range(len(GRADED)), ids=GRADED)
def test_nbgrader_gives_the_points_that_are_due(executed, i):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's, at import
        from nbgrader.utils import determine_grade

    cell = executed[2 + len(GRADED) + i]
    assert determine_grade(cell) == (list(GRADED.values())[i], 4)
    for output in cell.outputs:
        assert output.output_type in ("stream", "error")
        if output.output_type == "error":
            assert output.ename == "AssertionError" and cell.source[7:9] in output.evalue
