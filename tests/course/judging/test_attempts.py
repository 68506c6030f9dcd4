"""What counts as an answer, and what does not."""

import functools
from pathlib import Path

import pytest
import torch

from seq2seq_lib.course.judging import attempts, engine
from seq2seq_lib.course.judging.attempts import handed_on
from seq2seq_lib.masks import sequence_mask
from tests.course.judging.stubs import (
    STUBS,
    UNTOUCHED,
    blank,
    blank_inside,
    calls_a_stub,
    half_done,
)
from tests.support import toy_course
from tests.support.toy_course import TOY
from tests.support.toy_course.ch01_toy.ex2_divides import divides

EXERCISE = TOY.find("1.2")
FUNCTIONS = [e for e in TOY.exercises() if callable(e.reference)]


def name_of(value):
    return getattr(value, "id", None) or getattr(value, "__name__", None) or repr(value)


def judged(answer, exercise=EXERCISE):
    shown, finding = engine.judge(exercise, answer)
    return finding.state, " ".join(shown.text.split())


@pytest.mark.parametrize("exercise", FUNCTIONS, ids=name_of)
@pytest.mark.parametrize("stub", [*STUBS, None, ..., "____", ""], ids=name_of)
def test_an_untouched_exercise_is_not_attempted(exercise, stub):
    state, text = judged(stub, exercise)
    assert state == "not_attempted" and f'hint("{exercise.id}")' in text


def several_nothings(numbers, limit):
    """Of which none leaves more than one that is alone."""
    pass
    ...
    pass


def returns_the_dots(numbers, limit):
    return ...


@pytest.mark.parametrize("stub", [several_nothings, returns_the_dots], ids=name_of)
def test_nothing_in_another_form_is_not_attempted(stub):
    assert judged(stub)[0] == "not_attempted"


def written_above(numbers, limit):
    """A docstring is not an answer."""
    table = divides(numbers, limit)  # noqa: F841  a learner wrote no return
    # YOUR CODE HERE
    raise NotImplementedError()


def written_below(numbers, limit):
    # YOUR CODE HERE
    raise NotImplementedError()
    return divides(numbers, limit)


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (written_above, "written_above"),
        (written_below, "written_below"),
        (half_done, "half_done"),
        (calls_a_stub, "released"),
    ],
    ids=name_of,
)
def test_a_stub_s_line_that_was_left_behind_is_named(answer, where):
    state, text = judged(answer)
    assert state == "not_attempted"
    assert f"raise NotImplementedError() still stands in {where}," in text


@pytest.mark.parametrize("answer", UNTOUCHED, ids=name_of)
def test_an_untouched_exercise_hears_of_no_line_left_behind(answer):
    assert len(engine.judge(EXERCISE, answer)[0].lines) == 1


def blank_filled_once(numbers, limit):
    return torch.arange(limit) % numbers[____] == 0  # noqa: F821


@pytest.mark.parametrize("answer", [blank, blank_inside, blank_filled_once], ids=name_of)
def test_a_blank_left_open_is_named(answer):
    state, text = judged(answer)
    assert state == "not_attempted" and "A blank, ____, is still open in" in text


def test_code_that_returns_before_the_stub_s_line_is_judged():
    def answer(numbers, limit):
        return divides(numbers, limit)
        raise NotImplementedError()

    assert judged(answer)[0] == "correct"


def test_a_function_that_only_returns_a_constant_was_attempted():
    assert judged(lambda numbers, limit: 0)[0] == "wrong"


def not_implemented_by_torch(numbers, limit):
    return torch.linalg.inv(torch.ones(2, 2, dtype=torch.int64).to_sparse())


def not_implemented_by_a_layer(numbers, limit):
    return torch.empty(2, device="meta").to("cpu")


@pytest.mark.parametrize("answer", [not_implemented_by_torch, not_implemented_by_a_layer])
def test_an_error_of_torch_is_not_an_untouched_exercise(answer):
    """torch itself raises NotImplementedError, for what a kernel cannot do."""
    with pytest.raises(NotImplementedError):
        answer(torch.ones(2), 2)
    assert judged(answer)[0] == "error"


