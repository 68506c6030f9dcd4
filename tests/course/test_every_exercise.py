"""Every exercise: right answers pass, each wrong one hears its own reason, nothing leaks.

What belongs to one chapter alone, typical mistakes, probes and patients, is tested beside it.

Probes are drawn anew at each check, so an answer may be judged rightly by luck: SEQ2SEQ_SEEDS=100
tries as many draws instead of two.
"""

import ast
import inspect
import itertools
import os
import re
import textwrap
from pathlib import Path

import nbformat
import pytest

from seq2seq_lib import course
from seq2seq_lib.course import exercises, find
from seq2seq_lib.course.judging import engine, words
from seq2seq_lib.course.judging.choice_task import ChoiceTask
from seq2seq_lib.course.judging.detective_task import DetectiveTask
from seq2seq_lib.course.judging.source import to_paste
from tests.support.answers import probes_of

ROOT = Path(__file__).parents[2]
IDS = [exercise.id for exercise in exercises()]
FUNCTIONS = [id for id in IDS if callable(find(id).reference)]
IMPLEMENTED = [id for id in FUNCTIONS if not isinstance(find(id).task, DetectiveTask)]
LETTERS = [id for id in IDS if isinstance(find(id).task, ChoiceTask)]
SEEDS = range(int(os.environ.get("SEQ2SEQ_SEEDS", 2)))
CHAPTERS = sorted({exercise.chapter for exercise in exercises()}, key=int)


def name_of(answer):
    return getattr(answer, "__name__", str(answer))


def test_exercises_are_labelled():
    for e in exercises():
        assert e.difficulty in range(1, 6) and e.importance in range(1, 6) and e.minutes > 0


def test_an_exercise_that_a_notebook_shows_is_its_header_and_no_answer():
    for e in exercises():
        start, end = repr(e).split(e.title)
        assert start == f"Exercise(id={e.id!r}, title='" and len(end) < 100
        assert end.endswith(f"points={e.points}, manual={e.manual})")


# ---------------------------------------------------------------- right and wrong answers


@pytest.mark.parametrize("id", IDS)
def test_every_right_answer_is_correct_however_it_is_written(id):
    for answer in (find(id).reference, *find(id).alternatives):
        for seed in SEEDS:
            report, finding = engine.judge(find(id), answer, seed)
            assert finding.state == "correct", f"{name_of(answer)}: {report.text}"


@pytest.mark.parametrize("id", IMPLEMENTED)
def test_there_are_alternatives_written_differently(id):
    answers = {find(id).reference, *find(id).alternatives}
    assert len(answers) > 1
    # what adapts a search has no lines of its own: the searches differ
    written = [a for a in answers if not a.__closure__]
    assert len({inspect.getsource(a).partition(":\n")[2] for a in written}) == len(written)


@pytest.mark.parametrize("id", [id for id in IDS if find(id).mutants])
def test_every_wrong_answer_hears_its_own_reason(id):
    for mutant, seed in itertools.product(find(id).mutants, SEEDS):
        report, finding = engine.judge(find(id), mutant.function, seed)
        told = f"{name_of(mutant.function)}, which should hear of {mutant.finding}: {report.text}"
        assert finding.state in ("wrong", "error"), (
            f"It is right on all probes: add one on which it is wrong, or drop it. {told}"
        )
        assert finding.name == mutant.finding, told
        own = find(id).words.message(mutant.finding).asks  # the question is the same for any facts
        assert own.format(**(finding.facts or {})) in " ".join(report.text.split()), told
        assert not re.search(r"{\w+}", report.text), told  # every fact was filled in


@pytest.mark.parametrize("id", IMPLEMENTED)
def test_probes_are_drawn_anew(id):
    def told(probe):
        text = f"{probe.args} {find(id).task.spec(*probe.args.values())}"
        return re.sub("0x[0-9a-f]+", "", text)  # an address differs by itself

    one, two = ([told(probe) for probe in probes_of(id, seed)] for seed in (1, 2))
    assert one != two


@pytest.mark.parametrize("id", IMPLEMENTED)
def test_at_least_five_mistakes_are_named(id):
    named = {mutant.finding for mutant in find(id).mutants}
    assert len(named) >= (4 if id == "4.9" else 5)


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


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_no_file_of_a_chapter_says_which_letter_is_right(chapter):
    folder = Path(course.__file__).parent / course.chapters()[chapter]
    files = [path for path in folder.iterdir() if path.suffix in (".py", ".toml")]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        unsealed = re.search(r"""\b[A-Z]["']?\s*[:=]\s*["']?correct\b""", text)
        assert not unsealed, f"{path.name}: {unsealed[0]}: seal it (judging/seal.py)"
        if path.suffix == ".py":
            in_clear = references_in_clear(text)
            assert not in_clear, (
                f"{path.name}: reference={in_clear[0]!r} gives the answer away: make the "
                "exercise with judging.choice_task.choice"
            )


def references_in_clear(code):
    """The texts that an exercise of this code has for its reference, also under a name."""
    tree = ast.parse(code)
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "reference":
            value = named.get(node.value.id) if isinstance(node.value, ast.Name) else node.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.append(value.value)
    return found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("Exercise('11.1', task=ChoiceTask('eN'), reference='B')", ["B"]),
        ("RIGHT = 'B'\nExercise('11.1', task=TASK, reference=RIGHT)", ["B"]),
        ("choice('11.1', 'a sum', sealed='eN')", []),
        ("def shift(ids): ...\nExercise('11.1', task=TASK, reference=shift)", []),
    ],
)
def test_a_letter_in_clear_is_seen(code, found):
    assert references_in_clear(code) == found


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


def names_of_the_notebook(exercise):
    """What the notebook that asks for it defines, beside what a learner writes.

    An exercise with points is asked in the release: there all cells that nobody may edit are run.
    One without is asked in the chapter itself, of whose cells the imports are enough.
    """
    stem, names = course.chapters()[exercise.chapter], {}
    if exercise.points:
        (path,) = (ROOT / "exercises" / stem).glob("*.ipynb")
    else:
        path = ROOT / "chapters" / f"{stem}.ipynb"
    for cell in nbformat.read(path, as_version=4).cells:
        settings = cell.metadata.get("nbgrader", {})
        if exercise.points and settings.get("locked") and not settings.get("grade"):
            exec(cell.source, names)
        elif not exercise.points and cell.cell_type == "code":
            exec("\n".join(imports_of(cell.source)), names)
    return names


def imports_of(source):
    plain = "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())
    for statement in ast.parse(plain).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield ast.unparse(statement)


@pytest.mark.parametrize("id", FUNCTIONS)
def test_solutions_show_code_that_is_correct(id):
    """What `solution` prints, pasted into a cell of the notebook, passes."""
    exercise = find(id)
    names = names_of_the_notebook(exercise)
    exec(to_paste(exercise.reference), names)
    report, finding = engine.judge_submission(exercise, names[exercise.reference.__name__])
    assert finding.state == "correct", report.text


def test_what_later_exercises_use_is_no_answer():
    """After "Continue from here" the learner's name means the course's function."""
    seen = 0
    for chapter in CHAPTERS:
        asked = [e for e in exercises(chapter) if e.points and callable(e.reference)]
        names = names_of_the_notebook(asked[0]) if asked else {}
        for exercise in asked:
            if callable(names.get(exercise.title)):
                report, finding = engine.judge_submission(exercise, names[exercise.title])
                assert finding.state == "not_attempted", exercise.id
                assert "the library's own" in " ".join(report.text.split())
                seen += 1
    assert seen
