"""What goes back says what the checks said, runs nothing, and tells apart what has no points."""

import csv

import nbformat
from classroom import handback
from classroom.handback import Row, harmless, page, write_table

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
    with (tmp_path / "grades.csv").open(encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [row["percent"] for row in found] == ["100.0", "50.0", "", ""]
    assert [row["bonus"] for row in found] == ["6", "not graded yet", "", ""]
    assert [row["points"] for row in found] == ["28", "14", "", ""]
    assert found[0]["student"] == "'=cmd()" and found[1]["look"] == "renamed | copied"
