"""A notebook as handed in becomes one that can be graded, and no answer is lost on the way."""

import copy

import nbformat
import pytest
from classroom.mend import id_of, look_at, mend, settings

from tests.course.classroom.members import Chapter, at, checks
from tests.support.grading import notebook

STEM = "ch04_padding_masks"
CHAPTER = Chapter(STEM)


@pytest.fixture
def released():
    return notebook("exercises", STEM)


@pytest.fixture
def book():
    return CHAPTER.book(solved=True)


def ids(nb):
    return [id_of(cell) for cell in nb.cells if id_of(cell)]


def answer(nb, id):
    return nb.cells[at(nb, id)].source


def test_a_notebook_that_needs_nothing_is_left_alone(book, released):
    before = copy.deepcopy(book)
    assert mend(book, released) == []
    assert [c.source for c in book.cells] == [c.source for c in before.cells]
    assert ids(book) == ids(before)


def delete_checks(nb):
    for cell in checks(nb):
        nb.cells.remove(cell)


def delete_all_of_the_course(nb):
    nb.cells = [c for c in nb.cells if not settings(c).get("locked")]


def strip(nb):
    for cell in nb.cells:
        cell.metadata.clear()


def copy_all(nb):
    nb.cells = [copy.deepcopy(c) for c in nb.cells for _ in (1, 2, 3)]


def confuse(nb):
    for cell in nb.cells:
        if settings(cell):
            cell.metadata.nbgrader |= {"grade": True, "solution": True, "points": 50}


def rename(nb):
    for cell in checks(nb):
        cell.metadata.nbgrader["grade_id"] = f"mine-{id_of(cell)}"


def no_dict(nb):
    for cell in checks(nb):
        cell.metadata["nbgrader"] = "yes"


def to_markdown(nb):
    for cell in checks(nb):
        cell.cell_type = "markdown"
        cell.pop("outputs"), cell.pop("execution_count")


@pytest.mark.parametrize(
    "damage",
    [delete_checks, delete_all_of_the_course, strip, copy_all, confuse, rename, no_dict,
     to_markdown],
)  # fmt: skip
def test_whatever_happened_each_graded_cell_is_there_once_below_its_answer(damage, book, released):
    right = {id: answer(book, id) for id in ids(book) if not id.startswith("check")}
    damage(book)
    mend(book, released)
    wanted = {id_of(c): settings(c) for c in released.cells if settings(c).get("grade")}
    found = [cell for cell in book.cells if id_of(cell) in wanted]
    assert [id_of(cell) for cell in found] == list(wanted)
    for cell in found:
        assert settings(cell) == wanted[id_of(cell)]
    for id in CHAPTER.answer_ids().values():
        if id in right:
            assert answer(book, id) == right[id]
    order = [c.source for c in book.cells]
    for cell in checks(book):
        name = cell.source.rsplit(", ", 1)[1].rstrip(")")
        above = order[: order.index(cell.source)]
        assert any(f"def {name}(" in s or f"{name} = " in s for s in above), cell.source
    nbformat.validate(book)


def test_of_two_answers_the_lower_counts_and_a_stub_below_undoes_nothing(book, released):
    place = at(book, "pad_left")
    stub = copy.deepcopy(released.cells[at(released, "pad_left")])
    book.cells.insert(place + 1, stub)
    mine = book.cells[place].source
    said = mend(book, released)
    assert "pad_left: 2 cells; the last one before its check counts" in said
    assert answer(book, "pad_left") == mine
    space = {}
    exec("def pad_left(): return 'mine'\n" + book.cells[place + 1].source, space)
    assert space["pad_left"]() == "mine"


def test_an_answer_that_was_typed_into_a_check_moves_out_of_it(book, released):
    check = book.cells[at(book, "check-4-4")]
    mine = book.cells[at(book, "pad_left")].source
    check.source = f"{mine}\n\n{check.source}"
    book.cells.pop(at(book, "pad_left"))
    mend(book, released)
    place = at(book, "check-4-4")
    assert book.cells[place].source == 'check("4.4", pad_left)'
    assert "def pad_left" in book.cells[place - 1].source


def test_copies_of_a_written_answer_are_put_together(book, released):
    place = at(book, "answer-4-9")
    other = copy.deepcopy(book.cells[place])
    book.cells[place].source, other.source = "First part.", "Second part."
    book.cells.append(other)
    mend(book, released)
    assert answer(book, "answer-4-9") == "First part.\n\nSecond part."


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("from seq2seq_lib.course.judging import engine", True),
        ("answer = find('4.4').reference", True),
        ("frame = sys._getframe(1)", True),
        ("from seq2seq_lib.course.ch04_padding_masks.ex4_pad_left import pad_left", True),
        ("from seq2seq_lib.course.ch04_padding_masks import chat_batch", False),
        ("mask = sequence_mask(lengths, T)  # as in the library", False),
        ("# what would getsource say?", False),
    ],
)
def test_lines_that_reach_for_the_checks_are_shown_to_the_teacher(line, seen, book, released):
    book.cells.insert(3, nbformat.v4.new_code_cell(line))
    assert [f"look: {line}"] * seen == look_at(book, released)


def test_solutions_have_nothing_worth_a_look():
    from tests.course.classroom.test_class import ROOT

    for path in sorted(ROOT.glob("exercises/*/*.ipynb")):
        chapter = Chapter(path.stem)
        assert look_at(chapter.book(solved=True), notebook("exercises", path.stem)) == []