# ---------------------------------------------------------------- whose function it is


def test_the_library_s_function_is_not_the_learner_s(grading, capsys):
    """A cell "Continue from here" may have put it under the learner's name."""
    with pytest.raises(AssertionError, match="the library's\\s+own sequence_mask,"):
        TOY.check("1.2", sequence_mask)
    with pytest.raises(AssertionError, match="the library's\\s+own sequence_mask,"):
        TOY.grade("1.2", sequence_mask)


def test_the_library_s_function_counts_for_no_check_in_a_notebook(capsys):
    TOY.check("1.2", sequence_mask)
    text = " ".join(capsys.readouterr().out.split())
    assert "not attempted" in text and "This is the library's own sequence_mask," in text


def test_a_reference_that_is_handed_on_is_nobody_s_answer():
    state, text = judged(handed_on(divides))
    assert state == "not_attempted" and "the library's own divides," in text
    numbers, limit = torch.tensor([6, 1]), 3
    assert torch.equal(handed_on(divides)(numbers, limit), divides(numbers, limit))


class Called:
    __call__ = staticmethod(sequence_mask)


class Holder:
    method = sequence_mask


@pytest.mark.parametrize(
    "answer",
    [
        functools.partial(sequence_mask),
        functools.partial(functools.partial(sequence_mask), torch.tensor([2])),
        functools.lru_cache(sequence_mask),
        Called(),
        Holder().method,
        functools.partial(handed_on(divides)),
    ],
    ids=["partial", "twice", "cache", "object", "method", "handed_on"],
)
def test_the_library_s_function_is_known_below_what_holds_it(answer, capsys):
    TOY.check("1.2", answer)
    text = " ".join(capsys.readouterr().out.split())
    assert "not attempted" in text and "This is the library's own" in text


def test_a_partial_of_the_learner_s_own_function_is_an_answer(capsys):
    def swapped(limit, numbers):
        return numbers[:, None] % torch.arange(1, limit + 1) == 0

    TOY.check("1.2", lambda *args: functools.partial(swapped, args[1])(args[0]))
    TOY.check("1.2", functools.lru_cache(lambda numbers, limit: swapped(limit, numbers)))
    assert capsys.readouterr().out.count(": correct") == 2


def by_index(numbers, limit):
    return TOY.find("1.2").reference(numbers, limit)


def swallowed(numbers, limit):
    try:
        return divides(numbers, limit)
    except BaseException:
        return numbers[:, None] % torch.arange(1, limit + 1) == 0


@pytest.mark.parametrize(
    "answer",
    [
        lambda numbers, limit: handed_on(divides)(numbers, limit),
        functools.wraps(divides)(lambda *args: functools.partial(divides)(*args)),
        by_index,
        swallowed,
    ],
)
def test_a_function_that_calls_the_course_s_answer_is_none(answer, capsys, monkeypatch):
    monkeypatch.setattr(attempts, "LIBRARY", Path(toy_course.__file__).parent)
    code = divides.__code__
    TOY.check("1.2", answer)
    text = " ".join(capsys.readouterr().out.split())
    assert "not attempted" in text and "This calls the course's own answer, divides," in text
    assert divides.__code__ is code, "the reference was not put back"


def test_the_learner_s_own_function_may_call_the_rest_of_the_library(capsys):
    wrong = functools.wraps(sequence_mask)(lambda lengths, width: sequence_mask(lengths, width))
    assert judged(wrong)[0] == "error"  # it was called, with numbers that are no lengths
    TOY.check("1.2", wrong)
    assert "it stops with an error" in capsys.readouterr().out


def test_what_stands_in_the_library_is_judged_where_checks_are_tested():
    """References and known wrong answers of real chapters stand there."""
    assert judged(divides)[0] == "correct"
    assert judged(sequence_mask)[0] == "error"  # it was called, with numbers that are no lengths
