"""What goes back says what the checks said, runs nothing, and tells apart what has no points."""

import csv
import warnings
from types import SimpleNamespace

import nbformat
import pytest
import teach
from classroom import grade as grading
from classroom import handback
from classroom.handback import FeedbackPage, Row, harmless, page, rows, write_table

SETTINGS = {"schema_version": 3, "solution": False, "task": False, "locked": True, "grade": True}


def graded(id, points, source="check()", **more):
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata.nbgrader = SETTINGS | {"grade_id": id, "points": points} | more
    return cell


def book():
    right, wrong = graded("check-4-3", 1), graded("check-4-4", 2, "import grade as hidden\ncheck()")
    right.outputs = [nbformat.v4.new_output("stream", text="✓ 4.3: correct\n  Seven.\n6 {0.8}\n")]
    wrong.outputs = [
        nbformat.v4.new_output(
            "error", ename="NotCorrect", evalue="✗ 4.4: not yet\n  see /srv/teacher/x/y.py",
            traceback=["in /srv/teacher/x/engine.py"],
        )
    ]  # fmt: skip
    written = nbformat.v4.new_markdown_cell("<script>alert(1)</script> `<PAD>` is id 0")
    written.metadata.nbgrader = SETTINGS | {
        "grade_id": "answer-4-9", "points": 6, "solution": True, "locked": False,
    }  # fmt: skip
    own = nbformat.v4.new_code_cell("display(HTML('<script>'))")
    own.outputs = [
        nbformat.v4.new_output("display_data", data={"text/html": "<script>1</script>"}),
        nbformat.v4.new_output("display_data", data={"image/svg+xml": "<svg onload=x>"}),
        nbformat.v4.new_output(
            "display_data", data={"application/javascript": "1", "text/plain": "x"}
        ),
    ]
    return nbformat.v4.new_notebook(cells=[right, wrong, own, written])


def test_a_page_has_titles_messages_and_points_and_nothing_hidden():
    text = page(book(), {"check-4-3": 1.0, "check-4-4": 0.0, "answer-4-9": None}, {})
    assert "1 of 3 points</b>, and bonus: not graded yet" in text
    assert "pad_left" in text and "✗ 4.4: not yet" in text and "Seven." in text
    for secret in ("hidden", "engine.py", "/srv/teacher", "0.8", "<script", "Test cell"):
        assert secret not in text, secret
    assert "&lt;script&gt;alert(1)" in text


def test_a_comment_is_shown_as_text():
    comments = {"answer-4-9": "Good, <b>but</b>"}
    text = page(book(), {"check-4-3": 1, "check-4-4": 2, "answer-4-9": 4}, comments)
    assert "3 of 3 points</b>, and bonus: 4" in text and "Good, &lt;b&gt;but&lt;/b&gt;" in text


def test_nothing_that_a_teacher_opens_runs():
    nb = harmless(book())
    kinds = {
        kind for cell in nb.cells for o in cell.get("outputs", []) for kind in o.get("data", {})
    }
    assert kinds == {"text/plain"}
    assert nb.cells[-1].source == "&lt;script>alert(1)&lt;/script> `<PAD>` is id 0"


