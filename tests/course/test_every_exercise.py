"""Every exercise: right answers pass, each wrong one hears its own reason, nothing leaks.

What belongs to one chapter alone, typical mistakes, probes and patients, is tested beside it.
"""

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import nbformat
import pytest

from seq2seq_lib.course import chapters, exercises, find
from seq2seq_lib.course.judging import engine, words
from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.detective_task import DetectiveTask

IDS = [exercise.id for exercise in exercises()]
FUNCTIONS = [id for id in IDS if callable(find(id).reference)]
IMPLEMENTED = [id for id in FUNCTIONS if not isinstance(find(id).task, DetectiveTask)]
LETTERS = [id for id in IDS if isinstance(find(id).task, ChoiceTask)]
CHAPTERS = sorted({exercise.chapter for exercise in exercises()}, key=int)
RIGHT = [(e.id, a) for e in exercises() for a in (e.reference, *e.alternatives)]
MUTANTS = [(e.id, m) for e in exercises() for m in e.mutants]


def name_of(value):
    return getattr(value, "__name__", None) or getattr(value, "finding", None) or str(value)


def test_exercises_are_labelled():
    for e in exercises():
        assert e.difficulty in range(1, 6) and e.importance in range(1, 6) and e.minutes > 0


# ---------------------------------------------------------------- right and wrong answers


@pytest.mark.parametrize(("id", "answer"), RIGHT, ids=name_of)
def test_every_right_answer_is_correct_however_it_is_written(id, answer):
    for seed in range(2):
        report, finding = engine.judge(find(id), answer, seed)
        assert finding.state == "correct", report.text


@pytest.mark.parametrize("id", IMPLEMENTED)
def test_there_are_alternatives_written_differently(id):
    answers = {find(id).reference, *find(id).alternatives}
    assert len(answers) > 1
    # what adapts a search has no lines of its own: the searches differ
    written = [a for a in answers if not a.__closure__]
    assert len({inspect.getsource(a).partition(":\n")[2] for a in written}) == len(written)


@pytest.mark.parametrize(("id", "mutant"), MUTANTS, ids=name_of)
def test_every_wrong_answer_hears_its_own_reason(id, mutant):
    for seed in range(2):
        report, finding = engine.judge(find(id), mutant.function, seed)
        assert finding.state in ("wrong", "error")
        assert finding.name == mutant.finding, report.text
        own = find(id).words.message(mutant.finding).asks  # the question is the same for any facts
        assert own.format(**(finding.facts or {})) in " ".join(report.text.split())
        assert not re.search(r"{\w+}", report.text)  # every fact was filled in


@pytest.mark.parametrize("id", IDS)
def test_no_two_mistakes_share_a_message(id):
    meanings = [message.means for message in find(id).words.findings.values()]
    assert len(meanings) == len(set(meanings))


# ---------------------------------------------------------------- letters


@pytest.mark.parametrize("id", LETTERS)
def test_every_letter_has_a_reason_of_its_own(id):
    task = find(id).task
    reasons = {engine.judge(find(id), letter)[1].name for letter in task.letters}
    assert len(reasons) == len(task.letters)
    assert reasons - {""} == set(find(id).words.findings)


@pytest.mark.parametrize("id", LETTERS)
def test_letters_may_be_written_small_and_with_spaces(id):
    letter = find(id).reference
    assert engine.judge(find(id), f" {letter.lower()} ")[1].state == "correct"


@pytest.mark.parametrize("id", LETTERS)
def test_the_source_does_not_show_the_letters(id):
    stem = chapters()[find(id).chapter]
    module = importlib.import_module(f"seq2seq_lib.course.{stem}")
    source, task = inspect.getsource(module), find(id).task
    assert not re.search(rf'"{task.answer}"[^\n]*correct|correct[^\n]*"{task.answer}"', source)
    for letter in task.letters:
        assert f'"{letter}":' not in source


# ---------------------------------------------------------------- the texts


def expressions(function):
    """The pieces of a reference's source that are its solution: calls, comparisons, products."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    (body,) = (node.body for node in tree.body)  # not the annotations
    kinds = (ast.Call, ast.Compare, ast.BinOp, ast.Subscript)
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, kinds):
            text = ast.unparse(node)
            if len(text) > 12:
                yield text


def words_before_the_solution(id):
    own = find(id).words
    yield own.correct
    for hint in own.hints[:2]:
        yield hint.words + hint.code
    for message in [*own.findings.values(), *words.FINDINGS.values()]:
        yield message.means
        yield message.asks


@pytest.mark.parametrize("id", FUNCTIONS)
def test_no_message_and_no_early_hint_holds_code_of_the_solution(id):
    secrets = set(expressions(find(id).reference))
    assert secrets
    for text in words_before_the_solution(id):
        squeezed = text.replace(" ", "")
        assert not [secret for secret in secrets if secret.replace(" ", "") in squeezed], text


@pytest.mark.parametrize("id", IMPLEMENTED)
def test_the_skeleton_has_blanks_where_the_solution_has_its_ideas(id):
    skeleton = find(id).words.hints[2].code
    assert skeleton.count("____") >= 2
    returns = [line for line in inspect.getsource(find(id).reference).splitlines()
               if line.strip().startswith("return ")]  # fmt: skip
    for line in returns:
        code = line.split("#")[0].strip()
        assert code not in skeleton or len(code) < 20


@pytest.mark.parametrize("id", IDS)
def test_texts_are_complete(id):
    own = find(id).words
    assert "?" in own.hints[0].words
    for text in (own.correct, own.solution):
        assert len(text) > 40
    for message in [*own.findings.values(), *words.FINDINGS.values()]:
        assert message.means and message.asks.endswith("?"), message


# ---------------------------------------------------------------- in the learner's notebook


def names_of_the_notebook(chapter):
    """What the cells of the release define that a learner does not write."""
    (path,) = Path(__file__).parents[2].glob(f"exercises/ch{int(chapter):02}_*/*.ipynb")
    names = {}
    for cell in nbformat.read(path, as_version=4).cells:
        settings = cell.metadata.get("nbgrader", {})
        if settings.get("locked") and not settings.get("grade"):
            exec(cell.source, names)
    return names


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_solutions_show_code_that_is_correct(chapter):
    """What `solution` prints, pasted into a cell of the notebook, passes."""
    for exercise in exercises(chapter):
        if callable(exercise.reference):
            names = names_of_the_notebook(chapter)
            exec(inspect.getsource(exercise.reference), names)
            report, finding = engine.judge(exercise, names[exercise.reference.__name__])
            assert finding.state == "correct", report.text


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_later_exercises_use_is_no_answer(chapter):
    """After "Continue from here" the learner's name means the course's function."""
    names = names_of_the_notebook(chapter)
    handed_on = [e for e in exercises(chapter) if e.title in names and callable(e.reference)]
    assert handed_on
    for exercise in handed_on:
        report, finding = engine.judge(exercise, names[exercise.title])
        assert finding.state == "not_attempted", exercise.id
        assert "the library's own" in " ".join(report.text.split())
