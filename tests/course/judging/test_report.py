"""How a message, a hint and a solution look: in a notebook, in a console, in any theme."""

import builtins
import contextlib
import html
import io
import re
import warnings
from collections.abc import Callable

import pytest
from torch import Tensor

from seq2seq_lib.course.judging import engine, report
from seq2seq_lib.course.judging.source import to_paste
from seq2seq_lib.course.judging.words import say
from tests.course.judging.stubs import recursive
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides, does_not_divide

IDS = [exercise.id for exercise in TOY.exercises()]
EXERCISE = TOY.find("1.2")


def only_the_first(mean):
    import torch

    found = mean(torch.tensor([1.0, 4.0]), torch.tensor([3.0, 1.0]))
    assert found != 2.5


def words(page):
    page = re.sub(r"<br>|</div>|</pre>", " ", page)
    return html.unescape(re.sub(r"<[^>]+>", "", page)).split()


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("answer", [None, "A", "<b>", does_not_divide, divides, recursive])
def test_html_carries_the_same_words_escaped(id, answer):
    shown, _ = engine.judge(TOY.find(id), answer)
    assert words(shown.html) == shown.text.split()


def test_html_escapes_what_came_from_the_learner():
    shown, _ = engine.judge(EXERCISE, lambda *args: "<script>alert(1)</script>")
    assert "<script>alert(1)</script>" in shown.text
    assert "<script>" not in shown.html and "&lt;script&gt;" in shown.html


def contrast(one, two):
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dark = sorted((light(one), light(two)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_edges_are_seen_on_light_and_dark_and_text_keeps_the_theme_s_colour():
    for edge in report.EDGES.values():
        assert contrast(edge, "#ffffff") > 3 and contrast(edge, "#111111") > 3
    page = engine.judge(EXERCISE, divides)[0].html
    assert not re.search(r"[^-]color:|background", page)


def test_states_are_told_apart_without_colour():
    answers = [None, divides, recursive, 1]
    seen = [engine.judge(EXERCISE, answer)[0].text[0] for answer in answers]
    seen.append(engine.judge(TOY.find("1.4"), only_the_first)[0].text[0])
    assert seen == ["○", "✓", "!", "✗", "◐"]
    headings = [say(s) for s in ("correct", "partly", "wrong", "error", "not_attempted")]
    assert len(set(headings)) == 5


def test_lines_fit_a_terminal():
    for exercise in TOY.exercises():
        for answer in (None, exercise.reference, recursive):
            for line in engine.judge(exercise, answer)[0].text.splitlines():
                assert len(line) <= 96
    for label in ("", "a label"):  # and are as long as that, where words end there
        text = report.Report("", "A heading", ((label, "y " * 300),)).text
        assert {95, 96} >= {max(map(len, text.splitlines()))}


@pytest.mark.parametrize("id", IDS)
def test_what_a_right_or_untouched_answer_shows_is_constant(id):
    exercise = TOY.find(id)
    for answer in (exercise.reference, None):
        one, two = (engine.judge(exercise, answer)[0] for _ in range(2))
        assert (one.text, one.html) == (two.text, two.html)


def test_a_wrong_answer_that_the_first_probe_shows_reads_the_same_each_time():
    assert engine.judge(EXERCISE, does_not_divide)[0] == engine.judge(EXERCISE, does_not_divide)[0]


# ---------------------------------------------------------------- hints and solutions


@pytest.mark.parametrize("id", IDS)
def test_hints_come_in_three_levels(id, capsys):
    seen = []
    for level in (1, 2, 3):
        assert TOY.hint(id, level) is None
        seen.append(capsys.readouterr().out)
        assert f"hint {level} of 3" in seen[-1]
    TOY.hint(id)
    assert capsys.readouterr().out == seen[0]
    assert f'hint("{id}", 2)' in " ".join(seen[0].split())
    assert f'hint("{id}", 4)' not in seen[2]
    assert "____" in seen[2] and "____" not in seen[0] + seen[1]
    for level in (0, 4, "1", 1.0):
        with pytest.raises(ValueError, match="level must be 1 to 3"):
            TOY.hint(id, level)


@pytest.mark.parametrize("id", IDS)
def test_solutions_show_source_and_reason(id, capsys):
    assert TOY.solution(id) is None
    text, exercise = capsys.readouterr().out, TOY.find(id)
    assert exercise.words.solution in " ".join(text.split())
    if callable(exercise.reference):
        code = to_paste(exercise.reference)
        assert all(line.strip() in text for line in code.splitlines())
    else:
        assert f"The letter is {exercise.reference}." in text


def annotated(
    values: Callable[[Tensor], Tensor],  # of anything
    *more: int,
    ä: "Tensor" = None,
    last: int = 3,
) -> dict[str, Tensor]:
    """A docstring with an arrow -> and a colon: both stay."""

    def inner(x: Tensor) -> Tensor:
        return x  # -> nothing

    return {"found": inner(values)}


def test_a_solution_can_be_pasted_where_its_types_are_not_imported():
    code = to_paste(annotated)
    assert "Tensor" not in code and "int" not in code
    assert '"""A docstring with an arrow -> and a colon: both stay."""' in code
    assert "# of anything" in code and "return x  # -> nothing" in code
    names = {}
    exec(code, names)
    assert names["annotated"](5) == {"found": 5}


# ---------------------------------------------------------------- in a notebook, in a console


@pytest.fixture
def shell():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell = InteractiveShell.instance()
    yield capture_output
    type(shell).clear_instance()
    for name in ("get_ipython",):  # IPython leaves it behind
        if hasattr(builtins, name):
            delattr(builtins, name)


def test_jupyter_gets_html_and_the_same_plain_text(shell):
    with shell() as captured:
        TOY.check("1.2", None)
        TOY.hint("1.2", 3)
        TOY.solution("1.2")
    shown, _ = engine.judge(EXERCISE, None)
    assert captured.outputs[0].data == {"text/plain": shown.text, "text/html": shown.html}
    assert len(captured.outputs) == 3
    for output in captured.outputs:
        assert set(output.data) == {"text/plain", "text/html"}
        assert words(output.data["text/html"]) == output.data["text/plain"].split()


def test_jupyter_prints_under_grading(shell, grading):
    with shell() as captured:
        TOY.check("1.2", divides)
    assert not captured.outputs and ": correct" in captured.stdout and not captured.stderr


def test_a_console_without_the_symbols_still_gets_the_text():
    raw = io.BytesIO()
    with contextlib.redirect_stdout(io.TextIOWrapper(raw, encoding="cp1252")) as console:
        TOY.check("1.2", divides)
        console.flush()
    assert b"? 1.2 divides: correct" in raw.getvalue()