def test_the_table_speaks_of_what_is_missing_and_starts_no_formula(tmp_path):
    rows = [
        Row("=cmd()", "ch04", handback.GRADED, 28.0, 28.0, 6.0, 6.0),
        Row("ada", "ch04", handback.WAITS, 14.0, 28.0, None, 6.0, ["renamed", "copied"]),
        Row("ben", "ch04", handback.FAILED, look=["the file is empty"]),
        Row("eve", "ch04", handback.NOTHING),
    ]
    write_table(rows, tmp_path / "grades.csv")
    assert (tmp_path / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # Excel asks for it
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig") as file:
        found = list(csv.DictReader(file))
    assert [row["percent"] for row in found] == ["100.0", "50.0", "", ""]
    assert [row["bonus"] for row in found] == ["6", "not graded yet", "", ""]
    assert [row["points"] for row in found] == ["28", "14", "", ""]
    assert found[0]["student"] == "'=cmd()" and found[1]["look"] == "renamed | copied"


def test_a_link_stays_a_link_and_a_path_does_not_stay():
    nb = book()
    said = "✓ 4.3: see\n  https://github.com/a/b/issues/1 and /srv/teacher/x\n"
    nb.cells[0].outputs[0].text = said
    text = page(nb, {}, {})
    assert "https://github.com/a/b/issues/1 and (a file)" in text


def test_a_learner_stands_in_the_table_once_however_the_roster_writes_the_name():
    gradebook = SimpleNamespace(
        students=[SimpleNamespace(id="Zoë_O_Neil-Smith")],
        assignments=[SimpleNamespace(name="ch04")],
        assignment_submissions=lambda name: [],
    )
    roster = ["Zoë O'Neil-Smith", "Nick Nothing"]
    assert [r.student for r in rows(gradebook, {}, roster)] == ["Nick_Nothing", "Zoë_O_Neil-Smith"]


@pytest.fixture
def course(tmp_path):
    """A gradebook with one chapter: an answer and its check."""
    from nbgrader.api import Gradebook

    course = grading.Course(tmp_path, tmp_path)
    with Gradebook(course.db_url, "seq2seq") as gradebook:
        gradebook.add_assignment("ch04")
        gradebook.add_notebook("ch04", "ch04")
        gradebook.add_grade_cell("check-4-3", "ch04", "ch04", max_score=1, cell_type="code")
        gradebook.add_solution_cell("answer", "ch04", "ch04")
    return course


def submission():
    answer = nbformat.v4.new_code_cell("# nothing written")
    answer.metadata.nbgrader = SETTINGS | {
        "grade_id": "answer", "solution": True, "grade": False, "locked": False, "checksum": "",
    }  # fmt: skip
    nb = nbformat.v4.new_notebook(cells=[answer, graded("check-4-3", 1)])
    return grading.Submission("ada", "ch04", nb)


def test_saving_grades_says_nothing_that_a_teacher_cannot_use(course):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        grading.save(course, submission())
    assert not [str(w.message) for w in said]


@pytest.mark.filterwarnings("ignore")
def test_only_what_a_person_wrote_is_a_comment(course):
    from nbgrader.api import Gradebook

    grading.save(course, submission())
    with Gradebook(course.db_url, "seq2seq") as gradebook:
        comment = gradebook.find_comment("answer", "ch04", "ch04", "ada")
        comment.auto_comment = "No response."
        gradebook.db.commit()
    of = {"db_url": course.db_url, "notebook": "ch04", "assignment": "ch04", "student": "ada"}

    def feedback():
        return FeedbackPage().from_notebook_node(submission().nb, {"nbgrader": of})[0]

    assert "No response." not in feedback()
    with Gradebook(course.db_url, "seq2seq") as gradebook:
        comment = gradebook.find_comment("answer", "ch04", "ch04", "ada")
        comment.manual_comment = "Try it!"
        gradebook.db.commit()
    assert "Try it!" in feedback()


def test_whoever_could_not_be_graded_has_no_page_of_an_older_try(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_WORK", str(tmp_path))
    monkeypatch.setattr(grading, "nbgrader", lambda *a: None)
    for name in ("ada", "ben"):
        folder = tmp_path / "feedback" / name / "ch04"
        folder.mkdir(parents=True)
        (folder / "ch04.html").write_text("15 of 15")
    notes = {"ada": {"failed": "the file is empty"}, "ben": {"failed": ""}}
    grading.write_notes(grading.Course(tmp_path, tmp_path), "ch04", notes)
    teach.main(["feedback", "ch04"])
    assert [p.parts[-3] for p in tmp_path.rglob("*.html")] == ["ben"]
    assert "No page for ada: the file is empty" in capsys.readouterr().out
